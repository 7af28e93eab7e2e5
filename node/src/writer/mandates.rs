//! One authority follows another: the root rolls over, or a node that ran alone comes under another.

use federation::trust::name::authority_of;
use federation::trust::{Anchors, Authority};
use protocol::bounded::List;
use protocol::directory::{Role, SignedMandate};
use protocol::wire::control::{Enrolled, Subtree};
use protocol::wire::kind::Body;
use protocol::wire::limits::SUBTREE_PAGE_MAX;

use crate::clock::random_bytes;
use crate::config::{Config, ParentSection};
use crate::trust::AuthorityStatus;

use super::Writer;
use super::batch::Batch;
use super::enrol::letter;

/// Says that the entries of the nodes below have still to be sent up.
pub(crate) const SUBTREE_WAITS: &str = "subtree_waits";

impl Writer {
    /// What one authority says of another: believed, kept, handed to every child.
    pub(super) fn mandate(&mut self, signed: SignedMandate, batch: &mut Batch) -> Result<(), String> {
        if self.standing.mandates.contains(&signed) {
            return Ok(());
        }
        self.standing.anchors.apply(&signed).map_err(|e| e.to_string())?;
        let position = i64::try_from(self.standing.mandates.len()).unwrap_or(i64::MAX);
        batch.trust.mandates.push((position, signed.clone()));
        self.standing.mandates.push(signed.clone());
        self.show();
        self.spread(&Body::Mandate(signed), batch);
        if !self.standing.is_current() && self.tending.renew_at.is_none() {
            let jitter = u64::from_be_bytes(random_bytes()) % self.tending.spread_ms.saturating_add(1);
            self.tending.renew_at = Some(self.clock.uptime_ms().saturating_add(jitter));
            self.tending.at = self.tending.at.min(self.clock.uptime_ms().saturating_add(jitter));
        }
        Ok(())
    }

    /// The own authority's word about another.
    pub(super) fn proclaim(&mut self, signed: SignedMandate, batch: &mut Batch) -> Result<(), String> {
        self.mandate(signed, batch)
    }

    /// Makes a new authority that takes the place of this one.
    pub(super) fn roll_over(&mut self, batch: &mut Batch) -> Result<(), String> {
        let authority = self.authority.as_ref().ok_or("only the top node has an authority")?;
        if !self.standing.anchors.earlier().is_empty() {
            return Err("an earlier authority is not retired yet: `wuji authority retire-old` first".to_owned());
        }
        let now = self.clock.wall();
        let name = self.tending.name.clone();
        let mut new = Authority::found(&name, now).map_err(|e| e.to_string())?;
        new.resume_after(authority.serial());
        self.standing.folder.change_authority(&new).map_err(|e| format!("{e:#}"))?;
        self.authority = Some(new);
        self.finish_roll_over(batch)
    }

    /// Lets the old authority name the new one and the new one the old. Also after a power failure between the change of
    /// the keys and the first word about it.
    pub(super) fn finish_roll_over(&mut self, batch: &mut Batch) -> Result<(), String> {
        let Some(new) = &mut self.authority else { return Ok(()) };
        if new.authority_key() == self.standing.anchors.present() {
            return Ok(());
        }
        let mut old = self.standing.folder.earlier_authority().ok_or("the keys of the authority before are gone")?;
        old.resume_after(new.serial());
        let now = self.clock.wall();
        let successor = old.succeeded_by(new.root(), now).map_err(|e| e.to_string())?;
        new.resume_after(old.serial());
        let predecessor = new.mandate(old.root(), Role::Predecessor, now).map_err(|e| e.to_string())?;
        self.proclaim(successor, batch)?;
        self.proclaim(predecessor, batch)?;
        self.tending.renew_at = Some(self.clock.uptime_ms());
        self.tending.at = 0;
        Ok(())
    }

