//! Facts of a city that is made up from a seed: as many as are wanted, of a year, at grids that are spread over it.

use protocol::bounded::List;
use protocol::chain::Epoch;
use protocol::division::{DivisionCode, GridKind};
use protocol::event::{Category, DueTerm, Matter, Outcome, Source, Step, TermKind};
use protocol::fact::{CaseFact, LevelChange, StepReached};
use protocol::id::{CaseKey, NodeId};
use protocol::time::{Minute, UnixMillis};
use protocol::unit::UnitCode;
use protocol::warning::Warning;

use crate::draw::Draw;

/// First minute of the year: 2026-01-01 in UTC+8.
const FIRST: u32 = 20_454 * 1_440 - 480;
/// Minutes of the year.
const YEAR: u64 = 365 * 1_440;
/// First and last day of the year, counted from 1970-01-01.
pub const DAYS: (i32, i32) = (20_454, 20_818);

/// The division of a grid, by its number from 0: six counties, twenty townships each, ten communities, five grids.
pub fn grid(number: u64) -> DivisionCode {
    let (county, rest) = (number % 6, number / 6);
    let (township, rest) = (rest % 20, rest / 20);
    let (community, grid) = (rest % 10, rest / 10);
    let code =
        330_602_000_000_000 + county * 1_000_000_000 + (township + 1) * 1_000_000 + (community + 1) * 1_000 + grid + 1;
    DivisionCode::from_number(code).unwrap_or_else(|e| panic!("{code}: {e}"))
}

/// A case of the year, owned by the node of a grid.
pub fn fact(seed: &mut Draw, place: DivisionCode, owner: NodeId) -> CaseFact {
    let at = FIRST + u32::try_from(seed.below(YEAR)).unwrap_or(0);
    let mut random = [0; 10];
    for byte in &mut random {
        *byte = u8::try_from(seed.below(256)).unwrap_or(0);
    }
    let level =
        seed.of(&[None, Some(Warning::Yellow), Some(Warning::Yellow), Some(Warning::Yellow), Some(Warning::Red)]);
    let reached = seed.below(7) + 1;
    let mut minute = at;
    let mut steps = Vec::new();
    for step in Step::ALL.into_iter().take(usize::try_from(reached).unwrap_or(1)) {
        steps.push(StepReached { step, at: Minute(minute) });
        minute += 60 + u32::try_from(seed.below(5_000)).unwrap_or(0);
    }
    let resolved = (reached > 4).then(|| steps[3].at);
    let outcome = seed.of(&[Outcome::Successful, Outcome::Successful, Outcome::Successful, Outcome::Unsuccessful]);
    let day = Minute(at).day();
    let due = DueTerm { kind: TermKind::Resolve, since: day, day: day.plus(30), provisional: false };
    CaseFact {
        key: CaseKey::new(UnixMillis(i64::from(at) * 60_000), random),
        case: None,
        ceiling: None,
        epoch: Epoch::default(),
        version: u32::try_from(reached).unwrap_or(1),
        released: false,
        place,
        grid_kind: seed.of(&[GridKind::Responsibility, GridKind::Basic, GridKind::Basic, GridKind::Dedicated]),
        registered_by: place,
        registered_at: Minute(at),
        owner: place,
        owner_node: owner,
        unit: UnitCode(seed.of(&[0, 1, 2, 3, 4, 5])),
        source: seed.of(&[Source::Grid, Source::Window, Source::Hotline12345, Source::Police110, Source::Petition]),
        matter: seed.of(&[Matter::Dispute, Matter::Dispute, Matter::Dispute, Matter::Request, Matter::Consultation]),
        category: Category(seed.of(&[101, 102, 201, 202, 299, 402, 503, 601, 701, 804, 901, 1_101])),
        category_list: 1,
        channel: None,
        head_count: seed.of(&[0, 1, 2, 2, 3, 5, 8, 20, 60, 120, 600]),
        level,
        level_changes: List::new(vec![LevelChange { at: Minute(at), level }]).unwrap_or_default(),
        steps: List::new(steps).unwrap_or_default(),
        outcome: resolved.map(|_| outcome),
        resolved_at: resolved,
        score: None,
        open_terms: List::new(if reached < 7 { vec![due] } else { Vec::new() }).unwrap_or_default(),
        paused_minutes: 0,
        paused_since: None,
        amount_fen: resolved.map(|_| seed.below(10_000_000)),
        void: seed.below(200) == 0,
    }
}
