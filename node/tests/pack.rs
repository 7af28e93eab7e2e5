//! The program itself: a pack made from a table, run, asked and stopped.

#[path = "support/packs.rs"]
#[expect(unreachable_pub, reason = "other test programs have it too")]
mod packs;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
#[expect(dead_code, unreachable_pub, reason = "other test programs use the rest of it")]
mod postgres;

use std::path::Path;
use std::process::Command;

use packs::{Running, TABLE, add_user, ask, import, next, path, status_when_up, told, wuji};

#[test]
fn a_pack_is_made_runs_over_https_is_asked_node_by_node_comes_up_after_kill_9_and_stops() {
    let root = tempfile::tempdir().unwrap();
    // Port 0: where it really listens only the running process knows.
    let door = ["--http", "127.0.0.1:0", "--https-names", "wuji.example"];
    let made = import(root.path(), TABLE, &door);
    assert!(told(&made).contains("5 nodes are made in"), "{}", told(&made));
    let city = root.path().join("city");
    for round in 0..2 {
        let (mut running, line) = Running::start(&["run", path(&city)]);
        assert!(line.starts_with("绍兴市: 5 nodes runs: https://127.0.0.1:"), "{line}");
        for node in ["330602000000", "330602001001001"] {
            let status = status_when_up(&city.join("nodes").join(node));
            assert!(status.contains(node) && status.contains("authority_sha256"), "{status}");
        }
        // The first time it is killed: what it left behind keeps nobody from starting again.
        match round {
            0 => running.kill(),
            _ => assert_eq!(running.stop(), Some(0)),
        }
    }
    let answer = wuji(&["status", "--folder", path(&city.join("nodes/330602000000"))]);
    assert!(told(&answer).contains("does it run?"), "{}", told(&answer));
}

/// A city without counties, elsewhere than the table that ships.
const ELSEWHERE: &str = "code,name,level,parent_code\n441900000000,东莞市,city,\n\
                         441900003000,东城街道(代管),township,441900000000\n441900003001,岗贝社区,village,441900003000\n";

#[test]
fn a_pack_of_any_city_shows_names_and_keeps_its_table_when_the_file_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let made = import(root.path(), ELSEWHERE, &["--http", "127.0.0.1:0"]);
    assert!(told(&made).contains("4 nodes are made in"), "{}", told(&made));
    std::fs::remove_file(root.path().join("table.csv")).unwrap();
    let city = root.path().join("city");
    assert_eq!(std::fs::read_to_string(city.join("divisions.csv")).unwrap(), ELSEWHERE);
    let (running, _) = Running::start(&["run", path(&city)]);
    for (node, above) in [("441900003000", "东莞市"), ("441900003001", "东城街道(代管)")] {
        let status = status_when_up(&city.join("nodes").join(node));
        assert!(status.contains(&format!("\"name\":\"{above}\"")), "{status}");
    }
    assert_eq!(running.stop(), Some(0));
}

/// A mediator's session, as a header.
fn log_in(pack: &Path, line: &str) -> String {
    add_user(pack, "wang", "mediator@330602001001", "a long enough word");
    let json = "content-type: application/json\r\n";
    let log_in = r#"{"user":"wang","password":"a long enough word"}"#;
    let answer = ask(line, "POST /330602001001/api/v1/session", json, log_in);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap().split(';').next().unwrap();
    format!("cookie: {cookie}\r\n")
}

/// The township, the village and the grid of the session answer it.
fn sees_cases(line: &str, cookie: &str) {
    for node in ["330602001000", "330602001001", "330602001001001"] {
        let answer = ask(line, &format!("GET /{node}/api/v1/cases"), cookie, "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{node}: {answer}");
    }
}

/// The folder of a pack on another machine, as an operator copies it: after the first start, which makes the last keys.
fn copied(from: &Path, to: &Path) {
    let done = Command::new("cp").args(["-a", path(from), path(to)]).status().unwrap();
    assert!(done.success());
}

#[test]
fn a_pack_on_a_server_is_read_beside_its_writer_and_taken_over_by_its_standby_when_that_is_killed() {
    let (root, database) = (tempfile::tempdir().unwrap(), postgres::TestDatabase::new());
    let made = import(root.path(), TABLE, &["--http", "127.0.0.1:0", "--database", &database.url]);
    assert!(told(&made).contains("5 nodes are made in"), "{}", told(&made));
    let (city, other) = (root.path().join("city"), root.path().join("other"));
    let (mut first, line) = Running::start(&["run", path(&city)]);
    status_when_up(&city.join("nodes/330602001001001"));
    copied(&city, &other);
    let cookie = log_in(&city, &line);
    let (standby, mut said) = Running::speaking(&["run", "--standby", path(&other)]);
    assert_eq!(next(&mut said), "绍兴市 stands by\n");
    let second = wuji(&["run", path(&other)]);
    assert!(!second.status.success() && told(&second).contains("is written by"), "no second writer: {}", told(&second));
    let (_reader, reading) = Running::start(&["run", "--read-only", path(&other)]);
    sees_cases(&reading, &cookie);
    let answer = ask(&reading, "DELETE /330602001001/api/v1/session", &cookie, "");
    assert!(answer.contains("\"reads-only\""), "a reader writes nothing: {answer}");
    first.kill();
    sees_cases(&reading, &cookie);
    let line = next(&mut said);
    assert!(line.starts_with("绍兴市: 5 nodes runs: "), "{line}");
    sees_cases(&line, &cookie);
    status_when_up(&other.join("nodes/330602001001001"));
    assert_eq!(standby.stop(), Some(0));
}

