//! `wuji import cases` against a running node: the program itself, its exit codes and what the node then holds.

#[path = "support/ports.rs"]
mod ports;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const HEAD: &str = "编号,类型,来源,类别,发生地,标题,原上报日期,人数,申请人,等级,摘要\n";

fn wuji(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wuji")).args(words).stdin(Stdio::null()).output().unwrap()
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A township that runs alone.
struct Town {
    root: tempfile::TempDir,
    folder: PathBuf,
    process: Child,
}

impl Town {
    fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("town");
        let link = ports::free_address().to_string();
        let words = ["--division", "330602001000", "--listen", &link, "--http", "127.0.0.1:0"];
        let made = wuji(&[&["init", "--folder", path(&folder)], &words[..]].concat());
        assert!(made.status.success(), "{}", told(&made));
        let mut process = Command::new(env!("CARGO_BIN_EXE_wuji"))
            .args(["run", path(&folder)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("runs"), "{line}");
        Self { root, folder, process }
    }

    fn import(&self, table: &str, words: &[&str]) -> (Option<i32>, String) {
        let file = self.root.path().join("old.csv");
        std::fs::write(&file, table).unwrap();
        self.import_file(&file, words)
    }

    fn import_file(&self, file: &Path, words: &[&str]) -> (Option<i32>, String) {
        let output = wuji(&[&["import", "cases", path(file), "--folder", path(&self.folder)], words].concat());
        (output.status.code(), told(&output))
    }

    /// Lines of a table of the node.
    fn exported(&self, what: &str) -> Vec<String> {
        let file = self.root.path().join(format!("{what}.jsonl"));
        // Made before, where a test looks twice.
        let _ = std::fs::remove_file(&file);
        let done = wuji(&["export", what, "--folder", path(&self.folder), "--to", path(&file)]);
        assert!(done.status.success(), "{}", told(&done));
        std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        // It may have ended already, when the test failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_table_of_old_cases_is_filed_once_however_often_it_is_imported() {
    let town = Town::start();
    let rows = (1..=230).map(|n| format!("A-{n},纠纷,信访,0402,330602001001,漏水,2024-03-01,2,王芳,,\n"));
    let table = format!("\u{feff}{HEAD}{}", rows.collect::<String>());
    let (code, said) = town.import(&table, &["--check"]);
    assert_eq!((code, said.trim()), (Some(0), "230 rows can be imported, 0 are in already"));
    assert_eq!(town.exported("cases").len(), 0, "a check files nothing");
    let (code, said) = town.import(&table, &[]);
    assert_eq!((code, said.trim()), (Some(0), "230 cases were filed, 0 were in already"));
    let (code, said) = town.import(&table, &[]);
    assert_eq!((code, said.trim()), (Some(0), "0 cases were filed, 230 were in already"));
    assert_eq!((town.exported("cases").len(), town.exported("figures").len()), (230, 230));
    let audit = town.exported("audit");
    let filed: Vec<_> =
        audit.iter().filter(|line| line.contains("\"cases/") && line.contains("cases/import")).collect();
    assert!(filed.len() >= 230, "each case has its entry in the audit: {} of {}", filed.len(), audit.len());
}

#[test]
fn one_bad_row_keeps_all_out_and_every_fault_is_told_with_line_column_and_reason() {
    let town = Town::start();
    let table = format!(
        "{HEAD}A-1,纠纷,信访,0402,330602001001,漏水,2024-03-01,2,王芳,,\n\
         A-2,纠纷,电报,0402,330602001001,,2024-03-01,2,王芳,,\n\
         A-3,纠纷,信访,4711,330602001001,漏水,2024-03-01,2,王芳,,\n\
         A-4,纠纷,信访,0402,330602001001,漏水,2024-03-01,2,王芳,,王芳家漏水\n"
    );
    let (code, said) = town.import(&table, &[]);
    assert_eq!(code, Some(1), "{said}");
    for fault in ["line 3: 标题: must not be empty", "line 3: 来源: \"电报\" is none of", "line 4: 类别: ", "line 5: "]
    {
        assert!(said.contains(fault), "{fault}: {said}");
    }
    assert!(said.contains("nothing was imported: 3 lines are wrong, 1 rows are right"), "{said}");
    assert_eq!(town.exported("cases").len(), 0);
}

#[test]
fn with_skip_bad_the_good_rows_go_in_and_the_mended_rejects_follow() {
    let town = Town::start();
    let table = format!(
        "{HEAD}A-1,纠纷,信访,0402,330602001001,漏水,2024-03-01,2,王芳,,\n\
         A-2,纠纷,信访,4711,330602001001,漏水,2024-03-01,2,李强,,\n"
    );
    let (code, said) = town.import(&table, &["--skip-bad"]);
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("1 cases were filed, 0 were in already, 1 were set aside in"), "{said}");
    let rejects = town.root.path().join("old.rejects.csv");
    let text = std::fs::read_to_string(&rejects).unwrap();
    assert!(text.lines().nth(1).unwrap().starts_with("A-2,纠纷,信访,4711,") && text.contains("类别: "), "{text}");
    std::fs::write(&rejects, text.replace("4711", "0402")).unwrap();
    let (code, said) = town.import_file(&rejects, &[]);
    assert_eq!((code, said.trim()), (Some(0), "1 cases were filed, 0 were in already"));
    assert_eq!(town.exported("cases").len(), 2);
}

#[test]
fn where_the_node_does_not_run_nothing_is_said_to_be_done() {
    let mut town = Town::start();
    town.process.kill().unwrap();
    town.process.wait().unwrap();
    let (code, said) = town.import(&format!("{HEAD}A-1,纠纷,信访,0402,330602001001,漏水,,,,,\n"), &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("nothing was imported: the node does not answer"), "{said}");
}
