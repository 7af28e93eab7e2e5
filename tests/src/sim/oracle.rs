//! What must be so once everything has healed and drained.

use std::collections::{BTreeMap, BTreeSet};

use federation::sim::World;
use protocol::chain::{Epoch, Head};
use protocol::event::Act;
use protocol::id::{CaseId, NodeId, OrderId};

use super::app::CityApp;

/// Checks a settled world. What is wrong, in words.
pub(super) fn check(world: &World<CityApp>, top: NodeId, restored: &BTreeSet<NodeId>) -> Vec<String> {
    let mut wrong = Vec::new();
    let apps: BTreeMap<NodeId, &CityApp> = world.nodes().filter_map(|node| Some((node, world.app(node)?))).collect();
    let Some(city) = apps.get(&top) else { return vec!["the top is down".to_owned()] };
    let mut owners: BTreeMap<CaseId, NodeId> = BTreeMap::new();
    let mut owned_cells: BTreeMap<Cell, i64> = BTreeMap::new();
    let mirror: BTreeMap<CaseId, Head> = city.cases().map(|case| (case.id, case.head)).collect();
    for (node, app) in &apps {
        for case in app.cases().filter(|case| case.owned_by(*node)) {
            if let Some(other) = owners.insert(case.id, *node) {
                wrong.push(format!("{} is owned by {other} and by {node}", case.id));
            }
            let cell = (case.level().map_or(0, |l| l.rank()), case.brief.category.0, case.brief.place.number());
            if !case.brief.void {
                *owned_cells.entry(cell).or_default() += 1;
            }
            if case.escalated() && *node != top && mirror.get(&case.id) != Some(&case.head) {
                wrong.push(format!(
                    "{} of {node}, followed up to {:?}, stands at {:?}, at the top at {:?}",
                    case.id,
                    case.brief.ceiling,
                    case.head,
                    mirror.get(&case.id)
                ));
            }
            wrong.extend(received_twice(app, case.id));
        }
        wrong.extend(app.cases().filter_map(|case| fenced(app, case.id, case.head.epoch)));
    }
    wrong.extend(figures(city, &owned_cells, &owners, restored));
    wrong
}

type Cell = (u8, u16, u64);

/// A later epoch is never undone: nothing that a former owner wrote stands above the header that took the case from it.
fn fenced(app: &CityApp, case: CaseId, stands: Epoch) -> Option<String> {
    let known = app.known(case);
    let later = known.aside().map(|(header, _)| header.epoch).max().filter(|epoch| *epoch > stands)?;
    Some(format!("{case} stands in {stands:?} although {later:?} had begun"))
}

/// One order enters a chain once.
fn received_twice(app: &CityApp, case: CaseId) -> Vec<String> {
    let mut seen: BTreeSet<OrderId> = BTreeSet::new();
    let known = app.known(case);
    let mut wrong = Vec::new();
    for event in known.history() {
        if let Act::OrderReceived { order } = event.header.act
            && !seen.insert(order)
        {
            wrong.push(format!("{case} received the order {order} twice"));
        }
    }
    wrong
}

/// The top's facts count as the owners' cases do. A case that only a restored node had, and that no level above held more
/// of than its fact, is gone with what its backup did not have: its fact may stand without it.
fn figures(
    city: &CityApp,
    owned: &BTreeMap<Cell, i64>,
    owners: &BTreeMap<CaseId, NodeId>,
    restored: &BTreeSet<NodeId>,
) -> Vec<String> {
    let mut cells: BTreeMap<Cell, i64> = BTreeMap::new();
    let mut excused = 0_i64;
    for fact in city.facts().filter(|fact| !fact.void) {
        let known = fact.case.is_none_or(|case| owners.contains_key(&case));
        if restored.contains(&fact.owner_node) || !known {
            excused += 1;
        }
        let cell = (fact.level.map_or(0, |l| l.rank()), fact.category.0, fact.place.number());
        *cells.entry(cell).or_default() += 1;
    }
    let keys: BTreeSet<_> = cells.keys().chain(owned.keys()).copied().collect();
    let off: i64 = keys.iter().map(|k| (cells.get(k).unwrap_or(&0) - owned.get(k).unwrap_or(&0)).abs()).sum();
    if off > excused * 2 {
        let what = format!(
            "the figures of the top differ from the owners' cases by {off}, of which a restore excuses {excused}"
        );
        return vec![what];
    }
    Vec::new()
}