    /// Retires the authorities before the one that issues. Refused while nodes have not renewed, unless it must be.
    pub(super) fn retire_old(&mut self, force: bool, batch: &mut Batch) -> Result<(), String> {
        let status = self.authority_status().ok_or("only the top node has an authority")?;
        let roots: Vec<Vec<u8>> = self.standing.anchors.earlier().iter().map(|root| root.to_vec()).collect();
        if roots.is_empty() {
            return Err("there is no earlier authority to retire".to_owned());
        }
        let waiting = status.nodes.saturating_sub(status.current);
        if waiting > 0 && !force {
            return Err(format!(
                "{waiting} nodes have not renewed their certificates: {}. Retired now, they would have to be replaced",
                status.outstanding.join(" ")
            ));
        }
        for root in roots {
            let now = self.clock.wall();
            let authority = self.authority.as_mut().ok_or("only the top node has an authority")?;
            let retired = authority.mandate(&root, Role::Retired, now).map_err(|e| e.to_string())?;
            self.proclaim(retired, batch)?;
        }
        self.standing.folder.drop_earlier_authority().map_err(|e| format!("{e:#}"))
    }

    /// How far the nodes are with the authority that issues.
    pub(super) fn authority_status(&self) -> Option<AuthorityStatus> {
        let key = self.authority.as_ref()?.authority_key();
        let mut status = AuthorityStatus::default();
        for (node, issuer) in self.directory.issuers() {
            status.count(node, issuer == key);
        }
        Some(status)
    }

    /// This node, which ran alone, hangs below another from now on.
    pub(super) fn adopted(
        &mut self,
        enrolled: &Enrolled,
        parent: ParentSection,
        batch: &mut Batch,
    ) -> Result<(), String> {
        let authority = self.authority.as_mut().ok_or("only a node with an authority of its own is adopted")?;
        if !self.standing.anchors.earlier().is_empty() {
            return Err("an earlier authority is not retired yet: `wuji authority retire-old` first".to_owned());
        }
        let root = enrolled.certificates.last().ok_or("there is no certificate")?.to_vec();
        if authority_of(&root) != Ok(enrolled.authority) {
            return Err("the certificate is not of the authority above".to_owned());
        }
        let up = authority.succeeded_by(&root, self.clock.wall()).map_err(|e| e.to_string())?;
        // Tried on a copy: what does not hold must not leave this node half-way.
        let mut tried: Anchors = self.standing.anchors.clone();
        tried.apply(&up).map_err(|e| e.to_string())?;
        for mandate in enrolled.mandates.iter() {
            tried.apply(mandate).map_err(|e| e.to_string())?;
        }
        self.standing.folder.save_enrolled(enrolled).map_err(|e| format!("{e:#}"))?;
        self.save_parent(&parent).map_err(|e| format!("{e:#}"))?;
        self.standing.folder.lay_authority_down().map_err(|e| format!("{e:#}"))?;
        self.authority = None;
        self.standing.parent = Some(parent.clone());
        self.standing.newest.enrolled = enrolled.clone();
        self.endpoint.reparent(Some(parent.dialled()));
        self.shared.set_parent(parent.clone());
        self.mandate(up, batch)?;
        for mandate in enrolled.mandates.iter() {
            self.mandate(mandate.clone(), batch)?;
        }
        self.directory.insert(enrolled.entry).map_err(|e| e.to_string())?;
        batch.entries.push(enrolled.entry);
        batch.trust.metas.push((SUBTREE_WAITS, "1".to_owned()));
        self.tending.subtree_waits = true;
        self.show();
        tracing::info!(parent = %parent.id, "this node hangs below another now");
        Ok(())
    }

    /// The certificate first, then the parent, then the authority is laid down, then the database: a start in between goes
    /// on as the authority that it was, or finds the one laid down and lets it say its last word.
    pub(super) fn save_parent(&self, parent: &ParentSection) -> anyhow::Result<()> {
        let folder = &self.standing.folder;
        let mut config = Config::load(folder.path())?;
        config.parent = Some(parent.clone());
        config.save(folder.path())
    }

    /// The line above is known: whoever came with its own nodes says who they are.
    pub(super) fn send_subtree(&mut self, batch: &mut Batch) {
        let Some(top) = self.line.last().map(|top| top.node).filter(|_| self.tending.subtree_waits) else { return };
        self.tending.subtree_waits = false;
        batch.trust.metas.push((SUBTREE_WAITS, "0".to_owned()));
        let mut entries = self.directory.all();
        entries.retain(|signed| self.lies_below(self.me.division, signed.entry.division));
        entries.sort_by_key(|signed| signed.entry.division);
        for page in entries.chunks(SUBTREE_PAGE_MAX) {
            if let Ok(entries) = List::new(page.to_vec()) {
                batch.letters.push(letter(top, Body::Subtree(Subtree { entries })));
            }
        }
    }
}
