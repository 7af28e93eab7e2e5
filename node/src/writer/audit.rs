//! The audit: entries of requests go into the transaction of what they asked for; the head goes up to the parent, and the
//! heads of the children are kept here.

use protocol::audit::AuditHead;
use protocol::id::NodeId;
use protocol::wire::bundle::Urgency;
use protocol::wire::kind::Body;

use crate::alarms::AlarmKind;
use crate::person::audit::Entry;
use crate::store::StoreError;

use super::Writer;
use super::batch::{Batch, Letter};
use super::port::{Answer, Failed};

/// How often the head of the audit goes up.
const ANCHOR_EVERY_MS: i64 = 86_400_000;

/// What became of a request, as its entry says it.
pub(super) fn outcome(answer: &Answer) -> String {
    match answer {
        Ok(_) => "done".to_owned(),
        Err(Failed::Refused(refusal)) => refusal.code().to_owned(),
        Err(Failed::Parcel(refused)) => refused.code().to_owned(),
        Err(Failed::Trust(_)) => "not-now".to_owned(),
        Err(Failed::TallyOutOfRange) => "invalid".to_owned(),
        Err(Failed::NoRoom) => "no-room".to_owned(),
        Err(Failed::Store | Failed::Stopping) => "not-saved".to_owned(),
    }
}

impl Writer {
    /// Sends the head up when a day has passed, and once after every start: a node that was restored shows so by it.
    pub(super) async fn anchor_when_due(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        if self.line.is_empty() {
            return Ok(());
        }
        let last = self.store.last_anchor(self.me.node).await?;
        let passed = |at: i64| self.clock.wall().0.saturating_sub(at) >= ANCHOR_EVERY_MS;
        if !self.anchored || last.is_none_or(|anchor| passed(anchor.at.0)) {
            self.anchor(batch).await?;
        }
        Ok(())
    }

    /// Sends the head up now.
    pub(super) async fn anchor(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let Some(parent) = self.line.first().map(|parent| parent.node) else { return Ok(()) };
        let head = self.store.audit_head().await?;
        let erasures = self.store.erasures_by(self.me.node).await?.len();
        let erasures = u32::try_from(erasures).unwrap_or(u32::MAX);
        let at = self.clock.reading();
        let head = AuditHead { node: self.me.node, count: head.number, hash: head.hash, at, erasures };
        self.anchored = true;
        batch.anchors.push(head);
        let body = Body::AuditHead(head);
        batch.letters.push(Letter { to: parent, urgency: Urgency::Routine, receipted: true, body });
        Ok(())
    }

    /// The head of a child's audit. The inner error says why it was not accepted.
    pub(super) async fn anchored_below(
        &mut self,
        origin: NodeId,
        head: AuditHead,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        // One that hangs elsewhere by now may have sent it before.
        if origin == head.node && self.moving.has_gone(origin) && !self.core.is_neighbour(origin) {
            return Ok(Ok(()));
        }
        if origin != head.node || self.core.route(origin) != Some(origin) {
            return Ok(Err("an audit is anchored at its own parent by itself".to_owned()));
        }
        if let Some(last) = self.store.last_anchor(origin).await? {
            let shorter = head.count < last.head.number;
            if shorter || (head.count == last.head.number && head.hash != last.head.hash) {
                let what = if shorter { "is shorter than" } else { "differs from" };
                tracing::warn!(node = %origin, "the audit {what} what was anchored");
                self.alarm(
                    AlarmKind::Audit,
                    format!("{origin}: its audit {what} what it anchored here: it was restored, or tampered with"),
                );
            }
        }
        batch.anchors.push(head);
        // A node that was restored from a backup has forgotten what it erased since.
        let ordered = self.store.erasures_by(origin).await?;
        if ordered.len() > usize::try_from(head.erasures).unwrap_or(usize::MAX) {
            for erase in ordered {
                let body = Body::Erase(erase);
                batch.letters.push(Letter { to: origin, urgency: Urgency::Routine, receipted: true, body });
            }
        }
        Ok(Ok(()))
    }

    /// What the node does by itself is in the audit too.
    pub(super) fn did(&self, action: &str, object: &str, batch: &mut Batch) {
        batch.audits.push(Entry {
            who: "node".to_owned(),
            action: action.to_owned(),
            object: object.to_owned(),
            outcome: "done".to_owned(),
            ..Entry::default()
        });
    }
}
