//! New nodes: a join request is checked against its token here, vouched for on the way up, and answered by the authority.

use federation::core::Input;
use federation::driver::{JoinAsk, JoinRefusal, JoinReply};
use federation::trust::{Token, enrolment};
use protocol::bounded::{List, Text};
use protocol::chain::Hash;
use protocol::directory::{Ancestor, RevocationReason, Role};
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::wire::bundle::Urgency;
use protocol::wire::codec;
use protocol::wire::control::{Enrol, EnrolRefused, Enrolled, JoinRequest, Subtree};
use protocol::wire::kind::Body;

use crate::alarms::AlarmKind;
use crate::store::StoreError;
use crate::store::standing::TokenTerms;
use crate::store::trust::{Child, KeptToken, Route};

use super::Writer;
use super::batch::{Batch, Letter};

/// What to do with a join request whose proof holds.
enum Standing {
    /// The first request with this token.
    Fresh { replaces: bool },
    /// The same request again: the answer may be there.
    Again { answer: Option<Box<Enrolled>>, replaces: bool },
}

impl Writer {
    /// Somebody at the door with a token.
    pub(super) async fn join(&mut self, ask: JoinAsk, batch: &mut Batch) -> Result<(), StoreError> {
        let reply = match self.standing_of(&ask).await? {
            Err(code) => {
                tracing::warn!(remote = %ask.remote, division = %ask.request.division, %code, "a join request was refused");
                JoinReply::Refused(code)
            }
            Ok(Standing::Again { answer: Some(answer), .. }) => JoinReply::Enrolled(answer),
            Ok(Standing::Again { answer: None, replaces }) => self.vouch(&ask.request, replaces, batch),
            Ok(Standing::Fresh { replaces }) => {
                batch.trust.tokens_used.push((ask.request.token, digest(&ask.request)));
                self.vouch(&ask.request, replaces, batch)
            }
        };
        // Told after the commit would be nicer; a lost answer is asked for again, and the request is the same.
        let _ = ask.reply.send(reply);
        Ok(())
    }

    async fn standing_of(&mut self, ask: &JoinAsk) -> Result<Result<Standing, JoinRefusal>, StoreError> {
        let request = &ask.request;
        let Some(kept) = self.store.token(request.token).await? else {
            return Ok(Err(JoinRefusal::Token));
        };
        let TokenTerms { replaces, refused } = self.store.token_terms(request.token).await?;
        let KeptToken { secret, division, expires, request: used, answer } = kept;
        let token = Token {
            parent: self.me.node,
            division,
            address: String::new(),
            root: self.core.identity().root,
            id: request.token,
            secret,
            expires,
            replaces,
        };
        if let Err(unproven) = enrolment::check(&token, request, &ask.mac, &ask.exporter, self.clock.wall()) {
            return Ok(Err(match unproven {
                enrolment::Unproven::Expired => JoinRefusal::Expired,
                enrolment::Unproven::OtherDivision => JoinRefusal::Division,
                enrolment::Unproven::OtherToken | enrolment::Unproven::Proof => JoinRefusal::Token,
            }));
        }
        let taken = self.directory.at(division).filter(|node| *node != request.node);
        Ok(match used {
            Some(hash) if hash != digest(request) => Err(JoinRefusal::Used),
            _ if replaces.is_some_and(|node| node != request.node) => Err(JoinRefusal::Token),
            _ if refused.is_some() => Err(JoinRefusal::Request),
            Some(_) => Ok(Standing::Again { answer: answer.map(Box::new), replaces: replaces.is_some() }),
            None if taken.is_some() => Err(JoinRefusal::Occupied),
            None => Ok(Standing::Fresh { replaces: replaces.is_some() }),
        })
    }

    /// Sends the request to the authority, or is it.
    fn vouch(&mut self, request: &JoinRequest, replaces: bool, batch: &mut Batch) -> JoinReply {
        if !self.standing.is_current() {
            // The certificate here is not of the authority that would issue: the new node could not check the two against
            // one root. This node renews first.
            return JoinReply::Pending;
        }
        let enrol = Enrol { request: request.clone(), parent: self.me.node, replaces };
        if self.authority.is_some() {
            return match self.issue(&enrol, batch) {
                Ok(enrolled) => {
                    self.enrolling.insert(request.node, request.token);
                    let answer = self.as_child_hears(enrolled.clone());
                    match self.enrolled(enrolled, batch) {
                        Ok(()) => JoinReply::Enrolled(Box::new(answer)),
                        Err(why) => self.not_issued(request, &why, batch),
                    }
                }
                Err(why) => self.not_issued(request, &why, batch),
            };
        }
        // Asked again by the child until the answer is here; the same request is on its way up once a run.
        let Some(top) = self.line.last().map(|top| top.node) else {
            return JoinReply::Pending;
        };
        if self.enrolling.insert(request.node, request.token).is_none() {
            batch.letters.push(letter(top, Body::Enrol(enrol)));
        }
        JoinReply::Pending
    }

