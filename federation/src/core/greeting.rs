//! The greeting: both sides say where they stand, each judges its own sending, and the link is up when both have agreed.

use protocol::bounded::List;
use protocol::chain::Hash;
use protocol::directory::Ancestor;
use protocol::id::NodeId;
use protocol::wire::control::{Control, Doubt, Hello, Incarnation, Position, Refused, Verdict};
use protocol::wire::frame::Lane;
use rand_core::RngCore;

use super::alarm::{Alarm, Closing};
use super::input::{ConnectionId, Now};
use super::link::{Phase, Said};
use super::output::{Output, Query, Write};
use super::verdict::{Judgement, compare, judge_lane};
use super::{Core, Pending};

/// Lowest and highest minor version of the link that this program speaks.
const VERSIONS: (u16, u16) = (1, 1);

impl Core {
    pub(super) fn greet(&mut self, now: Now, peer: NodeId, connection: ConnectionId, out: &mut Vec<Output>) {
        let Some(link) = self.links.get(&peer) else { return };
        let hello = Hello {
            versions: VERSIONS,
            node: self.me.node,
            division: self.me.division,
            root: self.me.root,
            incarnation: link.kept.incarnation,
            peer_incarnation: link.kept.peer_incarnation,
            peer_counter_seen: link.kept.peer_counter_seen,
            lanes: List::new(link.lane_states()).unwrap_or_default(),
            ancestors: List::new(self.ancestors.clone()).unwrap_or_default(),
            clock: now.wall,
            entry: self.me.entry,
        };
        Self::say(connection, Control::Hello(Box::new(hello)), out);
    }

    pub(super) fn hello(
        &mut self,
        now: Now,
        peer: NodeId,
        connection: ConnectionId,
        hello: Hello,
        out: &mut Vec<Output>,
    ) {
        if let Some(why) = self.refusal(peer, &hello) {
            Self::say(connection, Control::Verdict(Verdict::Refuse(why)), out);
            out.push(Output::Raise(Alarm::Refused { peer, why }));
            self.close(now, connection, Closing::Refused(why), out);
            return;
        }
        if !self.take_over(now, peer, connection, hello.incarnation, out) {
            return;
        }
        let from_parent = self.me.parent == Some(peer);
        if from_parent {
            self.learn_line(&hello, out);
            out.push(Output::ClockOffset { ms: hello.clock.0.saturating_sub(now.wall.0) });
        }
        let Some(link) = self.links.get_mut(&peer) else { return };
        let kept = link.kept.clone();
        let Some(session) = link.session_of(connection).filter(|s| matches!(s.phase, Phase::Greeting)) else {
            return self.close(now, connection, Closing::Misbehaved, out);
        };
        session.greeted = Some(hello.incarnation);
        // Nothing was ever acknowledged and no run came before this one: all of it can still be sent from the first.
        let fresh = kept.incarnation.counter <= 1
            && kept.lanes.iter().all(|lane| lane.acked.0 == 0)
            && hello.lanes.iter().all(|state| state.received == Position::START);
        let doubt = match hello.peer_incarnation {
            None if fresh => None,
            None => Some(Doubt::Empty),
            Some(run) if run == kept.incarnation => None,
            Some(_) => Some(Doubt::UnknownIncarnation),
        };
        let (mut doubt, mut open) = (doubt, Vec::new());
        for state in hello.lanes.iter().filter(|_| hello.peer_incarnation == Some(kept.incarnation)) {
            let lane = kept.lane(state.lane);
            let judgement = judge_lane(lane.last, lane.acked, state.received);
            #[cfg(feature = "mutants")]
            let judgement = match judgement {
                Judgement::Compare | Judgement::Doubt(Doubt::Forked)
                    if self.limits.mutant == Some(super::Mutant::NoChainHash) =>
                {
                    Judgement::Resume
                }
                other => other,
            };
            match judgement {
                Judgement::Resume => {}
                Judgement::Doubt(found) => doubt = doubt.or(Some(found)),
                Judgement::Compare => open.push(state.lane),
            }
        }
        session.phase = Phase::Judging { hello: Box::new(hello.clone()), open: open.clone() };
        if doubt.is_some() || open.is_empty() {
            return self.conclude(now, peer, connection, doubt, out);
        }
        for lane in open {
            let Some(state) = hello.lanes.iter().find(|s| s.lane == lane) else { continue };
            if state.received.seq.0 == 0 {
                self.judged(now, peer, (connection, lane), Some(Hash::ZERO), out);
            } else {
                let query = Query::HashAt { peer, lane, seq: state.received.seq };
                self.fetch(Pending::Hash { peer, connection, lane }, query, out);
            }
        }
    }

