//! By which way (办理方式) a matter is worked: what its dossier must hold follows from it.

use protocol::event::{Act, Ending, Matter, Source};
use protocol::warning::Warning;

use super::{Desk, Story};

/// A way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// 人民调解
    PeopleMediation,
    /// 行政调解
    AdministrativeMediation,
    /// 司法调解（诉调对接）
    Judicial,
    /// 信访
    Petition,
    /// 当场化解
    OnTheSpot,
    /// 咨询、诉求
    Consultation,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::PeopleMediation,
        Self::AdministrativeMediation,
        Self::Judicial,
        Self::Petition,
        Self::OnTheSpot,
        Self::Consultation,
    ];

    /// The way of a case. As long as no act names the channel by which a case is worked, it follows from what its category
    /// admits: people's mediation where that may take it.
    pub fn of(story: &Story<'_>, desk: &Desk<'_>) -> Self {
        let brief = &story.case.brief;
        if brief.matter != Matter::Dispute {
            return Self::Consultation;
        }
        if !story.case.mediations.is_empty() {
            return Self::PeopleMediation;
        }
        if on_the_spot(story) {
            return Self::OnTheSpot;
        }
        let admits = |channel| desk.holds.categories.admits(brief.category, channel);
        let mediated = ["people_mediation", "sectoral_mediation", "labour_mediation"].into_iter().any(admits);
        match () {
            () if mediated => Self::PeopleMediation,
            () if brief.source == Source::Petition => Self::Petition,
            () if admits("administrative_mediation") || admits("administrative") => Self::AdministrativeMediation,
            () if admits("petition") => Self::Petition,
            () if admits("court") => Self::Judicial,
            // A category of another list.
            () => Self::PeopleMediation,
        }
    }

    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::PeopleMediation => "people_mediation",
            Self::AdministrativeMediation => "administrative_mediation",
            Self::Judicial => "judicial",
            Self::Petition => "petition",
            Self::OnTheSpot => "on_the_spot",
            Self::Consultation => "consultation",
        }
    }

    /// What it is called.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::PeopleMediation => "人民调解",
            Self::AdministrativeMediation => "行政调解",
            Self::Judicial => "诉调对接",
            Self::Petition => "信访",
            Self::OnTheSpot => "当场化解",
            Self::Consultation => "咨询诉求",
        }
    }

    /// The same in English.
    pub fn english(self) -> &'static str {
        match self {
            Self::PeopleMediation => "People's mediation",
            Self::AdministrativeMediation => "Administrative mediation",
            Self::Judicial => "Linked with a court",
            Self::Petition => "Petition",
            Self::OnTheSpot => "Settled on the spot",
            Self::Consultation => "Request or consultation",
        }
    }

    /// Whether parties are mediated between.
    pub(crate) fn mediates(self) -> bool {
        matches!(self, Self::PeopleMediation | Self::AdministrativeMediation | Self::Judicial | Self::OnTheSpot)
    }
}

/// What a grid worker met with on the round and settled there: it went to nobody else, and was never red.
fn on_the_spot(story: &Story<'_>) -> bool {
    let (case, brief) = (story.case, &story.case.brief);
    let kept = |act: &Act| matches!(act, Act::Reported { ending: Ending::SettleHere });
    let met = matches!(brief.source, Source::Grid | Source::Visit);
    met && story.all(kept).next().is_some() && case.owner() == case.reporter && case.peak() <= Some(Warning::Yellow)
}