#[test]
fn a_pack_with_all_its_rows_on_a_server_comes_up_after_kill_9_with_its_people() {
    let (root, database) = (tempfile::tempdir().unwrap(), postgres::TestDatabase::new());
    let made = import(root.path(), TABLE, &["--http", "127.0.0.1:0", "--database", &database.url]);
    assert!(told(&made).contains("5 nodes are made in"), "{}", told(&made));
    let city = root.path().join("city");
    let (mut running, line) = Running::start(&["run", path(&city)]);
    status_when_up(&city.join("nodes/330602001001001"));
    let cookie = log_in(&city, &line);
    running.kill();
    let (running, line) = Running::start(&["run", path(&city)]);
    sees_cases(&line, &cookie);
    status_when_up(&city.join("nodes/330602001001001"));
    assert_eq!(running.stop(), Some(0));
    assert!(!city.join("nodes/330602000000/node.db").exists(), "no row is in a file");
}

#[test]
fn a_pack_of_which_a_node_does_not_start_runs_and_says_so_at_the_end() {
    let root = tempfile::tempdir().unwrap();
    assert!(import(root.path(), TABLE, &["--http", "127.0.0.1:0"]).status.success());
    let city = root.path().join("city");
    std::fs::remove_file(city.join("nodes/330602001001001/keys/tls.key")).unwrap();
    let (running, line) = Running::start(&["run", path(&city.join("pack.toml"))]);
    assert!(line.starts_with("绍兴市: 4 nodes runs: http://127.0.0.1:"), "{line}");
    let status = status_when_up(&city.join("nodes/330602001001"));
    assert!(!status.contains("did not start"));
    assert_eq!(running.stop(), Some(5));
}

/// A pack of a table runs, and these of its nodes have their link to the node above.
fn assert_runs(table: &str, says: &str, linked: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    let made = import(root.path(), table, &["--http", "127.0.0.1:0"]);
    assert!(made.status.success(), "{}", told(&made));
    let city = root.path().join("city");
    let (running, line) = Running::start(&["run", path(&city)]);
    assert!(line.starts_with(says), "{line}");
    for node in linked {
        let status = status_when_up(&city.join("nodes").join(node));
        assert!(status.contains(node), "{status}");
    }
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn a_city_without_counties_runs_with_its_townships_linked_to_itself() {
    // Its table calls each row a level too high; the digits say what it is.
    let table = "code,name,level,parent_code\n441900000000,东莞市,city,\n441900003000,东城街道,county,441900000000\n\
                 441900003001,岗贝社区,township,441900003000\n";
    assert_runs(table, "东莞市: 4 nodes runs", &["441900003000", "441900003001", "441900003001001"]);
}

#[test]
fn a_city_with_a_zone_for_a_county_and_a_heading_above_a_town_runs_with_all_linked() {
    let table = "code,name,level,parent_code\n140400000000,长治市,city,\n\
                 140471000000,长治高新技术产业园区,county,140400000000\n\
                 140471400000,高新区街道,township,140471000000\n140471400498,园区虚拟社区,village,140471400000\n\
                 140401000000,市辖区,county,140400000000\n140401100000,新城镇,township,140401000000\n";
    let linked = ["140471000000", "140471400000", "140471400498", "140401100000"];
    assert_runs(table, "长治市: 6 nodes runs", &linked);
}

#[test]
fn an_odd_table_is_refused_with_line_and_reason_and_nothing_is_made() {
    let root = tempfile::tempdir().unwrap();
    let odd = format!("{TABLE}330602001001,甲社区,village,330602001000\n330602001,乙社区,village,330602001000\n");
    let answer = import(root.path(), &odd, &[]);
    assert_eq!(answer.status.code(), Some(1));
    let why = told(&answer);
    assert!(why.contains("nothing was made") && why.contains("line 7: \"330602001\" is no division code"), "{why}");
    let left: Vec<_> = std::fs::read_dir(root.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["table.csv"]);
}

#[test]
fn a_door_that_would_carry_passwords_in_the_clear_is_refused_before_anything_is_made() {
    let root = tempfile::tempdir().unwrap();
    let answer = import(root.path(), TABLE, &["--http", "0.0.0.0:0"]);
    assert_eq!(answer.status.code(), Some(1));
    assert!(told(&answer).contains("would carry passwords in the clear"), "{}", told(&answer));
    assert!(!root.path().join("city").exists());
}