    /// A further connection of a peer whose link is up takes its place when it is the same peer; two live nodes with one
    /// identity are refused.
    fn take_over(
        &mut self,
        now: Now,
        peer: NodeId,
        connection: ConnectionId,
        run: Incarnation,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(link) = self.links.get_mut(&peer) else { return false };
        let Some((_, since)) = link.newcomer.take_if(|(newcomer, _)| *newcomer == connection) else { return true };
        if !link.is_same_peer(run) {
            let why = Refused::DoubleIdentity;
            Self::say(connection, Control::Verdict(Verdict::Refuse(why)), out);
            out.push(Output::Raise(Alarm::Refused { peer, why }));
            self.close(now, connection, Closing::Refused(why), out);
            return false;
        }
        let old = link.open(connection, since);
        self.replaced(peer, old, out);
        true
    }

    fn refusal(&self, peer: NodeId, hello: &Hello) -> Option<Refused> {
        let above = self.me.parent == Some(peer);
        // A division that moved keeps its code, and then only its entry names the parent.
        let placed = if above {
            hello.division.contains(self.me.division) || self.me.entry.entry.parent == Some(peer)
        } else {
            self.me.division.contains(hello.division) || hello.entry.entry.parent == Some(self.me.node)
        };
        let whole = Lane::NUMBERED.into_iter().all(|lane| hello.lanes.iter().filter(|s| s.lane == lane).count() == 1);
        if hello.root != self.me.root && !self.me.roots.contains(&hello.root) {
            Some(Refused::OtherRoot)
        } else if hello.versions.0 > VERSIONS.1 || hello.versions.1 < VERSIONS.0 {
            Some(Refused::NoCommonVersion)
        } else if hello.node != peer
            || hello.entry.entry.node != peer
            || hello.division == self.me.division
            || !placed
            || !whole
        {
            Some(Refused::Contradiction)
        } else {
            None
        }
    }

    /// The parent's line with the parent before it is this node's.
    fn learn_line(&mut self, hello: &Hello, out: &mut Vec<Output>) {
        let parent = Ancestor { node: hello.node, division: hello.division };
        let line: Vec<_> = std::iter::once(parent).chain(hello.ancestors.iter().copied()).collect();
        if line != self.ancestors {
            self.ancestors.clone_from(&line);
            out.push(Output::LearnAncestors(line.clone()));
            self.tell_line(out);
        }
    }

    /// Children that were greeted with the old line, whether their link is up yet or not, are asked to come again.
    fn tell_line(&mut self, out: &mut Vec<Output>) {
        let children = self.links.iter().filter(|(peer, _)| self.children.contains(peer)).map(|(_, link)| link);
        let stale: Vec<_> = children
            .flat_map(|link| {
                let session = link.session.as_ref().map(|session| session.connection);
                session.into_iter().chain(link.newcomer.map(|(connection, _)| connection))
            })
            .collect();
        for connection in stale {
            Self::say(connection, Control::GoAway { retry_after_ms: 0 }, out);
        }
    }

    /// The outbox has answered for one lane.
    pub(super) fn judged(
        &mut self,
        now: Now,
        peer: NodeId,
        (connection, lane): (ConnectionId, Lane),
        held: Option<Hash>,
        out: &mut Vec<Output>,
    ) {
        let Some(session) = self.links.get_mut(&peer).and_then(|l| l.session_of(connection)) else { return };
        let Phase::Judging { hello, open } = &mut session.phase else { return };
        let Some(state) = hello.lanes.iter().find(|s| s.lane == lane) else { return };
        let doubt = compare(state.received, held);
        open.retain(|waiting| *waiting != lane);
        if doubt.is_some() || open.is_empty() {
            self.conclude(now, peer, connection, doubt, out);
        }
    }

    /// Says the own verdict.
    fn conclude(
        &mut self,
        now: Now,
        peer: NodeId,
        connection: ConnectionId,
        doubt: Option<Doubt>,
        out: &mut Vec<Output>,
    ) {
        let nonce = self.random.next_u64();
        let Some(link) = self.links.get_mut(&peer) else { return };
        let own = link.kept.incarnation.counter;
        let Some(session) = link.session_of(connection) else { return };
        let Phase::Judging { hello, .. } = std::mem::replace(&mut session.phase, Phase::Greeting) else { return };
        // The peer's word alone suffices for a reconciliation.
        let doubt = doubt.or(match session.their_verdict {
            Some(Said::Reconcile(doubt, _)) => Some(doubt),
            _ => None,
        });
        let mine = match doubt {
            None => Said::Resume,
            Some(doubt) => {
                let counter = own.max(hello.peer_counter_seen).saturating_add(1);
                Said::Reconcile(doubt, Incarnation { counter, nonce })
            }
        };
        session.phase = Phase::Said { hello, mine };
        Self::say(connection, Control::Verdict(verdict_of(mine)), out);
        self.agree(now, peer, connection, out);
    }

