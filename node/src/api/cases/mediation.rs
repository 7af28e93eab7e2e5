//! A case's mediations and agreements as they are shown.

use casework::hints::{Words, hints};
use casework::{Agreement, Case, Known, Mediation};
use protocol::event::{Instalment, WideContent};
use protocol::time::CivilDay;
use serde::Serialize;
use utoipa::ToSchema;

use super::hints::HintView;
use super::pieces::{Shown, word};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::person::mask;

/// A mediation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MediationView {
    /// `application`, `initiative`, `court`, `procuratorate`, `police`, `petitions` or `department`.
    pub source: String,
    /// Code of the committee.
    pub committee: u16,
    /// Its name.
    pub committee_name: String,
    /// The day on which it was taken on.
    pub opened: String,
    /// What parties last said.
    pub consents: Vec<ConsentView>,
    /// `refused`, `no_agreement`, `absent`, `out_of_time` or `not_admissible`: how it ended without an agreement.
    pub ended: Option<String>,
    /// The day of that.
    pub ended_on: Option<String>,
}

/// What a party last said.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConsentView {
    /// The party's number.
    pub party: u16,
    /// Whether it agrees to be mediated.
    pub agree: bool,
    /// The day.
    pub on: String,
}

/// An agreement.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgreementView {
    /// Its number in the case.
    pub agreement: u16,
    /// `written` or `oral`.
    pub form: String,
    /// Its number in the books of the committee, as `2026-17`.
    pub number: String,
    /// Code of the committee.
    pub committee: u16,
    /// Numbers of the parties.
    pub parties: Vec<u16>,
    /// The day on which it was drawn up.
    pub drawn: String,
    /// Who has signed it.
    pub marks: Vec<MarkView>,
    /// Who has still to sign: numbers of parties.
    pub unsigned: Vec<u16>,
    /// The day on which the mediator signed.
    pub mediator_signed: Option<String>,
    /// The day on which it got the seal of the committee.
    pub sealed: Option<String>,
    /// The day from which it holds.
    pub in_effect: Option<String>,
    /// The last day on which the parties can ask a court to confirm it.
    pub confirmable_until: Option<String>,
    /// It came to nothing.
    pub dropped: bool,
    /// The words, where they are held.
    pub words: Option<AgreementWords>,
    /// What return visits found: `not_due`, `fully`, `partly` or `not`, the latest last.
    pub visits: Vec<VisitView>,
    /// The day on which a court was asked.
    pub confirmation_sought: Option<String>,
    /// `confirmed`, `refused` or `withdrawn`.
    pub confirmation: Option<String>,
}

/// A mark under an agreement.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MarkView {
    /// The party's number.
    pub party: u16,
    /// `signature`, `seal`, `fingerprint` or `electronic`.
    pub mark: String,
    /// The day.
    pub on: String,
}

/// What a return visit found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VisitView {
    /// How far it is kept.
    pub kept: String,
    /// The day.
    pub on: String,
}

/// What was agreed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgreementWords {
    /// The facts of the dispute.
    pub facts: String,
    /// What is disputed, and who answers for what.
    pub issue: String,
    /// What was agreed.
    pub terms: String,
    /// In which manner and by when it is performed.
    pub manner: String,
    /// The sum in question, in fen.
    pub amount_fen: Option<u64>,
    /// What is to be performed when.
    pub plan: Vec<PartView>,
    /// The parties agreed to sign electronically.
    pub electronic: bool,
    /// Who mediated.
    pub mediator: String,
    /// Of the sum what was noted as paid, in fen.
    pub performed_fen: u64,
    /// Where a court could not confirm or enforce it.
    pub hints: Vec<HintView>,
}

/// A part of what is to be performed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartView {
    /// The party's number.
    pub by: u16,
    /// The last day.
    pub due: String,
    /// The sum, in fen.
    pub amount_fen: Option<u64>,
    /// What is to be done.
    pub what: String,
    /// The day on which it was performed.
    pub performed: Option<String>,
}

