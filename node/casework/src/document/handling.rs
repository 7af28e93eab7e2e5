//! Papers of the work: investigation, mediation, what was agreed.

use protocol::event::{Act, Outcome, PartySide, SessionKind, WideAct, WideContent};

use super::intake::{level, names, or_names, parties, report, source};
use super::piece::{BLANK, Piece, Row, Sheet, day, moment, or_none, yuan};
use super::story::{Entry, Words};
use super::{Desk, Did, Lack, Paper, Story, Way};
use crate::mediation::Mediation;

/// Records below each other: notes with their time and who wrote them, and what was held with people as it was taken down.
fn notes<'s, 'k: 's>(entries: impl Iterator<Item = &'s Entry<'k>>, story: &Story<'_>, desk: &Desk<'_>) -> Vec<Row> {
    let rows = |(number, entry): (usize, &Entry<'_>)| match &entry.words {
        Words::Wide(content) => session(number, content, story),
        _ => {
            let by = if entry.by.is_empty() { desk.names.node(entry.owner) } else { entry.by.to_owned() };
            let foot = [format!("记录人：{by}　{}", moment(entry.at))];
            vec![Row::high(&format!("记录{number}"), entry.printed(), 3).signed(foot)]
        }
    };
    (1..).zip(entries).flat_map(rows).collect()
}

/// What was held with people.
fn session(number: usize, content: &WideContent, story: &Story<'_>) -> Vec<Row> {
    let WideContent::Session { kind, on, minutes, place, present, others, led_by, recorder, record, result } = content
    else {
        return Vec::new();
    };
    let clock = |minute: u16| format!("{}时{:02}分", minute.div_euclid(60), minute.rem_euclid(60));
    let when = minutes.map_or_else(String::new, |(from, to)| format!(" {}至{}", clock(from), clock(to)));
    let there = [story.named(present), others.to_string()];
    let there: Vec<String> = there.into_iter().filter(|names| !names.trim().is_empty()).collect();
    let mut rows = vec![
        Row::of([(&*format!("记录{number}"), held(*kind).to_owned())]),
        Row::of([("时间", format!("{}{when}", day(*on)))]),
        Row::of([("地点", place.to_string())]),
        Row::of([("参加人", there.join("；"))]),
        Row::of([(leads(*kind), led_by.to_string()), ("记录人", recorder.to_string())]),
        Row::high("内容", record.to_string(), 4),
    ];
    if !result.trim().is_empty() {
        rows.push(Row::of([("结果", result.to_string())]));
    }
    rows
}

fn held(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Mediation => "调解",
        SessionKind::Investigation => "调查",
        SessionKind::NoticeOfRights => "告知权利义务",
        SessionKind::JointSession => "联席会商",
        SessionKind::Visit => "走访",
        SessionKind::Call => "电话联系",
    }
}

/// What whoever led it is called.
fn leads(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Investigation | SessionKind::Visit => "调查人",
        _ => "主持人",
    }
}

/// Where it was and who was there, to be filled in by hand where no record of what was held says so.
fn place<'s, 'k: 's>(
    mut entries: impl Iterator<Item = &'s Entry<'k>>,
    last: &Entry<'_>,
    desk: &Desk<'_>,
) -> Option<Row> {
    let told = entries.any(|entry| matches!(entry.words, Words::Wide(_)));
    (!told).then(|| Row::of([("地点", desk.place(last)), ("参加人", String::new())]))
}

/// Whether something was found out, rather than worked on.
fn investigates(entry: &Entry<'_>) -> bool {
    use SessionKind as S;
    let Words::Wide(content) = &entry.words else { return false };
    matches!(**content, WideContent::Session { kind: S::Investigation | S::Visit, .. })
}

/// Whether it is what a unit reported of its task.
fn of_a_unit(did: &Did<'_>) -> bool {
    matches!(did, Did::Wide(WideAct::TaskReported { .. }))
}

/// Who agreed to be mediated, and who did not (人民调解法 art. 17).
fn consents(story: &Story<'_>) -> Option<Row> {
    let all = &story.case.mediations;
    let said = |mediation: &Mediation| {
        let words = mediation.consents.iter().map(|(party, agree, on)| {
            let word = if *agree { "同意调解" } else { "不同意调解" };
            format!("{}{word}（{}）", story.named(&[*party]), day(*on))
        });
        words.collect::<Vec<_>>().join("；")
    };
    let each = (1..).zip(all).map(|(number, mediation)| match (all.len(), said(mediation)) {
        (_, said) if said.is_empty() => said,
        (1, said) => said,
        (_, said) => format!("第{number}次调解：{said}"),
    });
    let told: Vec<String> = each.filter(|said| !said.is_empty()).collect();
    (!told.is_empty()).then(|| Row::of([("调解意愿", told.join("\n"))]))
}

