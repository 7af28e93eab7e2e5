//! Closes databases that nobody uses: of thousands of nodes few have work at the same time, and one that sleeps shall cost
//! no thread, no descriptor and no copy of the schema.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::several::several;
use crate::store::Database;

/// Databases that may stay open at once; beyond it those without work are closed at once.
pub(super) const OPEN_MAX: usize = 1_024;
/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often while more are open than may stay so.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The longest wait for room.
const WAITED_MAX: Duration = Duration::from_secs(5);
/// Looks in a row that must find a database without work before it is closed.
const IDLE_LOOKS: u8 = 12;
/// Databases that are being closed at once: each waits for the disk while its log is folded in.
const CLOSING: usize = 32;

/// One database under the sweep.
#[derive(Debug)]
struct Swept {
    database: Database,
    idle_looks: u8,
}

/// The databases of a pack. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Sweep(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// How many may stay open.
    most: usize,
    list: Mutex<Vec<Swept>>,
    /// Somebody waits for room.
    wanted: Notify,
    /// Some were closed.
    closed: Notify,
}

impl Default for Sweep {
    fn default() -> Self {
        Self::of(OPEN_MAX)
    }
}

impl Sweep {
    fn of(most: usize) -> Self {
        Self(Arc::new(Inner { most, list: Mutex::new(Vec::new()), wanted: Notify::new(), closed: Notify::new() }))
    }

    /// Sweeps this one too from now on.
    pub(super) fn add(&self, database: Database) {
        self.list().push(Swept { database, idle_looks: 0 });
    }

    /// Waits until no more are open than may stay so. Databases are opened faster than they are closed, on a slow disk much
    /// faster: whoever starts nodes one after another waits here before the next. Not for ever: when so many have work,
    /// there are descriptors for some more.
    pub(super) async fn room(&self) {
        let until = tokio::time::Instant::now() + WAITED_MAX;
        while self.over() > 0 {
            let closed = self.0.closed.notified();
            self.0.wanted.notify_one();
            if tokio::time::timeout_at(until, closed).await.is_err() {
                return;
            }
        }
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Swept>> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many more are open than may stay so.
    fn over(&self) -> usize {
        let open = self.list().iter().filter(|one| one.database.connections() > 0).count();
        open.saturating_sub(self.0.most)
    }

    /// Sweeps until told to stop.
    pub(super) async fn run(self, stopping: CancellationToken) {
        let mut looked = tokio::time::interval(LOOK_EVERY);
        looked.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let regular = tokio::select! {
                () = stopping.cancelled() => return,
                _ = looked.tick() => true,
                () = self.again() => false,
            };
            let close = |database: Database| async move { database.close_idle().await };
            several(self.due(regular), CLOSING, close, |closed| {
                if let Err(error) = closed {
                    tracing::warn!(%error, "closing a database broke off");
                }
            })
            .await;
            self.0.closed.notify_waiters();
        }
    }

    /// When to look without waiting for the regular time: somebody wants room. Those that have work just then are not closed,
    /// so it pauses before it looks again.
    async fn again(&self) {
        self.0.wanted.notified().await;
        tokio::time::sleep(LOOK_AGAIN).await;
    }

    /// What is to be closed now: what has stood without work for a while, and anything without work above the limit.
    fn due(&self, regular: bool) -> Vec<Database> {
        let mut over = self.over();
        let mut due = Vec::new();
        for one in self.list().iter_mut() {
            let (connections, idle) = (one.database.connections(), one.database.idle_connections());
            if connections == 0 || idle < connections {
                one.idle_looks = 0;
                continue;
            }
            one.idle_looks += u8::from(regular);
            if over > 0 || one.idle_looks >= IDLE_LOOKS {
                over = over.saturating_sub(1);
                one.idle_looks = 0;
                due.push(one.database.clone());
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;

    /// Databases that were opened and have no work.
    async fn opened(folder: &std::path::Path, count: usize) -> Vec<Database> {
        let mut all = Vec::with_capacity(count);
        for number in 0..count {
            let place = Place::File(folder.join(format!("{number}.db")));
            let database = Database::open_unmigrated(&place).expect("a handle");
            drop(database.write().await.expect("a connection"));
            all.push(database);
        }
        all
    }

    #[tokio::test]
    async fn whoever_opens_more_than_may_stay_open_waits_until_some_are_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (sweep, stopping) = (Sweep::of(4), CancellationToken::new());
        for database in opened(folder.path(), 12).await {
            sweep.add(database);
        }
        let waiting = tokio::spawn({
            let sweep = sweep.clone();
            async move { sweep.room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "nobody has closed anything yet");
        let sweeping = tokio::spawn(sweep.clone().run(stopping.clone()));
        waiting.await.expect("there is room in the end");
        assert_eq!(sweep.over(), 0);
        stopping.cancel();
        sweeping.await.expect("the sweep ends");
    }
}