fn day(day: CivilDay) -> String {
    stamp::day(day.number())
}

/// The mediations of a case, one after the other.
pub(super) fn mediations(state: &ApiState, known: &Known) -> Vec<MediationView> {
    let all = known.case().into_iter().flat_map(|case| &case.mediations);
    all.map(|mediation| mediation_view(state, mediation)).collect()
}

fn mediation_view(state: &ApiState, mediation: &Mediation) -> MediationView {
    let Mediation { source, committee, opened, consents, ended } = mediation;
    let consent =
        |(party, agree, on): &(u16, bool, CivilDay)| ConsentView { party: *party, agree: *agree, on: day(*on) };
    MediationView {
        source: word(source),
        committee: committee.0,
        committee_name: state.in_force().units.name(*committee, true),
        opened: day(*opened),
        consents: consents.iter().map(consent).collect(),
        ended: ended.map(|(ground, _)| word(ground)),
        ended_on: ended.map(|(_, on)| day(on)),
    }
}

/// Its agreements, those that came to nothing among them.
pub(super) fn agreements(known: &Known, shown: Shown) -> Vec<AgreementView> {
    let view = |case: &Case| case.agreements.iter().map(|agreement| agreement_view(known, agreement, shown)).collect();
    known.case().map(view).unwrap_or_default()
}

fn agreement_view(known: &Known, agreement: &Agreement, shown: Shown) -> AgreementView {
    let signed = |party: &u16| agreement.marks.iter().any(|(number, _, _)| number == party);
    let written = agreement.form == protocol::event::AgreementForm::Written;
    AgreementView {
        agreement: agreement.number,
        form: word(agreement.form),
        number: format!("{}-{}", agreement.paper.year, agreement.paper.number),
        committee: agreement.paper.committee.0,
        parties: agreement.parties.clone(),
        drawn: day(agreement.drawn),
        marks: agreement
            .marks
            .iter()
            .map(|(party, mark, on)| MarkView { party: *party, mark: word(mark), on: day(*on) })
            .collect(),
        unsigned: agreement.parties.iter().filter(|party| written && !signed(party)).copied().collect(),
        mediator_signed: agreement.mediator.map(day),
        sealed: agreement.committee.map(day),
        in_effect: agreement.in_effect().map(day),
        confirmable_until: agreement.confirmable_until().map(day),
        dropped: agreement.dropped,
        words: known.agreement_words(agreement.number).and_then(|words| shown_words(known, agreement, words, shown)),
        visits: agreement.visits.iter().map(|(kept, on)| VisitView { kept: word(kept), on: day(*on) }).collect(),
        confirmation_sought: agreement.sought.map(day),
        confirmation: agreement.decided.map(|(result, _)| word(result)),
    }
}

fn shown_words(known: &Known, agreement: &Agreement, words: WideContent, shown: Shown) -> Option<AgreementWords> {
    let WideContent::Agreement { facts, issue, terms, manner, amount_fen, plan, electronic, mediator } = words else {
        return None;
    };
    let words = Words { terms: &terms, manner: &manner, amount_fen, plan: &plan };
    let found = hints(words, known.names()).into_iter().map(HintView::of).collect();
    let prose = |text: &str| shown.with(text, |text| mask::prose(text, known.names()));
    let performed = |number: usize| {
        agreement.performed.iter().find(|(part, _)| usize::from(*part) == number).map(|(_, on)| day(*on))
    };
    let part = |(index, part): (usize, &Instalment)| PartView {
        by: part.by,
        due: day(part.due),
        amount_fen: part.amount_fen,
        what: prose(&part.what),
        performed: performed(index + 1),
    };
    Some(AgreementWords {
        facts: prose(&facts),
        issue: prose(&issue),
        terms: prose(&terms),
        manner: prose(&manner),
        amount_fen,
        plan: plan.iter().enumerate().map(part).collect(),
        electronic,
        mediator: mediator.to_string(),
        performed_fen: casework::performed_fen(known, agreement.number),
        hints: found,
    })
}
