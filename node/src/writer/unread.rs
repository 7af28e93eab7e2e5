//! Messages of a later version: noted as they come, read once this program knows their kinds, or refused (ADR 0021).

use protocol::id::NodeId;
use protocol::wire::bundle::{Bundle, Message, Urgency};
use protocol::wire::kind::Body;
use protocol::wire::later::NotUnderstood;

use super::Writer;
use super::batch::{Batch, Letter};
use crate::alarms::AlarmKind;
use crate::store::StoreError;
use crate::store::unread::{Noted, Unread};

/// Bundles that are read again in one transaction.
const AGAIN_MAX: u32 = 16;

impl Writer {
    /// Notes what of a bundle that came this program does not know, and refuses what it would have to.
    pub(super) fn note_unread(&self, from: NodeId, bundle: &Bundle, returned: bool, batch: &mut Batch) {
        let unread = self.vocabulary.unread(bundle, self.me.node, returned);
        if !unread.kept.is_empty() {
            batch.unread.push(Unread { bundle: bundle.clone(), peer: from, returned, places: unread.kept });
        }
        let head = bundle.head();
        if let Some(refused) = NotUnderstood::of(head.id, unread.refused) {
            tracing::warn!(bundle = %head.id, "messages that must be understood were refused: this program is older than they are");
            let body = Body::NotUnderstood(refused);
            batch.letters.push(Letter { to: head.origin, urgency: Urgency::Routine, receipted: true, body });
        }
    }

    /// Reads the next of what an earlier program noted, after a start with one that knows more. Before what comes now, and some
    /// at a time.
    pub(super) async fn read_again(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let Some(after) = self.unread_after else { return Ok(()) };
        let mut kinds = self.store.unread_kinds().await?;
        kinds.retain(|(kind, schema)| self.vocabulary.knows(*kind, *schema));
        let page =
            if kinds.is_empty() { Vec::new() } else { self.store.unread_after(after, &kinds, AGAIN_MAX).await? };
        self.unread_after = page.last().map(|noted| noted.number).filter(|_| page.len() == AGAIN_MAX as usize);
        for noted in page {
            self.read_noted(noted, batch).await?;
        }
        Ok(())
    }

    async fn read_noted(&mut self, mut noted: Noted, batch: &mut Batch) -> Result<(), StoreError> {
        let Some(bundle) = noted.bundle.clone() else {
            tracing::info!(bundle = %noted.id, "what an earlier program could not read was erased before this one could");
            batch.read_again.push(noted);
            return Ok(());
        };
        let message = |place: &usize| bundle.messages().get(*place);
        noted.places.retain(|place| message(place).is_some_and(|m| self.vocabulary.knows(m.kind, m.schema)));
        tracing::info!(bundle = %noted.id, messages = noted.places.len(), "what an earlier program could not read is read");
        for message in noted.places.iter().filter_map(message) {
            self.take_message(noted.peer, &bundle, message, noted.returned, batch).await?;
        }
        batch.read_again.push(noted);
        Ok(())
    }

    /// A node says that it does not know what it was sent. The inner error says why it is not believed.
    pub(super) async fn not_understood(
        &mut self,
        by: NodeId,
        told: NotUnderstood,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        // One that was given back with this may not be stored yet.
        let here = batch.keep.iter().map(|keep| &keep.bundle).find(|bundle| bundle.head().id == told.bundle).cloned();
        let sent = match here {
            Some(bundle) => Some(bundle),
            None => self.store.bundles(&[told.bundle]).await?.pop(),
        };
        let Some(sent) = sent else {
            tracing::info!(%by, bundle = %told.bundle, "a refusal of what is not kept here any more");
            return Ok(Ok(()));
        };
        if sent.head().origin != self.me.node || !told.fits(by, &sent) {
            return Ok(Err("a refusal of what was not sent there".to_owned()));
        }
        let kinds: Vec<_> = told.messages.iter().map(|m| format!("{}.{}", m.kind.0, m.schema)).take(1).collect();
        let what = format!(
            "{by}: its program is older than what it was sent (kind {}) and refused it, so it has no effect there: upgrade that \
             node, then say it again",
            kinds.concat()
        );
        tracing::warn!(bundle = %told.bundle, "{what}");
        self.alarm(AlarmKind::Version, what);
        self.end_what_was_refused(by, &told, &sent, batch).await?;
        batch.not_understood.push((by, told));
        Ok(Ok(()))
    }

    /// An offer that its receiver does not understand ends: the case stays here, and may be offered again after the upgrade.
    async fn end_what_was_refused(
        &mut self,
        by: NodeId,
        told: &NotUnderstood,
        sent: &Bundle,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let refused = |message: &&Message| told.messages.iter().any(|foreign| foreign.message == message.id);
        for message in sent.messages().iter().filter(refused) {
            match self.vocabulary.read(message) {
                Ok(Some(Body::WideOffer(offer))) => self.offer_refused(offer.case, offer.id, by, batch).await?,
                Ok(Some(Body::WideOrder(order))) => self.order_refused(order.case, order.id, by, batch).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// What a neighbour sends of a later version has reached the bound of what is noted.
    pub(super) fn none_noted(&self, peer: NodeId) {
        let what = format!(
            "{peer}: so much of what came from there waits for a newer program that what comes now will not be read after an \
             upgrade; it is passed on as ever: upgrade this node"
        );
        self.alarm(AlarmKind::Version, what);
    }
}
