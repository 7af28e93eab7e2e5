//! The columns of a table of cases, and the words that may stand in them, Chinese and English.

use std::collections::BTreeMap;

/// A column: its name, its Chinese names, and whether each row fills it.
pub(super) struct Column {
    pub(super) name: &'static str,
    chinese: &'static [&'static str],
    pub(super) needed: bool,
}

const fn needed(name: &'static str, chinese: &'static [&'static str]) -> Column {
    Column { name, chinese, needed: true }
}

const fn free(name: &'static str, chinese: &'static [&'static str]) -> Column {
    Column { name, chinese, needed: false }
}

/// Every column. `line` and `reason` are what a file of rejects adds: mended, it can be read again as it is.
pub(super) const COLUMNS: &[Column] = &[
    needed("number", &["编号", "原编号", "案件编号"]),
    needed("matter", &["类型", "事项类型"]),
    needed("source", &["来源"]),
    needed("category", &["类别", "类别代码"]),
    needed("place", &["发生地", "区划代码"]),
    needed("title", &["标题"]),
    free("grid_kind", &["网格类型"]),
    free("narrative", &["内容", "详情", "案情"]),
    free("reported_at", &["上报日期", "原上报日期"]),
    free("head_count", &["人数", "涉及人数"]),
    free("summary", &["摘要"]),
    free("ending", &["处理方式", "去向"]),
    free("level", &["等级"]),
    free("signs", &["激化迹象"]),
    free("violence", &["暴力"]),
    free("petition_talk", &["越级上访"]),
    free("disturbs", &["影响生产生活"]),
    free("effort", &["牵扯精力"]),
    free("applicant", &["申请人"]),
    free("applicant_phone", &["申请人电话"]),
    free("applicant_address", &["申请人地址"]),
    free("applicant_identity", &["申请人证件号"]),
    free("respondent", &["被申请人"]),
    free("respondent_phone", &["被申请人电话"]),
    free("respondent_address", &["被申请人地址"]),
    free("respondent_identity", &["被申请人证件号"]),
    free("line", &["行号"]),
    free("reason", &["原因"]),
];

/// The column under a heading.
pub(super) fn column(heading: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == heading || column.chinese.contains(&heading))
}

/// A word of the API with its Chinese ones.
type Word = (&'static str, &'static [&'static str]);

/// The words of each column that has a closed list of them.
const WORDS: &[(&str, &[Word])] = &[
    ("matter", &[("dispute", &["纠纷", "矛盾纠纷"]), ("request", &["诉求", "民生诉求"]), ("consultation", &["咨询"])]),
    (
        "source",
        &[
            ("window", &["窗口", "来访"]),
            ("grid", &["网格"]),
            ("visit", &["走访", "入户"]),
            ("hotline12345", &["12345"]),
            ("police110", &["110"]),
            ("legal12348", &["12348"]),
            ("petition", &["信访"]),
            ("superior", &["上级", "上级交办"]),
            ("department", &["部门"]),
            ("public", &["群众", "群众上报"]),
        ],
    ),
    ("grid_kind", &[("basic", &["基础网格"]), ("responsibility", &["责任网格"]), ("dedicated", &["专属网格"])]),
    ("ending", &[("settle_here", &["就地化解"]), ("submit", &["上报"])]),
    ("level", &[("yellow", &["黄", "黄色"]), ("red", &["红", "红色"]), ("orange", &["橙", "橙色"])]),
    ("violence", KNOWN),
    ("petition_talk", KNOWN),
    ("disturbs", KNOWN),
    ("effort", KNOWN),
];
const KNOWN: &[Word] = &[("unknown", &["不详", "未知"]), ("no", &["否", "无"]), ("yes", &["是", "有"])];

/// The API's word for what stands in a column; none: it is not on the column's list.
pub(super) fn word(column: &str, cell: &str) -> Option<&'static str> {
    let (_, words) = WORDS.iter().find(|(name, _)| *name == column)?;
    words.iter().find(|(word, chinese)| *word == cell || chinese.contains(&cell)).map(|(word, _)| *word)
}

/// What may stand in a column, for people.
pub(super) fn allowed(column: &str) -> String {
    let words = WORDS.iter().find(|(name, _)| *name == column).map_or(&[] as &[Word], |(_, words)| words);
    let shown = |(word, chinese): &Word| chinese.first().map_or((*word).to_owned(), |zh| format!("{word} ({zh})"));
    words.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// Where each column stands in a row.
pub(super) type Places = BTreeMap<&'static str, usize>;
