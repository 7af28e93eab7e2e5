//! Asks the running node of a folder, as its operator.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::config::Config;
use crate::door::{RunningFile, pinned};
use crate::folder::Folder;

/// The running node of a folder.
pub(super) struct Node {
    pub(super) config: Config,
    address: String,
    token: String,
    client: reqwest::Client,
}

impl Node {
    /// The node; whether it runs shows when it is asked.
    pub(super) fn of(folder: PathBuf) -> anyhow::Result<Self> {
        let folder = Folder::new(folder);
        let config = Config::load(folder.path())?;
        let process = RunningFile::of_node(folder.path());
        // What the process wrote when it started counts: the configuration may have been changed since.
        let base = match &process {
            Some(process) => process.http.clone(),
            None => format!("http://{}", config.http.listen),
        };
        let client = pinned(process.as_ref().and_then(|p| p.certificate_sha256.as_deref()))?;
        let address = format!("{base}/{}/api/v1", config.node.division);
        Ok(Self { config, address, token: folder.operator_token()?, client })
    }

    /// Gets.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.client.get(format!("{}{path}", self.address))).await
    }

    /// Posts.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.client.post(format!("{}{path}", self.address)).json(body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = request
            .bearer_auth(&self.token)
            .send()
            .await
            .with_context(|| format!("the node does not answer at {}. Does it run?", self.address))?;
        let good = answer.status().is_success();
        let body: Value = serde_json::from_str(&answer.text().await?).context("an answer that is no JSON")?;
        if good {
            return Ok(body);
        }
        bail!("{}", problem(&body));
    }
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
}
