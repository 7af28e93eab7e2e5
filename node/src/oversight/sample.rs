//! Facts for the tests of this module.

use protocol::bounded::List;
use protocol::chain::Epoch;
use protocol::division::GridKind;
use protocol::event::{Category, DueTerm, Matter, Outcome, Source, Step, TermKind};
use protocol::fact::{CaseFact, LevelChange, StepReached};
use protocol::id::{CaseKey, NodeId};
use protocol::time::{CivilDay, Minute};
use protocol::unit::UnitCode;
use protocol::warning::Warning;

/// Day 20,000, at eight in the morning in UTC+8.
pub(super) const MORNING: u32 = 20_000 * 24 * 60;

/// A dispute of day 20,000 that was reported and no more.
pub(super) fn fact(n: u8) -> CaseFact {
    let mut key = [0; 16];
    key[15] = n;
    CaseFact {
        key: CaseKey::from_bytes(key),
        case: None,
        ceiling: None,
        epoch: Epoch::default(),
        version: 1,
        released: false,
        place: "330602001001001".parse().unwrap(),
        grid_kind: GridKind::Basic,
        registered_by: "330602001001001".parse().unwrap(),
        registered_at: Minute(MORNING),
        owner: "330602001001001".parse().unwrap(),
        owner_node: NodeId::from_bytes([1; 16]),
        unit: UnitCode(0),
        source: Source::Grid,
        matter: Matter::Dispute,
        category: Category(402),
        category_list: 1,
        channel: None,
        head_count: 4,
        level: Some(Warning::Yellow),
        level_changes: List::new(vec![LevelChange { at: Minute(MORNING), level: Some(Warning::Yellow) }]).unwrap(),
        steps: List::new(vec![StepReached { step: Step::Reported, at: Minute(MORNING) }]).unwrap(),
        outcome: None,
        resolved_at: None,
        score: None,
        open_terms: List::new(vec![DueTerm {
            kind: TermKind::File,
            since: CivilDay::from_number(20_000).unwrap(),
            day: CivilDay::from_number(20_003).unwrap(),
            provisional: false,
        }])
        .unwrap(),
        paused_minutes: 0,
        paused_since: None,
        amount_fen: None,
        void: false,
    }
}

/// The same, resolved so many minutes after the report.
pub(super) fn resolved(n: u8, outcome: Outcome, after: u32) -> CaseFact {
    let at = Minute(MORNING + after);
    CaseFact { outcome: Some(outcome), resolved_at: Some(at), open_terms: List::default(), ..fact(n) }
}

/// The same, archived so many days after the report.
pub(super) fn archived(n: u8, days: u32) -> CaseFact {
    let at = Minute(MORNING + days * 24 * 60);
    let mut fact = resolved(n, Outcome::Successful, 60);
    fact.steps.push(StepReached { step: Step::Archived, at }).unwrap();
    fact
}
