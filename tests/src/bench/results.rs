//! Where the figures of a measure go: a file of one JSON object a line, and a line for people.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::Failure;

/// The folder of the files, from the root of the repository.
pub(super) const FOLDER: &str = "target/bench";

/// The file of a measure's results, a line for people, and what was not reached.
#[derive(Debug)]
pub struct Results {
    file: std::fs::File,
    /// What was beyond its reach, in words.
    pub missed: Vec<String>,
}

impl Results {
    /// Begins the file of one measure anew; those of the others stay.
    pub fn open(measure: &str) -> Result<Self, Failure> {
        std::fs::create_dir_all(FOLDER)?;
        let file = std::fs::File::create(Path::new(FOLDER).join(format!("{measure}.jsonl")))?;
        Ok(Self { file, missed: Vec::new() })
    }

    /// A figure beside what it is to be read against.
    pub fn line(
        &mut self,
        measure: &str,
        value: f64,
        unit: &str,
        reference: &str,
        reference_value: f64,
    ) -> Result<(), Failure> {
        let ratio = value / reference_value;
        tell(&format!("{measure:<36} {value:>10.2} {unit:<8} {reference} {reference_value:.2}: ratio {ratio:.2}"));
        let line = json!({
            "measure": measure, "value": value, "unit": unit,
            "reference": reference, "reference_value": reference_value, "ratio": ratio,
        });
        writeln!(self.file, "{line}")?;
        Ok(())
    }

    /// A figure that may not be above its reach.
    pub fn at_most(&mut self, measure: &str, value: f64, unit: &str, reach: f64) -> Result<(), Failure> {
        self.must(value <= reach, measure, value, unit, reach);
        self.line(measure, value, unit, "reach", reach)
    }

    /// A figure that may not be below its reach.
    pub fn at_least(&mut self, measure: &str, value: f64, unit: &str, reach: f64) -> Result<(), Failure> {
        self.must(value >= reach, measure, value, unit, reach);
        self.line(measure, value, unit, "reach, at least", reach)
    }

    /// Remembers what was not reached.
    pub fn must(&mut self, reached: bool, measure: &str, value: f64, unit: &str, reach: f64) {
        if !reached {
            self.missed.push(format!("not reached: {measure} is {value:.2} {unit}, its reach {reach:.2}"));
        }
    }
}

/// Says something on standard output.
#[expect(clippy::print_stdout, reason = "the figures of a benchmark belong on standard output")]
pub fn tell(line: &str) {
    println!("{line}");
}
