use std::fmt::Write;

use protocol::division::{DivisionCode, Level};

use super::*;
use crate::names::Table;

const HEADING: &str = "code,name,level,parent_code\n";

fn table(rows: &str) -> Result<Table, Refused> {
    read(format!("{HEADING}{rows}").as_bytes())
}

#[test]
fn a_table_of_more_rows_than_there_may_be_is_refused() {
    let rows = "441900000000,东莞市,city,\n441900003000,东城街道,township,441900000000\n";
    let whole = format!("{HEADING}{rows}");
    assert!(read::read_at_most(whole.as_bytes(), 2).is_ok());
    let refused = read::read_at_most(whole.as_bytes(), 1).err().map(|refused| refused.to_string());
    assert_eq!(refused.as_deref().map(|told| told.contains("more than 1 rows")), Some(true), "{refused:?}");
}

/// The faults of a table, a line each.
fn faults(rows: &str) -> String {
    table(rows).map(|_| String::new()).unwrap_or_else(|refused| refused.to_string())
}

fn code(text: &str) -> DivisionCode {
    text.parse().unwrap()
}

/// The nodes of a table as `child < parent`.
fn hung(rows: &str) -> Vec<String> {
    let found = sites(&table(rows).unwrap(), None).unwrap();
    let above = |site: &Site| site.parent.map(|p| format!(" < {p}")).unwrap_or_default();
    found.sites.iter().map(|site| format!("{}{}", site.name, above(site))).collect()
}

#[test]
fn a_city_without_counties_hangs_its_townships_on_itself() {
    let rows = "441900000000,东莞市,city,\n441900003000,东城街道,township,441900000000\n\
                441900003001,岗贝社区,village,441900003000\n";
    assert_eq!(hung(rows), ["东莞市", "东城街道 < 441900000000", "岗贝社区 < 441900003000"]);
}

#[test]
fn a_city_without_counties_whose_rows_are_called_a_level_too_high_runs_by_its_digits() {
    let rows = "441900000000,东莞市,city,\n441900003000,东城街道,county,441900000000\n\
                441900003001,岗贝社区,township,441900003000\n";
    let levels: Vec<Level> = table(rows).unwrap().within(code("441900000000")).map(|d| d.level()).collect();
    assert_eq!(levels, [Level::City, Level::Township, Level::Community]);
}

#[test]
fn a_zone_at_county_level_is_a_county_like_others() {
    let rows = "140400000000,长治市,city,\n140471000000,长治高新技术产业园区,county,140400000000\n\
                140471400000,高新区街道,township,140471000000\n140471400498,园区虚拟社区,village,140471400000\n";
    assert_eq!(hung(rows)[1..3], ["长治高新技术产业园区 < 140400000000", "高新区街道 < 140471000000"]);
}

#[test]
fn a_childless_district_row_gets_no_node_and_is_named_with_its_line() {
    let rows = "330600000000,绍兴市,city,\n330601000000,市辖区,county,330600000000\n\
                330602000000,越城区,county,330600000000\n";
    let found = sites(&table(rows).unwrap(), None).unwrap();
    assert_eq!(found.sites.len(), 2);
    let told = found.passed_by[0].to_string();
    assert!(told.starts_with("line 3: 330601000000 市辖区 heads a list"), "{told}");
}

#[test]
fn what_lies_below_a_district_row_hangs_on_the_city() {
    let rows = "620200000000,嘉峪关市,city,\n620201000000,市辖区,county,620200000000\n\
                620201100000,新城镇,township,620201000000\n";
    assert_eq!(hung(rows), ["嘉峪关市", "新城镇 < 620200000000"]);
}

#[test]
fn a_city_row_that_is_no_city_cannot_be_the_top_and_its_cities_can() {
    let rows = "419000000000,省直辖县级行政区划,city,\n419001000000,济源市,county,419000000000\n\
                419001001000,沁园街道,township,419001000000\n";
    let table = table(rows).unwrap();
    let why = sites(&table, None).unwrap_err().to_string();
    assert!(why.starts_with("line 2: 419000000000 省直辖县级行政区划 heads a list"), "{why}");
    assert!(why.ends_with("--city: 419001000000 济源市"), "{why}");
    let found = sites(&table, Some(code("419001000000"))).unwrap();
    assert_eq!(found.sites.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["济源市", "沁园街道"]);
    assert_eq!(found.sites[0].parent, None);
}

#[test]
fn a_heading_between_a_province_and_its_counties_is_passed_by() {
    let rows = "110000000000,北京市,province,\n110100000000,市辖区,city,110000000000\n\
                110101000000,东城区,county,110100000000\n";
    assert_eq!(hung(rows), ["北京市", "东城区 < 110000000000"]);
}

#[test]
fn names_keep_their_brackets() {
    let rows = "330600000000,绍兴市（本级）,city,\n330602000000,\"越城区(滨海新区,江滨)\",county,330600000000\n";
    assert_eq!(hung(rows), ["绍兴市（本级）", "越城区(滨海新区,江滨) < 330600000000"]);
}

