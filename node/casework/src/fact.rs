//! The nameless record of a case from which every figure is made. What leaves for the figures is decided here only.

use protocol::bounded::List;
use protocol::division::DivisionCode;
use protocol::fact::{CaseFact, Channel, LEVEL_CHANGES_MAX, LevelChange};
use protocol::id::CaseKey;

use crate::case::{Case, Exit};
use crate::policy::Policy;
use crate::world::Me;

/// The fact of a case, as the owner `me` writes it. With its last header, the release, it says that it gives the case away.
pub fn fact(case: &Case, key: CaseKey, registered_by: DivisionCode, me: Me, policy: &Policy) -> CaseFact {
    let brief = case.above();
    CaseFact {
        key,
        case: case.escalated().then_some(case.id),
        ceiling: brief.ceiling,
        epoch: case.head.epoch,
        version: case.head.number,
        released: case.released,
        place: brief.place,
        grid_kind: brief.grid_kind,
        registered_by,
        registered_at: case.reported_at.minute(),
        owner: me.division,
        owner_node: me.node,
        unit: brief.unit,
        source: brief.source,
        matter: brief.matter,
        category: brief.category,
        category_list: policy.category_list,
        channel: channel(case),
        head_count: brief.head_count,
        level: case.level(),
        level_changes: changes(&case.level_changes),
        steps: List::new(case.steps.iter().copied().take(8).collect()).unwrap_or_default(),
        outcome: brief.outcome,
        resolved_at: case.resolved_at,
        score: case.score,
        open_terms: List::new(case.terms.iter().copied().take(8).collect()).unwrap_or_default(),
        paused_minutes: paused_minutes(case),
        paused_since: case.pauses.last().filter(|pause| pause.until.is_none()).map(|pause| pause.entered.0),
        amount_fen: case.amount_fen,
        void: brief.void,
    }
}

/// People's mediation (人民调解) in the list of channels.
const PEOPLE_MEDIATION: Channel = Channel(1);

/// How it is settled, where that is said.
fn channel(case: &Case) -> Option<Channel> {
    match case.exit {
        Some(Exit::Referred(channel)) => Some(channel),
        Some(Exit::Declined(_) | Exit::Withdrawn) => None,
        None => (!case.mediations.is_empty()).then_some(PEOPLE_MEDIATION),
    }
}

/// Of the times that are over.
fn paused_minutes(case: &Case) -> u32 {
    let over = case.pauses.iter().filter_map(|pause| Some((pause.entered.0, pause.entered.1?)));
    over.map(|(from, until)| until.0.saturating_sub(from.0)).fold(0, u32::saturating_add)
}

fn changes(all: &[LevelChange]) -> List<LevelChange, LEVEL_CHANGES_MAX> {
    let dropped = all.len().saturating_sub(LEVEL_CHANGES_MAX);
    let kept = all.iter().enumerate().filter(|(index, _)| *index == 0 || *index > dropped).map(|(_, change)| *change);
    List::new(kept.take(LEVEL_CHANGES_MAX).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::time::Minute;

    #[test]
    fn of_many_changes_of_level_the_first_and_the_latest_stay() {
        let at = |minute| LevelChange { at: Minute(minute), level: None };
        let all: Vec<_> = (0..40).map(at).collect();
        let kept = changes(&all).into_vec();
        let expected: Vec<_> = [0].into_iter().chain(9..40).map(at).collect();
        assert_eq!(kept, expected);
        assert_eq!(kept.len(), LEVEL_CHANGES_MAX);
        assert_eq!(changes(&all[..3]).into_vec(), &all[..3]);
    }
}
