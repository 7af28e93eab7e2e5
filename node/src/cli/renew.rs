//! `wuji renew`: a new certificate now, ahead of its time.

use clap::Args;
use serde_json::json;

use super::asking::Node;
use super::{FolderArgument, say};

/// `wuji renew`.
#[derive(Debug, Args)]
pub(super) struct Renew {
    #[command(flatten)]
    folder: FolderArgument,
}

impl Renew {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        Node::of(self.folder.folder)?.trust(Some(&json!({ "act": "renew" }))).await?;
        say("a new certificate is asked for; `wuji authority status` shows when it is there");
        Ok(())
    }
}
