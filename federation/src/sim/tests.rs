//! A toy application under every fault, many seeds; and proof that missing safeguards are noticed.

use std::collections::{BTreeMap, BTreeSet};

use protocol::directory::Ancestor;
use protocol::fact::{Measure, Tally};
use protocol::id::{BundleId, NodeId};
use protocol::time::CivilDay;
use protocol::wire::bundle::{Bundle, Urgency};
use protocol::wire::kind::Body;

use crate::core::{Deliver, Limits, Now};

use super::{
    Application, Draft, Failure, Fault, Faults, Place, Raised, Random, Report, Scenario, Settings, World, tree,
};

/// A value that no toy can take.
pub(super) const POISON: u64 = u64::MAX;

/// Counts what it takes in, and what overtook something of the same origin, destination and urgency. Tallies are kept on the
/// way, entries are not; both are sent up and down.
#[derive(Debug, Clone, Default)]
pub(crate) struct Toy {
    taken: u64,
    sent: u32,
    last: BTreeMap<(NodeId, NodeId, Urgency), u32>,
    overtook: u32,
}

impl Application for Toy {
    type Changes = Self;

    fn changes(&mut self) -> Self {
        self.clone()
    }

    fn keep(&mut self, changes: Self) {
        *self = changes;
    }

    fn deliver(&mut self, _: Now, bundle: &Bundle, _: Deliver, _: Random<'_>) -> (Vec<Draft>, Option<String>) {
        let mut refused = None;
        self.taken += 1;
        let head = bundle.head();
        for message in bundle.messages() {
            if let Ok(Some(Body::Tally(tally))) = Body::decode(message.kind, message.schema, &message.body) {
                let last = self.last.insert((head.origin, head.to, head.urgency), tally.version);
                self.overtook += u32::from(last >= Some(tally.version));
                if tally.value == POISON {
                    refused = Some("poison".to_owned());
                }
            }
        }
        (Vec::new(), refused)
    }

    fn line(&mut self, _: Now, _: &[Ancestor], _: Random<'_>) -> Vec<Draft> {
        Vec::new()
    }
}

fn number(random: Random<'_>, below: usize) -> usize {
    let mut bytes = [0; 8];
    random(&mut bytes);
    usize::try_from(u64::from_le_bytes(bytes) % below as u64).unwrap()
}

fn act(toy: &mut Toy, node: NodeId, places: &[Place], random: Random<'_>) -> Vec<Draft> {
    let count = 1 + number(random, 4);
    let mut drafts = Vec::new();
    for _ in 0..count {
        let to = places[number(random, places.len())].0;
        let urgency = [Urgency::Statistics, Urgency::Routine, Urgency::Orange, Urgency::Bulk][number(random, 4)];
        drafts.push(toy.draft(node, to, urgency));
    }
    drafts
}

impl Toy {
    /// The next of what this node sends, such that nobody can take it.
    pub(super) fn poison(&mut self, node: NodeId, to: NodeId) -> Draft {
        let draft = self.draft(node, to, Urgency::Routine);
        let Body::Tally(tally) = draft.body else { panic!("a toy sends tallies") };
        Draft { body: Body::Tally(Tally { value: POISON, ..tally }), ..draft }
    }

    /// The next of what this node sends.
    pub(crate) fn draft(&mut self, node: NodeId, to: NodeId, urgency: Urgency) -> Draft {
        self.sent += 1;
        let tally = Tally {
            node,
            division: "330600000000".parse().unwrap(),
            day: CivilDay::from_number(20_000).unwrap(),
            measure: Measure::VISITS,
            value: u64::from(self.sent),
            version: self.sent,
        };
        Draft { id: None, to, urgency, receipted: true, body: Body::Tally(tally) }
    }
}