#[test]
fn a_byte_order_mark_windows_line_ends_blank_lines_and_quotation_marks_are_taken() {
    let text = "\u{feff}code,name,level,parent_code\r\n\r\n330600000000,\"绍兴\"\"市\"\"\",city,\r\n";
    let table = read(text.as_bytes()).unwrap();
    let top = table.top().unwrap();
    assert_eq!((top.name.as_str(), top.line), ("绍兴\"市\"", 3));
}

#[test]
fn each_bad_row_is_refused_with_its_line_and_reason() {
    let city = "330600000000,绍兴市,city,\n";
    for (row, expected) in [
        (
            "33060200000,越城区,county,330600000000",
            "\"33060200000\" is no division code: a division code has 12 digits",
        ),
        ("3.30602E+11,越城区,county,330600000000", "is no division code: a division code has digits only"),
        ("330602000000,越城区,county", "3 columns, where code,name,level,parent_code are four"),
        ("330602000000,越城区,county,330600000000,x", "5 columns"),
        ("330602000000,越,城区,county,330600000000", "5 columns"),
        ("330602000000,\"越城区,county,330600000000", "a quotation mark that does not end its column"),
        ("330602000000,越\"城区,county,330600000000", "a quotation mark that does not end its column"),
        ("330602000000,,county,330600000000", "the name \"\" is empty"),
        ("330602000000,越城区,district,330600000000", "\"district\" is no level"),
        (
            "330602000000,越城区,township,330600000000",
            "the row says township, the digits of 330602000000 are those of a county",
        ),
        ("330600000000,绍兴市,city,", "330600000000 stands in line 2 already"),
        ("330702000000,婺城区,county,330600000000", "330702000000 does not lie inside 330600000000"),
        (
            "330602001000,府山街道,township,330602000000",
            "the parent 330602000000 of 330602001000 is no row of the table",
        ),
        ("330602000000,越城区,county,", "330602000000 lies inside 330600000000 (line 2), so that must be its parent"),
        ("330600000000,绍兴市,city,330600000000", "stands in line 2 already"),
    ] {
        let told = faults(&format!("{city}{row}\n"));
        assert!(told.starts_with("line 3: "), "{row}: {told}");
        assert!(told.contains(expected), "{row}: {told}");
    }
}

#[test]
fn a_row_below_its_grandparent_is_refused_when_its_parent_is_there() {
    let rows = "330600000000,绍兴市,city,\n330602000000,越城区,county,330600000000\n\
                330602001000,府山街道,township,330600000000\n";
    let told = faults(rows);
    assert_eq!(told, "line 4: 330602001000 lies inside 330602000000 (line 3), so that must be its parent");
}

#[test]
fn rows_may_stand_before_their_parents() {
    let rows = "330602000000,越城区,county,330600000000\n330600000000,绍兴市,city,\n";
    assert_eq!(hung(rows), ["绍兴市", "越城区 < 330600000000"]);
}

#[test]
fn all_faults_are_told_at_once_up_to_twenty() {
    let mut rows = "330600000000,绍兴市,city,\n".to_owned();
    for n in 0..25 {
        writeln!(rows, "33060200{n:04},x,planet,330600000000").unwrap();
    }
    let told = faults(&rows);
    assert_eq!(told.lines().count(), 21);
    assert!(told.ends_with("and 5 more lines"), "{told}");
}

#[test]
fn a_file_that_is_no_table_is_refused_at_its_first_line() {
    assert_eq!(
        read("a,b\n1,2\n".as_bytes()).unwrap_err().to_string(),
        "line 1: the first line must be code,name,level,parent_code"
    );
    assert_eq!(read(HEADING.as_bytes()).unwrap_err().to_string(), "line 1: the table has no rows");
    assert_eq!(read("".as_bytes()).unwrap_err().to_string(), "line 1: the table has no rows");
    // 绍兴 in GBK.
    let gbk = [HEADING.as_bytes(), b"330600000000,\xc9\xdc\xd0\xcb,city,\n"].concat();
    assert_eq!(read(gbk.as_slice()).unwrap_err().to_string(), "line 2: not UTF-8: save the table as CSV in UTF-8");
}

#[test]
fn a_line_longer_than_any_row_does_not_stop_the_reading_of_the_next() {
    let told = faults(&format!("{}\n330600000000,绍兴市,planet,\n", "x".repeat(5_000)));
    assert_eq!(
        told,
        "line 2: longer than 1024 bytes, which no row is\nline 3: \"planet\" is no level; levels are province, city, \
         county, township, village (or community) and grid"
    );
}

#[test]
fn several_tops_ask_for_a_choice() {
    let rows = "330600000000,绍兴市,city,\n330700000000,金华市,city,\n";
    let why = sites(&table(rows).unwrap(), None).unwrap_err().to_string();
    assert!(why.contains("--city: 330600000000 绍兴市, 330700000000 金华市"), "{why}");
    assert_eq!(sites(&table(rows).unwrap(), Some(code("330700000000"))).unwrap().sites.len(), 1);
    assert_eq!(sites(&table(rows).unwrap(), Some(code("330800000000"))), Err(NoSites::Unknown(code("330800000000"))));
}

#[test]
fn a_table_of_nothing_but_faults_is_read_to_the_thousandth() {
    let rows = "not a row\n".repeat(1_500);
    let refused = table(&rows).unwrap_err();
    assert_eq!(refused.faults.len(), 1_000);
}
