//! What is known of cases for grading: the brief of the last event of each.

use casework::Scope;
use protocol::event::Header;
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use protocol::wire::codec;
use protocol::wire::limits::BODY_BYTES_MAX;
use sqlx::AssertSqlSafe;

use super::lists::{bind_scope, within};
use super::sql::sql;
use super::{Store, StoreError, case_id};

impl Store {
    /// The last headers of the cases of this node that were reported since a moment, in the order of their ids: a page of so many
    /// behind one of them, within scopes (none: all). Those that were struck through are left out.
    pub async fn last_headers(
        &self,
        scopes: Option<&[Scope]>,
        since: UnixMillis,
        after: CaseId,
        count: u32,
    ) -> Result<Vec<(CaseId, Header)>, StoreError> {
        let inside = scopes.map(|scopes| within(scopes.len(), 7)).unwrap_or_default();
        let text = format!(
            "SELECT f.case_id, e.header FROM (SELECT case_id, head FROM case_file WHERE node = $1 {inside} AND mine = $2 \
             AND void = $3 AND reported_at >= $4 AND case_id > $5 ORDER BY case_id LIMIT $6) f \
             JOIN case_event e ON e.node = $1 AND e.case_id = f.case_id AND e.hash = f.head ORDER BY f.case_id"
        );
        let mut query = sql(AssertSqlSafe(text)).bind(self.me()).bind(true).bind(false).bind(since.0);
        query = query.bind(after.as_bytes().to_vec()).bind(i64::from(count));
        for scope in scopes.unwrap_or_default() {
            query = bind_scope(query, scope);
        }
        let rows = query.fetch_all(&mut self.read().await?).await?;
        let header =
            |bytes: Vec<u8>| codec::decode(&bytes, BODY_BYTES_MAX).map_err(|e| StoreError::damaged("case_event", e));
        rows.iter().map(|row| Ok((case_id(row)?, header(row.try_get(1)?)?))).collect()
    }
}
