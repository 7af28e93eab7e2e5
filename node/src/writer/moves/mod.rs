//! A node that hangs below another parent from now on: ordered by a node above both, signed by the authority, handed down to
//! everybody, and followed by each for itself (ADR 0020).

mod known;
mod reroute;

use std::collections::BTreeMap;

use federation::core::{FrameOut, Input};
use federation::trust::authority::Relocation;
use protocol::bounded::{List, Text};
use protocol::directory::{Ancestor, Entry};
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::moving::{Move, MoveAsked, MoveRefused, SignedMove};
use protocol::wire::bundle::Urgency;
use protocol::wire::control::Control;
use protocol::wire::kind::Body;
use protocol::wire::limits::ANCESTORS_MAX;

use crate::alarms::AlarmKind;
use crate::config::ParentSection;
use crate::store::StoreError;
use crate::store::trust::{Child, Route};

use super::Writer;
use super::batch::{Batch, Letter};
use super::enrol::letter;

pub(crate) use self::known::Moving;

/// What a link to a child that hangs elsewhere by now is closed with.
const ELSEWHERE: &str = "this node hangs below another one by now, and was told which";

/// How a person names a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// By its id.
    Node(NodeId),
    /// By where it hangs.
    Division(DivisionCode),
}

/// A move that may be made.
struct Plan {
    entry: Entry,
    from: Ancestor,
    line: Vec<Ancestor>,
}

impl Writer {
    fn named(&self, named: Named) -> Result<NodeId, String> {
        match named {
            Named::Node(node) => Ok(node),
            Named::Division(division) if division == self.me.division => Ok(self.me.node),
            Named::Division(division) => {
                self.directory.at(division).ok_or_else(|| format!("no node is known that hangs on {division}"))
            }
        }
    }

    /// An operator of this node wants a node below to hang elsewhere below.
    pub(super) async fn move_node(
        &mut self,
        (node, to): (Named, Named),
        address: &str,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        let named = self.named(node).and_then(|node| Ok((node, self.named(to)?)));
        let (node, to) = match named {
            Ok(named) => named,
            Err(why) => return Ok(Err(why)),
        };
        let Ok(address) = Text::<200>::new(address.to_owned()) else {
            return Ok(Err("the address of the new parent is HOST:PORT, of 200 characters at most".to_owned()));
        };
        let asked = MoveAsked { node, to, address };
        if self.authority.is_some() {
            return self.issue_move(self.me.node, &asked, batch).await;
        }
        if let Err(why) = self.plan(self.me.node, &asked) {
            return Ok(Err(why));
        }
        let Some(top) = self.line.last().map(|top| top.node) else {
            return Ok(Err("the line above is not known yet: the link upward has to be up once".to_owned()));
        };
        batch.letters.push(letter(top, Body::MoveAsked(asked)));
        Ok(Ok(()))
    }

    /// Whether somebody may order a move, and what it comes to. Only who is above both the node and its new place may: so
    /// nobody takes a node from another, gives one away, or moves itself.
    fn plan(&self, by: NodeId, asked: &MoveAsked) -> Result<Plan, String> {
        let MoveAsked { node, to, address } = asked;
        if !address.as_str().contains(':') {
            return Err("the address of the new parent is HOST:PORT".to_owned());
        }
        let entry = self.directory.get(*node).ok_or("no node that is trusted has this id")?.entry;
        let parent = entry.parent.ok_or("the top hangs below nobody")?;
        let above = self.above(*node);
        let mut line = vec![self.placed(*to).ok_or("the new parent is not a node that is trusted")?];
        line.extend(self.above(*to));
        if !above.iter().any(|ancestor| ancestor.node == by) || !line.iter().any(|ancestor| ancestor.node == by) {
            return Err("only a node above both may move one below the other: ask at the level above both".to_owned());
        }
        if line.iter().any(|ancestor| ancestor.node == *node) {
            return Err("a node cannot hang below itself".to_owned());
        }
        if parent == *to {
            return Err(format!("{} hangs below it already", entry.division));
        }
        let level = line.first().map(|to| to.division.level());
        if level.is_none_or(|level| level >= entry.division.level()) {
            return Err(format!("the new parent is not of a level above {}", entry.division));
        }
        let from = self.placed(parent).ok_or("the parent so far is not known")?;
        Ok(Plan { entry, from, line })
    }

