//! Closes databases that nobody uses: of thousands of nodes few have work at the same time, and one that sleeps shall cost
//! no thread, no descriptor and no copy of the schema.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::Database;

/// Databases that may stay open at once; beyond it those without work are closed at once.
pub(super) const OPEN_MAX: usize = 1_024;
/// How often is looked. A start opens some hundred databases a second, so this bounds by how much the limit is passed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Looks in a row that must find a database without work before it is closed.
const IDLE_LOOKS: u8 = 12;

/// One database under the sweep.
#[derive(Debug)]
struct Swept {
    database: Database,
    idle_looks: u8,
}

/// The databases of a pack. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Sweep(Arc<Mutex<Vec<Swept>>>);

impl Sweep {
    /// Sweeps this one too from now on.
    pub(super) fn add(&self, database: Database) {
        self.list().push(Swept { database, idle_looks: 0 });
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Swept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sweeps until told to stop.
    pub(super) async fn run(self, stopping: CancellationToken) {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            for database in self.due() {
                database.close_idle().await;
            }
        }
    }

    /// What is to be closed now: what has stood without work for a while, and anything without work above the limit.
    fn due(&self) -> Vec<Database> {
        let mut list = self.list();
        let open = list.iter().filter(|one| one.database.connections() > 0).count();
        let mut over = open.saturating_sub(OPEN_MAX);
        let mut due = Vec::new();
        for one in list.iter_mut() {
            let (connections, idle) = (one.database.connections(), one.database.idle_connections());
            if connections == 0 || idle < connections {
                one.idle_looks = 0;
                continue;
            }
            one.idle_looks += 1;
            if over > 0 || one.idle_looks >= IDLE_LOOKS {
                over = over.saturating_sub(1);
                one.idle_looks = 0;
                due.push(one.database.clone());
            }
        }
        due
    }
}
