//! Papers of the end: return visit, closing report, assessment, and what the dossier lacks and why.

use protocol::event::{Act, Kept, Step, WideAct};

use super::bond::numbered;
use super::handling::outcome;
use super::intake::{level, or_names, report, side, source};
use super::piece::{Piece, Row, Sheet, day, moment, or_none, yuan};
use super::{Desk, Did, Entry, Lack, Paper, Story, Way};
use crate::dossier::{Dossier, Ground, State};

/// 回访记录
pub(super) fn visit(story: &Story<'_>, desk: &Desk<'_>) -> Result<Sheet, Lack> {
    let visits = || story.wide(|act| matches!(act, WideAct::ReturnVisited { .. }));
    if let Some(last) = visits().last() {
        return visited(story, desk, visits(), last.number);
    }
    let entry = story.last(|act| matches!(act, Act::FedBack)).ok_or(Lack::NotYet)?;
    let report = report(story, desk)?;
    let form = vec![
        Row::of([("当事人", or_names(story))]),
        Row::of([("回访事由", format!("“{}”一事的办理结果及履行情况", report.title))]),
        Row::of([("回访日期", day(entry.at.day())), ("回访方式", String::new())]),
        Row::of([("办理结果", outcome(story).to_owned())]),
        Row::high("回访情况", entry.printed(), 8),
        Row::high("履行情况", String::new(), 3),
        Row::high("满意程度", "□满意　　□基本满意　　□不满意".to_owned(), 1),
        Row::high("遗留问题", String::new(), 3).signed([format!("回访人：{}", entry.by)]),
    ];
    let pieces =
        vec![Piece::Form(form), Piece::Signatures(vec!["被回访人（签名）".to_owned(), "回访人（签名）".to_owned()])];
    let title = Paper::Visit.chinese().to_owned();
    Ok(Sheet { paper: Paper::Visit, title, edition: entry.number, pieces })
}

/// The same of an agreement, as each visit found it kept.
fn visited<'s, 'k: 's>(
    story: &Story<'_>,
    desk: &Desk<'_>,
    visits: impl Iterator<Item = &'s Entry<'k>>,
    edition: u32,
) -> Result<Sheet, Lack> {
    let report = report(story, desk)?;
    let mut form = vec![
        Row::of([("当事人", or_names(story))]),
        Row::of([("回访事由", format!("“{}”一事调解协议的履行情况", report.title))]),
    ];
    for entry in visits {
        let Did::Wide(WideAct::ReturnVisited { agreement, kept, on }) = &entry.did else { continue };
        let of = story.case.agreements.iter().find(|known| known.number == *agreement);
        let of = of.map_or_else(String::new, |known| numbered(story, desk, known.paper));
        form.push(Row::of([("回访日期", day(*on)), ("履行情况", is_kept(*kept).to_owned())]));
        form.push(Row::of([("协议编号", of)]));
        form.push(Row::high("回访情况", entry.printed(), 4).signed([format!("回访人：{}", entry.by)]));
    }
    let signing = vec!["被回访人（签名）".to_owned(), "回访人（签名）".to_owned()];
    let title = Paper::Visit.chinese().to_owned();
    Ok(Sheet { paper: Paper::Visit, title, edition, pieces: vec![Piece::Form(form), Piece::Signatures(signing)] })
}

fn is_kept(kept: Kept) -> &'static str {
    match kept {
        Kept::NotDue => "履行期限未到",
        Kept::Fully => "已全部履行",
        Kept::Partly => "部分履行",
        Kept::Not => "未履行",
    }
}

