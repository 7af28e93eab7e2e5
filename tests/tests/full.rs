//! A whole table as live nodes in one process, as `wuji demo --full` raises it.

use serde_json::Value;
use wuji_tests::process::wuji;

/// A city without counties, a name with brackets.
const TABLE: &str = "code,name,level,parent_code\n441900000000,东莞市,city,\n441900003000,东城街道,township,441900000000\n\
                     441900003001,甲(一)社区,village,441900003000\n441900003002,乙社区,village,441900003000\n\
                     441900004000,南城街道,township,441900000000\n441900004001,丙社区,village,441900004000\n";

#[test]
fn a_table_without_counties_runs_whole_and_closes_with_nothing_lost() {
    let root = tempfile::tempdir().expect("a folder");
    let (table, city) = (root.path().join("table.csv"), root.path().join("city"));
    std::fs::write(&table, TABLE).expect("written");
    let words = ["demo", "--full", "--exit", "--json", "--cases", "12", "--divisions"];
    let paths = [&table, &city].map(|path| path.to_str().expect("a plain path"));
    let told = wuji(&[&words, &paths[..1], &["--folder"], &paths[1..]].concat()).expect("the demo ends well");
    let closing: Value = serde_json::from_str(told.lines().last().expect("a last line")).expect("an object");
    assert_eq!(closing["nodes_live"], 9, "six rows and a grid below each community: {closing}");
    assert_eq!(closing["nodes"]["county"], 0, "{closing}");
    assert_eq!((&closing["lost"], &closing["duplicated"]), (&0.into(), &0.into()), "{closing}");
    assert_eq!(closing["totals_equal"], true, "{closing}");
    assert_eq!(closing["escalations"]["expected"], closing["escalations"]["present"], "{closing}");
    assert_eq!(closing["findings"], Value::Array(Vec::new()), "{closing}");
}
