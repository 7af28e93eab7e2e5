//! Asks the running process of a node or pack, as the operator on this machine.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use protocol::division::DivisionCode;
use serde_json::Value;

use crate::door::{RunningFile, pinned};
use crate::folder::Folder;

/// A process that lives answers in this time, or somebody should look.
const ANSWER: Duration = Duration::from_secs(5);

/// Where a process is asked. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Asks {
    base: String,
    client: reqwest::Client,
}

impl Asks {
    /// What the process wrote when it started counts: the configuration may have been changed since.
    pub fn of(process: Option<&RunningFile>, listen: SocketAddr) -> anyhow::Result<Self> {
        let base = process.map_or_else(|| format!("http://{listen}"), |process| process.http.clone());
        let client = pinned(process.and_then(|process| process.certificate_sha256.as_deref()))?;
        Ok(Self { base, client })
    }

    /// Where a node's API begins.
    pub fn api(&self, division: DivisionCode) -> String {
        format!("{}/{division}/api/v1", self.base)
    }

    /// The client that knows the process's certificate.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Whether anybody is there.
    pub async fn answers(&self) -> bool {
        let asked = self.client.get(format!("{}/healthz", self.base)).timeout(ANSWER).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// What the node of a folder says of itself.
    pub async fn status(&self, folder: &Folder, division: DivisionCode) -> anyhow::Result<Value> {
        let address = format!("{}/status", self.api(division));
        let answer = self
            .client
            .get(&address)
            .timeout(ANSWER)
            .bearer_auth(folder.operator_token()?)
            .send()
            .await
            .with_context(|| format!("the node does not answer at {address}: does it run?"))?
            .error_for_status()?;
        serde_json::from_str(&answer.text().await?).context("an answer that is no JSON")
    }
}

/// Whether the link to the parent is up, out of a status; none: there is no such link.
pub fn parent_up(status: &Value) -> Option<bool> {
    parent_link(status).map(|link| link.get("up").and_then(Value::as_bool) == Some(true))
}

/// Whether TCP carries the link to the parent, out of a status.
pub fn parent_over_tcp(status: &Value) -> bool {
    parent_link(status).is_some_and(|link| link.get("transport").and_then(Value::as_str) == Some("tcp"))
}

fn parent_link(status: &Value) -> Option<&Value> {
    let links = status.get("links").and_then(Value::as_array)?;
    links.iter().find(|link| link.get("parent").and_then(Value::as_bool) == Some(true))
}
