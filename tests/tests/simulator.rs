//! The simulator notices what it is there to notice: with one safeguard switched off, some seed fails.

use casework::Mutant as CaseMutant;
use federation::core::Mutant as LinkMutant;
use wuji_tests::sim::Run;

/// The first seed of a thousand that finds something wrong.
fn found(change: impl Fn(&mut Run)) -> Option<(u64, String)> {
    (1..=1_000).find_map(|seed| {
        let mut run = Run::new(seed);
        change(&mut run);
        run.go().wrong.first().map(|what| (seed, what.clone()))
    })
}

#[test]
fn without_dedupe_some_seed_fails() {
    assert!(found(|run| run.link_mutant = Some(LinkMutant::NoDedupe)).is_some());
}

#[test]
fn acknowledging_before_the_commit_makes_some_seed_fail() {
    assert!(found(|run| run.link_mutant = Some(LinkMutant::AcknowledgeBeforeCommit)).is_some());
}

#[test]
fn without_the_epoch_check_some_seed_fails() {
    assert!(found(|run| run.case_mutant = Some(CaseMutant::NoEpochCheck)).is_some());
}

#[test]
fn without_late_writes_some_seed_fails() {
    let (_, what) = found(|run| run.case_mutant = Some(CaseMutant::NoLateWrites)).unwrap();
    assert!(what.contains("wrote late"), "{what}");
}

#[test]
fn without_the_comparison_of_figures_some_seed_fails() {
    let (_, what) = found(|run| run.compares_figures = false).unwrap();
    assert!(what.contains("the figures of the top count"), "{what}");
}

#[test]
fn without_reading_again_after_an_upgrade_some_seed_fails() {
    assert!(found(|run| run.forgets_unread = true).is_some());
}

#[test]
fn a_parent_that_lets_a_revoked_node_in_makes_some_seed_fail() {
    let (_, what) = found(|run| run.bars_revoked = false).unwrap();
    assert!(what.contains("was revoked, and"), "{what}");
}

#[test]
fn one_seed_is_one_run() {
    let (first, second) = (Run::new(7).go(), Run::new(7).go());
    assert_eq!(
        (first.events, first.counters.bundles, first.virtual_ms),
        (second.events, second.counters.bundles, second.virtual_ms)
    );
}
