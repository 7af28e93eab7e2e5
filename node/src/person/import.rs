//! Users out of a table (CSV): each row is read and judged by itself, so that a table of five hundred shows all its errors
//! at once. Nothing is changed while one is left.
//!
//! Columns: `name` (log-in name), `shown`, `grants` (separated by blanks, see [`super::roles::grant`]), and `password`,
//! which may be empty: such a user gets a random one, which is told once. Whoever gets a password changes it first.

use std::collections::BTreeSet;
use std::io::Read;

use casework::Grant;
use protocol::bounded::is_hidden_control;

use super::change::PutUser;
use super::password::{self, PasswordError};
use super::roles;
use crate::clock::random_bytes;

/// Rows of one table.
pub const ROWS_MAX: usize = 5_000;
/// Longest log-in name, in bytes.
pub const NAME_BYTES_MAX: usize = 40;
/// Longest name as shown, in characters.
pub const SHOWN_CHARS_MAX: usize = 20;

/// A row that can be imported.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file.
    pub line: u64,
    /// Log-in name.
    pub name: String,
    /// Name as shown.
    pub shown: String,
    /// What they may do, and where.
    pub grants: Vec<Grant>,
    /// Their first password.
    pub password: String,
    /// It was made here, and must be told.
    pub made: bool,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("line", &self.line).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A row that cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Its line in the file.
    pub line: u64,
    /// What is wrong with it and what to do.
    pub what: String,
}

impl std::fmt::Display for RowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Why a log-in name or a name as shown is none.
pub fn check_names(name: &str, shown: &str) -> Result<(), String> {
    let hidden = |c: char| c.is_control() || is_hidden_control(c);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(plain) {
        return Err(format!("a log-in name has 1 to {NAME_BYTES_MAX} letters, digits, dots, _ or -"));
    }
    if shown.trim().is_empty() || shown.chars().count() > SHOWN_CHARS_MAX || shown.chars().any(hidden) {
        return Err(format!("the name as shown has 1 to {SHOWN_CHARS_MAX} characters"));
    }
    Ok(())
}

/// A password that nobody knows yet and that this user may choose: a short log-in name stands in one by chance now and then.
pub fn made_up(user: &str) -> String {
    loop {
        let password = random_password();
        if password::choose(&password, user).is_ok() {
            return password;
        }
    }
}

/// Four groups of five characters without those that look alike.
fn random_password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789-";
    let bytes: [u8; 20] = random_bytes();
    let letters: Vec<char> = bytes.iter().map(|b| char::from(LETTERS[usize::from(b % 31)])).collect();
    letters.chunks(5).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Reads a table: the rows that can be imported, and the errors of the others.
pub fn parse(input: impl Read) -> (Vec<Row>, Vec<RowError>) {
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(input);
    let columns = match reader.headers() {
        Ok(headers) => headers.iter().map(|h| h.trim_start_matches('\u{feff}').to_owned()).collect::<Vec<_>>(),
        Err(error) => return (rows, vec![RowError { line: 1, what: format!("the table cannot be read: {error}") }]),
    };
    let column = |name: &str| columns.iter().position(|c| c == name);
    let (Some(name), Some(shown), Some(grants)) = (column("name"), column("shown"), column("grants")) else {
        let what = "the first line must name the columns name, shown, grants and, if there is one, password".into();
        return (rows, vec![RowError { line: 1, what }]);
    };
    let password = column("password");
    let mut seen = BTreeSet::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                errors.push(RowError { line, what: format!("the line cannot be read: {error}") });
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if rows.len() + errors.len() >= ROWS_MAX {
            errors.push(RowError { line, what: format!("a table has at most {ROWS_MAX} rows: divide it") });
            break;
        }
        let cell = |at: usize| record.get(at).unwrap_or_default().to_owned();
        let chosen = password.map(cell).filter(|p| !p.is_empty());
        match row(line, cell(name), cell(shown), &cell(grants), chosen) {
            Ok(row) if !seen.insert(row.name.clone()) => {
                errors.push(RowError { line, what: format!("{} stands in the table twice", row.name) });
            }
            Ok(row) => rows.push(row),
            Err(what) => errors.push(RowError { line, what }),
        }
    }
    (rows, errors)
}

