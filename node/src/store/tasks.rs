//! The tasks that units have: rows for their lists.

use casework::{Case, Scope, TaskState};
use protocol::id::{CaseId, NodeId};
use protocol::time::CivilDay;
use protocol::unit::UnitCode;
use sqlx::AssertSqlSafe;

use super::cases::word;

use super::lists::{bind_scope, within};
use super::sql::{Row, sql};
use super::{Store, StoreError, WriteStore, case_id, division_number, values};

/// A task in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// The case.
    pub case: CaseId,
    /// The task's number in it.
    pub task: u16,
    /// The unit.
    pub unit: UnitCode,
    /// Rank of the case's level, 0 for none.
    pub level: u8,
    /// `given`, `accepted`, `reported`, `sent_back`, `closed` or `cancelled`.
    pub state: String,
    /// It waits for a task before it.
    pub waits: bool,
    /// The last day.
    pub due: CivilDay,
    /// What the case is about, without names.
    pub summary: String,
}

fn small<T: TryFrom<i64>>(value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| StoreError::damaged("case_task", "a number out of range"))
}

fn task_row(row: &Row) -> Result<TaskRow, StoreError> {
    Ok(TaskRow {
        case: case_id(row)?,
        task: small(row.try_get(1)?)?,
        unit: UnitCode(small(row.try_get(2)?)?),
        level: small(row.try_get(3)?)?,
        state: row.try_get(4)?,
        waits: row.try_get(5)?,
        due: CivilDay::from_number(small(row.try_get(6)?)?)
            .ok_or_else(|| StoreError::damaged("case_task", "a day out of range"))?,
        summary: row.try_get(7)?,
    })
}

impl WriteStore {
    /// Writes the tasks of cases anew, as far as this node owns them.
    pub async fn put_case_tasks(&mut self, me: NodeId, cases: &[&Case]) -> Result<(), StoreError> {
        for case in cases.iter().filter(|case| !case.tasks.is_empty()) {
            let gone = sql("DELETE FROM case_task WHERE node = $1 AND case_id = $2")
                .bind(self.me())
                .bind(case.id.as_bytes().to_vec());
            self.later(gone).await?;
            if !case.owned_by(me) {
                continue;
            }
            let text = format!(
                "INSERT INTO case_task (node, case_id, task, place, unit_code, level, state, waits, due, given_at) VALUES {}",
                values(case.tasks.len(), 10)
            );
            let mut query = sql(AssertSqlSafe(text));
            for task in &case.tasks {
                query = query
                    .bind(self.me())
                    .bind(case.id.as_bytes().to_vec())
                    .bind(i64::from(task.number))
                    .bind(division_number(case.above().place))
                    .bind(i64::from(task.unit.0))
                    .bind(case.level().map_or(0, |level| i64::from(level.rank())))
                    .bind(word(&task.state.0))
                    .bind(case.waits(task))
                    .bind(i64::from(task.due.number()))
                    .bind(i64::from(task.given.0) * 60_000);
            }
            self.later(query).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Tasks within scopes (none: all), what is due first: those that a unit still has to do, or all that have not ended.
    pub async fn tasks(&self, scopes: Option<&[Scope]>, count: u32) -> Result<Vec<TaskRow>, StoreError> {
        let inside = scopes.map(|scopes| within(scopes.len(), 5)).unwrap_or_default();
        let text = format!(
            "SELECT t.case_id, t.task, t.unit_code, t.level, t.state, t.waits, t.due, coalesce(f.summary, '') \
             FROM (SELECT * FROM case_task WHERE node = $1 {inside} AND state NOT IN ($2, $3) \
             ORDER BY due, case_id, task LIMIT $4) t LEFT JOIN case_file f ON f.node = $1 AND f.case_id = t.case_id \
             ORDER BY t.due, t.case_id, t.task"
        );
        let mut query = sql(AssertSqlSafe(text))
            .bind(self.me())
            .bind(word(&TaskState::Closed))
            .bind(word(&TaskState::Cancelled))
            .bind(i64::from(count));
        for scope in scopes.unwrap_or_default() {
            query = bind_scope(query, scope);
        }
        let rows = query.fetch_all(&mut self.read().await?).await?;
        rows.iter().map(task_row).collect()
    }
}
