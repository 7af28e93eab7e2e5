//! Nodes as real processes: `wuji init`, `token`, `join`, `run`, and what a test does to them.

#[path = "../../node/tests/support/ports.rs"]
mod ports;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

/// The program, built beside the tests.
pub fn program() -> PathBuf {
    let mut path = std::env::current_exe().expect("a test has a path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    let program = path.join("wuji");
    assert!(program.is_file(), "{} is not built: run `make build` or `cargo test --workspace`", program.display());
    program
}

fn free() -> (SocketAddr, SocketAddr) {
    (ports::free_address(), ports::free_address())
}

/// The program of the last release, which `scripts/released.sh` builds.
pub fn released() -> PathBuf {
    let commit = include_str!("../released/commit").trim();
    let beside = program();
    let folder = beside.ancestors().nth(2).expect("a folder of targets").join("released");
    let program = folder.join(commit).join("wuji");
    assert!(program.is_file(), "{} is not built: run `scripts/released.sh`", program.display());
    program
}

/// Runs a command of the program to its end; its standard output.
pub fn wuji(words: &[&str]) -> Result<String, String> {
    run(&program(), words)
}

fn run(program: &Path, words: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(words).stdin(Stdio::null()).output().expect("the program starts");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// A node in a folder, running or not.
#[derive(Debug)]
pub struct Node {
    /// Its division.
    pub division: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its page.
    pub http: SocketAddr,
    /// Its link.
    pub link: SocketAddr,
    database: Option<String>,
    program: PathBuf,
    child: Option<Child>,
    client: reqwest::Client,
}

/// `--database URL`, or nothing.
fn database_words(database: Option<&str>) -> Vec<&str> {
    database.map(|url| vec!["--database", url]).unwrap_or_default()
}

impl Node {
    /// Founds the top.
    pub fn found(root: &Path, division: &str) -> Self {
        Self::found_on(root, division, None)
    }

    /// Founds the top with its rows on a server; what joins below it keeps its own there as well.
    pub fn found_on(root: &Path, division: &str, database: Option<&str>) -> Self {
        Self::planned(root, division, database, program()).made()
    }

    /// Founds the top by another program, which also runs it.
    pub fn found_by(program: PathBuf, root: &Path, division: &str) -> Self {
        Self::planned(root, division, None, program).made()
    }

    fn made(self) -> Self {
        let (link, http) = (self.link.to_string(), self.http.to_string());
        let mut words =
            vec!["init", "--folder", self.path(), "--division", &self.division, "--listen", &link, "--http", &http];
        words.extend(database_words(self.database.as_deref()));
        run(&self.program, &words).expect("the top is founded");
        self
    }

    /// Joins below a running parent, which children reach at `reach` (its own address, or a relay before it).
    pub fn join(root: &Path, division: &str, parent: &Node, reach: SocketAddr) -> Self {
        Self::join_with(root, division, parent, reach, &[], program())
    }

    /// Joins by another program, which also runs it.
    pub fn join_by(program: PathBuf, root: &Path, division: &str, parent: &Node) -> Self {
        Self::join_with(root, division, parent, parent.link, &[], program)
    }

    /// The same over TCP, for which the parent must listen.
    pub fn join_over_tcp(root: &Path, division: &str, parent: &Node) -> Self {
        Self::join_with(root, division, parent, parent.link, &["--transport", "tcp"], program())
    }

    fn join_with(
        root: &Path,
        division: &str,
        parent: &Node,
        reach: SocketAddr,
        more: &[&str],
        program: PathBuf,
    ) -> Self {
        let token = parent.token(division);
        let node = Self::planned(root, division, parent.database.as_deref(), program);
        let (link, http) = (node.link.to_string(), node.http.to_string());
        let mut words = vec!["join", "--folder", node.path(), "--token", &token, "--listen", &link, "--http", &http];
        words.extend(database_words(node.database.as_deref()));
        words.extend(more);
        run(&node.program, &words).unwrap_or_else(|why| panic!("{division} does not join: {why}"));
        node.configure(&parent.link.to_string(), &reach.to_string());
        node
    }

    /// The same node in a copy of its folder, with addresses of its own, as on a second machine.
    pub fn copy(&self, to: &Path) -> Self {
        copy(&self.folder, to);
        let (link, http) = free();
        let mut node = self.alike();
        (node.folder, node.http, node.link) = (to.to_owned(), http, link);
        node.configure(&self.http.to_string(), &http.to_string());
        node.configure(&self.link.to_string(), &link.to_string());
        node
    }

    /// Another handle to the same process, which does not end it.
    pub fn alike(&self) -> Self {
        Self {
            division: self.division.clone(),
            folder: self.folder.clone(),
            http: self.http,
            link: self.link,
            database: self.database.clone(),
            program: self.program.clone(),
            child: None,
            client: self.client.clone(),
        }
    }

    /// A token for a division below this node.
    pub fn token(&self, division: &str) -> String {
        run(&self.program, &["token", "--folder", self.path(), "--division", division]).expect("a token")
    }

    /// Runs it by another program from the next start on.
    pub fn change_to(&mut self, program: PathBuf) {
        assert!(self.child.is_none(), "a program is not changed while it runs");
        self.program = program;
    }

    /// What the program says when it does not start on the folder as it is.
    pub fn refuses_to_start(&self) -> String {
        run(&self.program, &["run", "--folder", self.path()]).expect_err("it does not start")
    }

    fn planned(root: &Path, division: &str, database: Option<&str>, program: PathBuf) -> Self {
        let (link, http) = free();
        Self {
            division: division.to_owned(),
            folder: root.join(division),
            http,
            link,
            database: database.map(str::to_owned),
            program,
            child: None,
            client: reqwest::Client::new(),
        }
    }

    fn path(&self) -> &str {
        self.folder.to_str().expect("a folder with a plain name")
    }

    /// Lets nodes below come over TCP from the next start on.
    pub fn listen_on_tcp(&self) {
        self.configure("[link]\n", "[link]\ntcp = true\n");
    }

    /// Replaces a word in the configuration file.
    pub fn configure(&self, from: &str, to: &str) {
        let file = self.folder.join("wuji.toml");
        let text = std::fs::read_to_string(&file).expect("a configuration").replace(from, to);
        std::fs::write(&file, text).expect("a configuration");
    }

    /// Starts the process and waits until it answers.
    pub async fn start(&mut self) {
        self.start_with(&[]);
        self.answers().await;
    }

    /// Waits until the process answers.
    pub async fn answers(&self) {
        within(Duration::from_secs(30), &format!("{} does not answer", self.division), async || {
            self.client.get(format!("http://{}/healthz", self.http)).send().await.ok()
        })
        .await;
    }

    /// Starts the process with more words, and does not wait. It says much, and dials and counts as often as tests want.
    pub fn start_with(&mut self, words: &[&str]) {
        const BRISK: [(&str, &str); 4] = [
            ("WUJI_LOG", "info"),
            ("WUJI__LINK__RETRY_MIN_MS", "50"),
            ("WUJI__LINK__RETRY_MAX_MS", "1000"),
            ("WUJI__FIGURES__EVERY_MS", "100"),
        ];
        self.start_in(words, &BRISK);
    }

    /// The same in an environment of its own, as operators start it when that is empty.
    pub fn start_in(&mut self, words: &[&str], environment: &[(&str, &str)]) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("node.log"))
            .expect("a log file");
        let child = Command::new(&self.program)
            .args(["run", "--folder", self.path()])
            .args(words)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the node starts");
        self.child = Some(child);
    }

    /// The number of the process.
    pub fn process(&self) -> u32 {
        self.child.as_ref().expect("a process").id()
    }

    /// Sends a signal to the process, by its name.
    pub fn signal(&self, name: &str) {
        let process = self.process().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &process]).status().expect("kill");
        assert!(sent.success(), "{name} cannot be sent");
    }

    /// The most memory that the process ever held, bytes.
    pub fn memory_max(&self) -> u64 {
        let process = self.process();
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process that runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }

    /// Waits until the process has ended by itself, and gives what it said.
    pub async fn ended(&mut self, limit: Duration) -> String {
        let mut child = self.child.take().expect("a process");
        within(limit, "the process does not end", async || child.try_wait().expect("a process")).await;
        self.log()
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("the process can be killed");
            child.wait().expect("the process ends");
        }
    }

    /// Everything the process has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("node.log")).unwrap_or_default()
    }

    /// Copies the folder as a backup would; the node must not run.
    pub fn back_up(&self, to: &Path) {
        assert!(self.child.is_none(), "a backup by copy is made of a node that does not run");
        copy(&self.folder, to);
    }

    /// Puts a backup in place of the folder.
    pub fn restore(&self, from: &Path) {
        assert!(self.child.is_none(), "a node is not restored while it runs");
        std::fs::remove_dir_all(&self.folder).expect("the folder goes");
        copy(from, &self.folder);
    }

    fn operator(&self) -> String {
        std::fs::read_to_string(self.folder.join("keys/operator.token")).expect("an operator's token")
    }

    /// GET as the operator; none while the node does not answer or says no.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.send(&|| self.client.get(self.address(path))).await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        serde_json::from_str(&answer.text().await.ok()?).ok()
    }

    /// What a GET is refused with, if it is.
    pub async fn refusal(&self, path: &str) -> Option<String> {
        let answer = self.send(&|| self.client.get(self.address(path))).await.ok()?;
        if answer.status().is_success() { None } else { answer.text().await.ok() }
    }

    /// A number of the metrics, by its name and labels as they are written there.
    pub async fn metric(&self, line: &str) -> Option<f64> {
        let answer = self.send(&|| self.client.get(format!("http://{}/metrics", self.http))).await.ok()?;
        let page = answer.text().await.ok()?;
        page.lines().find_map(|told| told.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
    }

    /// POST as the operator.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let sent = self.send(&|| self.client.post(self.address(path)).json(body)).await;
        let answer = sent.map_err(|e| e.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|e| e.to_string())?;
        if status.is_success() { Ok(serde_json::from_str(&text).unwrap_or(Value::Null)) } else { Err(text) }
    }

    fn address(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.http)
    }

    /// Sends as the operator, and again when the node asks for a pause: a test asks faster than any person, and "later" is
    /// neither "no" nor "lost".
    async fn send(&self, request: &(dyn Fn() -> RequestBuilder + Sync)) -> reqwest::Result<reqwest::Response> {
        loop {
            let answer = request().bearer_auth(self.operator()).send().await?;
            if answer.status() != StatusCode::TOO_MANY_REQUESTS {
                return Ok(answer);
            }
            let seconds = answer.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
            tokio::time::sleep(Duration::from_secs(seconds.expect("how long to wait"))).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a file is copied");
        }
    }
}

/// Looks until something is there, or fails with what was expected.
pub async fn within<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < limit, "{what} (within {limit:?})");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
