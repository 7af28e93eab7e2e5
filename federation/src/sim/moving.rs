//! A node hangs elsewhere from some moment on. The top orders it, or an operator hands the order to any node; from there it
//! spreads over the links, as bundles.

use std::collections::BTreeMap;

use protocol::bounded::{List, Text};
use protocol::chain::Signature;
use protocol::directory::Ancestor;
use protocol::id::NodeId;
use protocol::moving::{Move, SignedMove};

use super::fault::Fault;
use super::node::moment;
use super::world::{Event, World};
use super::{Application, tree};

/// A node that is down or busy is handed an order again after so long, milliseconds.
const AGAIN_MS: u64 = 50;

impl<A: Application> World<A> {
    /// The top orders that a node hangs below `to` from now on, with all below it. False where that makes no sense: below
    /// itself, where it hangs already, or at another level.
    pub fn order_move(&mut self, node: NodeId, to: NodeId) -> bool {
        let Some(top) = self.top() else { return false };
        let Some(ways) = self.members.get(&top).map(|member| &member.disk.ways) else { return false };
        let level = |node: &NodeId| self.members.get(node).map(|member| member.identity.division.level());
        let Some(from) = ways.parents.get(&node).copied().filter(|from| *from != to && level(from) == level(&to))
        else {
            return false;
        };
        if self.cut_off().contains(&node) || self.cut_off().contains(&to) || ways.line_of(to).contains(&node) {
            return false;
        }
        let line = ways.line_of(to);
        let Some(signed) = self.order(node, from, &line) else { return false };
        self.count(Fault::Move);
        self.happen(Event::Ordered { at: top, signed: Box::new(signed) });
        true
    }

    /// An order that no node has heard of yet.
    pub(super) fn order(&mut self, node: NodeId, from: NodeId, line: &[NodeId]) -> Option<SignedMove> {
        self.serial = self.serial.saturating_add(1);
        let placed =
            |node: NodeId| self.members.get(&node).map(|member| Ancestor { node, division: member.identity.division });
        let line: Vec<_> = line.iter().filter_map(|above| placed(*above)).collect();
        let mut entry = tree::entry(node, placed(node)?.division, line.first().map(|to| to.node));
        entry.entry.serial = self.serial;
        let (by, from) = (line.last()?.node, placed(from)?);
        let order = Move { entry, from, line: List::new(line).ok()?, address: Text::cut("parent:7443"), by };
        Some(SignedMove { order, signature: Signature([0; 64]) })
    }

    pub(super) fn top(&self) -> Option<NodeId> {
        self.members.iter().find(|(_, member)| member.identity.parent.is_none()).map(|(node, _)| *node)
    }

    /// An operator hands an order to a node; a node that is down or busy gets it later.
    pub(super) fn hand(&mut self, at: NodeId, signed: Box<SignedMove>) {
        if !self.hears_of_move(at, &signed) {
            self.at(AGAIN_MS, Event::Ordered { at, signed });
        }
    }

    /// A node is handed an order. False while it is down or busy: then it has heard nothing.
    pub(super) fn hears_of_move(&mut self, at: NodeId, signed: &SignedMove) -> bool {
        let now_ms = self.now_ms;
        let Some(member) = self.members.get_mut(&at) else { return true };
        let now = moment(now_ms, member.wall_offset_ms);
        let mut wishes = Vec::new();
        let heard = member.live.as_mut().is_some_and(|live| live.ordered(now, signed, &member.disk, &mut wishes));
        self.grant(at, wishes);
        heard
    }

    /// The latest order for each node that any disk has.
    pub(super) fn latest_moves(&self) -> BTreeMap<NodeId, &SignedMove> {
        let mut latest: BTreeMap<NodeId, &SignedMove> = BTreeMap::new();
        for signed in self.members.values().flat_map(|member| member.disk.ways.moves.values()) {
            let known = latest.entry(signed.order.node()).or_insert(signed);
            if known.order.serial() < signed.order.serial() {
                *known = signed;
            }
        }
        latest
    }

    /// A node and those above it where the latest orders are followed.
    pub(super) fn line_as_ordered(&self, node: NodeId) -> Vec<NodeId> {
        let (latest, first) = (self.latest_moves(), &self.first_parents);
        let ordered = |at: &NodeId| latest.get(at).and_then(|signed| signed.order.to()).map(|to| to.node);
        let above = |at: &NodeId| ordered(at).or_else(|| first.get(at).copied());
        std::iter::successors(Some(node), above).take(16).collect()
    }

    /// The authority may be an old copy, and all of its children as well: an operator hands it what only others know.
    pub(super) fn remind_top(&mut self) {
        let Some(top) = self.top() else { return };
        let latest: Vec<_> = self.latest_moves().into_values().cloned().collect();
        for signed in latest {
            self.hand(top, Box::new(signed));
        }
    }

