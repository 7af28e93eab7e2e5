//! The operations guide, followed word for word by five hosts: every block of `docs/operations.md` that names a host runs
//! there, in the guide's order, with the real program. A host is a network namespace of its own on one bridge, with a
//! `/var/lib` and an `/etc/hosts` of its own; `systemctl` does what the units do. Needs root, as the other namespaces do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use wuji_tests::namespace::alone;
use wuji_tests::process::program;

const HOSTS: [&str; 5] = ["city", "county", "township", "community", "grid"];
/// Longest run of one block. What a block waits for must come by itself.
const BLOCK: Duration = Duration::from_secs(100);

/// One block of the guide.
struct Block {
    host: String,
    id: Option<String>,
    line: usize,
    text: String,
}

fn guide() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    std::fs::read_to_string(file).expect("the operations guide")
}

/// The blocks that name a host: "```sh host=city id=step".
fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (number, line) in guide.lines().enumerate() {
        if let Some(words) = line.strip_prefix("```") {
            let word =
                |name: &str| words.split_whitespace().find_map(|word| word.strip_prefix(name)).map(str::to_owned);
            open = !open && word("host=").is_some();
            if let (true, Some(host)) = (open, word("host=")) {
                assert!(HOSTS.contains(&host.as_str()), "line {}: no host {host}", number + 1);
                blocks.push(Block { host, id: word("id="), line: number + 1, text: String::new() });
            }
        } else if let (true, Some(block)) = (open, blocks.last_mut()) {
            block.text.push_str(line);
            block.text.push('\n');
        }
    }
    blocks
}

/// Runs something to its end and says what it said when it failed.
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn ip(words: &str) {
    run(Command::new("ip").args(words.split_whitespace()));
}

/// Five hosts on one bridge.
struct Hosts {
    root: PathBuf,
    holders: BTreeMap<&'static str, Child>,
}

impl Hosts {
    fn raise(root: &Path) -> Self {
        let mut hosts = Self { root: root.to_owned(), holders: BTreeMap::new() };
        let bin = root.join("bin");
        std::fs::create_dir_all(&bin).expect("a folder");
        std::fs::copy(program(), bin.join("wuji")).expect("a copy");
        write_script(&bin.join("systemctl"), SYSTEMCTL);
        std::fs::create_dir_all(root.join("stick")).expect("a folder");
        let names = HOSTS.iter().enumerate().map(|(n, host)| format!("10.74.40.{} {host}.example\n", n + 1));
        std::fs::write(root.join("hosts"), format!("127.0.0.1 localhost\n{}", names.collect::<String>()))
            .expect("names");
        ip("link add levels type bridge");
        ip("link set levels up");
        for (n, host) in HOSTS.iter().enumerate() {
            hosts.join(host, n + 1);
        }
        hosts
    }

    /// A process that does nothing but hold the namespaces of a host.
    fn join(&mut self, host: &'static str, number: usize) {
        let own = self.root.join(host);
        for dir in ["lib", "tmp"] {
            std::fs::create_dir_all(own.join(dir)).expect("a folder");
        }
        // The host's own folders lie over the machine's; nothing outside these namespaces sees that.
        let mounts = format!(
            "mount --bind {own}/lib /var/lib && mount --bind {own}/tmp /tmp && mount --bind {root}/hosts /etc/hosts \
             && mount -t tmpfs none /media && mkdir /media/stick && mount --bind {root}/stick /media/stick && echo up && \
             exec sleep infinity",
            root = self.root.display(),
            own = own.display()
        );
        let holder = Command::new("unshare")
            .args(["--net", "--mount", "--propagation", "private", "--", "sh", "-ec", &mounts])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut holder = holder.expect("unshare is installed and permitted (the test runs as root)");
        let mut line = String::new();
        let out = holder.stdout.take().expect("its output");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("a line");
        assert_eq!(line.trim(), "up", "the folders of {host} could not be mounted");
        let pid = holder.id();
        self.holders.insert(host, holder);
        ip(&format!("link add to-{number} type veth peer name eth0 netns {pid}"));
        ip(&format!("link set to-{number} master levels up"));
        self.on(host, &format!("ip link set lo up; ip link set eth0 up; ip addr add 10.74.40.{number}/24 dev eth0"));
    }

