//! What a whole city costs in one process: every division of the shipped table and a grid below each community as live
//! nodes, beside the same with some two hundred nodes. The program itself is run and measures itself, so that what the
//! benchmark costs is not in the figures.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::program;

/// Most seconds until all links are up.
pub const LINKS_UP_S: f64 = 180.0;
/// Most resident memory.
pub const RESIDENT_GIB: f64 = 3.0;
/// Most resident memory of a node in a whole city, beside that of a node among some two hundred.
pub const GROWTH: f64 = 1.15;
/// Most processor time of a city without work, in hundredths of a core.
pub const IDLE_CPU_PERCENT: f64 = 10.0;
/// Communities of the small city: with their grids, and what stands above them, some two hundred nodes.
const COMMUNITIES: usize = 96;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The closing figures of one city.
#[derive(Debug, Clone, PartialEq)]
pub struct City {
    /// Nodes in the process.
    pub nodes: f64,
    /// Seconds until all links were up.
    pub links_up_s: f64,
    /// Resident memory, bytes.
    pub resident: f64,
    /// The same for each node.
    pub resident_a_node: f64,
    /// Hundredths of a core.
    pub idle_cpu_percent: f64,
    /// Nothing lost, nothing twice, all figures equal.
    pub whole: bool,
}

/// Runs both cities.
pub fn run(root: &Path) -> Result<(City, City), Failure> {
    let table = root.join("small.csv");
    small_table(&table)?;
    let small = city(&root.join("small"), Some(&table))?;
    let whole = city(&root.join("whole"), None)?;
    Ok((small, whole))
}

/// The first communities of the shipped table with all that stands above them.
fn small_table(to: &Path) -> Result<(), Failure> {
    let table = wuji::names::Table::shipped()?;
    let top = table.top().ok_or("the table has no top")?;
    let communities: Vec<_> = table
        .within(top.code)
        .filter(|row| row.level() == protocol::division::Level::Community)
        .take(COMMUNITIES)
        .map(|row| row.code)
        .collect();
    let mut file = std::fs::File::create(to)?;
    writeln!(file, "code,name,level,parent_code")?;
    for row in table.within(top.code).filter(|row| communities.iter().any(|code| row.code.contains(*code))) {
        let parent = row.parent.map(|parent| parent.to_string()).unwrap_or_default();
        let level = match row.level() {
            protocol::division::Level::City => "city",
            protocol::division::Level::County => "county",
            protocol::division::Level::Township => "township",
            _ => "village",
        };
        writeln!(file, "{},\"{}\",{level},{parent}", row.code, row.name)?;
    }
    Ok(())
}

fn city(folder: &Path, table: Option<&PathBuf>) -> Result<City, Failure> {
    let mut command = Command::new(program());
    command.args(["demo", "--full", "--exit", "--json", "--cases", "40", "--folder"]).arg(folder);
    if let Some(table) = table {
        command.arg("--divisions").arg(table);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    let closing: Value = serde_json::from_str(text.lines().last().ok_or("the demo said nothing")?)?;
    std::fs::remove_dir_all(folder)?;
    read(&closing).ok_or_else(|| format!("the closing object lacks a figure: {closing}").into())
}

fn read(closing: &Value) -> Option<City> {
    let number = |name: &str| closing.get(name)?.as_f64();
    Some(City {
        nodes: number("nodes_live")?,
        links_up_s: number("links_up_seconds")?,
        resident: number("rss_bytes")?,
        resident_a_node: number("rss_per_node")?,
        idle_cpu_percent: number("idle_cpu_percent")?,
        whole: number("lost")? == 0.0
            && number("duplicated")? == 0.0
            && closing.get("totals_equal").and_then(Value::as_bool)?,
    })
}
