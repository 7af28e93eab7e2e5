//! Reads a table of cases: each row becomes a report, or says what is wrong with it and in which column.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use chrono::NaiveDate;
use csv::StringRecord;
use protocol::chain::Hash;
use protocol::division::DivisionCode;
use protocol::id::CaseId;
use serde_json::{Map, Value, json};

use super::columns::{COLUMNS, Places, allowed, column, word};

/// Rows of one table.
const ROWS_MAX: usize = 100_000;
/// Longest number of the older system, in characters.
const NUMBER_CHARS_MAX: usize = 60;
/// Parties of one side.
const PARTIES_MAX: usize = 32;

/// What is wrong with a row. Empty column: with all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: u64,
    pub(super) column: String,
    pub(super) en: String,
    pub(super) zh: String,
}

impl Fault {
    pub(super) fn new(line: u64, column: &str, en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { line, column: column.to_owned(), en: en.into(), zh: zh.into() }
    }
}

/// A row of the file.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) record: StringRecord,
    /// The report that it makes; none: it has faults.
    pub(super) report: Option<Value>,
}

/// A table as it was read.
#[derive(Debug, Default)]
pub(super) struct Cases {
    pub(super) headings: StringRecord,
    places: Places,
    pub(super) rows: Vec<Row>,
    pub(super) faults: Vec<Fault>,
}

impl Cases {
    /// The rows without a fault, with their reports.
    pub(super) fn good(&self) -> impl Iterator<Item = (&Row, &Value)> {
        self.rows.iter().filter_map(|row| Some((row, row.report.as_ref()?)))
    }

    /// Adds faults that the node found. Their rows are good no more.
    pub(super) fn mark(&mut self, faults: Vec<Fault>) {
        let lines: BTreeSet<u64> = faults.iter().map(|fault| fault.line).collect();
        for row in self.rows.iter_mut().filter(|row| lines.contains(&row.line)) {
            row.report = None;
        }
        self.faults.extend(faults);
        self.faults.sort_by_key(|fault| fault.line);
    }

    /// The lines that have faults.
    pub(super) fn bad(&self) -> BTreeSet<u64> {
        self.faults.iter().map(|fault| fault.line).collect()
    }

    /// A fault without its line, its column named as the file names it.
    pub(super) fn reason(&self, fault: &Fault) -> String {
        let heading = self.places.get(fault.column.as_str()).and_then(|at| self.headings.get(*at));
        let column = heading.unwrap_or(&fault.column);
        let column = if column.is_empty() { String::new() } else { format!("{column}: ") };
        format!("{column}{} ({})", fault.en, fault.zh)
    }
}

/// Whose cases they become, and from where.
pub(super) struct Origin<'a> {
    pub(super) node: DivisionCode,
    /// Name of the older system: tells apart two that gave out the same numbers.
    pub(super) system: &'a str,
    pub(super) today: NaiveDate,
}

impl Origin<'_> {
    /// The id of a row's case: the same row is the same case, however often it is imported.
    fn case(&self, number: &str) -> CaseId {
        let text = format!("imported case\0{}\0{}\0{number}", self.node, self.system);
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(Hash::of(text.as_bytes()).0) {
            *to = from;
        }
        CaseId::from_bytes(id)
    }
}

/// Reads a table. A heading that is unknown or missing is the only fault then: nothing else could be told.
pub(super) fn read(source: impl Read, origin: &Origin<'_>) -> Cases {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(source);
    let headings = match reader.headers() {
        Ok(headings) => headings.iter().map(|h| h.trim_start_matches('\u{feff}').trim()).collect::<StringRecord>(),
        Err(error) => return Cases { faults: vec![unreadable(1, &error)], ..Cases::default() },
    };
    let mut cases = Cases { headings, ..Cases::default() };
    let places = match places(&cases.headings) {
        Ok(places) => places,
        Err(faults) => return Cases { faults, ..cases },
    };
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                cases.faults.push(unreadable(line, &error));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if cases.rows.len() >= ROWS_MAX {
            let (en, zh) = (format!("more than {ROWS_MAX} rows: divide the table"), "行数过多,请拆分表格");
            cases.faults.push(Fault::new(line, "", en, zh));
            break;
        }
        let mut reading = Reading { line, record: &record, places: &places, origin, faults: Vec::new() };
        let report = reading.report(&mut seen);
        let report = Some(report).filter(|_| reading.faults.is_empty());
        cases.faults.append(&mut reading.faults);
        cases.rows.push(Row { line, record, report });
    }
    cases.places = places;
    cases
}

fn unreadable(line: u64, error: &csv::Error) -> Fault {
    let en = format!("the line cannot be read ({error}); save the table as CSV in UTF-8");
    Fault::new(line, "", en, "该行无法读取,请另存为 UTF-8 编码的 CSV")
}