    fn inside(&self, host: &str) -> Command {
        let pid = self.holders.get(host).expect("a host").id().to_string();
        let mut command = Command::new("nsenter");
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["--net", "--mount", "--target", &pid, "--"])
            .env("PATH", format!("{}:{path}:/usr/sbin:/sbin", self.root.join("bin").display()))
            .env("HOST_RUN", self.root.join(host))
            .env("WUJI_LOG", "info")
            // After an outage a child waits up to five minutes before it dials again; here it waits less.
            .env("WUJI__LINK__RETRY_MAX_MS", "2000")
            .stdin(Stdio::null());
        command
    }

    /// Runs a block of the guide.
    fn follow(&self, block: &Block) -> String {
        self.at(&block.host, &block.text, &format!("docs/operations.md, line {}", block.line))
    }

    /// Runs commands at a host; what they printed.
    fn on(&self, host: &str, commands: &str) -> String {
        self.at(host, commands, "the test")
    }

    fn at(&self, host: &str, commands: &str, whose: &str) -> String {
        let limit = BLOCK.as_secs().to_string();
        let mut command = self.inside(host);
        command.args(["timeout", &limit, "sh", "-eu", "-c", commands]);
        let output = command.output().expect("nsenter starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "at {host}, {whose} ({}):\n{commands}\n{said}{complained}\n{}",
            output.status,
            self.journal(host)
        );
        said
    }

    fn journal(&self, host: &str) -> String {
        let text = std::fs::read_to_string(self.root.join(host).join("journal")).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in HOSTS {
            for entry in std::fs::read_dir(self.root.join(host)).into_iter().flatten().flatten() {
                if entry.path().extension().is_some_and(|end| end == "pid")
                    && let Ok(pid) = std::fs::read_to_string(entry.path())
                {
                    let _ = Command::new("kill").args(["-9", pid.trim()]).status();
                }
            }
        }
        for holder in self.holders.values_mut() {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

/// What `deploy/wuji@.service` does, without a service manager: `start` as `ExecStart` says, `stop` by SIGTERM, and wait.
const SYSTEMCTL: &str = r#"#!/bin/sh
set -eu
act=$1
[ "$act" != enable ] || { [ "$2" = --now ]; shift; act=start; }
name=${2#wuji@}
case $act in
start)
    setsid wuji run --folder "/var/lib/wuji/$name" >>"$HOST_RUN/journal" 2>&1 </dev/null &
    echo $! >"$HOST_RUN/$name.pid"
    ;;
stop)
    pid=$(cat "$HOST_RUN/$name.pid")
    kill -TERM "$pid"
    # What has ended may stay as a zombie here, and has no program any more.
    while [ -e "/proc/$pid/exe" ]; do sleep 0.1; done
    ;;
*)
    echo "systemctl $act is not known here" >&2
    exit 2
    ;;
esac
"#;

fn write_script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).expect("a script");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a script that runs");
}

fn json(said: &str) -> Value {
    serde_json::from_str(said.trim()).unwrap_or_else(|e| panic!("{e}: {said}"))
}

fn number(report: &Value, name: &str) -> u64 {
    report.get(name).and_then(Value::as_u64).unwrap_or_else(|| panic!("{name} in {report}"))
}

