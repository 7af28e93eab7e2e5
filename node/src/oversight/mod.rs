//! What a node can say of everything here and below: figures over facts, and whether they are whole.
//!
//! County and city hold the facts in memory for as long as they run; elsewhere the first question loads them and ten quiet
//! minutes give the memory back. Each question first takes in what changed since. The table is read from the database alone, so a process that
//! only reads answers as the one that writes does, and an answer holds everything that was committed before it was asked.

mod answer;
mod calendar;
mod completeness;
mod past;
mod question;
#[cfg(test)]
mod sample;
mod table;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use protocol::division::{DivisionCode, Level};
use protocol::id::CaseKey;

pub(crate) use self::answer::cut_place;
pub use self::answer::{Answer, Figure, Keys, OCCUPANCY_DAYS_MAX};
pub use self::calendar::Period;
pub use self::completeness::{Completeness, Missing, Why, completeness};
pub use self::question::{
    DEFINITIONS, DIMENSIONS_MAX, Definition, Dimension, Filter, Judicial, Kind, Measure, Question, band,
};
use self::table::Table;
use crate::store::figures::FactRow;
use crate::store::{Store, StoreError};

/// Facts of one page while loading.
const PAGE: u32 = 10_000;
/// How long a table that nobody asks stays in memory.
const IDLE: Duration = Duration::from_secs(600);

/// How often a table that is kept takes in what changed, so that a question after a busy night finds little to do.
const FOLLOWED_EVERY: Duration = Duration::from_secs(60);

/// What happened to a table, for the log and the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Cases in the table.
    pub cases: usize,
    /// Bytes that it holds, about.
    pub bytes: usize,
}

/// Answers questions over the facts of one node.
pub struct Oversight {
    store: Store,
    /// The position up to which the table follows the database; none: there is no table. Held while the table is brought up
    /// to date, so that of many first questions one loads.
    position: tokio::sync::Mutex<Option<i64>>,
    table: RwLock<Table>,
    /// Questions so far: a table that saw none since it was last looked at is idle.
    asked: AtomicU64,
}

impl std::fmt::Debug for Oversight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oversight").field("node", &self.store.node).finish_non_exhaustive()
    }
}

impl Oversight {
    /// Over the facts in a node's database.
    pub fn new(store: Store) -> Arc<Self> {
        Arc::new(Self {
            store,
            position: tokio::sync::Mutex::default(),
            table: RwLock::default(),
            asked: AtomicU64::new(0),
        })
    }

    /// Over the facts of a node that hangs at this division. Whoever oversees a county or a city waits for no loading.
    pub fn at(division: DivisionCode, store: Store) -> Arc<Self> {
        let this = Self::new(store);
        if division.level() <= Level::County {
            tokio::spawn(keep(Arc::downgrade(&this)));
        }
        this
    }

    /// Answers a question over everything that was committed before it was asked.
    pub async fn ask(self: &Arc<Self>, question: Question) -> Result<Answer, StoreError> {
        self.refresh().await?;
        let this = self.clone();
        blocking(move || answer::answer(&this.read(), &question)).await
    }

    /// The cases behind a line of an answer (none: behind its total), by key, those behind `after`. With `counted` only
    /// those of a rate that count.
    pub async fn rows(
        self: &Arc<Self>,
        question: Question,
        line: Option<Keys>,
        counted: bool,
        after: Option<CaseKey>,
        count: usize,
    ) -> Result<Vec<FactRow>, StoreError> {
        self.refresh().await?;
        let this = self.clone();
        let keys = blocking(move || answer::behind(&this.read(), &question, line, counted, after, count)).await?;
        self.store.facts_of(&keys).await
    }

    /// Brings the table up to date, loading it when there is none. It is done to the end even if whoever asked goes away.
    pub async fn refresh(self: &Arc<Self>) -> Result<Loaded, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let this = self.clone();
        let task = tokio::spawn(async move {
            let mut position = this.position.lock().await;
            match *position {
                Some(from) => *position = Some(this.follow(from).await?),
                None => {
                    *position = Some(this.load().await?);
                    tokio::spawn(this.clone().idle());
                }
            }
            let table = this.read();
            Ok(Loaded { cases: table.rows().len(), bytes: table.bytes() })
        });
        task.await.unwrap_or_else(|broken| Err(StoreError::damaged("fact", broken)))
    }

    /// Cases that are in memory just now.
    pub fn held(&self) -> usize {
        self.read().rows().len()
    }

    /// Gives the memory back.
    pub async fn forget(&self) {
        let mut position = self.position.lock().await;
        *position = None;
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Table::default();
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn load(&self) -> Result<i64, StoreError> {
        // What changes while pages are read has a later number and is taken in afterwards.
        let position = self.store.facts_changed().await?;
        let held = self.store.facts_held().await?;
        let mut table = Table::default();
        table.reserve(usize::try_from(held).unwrap_or(0));
        let mut after = None;
        loop {
            let page = self.store.facts_page(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            page.iter().for_each(|fact| table.put(fact));
        }
        tracing::debug!(node = %self.store.node, cases = table.rows().len(), "facts loaded");
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = table;
        self.follow(position).await
    }

    /// Takes in what later transactions changed.
    async fn follow(&self, from: i64) -> Result<i64, StoreError> {
        let mut position = (from, None);
        loop {
            let page = self.store.facts_since(position, PAGE).await?;
            let Some((changed, last)) = page.last() else { return Ok(position.0) };
            position = (*changed, Some(last.key));
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            page.iter().for_each(|(_, fact)| table.put(fact));
        }
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

/// Loads the table and lets it go idle never: each look counts as a question.
async fn keep(this: Weak<Oversight>) {
    while let Some(this) = this.upgrade() {
        if let Err(error) = this.refresh().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the facts cannot be loaded; tried again");
        }
        drop(this);
        tokio::time::sleep(FOLLOWED_EVERY).await;
    }
}

/// A walk over a million rows has no place among the tasks that wait for links and callers.
async fn blocking<T: Send + 'static>(walk: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(walk).await.map_err(|broken| StoreError::damaged("fact", broken))
}
