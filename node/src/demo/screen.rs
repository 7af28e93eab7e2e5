//! What a demo shows on the terminal: progress, then a live table of the levels. On standard error, so that standard output
//! belongs to the closing object.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use protocol::division::Level;

use crate::store::lists::CaseFilter;

use super::city::City;

/// The terminal.
pub(super) struct Screen {
    bars: MultiProgress,
    json: bool,
}

/// Addresses of a level that are shown; a whole city has thousands.
const ADDRESSES_MAX: usize = 10;
const REFRESH: Duration = Duration::from_secs(1);
const LEVELS: [(Level, &str); 5] = [
    (Level::City, "市 city"),
    (Level::County, "县 county"),
    (Level::Township, "乡镇 township"),
    (Level::Community, "社区 community"),
    (Level::Grid, "网格 grid"),
];

impl Screen {
    pub(super) fn new(json: bool) -> Self {
        Self { bars: MultiProgress::new(), json }
    }

    /// A progress bar.
    pub(super) fn progress(&self, what: &'static str, count: usize) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX)));
        if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(what);
        bar
    }

    /// A line.
    pub(super) fn say(&self, line: &str) {
        #[expect(clippy::print_stderr, reason = "this is what a person at the terminal reads")]
        self.bars.suspend(|| eprintln!("{line}"));
    }

    /// Where the pages are and who can log in.
    pub(super) fn addresses(&self, city: &City, password: &str) {
        if self.json {
            return;
        }
        self.say("");
        for (level, word) in LEVELS {
            let members = city.members.iter().filter(|m| m.level == level);
            for member in members.take(ADDRESSES_MAX) {
                self.say(&format!("  {word:<18} {:<24} {}/", member.name, member.address));
            }
        }
        self.say(&format!("\nLog in as worker (grids), clerk, leader or admin; the password is {password}"));
        if let Some(office) = city.pack.as_ref().and(city.members.get(1)) {
            let name = city.log_in_name(office.code, "leader");
            self.say(&format!("These work at all nodes; who works at one has its code in the name, such as {name}"));
        }
        self.say("Ctrl-C ends the demo; the folder stays for the next start.\n");
    }

    /// A live table until Ctrl-C.
    pub(super) async fn live(&self, city: &City) {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        loop {
            bar.set_message(table(city).await);
            tokio::select! {
                () = tokio::time::sleep(REFRESH) => {}
                _ = tokio::signal::ctrl_c() => break,
            }
        }
        bar.finish();
    }
}

/// One line a level: nodes, links up, cases owned by level, what waits to be received above.
async fn table(city: &City) -> String {
    let mut text = format!(
        "{:<18} {:>5} {:>6} {:>7} {:>5} {:>7} {:>6} {:>8}\n",
        "level", "nodes", "links", "orange", "red", "yellow", "none", "waiting"
    );
    for (level, word) in LEVELS {
        let (mut nodes, mut links, mut waiting) = (0, 0, 0);
        let mut owned: BTreeMap<u8, usize> = BTreeMap::new();
        for member in city.members.iter().filter(|m| m.level == level) {
            nodes += 1;
            let parent = member.running.config.parent.as_ref();
            links += usize::from(parent.is_some_and(|p| member.running.shared.is_up(p.id)));
        }
        for member in city.busy().filter(|m| m.level == level) {
            waiting += member.running.store.waiting().await.map_or(0, |w| w.unreceipted);
            let filter = CaseFilter { mine: Some(true), archived: true, ..CaseFilter::default() };
            for row in member.running.store.case_list(&filter, None, 10_000).await.unwrap_or_default() {
                *owned.entry(row.level).or_default() += 1;
            }
        }
        let of = |rank: u8| owned.get(&rank).copied().unwrap_or(0);
        text.push_str(&format!(
            "{word:<18} {nodes:>5} {links:>6} {:>7} {:>5} {:>7} {:>6} {waiting:>8}\n",
            of(3),
            of(2),
            of(1),
            of(0)
        ));
    }
    text
}
