//! Finding cases: by number, place, words, names and the initials of their pinyin, filtered and sorted; and those that are like
//! a report or another case.
//!
//! The cases of a node lie in a table in memory, with facets, sort keys and a signature of their words each (`signature.rs`).
//! A search looks through it, and opens the few cases that may fit in the order of the page: what is told was read, under
//! the rights of whoever asks. The table is read from the database alone, as that of figures is: a process that only reads finds what the
//! writer has stored, and an answer holds everything that was committed before it was asked. Ten quiet minutes give the memory back.

mod ask;
mod like;
mod signature;
mod table;
mod terms;
mod text;
mod words;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use casework::rights::At;
use casework::{Case, Grant};

pub use self::ask::{Asked, Hit, Page};
pub use self::like::{Concluded, Drafted, Likely, PartyHistory};
pub use self::signature::SearchKey;
pub(crate) use self::signature::{Filter, MADE, Signature};
use self::table::Table;
pub use self::table::{Position, Row, Sort, Wanted};
pub use self::terms::{By, NoSearch, Terms};
use crate::store::{Store, StoreError};

/// Cases of one page while loading.
const PAGE: u32 = 5_000;
/// How long a table that nobody asks stays in memory.
const IDLE: Duration = Duration::from_secs(600);
/// How often a table is loaded anew while words of some cases are not in it yet, in milliseconds.
const AGAIN_MS: u64 = 5_000;

/// Who asks, and what they may read.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Their roles with their scopes.
    pub grants: Vec<Grant>,
    /// What they are told can be written down. Where it cannot, nobody is told more than is shown to all.
    pub can_be_noted: bool,
}

impl Viewer {
    /// Whether they may know of what is there.
    pub(crate) fn sees(&self, at: At) -> bool {
        self.grants.iter().any(|grant| grant.role.sees_cases() && grant.scope.covers(at))
    }

    /// Whether they read names masked there, and so find by masked words alone.
    pub(crate) fn reads_masked(&self, at: At) -> bool {
        let reveals = |grant: &Grant| grant.role.reveals() && grant.scope.covers(at);
        !(self.can_be_noted && self.grants.iter().any(reveals))
    }
}

/// The filters of a case as they are stored: of what is shown of it, and of what else is in it.
pub(crate) fn written(case: &Case, key: &SearchKey) -> (Vec<u8>, Vec<u8>) {
    let signature = text::signature(case, &key.of(case.id));
    (signature.shown.bytes(), signature.hidden.bytes())
}

/// The same out of their row.
pub(crate) fn read(shown: &[u8], hidden: &[u8]) -> Signature {
    Signature { shown: Filter::read(shown), hidden: Filter::read(hidden) }
}

/// What is in memory, for the log and the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Cases.
    pub cases: usize,
    /// Bytes, about.
    pub bytes: usize,
}

/// Finds cases of one node.
pub struct Finder {
    store: Store,
    clock: crate::clock::Clock,
    /// When the table was loaded; none: there is none. Held while it is brought up to date, so that of many first questions one
    /// loads.
    loaded: tokio::sync::Mutex<Option<u64>>,
    table: RwLock<Table>,
    asked: AtomicU64,
}

impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finder").field("node", &self.store.node).finish_non_exhaustive()
    }
}

impl Finder {
    /// Over the cases in a node's database.
    pub fn new(store: Store, clock: crate::clock::Clock) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            loaded: tokio::sync::Mutex::default(),
            table: RwLock::default(),
            asked: AtomicU64::new(0),
        })
    }

    /// Brings the table up to date, loading it when there is none. It is done to the end even if whoever asked goes away.
    pub async fn refresh(self: &Arc<Self>) -> Result<Held, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let this = self.clone();
        let task = tokio::spawn(async move {
            let mut loaded = this.loaded.lock().await;
            let now = this.clock.uptime_ms();
            match *loaded {
                Some(since) if this.read().unmade() == 0 || now < since.saturating_add(AGAIN_MS) => {
                    this.follow().await?
                }
                held => {
                    *this.table.write().unwrap_or_else(PoisonError::into_inner) = this.load().await?;
                    *loaded = Some(now);
                    this.follow().await?;
                    if held.is_none() {
                        tokio::spawn(this.clone().idle());
                    }
                }
            }
            let table = this.read();
            Ok(Held { cases: table.entries().len(), bytes: table.bytes() })
        });
        task.await.unwrap_or_else(|broken| Err(StoreError::damaged("case_search", broken)))
    }

    /// Gives the memory back.
    pub async fn forget(&self) {
        let mut loaded = self.loaded.lock().await;
        *loaded = None;
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Table::default();
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn load(&self) -> Result<Table, StoreError> {
        // What changes while pages are read changes later than this, and is taken in afterwards.
        let latest = self.store.latest_change().await?;
        let (key, mut table, mut after) = (self.store.search_key()?, Table::default(), None);
        loop {
            let page = self.store.search_page(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.case);
            page.into_iter().for_each(|row| table.put(row, &key));
        }
        table.latest = latest;
        tracing::debug!(node = %self.store.node, cases = table.entries().len(), "cases loaded for the search");
        Ok(table)
    }

    /// Takes in what changed since.
    async fn follow(&self) -> Result<(), StoreError> {
        let (key, latest) = (self.store.search_key()?, self.read().latest);
        let changed = self.store.search_since(latest).await?;
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        changed.into_iter().for_each(|row| table.put(row, &key));
        Ok(())
    }

    /// Waits until nobody has asked for a while, then lets the table go.
    async fn idle(self: Arc<Self>) {
        let weak = Arc::downgrade(&self);
        let mut seen = self.asked.load(Ordering::Relaxed);
        drop(self);
        loop {
            tokio::time::sleep(IDLE).await;
            let Some(this) = weak.upgrade() else { return };
            let now = this.asked.load(Ordering::Relaxed);
            if now == seen {
                return this.forget().await;
            }
            seen = now;
        }
    }
}

/// A walk over all cases has no place among the tasks that wait for links and callers.
async fn blocking<T: Send + 'static>(walk: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(walk).await.map_err(|broken| StoreError::damaged("case_search", broken))
}
