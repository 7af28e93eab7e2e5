//! Texts of a changing length: multi-row inserts and lists of ids; and the codes of errors that both databases have.
//!
//! Both databases keep a prepared statement for each text, so the number of texts is kept small: rows go in pieces of a few
//! sizes, and a list of ids is filled up to the next power of two by repeating ids.

/// Rows of one multi-row statement at most.
pub(crate) const ROWS_A_STATEMENT: usize = 50;
/// Ids of one list at most.
pub(crate) const IDS_A_STATEMENT: usize = 256;
/// The sizes of pieces, the largest first.
const PIECES: [usize; 7] = [ROWS_A_STATEMENT, 32, 16, 8, 4, 2, 1];

/// Codes of a full disk. SQLite: `SQLITE_FULL`, and the index of its log that could not grow (`SQLITE_IOERR_SHMSIZE`);
/// PostgreSQL: `disk_full`.
const FULL: [&str; 3] = ["13", "4874", "53100"];

/// Whether an error's code says that the disk is full.
pub(super) fn is_full(code: &str) -> bool {
    FULL.contains(&code)
}

/// Cuts rows into pieces of a few sizes, in their order.
pub(crate) fn pieces<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = PIECES.into_iter().find(|size| *size <= rest.len())?;
        let (piece, after) = rest.split_at(size);
        rest = after;
        Some(piece)
    })
}

/// The placeholders of a multi-row insert: `rows` groups of `columns`, `($1,$2),($3,$4)`.
pub(crate) fn values(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            if column > 0 {
                text.push(',');
            }
            text.push('$');
            text.push_str(&(row * columns + column + 1).to_string());
        }
        text.push(')');
    }
    text
}

/// The placeholders of a list, from `$first` on, and the ids to bind to them.
pub(crate) fn list<T>(first: usize, ids: &[T]) -> (String, impl Iterator<Item = &T>) {
    let places = ids.len().next_power_of_two();
    let marks = (first..first + places).map(|place| format!("${place}")).collect::<Vec<_>>().join(",");
    (marks, ids.iter().cycle().take(places))
}

/// Rows of one placeholder each, from a number on, `($2),($3)`: a table of ids to begin a search with.
pub(crate) fn rows_of_ids(first: usize, count: usize) -> String {
    (first..first + count).map(|place| format!("(${place})")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_every_row_once_and_in_order_and_come_in_seven_sizes() {
        let rows: Vec<usize> = (0..1_000).collect();
        for count in 0..rows.len() {
            let cut: Vec<&[usize]> = pieces(&rows[..count]).collect();
            assert_eq!(cut.concat(), rows[..count]);
            assert!(cut.iter().all(|piece| PIECES.contains(&piece.len())));
        }
    }

    #[test]
    fn a_list_names_a_place_for_each_id_it_gives() {
        for count in 1..=IDS_A_STATEMENT {
            let ids: Vec<usize> = (0..count).collect();
            let (marks, bound) = list(2, &ids);
            let bound: Vec<usize> = bound.copied().collect();
            assert_eq!(marks.split(',').count(), bound.len());
            assert_eq!(marks.split(',').next_back(), Some(format!("${}", bound.len() + 1).as_str()));
            assert!(bound.len().is_power_of_two() && bound.len() <= IDS_A_STATEMENT);
            assert!(ids.iter().all(|id| bound.contains(id)));
        }
    }

    #[test]
    fn values_number_their_places_row_by_row() {
        assert_eq!(values(2, 3), "($1,$2,$3),($4,$5,$6)");
    }
}
