//! Who is on duty (值班表), day by day.

use protocol::bounded::Text;
use protocol::time::CivilDay;
use serde::{Deserialize, Serialize};

use super::sql::{Row, sql};
use super::{Store, StoreError, WriteStore};

/// Somebody on duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnDuty {
    /// Name, as it is posted.
    pub name: Text<20>,
    /// Phone of the duty.
    pub phone: Text<30>,
    /// Their log-in name, where they have one.
    #[serde(default)]
    pub user: Option<Text<40>>,
}

/// The list of a day, first called first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyList {
    /// The day.
    pub day: CivilDay,
    /// Who.
    pub people: Vec<OnDuty>,
}

fn list(row: &Row) -> Result<DutyList, StoreError> {
    let (day, people): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
    let day = i32::try_from(day).ok().and_then(CivilDay::from_number);
    Ok(DutyList {
        day: day.ok_or_else(|| StoreError::damaged("duty", "a day out of range"))?,
        people: serde_json::from_str(&people).map_err(|e| StoreError::damaged("duty", e))?,
    })
}

impl WriteStore {
    /// Puts the list of a day; an empty one takes it away.
    pub async fn put_duty(&mut self, list: &DutyList) -> Result<(), StoreError> {
        let day = i64::from(list.day.number());
        if list.people.is_empty() {
            let query = sql("DELETE FROM duty WHERE node = $1 AND day = $2").bind(self.me()).bind(day);
            query.execute(self.connection().await?).await?;
            return Ok(());
        }
        let people = serde_json::to_string(&list.people).unwrap_or_default();
        let text = "INSERT INTO duty (node, day, people) VALUES ($1, $2, $3) \
             ON CONFLICT (node, day) DO UPDATE SET people = excluded.people";
        sql(text).bind(self.me()).bind(day).bind(people).execute(self.connection().await?).await?;
        Ok(())
    }

    /// Drops lists of days before one.
    pub async fn prune_duty(&mut self, before: CivilDay) -> Result<(), StoreError> {
        let query =
            sql("DELETE FROM duty WHERE node = $1 AND day < $2").bind(self.me()).bind(i64::from(before.number()));
        query.execute(self.connection().await?).await?;
        Ok(())
    }
}

impl Store {
    /// The lists of so many days from one on, those that there are.
    pub async fn duty(&self, from: CivilDay, days: u16) -> Result<Vec<DutyList>, StoreError> {
        let text = "SELECT day, people FROM duty WHERE node = $1 AND day >= $2 AND day < $3 ORDER BY day";
        let first = i64::from(from.number());
        let query = sql(text).bind(self.me()).bind(first).bind(first + i64::from(days));
        query.fetch_all(&mut self.read().await?).await?.iter().map(list).collect()
    }
}
