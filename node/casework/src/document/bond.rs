//! Papers of an agreement: what was agreed, how it is kept, what a court says of it.

use protocol::event::{AgreementForm, Confirmation, Instalment, PaperNumber, Participant, WideAct, WideContent};

use super::intake::{people, report};
use super::piece::{Piece, Row, Sheet, day, or_none, yuan};
use super::story::{Entry, Words};
use super::{Desk, Did, Lack, Paper, Story};
use crate::mediation::Agreement;

/// The agreements that were not dropped.
pub(super) fn agreements<'s>(story: &'s Story<'_>) -> Vec<&'s Agreement> {
    story.case.agreements.iter().filter(|agreement| !agreement.dropped).collect()
}

/// The number of an agreement in the books of its committee: that of the place that drew it up.
pub(super) fn numbered(story: &Story<'_>, desk: &Desk<'_>, paper: PaperNumber) -> String {
    let PaperNumber { year, number, .. } = paper;
    format!("（{year}）{}调字第{number}号", committee(story, desk, paper))
}

/// The committee of an agreement, with its place.
fn committee(story: &Story<'_>, desk: &Desk<'_>, paper: PaperNumber) -> String {
    let of_it = |act: &WideAct| matches!(act, WideAct::AgreementDrafted { paper: known, .. } if *known == paper);
    let place = story.wide(of_it).next().map(|entry| desk.names.node(entry.owner)).unwrap_or_default();
    format!("{place}{}", desk.holds.units.name(paper.committee, true))
}

/// What was agreed, with the event that says so.
fn drafted<'s, 'k>(
    story: &'s Story<'k>,
    desk: &Desk<'_>,
    number: u16,
) -> Result<(&'s Entry<'k>, &'s WideContent), Lack> {
    let of_it = |act: &WideAct| matches!(act, WideAct::AgreementDrafted { agreement, .. } if *agreement == number);
    let entry = story.wide(of_it).next().ok_or(Lack::NotSo)?;
    match &entry.words {
        Words::Wide(content) if matches!(**content, WideContent::Agreement { .. }) => Ok((entry, content)),
        _ if story.owned_by(desk.me) => Err(Lack::Lost),
        _ => Err(Lack::Elsewhere),
    }
}

fn title(agreement: &Agreement) -> &'static str {
    match agreement.form {
        AgreementForm::Written => "人民调解协议书",
        AgreementForm::Oral => "人民调解口头协议登记表",
    }
}

/// 人民调解协议书: each agreement of the case, one after the other, each to be signed for itself.
pub(super) fn agreement(story: &Story<'_>, desk: &Desk<'_>) -> Result<Sheet, Lack> {
    let (mut pieces, mut edition, mut first) = (Vec::new(), 1, None);
    for agreement in agreements(story) {
        let (entry, words) = drafted(story, desk, agreement.number)?;
        if first.replace(first.unwrap_or(title(agreement))).is_some() {
            pieces.push(Piece::Next(title(agreement).to_owned()));
        }
        edition = edition.max(entry.number);
        pieces.extend(agreed(story, desk, agreement, words));
    }
    let title = first.ok_or(Lack::NotSo)?.to_owned();
    Ok(Sheet { paper: Paper::Agreement, title, edition, pieces })
}

fn agreed(story: &Story<'_>, desk: &Desk<'_>, agreement: &Agreement, words: &WideContent) -> Vec<Piece> {
    let WideContent::Agreement { facts, issue, terms, manner, plan, mediator, .. } = words else { return Vec::new() };
    let party = |number: u16| agreement.parties.contains(&number);
    let mut pieces = vec![
        Piece::Middle(numbered(story, desk, agreement.paper)),
        people(story, |number, _| party(number)),
        Piece::Heading("纠纷主要事实、争议事项".to_owned()),
        Piece::Words([&**facts, &**issue].join("\n")),
        Piece::Heading("经调解，自愿达成如下协议".to_owned()),
        Piece::Words(terms.to_string()),
        Piece::Heading("履行方式、时限".to_owned()),
        Piece::Words(or_none(manner)),
    ];
    if !plan.is_empty() {
        pieces.push(planned(story, plan));
    }
    pieces.push(Piece::Words(match agreement.form {
        AgreementForm::Written => {
            let copies = agreement.parties.len().saturating_add(1);
            format!("本协议一式{copies}份，当事人各执一份，人民调解委员会留存一份。")
        }
        AgreementForm::Oral => "口头调解协议自各方当事人达成协议之日起生效。".to_owned(),
    }));
    let signs = |(_, who): (u16, &Participant)| format!("当事人{}（签名、盖章或按指印）", who.name);
    let mut names: Vec<String> = story.people().filter(|(number, _)| party(*number)).map(signs).collect();
    names.extend([format!("调解员{mediator}（签名）"), "记录人（签名）".to_owned()]);
    pieces.push(Piece::Signatures(names));
    let committee = committee(story, desk, agreement.paper);
    pieces.push(Piece::End(format!("{committee}（印章）　{}", day(agreement.drawn))));
    pieces
}

