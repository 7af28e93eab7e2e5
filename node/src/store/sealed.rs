//! Bundles with private parts of a case, sealed to this node or by it: which they are, and that they lose their bytes when
//! the names of the case are to be gone here (ADR 0016).

use std::collections::BTreeSet;

use protocol::id::{BundleId, CaseId, NodeId};
use protocol::wire::bundle::Bundle;
use protocol::wire::kind::Body;
use sqlx::AssertSqlSafe;

use super::sql::sql;
use super::{StoreError, WriteStore, pieces, values};

/// The cases of which a bundle holds sealed parts. Only a bundle that begins or ends here is looked into: a relay can open
/// none of the others.
fn sealed_cases(me: NodeId, bundle: &Bundle) -> BTreeSet<CaseId> {
    let head = bundle.head();
    if head.origin != me && head.to != me {
        return BTreeSet::new();
    }
    let messages = bundle.messages().iter().filter(|message| message.kind.may_hold_sealed());
    let bodies = messages.filter_map(|m| Body::decode(m.kind, m.schema, &m.body).ok().flatten());
    bodies.filter(|body| casework::sealed_part(body).is_some()).filter_map(|body| casework::subject_of(&body)).collect()
}

impl WriteStore {
    /// Notes which of these bundles hold sealed parts of which case; those that do.
    pub(super) async fn note_sealed(
        &mut self,
        bundles: impl Iterator<Item = &Bundle>,
    ) -> Result<BTreeSet<BundleId>, StoreError> {
        let me = self.node;
        let sealed: Vec<_> = bundles
            .flat_map(|bundle| sealed_cases(me, bundle).into_iter().map(|case| (case, bundle.head().id)))
            .collect();
        for chunk in pieces(&sealed) {
            let text = format!(
                "INSERT INTO bundle_sealed (node, case_id, bundle) VALUES {} ON CONFLICT (node, case_id, bundle) DO NOTHING",
                values(chunk.len(), 3)
            );
            let mut query = sql(AssertSqlSafe(text));
            for (case, bundle) in chunk {
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(case.as_bytes().to_vec())
                    .bind(bundle.as_bytes().to_vec());
            }
            self.later(query).await?;
        }
        Ok(sealed.into_iter().map(|(_, bundle)| bundle).collect())
    }

    /// Takes the bytes from every bundle with sealed parts of a case whose names are to be gone here: all of them when the
    /// case was erased, those that this node could open when its day has passed. One whose receipt is
    /// still awaited keeps them, for it has to arrive; so does one that stands in an outbox behind another, for its bytes
    /// may be sent yet. The first of a lane may not: what has its terminal receipt has left. Returns how many lost theirs.
    pub async fn empty_sealed(&mut self) -> Result<u64, StoreError> {
        let gone = |kind: &str| {
            format!(
                "SELECT s.bundle FROM bundle_sealed s JOIN case_paper p ON p.node = s.node AND p.case_id = s.case_id \
                 AND {kind} WHERE s.node = $1"
            )
        };
        let (erased, lapsed) = (gone("p.kind = 'erasure'"), gone("p.kind = 'lapse' AND p.open = 1"));
        let text = format!(
            "UPDATE bundle SET bytes = $2 WHERE node = $1 AND done_at IS NOT NULL AND length(bytes) > 0 \
             AND (id IN ({erased}) OR (destination = $1 AND id IN ({lapsed}))) AND NOT EXISTS (SELECT 1 FROM outbox o JOIN outbox b ON b.node = o.node AND b.peer = o.peer \
             AND b.lane = o.lane AND b.seq < o.seq WHERE o.node = $1 AND o.bundle = bundle.id)"
        );
        let emptied =
            sql(AssertSqlSafe(text)).bind(self.me()).bind(Vec::new()).execute(self.connection().await?).await?;
        let aside = format!(
            "UPDATE quarantine SET bytes = $2 WHERE node = $1 AND length(bytes) > 0 AND (id IN ({erased}) OR id IN ({lapsed}))"
        );
        sql(AssertSqlSafe(aside)).bind(self.me()).bind(Vec::new()).execute(self.connection().await?).await?;
        Ok(emptied)
    }

    /// Forgets what is noted of bundles that are here no more.
    pub async fn prune_sealed(&mut self) -> Result<(), StoreError> {
        sql("DELETE FROM bundle_sealed WHERE node = $1 AND bundle NOT IN (SELECT id FROM bundle WHERE node = $1) \
             AND bundle NOT IN (SELECT id FROM quarantine WHERE node = $1)")
        .bind(self.me())
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }
}
