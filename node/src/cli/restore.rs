//! `wuji restore`, of a node or of a whole pack.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::api::stamp::shown;
use crate::config::Config;
use crate::folder::Folder;
use crate::ops::home;
use crate::ops::loss;
use crate::ops::pack_loss;
use crate::ops::pack_restore::{self, PackWanted};
use crate::ops::restore::{self, Wanted};
use crate::pack::{self, PackFile};

use super::backup::{LockArguments, name_failed, partly};
use super::bar::{Bar, NodesBar};
use super::say;

/// Exit code when the loss report is not complete yet.
const NOT_YET: u8 = 3;
/// Nodes of a pack that are named before the rest is only counted.
const NAMED_MAX: usize = 10;

/// `wuji restore`: a node or pack out of a backup, and afterwards what that cost. Exit codes: 0 done, 1 failed, 3 the report is
/// not complete yet, 5 some nodes of a pack were not restored.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The archive; of a pack, the folder of its backup.
    #[arg(long, value_name = "PLACE", conflicts_with = "report")]
    from: Option<PathBuf>,
    /// The folder of the node or pack; it must not hold one yet.
    #[arg(long, env = "WUJI_FOLDER", value_name = "FOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    lock: LockArguments,
    /// Folder with a copy of `keys` (and `authority`), when the archive has none; of a pack, with one in `nodes/CODE` for each.
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
    /// URL of a PostgreSQL database; without it the rows go into a file in the folder.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Say what a restore cost, once the node runs again.
    #[arg(long)]
    report: bool,
    /// With --report: one JSON object.
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub(super) async fn run(self) -> anyhow::Result<u8> {
        let folder = Folder::new(&self.folder);
        if self.report {
            return match pack::file_in(&folder) {
                Some(file) => tell_pack(&folder, &PackFile::load(&file)?, self.json),
                None => self.tell(&folder).await,
            };
        }
        let Some(from) = self.from else { bail!("give --from FILE, or --report") };
        let open = self.lock.open_with()?;
        if from.is_dir() {
            return restore_pack(&folder, &PackWanted { from, open, keys: self.keys, database: self.database }).await;
        }
        let wanted = Wanted { from, open, keys: self.keys, database: self.database };
        let mut bar = Bar::new();
        let done = restore::restore(&folder, &wanted, &mut bar).await;
        bar.done();
        let restored = done?;
        say(&format!(
            "restored into {} as of {}. Make sure that the old node is off, then start this one.",
            folder.path().display(),
            shown(restored.backup_at)
        ));
        say("Its neighbours give back what they hold; then: wuji restore --report");
        say("Decide again what was decided here since the backup: revoked nodes, disabled users, changed passwords.");
        Ok(0)
    }

    async fn tell(&self, folder: &Folder) -> anyhow::Result<u8> {
        loss::noted(folder)?.with_context(|| format!("{} was not restored from a backup", folder.path().display()))?;
        let report = match loss::made(folder)? {
            Some(report) => report,
            None => {
                let config = Config::load(folder.path())?;
                let store = home::rows(folder, &config)?;
                loss::report(folder, &store, Vec::new(), false).await?
            }
        };
        say(&if self.json { serde_json::to_string(&report)? } else { loss::in_words(&report) });
        Ok(if report.complete { 0 } else { NOT_YET })
    }
}

async fn restore_pack(folder: &Folder, wanted: &PackWanted) -> anyhow::Result<u8> {
    let bar = NodesBar::new();
    let done = pack_restore::restore(folder, wanted, |done, failed, all| bar.at(done, failed, all)).await;
    bar.done();
    let restored = done?;
    say(&format!("{} nodes restored into {}.", restored.nodes, folder.path().display()));
    name_failed("not there", &restored.failed);
    if !restored.failed.is_empty() {
        say(&format!(
            "Each of these from an earlier archive: wuji restore --from FILE --folder {}/nodes/CODE",
            folder.path().display()
        ));
    }
    say(
        "Make sure that the old pack is off, then start this one; its nodes are given back what others hold, then: wuji restore --report",
    );
    say("Decide again what was decided here since the backup: revoked nodes, disabled users, changed passwords.");
    Ok(partly(&restored.failed))
}

/// What the restore of a pack cost.
fn tell_pack(folder: &Folder, file: &PackFile, json: bool) -> anyhow::Result<u8> {
    let loss = pack_loss::sum(folder.path(), &file.folders(folder.path())?)?;
    if json {
        say(&serde_json::to_string(&loss)?);
    } else {
        say(&format!(
            "{} nodes were restored. Came back from neighbours: {} events, {} cases that the backups did not have.",
            loss.nodes, loss.events_back, loss.cases_back
        ));
        say(&format!(
            "Own cases whose names and narrative are missing: {}. Cases of which only the nameless record is left: {}.",
            loss.private_missing, loss.nameless
        ));
        for (what, nodes) in
            [("its own report names what to ask for", &loss.asks), ("no complete report yet", &loss.waiting)]
        {
            nodes.iter().take(NAMED_MAX).for_each(|node| say(&format!("{what}: {node}")));
            if nodes.len() > NAMED_MAX {
                say(&format!("{what}: {} more (--json names all)", nodes.len() - NAMED_MAX));
            }
        }
    }
    Ok(if loss.waiting.is_empty() { 0 } else { NOT_YET })
}
