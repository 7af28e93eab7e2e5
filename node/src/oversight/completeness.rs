//! Is a figure whole? Whose figures are here as their owners state them, and as of when.

use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::time::UnixMillis;

use crate::store::figures::MarkRow;

/// Why the figures of a member are not counted as complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It never stated any.
    Never,
    /// It was not heard of for too long: what it has done since is not here.
    Silent,
    /// What is here is not what it states.
    Unequal,
}

/// A member whose figures are not complete here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The member.
    pub member: NodeId,
    /// Where it hangs.
    pub division: DivisionCode,
    /// Why.
    pub why: Why,
    /// Since when, by this node's clock; none when it was never heard of.
    pub since: Option<UnixMillis>,
}

/// How whole the figures of an area are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// Nodes whose figures belong in it, this one among them.
    pub expected: usize,
    /// Of these, those whose figures are here as they state them.
    pub complete: usize,
    /// The others, by division.
    pub missing: Vec<Missing>,
    /// The earliest moment as of which a complete node states its figures; this node's own are as of now.
    pub as_of: UnixMillis,
}

/// Judges members by what they last stated. `stale_ms` is how long one may be silent.
pub fn completeness(members: &[MarkRow], now: UnixMillis, stale_ms: i64) -> Completeness {
    let mut missing = Vec::new();
    let mut as_of = now;
    for row in members {
        let (why, since) = match (row.received_at, row.unequal_since) {
            (None, _) => (Why::Never, None),
            // Silence tells more: a member that is cut off may be unequal only because of what came before the cut.
            (Some(received), _) if now.0.saturating_sub(received.0) > stale_ms => (Why::Silent, Some(received)),
            (_, Some(since)) => (Why::Unequal, Some(since)),
            _ => {
                as_of = row.as_of.map_or(as_of, |at| at.min(as_of));
                continue;
            }
        };
        missing.push(Missing { member: row.member, division: row.division, why, since });
    }
    Completeness { expected: members.len() + 1, complete: members.len() + 1 - missing.len(), missing, as_of }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(received_at: Option<i64>, unequal_since: Option<i64>) -> MarkRow {
        MarkRow {
            member: NodeId::from_bytes([1; 16]),
            division: "330602001001001".parse().unwrap(),
            as_of: received_at.map(|at| UnixMillis(at - 5)),
            received_at: received_at.map(UnixMillis),
            unequal_since: unequal_since.map(UnixMillis),
        }
    }

    #[test]
    fn each_member_is_complete_or_says_why_not_and_since_when() {
        let rows = [row(Some(900), None), row(None, None), row(Some(950), Some(940)), row(Some(100), Some(90))];
        let whole = completeness(&rows, UnixMillis(1_000), 500);
        assert_eq!((whole.expected, whole.complete, whole.as_of), (5, 2, UnixMillis(895)));
        let why: Vec<_> = whole.missing.iter().map(|m| (m.why, m.since.map(|at| at.0))).collect();
        assert_eq!(why, [(Why::Never, None), (Why::Unequal, Some(940)), (Why::Silent, Some(100))]);
    }

    #[test]
    fn a_node_alone_is_complete_as_of_now() {
        let whole = completeness(&[], UnixMillis(7), 1);
        assert_eq!((whole.expected, whole.complete, whole.as_of), (1, 1, UnixMillis(7)));
    }
}
