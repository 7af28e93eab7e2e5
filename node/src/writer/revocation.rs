//! Nodes that are no longer trusted. Their parent cuts the link at once; the authority's word then goes to everybody.

use federation::core::Input;
use protocol::directory::{RevocationReason, SignedRevocation};
use protocol::id::NodeId;
use protocol::wire::control::RevokeAsked;
use protocol::wire::kind::Body;

use crate::store::StoreError;
use crate::store::standing::OpenCases;

use super::Writer;
use super::batch::Batch;
use super::enrol::letter;

impl Writer {
    /// An operator of this node wants a node below to be revoked.
    pub(super) fn revoke(&mut self, node: NodeId, reason: RevocationReason, batch: &mut Batch) -> Result<(), String> {
        if node == self.me.node {
            return Err("a node cannot revoke itself: this is for a node above it".to_owned());
        }
        let Some(entry) = self.directory.get(node).map(|signed| signed.entry) else {
            return Err("no node that is trusted has this id".to_owned());
        };
        if self.core.route(node).is_none() {
            return Err(format!(
                "{} is not below this node: its own city, county or township revokes it",
                entry.division
            ));
        }
        if self.authority.is_some() {
            return self.revoke_as_authority(node, reason, batch);
        }
        if entry.parent == Some(self.me.node) {
            self.cut(node, batch);
        }
        let asked = || Body::RevokeAsked(RevokeAsked { node, reason });
        let top = self.line.last().map(|top| top.node);
        let parent = entry.parent.filter(|parent| *parent != self.me.node);
        batch.letters.extend(top.into_iter().chain(parent).map(|to| letter(to, asked())));
        Ok(())
    }

    /// Closes a node in order: it must own nothing that is open and have nobody below.
    pub(super) async fn decommission(
        &mut self,
        node: NodeId,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        if let Some(below) = self.directory.all().iter().find(|signed| signed.entry.parent == Some(node)) {
            let division = below.entry.division;
            return Ok(Err(format!("{division} hangs below it: nodes below are closed first, or moved")));
        }
        let open = self.store.open_cases_of(node).await?;
        if open.count > 0 {
            return Ok(Err(format!(
                "it owns {} open cases: hand them over or take them over first, then close it; nothing was changed ({})",
                open.count,
                told(&open)
            )));
        }
        Ok(self.revoke(node, RevocationReason::Decommissioned, batch))
    }

    /// Revokes as the authority, and tells everybody below.
    pub(super) fn revoke_as_authority(
        &mut self,
        node: NodeId,
        reason: RevocationReason,
        batch: &mut Batch,
    ) -> Result<(), String> {
        let now = self.clock.wall();
        let authority = self.authority.as_mut().ok_or("this node is not the authority")?;
        let signed = authority.revoke(node, reason, now).map_err(|e| e.to_string())?;
        self.revoked(signed, batch)
    }

    /// The authority's word that a node is no longer trusted.
    pub(super) fn revoked(&mut self, signed: SignedRevocation, batch: &mut Batch) -> Result<(), String> {
        let revocation = signed.revocation;
        let division = self.directory.last(revocation.node).map(|last| last.entry.division);
        if !self.standing.anchors.signed(division, &revocation.signed_bytes(), &signed.signature) {
            return Err("a revocation that no authority signed".to_owned());
        }
        if !self.directory.revoke(revocation.node, revocation.serial) {
            return Ok(());
        }
        batch.trust.revocations.push(signed);
        tracing::warn!(node = %revocation.node, reason = ?revocation.reason, "a node is no longer trusted");
        // A node that was replaced meanwhile has a later entry, and stays.
        if self.directory.get(revocation.node).is_none() {
            self.cut(revocation.node, batch);
            if revocation.reason == RevocationReason::Decommissioned {
                batch.trust.routes_dropped.push(revocation.node);
                self.shared.closed(revocation.node);
            }
        }
        self.spread(&Body::Revoked(signed), batch);
        Ok(())
    }

    /// A node above wants one below to be revoked: the authority does so, the parent cuts the link meanwhile.
    pub(super) fn revoke_asked(&mut self, origin: NodeId, asked: RevokeAsked, batch: &mut Batch) -> Result<(), String> {
        let RevokeAsked { node, reason } = asked;
        if self.directory.get(node).is_none() {
            return Ok(());
        }
        if !self.is_above(origin, node) {
            return Err("only a node above can ask for a revocation".to_owned());
        }
        if self.authority.is_some() {
            return self.revoke_as_authority(node, reason, batch);
        }
        if self.directory.get(node).is_some_and(|signed| signed.entry.parent == Some(self.me.node)) {
            self.cut(node, batch);
        }
        Ok(())
    }

    /// Whether a node is above another, by the line or by the directory.
    fn is_above(&self, above: NodeId, node: NodeId) -> bool {
        let mut at = Some(node);
        for _ in 0..=protocol::wire::limits::ANCESTORS_MAX {
            at = at.and_then(|node| self.directory.get(node)).and_then(|signed| signed.entry.parent);
            match at {
                None => return false,
                Some(parent) if parent == above => return true,
                Some(parent) if parent == self.me.node => return self.line.iter().any(|a| a.node == above),
                Some(_) => {}
            }
        }
        false
    }

    /// Ends the link of a child, live or to come.
    fn cut(&mut self, node: NodeId, batch: &mut Batch) {
        self.registry.remove(node);
        self.endpoint.disconnect(node, "revoked");
        self.feed(Input::Revoked { peer: node });
        batch.trust.children_revoked.push(node);
    }

    /// Hands something that proves itself to every child.
    pub(super) fn spread(&mut self, body: &Body, batch: &mut Batch) {
        batch.letters.extend(self.core.children().into_iter().map(|child| letter(child, body.clone())));
    }
}

/// Which cases are open: the first of them, and how many more.
fn told(open: &OpenCases) -> String {
    let told = open.first.join(", ");
    match open.count.saturating_sub(open.first.len()) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}
