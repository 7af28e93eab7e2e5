//! Acts that came after the first version. On the wire all of them are one variant, a code with a body: a program that does not
//! know the code takes the state that the header tells and goes on with the chain.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{
    Act, AgreementForm, Confirmation, Kept, Mark, Matter, MediationEnd, MediationSource, PaperNumber, Parties,
};
use crate::bounded::Blob;
use crate::fact::Channel;
use crate::id::{AttachmentId, CaseId};
use crate::time::CivilDay;
use crate::unit::UnitCode;
use crate::wire::codec;

/// Bytes of the body of one.
pub const WIDE_BYTES_MAX: usize = 64;

/// An act as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Wider {
    /// Which act it is.
    pub code: u16,
    /// What it says, in the canonical encoding of that act; no words and no names.
    pub body: Blob<WIDE_BYTES_MAX>,
}

/// Why a term stands still (中止).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseGround {
    /// An expert assesses something (鉴定).
    Assessment,
    /// A hearing (听证).
    Hearing,
    /// A party cannot take part for a time.
    PartyAbsent,
    /// Another body decides something first (another case, a court).
    Decision,
    /// Another ground, in words.
    Other,
}

/// Why a matter is not taken on (不予受理).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineGround {
    /// A court or an arbitration body has it already, or has decided.
    Pending,
    /// It belongs to litigation, arbitration or reconsideration by law.
    OtherProcedure,
    /// A petition of the same matter is open or concluded.
    Petitioned,
    /// Discipline inspection has it.
    Discipline,
    /// A party clearly refuses mediation (人民调解法 art. 17).
    Refused,
    /// It is a matter of another place.
    OtherPlace,
    /// It names nothing that could be handled.
    Unfounded,
}

/// Why a case is restricted to named readers (受限原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestrictionGround {
    /// Minors are harmed or at risk (未成年人保护法 art. 103: what identifies them is not made known).
    Minors,
    /// Domestic violence (反家庭暴力法 art. 5: privacy is protected).
    DomesticViolence,
    /// Sexual harm.
    SexualHarm,
    /// It is about people of a node (信访: what is said of somebody is not passed on to them).
    OwnPeople,
    /// Another ground, in words.
    Other,
}

