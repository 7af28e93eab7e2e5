//! Trust over time, as the writer meets it: messages of the link itself, wishes of the operator, and the passing of time.

use std::collections::BTreeMap;

use protocol::directory::{RevocationReason, SignedEntry, SignedMandate, SignedRevocation};
use protocol::id::{NodeId, TokenId};
use protocol::moving::SignedMove;
use protocol::time::UnixMillis;
use protocol::wire::control::{Enrolled, Hello};
use protocol::wire::kind::Body;

use crate::alarms::AlarmKind;
use crate::config::ParentSection;
use crate::store::{StoreError, WriteStore};
use crate::trust::{Standing, TrustStatus};

use tokio::sync::mpsc;

use super::Writer;
use super::batch::Batch;
use super::moves::Named;
use super::renewal::Renewed;

/// How often the certificate is looked at.
const TEND_MS: u64 = 30_000;

/// What an operator wants of trust.
#[derive(Debug)]
pub enum TrustAct {
    /// A node below is no longer trusted.
    Revoke {
        /// The node.
        node: NodeId,
        /// Why.
        reason: RevocationReason,
    },
    /// A node below is closed in order.
    Decommission {
        /// The node.
        node: NodeId,
    },
    /// A node below hangs below another node below from now on.
    Move {
        /// The node.
        node: Named,
        /// Its new parent.
        to: Named,
        /// Where that listens: `host:port`.
        address: String,
    },
    /// A move that came by hand, to this node.
    Follow {
        /// The order.
        signed: Box<SignedMove>,
    },
    /// A new certificate now.
    Renew,
    /// A new authority.
    RollOver,
    /// The authorities before it are retired.
    RetireOld {
        /// Also when nodes have not renewed.
        force: bool,
    },
    /// This node ran alone and was let in below another.
    Adopted {
        /// What the authority there issued.
        enrolled: Box<Enrolled>,
        /// The node above from now on.
        parent: ParentSection,
    },
}

/// When and how certificates are looked after.
#[derive(Debug)]
pub struct Tending {
    /// The node's name, which an authority of its own takes.
    pub(super) name: String,
    /// Nodes that learn of a new root renew spread over so many milliseconds.
    pub(super) spread_ms: u64,
    /// The entries of the nodes below have still to be sent to the authority above.
    pub(super) subtree_waits: bool,
    /// Renewals of children that are on their way to the authority, by the hash of their request.
    pub(super) renewing_below: BTreeMap<NodeId, [u8; 32]>,
    /// Uptime from which a renewal is wanted although it is not due.
    pub(super) renew_at: Option<u64>,
    /// Uptime of the next look at the certificate.
    pub(super) at: u64,
    /// Nothing was looked at in this run yet.
    pub(super) resumes: bool,
    /// Uptime of the next conversation without certificates.
    pub(super) ask_at: u64,
    /// The pause before the next but one.
    pub(super) ask_pause: u64,
    /// Dials in vain since the certificate was renewed.
    pub(super) failures: u32,
    /// Where their answers go.
    pub(super) answers: Option<mpsc::UnboundedSender<Renewed>>,
    /// The link to the parent is made anew after this turn, over the new certificate.
    pub(super) redial: bool,
}

impl Tending {
    /// For a node that starts.
    pub(crate) fn new(name: String, spread_ms: u64, subtree_waits: bool) -> Self {
        Self {
            name,
            spread_ms,
            subtree_waits,
            renewing_below: BTreeMap::new(),
            renew_at: None,
            at: 0,
            resumes: true,
            ask_at: 0,
            ask_pause: 0,
            failures: 0,
            answers: None,
            redial: false,
        }
    }
}

