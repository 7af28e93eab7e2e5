//! A toy application under every fault, many seeds; and proof that missing safeguards are noticed.

use protocol::directory::Ancestor;
use protocol::fact::{Measure, Tally};
use protocol::id::NodeId;
use protocol::time::CivilDay;
use protocol::wire::bundle::{Bundle, Urgency};
use protocol::wire::kind::Body;

use crate::core::{Deliver, Limits, Now};

use super::{Application, Draft, Failure, Faults, Place, Random, Report, Scenario, World};

/// Counts what it takes in. Tallies are kept on the way, entries are not; both are sent up and down.
#[derive(Debug, Clone, Default)]
struct Toy {
    taken: u64,
    sent: u32,
}

impl Application for Toy {
    fn deliver(&mut self, _: Now, _: &Bundle, _: Deliver, _: Random<'_>) -> Result<Vec<Draft>, String> {
        self.taken += 1;
        Ok(Vec::new())
    }

    fn line(&mut self, _: &[Ancestor]) {}
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
        toy.sent += 1;
        let tally = Tally {
            node,
            day: CivilDay::from_number(20_000).unwrap(),
            measure: Measure::Visits,
            value: u64::from(toy.sent),
            version: toy.sent,
        };
        let urgency = [Urgency::Statistics, Urgency::Routine, Urgency::Orange, Urgency::Bulk][number(random, 4)];
        drafts.push(Draft { id: None, to, urgency, body: Body::Tally(tally) });
    }
    drafts
}

/// The application's state and the disk are of one transaction.
fn counted(world: &World<Toy>) -> Result<(), String> {
    for node in world.nodes() {
        let disk = world.disk(node).ok_or("no disk")?;
        let applied: u64 = disk.bundles.values().map(|stored| u64::from(stored.applied)).sum();
        if applied != disk.app.taken {
            return Err(format!("{node} took {} in, its disk says {applied}", disk.app.taken));
        }
    }
    Ok(())
}

fn run(scenario: &Scenario) -> Result<Report, Failure> {
    scenario.run(|_, _| Toy::default(), act, counted)
}

#[test]
fn a_quiet_world_drains() {
    let scenario = Scenario { faults: Faults::NONE, ..Scenario::small(1) };
    let report = run(&scenario).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.bundles > 100, "{report:?}");
    assert_eq!(report.reconciled, 0, "{report:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (one, two) = (run(&Scenario::small(5)).unwrap(), run(&Scenario::small(5)).unwrap());
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
}

#[test]
fn nothing_is_lost_or_doubled_under_any_fault() {
    let mut failures = Vec::new();
    let (mut reconciled, mut kinds) = (0, std::collections::BTreeMap::new());
    for seed in 0..200 {
        match run(&Scenario::small(seed)) {
            Ok(report) => {
                reconciled += report.reconciled;
                for (kind, count) in report.faults {
                    *kinds.entry(kind).or_insert(0) += count;
                }
            }
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    assert!(failures.is_empty(), "{} of 200 failed:\n{}", failures.len(), failures.join("\n"));
    assert!(reconciled > 100, "hardly anything was reconciled: {reconciled}");
    assert_eq!(kinds.len(), 7, "some kind of fault never happened: {kinds:?}");
}

#[test]
fn small_limits_hold_too() {
    for seed in 0..20 {
        let mut scenario = Scenario::small(seed);
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
    fn a_core_that_acknowledges_too_early_is_found() {
        let what = found(Mutant::AcknowledgeBeforeCommit).expect("within 200 seeds");
        assert!(what.contains(" acknowledged "), "{what}");
    }
}
