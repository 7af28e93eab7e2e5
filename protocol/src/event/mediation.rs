//! What the acts of a mediation say: how it came about, what is held, agreed, signed, performed and confirmed.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::{List, Text};
use crate::time::CivilDay;
use crate::unit::UnitCode;

use super::PARTIES_AT_ONCE_MAX;

/// Numbers of parties that one act names.
pub type Parties = List<u16, PARTIES_AT_ONCE_MAX>;

/// How a mediation came about (案件来源; 人民调解法 art. 17, 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediationSource {
    /// A party applied (当事人申请).
    Application,
    /// The committee offered it (主动调解).
    Initiative,
    /// A court entrusted it (委托移送).
    Court,
    /// A procuratorate did.
    Procuratorate,
    /// The police did.
    Police,
    /// A petition office did.
    Petitions,
    /// Another department did.
    Department,
}

/// What was held with people and written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// 调解
    Mediation,
    /// 调查
    Investigation,
    /// 告知当事人权利义务
    NoticeOfRights,
    /// 联席会商
    JointSession,
    /// 走访
    Visit,
    /// 电话
    Call,
}

/// The form of an agreement (人民调解法 art. 28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementForm {
    /// 书面协议: in effect when all have signed.
    Written,
    /// 口头协议: in effect when it is agreed.
    Oral,
}

/// How somebody marks a paper as theirs (人民调解法 art. 29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// 签名
    Signature,
    /// 盖章
    Seal,
    /// 按指印
    Fingerprint,
    /// 电子签名; not of marriage, adoption and inheritance (电子签名法 art. 3).
    Electronic,
}

/// Why a mediation ends without an agreement (终止调解).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediationEnd {
    /// A party refuses it, or asks to end it (art. 17, 23).
    Refused,
    /// No agreement was reached (art. 26).
    NoAgreement,
    /// A party did not come.
    Absent,
    /// The time for it is over.
    OutOfTime,
    /// It is no matter of people's mediation.
    NotAdmissible,
}

/// How far an agreement is kept (履行情况).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// Not due yet.
    NotDue,
    /// In full.
    Fully,
    /// In part.
    Partly,
    /// Not at all.
    Not,
}

/// What a court says of an agreement (司法确认; 民事诉讼法 art. 205, 206).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// It can be enforced.
    Confirmed,
    /// It cannot be confirmed.
    Refused,
    /// The parties no longer ask.
    Withdrawn,
}

/// The number of a paper: each committee counts each year anew, without gap or repeat ((年)调委会调字第×号).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct PaperNumber {
    /// The committee.
    pub committee: UnitCode,
    /// The year.
    pub year: u16,
    /// From 1.
    pub number: u32,
}

/// A part of what is to be performed, with its day.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instalment {
    /// The number of the party who performs it.
    pub by: u16,
    /// The last day.
    pub due: CivilDay,
    /// The sum, in fen.
    #[serde(default)]
    pub amount_fen: Option<u64>,
    /// What is to be done.
    #[serde(default)]
    pub what: Text<60>,
}
