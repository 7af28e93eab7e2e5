//! The program itself: a whole pack is saved while it runs, lost, and made again with its cases, its people and its door.

#[path = "support/packs.rs"]
#[expect(unreachable_pub, reason = "other test programs have it too")]
mod packs;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
#[expect(dead_code, unreachable_pub, reason = "other test programs use the rest of it")]
mod postgres;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use packs::{Running, TABLE, add_user, ask, import, path, status_when_up, told, wuji};

const PASSWORD: &str = "a long enough word";
const GRID: &str = "330602001001001";
/// A red case of the grid, with a name.
const CASE: &str = r#"{ "case": "01990000000070008000000000000001", "matter": "dispute", "source": "grid", "category": 402,
  "place": "330602001001001", "grid_kind": "basic", "title": "物业纠纷", "narrative": "试报", "parties": [{ "side": "applicant",
  "name": "周慧敏", "phone": "13857512345", "address": "" }], "answers": { "signs": 0, "violence": "no",
  "petition_talk": "yes", "people": 5, "disturbs": "yes", "effort": "unknown" }, "head_count": 5, "ending": "settle_here" }"#;
const JSON: &str = "content-type: application/json\r\n";

/// A pack, a place for its backups, and the two halves of the key to them.
struct Scene {
    root: tempfile::TempDir,
    city: PathBuf,
    identity: PathBuf,
    recipient: String,
}

impl Scene {
    fn new(options: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let answer = import(root.path(), TABLE, &[&["--http", "127.0.0.1:0"], options].concat());
        assert!(answer.status.success(), "{}", told(&answer));
        let identity = root.path().join("recovery.key");
        let recipient = told(&wuji(&["backup", "--new-recipient", path(&identity)])).trim().to_owned();
        Self { city: root.path().join("city"), identity, recipient, root }
    }

    /// Saves the pack; exit code, what was said, and the folder that was made.
    fn backup(&self, keys: bool) -> (Option<i32>, String, PathBuf) {
        let to = self.root.path().join("saved");
        let before = entries(&to);
        let mut words = vec!["backup", "--folder", path(&self.city), "--to", path(&to), "--recipient", &self.recipient];
        words.extend(keys.then_some("--with-keys"));
        // Two in one second would have one name.
        std::thread::sleep(Duration::from_millis(1_100));
        let answer = wuji(&words);
        let made = entries(&to).into_iter().find(|entry| !before.contains(entry));
        (answer.status.code(), told(&answer), made.unwrap_or_default())
    }

    fn restore(&self, from: &Path, options: &[&str]) -> (Option<i32>, String) {
        let identity = ["--identity", path(&self.identity)];
        let words = ["restore", "--from", path(from), "--folder", path(&self.city)];
        let answer = wuji(&[&words[..], &identity, options].concat());
        (answer.status.code(), told(&answer))
    }

