//! What every endpoint may use.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use casework::lists::JUDICIAL_18;
use casework::{Grant, InForce, Scope};
use federation::driver::Gauge;
use protocol::division::DivisionCode;
use protocol::id::NodeId;

use crate::clock::Clock;
use crate::config::Config;
use crate::finding::Finder;
use crate::folder::Folder;
use crate::names::Table;
use crate::node::Running;
use crate::oversight::{Judicial, Oversight};
use crate::person::realm::Realm;
use crate::person::vault::Vault;
use crate::reader::Reader;
use crate::shared::Shared;
use crate::store::Store;
use crate::writer::port::Port;

/// What every endpoint may use. Reading goes to the store, work to the writer's port.
pub struct ApiState {
    /// The node's configuration.
    pub config: Config,
    /// The node's folder.
    pub folder: Folder,
    /// Names of divisions.
    pub names: Arc<Table>,
    /// Where work goes.
    pub port: Port,
    /// Where reading goes.
    pub store: Store,
    /// Figures over the facts in the store.
    pub oversight: Arc<Oversight>,
    /// Finds cases by their words.
    pub finder: Arc<Finder>,
    /// Links, line and alarms.
    pub shared: Arc<Shared>,
    /// The clock.
    pub clock: Clock,
    /// This process writes nothing; another does.
    pub(crate) reads_only: bool,
    /// The people who log in here.
    pub realm: Arc<Realm>,
    /// Reads queues and refusals of the link off; none in a process that only reads.
    pub(crate) gauge: Option<Gauge>,
    vault: Arc<Vault>,
    operator: [u8; 32],
    watcher: Option<[u8; 32]>,
    in_flight: Mutex<HashSet<(String, String)>>,
}

impl ApiState {
    /// The state for a node that runs alone: its people are its own.
    pub fn new(running: &Running, names: Arc<Table>) -> anyhow::Result<Self> {
        let realm = running.realm(running.config.node.id, running.config.people.clone());
        Self::within(running, names, Arc::new(realm))
    }

    /// The state for a node whose people are those of a realm.
    pub fn within(running: &Running, names: Arc<Table>, realm: Arc<Realm>) -> anyhow::Result<Self> {
        Ok(Self {
            config: running.config.clone(),
            folder: running.folder.clone(),
            names,
            port: running.port.clone(),
            store: running.store.clone(),
            oversight: running.oversight.clone(),
            finder: Finder::new(running.store.clone(), running.clock.clone()),
            shared: running.shared.clone(),
            clock: running.clock.clone(),
            reads_only: false,
            realm,
            gauge: Some(running.gauge()),
            vault: running.vault.clone(),
            operator: crate::person::session::hash(&running.folder.operator_token()?),
            watcher: watcher(&running.folder)?,
            in_flight: Mutex::default(),
        })
    }

    /// The state for a process that only reads.
    pub fn reading(reader: &Reader, names: Arc<Table>) -> anyhow::Result<Self> {
        Self::reading_within(reader, names, Arc::new(reader.realm()?))
    }

    /// The state for a process that only reads a node whose people are those of a realm.
    pub fn reading_within(reader: &Reader, names: Arc<Table>, realm: Arc<Realm>) -> anyhow::Result<Self> {
        Ok(Self {
            config: reader.config.clone(),
            folder: reader.folder.clone(),
            names,
            port: Port::closed(),
            store: reader.store.clone(),
            oversight: Oversight::at(reader.config.node.division, reader.store.clone()),
            finder: Finder::new(reader.store.clone(), reader.clock.clone()),
            shared: reader.shared.clone(),
            clock: reader.clock.clone(),
            reads_only: true,
            realm,
            gauge: None,
            vault: reader.vault.clone(),
            operator: crate::person::session::hash(&reader.folder.operator_token()?),
            watcher: watcher(&reader.folder)?,
            in_flight: Mutex::default(),
        })
    }

    /// Lists, rules, policy, calendar and units that are in force here.
    pub fn in_force(&self) -> Arc<InForce> {
        self.shared.in_force()
    }

