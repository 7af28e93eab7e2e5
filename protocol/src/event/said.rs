//! What people say with acts that came after the first version. As with acts, all of it is one variant of a content, a code with a
//! body: who does not know the code keeps the words, hands them on, and shows that there are some.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::wide::coded;
use super::{Category, Content, Instalment, Participant, Parties, RestrictionGround, SessionKind};
use crate::attachment::Attachment;
use crate::bounded::{Blob, List, OutOfBounds, Text};
use crate::division::{DivisionCode, GridKind};
use crate::grading::{Answers, Rule};
use crate::id::NodeId;
use crate::time::CivilDay;
use crate::wire::codec;

/// Bytes of the body of one.
pub const SAID_BYTES_MAX: usize = 64 * 1024;
/// Parties that one event names.
pub const PARTIES_AT_ONCE_MAX: usize = 16;

/// Mediators of one case.
pub const MEDIATORS_MAX: usize = 8;
/// Parts in which an agreement can be performed.
pub const INSTALMENTS_MAX: usize = 60;

/// How somebody is told (反馈方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldBy {
    /// 当面
    InPerson,
    /// 电话
    Phone,
    /// 书面
    Letter,
    /// 短信、网络
    Message,
}

/// Whether who asked is content (满意度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contentment {
    /// 满意
    Content,
    /// 基本满意
    Mostly,
    /// 不满意
    NotContent,
    /// They could not be reached (联系不上).
    NotReached,
}

/// Such a content as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Said {
    /// Which it is.
    pub code: u16,
    /// Its words, in the canonical encoding of that content.
    pub body: Blob<SAID_BYTES_MAX>,
}

/// What a header does not tell of a restricted case, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
pub struct Withheld {
    /// Why.
    pub ground: RestrictionGround,
    /// The node whose people it is about.
    pub against: Option<NodeId>,
    /// Category.
    pub category: Category,
    /// Where it happened.
    pub place: DivisionCode,
    /// The kind of grid there.
    pub grid_kind: GridKind,
    /// People involved.
    pub head_count: u32,
    /// The answers of the grade panel.
    pub answers: Answers,
    /// The rule that fired.
    pub fired: Rule,
    /// The summary.
    pub summary: Text<120>,
}

coded! {
    /// A content that came after the first version.
    WideContent as Said of SAID_BYTES_MAX, told by "is";
    /// Parties and others, as they are from now on.
    Participants {
        /// Them, in the order of their numbers.
        people: List<Participant, PARTIES_AT_ONCE_MAX>,
    } = 301,
    /// What the report says from now on.
    Amendment {
        /// Title; absent: as it was.
        title: Option<Text<120>>,
        /// Narrative; absent: as it was.
        narrative: Option<Text<8000>>,
        /// Why.
        reason: Text<1000>,
    } = 302,
    /// What another case of the same matter said, which went into this one (并案).
    TakenIn {
        /// Its title.
        title: Text<120>,
        /// Its narrative.
        narrative: Text<8000>,
        /// Why they are one.
        note: Text<4000>,
    } = 303,
    /// What is withheld from above of a restricted case (受限内容).
    Withheld {
        /// What.
        what: Withheld,
        /// Why, in words.
        note: Text<1000>,
    } = 304,
    /// Who mediates, and what was said of it.
    Mediators {
        /// Their names.
        names: List<Text<60>, MEDIATORS_MAX>,
        /// Chosen by the parties (人民调解法 art. 19).
        chosen: bool,
        /// Not in public (art. 23).
        closed: bool,
        /// What they ask, or why the committee offers it.
        note: Text<4000>,
    } = 401,
    /// What was held with people and written down (笔录).
    Session {
        /// What it was.
        kind: SessionKind,
        /// On which day.
        on: CivilDay,
        /// From when to when, in minutes of that day.
        minutes: Option<(u16, u16)>,
        /// Where.
        place: Text<120>,
        /// Numbers of those in the case who were there.
        present: Parties,
        /// Who else was there.
        others: Text<400>,
        /// Who led it, and who wrote it down.
        led_by: Text<60>,
        /// Who wrote it down.
        recorder: Text<60>,
        /// What was said.
        record: Text<8000>,
        /// What came of it.
        result: Text<1000>,
    } = 402,
    /// What was agreed (人民调解法 art. 29).
    Agreement {
        /// The facts of the dispute.
        facts: Text<4000>,
        /// What is disputed, and who answers for what.
        issue: Text<2000>,
        /// What was agreed.
        terms: Text<4000>,
        /// In which manner and by when it is performed.
        manner: Text<1000>,
        /// The sum in question, in fen.
        amount_fen: Option<u64>,
        /// What is to be performed when.
        plan: List<Instalment, INSTALMENTS_MAX>,
        /// The parties agree to sign electronically.
        electronic: bool,
        /// Who mediated.
        mediator: Text<60>,
    } = 403,
    /// What was performed.
    Performance {
        /// The sum, in fen.
        amount_fen: Option<u64>,
        /// How that is known.
        note: Text<1000>,
    } = 404,
    /// What a court has said.
    Ruling {
        /// The court.
        court: Text<60>,
        /// The number of its ruling.
        number: Text<60>,
        /// What it says.
        note: Text<1000>,
    } = 405,
    /// What a unit is to do.
    Task {
        /// Title.
        title: Text<120>,
        /// What.
        text: Text<2000>,
    } = 501,
    /// Who stands for the case (包案领导).
    Sponsor {
        /// Name.
        name: Text<60>,
        /// Office.
        office: Text<120>,
        /// What is asked of them.
        note: Text<1000>,
    } = 502,
    /// A photo, a voice message, a paper (附件).
    Attached {
        /// What it is.
        attachment: Attachment,
    } = 601,
    /// How who asked was told (反馈).
    FedBack {
        /// By which way.
        by: ToldBy,
        /// On which day.
        on: CivilDay,
        /// Whether they are content; absent: not asked.
        content: Option<Contentment>,
        /// What they said, and anything else.
        note: Text<4000>,
    } = 701,
}

impl WideContent {
    /// As it travels; one that is too long is refused.
    pub fn widen(&self) -> Result<Content, OutOfBounds> {
        let (code, bytes) = self.encoded();
        Ok(Content::Wider(Said { code, body: Blob::new(bytes)? }))
    }
}
