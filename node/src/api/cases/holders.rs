//! Who holds what of a case, as far as this node knows: what it gave away itself, and what the chain tells.

use casework::{FollowerClass, Known};
use protocol::event::Act;
use protocol::id::NodeId;
use protocol::time::CivilDay;

use super::pieces::word;
use super::view::HolderView;
use crate::api::stamp;
use crate::api::state::ApiState;

/// Somebody who holds something of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holding {
    node: NodeId,
    class: FollowerClass,
    until: Option<CivilDay>,
    why: String,
}

/// The owner first, then those who owned it, then whoever was given something; the most first. One who holds everything is
/// not listed for a brief as well. What was given up to a day that has passed counts as gone; headers stay.
fn holdings(known: &Known, keep_days: u16, today: CivilDay) -> Vec<Holding> {
    let full = |node, until, why: &str| Holding { node, class: FollowerClass::Full, until, why: why.to_owned() };
    let owner = known.case().map(casework::Case::owner);
    let mut all: Vec<_> = owner.into_iter().map(|node| full(node, None, "owner")).collect();
    let former = known.owners().into_iter().filter(|node| Some(*node) != owner);
    all.extend(former.map(|node| full(node, known.former_owner_until(node, keep_days), "former-owner")));
    for header in known.chain().iter().map(|link| &link.header) {
        if let Act::Contributed { from, .. } = header.act {
            all.push(Holding {
                node: from,
                class: FollowerClass::Working,
                until: None,
                why: "contribution".to_owned(),
            });
        }
    }
    let mut followers: Vec<_> = known.followers().collect();
    followers.sort_by_key(|follower| std::cmp::Reverse(follower.class));
    all.extend(followers.into_iter().map(|follower| Holding {
        node: follower.node,
        class: follower.class,
        until: follower.until,
        why: follower.why.to_string(),
    }));
    for holding in all.iter_mut().filter(|h| h.until.is_some_and(|day| day < today)) {
        *holding = Holding { class: FollowerClass::Brief, until: None, ..holding.clone() };
    }
    // Of an erased case nobody holds more than the brief.
    let most = if known.erasures().next().is_some() { FollowerClass::Brief } else { FollowerClass::Full };
    let mut listed: Vec<Holding> = Vec::new();
    for holding in all {
        let holding = Holding { class: holding.class.min(most), ..holding };
        // A copy up to a day says less than one for good, and more than nothing.
        let covered = |held: &Holding| held.node == holding.node && held.class >= holding.class && held.until.is_none();
        if !listed.iter().any(covered) {
            listed.push(holding);
        }
    }
    listed
}

/// The same with names, as it is shown.
pub(super) fn holders(state: &ApiState, known: &Known) -> Vec<HolderView> {
    let view = |holding: Holding| HolderView {
        node: holding.node.to_string(),
        name: state.node_name(holding.node),
        class: word(holding.class),
        until: holding.until.map(|day| stamp::day(day.number())),
        why: holding.why,
    };
    let today = CivilDay::of(state.clock.wall());
    holdings(known, state.in_force().policy.keep_days, today).into_iter().map(view).collect()
}

#[cfg(test)]
mod tests {
    use casework::{Follower, Record};
    use protocol::bounded::Text;
    use protocol::id::CaseId;
    use protocol::time::{ClockReading, UnixMillis};

    use super::*;

    const TODAY: i32 = 20_000;

    fn follower(node: u8, class: FollowerClass, until: Option<i32>, why: &str) -> Record {
        Record::Follower(Follower {
            case: CaseId::from_bytes([1; 16]),
            node: NodeId::from_bytes([node; 16]),
            class,
            since: ClockReading::exact(UnixMillis(0)),
            until: until.and_then(CivilDay::from_number),
            why: Text::cut(why),
        })
    }

    fn listed(records: Vec<Record>) -> Vec<(u8, FollowerClass, String)> {
        let known = Known::assemble(CaseId::from_bytes([1; 16]), records);
        let today = CivilDay::from_number(TODAY).expect("a day");
        holdings(&known, 30, today).into_iter().map(|h| (h.node.as_bytes()[0], h.class, h.why)).collect()
    }

    #[test]
    fn whoever_holds_more_stands_first_and_is_not_listed_for_less() {
        let records = vec![
            follower(1, FollowerClass::Brief, None, "ceiling"),
            follower(2, FollowerClass::Brief, None, "offer"),
            follower(2, FollowerClass::Full, None, "owner"),
        ];
        let expected = [(2, FollowerClass::Full, "owner".to_owned()), (1, FollowerClass::Brief, "ceiling".to_owned())];
        assert_eq!(listed(records), expected);
    }

    #[test]
    fn a_copy_up_to_a_day_does_not_hide_the_brief_that_stays() {
        let records = vec![
            follower(1, FollowerClass::Full, Some(TODAY), "view"),
            follower(1, FollowerClass::Brief, None, "ceiling"),
        ];
        let expected = [(1, FollowerClass::Full, "view".to_owned()), (1, FollowerClass::Brief, "ceiling".to_owned())];
        assert_eq!(listed(records), expected);
    }

    #[test]
    fn a_copy_whose_day_has_passed_counts_as_the_brief_that_is_left() {
        let records = vec![follower(1, FollowerClass::Full, Some(TODAY - 1), "view")];
        assert_eq!(listed(records), [(1, FollowerClass::Brief, "view".to_owned())]);
    }
}
