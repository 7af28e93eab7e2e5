//! Mediation (调解) as it stands: who takes part, what was agreed, who has signed, how it is kept.

use protocol::event::{
    Act, AgreementForm, Confirmation, Content, Kept, Mark, MediationEnd, MediationSource, PaperNumber, WideAct,
    WideContent,
};
use protocol::time::CivilDay;
use protocol::unit::UnitCode;

use crate::case::Case;
use crate::known::Known;

/// Days within which the parties may ask a court together to confirm an agreement (人民调解法 art. 33).
pub const CONFIRMATION_DAYS: i32 = 30;
/// Mediations of one case, one after the other.
pub(crate) const MEDIATIONS_MAX: usize = 8;
/// Agreements of one case, drafts that came to nothing among them.
pub(crate) const AGREEMENTS_MAX: usize = 32;

/// A mediation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mediation {
    /// How it came about.
    pub source: MediationSource,
    /// The committee.
    pub committee: UnitCode,
    /// The day on which it was taken on.
    pub opened: CivilDay,
    /// What each party last said, and on which day: whether they agree to be mediated.
    pub consents: Vec<(u16, bool, CivilDay)>,
    /// How it ended without an agreement.
    pub ended: Option<(MediationEnd, CivilDay)>,
}

impl Mediation {
    /// Whether a party agrees to it, as it last said.
    pub fn agrees(&self, party: u16) -> Option<bool> {
        self.consents.iter().rev().find(|(number, _, _)| *number == party).map(|(_, agree, _)| *agree)
    }

    /// Whether a party refuses it: then nobody goes on with it (人民调解法 art. 17).
    pub fn refused(&self) -> bool {
        self.consents.iter().any(|(party, _, _)| self.agrees(*party) == Some(false))
    }
}

/// An agreement (调解协议).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Its number in the case.
    pub number: u16,
    /// Written or oral.
    pub form: AgreementForm,
    /// Its number in the books of the committee.
    pub paper: PaperNumber,
    /// Between whom.
    pub parties: Vec<u16>,
    /// The day on which it was drawn up.
    pub drawn: CivilDay,
    /// Parties who put their mark under it.
    pub marks: Vec<(u16, Mark, CivilDay)>,
    /// The day on which the mediator signed.
    pub mediator: Option<CivilDay>,
    /// The day on which it got the seal of the committee.
    pub committee: Option<CivilDay>,
    /// It comes to nothing.
    pub dropped: bool,
    /// Parts that were performed.
    pub performed: Vec<(u16, CivilDay)>,
    /// What return visits found.
    pub visits: Vec<(Kept, CivilDay)>,
    /// The day on which a court was asked to confirm it.
    pub sought: Option<CivilDay>,
    /// What it said.
    pub decided: Option<(Confirmation, CivilDay)>,
}

impl Agreement {
    /// The day from which it holds: an oral one when it is agreed, a written one on the day of the last mark that
    /// 人民调解法 art. 29 and 30 ask for.
    pub fn in_effect(&self) -> Option<CivilDay> {
        if self.dropped {
            return None;
        }
        if self.form == AgreementForm::Oral {
            return Some(self.drawn);
        }
        let mut last = self.mediator?.max(self.committee?);
        for party in &self.parties {
            last = last.max(self.marks.iter().find(|(number, _, _)| number == party)?.2);
        }
        Some(last)
    }

    /// The last day on which its confirmation can be asked for.
    pub fn confirmable_until(&self) -> Option<CivilDay> {
        self.in_effect().map(|day| day.plus(CONFIRMATION_DAYS))
    }
}

impl Case {
    /// The mediation that is under way.
    pub fn mediation(&self) -> Option<&Mediation> {
        self.mediations.last().filter(|mediation| mediation.ended.is_none())
    }

    /// The committee that last took it on for mediation: by which its terms are counted.
    pub fn committee(&self) -> Option<UnitCode> {
        self.mediations.last().map(|mediation| mediation.committee)
    }

    /// An agreement that was not dropped.
    pub fn agreement(&self, number: u16) -> Option<&Agreement> {
        self.agreements.iter().find(|agreement| agreement.number == number && !agreement.dropped)
    }

    /// The number of the next agreement.
    pub(crate) fn next_agreement(&self) -> u16 {
        self.agreements.iter().map(|agreement| agreement.number).max().unwrap_or(0).saturating_add(1)
    }
}