/// 结案报告表
pub(super) fn closing_report(story: &Story<'_>, desk: &Desk<'_>, way: Way) -> Result<Sheet, Lack> {
    let ended = story.ended().ok_or(Lack::NotYet)?;
    let report = report(story, desk)?;
    let sum = story.case.amount_fen.map_or_else(|| "无".to_owned(), yuan);
    let mut form = vec![
        Row::of([("案号", story.case.id.to_string())]),
        Row::of([("承办单位", desk.office(ended))]),
        Row::of([("承办人", ended.by.to_owned()), ("案件来源", source(ended).to_owned())]),
        Row::of([("受案时间", day(story.case.reported_at.day())), ("结案时间", day(ended.at.day()))]),
        Row::of([("办理方式", way.chinese().to_owned()), ("预警等级", level(ended))]),
        Row::of([("事项名称", report.title.to_string())]),
    ];
    form.extend(story.parties().map(|who| Row::of([(side(who.side), who.name.to_string())])));
    form.extend([
        Row::high("简要事实", or_none(&report.narrative), 6),
        Row::of([("结果", outcome(story).to_owned()), ("涉及金额", sum)]),
        Row::high("处理情况", ended.printed(), 6).signed([format!("承办人：{}", ended.by), day(ended.at.day())]),
        Row::high("审核意见", String::new(), 4).signed(["负责人（签名）：＿＿＿＿＿＿".to_owned()]),
    ]);
    let title = if way == Way::Consultation { "办结报告表" } else { Paper::Closing.chinese() }.to_owned();
    Ok(Sheet { paper: Paper::Closing, title, edition: ended.number, pieces: vec![Piece::Form(form)] })
}

/// 考核评价表
pub(super) fn assessment(story: &Story<'_>, desk: &Desk<'_>) -> Result<Sheet, Lack> {
    let entry = story.last(|act| matches!(act, Act::Assessed { .. })).ok_or(Lack::NotYet)?;
    let score = story.case.score.ok_or(Lack::NotYet)?;
    let title = story.case.report.as_ref().map_or(&*story.case.brief.summary, |report| &*report.title);
    let steps = story.case.steps.iter().filter(|reached| reached.step < Step::Assessed);
    let rows = steps.map(|reached| vec![step(reached.step).to_owned(), day(reached.at.day())]).collect();
    let form = vec![
        Row::of([("案号", story.case.id.to_string())]),
        Row::of([("事项名称", title.to_owned())]),
        Row::of([("承办单位", desk.office(entry))]),
        Row::of([("办理结果", outcome(story).to_owned())]),
        Row::of([("评价得分", format!("{score}分（满分5分）")), ("评价日期", day(entry.at.day()))]),
        Row::high("评价意见", entry.printed(), 5).signed([format!("评价人：{}", entry.by), moment(entry.at)]),
    ];
    let table = Piece::Table { widths: vec![1, 1], head: vec!["环节".to_owned(), "完成日期".to_owned()], rows };
    let pieces = vec![Piece::Form(form), Piece::Heading("办理环节".to_owned()), table];
    let title = Paper::Assessment.chinese().to_owned();
    Ok(Sheet { paper: Paper::Assessment, title, edition: entry.number, pieces })
}

fn step(step: Step) -> &'static str {
    match step {
        Step::Reported => "信息上报",
        Step::Filed => "核实立案",
        Step::Assigned => "分流交办",
        Step::InProgress => "跟踪处理",
        Step::FedBack => "事件反馈",
        Step::Assessed => "考核评价",
        Step::Archived => "归档",
    }
}

