//! What must be so once everything has healed and drained.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use casework::{Known, OrderFile};
use federation::sim::World;
use protocol::chain::Head;
use protocol::event::{Act, Content};
use protocol::fact::CaseFact;
use protocol::id::{CaseId, CaseKey, EventId, NodeId, OrderId};

use super::app::CityApp;
use super::revoked::{Revoked, orphans};

/// Checks a settled world. What is wrong, in words.
pub(super) fn check(
    world: &World<CityApp>,
    top: NodeId,
    restored: &BTreeSet<NodeId>,
    revoked: &Revoked,
) -> Vec<String> {
    let mut wrong = revoked.heard(world);
    // What a node that is revoked thinks itself is nobody's concern, and of its figures the last that came stand.
    let members = world.nodes().filter(|node| !revoked.contains(*node));
    let apps: BTreeMap<NodeId, &CityApp> = members.filter_map(|node| Some((node, world.app(node)?))).collect();
    let restored: &BTreeSet<NodeId> = &restored.iter().copied().chain(revoked.nodes()).collect();
    let Some(city) = apps.get(&top) else { return vec!["the top is down".to_owned()] };
    let mut owners: BTreeMap<CaseId, NodeId> = BTreeMap::new();
    let mut owned: BTreeMap<CaseKey, Owned> = BTreeMap::new();
    let head = |known: Rc<Known>| known.case().map(|case| (case.id, case.head));
    let mirror: BTreeMap<CaseId, Head> = city.cases().filter_map(head).collect();
    for (node, app) in &apps {
        for known in app.cases() {
            wrong.extend(fenced(&known));
            let Some(case) = known.case().filter(|case| case.owned_by(*node)) else { continue };
            if let Some(other) = owners.insert(case.id, *node) {
                wrong.push(format!("{} is owned by {other} and by {node}", case.id));
            }
            let cell = (case.level().map_or(0, |l| l.rank()), case.brief.category.0, case.brief.place.number());
            let cell = (!case.brief.void).then_some(cell);
            if let Some((key, _)) = known.key() {
                owned.insert(key, Owned { case: case.id, by: *node, cell });
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
            wrong.extend(received_twice(&known));
            wrong.extend(asked_of_another(&apps, &known));
        }
        wrong.extend(
            app.refused().iter().map(|what| format!("{node} refused what an earlier program could not read: {what}")),
        );
        let amiss = app.unequal().filter(|member| !restored.contains(member));
        wrong.extend(amiss.map(|member| format!("the figures of {member} are not at {node} what it states")));
    }
    for (node, app) in &apps {
        wrong.extend(app.cases().flat_map(|known| vanished(&apps, &owners, *node, &known)));
    }
    // What was on its way to a node that is revoked never comes there: its fact stands, and nobody may have it.
    let on_their_way = apps.values().flat_map(|app| app.cases());
    let on_their_way = on_their_way.filter(|known| known.case().is_some_and(|case| revoked.contains(case.owner())));
    let lost: BTreeSet<CaseKey> = on_their_way.filter_map(|known| Some(known.key()?.0)).collect();
    wrong.extend(figures(city, &owned, &lost, restored));
    wrong.extend(orphaned(&apps, revoked));
    wrong
}

/// A case with which something can still be done does not stay with a node that is revoked, where anybody above holds it.
fn orphaned(apps: &BTreeMap<NodeId, &CityApp>, revoked: &Revoked) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, app) in apps {
        for owner in revoked.nodes().filter(|owner| app.is_above(*owner)) {
            let left = orphans(app, owner).into_iter();
            wrong.extend(
                left.map(|case| format!("{case} still belongs to {owner}, which is revoked, at {at} above it")),
            );
        }
    }
    wrong
}

/// What one node is asked to approve lies with no other.
fn asked_of_another(apps: &BTreeMap<NodeId, &CityApp>, owner: &Known) -> Vec<String> {
    let asked = owner.orders().filter(|file| file.order.asked.is_of_a_node());
    let lies_with = |file: &OrderFile| {
        let (order, to) = (file.order.id, file.to);
        let holds = apps.iter().filter(move |(node, app)| {
            let held = app.holds(owner.id()).then(|| app.known(owner.id()));
            let with = held.and_then(|known| known.order(order).map(|file| file.to));
            with == Some(**node) && to != **node
        });
        holds.map(move |(node, _)| format!("{node} has {order}, which was asked of {to}")).collect::<Vec<_>>()
    };
    asked.flat_map(lies_with).collect()
}

