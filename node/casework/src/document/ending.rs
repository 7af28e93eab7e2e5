//! Papers that go out when a case ends: to parties, to other bodies, to who asked.

use protocol::event::{Act, DeclineGround, MediationEnd, Outcome, PartySide, WideAct};

use super::ground::{article, reason};
use super::handling::outcome;
use super::intake::{names, or_names, report};
use super::piece::{BLANK, Piece, Sheet, day};
use super::story::Entry;
use super::{Desk, Did, Lack, Paper, Story, Way};
use crate::case::Exit;

/// Who issued it, and when.
fn issued(desk: &Desk<'_>, entry: &Entry<'_>) -> [Piece; 2] {
    [Piece::End(format!("{}（印章）", desk.office(entry))), Piece::End(day(entry.at.day()))]
}

/// A place to sign for who got it.
fn received() -> Piece {
    Piece::Signatures(vec!["受送达人（签名）".to_owned(), "送达日期".to_owned()])
}

/// To whom a notice goes: who asked, or else everybody.
fn addressed(story: &Story<'_>) -> String {
    let applicants = names(story, |side| side == PartySide::Applicant);
    if applicants.is_empty() { or_names(story) } else { applicants }
}

/// What was said with an event, as a paragraph of its own.
fn said(entry: &Entry<'_>, before: &str) -> Option<Piece> {
    let text = entry.text().filter(|text| !text.trim().is_empty())?;
    Some(Piece::Words(format!("{before}{text}")))
}

/// 不予受理告知书
pub(super) fn not_taken_on(story: &Story<'_>, desk: &Desk<'_>, way: Way) -> Result<Sheet, Lack> {
    let Some((Exit::Declined(ground), entry)) = story.exit() else { return Err(Lack::NotSo) };
    let report = report(story, desk)?;
    let mut pieces = vec![
        Piece::To(format!("{}：", addressed(story))),
        Piece::Words(format!(
            "你（单位）于{}提出的“{}”一事收悉。经审查，{}，依据{}，决定不予受理。",
            day(story.case.reported_at.day()),
            report.title,
            reason(ground),
            article(ground, way),
        )),
    ];
    pieces.extend(said(entry, "告知事项："));
    pieces.push(Piece::Words(format!("你（单位）可以依法通过{}等途径解决。", routes(story, desk).join("、"))));
    pieces.push(Piece::Words("特此告知。".to_owned()));
    pieces.extend(issued(desk, entry));
    pieces.push(received());
    let title = Paper::NotTakenOn.chinese().to_owned();
    Ok(Sheet { paper: Paper::NotTakenOn, title, edition: entry.number, pieces })
}

/// The ways that stay open to the parties (人民调解法 art. 26): those of arbitration, administration and courts that the list in
/// force names for the category.
pub(super) fn routes(story: &Story<'_>, desk: &Desk<'_>) -> Vec<String> {
    const OPEN: [&str; 8] = [
        "labour_arbitration",
        "land_arbitration",
        "commercial_arbitration",
        "administrative",
        "administrative_review",
        "petition",
        "discipline",
        "court",
    ];
    let categories = &desk.holds.categories;
    let admitted = |code: &str| categories.admits(story.case.brief.category, code);
    let named = |code: &str| categories.channels().iter().find(|channel| channel.code.as_str() == code);
    let found: Vec<String> = OPEN
        .into_iter()
        .filter(|code| admitted(code))
        .filter_map(named)
        .map(|channel| channel.zh.to_string())
        .collect();
    if found.is_empty() { ["仲裁", "行政", "司法"].map(str::to_owned).into() } else { found }
}

/// 移送函
pub(super) fn referral(story: &Story<'_>, desk: &Desk<'_>) -> Result<Sheet, Lack> {
    let Some((Exit::Referred(channel), entry)) = story.exit() else { return Err(Lack::NotSo) };
    let report = report(story, desk)?;
    let named = desk.holds.categories.channels().iter().find(|held| held.number == Some(channel.0));
    let channel = named.map_or_else(|| format!("渠道{}", channel.0), |held| held.zh.to_string());
    let mut pieces = vec![
        Piece::To(format!("{BLANK}{BLANK}：")),
        Piece::Words(format!(
            "我单位于{}登记的“{}”一事（案号{}），当事人：{}，属{}。经审查，该事项应当通过{channel}处理，现依法移送你单位。",
            day(story.case.reported_at.day()),
            report.title,
            story.case.id,
            or_names(story),
            desk.category(entry),
        )),
    ];
    pieces.extend(said(entry, "移送理由："));
    pieces.push(Piece::Words("请将受理和处理情况函告我单位。随函移送材料见清单。".to_owned()));
    pieces.extend(issued(desk, entry));
    pieces.push(Piece::Heading("回执".to_owned()));
    pieces.push(Piece::Signatures(["接收单位（印章）", "接收人（签名）", "接收日期"].map(str::to_owned).into()));
    let title = "矛盾纠纷移送函".to_owned();
    Ok(Sheet { paper: Paper::Referral, title, edition: entry.number, pieces })
}