    fn placed(&self, node: NodeId) -> Option<Ancestor> {
        let division = if node == self.me.node {
            Some(self.me.division)
        } else {
            self.directory.get(node).map(|signed| signed.entry.division)
        };
        division.map(|division| Ancestor { node, division })
    }

    /// The nodes above another, nearest first, by the directory up to this node and by the line from here.
    fn above(&self, node: NodeId) -> Vec<Ancestor> {
        let mut above = Vec::new();
        let mut at = node;
        while above.len() < ANCESTORS_MAX {
            if at == self.me.node {
                above.extend(self.line.iter().copied());
                break;
            }
            let parent = self.directory.get(at).and_then(|signed| signed.entry.parent);
            let Some(parent) = parent.and_then(|parent| self.placed(parent)) else { break };
            above.push(parent);
            at = parent.node;
        }
        above
    }

    /// A node above asks for a move.
    pub(super) async fn move_asked(
        &mut self,
        origin: NodeId,
        asked: &MoveAsked,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        if self.authority.is_none() {
            return Ok(Err("only the authority makes moves".to_owned()));
        }
        if let Err(why) = self.issue_move(origin, asked, batch).await? {
            let refused = MoveRefused { node: asked.node, reason: Text::cut(&why) };
            batch.letters.push(letter(origin, Body::MoveRefused(refused)));
        }
        Ok(Ok(()))
    }

    pub(super) fn move_refused(&self, refused: &MoveRefused) {
        let MoveRefused { node, reason } = refused;
        self.alarm(AlarmKind::Move, format!("{node} was not moved, nothing was changed: {}", reason.as_str()));
    }

