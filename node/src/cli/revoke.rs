//! `wuji revoke`: a node below is no longer trusted.

use clap::{Args, ValueEnum};
use protocol::id::NodeId;
use serde_json::json;

use super::asking::Node;
use super::{FolderArgument, say};

/// Why a node is revoked.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reason {
    /// Its machine or its keys were lost, stolen or copied.
    Lost,
    /// Another reason.
    Operator,
}

/// `wuji revoke`.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    folder: FolderArgument,
    /// The node, 32 hexadecimal digits.
    node: NodeId,
    /// Why.
    #[arg(long, value_enum)]
    reason: Reason,
}

impl Revoke {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let reason = match self.reason {
            Reason::Lost => "lost",
            Reason::Operator => "operator",
        };
        let wish = json!({ "act": "revoke", "node": self.node.to_string(), "reason": reason });
        Node::of(self.folder.folder)?.trust(Some(&wish)).await?;
        say(&format!(
            "{} is no longer trusted. To let it in again on new hardware: wuji token --replace {}",
            self.node, self.node
        ));
        Ok(())
    }
}
