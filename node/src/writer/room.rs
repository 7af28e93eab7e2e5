//! Room on the disk that the rows are on. People are refused while there is still a little left: with it links deliver what
//! others sent, and those who make room can log in. A disk that is full all the same costs what was asked just then, and
//! never the node.

use std::path::PathBuf;
use std::time::Duration;

use super::Writer;
use crate::alarms::AlarmKind;

/// Free space at which an alarm is raised, bytes. `wuji doctor` fails from here on.
const LOW_BYTES: u64 = 256 * 1024 * 1024;
/// Free space below which nothing new is filed, bytes.
const RESERVE_BYTES: u64 = 16 * 1024 * 1024;
/// The shortest sleep before what nobody asked for is tried again after it was not stored.
const PAUSE: Duration = Duration::from_secs(1);
const MIB: u64 = 1024 * 1024;

/// What was last seen of the disk.
#[derive(Debug)]
pub(super) struct Room {
    /// Where to look; none: the rows are on another machine.
    folder: Option<PathBuf>,
    /// Free bytes, as far as they are known.
    free: Option<u64>,
    low: bool,
    /// A statement found no room, and none was committed since.
    full: bool,
    /// Something was not stored, for whatever reason, and nothing was since.
    stalled: bool,
}

impl Room {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, free: None, low: false, full: false, stalled: false }
    }

    /// So little is left that nothing new is filed.
    pub(super) fn is_short(&self) -> bool {
        self.free.is_some_and(|free| free < RESERVE_BYTES)
    }

    /// How long to sleep at least.
    pub(super) fn pause(&self) -> Duration {
        if self.stalled { PAUSE } else { Duration::ZERO }
    }

    /// Takes in how much is free. What is to be told, when that has changed.
    fn seen(&mut self, free: u64) -> Option<String> {
        self.free = Some(free);
        // Not again for every file that comes and goes.
        let low = if self.low { free < LOW_BYTES + LOW_BYTES / 4 } else { free < LOW_BYTES };
        if std::mem::replace(&mut self.low, low) == low {
            return None;
        }
        let (free, reserve) = (free / MIB, RESERVE_BYTES / MIB);
        Some(if low {
            format!("little room on the disk: {free} MiB; below {reserve} MiB nothing new is filed: make room")
        } else {
            format!("there is room on the disk again: {free} MiB")
        })
    }
}

impl Writer {
    /// Looks how much room there is. A disk that cannot be looked at is tried by writing.
    pub(super) fn look_at_room(&mut self) {
        let Some(folder) = &self.room.folder else { return };
        let Ok(stat) = rustix::fs::statvfs(folder) else { return };
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        self.shared.counters.free.set(free);
        if let Some(what) = self.room.seen(free) {
            tracing::warn!("{what}");
            self.alarm(AlarmKind::Disk, what);
        }
    }

    /// Something was not stored, perhaps for want of room.
    pub(super) fn has_stalled(&mut self, full: bool) {
        self.room.stalled = true;
        if full && !std::mem::replace(&mut self.room.full, true) {
            let what =
                "the disk is full: nothing new is saved; what was saved is safe, and work goes on when there is room";
            self.alarm(AlarmKind::Disk, what.to_owned());
        }
    }

    /// Something was stored.
    pub(super) fn had_room(&mut self) {
        self.room.stalled = false;
        if std::mem::take(&mut self.room.full) {
            self.alarm(AlarmKind::Disk, "the disk takes in again what is saved".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_near_its_mark_is_told_of_once_each_way() {
        let mut room = Room::new(None);
        assert_eq!(room.seen(LOW_BYTES), None);
        assert!(room.seen(LOW_BYTES - 1).is_some_and(|what| what.contains("255 MiB")));
        assert_eq!((room.seen(LOW_BYTES + 1), room.seen(LOW_BYTES - 1)), (None, None), "to and fro");
        assert!(room.seen(2 * LOW_BYTES).is_some_and(|what| what.contains("512 MiB")));
    }

    #[test]
    fn nothing_is_filed_below_the_reserve_nor_refused_where_the_disk_is_not_known() {
        let mut room = Room::new(None);
        assert!(!room.is_short());
        room.seen(RESERVE_BYTES - 1);
        assert!(room.is_short());
        room.seen(RESERVE_BYTES);
        assert!(!room.is_short());
    }
}
