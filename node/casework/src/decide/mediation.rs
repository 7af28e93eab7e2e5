//! Mediation (人民调解): taken on, consented to, held, agreed, signed, performed, confirmed, ended.

use protocol::bounded::{List, Text};
use protocol::event::{
    Act, AgreementForm, Category, Content, Mark, Matter, PaperNumber, Participant, Parties, SessionKind, Standing,
    WideAct, WideContent,
};
use protocol::time::CivilDay;
use protocol::unit::UnitCode;

use super::clock::day;
use super::steps::{needed, note};
use super::unit_here;
use crate::calendar::Date;
use crate::case::Case;
use crate::command::{Draw, Hold, OpenMediation, Seek, Sign};
use crate::draft::Draft;
use crate::mediation::{AGREEMENTS_MAX, Agreement, MEDIATIONS_MAX};
use crate::refusal::Refusal;

/// Minutes of a day.
const MINUTES_OF_A_DAY: u16 = 1_440;
/// The channels by which committees settle.
const CHANNELS: [&str; 2] = ["people_mediation", "sectoral_mediation"];
/// Disputes of marriage, upbringing and inheritance, whose papers are never signed electronically (电子签名法 art. 3).
const ON_PAPER: [Category; 3] = [Category(101), Category(102), Category(103)];

pub(super) fn open(draft: &mut Draft<'_, '_>, asked: OpenMediation) -> Result<(), Refusal> {
    let case = draft.case()?;
    if case.brief.matter != Matter::Dispute {
        return Err(Refusal::NotADispute);
    }
    if case.mediation().is_some() || case.mediations.len() >= MEDIATIONS_MAX {
        return Err(Refusal::MediationOpen);
    }
    let categories = &draft.world.holds.categories;
    if !CHANNELS.iter().any(|channel| categories.admits(case.brief.category, channel)) {
        return Err(Refusal::NotAdmissible);
    }
    unit_here(draft, asked.committee)?;
    let OpenMediation { source, committee, on, mediators, chosen, closed, note } = asked;
    let on = day(draft, on)?;
    let content = said(&WideContent::Mediators { names: mediators, chosen, closed, note })?;
    draft.append(WideAct::MediationOpened { source, committee, on }, content, |_| {})
}

pub(super) fn consent(
    draft: &mut Draft<'_, '_>,
    parties: Parties,
    agree: bool,
    on: Option<CivilDay>,
    text: Text<4000>,
) -> Result<(), Refusal> {
    let case = draft.case()?;
    case.mediation().ok_or(Refusal::NoMediation)?;
    there(&case, &parties)?;
    let on = day(draft, on)?;
    draft.append(WideAct::Consented { parties, agree, on }, note(text), |_| {})
}

/// A record of what was held with people: no step of its own, and work on the case.
pub(super) fn hold(draft: &mut Draft<'_, '_>, held: Hold) -> Result<(), Refusal> {
    let case = draft.case()?;
    if held.kind == SessionKind::Mediation {
        let mediation = case.mediation().ok_or(Refusal::NoMediation)?;
        if mediation.refused() {
            return Err(Refusal::PartyRefuses);
        }
    }
    if held.record.trim().is_empty() {
        return Err(Refusal::WordsMissing);
    }
    if held.minutes.is_some_and(|(from, to)| from > to || to > MINUTES_OF_A_DAY) {
        return Err(Refusal::TimeOutOfRange);
    }
    let numbers = held.present.iter();
    if numbers.into_iter().any(|number| case.seat(*number).is_none()) {
        return Err(Refusal::UnknownParty);
    }
    let Hold { kind, on, minutes, place, present, others, led_by, recorder, record, result } = held;
    let on = day(draft, on)?;
    let session = WideContent::Session { kind, on, minutes, place, present, others, led_by, recorder, record, result };
    draft.append(Act::Progressed, said(&session)?, |_| {})
}