fn places(headings: &StringRecord) -> Result<Places, Vec<Fault>> {
    let (mut places, mut faults) = (Places::new(), Vec::new());
    for (at, heading) in headings.iter().enumerate() {
        match column(heading) {
            None => {
                faults.push(Fault::new(1, heading, "there is no such column: rename it or take it out", "没有此列"))
            }
            Some(column) if places.insert(column.name, at).is_some() => {
                faults.push(Fault::new(1, heading, "this column stands here twice", "该列重复"));
            }
            Some(_) => {}
        }
    }
    let missing = COLUMNS.iter().filter(|column| column.needed && !places.contains_key(column.name));
    faults.extend(missing.map(|column| Fault::new(1, column.name, "this column is missing", "缺少此列")));
    if faults.is_empty() { Ok(places) } else { Err(faults) }
}

/// One row while it is read.
struct Reading<'a> {
    line: u64,
    record: &'a StringRecord,
    places: &'a Places,
    origin: &'a Origin<'a>,
    faults: Vec<Fault>,
}

impl<'a> Reading<'a> {
    fn cell(&self, column: &str) -> &'a str {
        self.places.get(column).and_then(|at| self.record.get(*at)).unwrap_or_default()
    }

    fn fault(&mut self, column: &str, en: impl Into<String>, zh: impl Into<String>) {
        self.faults.push(Fault::new(self.line, column, en, zh));
    }

    fn report(&mut self, seen: &mut BTreeMap<String, u64>) -> Value {
        if self.record.len() > self.places.len() {
            self.fault("", "more cells than the first line has columns", "单元格多于表头列数");
        }
        for column in COLUMNS.iter().filter(|column| column.needed) {
            if self.cell(column.name).is_empty() {
                self.fault(column.name, "must not be empty", "不能为空");
            }
        }
        let number = self.number(seen);
        let mut report = Map::new();
        report.insert("case".into(), self.origin.case(&number).to_string().into());
        report.insert("title".into(), self.cell("title").into());
        report.insert("narrative".into(), self.narrative(&number).into());
        report.insert("place".into(), self.place().into());
        report.insert("category".into(), self.whole("category").into());
        report.insert("head_count".into(), self.whole("head_count").into());
        report.insert("parties".into(), self.parties());
        report.insert("answers".into(), self.answers());
        for (column, otherwise) in [("matter", ""), ("source", ""), ("grid_kind", "basic"), ("ending", "settle_here")] {
            report.insert(column.into(), self.word(column).unwrap_or(otherwise).into());
        }
        if let Some(level) = self.word("level") {
            report.insert("confirmed_level".into(), level.into());
        }
        if !self.cell("summary").is_empty() {
            report.insert("summary".into(), self.cell("summary").into());
        }
        report.into()
    }

    fn number(&mut self, seen: &mut BTreeMap<String, u64>) -> String {
        let number = self.cell("number").to_owned();
        if number.chars().count() > NUMBER_CHARS_MAX {
            let (en, zh) =
                (format!("longer than {NUMBER_CHARS_MAX} characters"), format!("超过 {NUMBER_CHARS_MAX} 个字"));
            self.fault("number", en, zh);
        }
        if let Some(first) = seen.get(&number).filter(|_| !number.is_empty()) {
            let (en, zh) = (format!("stands in line {first} already"), format!("与第 {first} 行重复"));
            self.fault("number", en, zh);
        } else {
            seen.insert(number.clone(), self.line);
        }
        number
    }

    /// What the older system knew and no other field holds goes before the words.
    fn narrative(&mut self, number: &str) -> String {
        let day = self.day();
        let system = if self.origin.system.is_empty() { "原系统" } else { self.origin.system };
        let day = day.map(|day| format!(",原上报日期:{day}")).unwrap_or_default();
        format!("【{system}编号:{number}{day}】\n{}", self.cell("narrative"))
    }

    fn day(&mut self) -> Option<NaiveDate> {
        let cell = self.cell("reported_at");
        if cell.is_empty() {
            return None;
        }
        // Exports often add the time of day.
        let text = cell.split([' ', 'T']).next().unwrap_or_default();
        let day = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日"]
            .iter()
            .find_map(|form| NaiveDate::parse_from_str(text, form).ok());
        match day {
            None => self.fault("reported_at", format!("{cell:?} is no day: write 2024-03-01"), "日期应写作 2024-03-01"),
            Some(day) if day > self.origin.today => self.fault("reported_at", "lies in the future", "日期晚于今天"),
            Some(_) => {}
        }
        day
    }

    fn place(&mut self) -> String {
        let cell = self.cell("place").to_owned();
        match cell.parse::<DivisionCode>() {
            Err(why) if !cell.is_empty() => {
                self.fault("place", why.to_string(), "不是有效的区划代码(12 位,网格 15 位)")
            }
            Ok(place) if !self.origin.node.contains(place) => {
                self.fault(
                    "place",
                    format!("lies outside {}, the area of this node", self.origin.node),
                    "不在本节点辖区内",
                );
            }
            _ => {}
        }
        cell
    }

    fn whole(&mut self, column: &str) -> u32 {
        let cell = self.cell(column);
        cell.parse().unwrap_or_else(|_| {
            if !cell.is_empty() {
                self.fault(column, format!("{cell:?} is no whole number"), "应为整数");
            }
            0
        })
    }

    fn word(&mut self, column: &str) -> Option<&'static str> {
        let cell = self.cell(column);
        let found = word(column, cell);
        if found.is_none() && !cell.is_empty() {
            let allowed = allowed(column);
            self.fault(column, format!("{cell:?} is none of: {allowed}"), format!("只能是:{allowed}"));
        }
        found
    }

    fn answers(&mut self) -> Value {
        let mut signs = 0_u8;
        for sign in split(self.cell("signs")) {
            match sign.parse::<u8>() {
                Ok(number @ 1..=5) => signs |= 1 << (number - 1),
                _ => self.fault(
                    "signs",
                    format!("{sign:?} is no sign: 1 to 5, separated by ;"),
                    "应为 1 至 5,以分号分隔",
                ),
            }
        }
        let mut answer = |column: &str| self.word(column).unwrap_or("unknown");
        json!({
            "signs": signs, "violence": answer("violence"), "petition_talk": answer("petition_talk"),
            "people": null, "disturbs": answer("disturbs"), "effort": answer("effort"),
        })
    }

    fn parties(&mut self) -> Value {
        let mut parties = Vec::new();
        for side in ["applicant", "respondent"] {
            let names = split(self.cell(side));
            if names.len() > PARTIES_MAX {
                self.fault(side, format!("more than {PARTIES_MAX} names"), format!("超过 {PARTIES_MAX} 人"));
            }
            let mut each = BTreeMap::new();
            for part in ["phone", "address", "identity"] {
                let column = format!("{side}_{part}");
                let cells = split(self.cell(&column));
                if cells.len() > names.len() {
                    self.fault(&column, format!("more of them than names in {side}"), "多于姓名个数");
                }
                each.insert(part, cells);
            }
            for (index, name) in names.iter().enumerate() {
                let part = |part| each.get(part).and_then(|cells| cells.get(index)).copied().unwrap_or_default();
                parties.push(json!({ "side": side, "name": name, "phone": part("phone"), "address": part("address"),
                    "identity": part("identity") }));
            }
        }
        parties.into()
    }
}

