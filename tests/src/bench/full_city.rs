//! What a whole city costs in one process: every division of the shipped table and a grid below each community as live
//! nodes, beside the same with some two hundred nodes. The program itself is run and measures itself, so that what the
//! benchmark costs is not in the figures. Afterwards the process is killed, and how soon the city is back is measured.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Failure, Results};
use crate::process::program;

/// Most seconds until all links are up.
const LINKS_UP_S: f64 = 180.0;
/// Most resident memory.
const RESIDENT_GIB: f64 = 3.0;
/// Most resident memory of a node in a whole city, beside that of a node among some two hundred.
const GROWTH: f64 = 1.15;
/// Most processor time of a city without work, in hundredths of a core.
const IDLE_CPU_PERCENT: f64 = 10.0;
/// Most seconds from the start after kill -9 until the door answers.
const DOOR_S: f64 = 120.0;
/// A city that is not back by then is not waited for.
const BACK_MAX: Duration = Duration::from_secs(600);
/// How often it is asked whether it is back.
const ASKED_EVERY: Duration = Duration::from_millis(50);
/// Communities of the small city: with their grids, and what stands above them, some two hundred nodes.
const COMMUNITIES: usize = 96;

const GIB: f64 = 1_073_741_824.0;

/// The closing figures of one city.
struct City {
    /// Nodes in the process.
    nodes: f64,
    /// Seconds until all links were up.
    links_up_s: f64,
    /// Resident memory, bytes.
    resident: f64,
    /// The same for each node.
    resident_a_node: f64,
    /// Hundredths of a core.
    idle_cpu_percent: f64,
    /// Nothing lost, nothing twice, all figures equal.
    whole: bool,
    /// After kill -9.
    back: Back,
}

/// How soon a city is back whose process was killed.
struct Back {
    /// Seconds from the start of the program until its door answers.
    door_s: f64,
    /// Seconds from the start of the first node until all links are up again.
    links_up_s: f64,
    /// The count comes out again.
    whole: bool,
}

/// A whole city in one process, beside one of some two hundred nodes.
pub fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let (small, whole) = (small(root)?, whole(root)?);
    both_whole(&small)?;
    of_a_city(&whole, results)?;
    let nodes = format!("full_city_{}_nodes", whole.nodes);
    let (kib, beside) = (whole.resident_a_node / 1024.0, small.resident_a_node / 1024.0);
    let reference = format!("a node among {}, KiB; reach {}:", small.nodes, GROWTH);
    results.line(&format!("{nodes}_resident_a_node"), kib, "KiB", &reference, beside)?;
    let reach = beside * GROWTH;
    results.must(kib <= reach, &format!("{nodes}_resident_a_node"), kib, "KiB", reach);
    results.at_most(&format!("{nodes}_idle_cpu"), whole.idle_cpu_percent, "%", IDLE_CPU_PERCENT)
}

/// The small city alone: in a minute it says whether the measurement works.
pub fn measure_small(root: &Path, results: &mut Results) -> Result<(), Failure> {
    of_a_city(&small(root)?, results)
}

/// Before and after kill -9.
fn both_whole(city: &City) -> Result<(), Failure> {
    if city.whole && city.back.whole { Ok(()) } else { Err("the count of a city does not come out".into()) }
}

fn of_a_city(city: &City, results: &mut Results) -> Result<(), Failure> {
    both_whole(city)?;
    let nodes = format!("full_city_{}_nodes", city.nodes);
    results.at_most(&format!("{nodes}_links_up"), city.links_up_s, "s", LINKS_UP_S)?;
    results.at_most(&format!("{nodes}_door_after_kill"), city.back.door_s, "s", DOOR_S)?;
    results.at_most(&format!("{nodes}_links_up_after_kill"), city.back.links_up_s, "s", LINKS_UP_S)?;
    results.at_most(&format!("{nodes}_resident"), city.resident / GIB, "GiB", RESIDENT_GIB)
}

/// The city of some two hundred nodes.
fn small(root: &Path) -> Result<City, Failure> {
    let table = root.join("small.csv");
    small_table(&table)?;
    city(&root.join("small"), Some(&table))
}

