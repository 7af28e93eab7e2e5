//! Who runs a pack. Where its rows are in files, the folders are locked; on a server one process holds the lease of the pack
//! as a whole before it takes those of the nodes, so that no two processes ever run a half each, and another may stand by.

use std::path::Path;

use anyhow::{Context, ensure};
use tokio_util::sync::CancellationToken;

use super::file::PackFile;
use crate::store::{self, Database, Patience, Place, WriteStore};

/// The right to run a pack, with the database that its nodes share.
pub struct Head {
    pub(super) database: Option<Database>,
    lease: Option<WriteStore>,
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Head").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Head {
    /// Takes it, when another process holds it as `patience` says.
    pub async fn take(folder: &Path, file: &PackFile, patience: Patience) -> anyhow::Result<Self> {
        let place = file.database.shared(folder)?;
        ensure!(
            patience == Patience::Refuse || matches!(place, Some(Place::Server(_))),
            "only rows on a server have a standby: set database.url in {}",
            super::FILE_NAME
        );
        let Some(place) = place else { return Ok(Self { database: None, lease: None }) };
        let address = file.http.listen.to_string();
        let (store, lease) = store::open_to_run(&place, file.pack.id, patience, &address)
            .await
            .context("the pack's database cannot be opened to run it")?;
        Ok(Self { database: Some(store.database().clone()), lease: Some(lease) })
    }

    /// Ends when another process has taken over; never where there is no lease.
    pub(super) fn lost(&self) -> CancellationToken {
        self.lease.as_ref().map(WriteStore::lost).unwrap_or_default()
    }

    /// Gives it back, after all nodes have stopped, and closes the database.
    pub(super) async fn release(self) -> anyhow::Result<()> {
        let released = match self.lease {
            Some(mut lease) => lease.release().await,
            None => Ok(()),
        };
        if let Some(database) = self.database {
            database.close().await;
        }
        released.context("the lease of the pack was not given back and will run out")
    }
}