    fn lose(&self) {
        std::fs::remove_dir_all(&self.city).unwrap();
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        entries(folder).iter().map(|entry| entry.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// The code with which a log-in is answered.
fn log_in(line: &str, node: &str) -> String {
    let body = format!(r#"{{"user":"wang","password":"{PASSWORD}"}}"#);
    ask(line, &format!("POST /{node}/api/v1/session"), JSON, &body).split(' ').nth(1).unwrap().to_owned()
}

fn as_operator(pack: &Path, line: &str, node: &str, request: &str, body: &str) -> String {
    let token = std::fs::read_to_string(pack.join("nodes").join(node).join("keys/operator.token")).unwrap();
    let (verb, rest) = request.split_once(' ').unwrap();
    ask(line, &format!("{verb} /{node}/api/v1/{rest}"), &format!("authorization: Bearer {token}\r\n{JSON}"), body)
}

/// A pack with one user and one case is saved while it runs, killed, lost and restored; what it answers then.
fn lost_and_restored(scene: &Scene, options: &[&str]) {
    let (mut running, line) = Running::start(&["run", path(&scene.city)]);
    status_when_up(&scene.city);
    add_user(&scene.city, "wang", "mediator@330602001001", PASSWORD);
    let answer = as_operator(&scene.city, &line, GRID, "POST cases", CASE);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (code, said, saved) = scene.backup(true);
    assert!(code == Some(0) && said.contains("5 nodes"), "{said}");
    running.kill();
    scene.lose();
    let (code, said) = scene.restore(&saved, options);
    assert!(code == Some(0) && said.contains("5 nodes restored"), "{said}");
    let answer = wuji(&["restore", "--report", "--json", "--folder", path(&scene.city)]);
    assert!(answer.status.code() == Some(3) && told(&answer).contains("\"nodes\":5"), "{}", told(&answer));
    let (running, line) = Running::start(&["run", path(&scene.city)]);
    status_when_up(&scene.city);
    assert_eq!(log_in(&line, "330602001001"), "200", "people are known by the id in the pack's file");
    let case = "GET cases/01990000000070008000000000000001";
    let answer = as_operator(&scene.city, &line, GRID, case, "");
    assert!(answer.contains("周*"), "the case is there, and its name opens: {answer}");
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn a_lost_pack_comes_back_from_its_backup_with_its_cases_and_people() {
    lost_and_restored(&Scene::new(&[]), &[]);
}

#[test]
fn a_lost_pack_whose_nodes_share_a_file_comes_back_into_one_file() {
    let scene = Scene::new(&["--one-file"]);
    lost_and_restored(&scene, &[]);
    assert!(scene.city.join("pack.db").exists() && !scene.city.join("nodes/330602001000/node.db").exists());
}

#[test]
fn a_lost_pack_moves_from_one_server_to_another_and_no_password_of_the_first_is_saved() {
    let (first, second) = (postgres::TestDatabase::new(), postgres::TestDatabase::new());
    let scene = Scene::new(&["--database", &first.url]);
    lost_and_restored(&scene, &["--database", &second.url]);
    let file = std::fs::read_to_string(scene.city.join("pack.toml")).unwrap();
    assert!(file.contains(&second.url) && !file.contains(&first.url), "{file}");
}

#[test]
fn a_node_that_cannot_be_saved_is_named_and_the_others_are_saved_and_come_back() {
    let scene = Scene::new(&[]);
    std::fs::write(scene.city.join("nodes/330602001001/node.db"), "damaged").unwrap();
    let (code, said, saved) = scene.backup(true);
    assert!(code == Some(5) && said.contains("FAIL  nodes/330602001001 is not in it: "), "{said}");
    let all = ["330600000000", "330602000000", "330602001000", GRID].map(|code| format!("{code}.wuji"));
    assert_eq!(names(&saved), [all.to_vec(), vec!["pack.wuji".to_owned()]].concat());
    let answer = wuji(&["backup", "--check", path(&saved), "--identity", path(&scene.identity)]);
    let said = told(&answer);
    assert!(answer.status.code() == Some(5) && said.contains("4 nodes are whole"), "{said}");
    // One archive more goes bad on the shelf.
    let bad = saved.join(format!("{GRID}.wuji"));
    let mut bytes = std::fs::read(&bad).unwrap();
    let half = bytes.len() / 2;
    bytes[half] ^= 1;
    std::fs::write(&bad, bytes).unwrap();
    scene.lose();
    let (code, said) = scene.restore(&saved, &[]);
    assert!(code == Some(5) && said.contains("3 nodes restored"), "{said}");
    assert!(said.contains(&format!("FAIL  nodes/{GRID} is not there: ")), "{said}");
    assert!(said.contains("FAIL  nodes/330602001001 is not there: "), "{said}");
    assert_eq!(names(&scene.city.join("nodes")), ["330600000000", "330602000000", "330602001000"], "nothing half made");
}

#[test]
fn a_node_that_was_missing_comes_back_by_itself_to_where_its_pack_has_the_rows() {
    let scene = Scene::new(&["--one-file"]);
    let (_, _, saved) = scene.backup(true);
    let (archive, away) = (saved.join(format!("{GRID}.wuji")), scene.root.path().join("away.wuji"));
    std::fs::rename(&archive, &away).unwrap();
    scene.lose();
    let (code, said) = scene.restore(&saved, &[]);
    assert!(code == Some(5) && said.contains(&format!("FAIL  nodes/{GRID} is not there: ")), "{said}");
    let node = scene.city.join("nodes").join(GRID);
    let words = ["restore", "--from", path(&away), "--folder", path(&node), "--identity", path(&scene.identity)];
    let answer = wuji(&words);
    assert!(answer.status.success() && !node.join("node.db").exists(), "{}", told(&answer));
    let (running, _) = Running::start(&["run", path(&scene.city)]);
    assert!(status_when_up(&scene.city).contains("\"nodes\":5"));
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn the_keys_of_the_front_door_are_saved_with_the_keys_only_and_without_keys_a_copy_is_asked_for() {
    let scene = Scene::new(&["--https-names", "wuji.example"]);
    let (running, _) = Running::start(&["run", path(&scene.city)]);
    status_when_up(&scene.city);
    assert_eq!(running.stop(), Some(0));
    let authority = std::fs::read(scene.city.join("door/root.key")).unwrap();
    let (_, said, with) = scene.backup(true);
    let (_, said_without, without) = scene.backup(false);
    assert!(said.contains("The keys are in it") && said_without.contains("The keys are NOT in it"), "{said_without}");
    let copy = scene.root.path().join("copy");
    std::fs::rename(&scene.city, &copy).unwrap();
    let (code, said) = scene.restore(&without, &[]);
    assert!(code == Some(1) && said.contains("nothing was restored") && said.contains("--keys"), "{said}");
    assert!(!scene.city.exists());
    let (code, said) = scene.restore(&without, &["--keys", path(&copy)]);
    assert!(code == Some(0) && !scene.city.join("door").exists(), "{said}");
    scene.lose();
    assert_eq!(scene.restore(&with, &[]).0, Some(0));
    assert_eq!(std::fs::read(scene.city.join("door/root.key")).unwrap(), authority, "devices trust the same door");
    let (code, said) = scene.restore(&with, &[]);
    assert!(code == Some(1) && said.contains("nothing was changed"), "a pack is never restored over: {said}");
}

#[test]
fn a_role_that_was_taken_away_does_not_come_back_with_an_older_archive_of_another_node() {
    let scene = Scene::new(&["--one-file"]);
    add_user(&scene.city, "wang", "mediator@330602001001 clerk", PASSWORD);
    let (_, _, older) = scene.backup(true);
    let words = ["user", "revoke", "--folder", path(&scene.city), "--name", "wang", "--role", "clerk"];
    let answer = wuji(&words);
    assert!(answer.status.success(), "{}", told(&answer));
    let (_, _, newer) = scene.backup(true);
    let other = "330602001000.wuji";
    std::fs::copy(older.join(other), newer.join(other)).unwrap();
    scene.lose();
    assert_eq!(scene.restore(&newer, &[]).0, Some(0));
    let said = told(&wuji(&["user", "list", "--folder", path(&scene.city)]));
    assert!(said.contains("mediator@330602001001") && !said.contains("clerk"), "{said}");
}

#[test]
fn the_archive_of_what_belongs_to_a_pack_is_no_node() {
    let scene = Scene::new(&[]);
    let (_, _, saved) = scene.backup(true);
    scene.lose();
    let (code, said) = scene.restore(&saved.join("pack.wuji"), &[]);
    assert!(code == Some(1) && said.contains("give the folder that it lies in"), "{said}");
    std::fs::remove_file(saved.join("pack.wuji")).unwrap();
    let (code, said) = scene.restore(&saved, &[]);
    assert!(code == Some(1) && said.contains("one that was cut off"), "{said}");
    assert!(!scene.city.exists());
}

/// The commands of the unit, as systemd would start them for a folder, with the machine's places moved below `root`.
fn unit(scene: &Scene, name: &str) -> Vec<String> {
    let text = include_str!("../../deploy/wuji-backup@.service");
    let root = path(scene.root.path());
    let command = |line: &str| {
        let line = line.split_once('=')?.1.replace("%%", "%").replace("%i", name);
        Some(line.replace("/var/lib", root).replace("/usr/bin/wuji", env!("CARGO_BIN_EXE_wuji")))
    };
    let commands: Vec<_> = text.lines().filter(|line| line.starts_with("ExecStart")).filter_map(command).collect();
    assert_eq!(commands.len(), 2, "a backup, and what drops old ones");
    commands
}

fn run_unit(scene: &Scene, name: &str) {
    for command in unit(scene, name) {
        let mut shell = Command::new("sh");
        let answer = shell.args(["-ec", &command]).env("RECIPIENT", &scene.recipient).output().unwrap();
        assert!(answer.status.success(), "{command}: {}", told(&answer));
    }
}

#[test]
fn the_backup_unit_saves_a_pack_and_a_node_alike_and_drops_what_is_older_than_a_month() {
    let scene = Scene::new(&[]);
    let (home, saved) = (scene.root.path().join("wuji"), scene.root.path().join("wuji-backup"));
    std::fs::create_dir_all(&home).unwrap();
    std::fs::create_dir_all(&saved).unwrap();
    std::fs::rename(&scene.city, home.join("city")).unwrap();
    let (node, listen) = (home.join("county"), ports::free_address().to_string());
    let answer = wuji(&["init", "--folder", path(&node), "--division", "330602000000", "--listen", &listen]);
    assert!(answer.status.success(), "{}", told(&answer));
    for old in ["city-20260101T023000", "county-20260101T023000.wuji", "county-2-20260101T023000.wuji"] {
        std::fs::write(saved.join(old), "").unwrap();
        std::fs::File::open(saved.join(old)).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    run_unit(&scene, "city");
    run_unit(&scene, "county");
    let [city, other, county] = names(&saved).try_into().expect("three: of the pack, of the node, and of another node");
    assert!(city.starts_with("city-2") && county.starts_with("county-2") && county.ends_with(".wuji"));
    assert_eq!(other, "county-2-20260101T023000.wuji", "what belongs to others stays");
    for made in [city, county] {
        let answer = wuji(&["backup", "--check", path(&saved.join(made)), "--identity", path(&scene.identity)]);
        assert!(answer.status.success(), "{}", told(&answer));
    }
}