    fn not_issued(&mut self, request: &JoinRequest, why: &str, batch: &mut Batch) -> JoinReply {
        tracing::error!(why, "the authority did not issue");
        self.alarm(AlarmKind::Enrolment, format!("{} was not enrolled: {why}", request.division));
        batch.trust.tokens_refused.push((request.token, why.to_owned()));
        JoinReply::Refused(JoinRefusal::Request)
    }

    /// What a node below must know besides: authorities that count here without issuing, and the line above it.
    fn as_child_hears(&self, enrolled: Enrolled) -> Enrolled {
        let earlier = self.standing.anchors.earlier();
        let counts = self.standing.mandates.iter().filter(|signed| {
            let here = match signed.mandate.role {
                Role::Predecessor => true,
                Role::Within(division) => division.contains(enrolled.entry.entry.division),
                Role::Successor { .. } | Role::Retired => false,
            };
            here && signed.by == enrolled.authority
                && earlier.iter().any(|root| root.as_ref() == &*signed.mandate.root as &[u8])
        });
        let mandates = counts.take(protocol::wire::limits::MANDATES_MAX).cloned().collect();
        let me = Ancestor { node: self.me.node, division: self.me.division };
        let line = std::iter::once(me).chain(self.line.iter().copied()).take(protocol::wire::limits::ANCESTORS_MAX);
        Enrolled {
            mandates: List::new(mandates).unwrap_or_default(),
            ancestors: List::new(line.collect()).unwrap_or_default(),
            ..enrolled
        }
    }

    /// Issues as the authority, after all checks. The error is for people.
    fn issue(&mut self, enrol: &Enrol, batch: &mut Batch) -> Result<Enrolled, String> {
        let (request, parent) = (&enrol.request, enrol.parent);
        let above = if parent == self.me.node {
            self.me.division
        } else {
            self.directory.get(parent).ok_or("the parent that vouches is not known")?.entry.division
        };
        if !self.lies_below(above, request.division) {
            return Err("the division is not below the parent that vouches".to_owned());
        }
        if let Some(other) = self.directory.at(request.division).filter(|node| *node != request.node) {
            return Err(format!("{} has the node {other} already: replace or revoke it", request.division));
        }
        self.may_have_keys(enrol, batch)?;
        if let Some(root) = enrolment::brought(request).map_err(|e| e.to_string())? {
            let now = self.clock.wall();
            let authority = self.authority.as_mut().ok_or("this node is not the authority")?;
            let within = authority.mandate(&root, Role::Within(request.division), now).map_err(|e| e.to_string())?;
            self.proclaim(within, batch)?;
        }
        let now = self.clock.wall();
        let authority = self.authority.as_mut().ok_or("this node is not the authority")?;
        authority.issue(request, Some(parent), now).map_err(|e| e.to_string())
    }

    /// Whether the node of a request may have these keys: it is new, asks again, or is replaced where it hangs.
    fn may_have_keys(&mut self, enrol: &Enrol, batch: &mut Batch) -> Result<(), String> {
        let request = &enrol.request;
        let Some(last) = self.directory.last(request.node).map(|signed| signed.entry) else {
            return Ok(());
        };
        let placed = last.division == request.division && last.parent == Some(enrol.parent);
        let counts = self.directory.get(request.node).is_some();
        match enrol.replaces {
            true if !placed => Err("the node that is to be replaced hangs elsewhere".to_owned()),
            true if counts => self.revoke_as_authority(request.node, RevocationReason::Replaced, batch),
            true => Ok(()),
            false if !counts => Err("this node was revoked: it needs a token that replaces it".to_owned()),
            false if placed && last.signing == request.signing => Ok(()),
            false => Err("a node with this id exists".to_owned()),
        }
    }

