//! The folder: modes, keys, certificates, the last backup.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use federation::trust::{Authority, NodeKeys, name};

use crate::api::stamp::shown;
use crate::clock::Clock;
use crate::ops::backup::{self, KEY_FOLDERS};
use crate::ops::loss;

use super::{Finding, Patient};

const DAY_MS: i64 = 86_400_000;
/// A leaf lives for 90 days and is renewed long before.
const LEAF_DAYS_MIN: i64 = 14;
/// A root lives for twenty years; its successor needs a year to be carried everywhere.
const ROOT_DAYS_MIN: i64 = 365;
const BACKUP_DAYS_MAX: i64 = 2;

pub(super) fn look(patient: &Patient) -> Vec<Finding> {
    let mut findings = vec![modes(patient), keys(patient)];
    findings.extend(certificates(patient));
    findings.extend(authority(patient));
    findings.push(last_backup(&patient.folder.keys()));
    findings.extend(restored(patient));
    findings
}

fn modes(patient: &Patient) -> Finding {
    let mut open = Vec::new();
    let mut look = |path: &Path, forbidden: u32| {
        if let Ok(meta) = std::fs::metadata(path)
            && meta.permissions().mode() & forbidden != 0
        {
            open.push(format!("{} ({:o})", path.display(), meta.permissions().mode() & 0o777));
        }
    };
    look(patient.folder.path(), 0o077);
    for name in KEY_FOLDERS {
        let dir = patient.folder.path().join(name);
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            look(&entry.path(), 0o077);
        }
    }
    if open.is_empty() {
        return Finding::ok("permissions", "folder and keys are for the node's user alone");
    }
    let folder = patient.folder.path().display();
    Finding::fail(
        "permissions",
        format!("others can reach {}", open.join(", ")),
        format!("chmod 700 {folder} && chmod -R go-rwx {folder}; think about who may have read the keys meanwhile"),
    )
}

fn keys(patient: &Patient) -> Finding {
    match NodeKeys::load(&patient.folder.keys()) {
        Ok(_) => Finding::ok("keys", "signing, sealing, TLS and transport key are there"),
        Err(error) => Finding::fail(
            "keys",
            error.to_string(),
            "put the copy of the keys back; without one the node must be enrolled anew (docs/operations.md)",
        ),
    }
}

fn certificates(patient: &Patient) -> Vec<Finding> {
    let enrolled = match patient.folder.enrolled() {
        Ok(enrolled) => enrolled,
        Err(error) => {
            return vec![Finding::fail("certificate", format!("{error:#}"), "put the copy of the folder keys back")];
        }
    };
    let last = enrolled.certificates.len().saturating_sub(1);
    let now = Clock::default().wall().0;
    let judge = |(place, der): (usize, &protocol::bounded::Blob<4096>)| {
        let (check, least) =
            if place == last { ("root certificate", ROOT_DAYS_MIN) } else { ("certificate", LEAF_DAYS_MIN) };
        let Ok(ends) = name::not_after(der) else {
            return Finding::fail(check, "the certificate cannot be read", "put the copy of the folder keys back");
        };
        let ends = protocol::time::UnixMillis(ends.saturating_mul(1000));
        let (left, until) = (ends.0.saturating_sub(now).div_euclid(DAY_MS), shown(ends));
        if left < 0 {
            let todo = "let it run with a right clock: the node above renews it within its grace; else join again with a token";
            Finding::fail(check, format!("ended {until}"), todo)
        } else if left < least {
            let todo = "it is renewed by itself while the link is up: see why that did not happen (wuji status)";
            Finding::warn(check, format!("ends {until}, in {left} days"), todo)
        } else {
            Finding::ok(check, format!("until {until}, {left} days"))
        }
    };
    enrolled.certificates.iter().enumerate().map(judge).collect()
}

fn authority(patient: &Patient) -> Option<Finding> {
    let top = patient.config.parent.is_none();
    let path = patient.folder.authority();
    if !top && !path.is_dir() {
        return None;
    }
    Some(match (Authority::load(&path), top) {
        (Ok(_), true) => {
            Finding::ok("authority", "the keys of the federation are here: see that a copy is elsewhere too")
        }
        (Ok(_), false) => {
            Finding::warn("authority", "this node is not the top and has an authority", "see docs/operations.md")
        }
        (Err(error), _) => Finding::fail(
            "authority",
            error.to_string(),
            "put the copy of the folder authority back: without it no node can join and no certificate be renewed",
        ),
    })
}

/// How old the last backup is of what keeps word of it in a folder.
pub(super) fn last_backup(kept_in: &Path) -> Finding {
    let todo = "wuji backup --folder FOLDER --to PLACE, every day (deploy/wuji-backup@.timer), to another machine";
    let Some(at) = backup::last(kept_in) else {
        return Finding::warn("backup", "none was made from this folder", todo);
    };
    let days = Clock::default().wall().0.saturating_sub(at.0).div_euclid(DAY_MS);
    if days > BACKUP_DAYS_MAX {
        Finding::warn("backup", format!("the last one is of {}, {days} days ago", shown(at)), todo)
    } else {
        Finding::ok("backup", format!("the last one is of {}", shown(at)))
    }
}

fn restored(patient: &Patient) -> Option<Finding> {
    let restored = loss::noted(&patient.folder).ok().flatten()?;
    Some(match loss::made(&patient.folder) {
        Ok(Some(report)) if report.complete => {
            Finding::ok("restore", format!("restored {}; the loss report is there", shown(restored.restored_at)))
        }
        _ => Finding::warn(
            "restore",
            format!("restored {}, and not all neighbours were there since", shown(restored.restored_at)),
            "let it run until its links were up, then: wuji restore --report",
        ),
    })
}
