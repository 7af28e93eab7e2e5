//! The program itself, for whoever looks after a pack: doctor, status, backup and restore of the whole.

#[path = "support/packs.rs"]
#[expect(dead_code, unreachable_pub, reason = "other test programs use the rest of it")]
mod packs;
#[path = "support/ports.rs"]
mod ports;

use std::path::{Path, PathBuf};

use packs::{Running, TABLE, import, path, status_when_up, told, wuji};

const DOOR: [&str; 4] = ["--http", "127.0.0.1:0", "--https-names", "wuji.example"];

fn made(root: &Path) -> PathBuf {
    let answer = import(root, TABLE, &DOOR);
    assert!(answer.status.success(), "{}", told(&answer));
    root.join("city")
}

#[test]
fn doctor_looks_at_a_pack_names_what_is_wrong_and_counts_what_is_right() {
    let root = tempfile::tempdir().unwrap();
    let city = made(root.path());
    let answer = wuji(&["doctor", "--folder", path(&city)]);
    let said = told(&answer);
    assert_eq!(answer.status.code(), Some(1), "no backup was made yet: {said}");
    for line in
        ["OK    pack file: 绍兴市: 5 nodes", "OK    people: kept by nodes/330600000000", "OK    front door: HTTPS"]
    {
        assert!(said.contains(line), "{line:?} is not in:\n{said}");
    }
    assert!(said.contains("WARN  backup: at 5 of 5 nodes") && said.contains("keys 5"), "{said}");
    std::fs::remove_file(city.join("nodes/330602001001/keys/tls.key")).unwrap();
    std::fs::create_dir(city.join("nodes/.330602009000.restoring")).unwrap();
    let answer = wuji(&["doctor", "--folder", path(&city)]);
    let said = told(&answer);
    assert_eq!(answer.status.code(), Some(2), "{said}");
    assert!(
        said.contains("FAIL  keys: at 1 of 5 nodes\n      nodes/330602001001: ") && said.contains("keys 4"),
        "{said}"
    );
    assert!(said.contains("WARN  folders: without wuji.toml, so not started: nodes/.330602009000.restoring"), "{said}");
    let said = told(&wuji(&["doctor", "--json", "--folder", path(&city)]));
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let keys = said["wrong"].as_array().unwrap().iter().find(|wrong| wrong["finding"]["check"] == "keys").unwrap();
    assert_eq!((said["nodes"].as_u64(), keys["node"].as_str()), (Some(5), Some("nodes/330602001001")));
}

#[test]
fn doctor_finds_what_would_close_a_pack_to_its_people() {
    let root = tempfile::tempdir().unwrap();
    let city = made(root.path());
    std::fs::rename(city.join("nodes/330600000000"), root.path().join("away")).unwrap();
    let said = told(&wuji(&["doctor", "--folder", path(&city)]));
    assert!(said.contains("FAIL  people: nodes/330600000000 is to keep them and is no node of this pack"), "{said}");
    std::fs::rename(root.path().join("away"), city.join("nodes/330600000000")).unwrap();
    let copy = city.join("nodes/330602000001");
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(city.join("nodes/330602000000/wuji.toml"), copy.join("wuji.toml")).unwrap();
    let said = told(&wuji(&["doctor", "--folder", path(&city)]));
    assert!(said.contains("FAIL  identities: more than one node has") && said.contains("330602000000"), "{said}");
    std::fs::write(city.join("pack.toml"), "[pack]").unwrap();
    let answer = wuji(&["doctor", "--folder", path(&city)]);
    assert_eq!((answer.status.code(), told(&answer).starts_with("FAIL  pack file: ")), (Some(2), true));
}

#[test]
fn commands_about_trust_find_the_process_of_the_pack_around_a_node() {
    let root = tempfile::tempdir().unwrap();
    let city = made(root.path());
    let node = city.join("nodes/330602000000");
    let (_running, _) = Running::start(&["run", path(&city)]);
    status_when_up(&node);
    for words in [&["authority", "status"][..], &["renew"]] {
        let answer = wuji(&[words, &["--folder", path(&node)]].concat());
        assert!(answer.status.success(), "{words:?}: {}", told(&answer));
    }
}

#[test]
fn status_of_a_pack_counts_its_nodes_and_names_those_that_do_not_answer() {
    let root = tempfile::tempdir().unwrap();
    let city = made(root.path());
    let answer = wuji(&["status", "--folder", path(&city)]);
    assert!(answer.status.code() == Some(1) && told(&answer).contains("does it run?"), "{}", told(&answer));
    let (running, _) = Running::start(&["run", path(&city)]);
    let said = status_when_up(&city);
    assert!(said.contains("\"nodes\":5") && said.contains("\"links_up\":4"), "{said}");
    let said = told(&wuji(&["doctor", "--folder", path(&city)]));
    assert!(said.contains("OK    process: answers at its front door") && said.contains("node above 4"), "{said}");
    assert_eq!(running.stop(), Some(0));
    std::fs::remove_file(city.join("nodes/330602001001001/keys/tls.key")).unwrap();
    let (running, _) = Running::start(&["run", path(&city)]);
    let answer = wuji(&["status", "--folder", path(&city)]);
    let said = told(&answer);
    assert_eq!(answer.status.code(), Some(5), "{said}");
    assert!(said.contains("绍兴市: 4 of 5 nodes answer"), "{said}");
    assert!(said.contains("no answer: nodes/330602001001001: "), "{said}");
    assert!(said.contains("alarm: nodes/330600000000: ") && said.contains("did not start"), "{said}");
    running.stop();
}
