//! `wuji decommission`: a node below is closed in order.

use clap::Args;
use protocol::id::NodeId;
use serde_json::json;

use super::asking::Node;
use super::{FolderArgument, say};

/// `wuji decommission`.
#[derive(Debug, Args)]
pub(super) struct Decommission {
    #[command(flatten)]
    folder: FolderArgument,
    /// The node, 32 hexadecimal digits. It owns no open case any more, and no node hangs below it.
    node: NodeId,
}

impl Decommission {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let wish = json!({ "act": "decommission", "node": self.node.to_string() });
        Node::of(self.folder.folder)?.trust(Some(&wish)).await?;
        say(&format!("{} is closed; its figures stay", self.node));
        Ok(())
    }
}