/// The application's state and the disk are of one transaction, and each origin's words are in order.
fn counted(world: &World<Toy>) -> Result<(), String> {
    for node in world.nodes() {
        let disk = world.disk(node).ok_or("no disk")?;
        let applied: u64 = disk.bundles.values().map(|stored| u64::from(stored.applied)).sum();
        if applied != disk.app.taken {
            return Err(format!("{node} took {} in, its disk says {applied}", disk.app.taken));
        }
        // Only a reconciliation, which raises an alarm, or another way may bring something behind what was sent after it.
        let may = world.counters.raised(Raised::Reconciled) > 0 || world.counters.faults.contains_key(&Fault::Move);
        if disk.app.overtook > 0 && !may {
            return Err(format!("{} overtook others on the way to {node}", disk.app.overtook));
        }
    }
    Ok(())
}

/// The seeds that are tried: 200, or those of `WUJI_SEEDS`, as in `1200..1300`.
fn seeds() -> std::ops::Range<u64> {
    let given = std::env::var("WUJI_SEEDS").ok();
    let range = given.as_deref().and_then(|text| text.split_once(".."));
    let parsed = range.and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.unwrap_or(0..200)
}

fn run(scenario: &Scenario) -> Result<Report, Failure> {
    scenario.run(|_, _| Toy::default(), act, counted)
}

#[test]
fn a_quiet_world_drains() {
    let scenario = Scenario { faults: Faults::NONE, ..Scenario::small(1) };
    let report = run(&scenario).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.bundles > 100, "{report:?}");
    assert!(report.alarms.is_empty(), "{report:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (one, two) = (run(&Scenario::small(5)).unwrap(), run(&Scenario::small(5)).unwrap());
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
}

