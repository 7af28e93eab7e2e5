//! A new key for the names of a node that does not run: everything private is sealed with it, then the old one goes.
//!
//! Broken off at any point, the key file holds both keys and the node runs as before; the next call goes on.

use std::path::Path;

use anyhow::{Context, ensure};
use federation::trust::files::{read_private, write_private};

use super::backup::Progress;
use super::home::Home;
use crate::config::Config;
use crate::folder::Folder;
use crate::node::open_vault;
use crate::person::vault::{self, Vault};
use crate::store::{self, Patience, StoreError, WriteStore};

/// Rows that were sealed anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rekeyed {
    /// The number of the key that seals now.
    pub key: u8,
    /// Private parts of cases.
    pub parts: u32,
    /// Papers of cases.
    pub papers: u32,
    /// Keys of attachments.
    pub attachments: u32,
    /// Drafts.
    pub drafts: u32,
    /// Secrets of second factors.
    pub factors: u32,
}

/// What is sealed anew in turn.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Parts,
    Papers,
    Attachments,
    Drafts,
    Factors(protocol::id::NodeId),
}

/// Seals everything with a new key. The key file as it was is kept at `old_key`: backups made before need it.
pub async fn rekey(folder: &Folder, old_key: &Path, progress: &mut dyn Progress) -> anyhow::Result<Rekeyed> {
    let config = Config::load(folder.path())?;
    let home = Home::of(folder, &config)?;
    let _lock = folder.lock().context("stop the node, or its pack, first")?;
    let (_, mut write) = store::open_to_run(&home.place, config.node.id, Patience::Refuse, "").await?;
    open_vault(folder, &mut write).await?;
    let mut vault = Vault::load(&folder.keys())?;
    if vault.keys() == 1 {
        keep(folder, old_key)?;
        vault.rotate(&folder.keys())?;
    }
    write.open_vault(std::sync::Arc::new(Vault::load(&folder.keys())?));
    let mut done = Rekeyed { key: vault.current(), ..Rekeyed::default() };
    progress.now("private parts");
    done.parts = all(&mut write, Kind::Parts, progress).await?;
    progress.now("papers");
    done.papers = all(&mut write, Kind::Papers, progress).await?;
    progress.now("attachments");
    done.attachments = all(&mut write, Kind::Attachments, progress).await?;
    progress.now("drafts");
    done.drafts = all(&mut write, Kind::Drafts, progress).await?;
    if home.people.is(folder) {
        progress.now("second factors");
        done.factors = all(&mut write, Kind::Factors(home.people.realm), progress).await?;
    }
    write.release().await?;
    vault.retire(&folder.keys())?;
    Ok(done)
}

/// A copy of the key file, which nobody else may read and which is no other copy.
fn keep(folder: &Folder, to: &Path) -> anyhow::Result<()> {
    ensure!(!to.exists(), "{} is there already: name a file that is not", to.display());
    let bytes = read_private(&folder.keys(), vault::FILE_NAME).context("the key file cannot be read")?;
    let into = to.parent().filter(|into| !into.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = to.file_name().and_then(|name| name.to_str());
    write_private(into, name.context("name a file for the old key")?, &bytes)
        .with_context(|| format!("{} cannot be written; nothing was changed", to.display()))
}

async fn all(write: &mut WriteStore, kind: Kind, progress: &mut dyn Progress) -> Result<u32, StoreError> {
    let mut all = 0_u32;
    loop {
        write.begin().await?;
        let sealed = match kind {
            Kind::Parts => write.reseal_parts().await,
            Kind::Papers => write.reseal_papers().await,
            Kind::Attachments => write.reseal_attachments().await,
            Kind::Drafts => write.reseal_drafts().await,
            Kind::Factors(realm) => write.reseal_factors(realm).await,
        };
        let Ok(sealed) = sealed else {
            write.rollback().await?;
            return sealed;
        };
        write.commit().await?;
        (0..sealed).for_each(|_| progress.row());
        all = all.saturating_add(sealed);
        if sealed == 0 {
            return Ok(all);
        }
    }
}
