//! `wuji backup`, of a node or of a whole pack.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use crate::api::stamp::shown;
use crate::folder::Folder;
use crate::ops::archive::{Head, Part};
use crate::ops::backup::{self, Wanted};
use crate::ops::lock::{self, Lock, LockWith, OpenWith};
use crate::ops::pack_backup::{self, Failed};
use crate::pack;

use super::bar::{Bar, NodesBar};
use super::{SOME_NODES, say};

/// `wuji backup`: a node's rows and configuration in one file, made while the node runs or not; of a pack, a folder with an
/// archive for each node. Exit codes: 0 done, 1 failed, 5 some nodes of a pack are not in it.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The node's folder, or the pack's.
    #[arg(long, env = "WUJI_FOLDER", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The archive to make, which must not be there yet; of a pack the folder in which a new one by date is made.
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["check", "new_recipient"])]
    to: Option<PathBuf>,
    /// Put the node's keys in (the archive must be locked): with it alone a lost node can be made again.
    #[arg(long)]
    with_keys: bool,
    #[command(flatten)]
    lock: LockArguments,
    /// Seal the archive to a recipient's public key; only who has its private key can open it.
    #[arg(long, value_name = "KEY", conflicts_with = "passphrase_file")]
    recipient: Option<String>,
    /// Read an archive, or all of a pack's folder of them, from the first byte to the last and say what is in it.
    #[arg(long, value_name = "PLACE")]
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
    pub(super) async fn run(self) -> anyhow::Result<u8> {
        if let Some(file) = &self.new_recipient {
            say(&lock::new_recipient(file)?);
            return Ok(0);
        }
        if let Some(place) = &self.check {
            return self.read(place);
        }
        let (Some(folder), Some(to)) = (&self.folder, &self.to) else {
            bail!("give --folder FOLDER and --to PLACE, or --check PLACE, or --new-recipient FILE");
        };
        let (folder, to) = (Folder::new(folder), to.clone());
        let lock = match (&self.lock.passphrase_file, &self.recipient) {
            (Some(file), _) => LockWith::Passphrase(lock::read_passphrase(file)?),
            (None, Some(recipient)) => LockWith::Recipient(lock::recipient(recipient)?),
            (None, None) => LockWith::Nothing,
        };
        if pack::file_in(&folder).is_some() {
            return self.pack(&folder, &pack_backup::Wanted { to, keys: self.with_keys, lock }).await;
        }
        let wanted = Wanted { to, keys: self.with_keys, lock };
        let mut bar = Bar::new();
        let made = backup::make(&folder, &wanted, &mut bar).await;
        bar.done();
        let (head, parts) = made.with_context(|| format!("no backup was made of {}", folder.path().display()))?;
        self.tell(&format!("{} was made and read back", wanted.to.display()), &head, &parts);
        Ok(0)
    }

    async fn pack(&self, folder: &Folder, wanted: &pack_backup::Wanted) -> anyhow::Result<u8> {
        let bar = NodesBar::new();
        let made = pack_backup::make(folder.path(), wanted, |done, failed, all| bar.at(done, failed, all)).await;
        bar.done();
        let made = made.with_context(|| format!("no backup was made of {}", folder.path().display()))?;
        let what =
            format!("{} was made and read back: {} nodes, {} rows", made.folder.display(), made.nodes, made.rows);
        if self.json {
            say(&json!({ "folder": made.folder, "nodes": made.nodes, "rows": made.rows, "failed": failed_json(&made.failed) })
                .to_string());
        } else {
            say(&what);
            say(match (wanted.keys, &wanted.lock) {
                (true, _) => {
                    "The keys are in it: it is enough to make the pack again, and enough to pass for its nodes."
                }
                (false, LockWith::Nothing) => {
                    "It is not locked: keep it as closely as the disk itself. The keys are NOT in it: keep copies of the \
                     folders keys (and authority) of all nodes."
                }
                (false, _) => "The keys are NOT in it: keep copies of the folders keys (and authority) of all nodes.",
            });
            name_failed("not in it", &made.failed);
        }
        Ok(partly(&made.failed))
    }

    fn read(&self, place: &Path) -> anyhow::Result<u8> {
        let open = self.lock.open_with()?;
        if place.is_dir() {
            let bar = NodesBar::new();
            let checked = pack_backup::check(place, &open, |done, failed, all| bar.at(done, failed, all));
            bar.done();
            let (whole, failed) = checked?;
            if self.json {
                say(&json!({ "folder": place, "nodes": whole, "failed": failed_json(&failed) }).to_string());
            } else {
                say(&format!("{}: {whole} nodes are whole in it, and the pack's own archive", place.display()));
                name_failed("not to be had from it", &failed);
            }
            return Ok(partly(&failed));
        }
        let mut bar = Bar::new();
        let checked = backup::check(place, &open, &mut bar);
        bar.done();
        let (head, parts) = checked?;
        self.tell(&format!("{} is whole", place.display()), &head, &parts);
        Ok(0)
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

/// The exit code when some nodes of a pack failed.
pub(super) fn partly(failed: &[Failed]) -> u8 {
    if failed.is_empty() { 0 } else { SOME_NODES }
}

fn failed_json(failed: &[Failed]) -> Vec<serde_json::Value> {
    failed.iter().map(|one| json!({ "what": one.what, "why": format!("{:#}", one.why) })).collect()
}

/// Names what failed: each is to be looked after by itself.
pub(super) fn name_failed(how: &str, failed: &[Failed]) {
    for Failed { what, why } in failed {
        say(&format!("FAIL  {what} is {how}: {why:#}"));
    }
}
