//! The machine: disk, encryption, kernel buffers, descriptors, clock.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Finding;

/// Free space below which a node should not go on for long, MiB.
const FREE_MIB_LOW: u64 = 2 * 1024;
/// Free space below which it may stop any day, MiB.
const FREE_MIB_MIN: u64 = 256;
/// Devices below devices that are followed.
const DEVICES_MAX: usize = 64;
/// Descriptors for a node with some hundred children, its database and its callers.
pub(super) const DESCRIPTORS_MIN: u64 = 4_096;

/// Looks at the machine for a process that works in a folder and needs so many descriptors.
pub(super) fn look(folder: &Path, on_server: bool, need: u64) -> Vec<Finding> {
    vec![encryption(folder, on_server), space(folder), buffers(), descriptors(need), clock()]
}

/// Whether a block device lies on an encrypted one. None: that cannot be seen from here.
fn encrypted(device: &Path, seen: &mut BTreeSet<PathBuf>) -> Option<bool> {
    let device = device.canonicalize().ok()?;
    if seen.len() >= DEVICES_MAX || !seen.insert(device.clone()) {
        return None;
    }
    // A partition has no `slaves` and no `dm` of its own.
    let uuid = std::fs::read_to_string(device.join("dm/uuid")).unwrap_or_default();
    if uuid.starts_with("CRYPT-") {
        return Some(true);
    }
    let below: Vec<_> = std::fs::read_dir(device.join("slaves")).into_iter().flatten().flatten().collect();
    if below.is_empty() {
        return Some(false);
    }
    // Mirrored and striped devices are as open as the most open of theirs.
    let all: Vec<_> = below.iter().map(|slave| encrypted(&slave.path(), seen)).collect();
    if all.contains(&Some(false)) { Some(false) } else { all.iter().all(|e| *e == Some(true)).then_some(true) }
}

fn encryption(folder: &Path, on_server: bool) -> Finding {
    const CHECK: &str = "disk encryption";
    if on_server {
        let todo = "look there: the rows are on the database server's disk";
        return Finding::warn(CHECK, "the rows are not on this machine", todo);
    }
    let Ok(meta) = std::fs::metadata(folder) else {
        return Finding::fail(CHECK, "the folder cannot be looked at", "run it as the node's user");
    };
    let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    let device = Path::new("/sys/dev/block").join(format!("{major}:{minor}"));
    match encrypted(&device, &mut BTreeSet::new()) {
        Some(true) => Finding::ok(CHECK, "the folder is on an encrypted device (dm-crypt)"),
        Some(false) => Finding::warn(
            CHECK,
            format!("the folder is on device {major}:{minor}, which is not encrypted by this machine"),
            "put it on LUKS, or be sure that the storage below encrypts: the key of the names lies beside the database",
        ),
        None => Finding::warn(
            CHECK,
            "unknown: the file system shows no block device here (container, network, memory)",
            "find out from whoever runs the storage",
        ),
    }
}

fn space(folder: &Path) -> Finding {
    const CHECK: &str = "free disk";
    let todo = "make room, or move the node (docs/operations.md, \"What a node costs\")";
    match rustix::fs::statvfs(folder) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize) / (1024 * 1024);
            let says = format!("{free} MiB");
            match free {
                ..FREE_MIB_MIN => Finding::fail(CHECK, says, todo),
                FREE_MIB_MIN..FREE_MIB_LOW => Finding::warn(CHECK, says, todo),
                _ => Finding::ok(CHECK, says),
            }
        }
        Err(error) => Finding::warn(CHECK, format!("unknown: {error}"), todo),
    }
}

fn number(file: &str) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn buffers() -> Finding {
    const CHECK: &str = "UDP buffers";
    let wanted = u64::try_from(federation::driver::HostSettings::default().socket_buffer).unwrap_or(u64::MAX);
    let sizes = [number("/proc/sys/net/core/rmem_max"), number("/proc/sys/net/core/wmem_max")];
    let says = |size: Option<u64>| size.map_or_else(|| "unknown".to_owned(), |size| size.to_string());
    let [receive, send] = sizes;
    let text = format!("rmem_max {}, wmem_max {}, wanted {wanted}", says(receive), says(send));
    if sizes.iter().all(|size| size.is_some_and(|size| size >= wanted)) {
        return Finding::ok(CHECK, text);
    }
    let todo =
        format!("sysctl -w net.core.rmem_max={wanted} net.core.wmem_max={wanted} (deploy/90-wuji.conf keeps it)");
    Finding::warn(CHECK, text, todo)
}

fn descriptors(need: u64) -> Finding {
    const CHECK: &str = "descriptors";
    let hard = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    match hard {
        Some(hard) if hard < need => Finding::warn(
            CHECK,
            format!("{hard} at most for what this user starts, {need} are needed"),
            "LimitNOFILE=65536 in the unit, as deploy/wuji@.service has it",
        ),
        Some(hard) => Finding::ok(CHECK, format!("{hard} at most for what this user starts")),
        None => Finding::ok(CHECK, "no limit"),
    }
}

/// Whether somebody keeps the clock: systemd's own service leaves a file, others are seen through `timedatectl`.
fn clock() -> Finding {
    const CHECK: &str = "clock";
    let todo = "run systemd-timesyncd or chrony: terms and figures go by this clock";
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Finding::ok(CHECK, "kept by systemd-timesyncd");
    }
    let said = Command::new("timedatectl").args(["show", "-p", "NTPSynchronized", "--value"]).output();
    match said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()) {
        Ok(said) if said == "yes" => Finding::ok(CHECK, "the kernel says that it is synchronised"),
        Ok(said) if said == "no" => Finding::warn(CHECK, "nobody keeps it", todo),
        _ => Finding::warn(CHECK, "unknown: neither timesyncd nor timedatectl can be asked here", todo),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device tree as the kernel shows it: a volume on LUKS on a partition, and a mirror of an open and a closed one.
    #[test]
    fn a_device_is_as_encrypted_as_the_most_open_of_those_below_it() {
        let root = tempfile::tempdir().unwrap();
        let device = |name: &str, uuid: &str, below: &[&str]| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.join("slaves")).unwrap();
            if !uuid.is_empty() {
                std::fs::create_dir_all(path.join("dm")).unwrap();
                std::fs::write(path.join("dm/uuid"), uuid).unwrap();
            }
            for slave in below {
                std::os::unix::fs::symlink(root.path().join(slave), path.join("slaves").join(slave)).unwrap();
            }
        };
        device("sda1", "", &[]);
        device("sdb1", "", &[]);
        device("dm-0", "CRYPT-LUKS2-0123-luks", &["sda1"]);
        device("dm-1", "LVM-abc", &["dm-0"]);
        device("md0", "", &["dm-0", "sdb1"]);
        let look = |name: &str| encrypted(&root.path().join(name), &mut BTreeSet::new());
        assert_eq!(look("dm-1"), Some(true), "a volume on LUKS");
        assert_eq!(look("sda1"), Some(false), "a bare partition");
        assert_eq!(look("md0"), Some(false), "a mirror with one open half");
        assert_eq!(look("nothing"), None, "no device to be seen");
    }
}