/// What was noted as paid on an agreement, in fen, as far as the words are held.
pub fn performed_fen(known: &Known, agreement: u16) -> u64 {
    let paid = known.chain().iter().filter_map(|link| {
        let Act::Wider(act) = &link.header.act else { return None };
        let WideAct::Performed { agreement: of, .. } = act.read()? else { return None };
        match &known.said(&link.header).filter(|_| of == agreement)?.content {
            Content::Wider(said) => match said.read()? {
                WideContent::Performance { amount_fen, .. } => amount_fen,
                _ => None,
            },
            _ => None,
        }
    });
    paid.fold(0, u64::saturating_add)
}

/// What an act of mediation does to a case; of others nothing.
pub(crate) fn follow(case: &mut Case, act: &WideAct) {
    match act {
        WideAct::MediationOpened { source, committee, on } if case.mediations.len() < MEDIATIONS_MAX => {
            let (source, committee, opened) = (*source, *committee, *on);
            // Its term begins anew.
            (case.extended, case.extension_asked) = (0, None);
            case.mediations.push(Mediation { source, committee, opened, consents: Vec::new(), ended: None });
        }
        WideAct::Consented { parties, agree, on } => {
            if let Some(mediation) = case.mediations.last_mut() {
                for party in parties.iter() {
                    mediation.consents.retain(|(number, _, _)| number != party);
                    mediation.consents.push((*party, *agree, *on));
                }
            }
        }
        WideAct::MediationEnded { ground, on } => {
            if let Some(mediation) = case.mediations.last_mut() {
                mediation.ended = Some((*ground, *on));
            }
        }
        WideAct::AgreementDrafted { agreement, form, paper, parties, on } => {
            let room = case.agreements.len() < AGREEMENTS_MAX;
            if room && case.agreements.iter().all(|known| known.number != *agreement) {
                case.agreements.push(drawn(*agreement, *form, *paper, parties, *on));
            }
        }
        act => follow_agreement(case, act),
    }
}

fn drawn(number: u16, form: AgreementForm, paper: PaperNumber, parties: &[u16], drawn: CivilDay) -> Agreement {
    Agreement {
        number,
        form,
        paper,
        parties: parties.to_vec(),
        drawn,
        marks: Vec::new(),
        mediator: None,
        committee: None,
        dropped: false,
        performed: Vec::new(),
        visits: Vec::new(),
        sought: None,
        decided: None,
    }
}

/// The agreement that an act is about, where it is about one that is drawn up already.
pub(crate) fn subject(act: &WideAct) -> Option<u16> {
    match act {
        WideAct::AgreementMarked { agreement, .. }
        | WideAct::AgreementDropped { agreement }
        | WideAct::Performed { agreement, .. }
        | WideAct::ReturnVisited { agreement, .. }
        | WideAct::ConfirmationSought { agreement, .. }
        | WideAct::ConfirmationDecided { agreement, .. } => Some(*agreement),
        _ => None,
    }
}

fn follow_agreement(case: &mut Case, act: &WideAct) {
    let Some(known) = subject(act).and_then(|of| case.agreements.iter_mut().find(|known| known.number == of)) else {
        return;
    };
    match act {
        WideAct::AgreementMarked { parties, mediator, committee, mark, on, .. } => {
            for party in parties.iter() {
                // The first mark is the one that counts.
                if known.marks.iter().all(|(number, _, _)| number != party) {
                    known.marks.push((*party, *mark, *on));
                }
            }
            known.mediator = known.mediator.or(mediator.then_some(*on));
            known.committee = known.committee.or(committee.then_some(*on));
        }
        WideAct::AgreementDropped { .. } => known.dropped = true,
        WideAct::Performed { instalment, on, .. } => known.performed.push((*instalment, *on)),
        WideAct::ReturnVisited { kept, on, .. } => known.visits.push((*kept, *on)),
        WideAct::ConfirmationSought { on, .. } => known.sought = Some(*on),
        WideAct::ConfirmationDecided { result, on, .. } => known.decided = Some((*result, *on)),
        _ => {}
    }
}

/// Whether an act that was written on another branch of the same case still says something true of this one.
pub(crate) fn fits_again(case: &Case, act: &WideAct) -> bool {
    match act {
        WideAct::MediationOpened { .. } => case.mediation().is_none(),
        WideAct::Consented { .. } | WideAct::MediationEnded { .. } => case.mediation().is_some(),
        WideAct::AgreementDrafted { agreement, .. } => case.agreements.iter().all(|known| known.number != *agreement),
        act => subject(act).is_some_and(|of| case.agreement(of).is_some()),
    }
}
