//! A node that hangs below another parent from now on, and what lies in which division once nodes have moved.
//!
//! A division that moves keeps its code, so its code no longer tells what contains it. Whoever asks what lies where asks
//! [`Moves`]; whoever compares codes alone gets the answer of the day on which the codes were given.

use bincode::{Decode, Encode};

use crate::bounded::{List, Text};
use crate::chain::Signature;
use crate::directory::{Ancestor, SignedEntry};
use crate::division::{DivisionCode, Level};
use crate::id::NodeId;
use crate::wire::codec;
use crate::wire::limits::ANCESTORS_MAX;

/// A node moves. Its entry, which names the new parent and keeps node, division and keys, is the membership that counts
/// from now on; the rest is what those concerned must know besides.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Move {
    /// The entry of the node under its new parent.
    pub entry: SignedEntry,
    /// The parent before.
    pub from: Ancestor,
    /// The line above the node from now on, its new parent first, the top last.
    pub line: List<Ancestor, ANCESTORS_MAX>,
    /// Where the new parent listens: `host:port`.
    pub address: Text<200>,
    /// The node that ordered it.
    pub by: NodeId,
}

impl Move {
    /// The node that moves.
    pub fn node(&self) -> NodeId {
        self.entry.entry.node
    }

    /// Counts the memberships of the node: the serial of the entry.
    pub fn serial(&self) -> u64 {
        self.entry.entry.serial
    }

    /// The new parent, if the order holds together: the entry and the line name the same one.
    pub fn to(&self) -> Option<Ancestor> {
        let to = self.line.first().copied()?;
        (self.entry.entry.parent == Some(to.node) && to.node != self.from.node).then_some(to)
    }

    /// What the authority signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"wuji move 1".to_vec();
        bytes.extend_from_slice(&codec::encode_unbounded(self));
        bytes
    }
}

/// Bytes of a move with its proof, wherever it is kept or written down.
pub const MOVE_BYTES_MAX: usize = 4096;

/// A move with its proof: the authority's, so that anybody may hand it on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct SignedMove {
    /// The move.
    pub order: Move,
    /// The authority's Ed25519 signature over [`Move::signed_bytes`].
    pub signature: Signature,
}

/// A node above both wants one below it to hang elsewhere below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct MoveAsked {
    /// The node that shall move.
    pub node: NodeId,
    /// Its new parent.
    pub to: NodeId,
    /// Where that listens: `host:port`.
    pub address: Text<200>,
}

/// The authority did not issue a move, to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct MoveRefused {
    /// The node that stays where it is.
    pub node: NodeId,
    /// Why, for people.
    pub reason: Text<200>,
}

/// A division that hangs elsewhere than its code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moved {
    division: DivisionCode,
    under: DivisionCode,
}

/// Which divisions hang elsewhere than their codes say. Cheap to ask while none does, which is nearly always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves(Vec<Moved>);

/// What has moved can lie in what has moved, once a level.
const DEPTH_MAX: usize = 8;

impl Moves {
    /// From each node's latest move, in any order.
    pub fn of<'a>(latest: impl IntoIterator<Item = &'a Move>) -> Self {
        let moved = latest.into_iter().filter_map(|order| {
            let (division, under) = (order.entry.entry.division, order.to()?.division);
            // Back where its code says, it needs no more than its code.
            (code_above(division, under) != Some(under)).then_some(Moved { division, under })
        });
        Self(moved.collect())
    }

    /// Whether every division lies where its code says.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The innermost division around a place that has moved.
    fn around(&self, place: DivisionCode) -> Option<Moved> {
        let around = self.0.iter().copied().filter(|moved| moved.division.contains(place));
        around.max_by_key(|moved| moved.division.level())
    }

    /// Whether `place` is `outer` or lies inside it.
    pub fn contains(&self, outer: DivisionCode, place: DivisionCode) -> bool {
        let mut at = place;
        for _ in 0..DEPTH_MAX {
            match self.around(at).filter(|moved| !moved.division.contains(outer)) {
                Some(moved) => at = moved.under,
                None => break,
            }
        }
        outer.contains(at)
    }

    /// What lies in a division although its code does not say so.
    pub fn came_to(&self, outer: DivisionCode) -> impl Iterator<Item = DivisionCode> {
        let came = self.0.iter().map(|moved| moved.division).filter(move |came| !outer.contains(*came));
        came.filter(move |came| self.contains(outer, *came))
    }

    /// The division of this level around a place, or the nearest above that it has.
    pub fn cut(&self, place: DivisionCode, level: Level) -> DivisionCode {
        let mut at = place;
        for _ in 0..DEPTH_MAX {
            match self.around(at).filter(|moved| moved.division.level() > level) {
                Some(moved) => at = moved.under,
                None => break,
            }
        }
        std::iter::successors(Some(at), |code| code.parent()).find(|code| code.level() <= level).unwrap_or(at)
    }

    /// The numbers of all that lies in a division, as ranges from a first to one that is no longer in it. One, as long as
    /// nothing has moved.
    pub fn ranges(&self, outer: DivisionCode) -> Vec<(u64, u64)> {
        let own = range(outer);
        if self.is_empty() {
            return vec![own];
        }
        let mut ends: Vec<u64> =
            self.0.iter().map(|moved| range(moved.division)).chain([own]).flat_map(|(a, b)| [a, b]).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for (from, to) in ends.iter().copied().zip(ends.iter().copied().skip(1)) {
            let inside = DivisionCode::from_number(from).is_ok_and(|code| self.contains(outer, code));
            match ranges.last_mut() {
                Some((_, end)) if inside && *end == from => *end = to,
                _ if inside => ranges.push((from, to)),
                _ => {}
            }
        }
        ranges
    }
}