/// Draws up an agreement under the next number of its committee.
pub(super) fn draw(draft: &mut Draft<'_, '_>, asked: Draw, number: Option<u32>) -> Result<(), Refusal> {
    let case = draft.case()?;
    let asked = Draw { parties: once(asked.parties), ..asked };
    let mediation = case.mediation().ok_or(Refusal::NoMediation)?;
    if mediation.refused() {
        return Err(Refusal::PartyRefuses);
    }
    there(&case, &asked.parties)?;
    if asked.parties.len() < 2 {
        return Err(Refusal::TwoPartiesNeeded);
    }
    // Nobody agrees to what they did not agree to be mediated about.
    if asked.parties.iter().any(|party| mediation.agrees(*party) != Some(true)) {
        return Err(Refusal::NotConsented);
    }
    if asked.terms.trim().is_empty() {
        return Err(Refusal::WordsMissing);
    }
    if asked.plan.iter().any(|part| !asked.parties.contains(&part.by)) {
        return Err(Refusal::NotAParty);
    }
    if asked.electronic && ON_PAPER.contains(&case.brief.category) {
        return Err(Refusal::NotElectronic);
    }
    if case.agreements.len() >= AGREEMENTS_MAX {
        return Err(Refusal::CaseFull);
    }
    let (committee, agreement, on) = (mediation.committee, case.next_agreement(), day(draft, asked.on)?);
    if asked.plan.iter().any(|part| part.due < on) {
        return Err(Refusal::DayTooEarly);
    }
    let paper = PaperNumber { committee, year: Date(on).year(), number: number.ok_or(Refusal::NumberMissing)? };
    let Draw { form, parties, facts, issue, terms, manner, amount_fen, plan, electronic, mediator, on: _ } = asked;
    let words = WideContent::Agreement { facts, issue, terms, manner, amount_fen, plan, electronic, mediator };
    let act = WideAct::AgreementDrafted { agreement, form, paper, parties, on };
    draft.append(act, said(&words)?, |_| {})
}

/// The books in which the next agreement of a case gets its number: committee and year. None where none can be drawn up.
pub fn books(case: &Case, on: Option<CivilDay>, today: CivilDay) -> Option<(UnitCode, u16)> {
    Some((case.mediation()?.committee, Date(on.unwrap_or(today)).year()))
}

pub(super) fn sign(draft: &mut Draft<'_, '_>, asked: Sign) -> Result<(), Refusal> {
    let case = draft.case()?;
    let known = case.agreement(asked.agreement).ok_or(Refusal::UnknownAgreement)?;
    if known.form == AgreementForm::Oral || known.in_effect().is_some() {
        return Err(Refusal::AlreadyInEffect);
    }
    // Who has taken consent back is not bound by a draft.
    if case.mediation().is_some_and(|mediation| mediation.refused()) {
        return Err(Refusal::PartyRefuses);
    }
    let Sign { agreement, parties, mediator, committee, mark, on, note: text } = asked;
    let parties = once(parties);
    let marked = |party: &u16| known.marks.iter().any(|(number, _, _)| number == party);
    let new_mediator = mediator && known.mediator.is_none();
    let new_committee = committee && known.committee.is_none();
    if parties.iter().all(marked) && !new_mediator && !new_committee {
        return Err(Refusal::NothingChanges);
    }
    if parties.iter().any(|party| !known.parties.contains(party)) {
        return Err(Refusal::NotAParty);
    }
    if mark == Mark::Electronic && !is_electronic(draft, known.number) {
        return Err(Refusal::NotElectronic);
    }
    let on = day(draft, on)?;
    if on < known.drawn {
        return Err(Refusal::DayTooEarly);
    }
    draft.append(WideAct::AgreementMarked { agreement, parties, mediator, committee, mark, on }, note(text), |_| {})
}

/// Whether the parties agreed to sign electronically: as the words of the agreement say.
fn is_electronic(draft: &Draft<'_, '_>, agreement: u16) -> bool {
    matches!(draft.known.agreement_words(agreement), Some(WideContent::Agreement { electronic: true, .. }))
}

pub(super) fn drop_agreement(draft: &mut Draft<'_, '_>, agreement: u16, text: Text<4000>) -> Result<(), Refusal> {
    let case = draft.case()?;
    let known = case.agreement(agreement).ok_or(Refusal::UnknownAgreement)?;
    if known.form == AgreementForm::Written && known.in_effect().is_some() {
        return Err(Refusal::AlreadyInEffect);
    }
    let content = needed(text)?;
    draft.append(WideAct::AgreementDropped { agreement }, content, |_| {})
}

/// The agreement that is in effect, on a day that is not before that.
fn effective<'c>(
    draft: &Draft<'_, '_>,
    case: &'c Case,
    agreement: u16,
    on: Option<CivilDay>,
) -> Result<(&'c Agreement, CivilDay), Refusal> {
    let known = case.agreement(agreement).ok_or(Refusal::UnknownAgreement)?;
    let since = known.in_effect().ok_or(Refusal::NotInEffect)?;
    let on = day(draft, on)?;
    if on < since { Err(Refusal::DayTooEarly) } else { Ok((known, on)) }
}

