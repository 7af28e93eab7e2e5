//! A realm: the people who log in to a node alone, or to all nodes of a pack. Its tables stand in the database of one
//! node, and that node's writer changes them.

use std::sync::Arc;

use casework::{Grant, Role};
use protocol::id::NodeId;
use protocol::time::UnixMillis;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::change::Change;
use super::rate::Rate;
use super::vault::Vault;
use crate::counters::Counter;
use crate::store::StoreError;
use crate::store::people::People;
use crate::writer::port::{Ask, Failed, Port};

/// Log-ins from one address at once, and how long until the next.
const LOG_INS: (u32, u32) = (20, 3_000);
/// The shortest such time, however many nodes the people log in to, milliseconds: a log-in costs a core about as long.
const LOG_IN_PAUSE_MIN_MS: u32 = 50;
/// Requests of one session or token at once, and how long until the next: a console that opens many panels is no attack.
const REQUESTS: (u32, u32) = (300, 20);
/// Expensive requests of one session at once, and how long until the next.
const EXPENSIVE: (u32, u32) = (20, 1_000);

/// What the operator decides about people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleSection {
    /// Administrators and supervisors must have a second factor.
    #[serde(default)]
    pub second_factor: bool,
}

/// A realm.
pub struct Realm {
    /// What is read of its people.
    pub people: People,
    /// What the operator decides.
    pub policy: PeopleSection,
    /// The keys that secrets of second factors are sealed with.
    pub vault: Arc<Vault>,
    port: Port,
    /// Held from looking at a code to writing down that it was used: no code is taken twice.
    pub(crate) log_ins: Mutex<()>,
    pub(crate) log_in_rate: Rate<String>,
    pub(crate) request_rate: Rate<String>,
    pub(crate) expensive_rate: Rate<String>,
    /// Log-ins that were not looked at, because too many before them had failed.
    pub(crate) locked_out: Counter,
}

impl std::fmt::Debug for Realm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realm").field("id", &self.people.realm()).finish_non_exhaustive()
    }
}

impl Realm {
    /// A realm whose tables the node behind `port` writes.
    pub fn new(people: People, port: Port, vault: Arc<Vault>, policy: PeopleSection) -> Self {
        Self {
            people,
            policy,
            vault,
            port,
            log_ins: Mutex::default(),
            log_in_rate: Rate::new(LOG_INS.0, LOG_INS.1),
            request_rate: Rate::new(REQUESTS.0, REQUESTS.1),
            expensive_rate: Rate::new(EXPENSIVE.0, EXPENSIVE.1),
            locked_out: Counter::default(),
        }
    }

    /// The same people, as they log in to so many nodes: a whole office comes from one address, and a pack has many offices.
    pub fn serving(self, nodes: usize) -> Self {
        let nodes = u32::try_from(nodes).unwrap_or(u32::MAX).clamp(1, LOG_INS.1 / LOG_IN_PAUSE_MIN_MS);
        let log_in_rate = Rate::new(LOG_INS.0.saturating_mul(nodes), (LOG_INS.1 / nodes).max(LOG_IN_PAUSE_MIN_MS));
        Self { log_in_rate, ..self }
    }

    /// Which realm.
    pub fn id(&self) -> NodeId {
        self.people.realm()
    }

    /// Makes a change, together with its entry in the audit; it is durable when this returns.
    pub async fn change(&self, change: Change) -> Result<(), Failed> {
        self.port.ask(Ask::Person { realm: self.id(), change: Box::new(change) }).await.map(|_| ())
    }

    /// The grants that a user has at a moment.
    pub async fn grants_now(&self, name: &str, now: UnixMillis) -> Result<Vec<Grant>, StoreError> {
        let granted = self.people.grants(name).await?;
        Ok(granted.into_iter().filter(|granted| granted.holds(now)).map(|granted| granted.grant).collect())
    }

    /// Whether somebody with these grants must have a second factor.
    pub fn needs_second_factor(&self, grants: &[Grant]) -> bool {
        let strong = |grant: &Grant| matches!(grant.role, Role::Administrator | Role::Supervisor);
        self.policy.second_factor && grants.iter().any(strong)
    }

    /// What a secret of a second factor is sealed for.
    pub(crate) fn totp_place(&self, user: &str) -> Vec<u8> {
        totp_place(self.id(), user)
    }
}

/// What the secret of a second factor is sealed for.
pub(crate) fn totp_place(realm: NodeId, user: &str) -> Vec<u8> {
    [b"totp".as_slice(), realm.as_bytes(), user.as_bytes()].concat()
}
