//! `wuji rekey`: a new key for the names of a node.

use std::path::PathBuf;

use clap::Args;

use crate::folder::Folder;
use crate::ops::rekey;

use super::bar::Bar;
use super::{FolderArgument, say};

/// `wuji rekey`: everything private of a node that does not run is sealed with a new key.
#[derive(Debug, Args)]
pub(super) struct Rekey {
    #[command(flatten)]
    folder: FolderArgument,
    /// Where the key file is kept as it was: backups that were made before need it.
    #[arg(long, value_name = "FILE")]
    old_key_to: PathBuf,
}

impl Rekey {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut bar = Bar::new();
        let done = rekey::rekey(&Folder::new(self.folder.folder), &self.old_key_to, &mut bar).await;
        bar.done();
        let rekey::Rekeyed { key, parts, papers, attachments, drafts, factors } = done?;
        say(&format!(
            "sealed with key {key} from now on: {parts} private parts, {papers} papers, {attachments} keys of attachments, {drafts} drafts, {factors} second factors.\n\
             {} opens the backups that were made until now: keep it apart from them, and destroy it when they are gone.\n\
             Make a backup now, and bring keys/persons.key to every copy of this folder.",
            self.old_key_to.display()
        ));
        Ok(())
    }
}