pub(super) fn perform(
    draft: &mut Draft<'_, '_>,
    agreement: u16,
    instalment: u16,
    on: Option<CivilDay>,
    amount_fen: Option<u64>,
    text: Text<1000>,
) -> Result<(), Refusal> {
    let case = draft.case()?;
    let (_, on) = effective(draft, &case, agreement, on)?;
    if let Some(WideContent::Agreement { plan, .. }) = draft.known.agreement_words(agreement)
        && usize::from(instalment) > plan.len()
    {
        return Err(Refusal::UnknownInstalment);
    }
    let content = said(&WideContent::Performance { amount_fen, note: text })?;
    draft.append(WideAct::Performed { agreement, instalment, on }, content, |_| {})
}

pub(super) fn visit_again(
    draft: &mut Draft<'_, '_>,
    agreement: u16,
    kept: protocol::event::Kept,
    on: Option<CivilDay>,
    text: Text<4000>,
) -> Result<(), Refusal> {
    let case = draft.case()?;
    let (_, on) = effective(draft, &case, agreement, on)?;
    draft.append(WideAct::ReturnVisited { agreement, kept, on }, note(text), |_| {})
}

pub(super) fn seek(draft: &mut Draft<'_, '_>, asked: Seek) -> Result<(), Refusal> {
    let case = draft.case()?;
    let (known, on) = effective(draft, &case, asked.agreement, asked.on)?;
    if known.sought.is_some() {
        return Err(Refusal::NothingChanges);
    }
    if known.confirmable_until().is_some_and(|last| on > last) {
        return Err(Refusal::ConfirmationLate);
    }
    let Seek { agreement, court, note, .. } = asked;
    let content = said(&WideContent::Ruling { court, number: Text::default(), note })?;
    draft.append(WideAct::ConfirmationSought { agreement, on }, content, |_| {})
}

pub(super) fn confirmed(
    draft: &mut Draft<'_, '_>,
    agreement: u16,
    result: protocol::event::Confirmation,
    on: Option<CivilDay>,
    words: &WideContent,
) -> Result<(), Refusal> {
    let case = draft.case()?;
    let (known, on) = effective(draft, &case, agreement, on)?;
    let asked = known.sought.ok_or(Refusal::NotSought)?;
    if on < asked {
        return Err(Refusal::DayTooEarly);
    }
    if known.decided.is_some() {
        return Err(Refusal::NothingChanges);
    }
    draft.append(WideAct::ConfirmationDecided { agreement, result, on }, said(words)?, |_| {})
}

pub(super) fn end(
    draft: &mut Draft<'_, '_>,
    ground: protocol::event::MediationEnd,
    on: Option<CivilDay>,
    text: Text<4000>,
) -> Result<(), Refusal> {
    let case = draft.case()?;
    let since = case.mediation().ok_or(Refusal::NoMediation)?.opened;
    if agreed(&case) {
        return Err(Refusal::Agreed);
    }
    let on = day(draft, on)?;
    if on < since {
        return Err(Refusal::DayTooEarly);
    }
    draft.append(WideAct::MediationEnded { ground, on }, note(text), |_| {})
}

/// What a resolution must not say against the mediation that is under way.
pub(super) fn resolvable(case: &Case, successful: bool) -> Result<(), Refusal> {
    match (successful, agreed(case), case.mediation().is_some()) {
        (false, true, _) => Err(Refusal::Agreed),
        (true, false, true) => Err(Refusal::NothingAgreed),
        (false, false, true) => Err(Refusal::MediationOpen),
        _ => Ok(()),
    }
}

/// Whether an agreement of the case is in effect.
fn agreed(case: &Case) -> bool {
    case.agreements.iter().any(|agreement| agreement.in_effect().is_some())
}

/// Whether all of them are in the case.
fn there(case: &Case, parties: &[u16]) -> Result<(), Refusal> {
    if parties.is_empty() || parties.iter().any(|party| case.seat(*party).is_none()) {
        return Err(Refusal::UnknownParty);
    }
    // A witness agrees to nothing.
    let is_party = |who: &Participant| who.standing == Standing::Party;
    let seats = parties.iter().filter_map(|party| case.seat(*party)?.who.as_deref());
    if seats.into_iter().all(is_party) { Ok(()) } else { Err(Refusal::NotAParty) }
}

fn said(words: &WideContent) -> Result<Content, Refusal> {
    words.widen().map_err(|_| Refusal::TooLong)
}

/// A list without repeats: a number twice says nothing more.
pub(super) fn once(parties: Parties) -> Parties {
    let mut numbers = parties.into_vec();
    numbers.sort_unstable();
    numbers.dedup();
    List::new(numbers).unwrap_or_default()
}