    /// Whether this is the operator's token. Hashes are compared, so the time tells nothing of the token.
    pub(crate) fn is_operator(&self, token: &str) -> bool {
        crate::person::session::hash(token) == self.operator
    }

    /// Whether this is the token that opens the metrics, and nothing else.
    pub(crate) fn is_watcher(&self, token: &str) -> bool {
        self.watcher == Some(crate::person::session::hash(token))
    }

    /// A hasher whose results say nothing to whoever has the database alone.
    pub(crate) fn keyed_hasher(&self) -> blake3::Hasher {
        blake3::Hasher::new_keyed(&self.operator)
    }

    /// The keys for what is private at this node.
    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// All of this node as a scope.
    pub(crate) fn home(&self) -> Scope {
        Scope { division: Some(self.config.node.division), unit: None }
    }

    /// Of somebody's grants those that hold here. The people of a pack have roles at others of its nodes too.
    ///
    /// A role for a division holds for what came to it from elsewhere too, and no longer at the nodes that left it.
    pub(crate) fn held_here(&self, grants: Vec<Grant>) -> Vec<Grant> {
        let (here, in_force) = (self.config.node.division, self.in_force());
        let places = &in_force.places;
        let came = |grant: &Grant| -> Vec<Grant> {
            let scoped = |division| Scope { division: Some(division), ..grant.scope };
            let came = grant.scope.division.into_iter().flat_map(|own| places.came_to(own));
            came.map(|division| Grant { scope: scoped(division), ..*grant }).collect()
        };
        let touches = |grant: &Grant| {
            let own = grant.scope.division;
            own.is_none_or(|own| places.contains(own, here) || places.contains(here, own))
        };
        grants.into_iter().flat_map(|grant| [came(&grant), vec![grant]].concat()).filter(touches).collect()
    }

    /// This node.
    pub fn me(&self) -> NodeId {
        self.config.node.id
    }

    /// Where a node hangs, as far as it is known here.
    pub fn division_of(&self, node: NodeId) -> Option<DivisionCode> {
        if node == self.me() {
            return Some(self.config.node.division);
        }
        self.shared.place(node).map(|place| place.division)
    }

    /// How categories are mapped to the types of the judicial line, as the table in force says.
    pub(crate) fn judicial(&self) -> Judicial {
        let holds = self.in_force();
        let rows = holds.mappings.get(JUDICIAL_18).map(|mapping| mapping.rows()).unwrap_or_default();
        Arc::new(rows.iter().map(|row| (row.category.0, row.code)).collect())
    }

    /// The name of a type of the judicial line; none for 0, under which categories count that the table does not hold.
    pub(crate) fn judicial_name(&self, code: u16) -> Option<String> {
        self.in_force().lists.get(JUDICIAL_18).filter(|_| code != 0).map(|list| list.name(code, true))
    }

    /// The name under which a division is shown.
    pub fn division_name(&self, code: DivisionCode) -> String {
        self.names.name(code).unwrap_or_else(|| code.to_string())
    }

    /// The name under which a node is shown: its own for this node, its division's for others.
    pub fn node_name(&self, node: NodeId) -> String {
        if node == self.me() {
            return self.config.node.name.clone();
        }
        match self.division_of(node) {
            Some(division) => self.division_name(division),
            None => node.to_string().chars().take(8).collect(),
        }
    }

    /// Takes a key for the time of one request; none: another request is at it.
    pub(crate) fn take_key(self: &Arc<Self>, name: &str, key: &str) -> Option<KeyTaken> {
        let entry = (name.to_owned(), key.to_owned());
        let fresh = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).insert(entry.clone());
        fresh.then(|| KeyTaken { state: self.clone(), entry })
    }
}

fn watcher(folder: &Folder) -> anyhow::Result<Option<[u8; 32]>> {
    Ok(folder.metrics_token()?.map(|token| crate::person::session::hash(&token)))
}

/// An idempotency key that is in use; free again when dropped.
pub(crate) struct KeyTaken {
    state: Arc<ApiState>,
    entry: (String, String),
}

impl Drop for KeyTaken {
    fn drop(&mut self) {
        self.state.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.entry);
    }
}