/// What one transaction changes of trust.
#[derive(Debug, Default)]
pub(super) struct TrustBatch {
    pub(super) tokens_used: Vec<(TokenId, [u8; 32])>,
    pub(super) tokens_answered: Vec<(TokenId, Enrolled)>,
    pub(super) tokens_refused: Vec<(TokenId, String)>,
    pub(super) earlier_keys: Vec<(NodeId, Option<[u8; 32]>)>,
    pub(super) children_revoked: Vec<NodeId>,
    pub(super) routes_dropped: Vec<NodeId>,
    pub(super) revocations: Vec<SignedRevocation>,
    pub(super) mandates: Vec<(i64, SignedMandate)>,
    pub(super) renewals: Vec<(NodeId, [u8; 32], Enrolled)>,
    pub(super) metas: Vec<(&'static str, String)>,
    pub(super) moves: Vec<SignedMove>,
    pub(super) former_ways: Vec<(NodeId, NodeId)>,
}

impl TrustBatch {
    pub(super) fn is_empty(&self) -> bool {
        self.tokens_used.is_empty()
            && self.tokens_answered.is_empty()
            && self.tokens_refused.is_empty()
            && self.earlier_keys.is_empty()
            && self.children_revoked.is_empty()
            && self.routes_dropped.is_empty()
            && self.revocations.is_empty()
            && self.mandates.is_empty()
            && self.renewals.is_empty()
            && self.metas.is_empty()
            && self.moves.is_empty()
            && self.former_ways.is_empty()
    }

    /// Behind the children and routes of the same transaction.
    pub(super) async fn write(&self, store: &mut WriteStore, now: UnixMillis) -> Result<(), StoreError> {
        for (token, request) in &self.tokens_used {
            store.use_token(*token, *request).await?;
        }
        for (token, answer) in &self.tokens_answered {
            store.answer_token(*token, answer).await?;
        }
        for (token, reason) in &self.tokens_refused {
            store.refuse_token(*token, reason).await?;
        }
        for (child, spki) in &self.earlier_keys {
            store.set_earlier_key(*child, *spki).await?;
        }
        for child in &self.children_revoked {
            store.revoke_child(*child, now).await?;
        }
        for member in &self.routes_dropped {
            store.drop_route(*member).await?;
        }
        for signed in &self.revocations {
            store.put_revocation(signed, now).await?;
        }
        for (position, signed) in &self.mandates {
            store.put_mandate(*position, signed).await?;
        }
        for (node, request, answer) in &self.renewals {
            store.put_renewal(*node, *request, answer).await?;
        }
        for (name, value) in &self.metas {
            store.set_meta(name, value).await?;
        }
        for signed in &self.moves {
            store.put_move(signed, now).await?;
        }
        for (member, via) in &self.former_ways {
            store.put_former_way(*member, *via).await?;
        }
        Ok(())
    }
}

impl Writer {
    /// A message of the link itself. The inner error says why it was not accepted.
    pub(super) async fn link_message(
        &mut self,
        origin: NodeId,
        body: Body,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        Ok(match body {
            Body::Entry(entry) => self.told_entry(entry, batch),
            Body::Enrol(enrol) => self.enrol(origin, &enrol, batch),
            Body::Enrolled(enrolled) => self.enrolled(enrolled, batch),
            Body::EnrolRefused(refused) => {
                self.enrol_refused(&refused, batch);
                Ok(())
            }
            Body::Renew(signed) => return self.renew_asked(origin, &signed, batch).await,
            Body::Mandate(signed) => self.mandate(signed, batch),
            Body::Revoked(signed) => self.revoked(signed, batch),
            Body::RevokeAsked(asked) => self.revoke_asked(origin, asked, batch),
            Body::Subtree(subtree) => self.subtree(origin, subtree, batch),
            Body::Moved(signed) => return self.moved(signed, Some(origin), batch).await,
            Body::MoveAsked(asked) => return self.move_asked(origin, &asked, batch).await,
            Body::MoveRefused(refused) => {
                self.move_refused(&refused);
                Ok(())
            }
            _ => Ok(()),
        })
    }

