//! The database: can it be read, is it whole, does this program know its schema, is the audit what was written.

use crate::store::{Database, Store};

use super::{Finding, Patient};

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let store = match Store::read_only(&patient.home.place, patient.config.node.id) {
        Ok(store) => store,
        Err(error) => return vec![unreadable(&anyhow::Error::new(error))],
    };
    let mut findings = vec![whole(&store, patient.thorough).await];
    findings.push(schema(&store).await);
    findings.push(audit(&store).await);
    findings.extend(waiting(&store).await);
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

async fn waiting(store: &Store) -> Option<Finding> {
    let waiting = store.waiting().await.ok()?;
    Some(if waiting.quarantined > 0 {
        Finding::warn(
            "quarantine",
            format!("{} bundles were kept aside", waiting.quarantined),
            "see the alarms of wuji status; report it with the version of both nodes",
        )
    } else {
        Finding::ok("quarantine", "empty")
    })
}