    /// A request that a parent below vouches for. The inner error says why it was not accepted.
    pub(super) fn enrol(&mut self, origin: NodeId, enrol: &Enrol, batch: &mut Batch) -> Result<(), String> {
        if origin != enrol.parent {
            return Err("a parent can only vouch for its own children".to_owned());
        }
        match self.issue(enrol, batch) {
            Ok(enrolled) => {
                batch.letters.push(letter(enrol.parent, Body::Enrolled(enrolled.clone())));
                self.enrolled(enrolled, batch)
            }
            Err(why) => {
                let JoinRequest { token, node, .. } = enrol.request;
                let refused = EnrolRefused { token, node, reason: Text::cut(&why) };
                batch.letters.push(letter(enrol.parent, Body::EnrolRefused(refused)));
                Ok(())
            }
        }
    }

    /// The authority did not issue to somebody that this node vouched for.
    pub(super) fn enrol_refused(&mut self, refused: &EnrolRefused, batch: &mut Batch) {
        self.enrolling.remove(&refused.node);
        self.alarm(AlarmKind::Enrolment, format!("a node was not enrolled: {}", refused.reason.as_str()));
        batch.trust.tokens_refused.push((refused.token, refused.reason.as_str().to_owned()));
    }

    /// The authority issued: to this node itself, or to one below, which its parent admits and everybody on the way
    /// learns how to reach.
    pub(super) fn enrolled(&mut self, enrolled: Enrolled, batch: &mut Batch) -> Result<(), String> {
        let entry = enrolled.entry.entry;
        if entry.node == self.me.node {
            return self.renewed(&enrolled, batch);
        }
        if !self.lies_below(self.me.division, entry.division) {
            return Err("an enrolment for a division elsewhere".to_owned());
        }
        let before = self.directory.get(entry.node).map(|signed| signed.entry);
        let counts = self.directory.insert(enrolled.entry).map_err(|e| e.to_string())?;
        batch.entries.push(enrolled.entry);
        if !counts && before.is_none_or(|before| before != entry) {
            return Err("an enrolment that was revoked or followed by another".to_owned());
        }
        let parent = entry.parent.ok_or("an enrolment without a parent")?;
        let via = if parent == self.me.node {
            let spki = entry.tls_spki_sha256;
            batch.children.push(Child { node: entry.node, division: entry.division, spki });
            let earlier = before.map(|before| before.tls_spki_sha256).filter(|earlier| *earlier != spki);
            if earlier.is_some() {
                batch.trust.earlier_keys.push((entry.node, earlier));
            }
            self.registry.admit(spki, entry.node);
            entry.node
        } else {
            self.core.route(parent).ok_or("an enrolment below a node that is not below this one")?
        };
        self.reached(entry.node, entry.division, via, batch);
        if let Some(request) = self.tending.renewing_below.remove(&entry.node) {
            batch.trust.renewals.push((entry.node, request, self.as_child_hears(enrolled.clone())));
        }
        if let Some(token) = self.enrolling.remove(&entry.node) {
            batch.trust.tokens_answered.push((token, self.as_child_hears(enrolled)));
        }
        tracing::info!(node = %entry.node, division = %entry.division, "a node was enrolled");
        Ok(())
    }

    /// Whether a division lies properly inside another, by its code or because it moved there.
    pub(super) fn lies_below(&self, above: DivisionCode, division: DivisionCode) -> bool {
        above != division && self.publications.holds.places.contains(above, division)
    }

    fn reached(&mut self, node: NodeId, division: DivisionCode, via: NodeId, batch: &mut Batch) {
        batch.routes.push(Route { member: node, via, division });
        self.feed(Input::Registered { node, via });
        self.shared.registered(node, division, via);
    }

    /// Nodes that came below with an authority of their own.
    pub(super) fn subtree(&mut self, origin: NodeId, subtree: Subtree, batch: &mut Batch) -> Result<(), String> {
        let via = self.core.route(origin).ok_or("a subtree of a node that is not below this one")?;
        let root = self.directory.get(origin).ok_or("a subtree of an unknown node")?.entry.division;
        for signed in subtree.entries {
            let entry = signed.entry;
            if !self.lies_below(root, entry.division) {
                return Err(format!("{} is not below the node that brings it", entry.division));
            }
            self.directory.insert(signed).map_err(|e| e.to_string())?;
            batch.entries.push(signed);
            self.reached(entry.node, entry.division, via, batch);
        }
        Ok(())
    }
}

/// A message of the link itself.
pub(super) fn letter(to: NodeId, body: Body) -> Letter {
    Letter { to, urgency: Urgency::Routine, receipted: true, body }
}

/// What makes two requests the same: asked again after a restart, the proof of the TLS key is another one.
fn digest(request: &JoinRequest) -> [u8; 32] {
    let JoinRequest { token, node, division, signing, sealing, .. } = request;
    Hash::of(&codec::encode_unbounded(&(token, node, division, signing, sealing))).0
}
