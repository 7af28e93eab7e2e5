//! `wuji authority`: the certificate of a node, and at the top the authority itself.

use clap::{Args, Subcommand};
use serde_json::json;

use super::asking::Node;
use super::{FolderArgument, say};

/// `wuji authority`.
#[derive(Debug, Args)]
pub(super) struct AuthorityCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say how the certificate of a node stands, and at the top how far all nodes are.
    Status {
        #[command(flatten)]
        folder: FolderArgument,
    },
    /// At the top: a new authority takes the place of the present one. Nodes renew by themselves.
    RollOver {
        #[command(flatten)]
        folder: FolderArgument,
    },
    /// At the top: retire the authorities before the present one, once all nodes have renewed.
    RetireOld {
        #[command(flatten)]
        folder: FolderArgument,
        /// Also when nodes have not renewed: they have to be replaced with `wuji token --replace`.
        #[arg(long)]
        force: bool,
    },
}

impl AuthorityCommand {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (folder, wish) = match self.action {
            Action::Status { folder } => (folder, None),
            Action::RollOver { folder } => (folder, Some(json!({ "act": "roll_over" }))),
            Action::RetireOld { folder, force } => (folder, Some(json!({ "act": "retire_old", "force": force }))),
        };
        let answer = Node::of(folder.folder)?.trust(wish.as_ref()).await?;
        say(&serde_json::to_string_pretty(&answer)?);
        Ok(())
    }
}
