//! `wuji renew`: a new certificate now, ahead of its time.

use clap::Args;
use serde_json::json;

use crate::folder::Folder;

use super::{FolderArgument, say, trust};

/// `wuji renew`.
#[derive(Debug, Args)]
pub(super) struct Renew {
    #[command(flatten)]
    folder: FolderArgument,
}

impl Renew {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        trust::ask(&Folder::new(self.folder.folder), Some(&json!({ "act": "renew" }))).await?;
        say("a new certificate is asked for; `wuji authority status` shows when it is there");
        Ok(())
    }
}
