//! The books of committees: which number an agreement gets, and which case it belongs to.

use protocol::event::PaperNumber;
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use protocol::unit::UnitCode;

use super::sql::sql;
use super::{Store, StoreError, WriteStore, id16};

/// A restored node goes on behind a full hundred, so that what was given since its backup is not given again.
const HUNDRED: i64 = 100;
/// And behind the next one, when so many numbers of the first are given already.
const MARGIN: i64 = 50;
/// The meta value that names the year in which a node was restored.
const RESTORED: &str = "numbers_restored";

/// One line of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookLine {
    /// The number.
    pub number: PaperNumber,
    /// Whose it is; none: all numbers up to it that nobody has were lost or never given, when the node was restored.
    pub case: Option<CaseId>,
    /// When it was given.
    pub at: UnixMillis,
}

fn hundred_behind(last: i64) -> i64 {
    ((last + MARGIN) / HUNDRED + 1) * HUNDRED
}

impl WriteStore {
    /// The highest number that is given, 0 before the first.
    pub async fn last_paper_number(&mut self, committee: UnitCode, year: u16) -> Result<u32, StoreError> {
        let row = sql("SELECT max(number) FROM paper_number WHERE node = $1 AND committee = $2 AND year = $3")
            .bind(self.me())
            .bind(i64::from(committee.0))
            .bind(i64::from(year))
            .fetch_one(self.connection().await?)
            .await?;
        let last = match row.try_get::<Option<i64>>(0)? {
            Some(last) => last,
            None if self.meta(RESTORED).await?.as_deref() == Some(year.to_string().as_str()) => HUNDRED,
            None => 0,
        };
        u32::try_from(last).map_err(|_| StoreError::damaged("paper_number", "a number out of range"))
    }

    /// Enters numbers; one that is there already stays as it is.
    pub async fn put_paper_numbers(
        &mut self,
        papers: &[(PaperNumber, CaseId)],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        for (paper, case) in papers {
            let query = sql("INSERT INTO paper_number (node, committee, year, number, case_id, at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (node, committee, year, number) DO NOTHING")
            .bind(self.me())
            .bind(i64::from(paper.committee.0))
            .bind(i64::from(paper.year))
            .bind(i64::from(paper.number))
            .bind(case.as_bytes().to_vec())
            .bind(now.0);
            self.later(query).await?;
        }
        Ok(())
    }

    /// The node was restored: what was given since its backup is not known here, so every committee goes on behind a hundred,
    /// and the gap is on record.
    pub async fn skip_paper_numbers(&mut self, year: u16, now: UnixMillis) -> Result<(), StoreError> {
        let rows =
            sql("SELECT committee, year, max(number) FROM paper_number WHERE node = $1 GROUP BY committee, year")
                .bind(self.me())
                .fetch_all(self.connection().await?)
                .await?;
        for row in rows {
            let (committee, of, last) = (row.try_get::<i64>(0)?, row.try_get::<i64>(1)?, row.try_get::<i64>(2)?);
            sql("INSERT INTO paper_number (node, committee, year, number, case_id, at) VALUES ($1, $2, $3, $4, NULL, $5)")
                .bind(self.me())
                .bind(committee)
                .bind(of)
                .bind(hundred_behind(last))
                .bind(now.0)
                .execute(self.connection().await?)
                .await?;
        }
        self.set_meta(RESTORED, &year.to_string()).await
    }
}

impl Store {
    /// The book of a committee for a year, by number.
    pub async fn book(&self, committee: UnitCode, year: u16) -> Result<Vec<BookLine>, StoreError> {
        let rows =
            sql("SELECT number, case_id, at FROM paper_number WHERE node = $1 AND committee = $2 AND year = $3 \
             ORDER BY number")
            .bind(self.me())
            .bind(i64::from(committee.0))
            .bind(i64::from(year))
            .fetch_all(&mut self.read().await?)
            .await?;
        let line = |row: super::sql::Row| {
            let number = u32::try_from(row.try_get::<i64>(0)?)
                .map_err(|_| StoreError::damaged("paper_number", "a number out of range"))?;
            let case = row
                .try_get::<Option<Vec<u8>>>(1)?
                .map(|bytes| id16("paper_number", &bytes).map(CaseId::from_bytes))
                .transpose()?;
            let number = PaperNumber { committee, year, number };
            Ok(BookLine { number, case, at: UnixMillis(row.try_get(2)?) })
        };
        rows.into_iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restored_book_goes_on_behind_the_next_hundred_with_room_for_what_was_given_since() {
        assert_eq!([0, 17, 49, 50, 99, 100, 160].map(hundred_behind), [100, 100, 100, 200, 200, 200, 300]);
    }
}
