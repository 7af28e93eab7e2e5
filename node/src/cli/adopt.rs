//! `wuji adopt`: a node that ran alone comes below another, with its cases and all nodes below it.

use clap::Args;
use serde_json::json;

use super::asking::Node;
use super::setup::AboveArguments;
use super::{FolderArgument, say};

/// `wuji adopt`.
#[derive(Debug, Args)]
pub(super) struct Adopt {
    #[command(flatten)]
    folder: FolderArgument,
    /// The token from the node above, made for this node's division.
    #[arg(long)]
    token: String,
    #[command(flatten)]
    above: AboveArguments,
}

impl Adopt {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let wish = json!({ "act": "adopt", "token": self.token.trim(), "transport": self.above.transport });
        Node::of(self.folder.folder)?.trust(Some(&wish)).await?;
        say(
            "this node hangs below the node of the token now; ids and cases stay, certificates are renewed by themselves",
        );
        Ok(())
    }
}