/// The whole city.
fn whole(root: &Path) -> Result<City, Failure> {
    city(&root.join("whole"), None)
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

/// `wuji demo --full --exit --json` with so many cases.
fn demo(folder: &Path, table: Option<&PathBuf>, cases: &str) -> Command {
    let mut command = Command::new(program());
    command.args(["demo", "--full", "--exit", "--json", "--cases", cases, "--folder"]).arg(folder);
    if let Some(table) = table {
        command.arg("--divisions").arg(table);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

/// The closing object of a demo that has ended.
fn closing(mut child: Ended) -> Result<Value, Failure> {
    let mut text = String::new();
    child.0.stdout.take().ok_or("no standard output")?.read_to_string(&mut text)?;
    child.0.wait()?;
    Ok(serde_json::from_str(text.lines().last().ok_or("the demo said nothing")?)?)
}

fn city(folder: &Path, table: Option<&PathBuf>) -> Result<City, Failure> {
    let first = closing(Ended(demo(folder, table, "40").spawn()?))?;
    killed_when_up(&folder.join("city"))?;
    let back = back(folder, table)?;
    std::fs::remove_dir_all(folder)?;
    read(&first, back).ok_or_else(|| format!("the closing object lacks a figure: {first}").into())
}

/// Runs the pack until its last node has its link, and kills it: what it was writing stays as it is.
fn killed_when_up(pack: &Path) -> Result<(), Failure> {
    let mut last: Vec<PathBuf> =
        std::fs::read_dir(pack.join("nodes"))?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    // The highest code is a grid, which starts after all that stands above it.
    last.sort();
    let last = last.pop().ok_or("a pack without nodes")?;
    let mut child = Ended(Command::new(program()).arg("run").arg(pack).stdout(Stdio::piped()).spawn()?);
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
    let began = Instant::now();
    let up = || Command::new(program()).arg("status").arg("--folder").arg(&last).stdout(Stdio::null()).status();
    while !up()?.success() {
        if began.elapsed() > BACK_MAX {
            return Err("the pack that was to be killed does not come up".into());
        }
        std::thread::sleep(ASKED_EVERY);
    }
    child.0.kill()?;
    child.0.wait()?;
    Ok(())
}

/// A process that ends with the measurement, however that ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It has ended already when all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn back(folder: &Path, table: Option<&PathBuf>) -> Result<Back, Failure> {
    let door = wuji::pack::PackFile::load(&folder.join("city").join(wuji::pack::FILE_NAME))?.http.listen;
    let began = Instant::now();
    let mut child = Ended(demo(folder, table, "0").spawn()?);
    while !answers(door) {
        if began.elapsed() > BACK_MAX || child.0.try_wait()?.is_some() {
            return Err("the city does not come back".into());
        }
        std::thread::sleep(ASKED_EVERY);
    }
    let door_s = began.elapsed().as_secs_f64();
    let again = closing(child)?;
    let links_up_s = again.get("links_up_seconds").and_then(Value::as_f64);
    let links_up_s = links_up_s.ok_or_else(|| format!("the closing object lacks a figure: {again}"))?;
    Ok(Back { door_s, links_up_s, whole: is_whole(&again).unwrap_or(false) })
}

/// Whether somebody answers for the pack, and not only the listener of the system.
fn answers(door: std::net::SocketAddr) -> bool {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(door)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    asked().is_ok_and(|text| text.contains("\"ok\":true"))
}

fn read(closing: &Value, back: Back) -> Option<City> {
    let number = |name: &str| closing.get(name)?.as_f64();
    Some(City {
        nodes: number("nodes_live")?,
        links_up_s: number("links_up_seconds")?,
        resident: number("rss_bytes")?,
        resident_a_node: number("rss_per_node")?,
        idle_cpu_percent: number("idle_cpu_percent")?,
        whole: is_whole(closing)?,
        back,
    })
}

fn is_whole(closing: &Value) -> Option<bool> {
    let none = |name: &str| Some(closing.get(name)?.as_f64()? == 0.0);
    Some(none("lost")? && none("duplicated")? && closing.get("totals_equal").and_then(Value::as_bool)?)
}
