//! Who is in a case: parties and others join, are put right, and leave (当事人、参与人).

use protocol::bounded::{List, Text};
use protocol::event::{Brief, PARTIES_AT_ONCE_MAX, Participant, Standing, WideAct, WideContent};

use super::steps::note;
use crate::brief::{nameless, prefill};
use crate::case::Case;
use crate::draft::Draft;
use crate::refusal::Refusal;
use crate::world::World;

/// People of one case at most, those that have left among them: a report names 64 by itself.
pub(crate) const SEATS_MAX: usize = 160;

pub(super) fn join(draft: &mut Draft<'_, '_>, people: List<Participant, PARTIES_AT_ONCE_MAX>) -> Result<(), Refusal> {
    let case = draft.case()?;
    let first = case.next_seat();
    let count = u16::try_from(people.len()).unwrap_or(u16::MAX);
    if count == 0 {
        return Err(Refusal::NothingChanges);
    }
    if case.seats.len().saturating_add(people.len()) > SEATS_MAX {
        return Err(Refusal::CaseFull);
    }
    // Sent twice, or found twice: who is told apart by a number is there once.
    let known = || case.seats.iter().filter(|seat| !seat.left).filter_map(|seat| seat.who.as_deref());
    if people.iter().any(|who| known().any(|there| is_the_same(who, there))) {
        return Err(Refusal::AlreadyIn);
    }
    let last = first.saturating_add(count);
    for (number, who) in (first..last).zip(people.iter()) {
        // Who comes together may speak for one another.
        let there = |party: u16| (first..last).contains(&party) || case.seat(party).is_some();
        sound(number, who, there)?;
    }
    let summary = unnamed(draft.world, &case, people.iter().map(|who| who.name.as_str()));
    let content = WideContent::Participants { people }.widen().map_err(|_| Refusal::TooLong)?;
    draft.append(WideAct::Joined { first, count }, content, |brief| summarise(brief, summary))
}

/// Whether two entries name one person: by name, and by a phone or a document.
fn is_the_same(one: &Participant, other: &Participant) -> bool {
    let alike = |a: &str, b: &str| !a.trim().is_empty() && a.trim() == b.trim();
    let named = alike(&one.name, &other.name) && one.standing == other.standing;
    named && (alike(&one.phone, &other.phone) || alike(&one.identity, &other.identity))
}

pub(super) fn amend_party(draft: &mut Draft<'_, '_>, party: u16, who: Participant) -> Result<(), Refusal> {
    let case = draft.case()?;
    let seat = case.seat(party).ok_or(Refusal::UnknownParty)?;
    if seat.who.as_deref() == Some(&who) {
        return Err(Refusal::NothingChanges);
    }
    sound(party, &who, |party| case.seat(party).is_some())?;
    let summary = unnamed(draft.world, &case, [who.name.as_str()]);
    let people = List::new(vec![who]).map_err(|_| Refusal::TooLong)?;
    let content = WideContent::Participants { people }.widen().map_err(|_| Refusal::TooLong)?;
    draft.append(WideAct::PartyAmended { party }, content, |brief| summarise(brief, summary))
}

pub(super) fn leave(draft: &mut Draft<'_, '_>, party: u16, text: Text<4000>) -> Result<(), Refusal> {
    draft.case()?.seat(party).ok_or(Refusal::UnknownParty)?;
    draft.append(WideAct::Left { party }, note(text), |_| {})
}

/// What an entry must hold: a name, and where somebody speaks for a party, that party.
fn sound(number: u16, who: &Participant, there: impl Fn(u16) -> bool) -> Result<(), Refusal> {
    if who.name.trim().is_empty() {
        return Err(Refusal::NameMissing);
    }
    let speaks = matches!(who.standing, Standing::Representative | Standing::Guardian | Standing::Spokesperson);
    match who.speaks_for {
        Some(party) if party == number || !there(party) => Err(Refusal::UnknownParty),
        None if speaks => Err(Refusal::UnknownParty),
        _ => Ok(()),
    }
}

/// A summary that may go up, if the one of the case names somebody whose name nobody knew when it was written.
fn unnamed<'n>(world: &World<'_>, case: &Case, names: impl IntoIterator<Item = &'n str>) -> Option<Text<120>> {
    let brief = &case.brief;
    nameless(&brief.summary, names).err()?;
    Some(prefill(brief.matter, &world.holds.categories.name(brief.category, true), brief.head_count))
}

fn summarise(brief: &mut Brief, summary: Option<Text<120>>) {
    if let Some(summary) = summary {
        brief.summary = summary;
    }
}
