//! The program itself: a small pack made from a table, run and asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use crate::ports;

pub const TABLE: &str = "code,name,level,parent_code\n330600000000,绍兴市,city,\n330602000000,越城区,county,330600000000\n\
                     330602001000,府山街道,township,330602000000\n330602001001,甲社区,village,330602001000\n";

pub fn wuji(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wuji")).args(words).stdin(Stdio::null()).output().unwrap()
}

pub fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Imports a table with the options of the front door; the program's answer.
pub fn import(root: &Path, table: &str, door: &[&str]) -> Output {
    let file = root.join("table.csv");
    std::fs::File::create(&file).unwrap().write_all(table.as_bytes()).unwrap();
    let udp = ports::free_address().to_string();
    let into = root.join("city");
    let words = ["import", "divisions", path(&file), "--into", path(&into), "--grids", "--listen", &udp];
    wuji(&[&words, door].concat())
}

/// The next line that a process says.
pub fn next(lines: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line
}

/// A process that is stopped when the test ends.
pub struct Running(Child);

impl Running {
    pub fn start(words: &[&str]) -> (Self, String) {
        let (running, mut lines) = Self::speaking(words);
        (running, next(&mut lines))
    }

    /// The same with all that it says.
    pub fn speaking(words: &[&str]) -> (Self, BufReader<ChildStdout>) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wuji"))
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        (Self(child), lines)
    }

    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Tells it to stop, as a service manager does; its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let id = i32::try_from(self.0.id()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), rustix::process::Signal::TERM)
            .unwrap();
        for _ in 0..600 {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it does not stop");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Stopped already when the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks until the link to the parent is up; the last answer.
pub fn status_when_up(folder: &Path) -> String {
    let mut last = String::new();
    for _ in 0..200 {
        let answer = wuji(&["status", "--folder", path(folder), "--json"]);
        last = told(&answer);
        if answer.status.code() == Some(0) {
            return last;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("no link: {last}");
}

/// Asks the front door of a running process, whose first line says where it is.
pub fn ask(line: &str, request: &str, headers: &str, body: &str) -> String {
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}");
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Makes a user of a pack; the password comes on standard input.
pub fn add_user(pack: &Path, name: &str, roles: &str, password: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wuji"))
        .args(["user", "add", "--folder", path(pack), "--name", name, "--roles", roles])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && told(&output).contains("is a user of all nodes in"), "{}", told(&output));
}
