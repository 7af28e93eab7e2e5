//! Bodies of what is done in a mediation.

use casework::calendar::Date;
use casework::{Command, Draw, Hold, NoteConfirmation, OpenMediation, Seek, Sign};
use protocol::bounded::{List, Text};
use protocol::event::{
    AgreementForm, Confirmation, INSTALMENTS_MAX, Instalment, Kept, MEDIATORS_MAX, Mark, MediationEnd, MediationSource,
    Parties, SessionKind,
};
use protocol::time::CivilDay;
use protocol::unit::UnitCode;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{Commanded, Note, bodies, whole};

/// A part of what is to be performed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstalmentBody {
    /// The number of the party who performs it.
    pub by: u16,
    /// The last day, as `YYYY-MM-DD`.
    #[schema(value_type = String)]
    pub due: Date,
    /// The sum, in fen.
    #[serde(default)]
    pub amount_fen: Option<u64>,
    /// What is to be done.
    #[serde(default)]
    #[schema(value_type = String)]
    pub what: Text<60>,
}

fn plan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<List<Instalment, INSTALMENTS_MAX>, D::Error> {
    let parts = List::<InstalmentBody, INSTALMENTS_MAX>::deserialize(deserializer)?;
    let part = |body: InstalmentBody| {
        let InstalmentBody { by, due, amount_fen, what } = body;
        Instalment { by, due: due.0, amount_fen, what }
    };
    List::new(parts.into_iter().map(part).collect()).map_err(serde::de::Error::custom)
}

bodies! {
    /// Consent to mediation, or its refusal.
    ConsentBody => Consent {
        /// Their numbers in the case.
        #[schema(value_type = Vec<u16>)]
        parties: Parties,
        /// Whether they agree to be mediated.
        agree: bool,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// What they said.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// A draft that comes to nothing.
    DropAgreementBody => DropAgreement {
        /// The agreement, by its number in the case.
        agreement: u16,
        /// Why.
        #[schema(value_type = String)]
        note: Note,
    },
    /// Performance of an agreement.
    PerformBody => Perform {
        /// The agreement, by its number in the case.
        agreement: u16,
        /// The part of its plan, from 1; 0: something else.
        #[serde(default)]
        instalment: u16,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// The sum, in fen.
        #[serde(default)]
        amount_fen: Option<u64>,
        /// How that is known.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Text<1000>,
    },
    /// A return visit.
    VisitAgainBody => VisitAgain {
        /// The agreement, by its number in the case.
        agreement: u16,
        /// `not_due`, `fully`, `partly` or `not`.
        #[schema(value_type = String)]
        kept: Kept,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// What was found.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// The end of a mediation without an agreement.
    EndMediationBody => EndMediation {
        /// `refused`, `no_agreement`, `absent`, `out_of_time` or `not_admissible`.
        #[schema(value_type = String)]
        ground: MediationEnd,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// What was said.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
}

whole! {
    /// What the court said.
    NoteConfirmationBody => NoteConfirmation {
        /// The agreement, by its number in the case.
        agreement: u16,
        /// `confirmed`, `refused` or `withdrawn`.
        #[schema(value_type = String)]
        result: Confirmation,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// Which court.
        #[serde(default)]
        #[schema(value_type = String)]
        court: Text<60>,
        /// The number of its ruling.
        #[serde(default)]
        #[schema(value_type = String)]
        number: Text<60>,
        /// What it says.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Text<1000>,
    },
    /// A dispute is taken on for mediation.
    OpenMediationBody => OpenMediation {
        /// `application`, `initiative`, `court`, `procuratorate`, `police`, `petitions` or `department`.
        #[schema(value_type = String)]
        source: MediationSource,
        /// Code of the committee in the unit directory.
        #[schema(value_type = u16)]
        committee: UnitCode,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// Who mediates, at most eight.
        #[serde(default)]
        #[schema(value_type = Vec<String>)]
        mediators: List<Text<60>, MEDIATORS_MAX>,
        /// The parties chose them.
        #[serde(default)]
        chosen: bool,
        /// Not in public.
        #[serde(default)]
        closed: bool,
        /// What the parties ask, or why the committee offers it.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// A record of what was held with people.
    HoldBody => Hold {
        /// `mediation`, `investigation`, `notice_of_rights`, `joint_session`, `visit` or `call`.
        #[schema(value_type = String)]
        kind: SessionKind,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// From when to when, in minutes of the day.
        #[serde(default)]
        #[schema(value_type = Option<Vec<u16>>)]
        minutes: Option<(u16, u16)>,
        /// Where.
        #[serde(default)]
        #[schema(value_type = String)]
        place: Text<120>,
        /// Numbers of those in the case who were there.
        #[serde(default)]
        #[schema(value_type = Vec<u16>)]
        present: Parties,
        /// Who else was there.
        #[serde(default)]
        #[schema(value_type = String)]
        others: Text<400>,
        /// Who led it.
        #[serde(default)]
        #[schema(value_type = String)]
        led_by: Text<60>,
        /// Who wrote it down.
        #[serde(default)]
        #[schema(value_type = String)]
        recorder: Text<60>,
        /// What was said.
        #[schema(value_type = String)]
        record: Text<8000>,
        /// What came of it.
        #[serde(default)]
        #[schema(value_type = String)]
        result: Text<1000>,
    },
    /// An agreement.
    DrawBody => Draw {
        /// `written` or `oral`.
        #[schema(value_type = String)]
        form: AgreementForm,
        /// Numbers of the parties between whom it is.
        #[schema(value_type = Vec<u16>)]
        parties: Parties,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// The facts of the dispute.
        #[serde(default)]
        #[schema(value_type = String)]
        facts: Note,
        /// What is disputed, and who answers for what.
        #[serde(default)]
        #[schema(value_type = String)]
        issue: Text<2000>,
        /// What was agreed.
        #[schema(value_type = String)]
        terms: Note,
        /// In which manner and by when it is performed.
        #[serde(default)]
        #[schema(value_type = String)]
        manner: Text<1000>,
        /// The sum in question, in fen.
        #[serde(default)]
        amount_fen: Option<u64>,
        /// What is to be performed when.
        #[serde(default, deserialize_with = "plan")]
        #[schema(value_type = Vec<InstalmentBody>)]
        plan: List<Instalment, INSTALMENTS_MAX>,
        /// The parties agree to sign electronically, and it is about neither marriage, adoption nor inheritance.
        #[serde(default)]
        electronic: bool,
        /// Who mediated.
        #[serde(default)]
        #[schema(value_type = String)]
        mediator: Text<60>,
    },
    /// Marks under an agreement, of one sitting.
    SignAgreementBody => Sign {
        /// The agreement, by its number in the case.
        agreement: u16,
        /// Numbers of the parties who signed.
        #[serde(default)]
        #[schema(value_type = Vec<u16>)]
        parties: Parties,
        /// The mediator signed.
        #[serde(default)]
        mediator: bool,
        /// It got the seal of the committee.
        #[serde(default)]
        committee: bool,
        /// `signature`, `seal`, `fingerprint` or `electronic`.
        #[schema(value_type = String)]
        mark: Mark,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// Anything to be noted.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// A court is asked to confirm an agreement.
    SeekConfirmationBody => Seek {
        /// The agreement, by its number in the case.
        agreement: u16,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// Which court.
        #[schema(value_type = String)]
        court: Text<60>,
        /// Anything to be noted.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Text<1000>,
    },
}
