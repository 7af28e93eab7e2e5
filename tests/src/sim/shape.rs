//! How large a city is, and its divisions.

use protocol::division::DivisionCode;
use protocol::id::NodeId;

/// How large a city is and how much happens in it.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Children of a city, a county, a township, a community.
    pub width: [usize; 4],
    /// Things that people do.
    pub commands: usize,
    /// Things that go wrong.
    pub faults: usize,
    /// Between two times that people act, at most, milliseconds of virtual time.
    pub pause_ms: u64,
    /// Things that people of one node do at one time, at most: they go into one transaction.
    pub burst: usize,
}

impl Default for Shape {
    /// 1 + 2 + 4 + 8 + 16 nodes.
    fn default() -> Self {
        Self { width: [2, 2, 2, 2], commands: 300, faults: 20, pause_ms: 400, burst: 2 }
    }
}

impl Shape {
    /// The default, with at least so many nodes.
    pub fn of(nodes: usize) -> Self {
        let mut shape = Self::default();
        let count = |[a, b, c, d]: [usize; 4]| 1 + a + a * b + a * b * c + a * b * c * d;
        // Wider at the bottom first, one level after the other.
        for level in [3, 2, 1, 0].into_iter().cycle() {
            if count(shape.width) >= nodes {
                break;
            }
            shape.width[level] += 1;
        }
        shape
    }
}

/// Each division with its node and the node above, parents before their children.
pub(super) type Tree = Vec<(NodeId, DivisionCode, Option<NodeId>)>;

pub(super) fn tree(shape: &Shape) -> Tree {
    let mut tree = Vec::new();
    let mut level: Vec<(NodeId, u64)> = vec![(node(0), 330_600_000_000_000)];
    tree.push((node(0), code(330_600_000_000_000), None));
    let steps = [1_000_000_000, 1_000_000, 1_000, 1];
    for (width, step) in shape.width.into_iter().zip(steps) {
        let mut next = Vec::new();
        for (parent, number) in level {
            for child in 1..=width {
                let number = number + step * u64::try_from(child).unwrap_or(1);
                let id = node(u32::try_from(tree.len()).unwrap_or(u32::MAX));
                tree.push((id, code(number), Some(parent)));
                next.push((id, number));
            }
        }
        level = next;
    }
    tree
}

fn node(index: u32) -> NodeId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(index + 1).to_be_bytes());
    NodeId::from_bytes(bytes)
}

fn code(number: u64) -> DivisionCode {
    DivisionCode::from_number(number).unwrap_or_else(|error| panic!("{number}: {error}"))
}
