//! Files and acts over the HTTP API, as a person's browser would.

use anyhow::{Context, bail};
use serde_json::{Value, json};

/// A logged-in user of one node.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    session: String,
}

impl Client {
    /// Logs in.
    pub(super) async fn log_in(address: &str, user: &str, password: &str) -> anyhow::Result<Self> {
        let base = format!("{address}/api/v1");
        let client = reqwest::Client::new();
        let answer =
            client.post(format!("{base}/session")).json(&json!({ "user": user, "password": password })).send().await?;
        if !answer.status().is_success() {
            bail!("{user} cannot log in at {address}: {}", answer.status());
        }
        let session = answer
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .find(|cookie| cookie.starts_with("wuji_session"))
            .map(str::to_owned)
            .context("the log-in gave no session")?;
        Ok(Self { http: client, base, session })
    }

    /// Posts; a refusal is an error with its code.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer =
            self.http.post(format!("{}{path}", self.base)).header("cookie", &self.session).json(body).send().await?;
        Self::read(path, answer).await
    }

    /// Gets.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(format!("{}{path}", self.base)).header("cookie", &self.session).send().await?;
        Self::read(path, answer).await
    }

    async fn read(path: &str, answer: reqwest::Response) -> anyhow::Result<Value> {
        let status = answer.status();
        let text = answer.text().await?;
        let value: Value =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::Null) };
        if !status.is_success() {
            let code = value.get("code").and_then(Value::as_str).unwrap_or("no code");
            let detail = value.get("detail").and_then(Value::as_str).unwrap_or_default();
            bail!("{path}: {status} {code} {detail}");
        }
        Ok(value)
    }
}