/// A family of things that came after the first version: each has a code, and a body in the canonical encoding of its fields.
macro_rules! coded {
    ($(#[$family_doc:meta])* $family:ident as $travels:ident of $max:ident, told by $tag:literal;
     $($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? } = $code:literal),+ $(,)?) => {
        $(#[$family_doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "snake_case", tag = $tag)]
        pub enum $family {
            $($(#[$doc])* $name { $($(#[$field_doc])* $field: $type,)* },)+
        }

        impl $family {
            /// Every code of this version.
            pub const CODES: &[u16] = &[$($code),+];

            /// Its code, and its body.
            fn encoded(&self) -> (u16, Vec<u8>) {
                match self {
                    $(Self::$name { $($field),* } => ($code, codec::encode_unbounded(&($($field,)*))),)+
                }
            }
        }

        impl $travels {
            /// What it says; none of a later version, nor where the body is none of its code.
            pub fn read(&self) -> Option<$family> {
                match self.code {
                    $($code => {
                        let ($($field,)*): ($($type,)*) = codec::decode(&self.body, $max).ok()?;
                        Some($family::$name { $($field),* })
                    })+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use coded;

impl WideAct {
    /// As it travels. Its fields are ids, codes, days and numbers, of which none is long.
    pub fn widen(&self) -> Wider {
        let (code, bytes) = self.encoded();
        Wider { code, body: Blob::new(bytes).unwrap_or_default() }
    }
}

impl From<WideAct> for Act {
    fn from(act: WideAct) -> Self {
        Self::Wider(act.widen())
    }
}

coded! {
    /// An act that came after the first version.
    WideAct as Wider of WIDE_BYTES_MAX, told by "act";
    /// The term that runs stands still from a day on (中止).
    Paused {
        /// Why.
        ground: PauseGround,
        /// The first day that does not count.
        on: CivilDay,
    } = 101,
    /// It goes on (恢复).
    Resumed {
        /// The first day that counts again.
        on: CivilDay,
    } = 102,
    /// Somebody asks for more time to resolve it (申请延期).
    ExtensionAsked {
        /// Calendar days.
        days: u16,
    } = 103,
    /// It gets more time (延期).
    Extended {
        /// Calendar days.
        days: u16,
    } = 104,
    /// It gets none.
    ExtensionRefused {} = 105,
    /// The calendar has come by which a term that ended beyond the one before is counted.
    TermCounted {} = 106,
    /// Not taken on (不予受理).
    NotTakenOn {
        /// Why.
        ground: DeclineGround,
    } = 201,
    /// Who asked no longer does (撤回).
    Withdrawn {} = 202,
    /// Another body settles it: a court, arbitration, a department (移送).
    Referred {
        /// How it is settled there.
        channel: Channel,
    } = 203,
    /// What was settled is open again (重新办理).
    Reopened {} = 204,
    /// Parties and others joined (追加当事人): their numbers go on from the first of them.
    Joined {
        /// Number of the first.
        first: u16,
        /// How many.
        count: u16,
    } = 301,
    /// What is known of one of them was put right.
    PartyAmended {
        /// Its number.
        party: u16,
    } = 302,
    /// One of them is no longer a party (退出).
    Left {
        /// Its number.
        party: u16,
    } = 303,
    /// What the report said was put right or completed (补充更正).
    Amended {} = 304,
    /// It is a matter of another kind from now on, under the same number (转办): advice turned into a petition or a dispute.
    Turned {
        /// What it was.
        from: Matter,
    } = 305,
    /// It belongs with another case: an earlier one, a part of the same series (关联).
    Linked {
        /// The other case.
        to: CaseId,
    } = 306,
    /// It goes into another case of the same matter, and is struck through (并案).
    Merged {
        /// The case that goes on.
        into: CaseId,
    } = 307,
    /// Another case of the same matter went into it.
    TookIn {
        /// The case that was struck through.
        case: CaseId,
    } = 308,
    /// What may be seen of it above is a level and a number from here on (设为受限案件).
    Restricted {} = 309,
    /// What is withheld from above changed.
    WithheldChanged {} = 310,
    /// It is a case like others again (解除受限).
    RestrictionLifted {} = 311,
    /// A committee takes the dispute on for mediation (受理调解).
    MediationOpened {
        /// How it came about.
        source: MediationSource,
        /// The committee.
        committee: UnitCode,
        /// On which day.
        on: CivilDay,
    } = 401,
    /// Parties agree to be mediated, or refuse (人民调解法 art. 17). It can be taken back.
    Consented {
        /// Their numbers.
        parties: Parties,
        /// Whether they agree.
        agree: bool,
        /// On which day.
        on: CivilDay,
    } = 402,
    /// An agreement was drawn up (调解协议), and got its number.
    AgreementDrafted {
        /// Its number in the case, from 1.
        agreement: u16,
        /// Written or oral.
        form: AgreementForm,
        /// Its number in the books of the committee.
        paper: PaperNumber,
        /// Between whom.
        parties: Parties,
        /// On which day.
        on: CivilDay,
    } = 403,
    /// Somebody put their mark under it (签名、盖章、按指印).
    AgreementMarked {
        /// The agreement.
        agreement: u16,
        /// Parties who did.
        parties: Parties,
        /// The mediator did.
        mediator: bool,
        /// The seal of the committee is on it.
        committee: bool,
        /// How.
        mark: Mark,
        /// On which day.
        on: CivilDay,
    } = 404,
    /// A draft that comes to nothing.
    AgreementDropped {
        /// The agreement.
        agreement: u16,
    } = 405,
    /// A part of an agreement was performed (履行).
    Performed {
        /// The agreement.
        agreement: u16,
        /// The part of its plan, from 1; 0: something else.
        instalment: u16,
        /// On which day.
        on: CivilDay,
    } = 406,
    /// It was asked how the agreement is kept (回访; 人民调解法 art. 31).
    ReturnVisited {
        /// The agreement.
        agreement: u16,
        /// How far it is kept.
        kept: Kept,
        /// On which day.
        on: CivilDay,
    } = 407,
    /// The parties asked a court together to confirm it (司法确认; art. 33).
    ConfirmationSought {
        /// The agreement.
        agreement: u16,
        /// On which day.
        on: CivilDay,
    } = 408,
    /// The court has said.
    ConfirmationDecided {
        /// The agreement.
        agreement: u16,
        /// What.
        result: Confirmation,
        /// On which day.
        on: CivilDay,
    } = 409,
    /// The mediation ended without an agreement (终止调解; art. 26).
    MediationEnded {
        /// Why.
        ground: MediationEnd,
        /// On which day.
        on: CivilDay,
    } = 410,
    /// A unit gets a part of the case to do (交办任务); the case keeps its one lead.
    TaskGiven {
        /// Its number in the case, from 1.
        task: u16,
        /// Who does it.
        unit: UnitCode,
        /// The task that must be closed before this one begins.
        after: Option<u16>,
        /// The last day.
        due: CivilDay,
    } = 501,
    /// The unit has signed for it (签收).
    TaskAccepted {
        /// The task.
        task: u16,
    } = 502,
    /// It reports what it did (反馈).
    TaskReported {
        /// The task.
        task: u16,
    } = 503,
    /// That was not all (退回重办).
    TaskSentBack {
        /// The task.
        task: u16,
    } = 504,
    /// It is taken as done (办结).
    TaskClosed {
        /// The task.
        task: u16,
    } = 505,
    /// It is no longer asked (撤销).
    TaskCancelled {
        /// The task.
        task: u16,
    } = 506,
    /// A leader stands for it (包案).
    Sponsored {} = 507,
    /// The unit that leads it objects that it is not its matter (退回异议); it leads on until that is agreed or ruled.
    Objected {
        /// Whom it proposes instead.
        proposed: Option<UnitCode>,
    } = 508,
    /// Its objection is not agreed.
    ObjectionRefused {} = 509,
    /// Whoever is above both says who leads it (裁定), and that binds.
    Ruled {
        /// The unit.
        unit: UnitCode,
    } = 510,
    /// What was attached has its place in the dossier (归卷).
    Placed {
        /// The attachment.
        attachment: AttachmentId,
        /// The slot, by its number in the table of slots.
        slot: u16,
    } = 602,
    /// What was attached is the scan of a sheet that the program printed (签字件扫描).
    SheetScanned {
        /// The attachment.
        attachment: AttachmentId,
        /// The paper, by its number on printed sheets.
        paper: u16,
        /// The number of the last event that the sheet tells of.
        edition: u32,
        /// Which page of it, from 1.
        page: u16,
        /// How many pages it has.
        pages: u16,
    } = 603,
    /// A person says that a slot stays empty, and why (免附).
    SlotExcused {
        /// The slot, by its number in the table of slots.
        slot: u16,
    } = 604,
    /// What the level of the case asks for was done (固定动作).
    MeasureTaken {
        /// Which, by its number in the table of measures.
        measure: u16,
    } = 801,
}