const REFUSED: &str = "当事人一方明确拒绝调解";
const WITHDRAWN: &str = "申请人撤回调解申请";

/// Why a mediation ended, with the event that says so.
fn ground<'s, 'k>(entry: &'s Entry<'k>) -> Option<(&'s Entry<'k>, &'static str)> {
    let Did::Wide(WideAct::MediationEnded { ground, .. }) = &entry.did else { return None };
    let why = match ground {
        MediationEnd::Refused => REFUSED,
        MediationEnd::NoAgreement => "经调解，当事人未能达成协议",
        MediationEnd::Absent => "当事人未到场参加调解",
        MediationEnd::OutOfTime => "调解期限届满，当事人未能达成协议",
        MediationEnd::NotAdmissible => "该纠纷不属于人民调解的受理范围",
    };
    Some((entry, why))
}

/// 终止调解通知书
pub(super) fn termination(story: &Story<'_>, desk: &Desk<'_>, way: Way) -> Result<Sheet, Lack> {
    if !way.mediates() {
        return Err(Lack::NotSo);
    }
    let failed = story.case.brief.outcome == Some(Outcome::Unsuccessful);
    let settled = story.case.agreements.iter().any(|agreement| agreement.in_effect().is_some());
    let ended = story.wide(|act| matches!(act, WideAct::MediationEnded { .. })).last().filter(|_| !settled);
    let (entry, why) = match (story.exit(), story.resolved()) {
        (Some((Exit::Withdrawn, entry)), _) => (entry, WITHDRAWN),
        (Some((Exit::Declined(DeclineGround::Refused), entry)), _) => (entry, REFUSED),
        (None, _) if let Some((entry, ground)) = ended.and_then(ground) => (entry, ground),
        (None, Some(entry)) if failed => (entry, "经调解，当事人未能达成协议"),
        (None, None) => return Err(Lack::NotYet),
        _ => return Err(Lack::NotSo),
    };
    let report = report(story, desk)?;
    let mut pieces = vec![
        Piece::To(format!("{}：", or_names(story))),
        Piece::Words(format!(
            "你们之间的“{}”一案，{}。依据《中华人民共和国人民调解法》第{}条的规定，决定终止调解。",
            report.title,
            why,
            if why == REFUSED || why == WITHDRAWN { "二十三" } else { "二十六" },
        )),
    ];
    pieces.extend(said(entry, "调解情况："));
    pieces.push(Piece::Words(format!(
        "你们可以依法通过{}等途径维护自己的权利。申请仲裁、提起诉讼应当在法律规定的期限内进行。",
        routes(story, desk).join("、")
    )));
    pieces.push(Piece::Words("特此通知。".to_owned()));
    pieces.extend(issued(desk, entry));
    pieces.push(received());
    let title = Paper::Termination.chinese().to_owned();
    Ok(Sheet { paper: Paper::Termination, title, edition: entry.number, pieces })
}

/// 答复意见书
pub(super) fn reply(story: &Story<'_>, desk: &Desk<'_>, way: Way) -> Result<Sheet, Lack> {
    let entry = story.last(|act| matches!(act, Act::FedBack)).ok_or(Lack::NotYet)?;
    let report = report(story, desk)?;
    let silent = |entry: &Entry<'_>| entry.text().is_some_and(|text| text.trim().is_empty());
    if story.exit().is_none() && silent(entry) && story.resolved().is_none_or(silent) {
        return Err(Lack::NoTerms);
    }
    let title = if way == Way::Petition { "信访事项处理意见书" } else { Paper::Reply.chinese() };
    let mut pieces = vec![
        Piece::To(format!("{}：", addressed(story))),
        Piece::Words(format!(
            "你（单位）于{}提出的“{}”一事，现答复如下。",
            day(story.case.reported_at.day()),
            report.title
        )),
        Piece::Words(format!("办理结果：{}", outcome(story))),
    ];
    pieces.extend(story.ended().and_then(|ended| said(ended, "")));
    pieces.extend(said(entry, "答复情况："));
    if way == Way::Petition {
        pieces.push(Piece::Words(
            "如对本处理意见不服，可以自收到本意见书之日起三十日内，请求原办理机关、单位的上一级机关、单位复查\
             （《信访工作条例》第三十五条）。逾期不请求复查的，本处理意见即为终结意见。"
                .to_owned(),
        ));
    }
    pieces.extend(issued(desk, entry));
    pieces.push(received());
    Ok(Sheet { paper: Paper::Reply, title: title.to_owned(), edition: entry.number, pieces })
}