    pub(super) fn their_verdict(
        &mut self,
        now: Now,
        peer: NodeId,
        connection: ConnectionId,
        verdict: Verdict,
        out: &mut Vec<Output>,
    ) {
        let said = match verdict {
            Verdict::Resume => Said::Resume,
            Verdict::Reconcile { doubt, incarnation } => Said::Reconcile(doubt, incarnation),
            Verdict::Refuse(why) => {
                out.push(Output::Raise(Alarm::Refused { peer, why }));
                return self.close(now, connection, Closing::Refused(why), out);
            }
        };
        let nonce = self.random.next_u64();
        let Some(link) = self.links.get_mut(&peer) else { return };
        let own = link.kept.incarnation.counter;
        let Some(session) = link.session_of(connection).filter(|s| !s.is_up()) else { return };
        session.their_verdict = Some(said);
        if let (Phase::Said { hello, mine: Said::Resume }, Said::Reconcile(doubt, _)) = (&session.phase, said) {
            let counter = own.max(hello.peer_counter_seen).saturating_add(1);
            let mine = Said::Reconcile(doubt, Incarnation { counter, nonce });
            let hello = hello.clone();
            session.phase = Phase::Said { hello, mine };
            Self::say(connection, Control::Verdict(verdict_of(mine)), out);
        }
        self.agree(now, peer, connection, out);
    }

    /// Goes up when both have said the same.
    fn agree(&mut self, now: Now, peer: NodeId, connection: ConnectionId, out: &mut Vec<Output>) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        let known = link.kept.peer_incarnation;
        let Some(session) = link.session_of(connection) else { return };
        let Phase::Said { hello, mine } = &session.phase else { return };
        let (hello, mine) = (hello.clone(), *mine);
        match (mine, session.their_verdict) {
            // It resumes only where this side told it its own run: another one was never agreed upon, and to believe it would make
            // a run count that the peer itself has not settled.
            (Said::Resume, Some(Said::Resume)) if known.is_some_and(|known| known != hello.incarnation) => {
                return self.close(now, connection, Closing::Misbehaved, out);
            }
            (Said::Resume, Some(Said::Resume)) => {
                session.phase = Phase::Up;
                for state in hello.lanes.iter() {
                    if let Some(lane) = session.lanes.get_mut(&state.lane) {
                        lane.sent = state.received.seq;
                    }
                }
                session.theirs = Some(hello.incarnation);
                link.kept.peer_incarnation = Some(hello.incarnation);
                link.kept.peer_counter_seen = link.kept.peer_counter_seen.max(hello.incarnation.counter);
                self.keep_link(peer, out);
            }
            (Said::Reconcile(doubt, run), Some(Said::Reconcile(_, theirs))) => {
                session.phase = Phase::Up;
                session.theirs = Some(theirs);
                link.renumber(run, theirs);
                self.pending.values_mut().for_each(|pending| pending.renumbered(peer));
                out.push(Output::Raise(Alarm::Reconciled { peer, doubt }));
                self.persist(Pending::Plain, Write::Renumber { peer }, out);
                self.keep_link(peer, out);
                self.ask_inventory(peer, connection, None, out);
            }
            _ => return,
        }
        out.push(Output::LinkUp { peer });
        self.say_ready(peer, connection, out);
    }

    /// The first acknowledgement of each lane: from now on this side takes bundles.
    fn say_ready(&mut self, peer: NodeId, connection: ConnectionId, out: &mut Vec<Output>) {
        let Some(link) = self.links.get(&peer) else { return };
        for lane in Lane::NUMBERED {
            let upto = link.received_durably(lane).seq;
            Self::say(connection, Control::Ack { lane, upto, credit: self.limits.credit }, out);
        }
    }
}

fn verdict_of(said: Said) -> Verdict {
    match said {
        Said::Resume => Verdict::Resume,
        Said::Reconcile(doubt, incarnation) => Verdict::Reconcile { doubt, incarnation },
    }
}