/// What must be true after a block, beyond that it ended well.
fn expected(id: &str, said: &str, hosts: &Hosts) {
    match id {
        "arrived" => {}
        "doctor" => {
            for line in ["OK    keys", "OK    authority", "OK    database", "OK    front door", "WARN  backup"] {
                assert!(said.contains(line), "{line:?} is not in what doctor says:\n{said}");
            }
            assert!(!said.contains("FAIL"), "{said}");
        }
        "county-report" => {
            let report = json(said);
            assert_eq!(report.get("complete"), Some(&Value::Bool(true)), "{report}");
            assert_eq!(number(&report, "cases_back"), 1, "the red case of the lost span: {report}");
            assert!(number(&report, "events_back") >= 1, "{report}");
            assert_eq!(number(&report, "private_missing"), 0, "the county owned nothing: {report}");
        }
        "grid-report" => {
            let report = json(said);
            assert_eq!(number(&report, "cases_back"), 1, "{report}");
            assert_eq!(number(&report, "private_missing"), 1, "the red case has lost its names: {report}");
            assert_eq!(number(&report, "nameless"), 1, "of the yellow case its record is left: {report}");
            let named = report.get("private_missing_cases").expect("a list").to_string();
            assert!(named.contains("01990000000070008000000000000002"), "{named}");
            let first = hosts.on("grid", &format!("{GET}; get grid cases/01990000000070008000000000000001"));
            assert!(first.contains("周*"), "what the backup had is there with its names, masked: {first}");
        }
        "city-report" => {
            let report = json(said);
            assert_eq!(report.get("complete"), Some(&Value::Bool(true)), "{report}");
            assert_eq!(number(&report, "cases_back"), 1, "the county gave the red case back: {report}");
            let cases = hosts.on("city", &format!("{GET}; get city 'cases?level=red'"));
            for case in ["01990000000070008000000000000001", "01990000000070008000000000000002"] {
                assert!(cases.contains(case), "{case} is not at the restored city: {cases}");
            }
        }
        "pack" => {
            let roll = json(said);
            assert_eq!((number(&roll, "nodes"), number(&roll, "links_up")), (3, 3), "all came back: {roll}");
            let log_in = r#"{"user":"chen","password":"three words, then a river"}"#;
            let address = "http://127.0.0.1:7481/330602003000/api/v1/session";
            hosts.on("county", &format!("curl --silent --show-error --fail --json '{log_in}' {address}"));
        }
        "moved" => {
            let moves = json(said);
            let order = moves.get(0).expect("one move");
            assert_eq!((&order["division"], &order["to"]), (&"330602001001".into(), &"330602003000".into()), "{order}");
            let by_township = hosts.on("county", &format!("{GET}; get county 'figures?by=township'"));
            let lines = json(&by_township)["lines"].clone();
            assert_eq!(lines.as_array().map(Vec::len), Some(1), "all of it below one township: {lines}");
            assert!(lines.to_string().contains("330602003000"), "{lines}");
            let left = hosts.on("township", &format!("{GET}; get township figures"));
            assert_eq!(number(&json(&left)["total"], "numerator"), 0, "the old township counts none of it: {left}");
            let line = hosts.on("grid", &format!("{GET}; get grid links"));
            assert!(line.contains("330602001001"), "the grid hangs where it did: {line}");
        }
        "export" => {
            let read = |file: &str| hosts.on("city", &format!("cat /tmp/{file}; rm /tmp/{file}"));
            let (cases, figures) = (read("cases.csv"), read("figures.jsonl"));
            assert_eq!(cases.lines().count(), 1 + 2, "a line of names and two cases: {cases}");
            assert_eq!(figures.lines().count(), 3, "three records: {figures}");
            assert!(!cases.contains("周慧敏") && !figures.contains("周慧敏"), "no names");
        }
        other => panic!("the guide has a step {other} of which the test knows nothing"),
    }
}

/// A request to the API of a host's node, as its operator.
const GET: &str = r#"get() {
    curl --silent --show-error --fail --header "Authorization: Bearer $(cat "/var/lib/wuji/$1/keys/operator.token")" \
        "http://127.0.0.1:7480/api/v1/$2"
}"#;

#[test]
fn five_hosts_follow_the_operations_guide_step_by_step() {
    const OWN: [&str; 8] =
        ["--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
    if !alone("five_hosts_follow_the_operations_guide_step_by_step", &OWN) {
        return;
    }
    // Not below /tmp, over which each host has one of its own.
    let root = tempfile::tempdir_in("/var/tmp").expect("a folder");
    let hosts = Hosts::raise(root.path());
    let blocks = blocks(&guide());
    for step in ["arrived", "doctor", "county-report", "grid-report", "city-report", "pack", "moved", "export"] {
        assert!(blocks.iter().any(|b| b.id.as_deref() == Some(step)), "the guide has lost its step {step}");
    }
    for block in &blocks {
        let said = hosts.follow(block);
        if let Some(id) = &block.id {
            expected(id, &said, &hosts);
        }
    }
    // The city restored from its archive is still the authority: a new node can join below the restored county.
    let token = hosts.on("county", "wuji token --folder /var/lib/wuji/county --division 330602002000");
    let join = format!("wuji join --folder /var/lib/wuji/second --token {} --listen 0.0.0.0:7441", token.trim());
    hosts.on("township", &join);
}
