//! The file of the rows that were set aside: the table's own columns, and for each row its line and what is wrong with it.
//! Mended, it is read in like the table itself.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::columns::column;
use super::table::Cases;

/// Spreadsheets take a CSV without it for another encoding.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Writes the file anew, for its owner alone: it names people.
pub(super) fn write(path: &Path, cases: &Cases) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(BYTE_ORDER_MARK.as_bytes())?;
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
    // An earlier file of rejects has the two columns already.
    let added = |heading: &str| column(heading).is_some_and(|column| matches!(column.name, "line" | "reason"));
    let own: Vec<usize> =
        cases.headings.iter().enumerate().filter(|(_, heading)| !added(heading)).map(|(at, _)| at).collect();
    let cells = |record: &csv::StringRecord| {
        own.iter().map(|at| record.get(*at).unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let mut head = cells(&cases.headings);
    head.extend(["line", "reason"].map(str::to_owned));
    writer.write_record(head)?;
    for row in cases.rows.iter().filter(|row| row.report.is_none()) {
        let faults = cases.faults.iter().filter(|fault| fault.line == row.line);
        let why: Vec<String> = faults.map(|fault| cases.reason(fault)).collect();
        let mut line = cells(&row.record);
        line.extend([row.line.to_string(), why.join("; ")]);
        writer.write_record(line)?;
    }
    writer.flush()?;
    Ok(())
}
