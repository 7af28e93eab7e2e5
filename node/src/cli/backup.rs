//! `wuji backup`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use crate::api::stamp::shown;
use crate::folder::Folder;
use crate::ops::archive::{Head, Part};
use crate::ops::backup::{self, Wanted};
use crate::ops::lock::{self, Lock, LockWith, OpenWith};

use super::bar::Bar;
use super::say;

/// `wuji backup`: a node's rows and configuration in one file, made while the node runs or not.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The node's folder.
    #[arg(long, env = "WUJI_FOLDER", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The archive to make; it must not be there yet.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["check", "new_recipient"])]
    to: Option<PathBuf>,
    /// Put the node's keys in (the archive must be locked): with it alone a lost node can be made again.
    #[arg(long)]
    with_keys: bool,
    #[command(flatten)]
    lock: LockArguments,
    /// Seal the archive to a recipient's public key; only who has its private key can open it.
    #[arg(long, value_name = "KEY", conflicts_with = "passphrase_file")]
    recipient: Option<String>,
    /// Read an archive from its first byte to its last and say what is in it.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// Make a recipient: write its private key into FILE, print its public key.
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    new_recipient: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// What opens an archive.
#[derive(Debug, Args)]
pub(super) struct LockArguments {
    /// File whose first line is the passphrase; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// File with a recipient's private key.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

impl LockArguments {
    /// Reads what was named.
    pub(super) fn open_with(&self) -> anyhow::Result<OpenWith> {
        Ok(OpenWith {
            passphrase: self.passphrase_file.as_deref().map(lock::read_passphrase).transpose()?,
            identity: self.identity.as_deref().map(lock::identity).transpose()?,
        })
    }
}

impl Backup {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if let Some(file) = &self.new_recipient {
            say(&lock::new_recipient(file)?);
            return Ok(());
        }
        if let Some(file) = &self.check {
            let mut bar = Bar::new();
            let checked = backup::check(file, &self.lock.open_with()?, &mut bar);
            bar.done();
            let (head, parts) = checked?;
            self.tell(&format!("{} is whole", file.display()), &head, &parts);
            return Ok(());
        }
        let (Some(folder), Some(to)) = (&self.folder, &self.to) else {
            bail!("give --folder FOLDER and --to FILE, or --check FILE, or --new-recipient FILE");
        };
        let lock = match (&self.lock.passphrase_file, &self.recipient) {
            (Some(file), _) => LockWith::Passphrase(lock::read_passphrase(file)?),
            (None, Some(recipient)) => LockWith::Recipient(lock::recipient(recipient)?),
            (None, None) => LockWith::Nothing,
        };
        let wanted = Wanted { to: to.clone(), keys: self.with_keys, lock };
        let mut bar = Bar::new();
        let made = backup::make(&Folder::new(folder), &wanted, &mut bar).await;
        bar.done();
        let (head, parts) = made.with_context(|| format!("no backup was made of {}", folder.display()))?;
        self.tell(&format!("{} was made and read back", to.display()), &head, &parts);
        Ok(())
    }

    fn tell(&self, what: &str, head: &Head, parts: &[Part]) {
        let rows: u64 = parts.iter().filter_map(|part| part.rows).sum();
        let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
        if self.json {
            say(&json!({ "head": head, "parts": parts, "rows": rows, "bytes": bytes }).to_string());
            return;
        }
        say(&format!(
            "{what}: {} ({}), {}, {rows} rows, {bytes} bytes, schema {}, made by {}",
            head.name,
            head.division,
            shown(head.made_at),
            head.schema,
            head.program
        ));
        say(match head.lock {
            Lock::Open => {
                "It is not locked: names and narrative are readable in it. Keep it as closely as the node's own disk."
            }
            Lock::Passphrase { .. } => {
                "It is locked by its passphrase. Without it nobody can open it, neither can you."
            }
            Lock::Recipient { .. } => "It is sealed: only the recipient's private key opens it.",
        });
        say(if head.keys {
            "The node's keys are in it: it is enough to make a lost node again, and enough to pass for it."
        } else {
            "The node's keys are NOT in it: without a copy of its folders keys (and authority) nobody takes what is restored \
             for this node."
        });
    }
}
