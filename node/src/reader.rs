//! A process that only reads: API and page of a node whose rows are on a server, without its writer and without its link.
//! Any number of them may run beside the one process that writes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use casework::Me;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::Clock;
use crate::config::Config;
use crate::folder::Folder;
use crate::ops::home::{Home, Keeper};
use crate::person::realm::Realm;
use crate::person::vault::Vault;
use crate::shared::Shared;
use crate::store::{Database, Store, StoreError};
use crate::writer::port::Port;
use crate::writer::publications::Publications;

/// How often it looks who belongs here and what is in force by now.
const REFRESH: Duration = Duration::from_secs(5);
/// Why a reader does not start.
pub(crate) const UNREADABLE: &str = "the database cannot be read; its tables are made by the process that writes";

/// A node as a process sees it that only reads.
pub struct Reader {
    /// The node's configuration.
    pub config: Config,
    /// Its folder, or a copy of it.
    pub folder: Folder,
    /// The rows.
    pub store: Store,
    /// The keys for what is private: a copy of the folder has them too.
    pub vault: Arc<Vault>,
    /// Who is above and below, and what is in force. Links and alarms are known to the writer alone.
    pub shared: Arc<Shared>,
    /// The clock of this process.
    pub clock: Clock,
    people: Keeper,
    _refreshing: DropGuard,
}

impl Reader {
    /// Opens the node of a folder. The folder is not locked: nothing is written.
    pub async fn open(folder: Folder) -> anyhow::Result<Self> {
        let config = Config::load(folder.path())?;
        let home = Home::of(&folder, &config)?;
        home.must_stand_alone(&folder, &config)?;
        let store = Store::reader(&config.place(&folder), config.node.id).await.context(UNREADABLE)?;
        Self::over(store, folder, config, home.people, REFRESH).await
    }

    /// Opens one of several nodes whose rows are in one database, and looks that often at what is in force.
    pub(crate) async fn beside_others(
        folder: Folder,
        database: &Database,
        people: Keeper,
        refresh: Duration,
    ) -> anyhow::Result<Self> {
        let config = Config::load(folder.path())?;
        Self::over(database.store(config.node.id), folder, config, people, refresh).await
    }

    async fn over(
        store: Store,
        folder: Folder,
        config: Config,
        people: Keeper,
        refresh: Duration,
    ) -> anyhow::Result<Self> {
        let vault = Arc::new(Vault::load(&folder.keys())?);
        let store = store.with_vault(vault.clone());
        let shared = Arc::new(Shared::default());
        let clock = Clock::default();
        let me = Me { node: config.node.id, division: config.node.division };
        look(me, &store, &shared, &clock).await?;
        let stopping = CancellationToken::new();
        let (rows, seen, time, stop) = (store.clone(), shared.clone(), clock.clone(), stopping.clone());
        tokio::spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(refresh)).await.is_some() {
                if let Err(error) = look(me, &rows, &seen, &time).await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "who belongs here and what is in force cannot be read"
                    );
                }
            }
        });
        Ok(Self { config, folder, store, vault, shared, clock, people, _refreshing: stopping.drop_guard() })
    }
}

impl Reader {
    /// The people who log in to the node. This process changes nothing of them.
    pub(crate) fn realm(&self) -> anyhow::Result<Realm> {
        self.people.realm(&self.folder, &self.store, Port::closed(), &self.vault)
    }
}

async fn look(me: Me, store: &Store, shared: &Shared, clock: &Clock) -> Result<(), StoreError> {
    let line = store.ancestors().await?;
    shared.set_line(&line);
    let now = clock.reading().corrected();
    let mut publications = Publications::of(&store.publications().await?, me, &line, now);
    publications.put_places(store.places().await?);
    shared.put_in_force(publications.holds());
    for route in store.routes().await? {
        shared.registered(route.member, route.division, route.via);
    }
    Ok(())
}
