//! What came of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Fault;
use crate::ledger::Findings;

/// The report.
#[derive(Debug)]
pub struct Report {
    pub(super) seed: u64,
    pub(super) lasts: Duration,
    pub(super) played: BTreeMap<Fault, u64>,
    pub(super) cases: usize,
    pub(super) found: Option<Findings>,
    pub(super) broke_off: bool,
    pub(super) memory_max: u64,
    pub(super) grown: u64,
}

impl Report {
    /// Whether all is as it must be.
    pub fn is_good(&self) -> bool {
        !self.broke_off && self.cases > 0 && self.found.as_ref().is_some_and(Findings::is_empty)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIB: u64 = 1024 * 1024;
        writeln!(f, "seed {}, {} s of trouble", self.seed, self.lasts.as_secs())?;
        for fault in Fault::ALL {
            writeln!(f, "  {:21} {}", fault.name(), self.played.get(&fault).copied().unwrap_or(0))?;
        }
        writeln!(f, "  {:21} {}", "cases answered for", self.cases)?;
        match &self.found {
            Some(found) => write!(f, "{found}")?,
            None => writeln!(f, "  it did not become quiet: see standard error")?,
        }
        writeln!(f, "  {:21} {} MiB, of one process", "most memory", self.memory_max / MIB)?;
        writeln!(f, "  {:21} {} MiB, all five folders", "disk grown by", self.grown / MIB)?;
        let replay = format!("make soak ARGS=\"--minutes {} --seed {}\"", self.lasts.as_secs() / 60, self.seed);
        write!(
            f,
            "{}",
            if self.is_good() { "good".to_owned() } else { format!("NOT GOOD; the same trouble again: {replay}") }
        )
    }
}
