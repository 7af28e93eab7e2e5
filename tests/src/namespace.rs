//! Tests and measures that need namespaces of their own, where mounts, bridges and firewall rules hurt nobody else.

use std::process::{Command, ExitStatus};

/// Set inside.
const INSIDE: &str = "WUJI_TEST_INSIDE_NAMESPACE";

/// Runs a test of this file again inside new namespaces, as `unshare` is told to make them. True inside.
pub fn alone(test: &str, namespaces: &[&str]) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let this = std::env::current_exe().expect("a test has a path");
    let done = Command::new("unshare")
        .args(namespaces)
        .args(["--", "sh", "-c", "ip link set lo up && exec \"$0\" --exact \"$1\" --nocapture"])
        .arg(this)
        .arg(test)
        .env(INSIDE, "1")
        .status()
        .expect("unshare is installed and permitted (the test runs as root)");
    assert!(done.success(), "the test failed inside its namespace");
    false
}

/// Runs this program again with these words in a network of its own, of which it has nothing but the loopback. None inside.
pub fn apart(words: &[&str]) -> std::io::Result<Option<ExitStatus>> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(None);
    }
    let again = "ip link set lo up && exec \"$0\" \"$@\"";
    let done = Command::new("unshare")
        .args(["--net", "--", "sh", "-c", again])
        .arg(std::env::current_exe()?)
        .args(words)
        .env(INSIDE, "1")
        .status()?;
    Ok(Some(done))
}
