//! `wuji status`: asks the running node on this machine, as its operator.

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use crate::config::Config;
use crate::door::{RunningFile, pinned};
use crate::folder::Folder;

use super::{FolderArgument, say};

/// Exit code when the parent's link is down.
const LINK_DOWN: u8 = 3;

/// `wuji status`.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    folder: FolderArgument,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) async fn run(self) -> anyhow::Result<u8> {
        let folder = Folder::new(self.folder.folder);
        let config = Config::load(folder.path())?;
        // What the process wrote when it started counts: the configuration may have been changed since.
        let process = RunningFile::of_node(folder.path());
        let base = match &process {
            Some(process) => process.http.clone(),
            None => format!("http://{}", config.http.listen),
        };
        let address = format!("{base}/{}/api/v1/status", config.node.division);
        let answer = pinned(process.as_ref().and_then(|p| p.certificate_sha256.as_deref()))?
            .get(&address)
            .bearer_auth(folder.operator_token()?)
            .send()
            .await
            .with_context(|| format!("the node does not answer at {address}: does it run?"))?
            .error_for_status()?;
        let mut status: Value = serde_json::from_str(&answer.text().await?).context("an answer that is no JSON")?;
        if let (Some(status), Some(process)) = (status.as_object_mut(), process) {
            status.insert("process".to_owned(), serde_json::to_value(process)?);
        }
        if self.json {
            say(&status.to_string());
        } else {
            say(&serde_json::to_string_pretty(&status)?);
        }
        let links = status.get("links").and_then(Value::as_array).cloned().unwrap_or_default();
        let parent_down = links.iter().any(|link| {
            link.get("parent").and_then(Value::as_bool) == Some(true)
                && link.get("up").and_then(Value::as_bool) == Some(false)
        });
        Ok(if parent_down { LINK_DOWN } else { 0 })
    }
}
