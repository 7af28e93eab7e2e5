//! Due dates beside those of a script that shares no code with the rules: `due.py`, over the calendar table that ships.

use std::io::Write;
use std::process::{Command, Stdio};

use casework::calendar::{Calendar, Date, Due, Span};
use protocol::time::{CivilDay, UnixMillis};

/// Starts of each kind of term, with times that it stood still and without.
const STARTS: usize = 1_000;
/// 2024-01-01, the first day of the table.
const FIRST: UnixMillis = UnixMillis(1_704_067_200_000);
/// Days from then in which terms begin: beyond the end of the table too.
const DAYS: u64 = 1_150;

/// Numbers that are drawn in the same way each time (splitmix64).
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn days(&mut self, bound: u64) -> i32 {
        i32::try_from(self.below(bound)).expect("few days")
    }
}

struct Asked {
    span: Span,
    first: CivilDay,
    still: Vec<(CivilDay, CivilDay)>,
}

impl Asked {
    fn draw(drawn: &mut Drawn, kind: usize, pauses: bool) -> Self {
        let length = |drawn: &mut Drawn, most| 1 + u16::try_from(drawn.below(most)).expect("short");
        let span = match kind {
            0 => Span::Days(length(drawn, 120)),
            1 => Span::WorkingDays(length(drawn, 90)),
            _ => Span::Months(length(drawn, 30)),
        };
        let first = CivilDay::of(FIRST).plus(drawn.days(DAYS));
        let mut still = Vec::new();
        let mut from = first;
        for _ in 0..if pauses { 1 + drawn.below(3) } else { 0 } {
            from = from.plus(1 + drawn.days(20));
            let until = from.plus(1 + drawn.days(30));
            still.push((from, until));
            from = until;
        }
        Self { span, first, still }
    }

    fn line(&self) -> String {
        let (kind, length) = match self.span {
            Span::Days(length) => ("days", length),
            Span::WorkingDays(length) => ("working", length),
            Span::Months(length) => ("months", length),
        };
        let times = self.still.iter().map(|(from, until)| format!(" {}..{}", date(*from), date(*until)));
        format!("{kind} {length} {}{}\n", date(self.first), times.collect::<String>())
    }

    fn answered(&self, calendar: &Calendar) -> String {
        match calendar.due_without(self.first, self.span, &self.still) {
            Due::Day(day) => date(day),
            Due::Provisional { .. } => "provisional".to_owned(),
        }
    }
}

fn date(day: CivilDay) -> String {
    Date(day).into()
}

fn by_the_script(lines: &str) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/due/due.py");
    let python = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut python = python.expect("python3");
    let mut input = python.stdin.take().expect("its input");
    let lines = lines.to_owned();
    let writes = std::thread::spawn(move || input.write_all(lines.as_bytes()).expect("it reads"));
    let output = python.wait_with_output().expect("it answers");
    writes.join().expect("written");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

#[test]
fn a_thousand_terms_of_each_kind_end_on_the_day_on_which_the_script_ends_them() {
    let calendar = Calendar::built_in();
    let mut drawn = Drawn(20_261_201);
    let mut all = Vec::new();
    for (kind, pauses) in (0..3).flat_map(|kind| [(kind, false), (kind, true)]) {
        all.extend((0..STARTS).map(|_| Asked::draw(&mut drawn, kind, pauses)));
    }
    let theirs = by_the_script(&all.iter().map(Asked::line).collect::<String>());
    assert_eq!(theirs.len(), all.len());
    for (asked, theirs) in all.iter().zip(&theirs) {
        assert_eq!(&asked.answered(&calendar), theirs, "{}", asked.line());
    }
    let provisional = theirs.iter().filter(|day| *day == "provisional").count();
    assert!(provisional > STARTS / 10 && provisional < STARTS, "terms beyond the table are among them: {provisional}");
}