    /// Whether a node has heard all orders, follows its own, and sees its line.
    pub(super) fn is_aware(&self, node: NodeId) -> bool {
        let Some(member) = self.members.get(&node) else { return false };
        let known = &member.disk.ways.moves;
        let knows = |signed: &&SignedMove| {
            known.get(&signed.order.node()).is_some_and(|known| known.order.serial() == signed.order.serial())
        };
        let line = std::iter::once(node).chain(member.disk.line.iter().map(|above| above.node));
        self.latest_moves().values().all(knows) && line.eq(self.line_as_ordered(node))
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::{BundleId, NodeId};
    use protocol::moving::SignedMove;
    use protocol::wire::bundle::Urgency;

    use super::super::Raised;
    use super::super::stage::Stage;

    const CITY: usize = 0;
    const COUNTY: usize = 1;
    const OLD: usize = 2;
    const NEW: usize = 3;
    const COMMUNITY: usize = 4;
    const GRID: usize = 6;

    /// The scene, and what was sent in it: to whom, and which bundle.
    struct Play {
        stage: Stage,
        sent: Vec<(usize, BundleId)>,
        order: SignedMove,
    }

    impl Play {
        /// A city, a county, two townships, each with a community and a grid.
        fn new(seed: u64) -> Self {
            let mut stage = Stage::seeded(seed, &[1, 2, 1, 1]);
            let line = [NEW, COUNTY, CITY].map(|at| stage.nodes[at]);
            let order = stage.world.order(stage.nodes[COMMUNITY], stage.nodes[OLD], &line).unwrap();
            Self { stage, sent: Vec::new(), order }
        }

        fn send(&mut self, from: usize, to: usize, urgency: Urgency) {
            let id = self.stage.send(from, to, urgency);
            self.sent.push((to, id));
        }

        /// Over a link the order goes ahead of what follows it; here the lower node hears first.
        fn hears(&mut self, at: usize) {
            let at = self.stage.nodes[at];
            while !self.stage.world.hears_of_move(at, &self.order) {
                self.stage.pass(20);
            }
        }

        fn cut(&mut self, child: usize) {
            self.stage.world.cut(self.stage.nodes[child]);
        }

        fn mend(&mut self, child: usize) {
            self.stage.world.mend_after(self.stage.nodes[child], 0);
        }

        fn ends_well(self) {
            let nodes = self.stage.nodes.clone();
            let world = self.stage.ends_well(&self.sent);
            assert_eq!(world.counters.raised(Raised::Misrouted), 0, "nothing that is under way is kept aside");
            let line: Vec<NodeId> = world.disk(nodes[GRID]).unwrap().line.iter().map(|a| a.node).collect();
            let expected: Vec<NodeId> = [COMMUNITY, NEW, COUNTY, CITY].iter().map(|at| nodes[*at]).collect();
            assert_eq!(line, expected, "the grid sees the new line");
        }
    }

    /// What is under way in both directions when the community moves: its escalations wait at the old township, which is
    /// cut off, and orders wait at the county and at the township itself.
    fn under_way(play: &mut Play) {
        play.cut(OLD);
        for urgency in [Urgency::Orange, Urgency::Routine, Urgency::Statistics] {
            play.send(GRID, CITY, urgency);
            play.send(COMMUNITY, COUNTY, urgency);
        }
        play.send(CITY, GRID, Urgency::Orange);
        play.send(COUNTY, COMMUNITY, Urgency::Bulk);
        play.cut(COMMUNITY);
        play.send(OLD, GRID, Urgency::Routine);
        play.send(5, GRID, Urgency::Routine);
    }

    #[test]
    fn scenario_14_a_community_moves_while_its_old_township_is_cut_off() {
        for seed in 0..20 {
            let mut play = Play::new(seed);
            under_way(&mut play);
            [NEW, COUNTY].into_iter().for_each(|at| play.hears(at));
            play.stage.pass(500);
            play.mend(COMMUNITY);
            play.hears(COMMUNITY);
            play.stage.pass(10_000);
            play.send(CITY, GRID, Urgency::Routine);
            play.send(GRID, CITY, Urgency::Routine);
            play.stage.pass(8_000);
            let (last, id) = *play.sent.last().unwrap();
            assert!(
                play.stage.world.disk(play.stage.nodes[last]).unwrap().bundles.contains_key(&id),
                "seed {seed}: by the new way"
            );
            // The old township comes back and hears of it, ahead of what nodes that moved send it by the new way. What was on
            // its way before comes as well, in both directions.
            play.mend(OLD);
            play.hears(OLD);
            play.send(OLD, GRID, Urgency::Routine);
            play.ends_well();
        }
    }

    #[test]
    fn scenario_14_the_community_hears_of_it_last_and_works_on_under_the_old_township() {
        for seed in 0..20 {
            let mut play = Play::new(seed);
            play.send(CITY, GRID, Urgency::Routine);
            play.cut(OLD);
            [NEW, COUNTY].into_iter().for_each(|at| play.hears(at));
            play.send(CITY, GRID, Urgency::Orange);
            play.send(GRID, CITY, Urgency::Orange);
            play.send(GRID, OLD, Urgency::Routine);
            play.mend(OLD);
            play.stage.pass(5_000);
            play.hears(OLD);
            play.stage.pass(2_000);
            play.hears(COMMUNITY);
            play.send(GRID, CITY, Urgency::Statistics);
            play.ends_well();
        }
    }
}
