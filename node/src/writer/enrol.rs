//! New nodes: a join request is checked against its token here, vouched for on the way up, and answered by the authority.

use federation::core::Input;
use federation::driver::{JoinAsk, JoinRefusal, JoinReply};
use federation::trust::{Token, enrolment};
use protocol::chain::Hash;
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::wire::bundle::Urgency;
use protocol::wire::codec;
use protocol::wire::control::{Enrol, Enrolled, JoinRequest};
use protocol::wire::kind::Body;

use crate::store::StoreError;
use crate::store::trust::{Child, KeptToken, Route};

use super::Writer;
use super::batch::{Batch, Letter};

/// What to do with a join request whose proof holds.
enum Standing {
    /// The first request with this token.
    Fresh,
    /// The same request again: the answer may be there.
    Again(Option<Box<Enrolled>>),
}

impl Writer {
    /// Somebody at the door with a token.
    pub(super) async fn join(&mut self, ask: JoinAsk, batch: &mut Batch) -> Result<(), StoreError> {
        let reply = match self.standing(&ask).await? {
            Err(code) => {
                tracing::warn!(remote = %ask.remote, division = %ask.request.division, %code, "a join request was refused");
                JoinReply::Refused(code)
            }
            Ok(Standing::Again(Some(answer))) => JoinReply::Enrolled(answer),
            Ok(standing) => {
                if matches!(standing, Standing::Fresh) {
                    batch.tokens_used.push((ask.request.token, digest(&ask.request)));
                }
                self.vouch(&ask.request, batch)
            }
        };
        // Told after the commit would be nicer; a lost answer is asked for again, and the request is the same.
        let _ = ask.reply.send(reply);
        Ok(())
    }

    async fn standing(&mut self, ask: &JoinAsk) -> Result<Result<Standing, JoinRefusal>, StoreError> {
        let request = &ask.request;
        let Some(kept) = self.store.token(request.token).await? else {
            return Ok(Err(JoinRefusal::Token));
        };
        let KeptToken { secret, division, expires, request: used, answer } = kept;
        let token = Token {
            parent: self.me.node,
            division,
            address: String::new(),
            root: self.core.identity().root,
            id: request.token,
            secret,
            expires,
            replaces: None,
        };
        if let Err(unproven) = enrolment::check(&token, request, &ask.mac, &ask.exporter, self.clock.wall()) {
            return Ok(Err(match unproven {
                enrolment::Unproven::Expired => JoinRefusal::Expired,
                enrolment::Unproven::OtherDivision => JoinRefusal::Division,
                enrolment::Unproven::OtherToken | enrolment::Unproven::Proof => JoinRefusal::Token,
            }));
        }
        Ok(match used {
            None => Ok(Standing::Fresh),
            Some(hash) if hash == digest(request) => Ok(Standing::Again(answer.map(Box::new))),
            Some(_) => Err(JoinRefusal::Used),
        })
    }

    /// Sends the request to the authority, or is it.
    fn vouch(&mut self, request: &JoinRequest, batch: &mut Batch) -> JoinReply {
        if self.authority.is_some() {
            return match self.issue(request, self.me.node) {
                Ok(enrolled) => {
                    batch.tokens_answered.push((request.token, enrolled.clone()));
                    match self.enrolled(enrolled.clone(), batch) {
                        Ok(()) => JoinReply::Enrolled(Box::new(enrolled)),
                        Err(why) => refused_request(&why),
                    }
                }
                Err(why) => refused_request(&why),
            };
        }
        // Asked again by the child until the answer is here; the same request is on its way up once a run.
        let Some(top) = self.line.last().map(|top| top.node) else {
            return JoinReply::Pending;
        };
        if self.enrolling.insert(request.node, request.token).is_none() {
            let body = Body::Enrol(Enrol { request: request.clone(), parent: self.me.node, replaces: false });
            batch.letters.push(Letter { to: top, urgency: Urgency::Routine, receipted: true, body });
        }
        JoinReply::Pending
    }

    fn issue(&mut self, request: &JoinRequest, parent: NodeId) -> Result<Enrolled, String> {
        let now = self.clock.wall();
        let authority = self.authority.as_mut().ok_or("this node is not the authority")?;
        authority.issue(request, Some(parent), now).map_err(|e| e.to_string())
    }

    /// A request that a parent below vouches for. The inner error says why it was not accepted.
    pub(super) fn enrol(
        &mut self,
        origin: NodeId,
        enrol: &Enrol,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        let Some(vouching) = self.directory.get(origin).filter(|_| origin == enrol.parent) else {
            return Ok(Err("a parent can only vouch for its own children".to_owned()));
        };
        if !below(vouching.entry.division, enrol.request.division) {
            return Ok(Err("the division is not below the parent that vouches".to_owned()));
        }
        Ok(match self.issue(&enrol.request, enrol.parent) {
            Ok(enrolled) => {
                let body = Body::Enrolled(enrolled.clone());
                batch.letters.push(Letter { to: enrol.parent, urgency: Urgency::Routine, receipted: true, body });
                self.enrolled(enrolled, batch)
            }
            Err(why) => Err(why),
        })
    }

    /// A node below was enrolled: its parent admits it, everybody on the way learns how to reach it.
    pub(super) fn enrolled(&mut self, enrolled: Enrolled, batch: &mut Batch) -> Result<(), String> {
        let entry = enrolled.entry.entry;
        if !below(self.me.division, entry.division) {
            return Err("an enrolment for a division elsewhere".to_owned());
        }
        self.directory.insert(enrolled.entry).map_err(|e| e.to_string())?;
        batch.entries.push(enrolled.entry);
        let parent = entry.parent.ok_or("an enrolment without a parent")?;
        let via = if parent == self.me.node {
            batch.children.push(Child { node: entry.node, division: entry.division, spki: entry.tls_spki_sha256 });
            self.registry.admit(entry.tls_spki_sha256, entry.node);
            entry.node
        } else {
            self.core.route(parent).ok_or("an enrolment below a node that is not below this one")?
        };
        batch.routes.push(Route { member: entry.node, via, division: entry.division });
        self.feed(Input::Registered { node: entry.node, via });
        self.shared.registered(entry.node, entry.division, via);
        if let Some(token) = self.enrolling.remove(&entry.node) {
            batch.tokens_answered.push((token, enrolled));
        }
        tracing::info!(node = %entry.node, division = %entry.division, "a node was enrolled");
        Ok(())
    }
}

fn refused_request(why: &str) -> JoinReply {
    tracing::error!(why, "the authority did not issue");
    JoinReply::Refused(JoinRefusal::Request)
}

/// Whether a division lies properly inside another.
fn below(above: DivisionCode, division: DivisionCode) -> bool {
    above.contains(division) && above != division
}

fn digest(request: &JoinRequest) -> [u8; 32] {
    Hash::of(&codec::encode_unbounded(request)).0
}
