//! `make soak`: five real levels under random trouble. Exit code 0: what was answered for is where it belongs, each case once.

use std::process::{Command, ExitCode};
use std::time::Duration;

use wuji_tests::soak::{self, Options};

/// Set in the process that runs inside namespaces of its own.
const INSIDE: &str = "WUJI_SOAK_INSIDE_NAMESPACE";

fn argument(name: &str, default: u64) -> u64 {
    let mut words = std::env::args().skip_while(|word| word != name);
    words.nth(1).and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Runs this program again where it may mount a disk; none where that is not permitted.
fn inside() -> Option<ExitCode> {
    let this = std::env::current_exe().ok()?;
    let namespaces = ["--net", "--mount", "--propagation", "private"];
    let permitted = Command::new("unshare").args(namespaces).arg("true").status().is_ok_and(|done| done.success());
    if !permitted {
        return None;
    }
    let done = Command::new("unshare")
        .args(namespaces)
        .args(["--", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""])
        .arg(this)
        .args(std::env::args().skip(1))
        .env(INSIDE, "1")
        .status()
        .ok()?;
    Some(if done.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "the report of a run belongs on standard output")]
fn main() -> ExitCode {
    let disk = std::env::var_os(INSIDE).is_some();
    if !disk {
        if let Some(done) = inside() {
            return done;
        }
        println!("a disk cannot be mounted here (that needs root): it will not be full");
    }
    let options =
        Options { lasts: Duration::from_secs(60 * argument("--minutes", 60)), seed: argument("--seed", 1), disk };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let root = tempfile::tempdir().expect("a folder");
    let report = runtime.block_on(soak::run(root.path(), options));
    println!("{report}");
    if report.is_good() {
        return ExitCode::SUCCESS;
    }
    println!("the folders are kept in {}", root.keep().display());
    ExitCode::FAILURE
}