/// The inside of a division as a range of numbers, by its code alone.
fn range(division: DivisionCode) -> (u64, u64) {
    let from = division.number();
    (from, from.saturating_add(division.level().span()))
}

/// The nearest division above by code that has the level of `under`, or lies above it.
fn code_above(division: DivisionCode, under: DivisionCode) -> Option<DivisionCode> {
    std::iter::successors(division.parent(), |code| code.parent()).find(|code| code.level() <= under.level())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Entry, SealingKey, SigningKey};
    use crate::time::UnixMillis;

    fn code(text: &str) -> DivisionCode {
        text.parse().unwrap()
    }

    fn order(division: &str, under: &str) -> Move {
        let node = |n: u8| NodeId::from_bytes([n; 16]);
        let to = Ancestor { node: node(2), division: code(under) };
        let entry = Entry {
            node: node(1),
            division: code(division),
            parent: Some(to.node),
            signing: SigningKey([0; 32]),
            sealing: SealingKey([0; 32]),
            tls_spki_sha256: [0; 32],
            serial: 1,
            issued: UnixMillis(0),
        };
        Move {
            entry: SignedEntry { entry, signature: Signature([0; 64]) },
            from: Ancestor { node: node(3), division: code("330602001000") },
            line: List::new(vec![to]).unwrap(),
            address: Text::default(),
            by: node(4),
        }
    }

    fn moves(all: &[(&str, &str)]) -> Moves {
        let orders: Vec<Move> = all.iter().map(|(division, under)| order(division, under)).collect();
        Moves::of(&orders)
    }

    #[test]
    fn what_moved_lies_in_the_new_parent_and_all_above_it_and_no_longer_in_the_old_one() {
        let moves = moves(&[("330602001001", "330603002000")]);
        for inside in ["330600000000", "330603000000", "330603002000", "330602001001", "330602001001001"] {
            assert!(moves.contains(code(inside), code("330602001001001")), "{inside}");
        }
        for outside in ["330602000000", "330602001000", "330603001000"] {
            assert!(!moves.contains(code(outside), code("330602001001001")), "{outside}");
        }
        assert!(moves.contains(code("330602001000"), code("330602001002001")), "its neighbours stay");
        let came = |to: &str| moves.came_to(code(to)).count();
        assert_eq!((came("330603002000"), came("330602001000"), came("330600000000")), (1, 0, 0));
    }

    #[test]
    fn a_cut_by_a_level_above_what_moved_follows_it_and_one_below_needs_not() {
        let moves = moves(&[("330602001001", "330603002000")]);
        let cut = |level| moves.cut(code("330602001001001"), level).to_string();
        assert_eq!(cut(Level::County), "330603000000");
        assert_eq!(cut(Level::Township), "330603002000");
        assert_eq!(cut(Level::Community), "330602001001");
        assert_eq!(cut(Level::Grid), "330602001001001");
        assert_eq!(moves.cut(code("330602001002"), Level::Township), code("330602001000"));
    }

    #[test]
    fn what_moved_inside_what_moved_is_followed_through_both() {
        let moves = moves(&[("330602001001", "330603002000"), ("330603002000", "330604000000")]);
        assert!(moves.contains(code("330604000000"), code("330602001001001")));
        assert!(!moves.contains(code("330603000000"), code("330602001001001")));
    }

    #[test]
    fn back_home_it_is_where_its_code_says() {
        assert!(moves(&[("330602001001", "330602001000")]).is_empty());
    }

    #[test]
    fn the_ranges_of_two_townships_and_of_their_county_hold_each_place_once() {
        let moves = moves(&[("330602001001", "330602002000")]);
        let (old, new) = (code("330602001000"), code("330602002000"));
        let within = |outer: DivisionCode, place: &str| {
            let ranges = moves.ranges(outer);
            ranges.iter().filter(|(from, to)| (*from..*to).contains(&code(place).number())).count()
        };
        for place in ["330602001001", "330602001001009", "330602001002", "330602002000", "330602002003001"] {
            assert_eq!(within(old, place) + within(new, place), 1, "{place}");
            assert_eq!(within(code("330602000000"), place), 1, "{place}");
        }
        assert_eq!(within(new, "330602001001001"), 1);
        assert_eq!(moves.ranges(code("330602001001")).len(), 1, "who asks for it alone gets it, wherever it hangs");
    }

    #[test]
    fn an_order_whose_line_and_entry_disagree_names_no_parent() {
        let sound = order("330602001001", "330602002000");
        assert!(sound.to().is_some());
        let elsewhere = Ancestor { node: NodeId::from_bytes([9; 16]), division: code("330602002000") };
        assert_eq!(Move { line: List::new(vec![elsewhere]).unwrap(), ..sound }.to(), None);
    }

    #[test]
    fn what_moved_into_itself_is_followed_no_further_than_there_are_levels() {
        let circle = moves(&[("330602001000", "330603001000"), ("330603001000", "330602001000")]);
        assert!(!circle.contains(code("330604000000"), code("330602001001")));
        assert!(circle.contains(code("330600000000"), code("330602001001")));
        assert_eq!(circle.cut(code("330602001001"), Level::City), code("330600000000"));
    }
}
