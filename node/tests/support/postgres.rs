//! A PostgreSQL database for one test: on the server whose URL is in `WUJI_TEST_POSTGRES`, or else on one that is started for
//! this test program and ends with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Holds the URL of a running server, as `scripts/postgres.sh start` prints it.
pub const SERVER: &str = "WUJI_TEST_POSTGRES";

fn script(words: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres.sh");
    let output = Command::new(script).args(words).stdin(Stdio::null()).output().expect("the script starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "postgres.sh {words:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn server() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        std::env::var(SERVER).unwrap_or_else(|_| {
            let process = std::process::id().to_string();
            let folder = std::env::temp_dir().join(format!("wuji-postgres-{process}"));
            script(&["start", folder.to_str().expect("a folder with a plain name"), &process])
        })
    })
}

/// What a statement gives, as an administrator sees it.
pub fn query(url: &str, text: &str) -> String {
    script(&["query", url, text])
}

/// A database of one's own; it goes when dropped.
#[derive(Debug)]
pub struct TestDatabase {
    /// Its URL.
    pub url: String,
    name: String,
}

impl TestDatabase {
    /// Makes a new one, empty.
    pub fn new() -> Self {
        let mut random = [0; 8];
        getrandom::fill(&mut random).expect("randomness");
        let name = format!("wuji_{:016x}", u64::from_le_bytes(random));
        Self { url: script(&["create", server(), &name]), name }
    }

    /// The certificate of the authority behind the server's own, as a file.
    pub fn root_certificate() -> PathBuf {
        script(&["certificate", server()]).into()
    }
}

impl Default for TestDatabase {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        script(&["drop", server(), &self.name]);
    }
}