/// Level, category and place.
type Cell = (u8, u16, u64);

/// A case as its owner has it.
struct Owned {
    case: CaseId,
    by: NodeId,
    /// Where it counts; nowhere when it is void.
    cell: Option<Cell>,
}

/// What a node wrote after it had lost a case is in the case, or a contribution that its owner sees.
fn vanished(
    apps: &BTreeMap<NodeId, &CityApp>,
    owners: &BTreeMap<CaseId, NodeId>,
    node: NodeId,
    known: &Known,
) -> Vec<String> {
    let Some(owner) = owners.get(&known.id()).filter(|owner| **owner != node) else { return Vec::new() };
    let Some(theirs) = apps.get(owner).map(|app| app.known(known.id())) else { return Vec::new() };
    let late = known.aside().filter(|(header, origin)| {
        let words = known.private(header.id).is_some_and(|(_, private)| private.content != Content::Nothing);
        *origin == node && words
    });
    let becomes = |act: &Act, event: EventId| matches!(act, Act::Contributed { contribution, .. } if contribution.as_bytes() == event.as_bytes());
    let there = |event: EventId| {
        theirs.chain().iter().any(|link| link.header.id == event || becomes(&link.header.act, event))
            || theirs.contributions().any(|file| file.id.as_bytes() == event.as_bytes())
    };
    late.filter(|(header, _)| !there(header.id))
        .map(|(header, _)| {
            format!("{} of {}, which {node} wrote late, is not at its owner {owner}", header.id, known.id())
        })
        .collect()
}

/// A later epoch is never undone: nothing that a former owner wrote stands above the header that took the case from it.
fn fenced(known: &Known) -> Option<String> {
    let (case, stands) = known.case().map(|case| (case.id, case.head.epoch))?;
    let later = known.aside().map(|(header, _)| header.epoch).max().filter(|epoch| *epoch > stands)?;
    Some(format!("{case} stands in {stands:?} although {later:?} had begun"))
}

/// One order enters a chain once.
fn received_twice(known: &Known) -> Vec<String> {
    let mut seen: BTreeSet<OrderId> = BTreeSet::new();
    let mut wrong = Vec::new();
    for link in known.chain() {
        if let Act::OrderReceived { order } = link.header.act
            && !seen.insert(order)
        {
            wrong.push(format!("{} received the order {order} twice", known.id()));
        }
    }
    wrong
}

/// The top's facts count as the owners' cases do. A case that only a restored node had, and that no level above held more
/// of than its fact, is gone with what its backup did not have: its fact may stand without it, and of what it had then the
/// top may hold more.
fn figures(
    city: &CityApp,
    owned: &BTreeMap<CaseKey, Owned>,
    lost: &BTreeSet<CaseKey>,
    restored: &BTreeSet<NodeId>,
) -> Vec<String> {
    let facts: BTreeMap<CaseKey, &CaseFact> = city.facts().map(|fact| (fact.key, fact)).collect();
    let mut wrong = Vec::new();
    for (key, own) in owned.iter().filter(|(_, own)| !restored.contains(&own.by)) {
        let counted = facts.get(key).and_then(|fact| cell(fact));
        if counted != own.cell {
            let (case, by) = (own.case, own.by);
            wrong.push(format!("the figures of the top count {case} of {by} as {counted:?}, and it is {:?}", own.cell));
        }
    }
    let stray = facts.values().filter(|fact| !fact.void && fact.case.is_none() && !restored.contains(&fact.owner_node));
    let stray = stray.filter(|fact| !owned.contains_key(&fact.key) && !lost.contains(&fact.key));
    wrong.extend(
        stray.map(|fact| {
            format!("the figures of the top count {} of {}, who has no such case", fact.key, fact.owner_node)
        }),
    );
    wrong
}

/// Where a fact counts; nowhere when it is void.
fn cell(fact: &CaseFact) -> Option<Cell> {
    let cell = (fact.level.map_or(0, |l| l.rank()), fact.category.0, fact.place.number());
    (!fact.void).then_some(cell)
}
