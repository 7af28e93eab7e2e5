//! Asks the running node of a folder, as its operator.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::config::Config;
use crate::door::RunningFile;
use crate::folder::Folder;
use crate::ops::ask::Asks;

/// The running node of a folder.
pub(super) struct Node {
    pub(super) config: Config,
    address: String,
    token: String,
    asks: Asks,
}

impl Node {
    /// The node; whether it runs shows when it is asked.
    pub(super) fn of(folder: PathBuf) -> anyhow::Result<Self> {
        let folder = Folder::new(folder);
        let config = Config::load(folder.path())?;
        let asks = Asks::of(RunningFile::of_node(folder.path()).as_ref(), config.http.listen)?;
        Ok(Self { address: asks.api(config.node.division), config, token: folder.operator_token()?, asks })
    }

    /// Gets.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.asks.client().get(format!("{}{path}", self.address))).await
    }

    /// Posts.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.asks.client().post(format!("{}{path}", self.address)).json(body)).await
    }

    /// Posts bytes. What went wrong is told in both languages.
    pub(super) async fn post_bytes(&self, path: &str, body: Vec<u8>) -> anyhow::Result<Value> {
        let request = self.asks.client().post(format!("{}{path}", self.address)).body(body);
        let request = request.header(reqwest::header::CONTENT_TYPE, "application/octet-stream");
        self.answer(request, in_both).await
    }

    /// Posts. What went wrong is told in both languages.
    pub(super) async fn post_told_in_both(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.answer(self.asks.client().post(format!("{}{path}", self.address)).json(body), in_both).await
    }

    /// How trust stands there, after a wish about it was done.
    pub(super) async fn trust(&self, wish: Option<&Value>) -> anyhow::Result<Value> {
        match wish {
            Some(wish) => self.post("/trust", wish).await,
            None => self.get("/trust").await,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        self.answer(request, problem).await
    }

    async fn answer(
        &self,
        request: reqwest::RequestBuilder,
        problem: impl FnOnce(&Value) -> String,
    ) -> anyhow::Result<Value> {
        let answer = request
            .bearer_auth(&self.token)
            .send()
            .await
            .with_context(|| format!("the node does not answer at {}: does it run?", self.address))?;
        let good = answer.status().is_success();
        let body: Value = serde_json::from_str(&answer.text().await?).context("an answer that is no JSON")?;
        if good {
            return Ok(body);
        }
        bail!("{}", problem(&body));
    }
}

/// A problem in both languages.
fn in_both(body: &Value) -> String {
    let part = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{}\n{}", part("detail"), part("detail_zh"))
}

/// A problem with a line for each field.
fn problem(body: &Value) -> String {
    let part = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let errors = body.get("errors").and_then(Value::as_array).filter(|errors| !errors.is_empty());
    match errors {
        Some(errors) => {
            let line = |e| format!("\n  {}: {} ({})", part(e, "field"), part(e, "detail"), part(e, "detail_zh"));
            errors.iter().map(line).collect()
        }
        None => part(body, "detail"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_wrong_field_has_its_line() {
        let told = json!({ "detail": "whole", "errors": [
            { "field": "units[0].code", "detail": "twice", "detail_zh": "重复" },
            { "field": "units[1].zh", "detail": "needed", "detail_zh": "必填" }] });
        assert_eq!(problem(&told), "\n  units[0].code: twice (重复)\n  units[1].zh: needed (必填)");
        assert_eq!(problem(&json!({ "detail": "whole" })), "whole");
    }

    #[test]
    fn what_is_told_in_both_languages_has_a_line_for_each() {
        assert_eq!(in_both(&json!({ "detail": "no", "detail_zh": "不行" })), "no\n不行");
    }
}