/// Why nothing of several notes can be printed: none of them is held, or none says anything.
fn silent<'s, 'k: 's>(
    entries: impl Iterator<Item = &'s Entry<'k>>,
    story: &Story<'_>,
    desk: &Desk<'_>,
) -> Option<Lack> {
    let (mut any, mut gone) = (false, false);
    for entry in entries {
        match entry.text() {
            Some(text) if !text.trim().is_empty() => return None,
            Some(_) => any = true,
            None => gone = true,
        }
    }
    Some(match (gone, any) {
        (true, _) if story.owned_by(desk.me) => Lack::Lost,
        (true, _) => Lack::Elsewhere,
        (false, true) => Lack::NoWork,
        (false, false) => Lack::NotYet,
    })
}

/// 调查记录: what was found out with people, and what others found out and sent to the owner.
pub(super) fn investigation(story: &Story<'_>, desk: &Desk<'_>) -> Result<Sheet, Lack> {
    let found = || {
        story.entries.iter().filter(|entry| match &entry.did {
            Did::First(Act::Contributed { .. }) => true,
            Did::First(Act::Progressed) => investigates(entry),
            did => of_a_unit(did),
        })
    };
    match silent(found(), story, desk) {
        None => {}
        Some(Lack::NotYet) => return Err(Lack::NotSo),
        Some(lack) => return Err(lack),
    }
    let last = found().next_back().ok_or(Lack::NotSo)?;
    let edition = last.number;
    let mut form = vec![Row::of([("当事人", or_names(story))])];
    form.extend(place(found(), last, desk));
    form.extend(notes(found(), story, desk));
    let pieces = vec![
        Piece::Form(form),
        Piece::Signatures(["被调查人（签名）", "调查人（签名）", "记录人（签名）"].map(str::to_owned).into()),
    ];
    let title = "调查（走访）记录".to_owned();
    Ok(Sheet { paper: Paper::Investigation, title, edition, pieces })
}

/// 调解记录
pub(super) fn record(story: &Story<'_>, desk: &Desk<'_>, way: Way) -> Result<Sheet, Lack> {
    // What units reported of their tasks stands with what was found out, unless nobody else worked on it.
    let alone = story.work().all(|entry| investigates(entry) || of_a_unit(&entry.did));
    let work = || story.work().filter(move |entry| !investigates(entry) && (alone || !of_a_unit(&entry.did)));
    if let Some(lack) = silent(work(), story, desk) {
        return Err(if story.exit().is_some() && lack == Lack::NotYet { Lack::NotSo } else { lack });
    }
    let (title, who) = match way {
        Way::PeopleMediation | Way::OnTheSpot => ("人民调解记录", "人民调解员（签名）"),
        Way::AdministrativeMediation => ("行政调解记录", "调解人员（签名）"),
        Way::Judicial => ("调解记录", "调解员（签名）"),
        Way::Petition | Way::Consultation => ("办理记录", "承办人（签名）"),
    };
    let result = story.resolved();
    let willing = story.wide(|act| matches!(act, WideAct::MediationOpened { .. } | WideAct::Consented { .. }));
    let last = work().chain(result).chain(willing).max_by_key(|entry| entry.number).ok_or(Lack::NotYet)?;
    let mut form = vec![Row::of([("当事人", or_names(story))])];
    form.extend(place(work(), last, desk));
    form.extend(consents(story));
    form.extend(notes(work(), story, desk));
    if let Some(entry) = result {
        let foot = [format!("记录人：{}　{}", entry.by, moment(entry.at))];
        form.push(Row::high("结果", format!("{}\n{}", outcome(story), entry.printed()), 4).signed(foot));
    }
    let signing = if way.mediates() { "当事人（签名、盖章或按指印）" } else { "反映人（签名）" };
    let pieces = vec![Piece::Form(form), Piece::Signatures([signing, who, "记录人（签名）"].map(str::to_owned).into())];
    Ok(Sheet { paper: Paper::Record, title: title.to_owned(), edition: last.number, pieces })
}