    async fn issue_move(
        &mut self,
        by: NodeId,
        asked: &MoveAsked,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        let Plan { entry, from, line } = match self.plan(by, asked) {
            Ok(plan) => plan,
            Err(why) => return Ok(Err(why)),
        };
        let Ok(line) = List::new(line) else { return Ok(Err("the line is too long".to_owned())) };
        let (now, address) = (self.clock.wall(), asked.address.clone());
        let Some(authority) = self.authority.as_mut() else {
            return Ok(Err("this node is not the authority".to_owned()));
        };
        match authority.relocate(&entry, Relocation { from, line, address, by }, now) {
            Ok(signed) => self.moved(signed, None, batch).await,
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// The authority's word that a node hangs elsewhere. Each node does its own part of it, once, and tells its neighbours, but
    /// not the one that told it: an old copy of a node above may hear of it from below.
    pub(super) async fn moved(
        &mut self,
        signed: SignedMove,
        teller: Option<NodeId>,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        let order = &signed.order;
        let (node, division) = (order.node(), order.entry.entry.division);
        // Before the entry counts: what lies below the node does not depend on where it hangs.
        let members = self.at_and_below(node);
        let to = match self.believed(&signed) {
            Ok(Some(to)) => to,
            Ok(None) => return Ok(Ok(())),
            Err(why) => return Ok(Err(why)),
        };
        batch.entries.push(order.entry);
        batch.trust.moves.push(signed.clone());
        self.say_of_move(order, to);
        if node == self.me.node {
            if let Err(error) = self.follow(order, to, batch) {
                return Ok(Err(format!("{error:#}")));
            }
            // What a parent keeps for this node: what it erased, and where its audit stands.
            let erased = self.store.erasures_by(self.me.node).await?;
            batch.letters.extend(erased.into_iter().map(|erase| letter(to.node, Body::Erase(erase))));
            self.anchored = false;
        } else if !self.line.iter().any(|ancestor| ancestor.node == node) {
            self.find_ways(order, to, &members, batch);
            self.count_elsewhere(node, division, batch).await?;
        }
        self.moving.latest.insert(node, signed.clone());
        self.put_places();
        let neighbours = self.core.children().into_iter().chain(self.core.identity().parent);
        for neighbour in neighbours.filter(|neighbour| Some(*neighbour) != teller) {
            self.hand_move(neighbour, &signed, batch);
        }
        Ok(Ok(()))
    }

    /// The new parent that an order names, if the order counts and is news. The error says why it is not believed.
    fn believed(&mut self, signed: &SignedMove) -> Result<Option<Ancestor>, String> {
        let order = &signed.order;
        let (node, division) = (order.node(), order.entry.entry.division);
        if self.moving.latest.get(&node).is_some_and(|known| known.order.serial() >= order.serial()) {
            return Ok(None);
        }
        let to = order.to().ok_or("a move that contradicts itself")?;
        if !self.standing.anchors.signed(Some(division), &order.signed_bytes(), &signed.signature) {
            return Err("a move that no authority signed".to_owned());
        }
        self.directory.insert(order.entry).map_err(|e| e.to_string())?;
        if let Some(authority) = &mut self.authority {
            authority.resume_after(order.serial());
        }
        // A later entry under another parent: the node has moved on since. None: it was revoked.
        let counts = self.directory.get(node).is_some_and(|counts| counts.entry.parent == Some(to.node));
        Ok(counts.then_some(to))
    }

    /// Whoever runs one of the three nodes should know.
    fn say_of_move(&self, order: &Move, to: Ancestor) {
        let (node, division) = (order.node(), order.entry.entry.division);
        let (from, to) = (order.from, to.division);
        tracing::info!(%node, %division, from = %from.division, %to, "a node hangs elsewhere from now on");
        if [Some(node), order.entry.entry.parent, Some(from.node)].contains(&Some(self.me.node)) {
            let what = format!("{division} hangs below {to} from now on, and no longer below {}", from.division);
            self.alarm(AlarmKind::Move, what);
        }
    }

    /// What lies where, for the rules, the API and the figures.
    pub(super) fn put_places(&mut self) {
        self.publications.put_places(self.moving.places());
        self.shared.put_in_force(self.publications.holds());
    }

    /// A node with all nodes below it, as far as they are known.
    fn at_and_below(&self, node: NodeId) -> Vec<NodeId> {
        let mut below: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for signed in self.directory.all() {
            if let Some(parent) = signed.entry.parent {
                below.entry(parent).or_default().push(signed.entry.node);
            }
        }
        let mut members = vec![node];
        let mut at = 0;
        while let Some(member) = members.get(at).copied() {
            // Taken out, so that no circle of wrong entries goes round for ever.
            members.extend(below.remove(&member).unwrap_or_default());
            at += 1;
        }
        members
    }

    /// The ways to the nodes that moved: of the old parent and all above it up to the common ancestor one ends, of the new
    /// parent and all above it one begins.
    fn find_ways(&mut self, order: &Move, to: Ancestor, members: &[NodeId], batch: &mut Batch) {
        let node = order.node();
        let via = if to.node == self.me.node { Some(node) } else { self.core.route(to.node) };
        let ways: Vec<_> = members.iter().map(|member| (*member, self.core.route(*member), via)).collect();
        for (member, from, via) in &ways {
            let division = self.directory.get(*member).map(|signed| signed.entry.division);
            match (via, division) {
                (Some(via), Some(division)) => {
                    batch.routes.push(Route { member: *member, via: *via, division });
                    self.shared.registered(*member, division, *via);
                }
                _ if from.is_some() => {
                    batch.trust.routes_dropped.push(*member);
                    self.shared.moved_away(*member);
                }
                _ => {}
            }
            if from != via {
                batch.trust.former_ways.push((*member, from.unwrap_or(self.me.node)));
            }
        }
        if to.node == self.me.node {
            let Entry { division, tls_spki_sha256: spki, .. } = order.entry.entry;
            self.registry.admit(spki, node);
            batch.children.push(Child { node, division, spki });
        } else if order.from.node == self.me.node {
            batch.trust.children_revoked.push(node);
            self.moving.gone.insert(node);
        }
        let changed: Vec<NodeId> =
            ways.iter().filter(|(_, from, via)| from != via).map(|(member, ..)| *member).collect();
        self.feed(Input::Relocated { members: ways });
        batch.rerouted.extend(changed);
    }

    /// Cases of this node in the division that moved count for its new parent as well, which has none of them yet: their
    /// records go to the node that moved, and pass its new parent on the way.
    async fn count_elsewhere(
        &mut self,
        node: NodeId,
        division: DivisionCode,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let own = self.store.facts_owned_in(self.me.node, division).await?;
        if !own.is_empty() {
            batch.facts_due.extend(own.into_iter().map(|key| (node, key)));
            self.beat.forget();
        }
        Ok(())
    }

    /// This node hangs elsewhere. First the entry, then the parent, then the database: a start in between dials the old
    /// parent, which says it again, or the new one, which does so too.
    fn follow(&mut self, order: &Move, to: Ancestor, batch: &mut Batch) -> anyhow::Result<()> {
        let transport = self.standing.parent.as_ref().map(|parent| parent.transport).unwrap_or_default();
        let parent = ParentSection { id: to.node, address: order.address.as_str().to_owned(), transport };
        let mut enrolled = self.standing.newest.enrolled.clone();
        enrolled.entry = order.entry;
        self.standing.folder.save_enrolled(&enrolled)?;
        self.save_parent(&parent)?;
        self.standing.newest.enrolled = enrolled;
        // It follows an entry that no longer counts; when it is still due, it is asked for again.
        self.standing.give_up();
        self.standing.parent = Some(parent.clone());
        self.endpoint.reparent(Some(parent.dialled()));
        self.shared.set_parent(parent);
        batch.rehung = true;
        self.show();
        Ok(())
    }

    /// Tells a neighbour of a move. Where the new parent is reached through it, the entries of the nodes that moved go ahead;
    /// there, and toward the old parent, all of it goes on every lane: nothing for them, or from them, may come before.
    fn hand_move(&self, neighbour: NodeId, signed: &SignedMove, batch: &mut Batch) {
        let through = |node: NodeId| node == neighbour || self.core.route(node) == Some(neighbour);
        let leads = signed.order.to().is_some_and(|to| through(to.node));
        let urgencies: &[Urgency] = if leads || through(signed.order.from.node) {
            &[Urgency::Routine, Urgency::Statistics, Urgency::Bulk]
        } else {
            &[Urgency::Routine]
        };
        let entries: Vec<Body> = if leads {
            let members = self.at_and_below(signed.order.node());
            members.into_iter().filter_map(|member| self.directory.get(member)).map(Body::Entry).collect()
        } else {
            Vec::new()
        };
        for urgency in urgencies {
            for body in entries.iter().cloned().chain([Body::Moved(signed.clone())]) {
                batch.letters.push(Letter { to: neighbour, urgency: *urgency, receipted: true, body });
            }
        }
    }

    /// A neighbour was reached: it hears once a run of all moves, for it may be new, or an old copy of itself. The parent hears
    /// of those on this side, the top of all.
    pub(super) fn tell_moves(&mut self, neighbour: NodeId, batch: &mut Batch) {
        if !self.moving.told.insert(neighbour) || self.moving.latest.is_empty() {
            return;
        }
        let below = self.core.children().contains(&neighbour) || self.line.len() == 1;
        let mine = if below { Vec::new() } else { self.at_and_below(self.me.node) };
        let due = self.moving.latest.values().filter(|signed| below || mine.contains(&signed.order.node()));
        for signed in due.cloned().collect::<Vec<_>>() {
            self.hand_move(neighbour, &signed, batch);
        }
    }

    /// The link to a neighbour was reconciled: it may be an old copy of itself.
    pub(super) fn may_have_forgotten(&mut self, neighbour: NodeId) {
        self.moving.told.remove(&neighbour);
    }

    /// A child that hangs elsewhere by now has come back: it is told where, and refused.
    pub(super) fn turn_away(&mut self, peer: NodeId, connection: u64) -> bool {
        if self.core.is_neighbour(peer) {
            return false;
        }
        let Some(signed) = self.moving.gone().find(|signed| signed.order.node() == peer).cloned() else { return false };
        tracing::info!(%peer, "a child that hangs elsewhere by now was told so");
        self.endpoint.send(connection, FrameOut::Control(Control::Moved(Box::new(signed))));
        self.endpoint.close(connection, ELSEWHERE);
        true
    }
}
