//! The database: can it be read, is it whole, does this program know its schema, is the audit what was written.

use protocol::id::NodeId;

use crate::ops::sealed::{self, Fits};
use crate::store::attachments::State;
use crate::store::{Database, Place, Store};

use super::{Finding, Patient};

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let store = match Store::read_only(&patient.home.place, patient.config.node.id) {
        Ok(store) => store,
        Err(error) => return vec![unreadable(&anyhow::Error::new(error))],
    };
    let mut findings = Vec::new();
    // What all nodes of a pack share is looked at once, with the pack.
    if !patient.within.as_ref().is_some_and(|within| within.shares) {
        findings.extend([whole(&store, patient.thorough).await, schema(&store).await]);
    }
    findings.push(audit(&store).await);
    findings.extend(waiting(&store).await);
    findings.push(attachments(&store).await);
    findings.push(moves(&store, patient.config.node.id).await);
    findings.push(sealed(patient, store).await);
    findings
}

/// Every hash, against the heads that went to the parent.
async fn audit(store: &Store) -> Finding {
    const CHECK: &str = "audit";
    match store.check_audit(Vec::new()).await {
        Ok(Ok(head)) => Finding::ok(CHECK, format!("{} entries, each as it was written", head.number)),
        Ok(Err(broken)) => Finding::fail(
            CHECK,
            format!("it is not what was written: {broken}"),
            "keep the database as it is, and bring what the backups hold of it; `wuji audit verify` compares with the parent",
        ),
        Err(error) => Finding::fail(CHECK, format!("{error:#}"), "was this node ever started?"),
    }
}

/// A database as a whole, whoever's rows are in it.
pub(super) async fn database(place: &Place, any: NodeId, thorough: bool) -> Vec<Finding> {
    match Store::read_only(place, any) {
        Ok(store) => vec![whole(&store, thorough).await, schema(&store).await],
        Err(error) => vec![unreadable(&anyhow::Error::new(error))],
    }
}

fn unreadable(error: &anyhow::Error) -> Finding {
    Finding::fail(
        "database",
        format!("{error:#}"),
        "stop the node, keep the file as it is, and restore from the last backup (docs/operations.md)",
    )
}

async fn whole(store: &Store, thorough: bool) -> Finding {
    match store.integrity(thorough).await {
        Ok(wrong) if wrong.is_empty() && thorough => Finding::ok("database", "every page and index is whole"),
        Ok(wrong) if wrong.is_empty() => {
            Finding::ok("database", "its pages are whole (--thorough compares indexes too)")
        }
        Ok(wrong) => unreadable(&anyhow::anyhow!("damaged: {}", wrong.join("; "))),
        Err(error) => unreadable(&anyhow::Error::new(error)),
    }
}

async fn schema(store: &Store) -> Finding {
    const CHECK: &str = "schema";
    let newest = Database::newest_schema();
    match store.schema().await {
        Ok(version) if version == newest => Finding::ok(CHECK, format!("version {version}")),
        Ok(version) if version < newest => Finding::warn(
            CHECK,
            format!("version {version}, this program brings {newest}"),
            "it is brought up at the next start: make a backup before it",
        ),
        Ok(version) => Finding::fail(
            CHECK,
            format!("version {version}, this program knows {newest} at most"),
            "this program is older than the one that ran last: install the newer one",
        ),
        Err(error) => Finding::fail(CHECK, format!("{error:#}"), "was this node ever started?"),
    }
}

async fn sealed(patient: &Patient, store: Store) -> Finding {
    const CHECK: &str = "persons key";
    match sealed::fits(&patient.folder, store).await {
        Ok(Fits::Opens) => {
            Finding::ok(CHECK, "keys/persons.key opens what is stored: see that a copy is elsewhere too")
        }
        Ok(Fits::NotYetMade) => Finding::ok(CHECK, "keys/persons.key is made at the first start"),
        Err(error) => Finding::fail(
            CHECK,
            error.to_string(),
            "put the copy of keys/persons.key back, mode 600, before the node is stopped or started: a node that runs goes \
             on with what it has read, and none starts without it",
        ),
    }
}

/// How many attachments there are, and how they are.
async fn attachments(store: &Store) -> Finding {
    const CHECK: &str = "attachments";
    let counted = async |state| store.attachments_in(state).await.unwrap_or_default();
    let (here, coming, lost) = (counted(State::Here).await, counted(State::Coming).await, counted(State::Lost).await);
    let what =
        format!("{} with {} MiB, {} on their way, {} lost", here.count, here.bytes >> 20, coming.count, lost.count);
    if lost.count == 0 {
        return Finding::ok(CHECK, what);
    }
    Finding::warn(CHECK, what, "their cases show them: ask whoever gave them to bring them once more")
}

/// What waits for somebody, or for a newer program.
async fn waiting(store: &Store) -> Vec<Finding> {
    let Ok(waiting) = store.waiting().await else { return Vec::new() };
    let quarantine = if waiting.quarantined > 0 {
        Finding::warn(
            "quarantine",
            format!("{} bundles were kept aside", waiting.quarantined),
            "wuji quarantine says of whom, wuji status why; report it with the version of both nodes",
        )
    } else {
        Finding::ok("quarantine", "empty")
    };
    let versions = if waiting.unread > 0 {
        Finding::warn(
            "versions",
            format!("{} bundles of newer nodes wait for a newer program here", waiting.unread),
            "upgrade this node: it then reads them by itself",
        )
    } else {
        Finding::ok("versions", "nothing came that this program does not know")
    };
    vec![quarantine, versions]
}

/// Whether a move is under way here: of the node itself, or of bundles that wait for others.
async fn moves(store: &Store, me: NodeId) -> Finding {
    const CHECK: &str = "moves";
    let (moves, line, reroutes) = match (store.moves().await, store.ancestors().await, store.reroutes().await) {
        (Ok(moves), Ok(line), Ok(reroutes)) => (moves, line, reroutes),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
            return Finding::warn(CHECK, format!("{error:#}"), "was this node ever started?");
        }
    };
    let own = moves.iter().find(|(signed, _)| signed.order.node() == me).and_then(|(signed, _)| signed.order.to());
    let above = line.first().map(|above| above.node);
    if let Some(to) = own.filter(|to| Some(to.node) != above) {
        return Finding::warn(
            CHECK,
            format!("this node was moved below {} and has not been linked to it yet", to.division),
            "let it run; where it stays so, see whether the new parent has heard of it: `wuji moves` there",
        );
    }
    if reroutes {
        return Finding::warn(
            CHECK,
            "what waits here has not all been given its way of after a move",
            "start the node: it goes on where it stopped",
        );
    }
    Finding::ok(CHECK, format!("{} nodes moved, and nothing of it is under way here", moves.len()))
}