/// How it ended, in a word.
pub(super) fn outcome(story: &Story<'_>) -> &'static str {
    use crate::case::Exit;
    match (story.case.exit, story.case.brief.outcome) {
        (Some(Exit::Declined(_)), _) => "不予受理。",
        (Some(Exit::Withdrawn), _) => "申请人撤回。",
        (Some(Exit::Referred(_)), _) => "移送其他渠道处理。",
        (None, Some(Outcome::Successful)) => "化解成功。",
        (None, Some(Outcome::Unsuccessful)) => "未能化解。",
        (None, Some(Outcome::Other)) => "已办结。",
        (None, None) => "正在办理。",
    }
}

/// The settlement of a case that was settled, or why there is none to print.
fn settled<'s, 'k>(story: &'s Story<'k>, desk: &Desk<'_>) -> Result<(&'s Entry<'k>, &'s str, Option<u64>), Lack> {
    let entry = match (story.exit(), story.resolved()) {
        (Some(_), _) => return Err(Lack::NotSo),
        (None, None) => return Err(Lack::NotYet),
        (None, Some(entry)) => entry,
    };
    match &entry.words {
        Words::Terms { terms, amount_fen } if !terms.trim().is_empty() => Ok((entry, terms, *amount_fen)),
        Words::Gone if story.owned_by(desk.me) => Err(Lack::Lost),
        Words::Gone => Err(Lack::Elsewhere),
        _ => Err(Lack::NoTerms),
    }
}

/// 口头协议登记表: what was agreed, as whoever mediated wrote it down (人民调解法 art. 28). A written agreement takes its place.
pub(super) fn agreement(story: &Story<'_>, desk: &Desk<'_>, way: Way) -> Result<Sheet, Lack> {
    if !way.mediates() {
        return Err(Lack::NotSo);
    }
    let (entry, terms, amount) = settled(story, desk)?;
    if story.case.brief.outcome != Some(Outcome::Successful) {
        return Err(Lack::NotSo);
    }
    let report = report(story, desk)?;
    let title = if way == Way::AdministrativeMediation {
        "行政调解协议登记表"
    } else {
        "人民调解口头协议登记表"
    };
    let form = vec![
        Row::of([("纠纷名称", report.title.to_string())]),
        Row::of([("纠纷类型", desk.category(entry))]),
        Row::of([("达成日期", day(entry.at.day())), ("涉及金额", amount.map_or_else(|| "无".to_owned(), yuan))]),
        Row::high("主要事实", or_none(&report.narrative), 5),
        Row::high("协议内容", terms.to_owned(), 6),
        Row::high("履行方式期限", String::new(), 2),
    ];
    let pieces = vec![
        parties(story),
        Piece::Form(form),
        Piece::Signatures(
            ["当事人（签名、盖章或按指印）", "调解员（签名）", "记录人（签名）"].map(str::to_owned).into(),
        ),
        Piece::End(format!("{}（印章）　{}", desk.office(entry), day(entry.at.day()))),
    ];
    Ok(Sheet { paper: Paper::Agreement, title: title.to_owned(), edition: entry.number, pieces })
}

/// 当场化解登记表: one sheet for what was settled where it was met with.
pub(super) fn on_the_spot(story: &Story<'_>, desk: &Desk<'_>) -> Result<Sheet, Lack> {
    if Way::of(story, desk) != Way::OnTheSpot {
        return Err(Lack::NotSo);
    }
    let (entry, terms, amount) = settled(story, desk)?;
    let report = report(story, desk)?;
    let work: Vec<String> = story.work().map(Entry::printed).collect();
    let applicant = names(story, |side| side == PartySide::Applicant);
    let form = vec![
        Row::of([("登记日期", day(story.case.reported_at.day())), ("案件来源", source(entry).to_owned())]),
        Row::of([("纠纷类型", desk.category(entry))]),
        Row::of([("发生地", desk.place(entry))]),
        Row::of([("预警等级", level(entry)), ("涉及金额", amount.map_or_else(|| "无".to_owned(), yuan))]),
        Row::of([("反映人", if applicant.is_empty() { BLANK.to_owned() } else { applicant })]),
        Row::high("简要情况", or_none(&report.narrative), 5),
        Row::high("化解经过", work.join("\n"), 5),
        Row::high("化解结果", format!("{}\n{terms}", outcome(story)), 4)
            .signed([format!("经办人：{}", entry.by), day(entry.at.day())]),
    ];
    let pieces = vec![
        Piece::Form(form),
        Piece::Heading("当事人".to_owned()),
        parties(story),
        Piece::Signatures(vec!["当事人（签名、盖章或按指印）".to_owned(), "网格员（签名）".to_owned()]),
    ];
    let title = "矛盾纠纷当场化解登记表".to_owned();
    Ok(Sheet { paper: Paper::OnTheSpot, title, edition: entry.number, pieces })
}
