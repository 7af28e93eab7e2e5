//! Papers of the beginning: registration, application, notice of rights, identity.

use protocol::event::{Act, MediationSource, Participant, PartySide, Sex, Standing};

use super::piece::{BLANK, BLANK_DAY, Piece, Row, Sheet, day, or_none};
use super::{Desk, Did, Entry, Lack, Paper, Story, Way};
use crate::calendar::parts_of;
use crate::case::Report;

/// What the report says, or why it cannot be printed here.
pub(super) fn report<'s>(story: &'s Story<'_>, desk: &Desk<'_>) -> Result<&'s Report, Lack> {
    let lack = if story.owned_by(desk.me) { Lack::Lost } else { Lack::Elsewhere };
    story.case.report.as_deref().ok_or(lack)
}

pub(super) fn side(side: PartySide) -> &'static str {
    match side {
        PartySide::Applicant => "申请人",
        PartySide::Respondent => "被申请人",
        PartySide::Other => "其他",
    }
}

pub(super) fn source(entry: &Entry<'_>) -> &'static str {
    use protocol::event::Source as S;
    match entry.brief.source {
        S::Window => "窗口受理",
        S::Grid => "网格排查",
        S::Visit => "走访发现",
        S::Hotline12345 => "12345热线转办",
        S::Police110 => "110警情移交",
        S::Legal12348 => "12348热线转介",
        S::Petition => "信访转入",
        S::Superior => "上级交办",
        S::Department => "部门移送",
        S::Public => "群众自行反映",
    }
}

pub(super) fn level(entry: &Entry<'_>) -> String {
    use protocol::warning::Warning;
    match entry.brief.level() {
        None => "未定级".to_owned(),
        Some(Warning::Yellow) => "黄色".to_owned(),
        Some(Warning::Red) => "红色".to_owned(),
        Some(Warning::Orange) => "橙色".to_owned(),
        Some(later) => format!("第{}级", later.rank()),
    }
}

/// What somebody is in the case.
fn standing(who: &Participant) -> String {
    let what = match who.standing {
        Standing::Party => return side(who.side).to_owned(),
        Standing::Representative => "委托代理人",
        Standing::Guardian => "法定代理人",
        Standing::Spokesperson => "推选代表",
        Standing::Involved => "涉及人员",
        Standing::Witness => "证人",
    };
    what.to_owned()
}

/// Everybody in the case with what is known of them.
pub(super) fn parties(story: &Story<'_>) -> Piece {
    people(story, |_, _| true)
}

/// Those in the case whom somebody asks for.
pub(super) fn people(story: &Story<'_>, of: impl Fn(u16, &Participant) -> bool) -> Piece {
    let row = |(_, who): (u16, &Participant)| -> Vec<String> {
        let said = [&*who.name, &*who.identity, &*who.phone, &*who.address];
        [standing(who)].into_iter().chain(said.map(str::to_owned)).collect()
    };
    let head = ["身份", "姓名或名称", "证件号码", "联系电话", "住址（单位）"];
    Piece::Table {
        widths: vec![9, 10, 19, 13, 13],
        head: head.map(str::to_owned).into(),
        rows: story.people().filter(|(number, who)| of(*number, who)).map(row).collect(),
    }
}

/// The names of the parties of a side, as a sentence lists them.
pub(super) fn names(story: &Story<'_>, of: impl Fn(PartySide) -> bool) -> String {
    let names = story.parties().filter(|who| of(who.side)).map(|who| who.name.as_str());
    names.collect::<Vec<_>>().join("、")
}

/// 受理登记表
pub(super) fn registration(story: &Story<'_>, desk: &Desk<'_>, way: Way) -> Result<Sheet, Lack> {
    let report = report(story, desk)?;
    let on = story.taken_on().ok_or(Lack::NotYet)?;
    let title = match way {
        Way::PeopleMediation | Way::OnTheSpot => "人民调解受理登记表",
        Way::Petition => "信访事项受理登记表",
        Way::Consultation => "咨询诉求登记表",
        Way::AdministrativeMediation => "行政调解受理登记表",
        Way::Judicial => "矛盾纠纷受理登记表",
    };
    let filed = on.did == Did::First(&Act::Filed);
    let people = if on.brief.head_count == 0 { "不详".to_owned() } else { format!("{}人", on.brief.head_count) };
    let opinion = match (filed, story.exit()) {
        (true, _) => "经核实，符合受理条件，予以受理。".to_owned(),
        (false, Some(_)) => "未立案，处理情况见卷内文书。".to_owned(),
        (false, None) => "待核实。".to_owned(),
    };
    let form = vec![
        Row::of([("案号", story.case.id.to_string())]),
        Row::of([("登记日期", day(story.case.reported_at.day())), ("案件来源", source(on).to_owned())]),
        Row::of([("纠纷类型", desk.category(on))]),
        Row::of([("发生地", desk.place(on))]),
        Row::of([("涉及人数", people), ("预警等级", level(on))]),
        Row::of([("事项名称", report.title.to_string())]),
    ];
    let below = vec![
        Row::high("简要情况", or_none(&report.narrative), 6),
        Row::high("受理意见", opinion, 4).signed([
            format!("{}（印章）", desk.office(on)),
            format!("登记人（签名）：{}　{}", on.by, day(on.at.day())),
        ]),
        Row::of([("备注", String::new())]),
    ];
    let edition = match story.exit() {
        Some((_, exit)) if !filed => exit.number,
        _ => on.number,
    };
    let pieces = vec![
        Piece::Form(form),
        parties(story),
        Piece::Form(below),
        Piece::Signatures(vec!["当事人（签名、盖章或按指印）".to_owned()]),
    ];
    Ok(Sheet { paper: Paper::Registration, title: title.to_owned(), edition, pieces })
}

/// 申请书
pub(super) fn application(story: &Story<'_>, desk: &Desk<'_>, way: Way) -> Result<Sheet, Lack> {
    let report = report(story, desk)?;
    // Where nobody applied there is no application: the committee began by itself, another body entrusted it, or the matter left
    // before anybody mediated.
    let applied = match story.case.mediations.last() {
        Some(mediation) => mediation.source == MediationSource::Application,
        None => story.exit().is_none(),
    };
    if !applied || !matches!(way, Way::PeopleMediation | Way::AdministrativeMediation | Way::Judicial) {
        return Err(Lack::NotSo);
    }
    if story.parties().all(|who| who.side != PartySide::Applicant) {
        return Err(Lack::NoParty);
    }
    let on = story.taken_on().ok_or(Lack::NotYet)?;
    let (title, law) = match way {
        Way::AdministrativeMediation => ("行政调解申请书", "行政调解"),
        _ => ("人民调解申请书", "人民调解"),
    };
    let mut form = Vec::new();
    for who in story.parties().filter(|who| who.side != PartySide::Other) {
        let sex = who.sex.map_or("", |sex| if sex == Sex::Male { "男" } else { "女" });
        // As old as the year says, on the day of the report.
        let (year, _, _) = parts_of(story.case.reported_at.day());
        let age = who.born.map_or_else(String::new, |born| format!("{}岁", year.saturating_sub(i32::from(born))));
        form.extend([
            Row::of([(side(who.side), who.name.to_string()), ("性别", sex.to_owned())]),
            Row::of([("民族", who.ethnicity.to_string()), ("年龄", age)]),
            Row::of([("职业或职务", who.occupation.to_string()), ("联系方式", who.phone.to_string())]),
            Row::of([("单位或住址", who.address.to_string())]),
        ]);
    }
    let pieces = vec![
        Piece::Form(form),
        Piece::Heading("纠纷简要情况".to_owned()),
        Piece::Words(or_none(&report.narrative)),
        Piece::Heading("当事人申请事项".to_owned()),
        Piece::Words(format!(
            "1．请求就“{}”一事进行调解。\n2．{}\n3．{}",
            report.title,
            BLANK.repeat(3),
            BLANK.repeat(3)
        )),
        Piece::Words(format!("已获告知申请{law}的有关规定，现自愿申请{law}。")),
        Piece::Signatures(vec!["申请人（签名、盖章或按指印）".to_owned()]),
        Piece::End(day(story.case.reported_at.day())),
    ];
    Ok(Sheet { paper: Paper::Application, title: title.to_owned(), edition: on.number, pieces })
}

/// What the law gives to parties and asks of them, by way.
fn rights_of(way: Way) -> (&'static str, &'static str) {
    match way {
        Way::Petition => (
            "依照《信访工作条例》，信访人享有下列权利：\n一、提出建议、意见或者投诉请求，不受打击报复；\n\
             二、对提出的信访事项，知悉是否受理及办理情况；\n三、检举、揭发材料及有关情况依法受到保密；\n\
             四、对信访处理意见不服的，自收到书面答复之日起三十日内请求原办理机关、单位的上一级机关、单位复查；\
             对复查意见不服的，自收到书面答复之日起三十日内请求复核。",
            "信访人应当履行下列义务：\n一、客观真实反映情况，对所提供材料内容的真实性负责，不得捏造、歪曲事实，不得诬告、陷害他人；\n\
             二、到设立或者指定的接待场所提出，多人提出共同信访事项的，推选代表，代表人数不得超过五人；\n\
             三、遵守法律、法规，不得损害国家、社会、集体的利益和其他公民的合法权利，自觉维护社会公共秩序和信访秩序。",
        ),
        Way::Consultation => (
            "您提出咨询、诉求，享有下列权利：\n一、知悉是否受理、由谁办理及办理期限；\n二、得到答复，并对办理结果作出评价；\n\
             三、个人信息和隐私受到保护，非为办理本事项不得使用。",
            "请您履行下列义务：\n一、如实陈述情况，对所提供材料的真实性负责；\n二、遵守接待场所秩序，尊重工作人员。",
        ),
        Way::AdministrativeMediation | Way::Judicial => (
            "当事人在调解活动中享有下列权利：\n一、自愿接受、不接受或者终止调解；\n二、要求有利害关系的调解人员回避；\n\
             三、要求调解公开进行或者不公开进行；\n四、自主表达意愿，自愿达成调解协议；\n\
             五、不因调解而丧失依法通过仲裁、行政、司法等途径维护自己权利的权利。",
            "当事人在调解活动中履行下列义务：\n一、如实陈述纠纷事实，提供有关证据；\n二、遵守调解现场秩序，尊重调解人员；\n\
             三、尊重对方当事人行使权利；\n四、履行达成的调解协议。",
        ),
        Way::PeopleMediation | Way::OnTheSpot => (
            "依照《中华人民共和国人民调解法》第二十三条，当事人在人民调解活动中享有下列权利：\n一、选择或者接受人民调解员；\n\
             二、接受调解、拒绝调解或者要求终止调解；\n三、要求调解公开进行或者不公开进行；\n\
             四、自主表达意愿、自愿达成调解协议。\n人民调解委员会调解民间纠纷，不收取任何费用（第四条）。",
            "依照《中华人民共和国人民调解法》第二十四条，当事人在人民调解活动中履行下列义务：\n一、如实陈述纠纷事实；\n\
             二、遵守调解现场秩序，尊重人民调解员；\n三、尊重对方当事人行使权利。",
        ),
    }
}

/// 权利义务告知书
pub(super) fn rights(story: &Story<'_>, desk: &Desk<'_>, way: Way) -> Result<Sheet, Lack> {
    let report = report(story, desk)?;
    let title = match way {
        Way::Petition => "信访人权利义务告知书",
        Way::Consultation => "权利义务告知书",
        _ => "当事人权利义务告知书",
    };
    let on = story.taken_on().ok_or(Lack::NotYet)?;
    let (given, asked) = rights_of(way);
    let mut pieces = vec![
        Piece::To(format!("{}：", or_names(story))),
        Piece::Words(format!("关于“{}”一事，现将有关权利和义务告知如下。", report.title)),
        Piece::Words(given.to_owned()),
        Piece::Words(asked.to_owned()),
    ];
    if matches!(way, Way::PeopleMediation | Way::OnTheSpot | Way::Judicial) {
        pieces.push(Piece::Words(
            "经人民调解委员会调解达成的调解协议，具有法律约束力，当事人应当按照约定履行（第三十一条）；\
             双方当事人认为有必要的，可以自调解协议生效之日起三十日内共同向人民法院申请司法确认（第三十三条）。"
                .to_owned(),
        ));
    }
    pieces.extend([
        Piece::Words("以上内容已向我告知，我已清楚。".to_owned()),
        Piece::Signatures(vec!["当事人（签名、盖章或按指印）".to_owned(), "告知人（签名）".to_owned()]),
        Piece::End(desk.office(on)),
        Piece::End(BLANK_DAY.to_owned()),
    ]);
    Ok(Sheet { paper: Paper::Rights, title: title.to_owned(), edition: on.number, pieces })
}

/// Everybody, or a line to write them on.
pub(super) fn or_names(story: &Story<'_>) -> String {
    let names = names(story, |_| true);
    if names.is_empty() { BLANK.to_owned() } else { names }
}

/// 身份信息核对表: what the identity documents say, for whoever looked at them to sign.
pub(super) fn identity(story: &Story<'_>, desk: &Desk<'_>) -> Result<Sheet, Lack> {
    report(story, desk)?;
    let without = story.parties().filter(|who| who.identity.trim().is_empty()).count();
    match (story.parties().count(), without) {
        (0, _) => return Err(Lack::NoParty),
        (_, 1..) => return Err(Lack::NoNumber { parties: u16::try_from(without).unwrap_or(u16::MAX) }),
        (_, 0) => {}
    }
    let pieces = vec![
        parties(story),
        Piece::Words("上列证件号码与当事人出示的身份证件核对一致。身份证件复印件附后。".to_owned()),
        Piece::Signatures(vec!["当事人（签名、盖章或按指印）".to_owned(), "核对人（签名）".to_owned()]),
        Piece::End(BLANK_DAY.to_owned()),
    ];
    Ok(Sheet { paper: Paper::Identity, title: Paper::Identity.chinese().to_owned(), edition: 1, pieces })
}
