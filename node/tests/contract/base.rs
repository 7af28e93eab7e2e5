//! An empty database, and rows to put into it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use casework::publish::InForce;
use casework::{Actor, Case, Decision, Intake, Keys, Known, Me, Record, Role, World};
use protocol::chain::Signature;
use protocol::division::DivisionCode;
use protocol::fact::CaseFact;
use protocol::id::{BundleId, CaseId, MessageId, NodeId};
use protocol::time::{ClockReading, UnixMillis};
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::kind::Kind;
use serde_json::json;
use wuji::person::vault::Vault;
use wuji::store::figures::NewFigures;
use wuji::store::{self, Place, Store, WriteStore};

use crate::postgres::TestDatabase;

pub(crate) const CITY: &str = "330600000000";
pub(crate) const GRID: &str = "330602001001001";
pub(crate) const NOW: UnixMillis = UnixMillis(1_780_000_000_000);

/// A database of one test, empty.
pub(crate) struct Base {
    pub(crate) place: Place,
    vault: Arc<Vault>,
    _folder: Option<tempfile::TempDir>,
    _database: Option<TestDatabase>,
}

impl Base {
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            place: Place::File(folder.path().join("node.db")),
            vault: vault(),
            _folder: Some(folder),
            _database: None,
        }
    }

    pub(crate) fn server() -> Self {
        let database = TestDatabase::new();
        Self { place: Place::Server(database.url.clone()), vault: vault(), _folder: None, _database: Some(database) }
    }

    pub(crate) async fn open(&self, node: NodeId) -> (Store, WriteStore) {
        let (store, mut write) = store::open(&self.place, node).await.expect("a database");
        write.open_vault(self.vault.clone());
        (store.with_vault(self.vault.clone()), write)
    }
}

/// The keys of every database of these tests.
static VAULT: LazyLock<Arc<Vault>> = LazyLock::new(|| Arc::new(Vault::fresh().expect("keys")));

pub(crate) fn vault() -> Arc<Vault> {
    VAULT.clone()
}

pub(crate) fn node(n: u8) -> NodeId {
    NodeId::from_bytes([n; 16])
}

pub(crate) fn case_id(n: u8) -> CaseId {
    CaseId::from_bytes([n; 16])
}

pub(crate) fn division(code: &str) -> DivisionCode {
    code.parse().expect("a division")
}

/// A bundle of a kind that no version knows.
pub(crate) fn bundle(id: u16, origin: NodeId, to: NodeId, receipted: bool) -> Bundle {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&id.to_be_bytes());
    let head = BundleHead {
        id: BundleId::from_bytes(bytes),
        origin,
        key: protocol::directory::KeyId([1; 8]),
        to,
        urgency: Urgency::Routine,
        receipted,
    };
    let message = Message { id: MessageId::from_bytes(bytes), kind: Kind(65_000), schema: 1, body: vec![7; 100] };
    Bundle::seal(head, vec![message], |_| Signature([7; 64])).expect("a bundle")
}

/// Signatures are not what is tested here.
struct NoKeys;

impl Keys for NoKeys {
    fn sign(&self, _: &[u8]) -> Signature {
        Signature([0; 64])
    }
    fn verify(&self, _: NodeId, _: &[u8], _: &Signature) -> bool {
        true
    }
    fn division(&self, _: NodeId) -> Option<DivisionCode> {
        Some(division(CITY))
    }
}

/// A case that was just reported at the city, and the records to store of it. `people` makes it orange (20) or red (5).
pub(crate) fn reported(at: NodeId, case: CaseId, people: u32, when: UnixMillis) -> (Case, Vec<Record>) {
    let intake: Intake = serde_json::from_value(json!({
        "case": case.to_string(), "matter": "dispute", "source": "grid", "category": 402, "place": GRID, "grid_kind": "basic",
        "title": "通道之争", "narrative": "周慧敏与鲍德海为通道争吵。",
        "parties": [{ "side": "applicant", "name": "周慧敏", "phone": "13857512345", "address": "" }],
        "answers": { "signs": 0, "violence": "no", "petition_talk": "yes", "people": people, "disturbs": "yes", "effort": "no" },
        "head_count": people, "ending": "settle_here",
    }))
    .expect("an intake");
    let mut seed = u64::from_be_bytes(case.as_bytes()[..8].try_into().expect("eight bytes"));
    let mut entropy = |buffer: &mut [u8]| {
        for byte in buffer {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = seed.to_be_bytes()[0];
        }
    };
    let mut world = World {
        me: Me { node: at, division: division(CITY) },
        line: &[],
        holds: &InForce::shipped(),
        now: ClockReading::exact(when),
        entropy: &mut entropy,
        keys: &NoKeys,
        mutant: None,
    };
    let by = Actor::everywhere("u", "某人", &[Role::GridWorker]);
    let known = Known::assemble(case, Vec::new());
    let Decision { records, known, .. } = casework::open(intake, &by, &known, &mut world).expect("reported");
    (known.case().cloned().expect("a case"), records)
}

/// Stores records, those of the figures among them, in the transaction that is open or in none.
pub(crate) async fn put(write: &mut WriteStore, records: &[Record]) {
    write.put_records(records).await.expect("records");
    let mut facts: BTreeMap<_, &CaseFact> = BTreeMap::new();
    for record in records {
        if let Record::Fact(fact) = record {
            let slot = facts.entry(fact.key).or_insert(fact);
            if fact.rank() >= slot.rank() {
                *slot = fact;
            }
        }
    }
    write.put_figures(&NewFigures::of_facts(facts.into_values()), NOW).await.expect("figures");
}

/// Reports a case into a store, in a transaction of its own.
pub(crate) async fn file(
    write: &mut WriteStore,
    at: NodeId,
    case: CaseId,
    people: u32,
    when: UnixMillis,
) -> Vec<Record> {
    let (case, records) = reported(at, case, people, when);
    write.open_vault(vault());
    write.begin().await.expect("begun");
    put(write, &records).await;
    write.put_case_files(at, &[&case], when).await.expect("a row for lists");
    write.commit().await.expect("committed");
    records
}