    /// Somebody above has a new entry. That of the top goes on down, so that no level hands on one that is retired.
    fn told_entry(&mut self, entry: SignedEntry, batch: &mut Batch) -> Result<(), String> {
        if self.directory.insert(entry).map_err(|e| e.to_string())? {
            batch.entries.push(entry);
            if entry.entry.parent.is_none() {
                self.spread(&Body::Entry(entry), batch);
            }
        }
        Ok(())
    }

    /// A wish of the operator. The inner error is for them.
    pub(super) async fn trust_act(
        &mut self,
        act: &TrustAct,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        Ok(match act {
            TrustAct::Revoke { node, reason } => self.revoke(*node, *reason, batch),
            TrustAct::Decommission { node } => self.decommission(*node, batch).await?,
            TrustAct::Move { node, to, address } => return self.move_node((*node, *to), address, batch).await,
            TrustAct::Follow { signed } => return self.moved((**signed).clone(), None, batch).await,
            TrustAct::Renew => {
                self.tending.renew_at = Some(self.clock.uptime_ms());
                self.tending.at = 0;
                Ok(())
            }
            TrustAct::RollOver => self.roll_over(batch),
            TrustAct::RetireOld { force } => self.retire_old(*force, batch),
            TrustAct::Adopted { enrolled, parent } => self.adopted(enrolled, parent.clone(), batch),
        })
    }

    /// Looks after the certificate from time to time.
    pub(super) fn tend_trust(&mut self, batch: &mut Batch) {
        let now = self.clock.uptime_ms();
        if now < self.tending.at {
            return;
        }
        let first = self.tending.at == 0 && self.tending.resumes;
        self.tending.at = now.saturating_add(TEND_MS);
        if first {
            self.tending.resumes = false;
            self.resume_renewal(batch);
            if let Some(up) = self.standing.unsaid.take() {
                self.spread(&Body::Mandate(up), batch);
                self.tending.subtree_waits = true;
                batch.trust.metas.push((super::SUBTREE_WAITS, "1".to_owned()));
            }
            if let Err(why) = self.finish_roll_over(batch) {
                self.alarm(AlarmKind::Certificate, format!("the roll-over of the authority is not finished: {why}"));
            }
        }
        self.renew_when_due(batch);
        if let Some(at) = self.tending.renew_at {
            self.tending.at = self.tending.at.min(at.max(now.saturating_add(1)));
        }
        self.tell_status();
    }

    /// What a greeting says of its speaker: its entry, and that a child has its new key.
    pub(super) fn greeted(&mut self, hello: &Hello, batch: &mut Batch) {
        self.learn(hello.entry, batch);
        let newest = self.directory.get(hello.node).filter(|newest| *newest == hello.entry);
        let Some(SignedEntry { entry, .. }) = newest.filter(|n| n.entry.parent == Some(self.me.node)) else { return };
        if self.registry.keep_only(entry.node, &entry.tls_spki_sha256) {
            batch.trust.earlier_keys.push((entry.node, None));
        }
    }

    /// Makes the link to the parent anew after a renewal, so that the new certificate is proven.
    pub(super) fn redial(&mut self) {
        if std::mem::take(&mut self.tending.redial)
            && let Some(parent) = &self.standing.parent
        {
            self.endpoint.disconnect(parent.id, "renewed");
        }
    }

    /// Lets the operator see how trust stands.
    pub(super) fn tell_status(&self) {
        let Standing { newest, anchors, renewing, earlier, time, .. } = &self.standing;
        let (not_before, not_after) = self.standing.validity().unwrap_or_default();
        self.shared.set_trust(TrustStatus {
            not_before: not_before.0,
            not_after: not_after.0,
            renews_at: self.standing.due().unwrap_or_default().0,
            renewing: renewing.is_some(),
            unproven: earlier.is_some(),
            serial: newest.enrolled.entry.entry.serial,
            time: time.now().0,
            authority: protocol::chain::Hash(anchors.present().0).to_string(),
            current: self.standing.is_current(),
            earlier_authorities: anchors.earlier().len(),
            issues: self.authority_status(),
        });
    }
}
