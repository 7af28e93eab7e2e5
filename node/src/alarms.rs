//! What an operator must know: each alarm once, with its kind and how often it was raised.

use std::collections::{BTreeMap, VecDeque};

use protocol::time::UnixMillis;

/// Alarms that are remembered for the page, each text once.
pub const ALARMS_MAX: usize = 100;

/// What an alarm is about; the word under which it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmKind {
    /// A link was reconciled or refused.
    Link,
    /// A neighbour did what no sound node does, and was cut off.
    CutOff,
    /// A neighbour connects, or sends small frames, again and again.
    Restless,
    /// Bundles were kept aside, here or at a neighbour.
    KeptAside,
    /// So much of a neighbour is aside that what comes now is not kept.
    AsideFull,
    /// A bundle does not verify.
    Unbelieved,
    /// Nobody knows the way to a destination.
    NoRoute,
    /// Much waits for a neighbour.
    Backlog,
    /// A queue of the node was full.
    Queue,
    /// Room on the disk.
    Disk,
    /// Certificates and authorities.
    Certificate,
    /// Programs of two versions: one did not know what it was sent.
    Version,
    /// A node below was not enrolled.
    Enrolment,
    /// A node hangs elsewhere from now on, or an order of that kind was not followed.
    Move,
    /// An audit is not what it was.
    Audit,
    /// Figures that differ, or a brief that is missing.
    Figures,
    /// An edition that does not hold.
    Publication,
    /// Something about one case.
    Case,
    /// A parcel.
    Parcel,
    /// The process: a node of a pack, the front door, a table of names.
    Process,
    /// The node was restored from a backup.
    Restored,
}

impl AlarmKind {
    /// Every kind.
    pub const ALL: [Self; 21] = [
        Self::Link,
        Self::CutOff,
        Self::Restless,
        Self::KeptAside,
        Self::AsideFull,
        Self::Unbelieved,
        Self::NoRoute,
        Self::Backlog,
        Self::Queue,
        Self::Disk,
        Self::Certificate,
        Self::Version,
        Self::Enrolment,
        Self::Move,
        Self::Audit,
        Self::Figures,
        Self::Publication,
        Self::Case,
        Self::Parcel,
        Self::Process,
        Self::Restored,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::CutOff => "cut-off",
            Self::Restless => "restless",
            Self::KeptAside => "kept-aside",
            Self::AsideFull => "aside-full",
            Self::Unbelieved => "unbelieved",
            Self::NoRoute => "no-route",
            Self::Backlog => "backlog",
            Self::Queue => "queue",
            Self::Disk => "disk",
            Self::Certificate => "certificate",
            Self::Version => "version",
            Self::Enrolment => "enrolment",
            Self::Move => "move",
            Self::Audit => "audit",
            Self::Figures => "figures",
            Self::Publication => "publication",
            Self::Case => "case",
            Self::Parcel => "parcel",
            Self::Process => "process",
            Self::Restored => "restored",
        }
    }
}

/// An alarm with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// What it is about.
    pub kind: AlarmKind,
    /// When it was raised last.
    pub at: UnixMillis,
    /// What.
    pub what: String,
    /// How often since the start, as far as it is remembered.
    pub times: u64,
}

/// The latest alarms, and how often each kind was raised since the start.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    latest: VecDeque<Alarm>,
    raised: BTreeMap<AlarmKind, u64>,
}

impl Alarms {
    /// Raises one. One that comes again is counted, and of many the oldest of the kind goes that has most: a neighbour
    /// that repeats itself, or that finds a new text each time, does not push out what is of another kind.
    pub(crate) fn raise(&mut self, kind: AlarmKind, what: String, at: UnixMillis) {
        let raised = self.raised.entry(kind).or_default();
        *raised = raised.saturating_add(1);
        let before = self.latest.iter().position(|alarm| alarm.what == what);
        let before = before.and_then(|place| self.latest.remove(place)).map_or(0, |alarm| alarm.times);
        if self.latest.len() >= ALARMS_MAX {
            let most = AlarmKind::ALL.into_iter().max_by_key(|kind| self.held(*kind));
            let oldest = self.latest.iter().position(|alarm| Some(alarm.kind) == most);
            oldest.and_then(|place| self.latest.remove(place));
        }
        self.latest.push_back(Alarm { kind, at, what, times: before.saturating_add(1) });
    }

    fn held(&self, kind: AlarmKind) -> usize {
        self.latest.iter().filter(|alarm| alarm.kind == kind).count()
    }

    /// The latest, newest first.
    pub(crate) fn latest(&self) -> Vec<Alarm> {
        self.latest.iter().rev().cloned().collect()
    }

    /// How often a kind was raised.
    pub(crate) fn raised(&self, kind: AlarmKind) -> u64 {
        self.raised.get(&kind).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(alarms: &Alarms) -> Vec<String> {
        alarms.latest().into_iter().map(|alarm| alarm.what).collect()
    }

    #[test]
    fn an_alarm_that_comes_again_and_again_is_counted_and_pushes_no_other_out() {
        let mut alarms = Alarms::default();
        alarms.raise(AlarmKind::Disk, "the disk".to_owned(), UnixMillis(1));
        for at in 0..1_000 {
            alarms.raise(AlarmKind::Link, "the peer".to_owned(), UnixMillis(at));
        }
        let told: Vec<_> = alarms.latest().into_iter().map(|a| (a.what, a.times, a.at.0)).collect();
        assert_eq!(told, [("the peer".to_owned(), 1_000, 999), ("the disk".to_owned(), 1, 1)]);
        assert_eq!((alarms.raised(AlarmKind::Link), alarms.raised(AlarmKind::Disk)), (1_000, 1));
    }

    #[test]
    fn of_many_alarms_the_latest_hundred_are_remembered() {
        let mut alarms = Alarms::default();
        (0..ALARMS_MAX + 1).for_each(|n| alarms.raise(AlarmKind::Case, n.to_string(), UnixMillis(0)));
        let told = told(&alarms);
        assert_eq!((told.len(), told.last().map(String::as_str)), (ALARMS_MAX, Some("1")));
    }

    #[test]
    fn a_kind_that_finds_a_new_text_each_time_pushes_out_its_own_alarms_alone() {
        let mut alarms = Alarms::default();
        alarms.raise(AlarmKind::Disk, "the disk".to_owned(), UnixMillis(1));
        (0..1_000).for_each(|n| alarms.raise(AlarmKind::Case, n.to_string(), UnixMillis(0)));
        assert_eq!(told(&alarms).last().map(String::as_str), Some("the disk"));
    }

    #[test]
    fn every_kind_is_listed_once_and_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> = AlarmKind::ALL.map(AlarmKind::word).into();
        assert_eq!(words.len(), AlarmKind::ALL.len());
        assert_eq!(AlarmKind::ALL.len(), AlarmKind::Restored as usize + 1, "each of the enumeration is in the list");
    }
}