/// What stands in one cell, separated by semicolons of either kind; an empty place between two keeps its turn.
fn split(cell: &str) -> Vec<&str> {
    if cell.is_empty() { Vec::new() } else { cell.split([';', '；']).map(str::trim).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "编号,类型,来源,类别,发生地,标题,内容,原上报日期,人数,申请人,申请人电话\n";

    fn origin() -> Origin<'static> {
        let today = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
        Origin { node: "330602001000".parse().unwrap(), system: "", today }
    }

    fn table(text: &str) -> Cases {
        read(text.as_bytes(), &origin())
    }

    fn faults(text: &str) -> Vec<(u64, String)> {
        table(text).faults.into_iter().map(|fault| (fault.line, fault.column)).collect()
    }

    #[test]
    fn a_row_with_chinese_words_makes_a_report_that_the_rules_can_read() {
        let text =
            format!("\u{feff}{HEAD}A-1,纠纷,信访,0402,330602001001,漏水,争执,2024/3/1 08:00,3,王芳；李强,138;139\n");
        let cases = table(&text);
        assert_eq!(cases.faults, []);
        let report = cases.rows[0].report.clone().unwrap();
        let intake: casework::Intake = serde_json::from_value(report).unwrap();
        assert_eq!((intake.category.0, intake.head_count, intake.parties.len()), (402, 3, 2));
        assert_eq!(&*intake.parties[1].phone, "139");
        assert_eq!(&*intake.narrative, "【原系统编号:A-1,原上报日期:2024-03-01】\n争执");
    }

    #[test]
    fn every_fault_of_every_row_has_its_line_and_column() {
        let text = format!(
            "{HEAD}A-1,争吵,信访,x,330602001001,漏水,,,,,\n\
             A-2,纠纷,信访,402,330603001001,,,2031-01-01,many,王芳,1;2\n\
             A-1,纠纷,信访,402,330602001001,又漏,,1st of May,,,\n"
        );
        let told = |line, columns: &[&str]| columns.iter().map(|c| (line, (*c).to_owned())).collect::<Vec<_>>();
        let expected = [
            told(2, &["category", "matter"]),
            told(3, &["title", "reported_at", "place", "head_count", "applicant_phone"]),
            told(4, &["number", "reported_at"]),
        ];
        assert_eq!(faults(&text), expected.concat());
    }

    #[test]
    fn a_heading_that_nobody_knows_or_misses_is_told_before_any_row() {
        assert_eq!(
            faults("number,matter,source,category,place,titel\nA-1,x,x,x,x,x\n"),
            [(1, "titel".to_owned()), (1, "title".to_owned())]
        );
    }

    #[test]
    fn one_row_is_one_case_and_another_number_node_or_system_is_another() {
        let case = |number: &str| origin().case(number);
        assert_eq!(case("A-1"), case("A-1"));
        assert_ne!(case("A-1"), case("A-2"));
        assert_ne!(case("A-1"), Origin { system: "old", ..origin() }.case("A-1"));
        assert_ne!(case("A-1"), Origin { node: "330602002000".parse().unwrap(), ..origin() }.case("A-1"));
    }
}