#[test]
fn nothing_is_lost_or_doubled_under_any_fault() {
    let mut failures = Vec::new();
    let (mut reconciled, mut kinds) = (0, BTreeMap::new());
    for seed in seeds() {
        match run(&Scenario::small(seed)) {
            Ok(report) => {
                reconciled += raised(&report, Raised::Reconciled);
                for (kind, count) in report.faults {
                    *kinds.entry(kind).or_insert(0) += count;
                }
            }
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
    if seeds().count() < 200 {
        return;
    }
    assert!(reconciled > 100, "hardly anything was reconciled: {reconciled}");
    assert_eq!(kinds.len(), 17, "some kind of fault never happened: {kinds:?}");
}

#[test]
fn small_limits_hold_too() {
    for seed in seeds() {
        // Two bundles under way on each lane: whatever waits before takes its time.
        let mut scenario = Scenario { progress_ms: 120_000, ..Scenario::small(seed) };
        scenario.settings.limits = Limits {
            credit: 2,
            window_frames: 2,
            window_bytes: 1,
            page_frames: 2,
            inventory_page: 3,
            give_bundles: 1,
            drop_every: 2,
            ..scenario.settings.limits
        };
        run(&scenario).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

/// Twenty runs in which this alone goes wrong, often: how often it did, and what was noticed.
fn under(fault: Fault, faults: Faults) -> Noticed {
    let mut noticed = Noticed::default();
    for seed in seeds().step_by(10) {
        let report = run(&Scenario { faults, ..Scenario::small(seed) }).unwrap_or_else(|failure| panic!("{failure}"));
        noticed.faults += report.faults.get(&fault).copied().unwrap_or(0);
        noticed.unbelieved += report.unbelieved;
        for (alarm, count) in report.alarms {
            *noticed.alarms.entry(alarm).or_insert(0) += count;
        }
    }
    assert!(noticed.faults > 20, "{fault:?} hardly ever happened: {noticed:?}");
    for alarm in ALARMS.into_iter().filter(|alarm| alarm.faults().contains(&fault)) {
        assert!(noticed.alarms.contains_key(&alarm), "{fault:?} raised no {alarm:?}: {noticed:?}");
    }
    noticed
}

/// The alarms that faults of the world raise.
const ALARMS: [Raised; 5] =
    [Raised::Reconciled, Raised::Doubled, Raised::Refused, Raised::Misrouted, Raised::AsideThere];

#[derive(Debug, Default)]
struct Noticed {
    faults: u64,
    unbelieved: u64,
    alarms: BTreeMap<Raised, u64>,
}

fn raised(report: &Report, alarm: Raised) -> u64 {
    report.alarms.get(&alarm).copied().unwrap_or(0)
}

#[test]
fn what_vanishes_in_one_direction_is_sent_again() {
    let noticed = under(Fault::OneWay, Faults { one_way: 200, ..Faults::NONE });
    assert!(noticed.alarms.is_empty(), "nobody lost anything: {noticed:?}");
}

#[test]
fn two_machines_with_one_disk_are_noticed_and_lose_nothing_that_others_held() {
    under(Fault::Clone, Faults { clone: 100, ..Faults::NONE });
}

#[test]
fn a_full_disk_acknowledges_nothing_and_goes_on_when_there_is_room() {
    under(Fault::Full, Faults { full: 100, ..Faults::NONE });
}

#[test]
fn a_disk_that_takes_seconds_delays_and_loses_nothing() {
    under(Fault::Slow, Faults { slow: 100, loss: 100, crash: 50, ..Faults::NONE });
}

#[test]
fn a_commit_that_was_torn_is_there_as_a_whole_or_not_at_all() {
    under(Fault::Torn, Faults { torn: 300, slow: 100, ..Faults::NONE });
}

#[test]
fn a_disk_that_keeps_half_of_a_commit_is_noticed() {
    let faults = Faults { torn: 300, slow: 100, ..Faults::NONE };
    let fails = |seed: &u64| {
        let settings = Settings { halves: true, ..Settings::default() };
        run(&Scenario { faults, settings, ..Scenario::small(*seed) }).is_err()
    };
    assert!((0..200).any(|seed| fails(&seed)));
}

#[test]
fn a_damaged_bundle_is_never_taken_in_and_comes_again_whole() {
    let noticed = under(Fault::Flip, Faults { flip: 150, ..Faults::NONE });
    assert!(noticed.unbelieved > 20, "{noticed:?}");
}

#[test]
fn a_node_that_came_back_as_an_old_copy_is_reconciled() {
    let faults = Faults { restore: 150, ..Faults::NONE };
    under(Fault::Restore, faults);
    under(Fault::RestoreTold, faults);
}

#[test]
fn nodes_that_are_moved_lose_nothing_and_nothing_of_theirs_is_kept_aside() {
    let noticed = under(Fault::Move, Faults { moves: 100, ..Faults::NONE });
    let aside = [Raised::Misrouted, Raised::Doubled, Raised::Refused];
    assert!(aside.iter().all(|alarm| !noticed.alarms.contains_key(alarm)), "{noticed:?}");
}

#[test]
fn a_revoked_node_changes_nothing_once_its_parent_knows() {
    let faults = Faults { revoke: 100, hostile: 20, ..Faults::ALL };
    under(Fault::Revoke, faults);
}

#[test]
fn a_parent_that_lets_a_revoked_node_in_is_noticed() {
    let settings = Settings { forgets_revoked: true, ..Settings::default() };
    let faults = Faults { revoke: 30, ..Faults::NONE };
    let found = (0..20).filter_map(|seed| run(&Scenario { faults, settings, ..Scenario::small(seed) }).err());
    let what: Vec<String> = found.map(|failure| failure.to_string()).collect();
    assert!(what.iter().any(|what| what.contains("which it knew to be revoked")), "{what:?}");
}

#[test]
fn a_destination_that_nobody_knows_is_told() {
    let places = tree(&[1, 1]);
    let mut world = World::new(7, Settings::default(), &places, |_, _| Toy::default());
    world.run_until(2_000);
    let (grid, nobody) = (places[2].0, NodeId::from_bytes([9; 16]));
    world.act(grid, |toy, _, _| ((), vec![toy.draft(grid, nobody, Urgency::Routine)]));
    world.run_until(4_000);
    assert_eq!(world.counters.raised(Raised::NoRoute), 1);
}

#[test]
fn a_hostile_child_harms_nobody_else() {
    let noticed = under(Fault::Hostile, Faults { hostile: 60, ..Faults::NONE });
    assert!(noticed.unbelieved > 0, "{noticed:?}");
}

/// Three nodes in a line. The given ones come back as they were before the second half was sent, told so or not.
fn after_restore_of(restored: &[u8], told: bool) {
    let places = tree(&[1, 1]);
    let mut world = World::new(7, Settings::default(), &places, |_, _| Toy::default());
    let all_send = |world: &mut World<Toy>| {
        for (node, ..) in &places {
            for _ in 0..5 {
                world.run_until(world.now_ms() + 100);
                world.act(*node, |app, _, random| ((), act(app, *node, &places, random)));
            }
        }
    };
    let ids: Vec<_> = restored.iter().map(|id| places[usize::from(*id) - 1].0).collect();
    world.run_until(2_000);
    all_send(&mut world);
    world.drain(60_000).unwrap_or_else(|stuck| panic!("{}", stuck.0));
    ids.iter().for_each(|node| world.back_up(*node));
    all_send(&mut world);
    world.drain(60_000).unwrap_or_else(|stuck| panic!("{}", stuck.0));
    // What nobody else ever held is gone with the disk.
    let others: Vec<_> = places.iter().map(|(node, ..)| *node).filter(|node| !ids.contains(node)).collect();
    let elsewhere = |id: &BundleId| others.iter().any(|node| world.disk(*node).unwrap().bundles.contains_key(id));
    let mut sent = own(&world, places[2].0);
    sent.retain(|id| !ids.contains(&places[2].0) || elsewhere(id));
    for node in &ids {
        assert!(if told { world.restore_told(*node, 100) } else { world.restore(*node, 100) });
    }
    world.run_until(world.now_ms() + 200);
    all_send(&mut world);
    world.heal();
    world.drain(60_000).unwrap_or_else(|stuck| panic!("{}", stuck.0));
    world.run_until(world.now_ms() + 20_000);
    world.drain(60_000).unwrap_or_else(|stuck| panic!("{}", stuck.0));
    world.check_delivery();
    assert!(world.counters.violations.is_empty(), "{:?}", world.counters.violations);
    assert!(world.counters.raised(Raised::Reconciled) > 0);
    let back = own(&world, places[2].0);
    assert!(!sent.is_empty() && back.is_superset(&sent), "{restored:?}: it lacks {:?}", sent.difference(&back));
}

/// The bundles that a node sent, as far as it still has them.
fn own(world: &World<Toy>, node: NodeId) -> BTreeSet<BundleId> {
    let bundles = &world.disk(node).expect("a node").bundles;
    let heads = bundles.values().map(|stored| stored.bundle.head());
    heads.filter(|head| head.origin == node && head.receipted).map(|head| head.id).collect()
}

#[test]
fn restored_nodes_are_given_back_what_they_had_sent() {
    for told in [false, true] {
        for restored in [&[1_u8][..], &[2], &[3], &[1, 2], &[2, 3], &[1, 3]] {
            after_restore_of(restored, told);
        }
    }
}

#[cfg(feature = "mutants")]
mod mutants {
    use super::*;
    use crate::core::Mutant;

    fn found(mutant: Mutant) -> Option<String> {
        (0..200).find_map(|seed| {
            let mut scenario = Scenario::small(seed);
            scenario.settings.limits.mutant = Some(mutant);
            run(&scenario).err().map(|failure| failure.to_string())
        })
    }

    #[test]
    fn a_core_that_does_not_recognise_duplicates_is_found() {
        let what = found(Mutant::NoDedupe).expect("within 200 seeds");
        assert!(what.contains(" times"), "{what}");
    }

    #[test]
    fn a_core_that_goes_by_numbers_alone_is_found() {
        let what = found(Mutant::NoChainHash).expect("within 200 seeds");
        assert!(what.contains("did not drain") || what.contains("never taken in"), "{what}");
    }

    #[test]
    fn a_core_that_takes_in_what_it_should_keep_aside_is_found() {
        let what = found(Mutant::NoQuarantine).expect("within 200 seeds");
        assert!(what.contains(" in, from ") || what.contains("did not drain"), "{what}");
    }

    #[test]
    fn a_core_that_acknowledges_too_early_is_found() {
        let what = found(Mutant::AcknowledgeBeforeCommit).expect("within 200 seeds");
        assert!(what.contains(" acknowledged "), "{what}");
    }
}