/// 卷宗情况说明: what the dossier holds, what it does not and why, and what is unusual about the case.
pub(crate) fn explanation(story: &Story<'_>, desk: &Desk<'_>, dossier: &Dossier) -> Result<Sheet, Lack> {
    let there = |state| matches!(state, State::Made | State::Signed | State::Brought);
    let rows = dossier.slots.iter().filter(|slot| !there(slot.state));
    let row = |slot: &crate::dossier::SlotView| {
        let (state, why) = match slot.state {
            State::Missing(lack) => (if slot.row.must { "缺少" } else { "未收集" }, lack.chinese()),
            State::Excused(Ground::Said(event)) => ("免附", story.reason(event)),
            State::Excused(ground) => ("不需要", ground.chinese()),
            State::Made | State::Signed | State::Brought => ("在卷", String::new()),
        };
        vec![slot.number.to_string(), slot.row.slot.chinese().to_owned(), state.to_owned(), why]
    };
    let rows: Vec<_> = rows.map(row).collect();
    let mut pieces = vec![Piece::Words(format!(
        "本卷为{}卷宗，系统按本案实际情况生成，经办人补充的材料存入相应位置。",
        dossier.way.chinese()
    ))];
    if !rows.is_empty() {
        pieces.push(Piece::Heading("未存入本卷的材料".to_owned()));
        let head = ["序号", "材料", "情况", "原因"].map(str::to_owned).into();
        pieces.push(Piece::Table { widths: vec![2, 7, 3, 8], head, rows });
    }
    let brought = dossier.slots.iter().flat_map(|slot| slot.brought.iter().map(move |id| (slot, *id)));
    let rows: Vec<_> = brought
        .map(|(slot, id)| vec![slot.number.to_string(), slot.row.slot.chinese().to_owned(), story.attached_name(id)])
        .collect();
    if !rows.is_empty() {
        pieces.push(Piece::Heading("归卷的附件".to_owned()));
        let head = ["序号", "材料", "附件"].map(str::to_owned).into();
        pieces.push(Piece::Table { widths: vec![2, 7, 11], head, rows });
    }
    let told = unusual(story, desk);
    if !told.is_empty() {
        pieces.push(Piece::Heading("办理中的情况".to_owned()));
        pieces.push(Piece::Words(told.join("\n")));
    }
    pieces.push(Piece::Signatures(vec!["立卷人（签名）".to_owned(), "检查人（签名）".to_owned()]));
    let title = Paper::Explanation.chinese().to_owned();
    let edition = story.case.head.number;
    Ok(Sheet { paper: Paper::Explanation, title, edition, pieces })
}

/// What of the case itself an act changed, or who was asked to work on it.
fn changed(act: &WideAct, desk: &Desk<'_>) -> Option<String> {
    let what = match act {
        WideAct::Joined { .. } => "追加当事人或者参与人",
        WideAct::PartyAmended { .. } => "更正当事人信息",
        WideAct::Left { .. } => "当事人或者参与人退出",
        WideAct::Amended {} => "更正登记内容",
        WideAct::Turned { .. } => "变更事项类别，以原案号办理",
        WideAct::AgreementDropped { .. } => "作废一份调解协议",
        WideAct::MediationOpened { .. } => "受理调解",
        WideAct::MediationEnded { .. } => "终止调解",
        WideAct::Merged { .. } => "并入另案，本案不再办理",
        WideAct::TookIn { .. } => "另案并入本案",
        WideAct::MeasureTaken { measure } => {
            let table = &desk.holds.measures;
            let name = table.get(*measure).map_or_else(|| measure.to_string(), |measure| measure.name.to_string());
            return Some(format!("采取固定动作：{name}"));
        }
        WideAct::Extended { days } => return Some(format!("办理期限延长{days}日")),
        WideAct::TaskGiven { unit, .. } => return Some(format!("向{}交办任务", desk.holds.units.name(*unit, true))),
        _ => return None,
    };
    Some(what.to_owned())
}

/// What a reader of the file years later would wonder about.
fn unusual(story: &Story<'_>, desk: &Desk<'_>) -> Vec<String> {
    let mut told = Vec::new();
    for entry in &story.entries {
        let on = day(entry.at.day());
        let act = match &entry.did {
            Did::First(act) => act,
            Did::Wide(act) => {
                told.extend(changed(act, desk).map(|what| format!("{on}，{what}。")));
                continue;
            }
            Did::Later => continue,
        };
        match act {
            Act::Released { to, .. } => {
                told.push(format!("{on}，案件由{}移交{}。", desk.names.node(entry.owner), desk.names.node(*to)))
            }
            Act::TakenOver { from } => {
                told.push(format!("{on}，案件由{}从{}接管。", desk.names.node(entry.owner), desk.names.node(*from)))
            }
            _ => {}
        }
    }
    for pause in &story.case.pauses {
        let until = pause.until.map_or_else(|| "至今".to_owned(), |until| format!("至{}", day(until)));
        told.push(format!("{}起{until}，期限中止。", day(pause.from)));
    }
    if story.case.reopened > 0 {
        told.push(format!("办结后重新办理{}次。", story.case.reopened));
    }
    let gone = story.entries.iter().filter(|entry| entry.words == super::Words::Gone).count();
    if gone > 0 {
        told.push(format!("有{gone}条记录的原文未在本节点保存，仅存办理环节与时间。"));
    }
    told
}
