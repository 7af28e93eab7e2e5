//! A disk whose size can be changed: a file system in memory. Needs root, for a mount in a namespace of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::line::HEALED;
use crate::process::within;

/// As much as a node has when it has enough.
const ROOMY: u64 = 1024 * 1024 * 1024;

/// The disk.
#[derive(Debug)]
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts one on a folder, which is made.
    pub fn mount(at: PathBuf) -> Self {
        std::fs::create_dir_all(&at).expect("a folder");
        let done =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={ROOMY}"), "none"]).arg(&at).status();
        assert!(done.expect("mount").success(), "a file system in memory is mounted");
        Self(at)
    }

    /// Bytes that are written, in whole blocks.
    fn used(&self) -> u64 {
        let said = Command::new("df").args(["--block-size=1", "--output=used"]).arg(&self.0).output().expect("df");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        said.lines().last().and_then(|line| line.trim().parse().ok()).expect("a number of bytes")
    }

    /// Makes it so large that this much is free.
    pub async fn leave(&self, free: u64) {
        within(HEALED, "the file system is not made smaller", async || {
            // Refused when more was written since it was asked how much is used.
            let size = format!("remount,size={}", self.used() + free);
            let done = Command::new("mount").args(["-o", &size]).arg(&self.0).stderr(Stdio::null()).status();
            done.expect("mount").success().then_some(())
        })
        .await;
    }

    /// Makes room again.
    pub async fn make_room(&self) {
        self.leave(ROOMY).await;
    }
}