/// What is to be performed when.
fn planned(story: &Story<'_>, plan: &[Instalment]) -> Piece {
    let row = |(number, part): (u16, &Instalment)| {
        vec![
            number.to_string(),
            story.named(&[part.by]),
            day(part.due),
            part.amount_fen.map_or_else(String::new, yuan),
            part.what.to_string(),
        ]
    };
    let head = ["期次", "履行人", "期限", "金额", "内容"].map(str::to_owned).into();
    Piece::Table { widths: vec![3, 5, 7, 6, 9], head, rows: (1..).zip(plan).map(row).collect() }
}

/// 协议履行登记表
pub(super) fn performance(story: &Story<'_>, desk: &Desk<'_>) -> Result<Sheet, Lack> {
    let report = report(story, desk)?;
    let mut rows = Vec::new();
    let mut edition = 1;
    for entry in story.wide(|act| matches!(act, WideAct::Performed { .. })) {
        let Did::Wide(WideAct::Performed { agreement, instalment, on }) = &entry.did else { continue };
        let sum = match &entry.words {
            Words::Wide(content) => match **content {
                WideContent::Performance { amount_fen, .. } => amount_fen,
                _ => None,
            },
            _ => None,
        };
        let part = if *instalment == 0 { "其他".to_owned() } else { format!("第{instalment}期") };
        let of = story.case.agreements.iter().find(|known| known.number == *agreement);
        let of = of.map_or_else(String::new, |known| numbered(story, desk, known.paper));
        rows.push(vec![day(*on), of, part, sum.map_or_else(String::new, yuan), entry.printed()]);
        edition = entry.number;
    }
    if rows.is_empty() {
        let holds = story.case.agreements.iter().any(|agreement| agreement.in_effect().is_some());
        return Err(if holds { Lack::Brought } else { Lack::NotSo });
    }
    let head = ["履行日期", "协议编号", "期次", "金额", "履行情况"].map(str::to_owned).into();
    let pieces = vec![
        Piece::Form(vec![Row::of([("纠纷名称", report.title.to_string())])]),
        Piece::Table { widths: vec![7, 8, 4, 5, 8], head, rows },
        Piece::Signatures(vec!["当事人（签名）".to_owned(), "登记人（签名）".to_owned()]),
    ];
    let title = Paper::Performance.chinese().to_owned();
    Ok(Sheet { paper: Paper::Performance, title, edition, pieces })
}

/// 司法确认登记表
pub(super) fn confirmation(story: &Story<'_>, desk: &Desk<'_>) -> Result<Sheet, Lack> {
    let report = report(story, desk)?;
    let mut rows = Vec::new();
    let mut edition = 1;
    let of_it = |act: &WideAct| matches!(act, WideAct::ConfirmationSought { .. } | WideAct::ConfirmationDecided { .. });
    for entry in story.wide(of_it) {
        let (on, what) = match &entry.did {
            Did::Wide(WideAct::ConfirmationSought { on, .. }) => (*on, "双方共同申请司法确认"),
            Did::Wide(WideAct::ConfirmationDecided { result, on, .. }) => (*on, decided(*result)),
            _ => continue,
        };
        let (court, number) = match &entry.words {
            Words::Wide(content) => match &**content {
                WideContent::Ruling { court, number, .. } => (court.to_string(), number.to_string()),
                _ => Default::default(),
            },
            _ => Default::default(),
        };
        rows.push(vec![day(on), what.to_owned(), court, number, entry.printed()]);
        edition = entry.number;
    }
    if rows.is_empty() {
        return Err(Lack::NotSo);
    }
    let head = ["日期", "事项", "法院", "文书编号", "说明"].map(str::to_owned).into();
    let pieces = vec![
        Piece::Form(vec![Row::of([("纠纷名称", report.title.to_string())])]),
        Piece::Table { widths: vec![7, 7, 7, 6, 5], head, rows },
        Piece::Words("申请书、裁定书原件附后。".to_owned()),
        Piece::Signatures(vec!["登记人（签名）".to_owned()]),
    ];
    let title = Paper::Confirmation.chinese().to_owned();
    Ok(Sheet { paper: Paper::Confirmation, title, edition, pieces })
}

fn decided(result: Confirmation) -> &'static str {
    match result {
        Confirmation::Confirmed => "裁定确认协议有效",
        Confirmation::Refused => "裁定驳回申请",
        Confirmation::Withdrawn => "当事人撤回申请",
    }
}
