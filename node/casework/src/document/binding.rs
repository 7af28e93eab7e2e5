//! Cover (封面) and back (封底) of a dossier.

use protocol::event::{Act, WideAct, WideContent};

use super::bond::{agreements, numbered};
use super::intake::or_names;
use super::piece::{BLANK, BLANK_DAY, Piece, Row, day};
use super::{Desk, Story, Way, Words};

/// What the cover is headed with.
fn title(way: Way) -> &'static str {
    match way {
        Way::PeopleMediation => "人民调解卷宗",
        Way::AdministrativeMediation => "行政调解卷宗",
        Way::Judicial => "诉调对接卷宗",
        Way::Petition => "信访事项卷宗",
        Way::OnTheSpot => "矛盾纠纷当场化解卷宗",
        Way::Consultation => "咨询诉求卷宗",
    }
}

/// The cover: its heading, and what stands below it. Numbers of the archive are written by hand.
pub fn cover(story: &Story<'_>, desk: &Desk<'_>) -> (String, Vec<Piece>) {
    let way = Way::of(story, desk);
    let case = story.case;
    let office = story.entries.last().map_or_else(String::new, |entry| desk.office(entry));
    let name = case.report.as_ref().map_or(&*case.brief.summary, |report| &*report.title);
    let ended = story.ended();
    let archived = story.last(|act| matches!(act, Act::Archived));
    let until = ended.map_or_else(|| "　　　　　　".to_owned(), |entry| day(entry.at.day()));
    let (year, _, _) = crate::calendar::parts_of(case.reported_at.day());
    let kind = if way == Way::PeopleMediation { "人调字" } else { "　　字" };
    let number = agreements(story).first().map_or_else(
        || format!("（{year}）{BLANK}{kind}第{BLANK}号"),
        |agreement| numbered(story, desk, agreement.paper),
    );
    let mediators = mediators(story);
    let filed_by = archived.map_or_else(String::new, |entry| entry.by.to_owned());
    let filed_on = archived.map_or_else(|| BLANK_DAY.to_owned(), |entry| day(entry.at.day()));
    let form = vec![
        Row::high("卷名", name.to_owned(), 3),
        Row::tall([("卷号", number)]),
        Row::tall([("案号", case.id.to_string())]),
        Row::high("当事人", or_names(story), 3),
        Row::tall([("办理单位", office.clone())]),
        Row::tall([("承办人", mediators)]),
        Row::tall([("办理日期", format!("{}起　{until}止", day(case.reported_at.day())))]),
        Row::tall([("立卷人", filed_by), ("立卷日期", filed_on)]),
        Row::tall([("保管期限", "□永久　□长期　□短期".to_owned())]),
        Row::high("备注", String::new(), 5),
    ];
    let pieces = vec![Piece::Middle(office), Piece::Middle(String::new()), Piece::Form(form)];
    (title(way).to_owned(), pieces)
}

/// Who mediated, or else who settled it.
fn mediators(story: &Story<'_>) -> String {
    let opened = story.wide(|act| matches!(act, WideAct::MediationOpened { .. })).last();
    if let Some(Words::Wide(content)) = opened.map(|entry| &entry.words)
        && let WideContent::Mediators { names, .. } = &**content
        && !names.is_empty()
    {
        return names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("、");
    }
    story.ended().map_or("", |entry| entry.by).to_owned()
}

/// The back: its heading, and what whoever files the dossier confirms.
pub fn back(story: &Story<'_>, desk: &Desk<'_>) -> (String, Vec<Piece>) {
    let office = story.entries.last().map_or_else(String::new, |entry| desk.office(entry));
    let form = vec![
        Row::tall([("卷内文书", "共　　　件　　　页".to_owned())]),
        Row::high("立卷说明", "本卷文书已按顺序排列、编号，经检查齐全。".to_owned(), 4)
            .signed(["立卷人（签名）：＿＿＿＿＿＿".to_owned(), BLANK_DAY.to_owned()]),
        Row::high("检查意见", String::new(), 4)
            .signed(["检查人（签名）：＿＿＿＿＿＿".to_owned(), BLANK_DAY.to_owned()]),
    ];
    ("卷宗备考表".to_owned(), vec![Piece::Form(form), Piece::End(office)])
}
