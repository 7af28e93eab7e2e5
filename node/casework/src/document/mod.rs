//! What each paper (文书) of a case says, as data: nothing here knows what a page is. [`Story`] tells a case once, and each
//! paper is made of it. Papers are in Chinese, as the law has them; only their names are in English too.

mod binding;
mod bond;
mod closing;
pub mod code;
mod ending;
mod ground;
mod handling;
mod intake;
mod paper;
mod piece;
mod story;
mod way;

use protocol::division::DivisionCode;
use protocol::id::NodeId;

use crate::publish::InForce;

pub use binding::{back, cover};
pub use code::SheetCode;
pub use paper::Paper;
pub use piece::{Field, Piece, Row, Sheet};
pub use story::{Did, Entry, Story, Words};
pub use way::Way;

pub(crate) use closing::explanation;

/// What places and nodes are called.
pub trait Names {
    /// The name of a division.
    fn division(&self, division: DivisionCode) -> String;
    /// The name of a node.
    fn node(&self, node: NodeId) -> String;
}

/// Who makes papers.
#[derive(Clone, Copy)]
pub struct Desk<'d> {
    /// This node.
    pub me: NodeId,
    /// The lists that are in force.
    pub holds: &'d InForce,
    /// Names.
    pub names: &'d dyn Names,
}

/// Why there is no such paper of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// What it would say is with the owner of the case.
    Elsewhere,
    /// The case has not come so far.
    NotYet,
    /// What it is about has not happened to this case.
    NotSo,
    /// What it would say was lost here, or deleted.
    Lost,
    /// Nothing was written down of the work.
    NoWork,
    /// The settlement was entered without its words.
    NoTerms,
    /// No party is named.
    NoParty,
    /// Parties of whom no number of a document is known.
    NoNumber {
        /// How many.
        parties: u16,
    },
    /// The program makes none: people bring it.
    Brought,
    /// Nobody has noted that an agreement in effect was kept in full.
    NotKept {
        /// Its number in the case.
        agreement: u16,
    },
}

/// A paper of a case.
pub fn sheet(paper: Paper, story: &Story<'_>, desk: &Desk<'_>) -> Result<Sheet, Lack> {
    let way = Way::of(story, desk);
    let made = made(paper, story, desk, way)?;
    Ok(Sheet { edition: story.edition(made.edition), ..made })
}

fn made(paper: Paper, story: &Story<'_>, desk: &Desk<'_>, way: Way) -> Result<Sheet, Lack> {
    match paper {
        Paper::Registration => intake::registration(story, desk, way),
        Paper::Application => intake::application(story, desk, way),
        Paper::Rights => intake::rights(story, desk, way),
        Paper::Identity => intake::identity(story, desk),
        Paper::Investigation => handling::investigation(story, desk),
        Paper::Record => handling::record(story, desk, way),
        Paper::OnTheSpot => handling::on_the_spot(story, desk),
        Paper::Agreement if !bond::agreements(story).is_empty() => bond::agreement(story, desk),
        Paper::Agreement => handling::agreement(story, desk, way),
        Paper::Performance => bond::performance(story, desk),
        Paper::Confirmation => bond::confirmation(story, desk),
        Paper::NotTakenOn => ending::not_taken_on(story, desk, way),
        Paper::Referral => ending::referral(story, desk),
        Paper::Termination => ending::termination(story, desk, way),
        Paper::Reply => ending::reply(story, desk, way),
        Paper::Visit => closing::visit(story, desk),
        Paper::Closing => closing::closing_report(story, desk, way),
        Paper::Assessment => closing::assessment(story, desk),
        Paper::Explanation => {
            let dossier = crate::dossier::Dossier::of(story, desk);
            explanation(story, desk, &dossier)
        }
    }
}

impl Desk<'_> {
    /// Who answered for a case then, as it signs: the unit at the node, or the node itself.
    pub(crate) fn office(&self, entry: &Entry<'_>) -> String {
        format!("{}{}", self.names.node(entry.owner), self.holds.units.name(entry.brief.unit, true))
    }

    pub(crate) fn category(&self, entry: &Entry<'_>) -> String {
        // The list is written for screens; on paper brackets are as wide as what they hold.
        self.holds.categories.name(entry.brief.category, true).replace('(', "（").replace(')', "）")
    }

    pub(crate) fn place(&self, entry: &Entry<'_>) -> String {
        self.names.division(entry.brief.place)
    }
}

impl Lack {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::NotYet => "not_yet",
            Self::NotSo => "not_so",
            Self::Lost => "lost",
            Self::NoWork => "no_work",
            Self::NoTerms => "no_terms",
            Self::NoParty => "no_party",
            Self::NoNumber { .. } => "no_number",
            Self::Brought => "brought",
            Self::NotKept { .. } => "not_kept",
        }
    }

    /// What is wrong, in Chinese.
    pub fn chinese(self) -> String {
        match self {
            Self::Elsewhere => "内容由主办节点保存，本节点不能制作".to_owned(),
            Self::NotYet => "案件尚未办理到该环节".to_owned(),
            Self::NotSo => "本案没有该情形".to_owned(),
            Self::Lost => "内容已遗失或已依规删除".to_owned(),
            Self::NoWork => "没有任何办理记录".to_owned(),
            Self::NoTerms => "办结时未填写处理结果".to_owned(),
            Self::NoParty => "未登记当事人".to_owned(),
            Self::NoNumber { parties } => format!("{parties} 名当事人未登记证件号码"),
            Self::Brought => "需由经办人收集后存卷".to_owned(),
            Self::NotKept { agreement } => format!("第 {agreement} 份调解协议尚未登记全部履行"),
        }
    }

    /// The same in English.
    pub fn english(self) -> String {
        match self {
            Self::Elsewhere => "what it says is kept by the owner of the case".to_owned(),
            Self::NotYet => "the case has not come so far".to_owned(),
            Self::NotSo => "this has not happened to the case".to_owned(),
            Self::Lost => "what it says was lost or deleted".to_owned(),
            Self::NoWork => "nothing was written down of the work".to_owned(),
            Self::NoTerms => "the case was resolved without saying how".to_owned(),
            Self::NoParty => "no party is named".to_owned(),
            Self::NoNumber { parties } => format!("of {parties} parties no number of a document is known"),
            Self::Brought => "people bring it".to_owned(),
            Self::NotKept { agreement } => format!("nobody has noted that agreement {agreement} was kept in full"),
        }
    }

    /// What to do about it, in Chinese and in English; nothing where waiting or another node is all that helps.
    pub fn todo(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::NoWork => Some((
                "重新办理，补填处理记录后再办结",
                "open the case again, write down what was done, resolve it anew",
            )),
            Self::NoTerms => {
                Some(("重新办理，填写处理结果后再办结", "open the case again and resolve it, saying how it ended"))
            }
            Self::NoParty | Self::NoNumber { .. } => {
                Some(("核对身份证件，复印件随纸质卷保存", "check the document; keep a copy with the paper file"))
            }
            Self::Brought => {
                Some(("收集后上传归卷，或者写明理由免附", "collect it and attach it, or say why it stays empty"))
            }
            Self::NotKept { .. } => Some((
                "登记各期履行或者回访已全部履行；确需先行归档的，写明理由免附",
                "note each part as performed, or a visit that found it kept in full; to archive before that, say why",
            )),
            Self::Elsewhere => Some(("请向主办节点调阅", "ask the owner for a view")),
            Self::NotYet | Self::NotSo | Self::Lost => None,
        }
    }
}