fn row(line: u64, name: String, shown: String, grants: &str, chosen: Option<String>) -> Result<Row, String> {
    check_names(&name, &shown)?;
    let grants = roles::grants(grants).map_err(|e| e.to_string())?;
    if grants.is_empty() {
        return Err(format!("a user needs a role; roles are: {}", roles::all()));
    }
    let made = chosen.is_none();
    let password = chosen.unwrap_or_else(|| made_up(&name));
    password::choose(&password, &name).map_err(|e| e.to_string())?;
    Ok(Row { line, name, shown, grants, password, made })
}

impl Row {
    /// The user that it asks for; hashing the password takes its time.
    pub async fn user(self) -> Result<PutUser, PasswordError> {
        let password = password::hash(self.password).await?;
        Ok(PutUser {
            name: self.name,
            shown: self.shown,
            password: Some(password),
            must_change: true,
            disabled: false,
            grants: Some(self.grants),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_ends_after_five_thousand_rows_with_the_advice_to_divide_it() {
        let table = |rows: usize| {
            let lines: String = (0..rows).map(|n| format!("u{n},x,clerk\n")).collect();
            parse(format!("name,shown,grants\n{lines}").as_bytes())
        };
        let (rows, errors) = table(ROWS_MAX);
        assert_eq!((rows.len(), errors.len()), (ROWS_MAX, 0));
        let (rows, errors) = table(ROWS_MAX + 2);
        let what: Vec<_> = errors.iter().map(|error| error.what.as_str()).collect();
        assert_eq!((rows.len(), what), (ROWS_MAX, vec!["a table has at most 5000 rows: divide it"]));
    }

    #[test]
    fn every_row_is_judged_by_itself() {
        let table = "\u{feff}name,shown,grants,password\n\
            wang,王芳,clerk@330602001000,\n\
            li,李强,emperor,\n\
            bad name,张三,clerk,\n\
            zhao,赵敏,supervisor administrator,long enough to be taken\n\
            qian,钱多,clerk,short\n\
            wang,王芳,clerk,\n\
            sun,孙丽,,\n";
        let (rows, errors) = parse(table.as_bytes());
        assert_eq!(
            rows.iter().map(|r| (r.line, r.name.as_str(), r.made)).collect::<Vec<_>>(),
            [(2, "wang", true), (5, "zhao", false)]
        );
        assert_eq!(errors.iter().map(|e| e.line).collect::<Vec<_>>(), [3, 4, 6, 7, 8]);
        assert!(errors[0].what.contains("emperor") && errors[3].what.contains("twice"), "{errors:?}");
    }

    #[test]
    fn a_name_that_would_turn_what_stands_around_it_is_none() {
        assert_eq!(check_names("wang", "王芳"), Ok(()));
        for shown in ["王\u{202e}芳", "王\u{2066}芳", "王\n芳", "王\t芳"] {
            assert!(check_names("wang", shown).is_err(), "{shown:?}");
        }
    }

    #[test]
    fn a_table_without_its_columns_says_which() {
        let (rows, errors) = parse("account,role\na,b\n".as_bytes());
        assert!(rows.is_empty() && errors[0].line == 1 && errors[0].what.contains("grants"));
    }

    #[test]
    fn a_made_up_password_is_another_each_time() {
        assert_ne!(made_up("wang"), made_up("wang"));
    }

    #[test]
    fn a_made_up_password_may_be_chosen_also_by_a_user_whose_short_name_it_could_hold() {
        // One password in 2,500 would hold such a name by chance.
        for n in 0..20_000_u32 {
            let user: String = [n, n / 8, n / 64].iter().map(|n| char::from(b"23456789"[*n as usize % 8])).collect();
            assert_eq!(password::choose(&made_up(&user), &user), Ok(()), "{user}");
        }
    }
}
