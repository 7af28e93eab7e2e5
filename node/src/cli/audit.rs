//! `wuji audit`: whether the audit is what was written.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use protocol::chain::Hash;
use protocol::id::NodeId;

use crate::api::stamp;
use crate::config::Config;
use crate::folder::Folder;
use crate::person::audit::Head;
use crate::store::Store;

use super::{FolderArgument, say};

/// `wuji audit`.
#[derive(Debug, Args)]
pub(super) struct AuditCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Work every hash out anew, against the heads that this node sent to its parent and those given.
    Verify {
        #[command(flatten)]
        folder: FolderArgument,
        /// Heads as the parent keeps them: what `wuji audit anchors --of NODE` prints there.
        #[arg(long = "anchor", value_name = "NUMBER:HASH")]
        anchors: Vec<Anchor>,
    },
    /// Print the heads that are kept here, those of the nodes below and of this node itself.
    Anchors {
        #[command(flatten)]
        folder: FolderArgument,
        /// Of this node only.
        #[arg(long, value_name = "NODE")]
        of: Option<NodeId>,
    },
}

/// A head as it is typed.
#[derive(Debug, Clone, Copy)]
struct Anchor(Head);

impl std::str::FromStr for Anchor {
    type Err = anyhow::Error;
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (number, hash) = text.split_once(':').context("an anchor is NUMBER:HASH")?;
        Ok(Self(Head { number: number.parse()?, hash: hash.parse::<Hash>()? }))
    }
}

fn store_of(folder: FolderArgument) -> anyhow::Result<Store> {
    let folder = Folder::new(folder.folder);
    let config = Config::load(folder.path())?;
    Ok(Store::read_only(&config.place(&folder), config.node.id)?)
}

impl AuditCommand {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Verify { folder, anchors } => {
                let store = store_of(folder)?;
                let given = anchors.iter().map(|anchor| anchor.0).collect();
                match store.check_audit(given).await? {
                    Ok(head) => say(&format!("whole: {} entries, the last one is {}", head.number, head.hash)),
                    Err(broken) => bail!(
                        "the audit is not what was written: {broken}. Keep the database as it is, and bring what the backups \
                         hold of it"
                    ),
                }
            }
            Action::Anchors { folder, of } => {
                for anchor in store_of(folder)?.anchors(of).await? {
                    let at = stamp::rfc3339(anchor.at);
                    say(&format!("{}  {}:{}  {at}", anchor.member, anchor.head.number, anchor.head.hash));
                }
            }
        }
        Ok(())
    }
}
