//! Bundles with messages that this program does not know: noted when they come, and read once one does that knows them. And
//! what others did not understand of this node.
//!
//! At the bound of a neighbour what comes now is not noted, and so will not be read after an upgrade. It is taken in, passed on
//! and kept for its thirty days like any other: the first that came stay, so that what is read later has no holes before its
//! end.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{BundleId, NodeId};
use protocol::time::UnixMillis;
use protocol::wire::bundle::Bundle;
use protocol::wire::kind::Kind;
use protocol::wire::later::NotUnderstood;
use sqlx::AssertSqlSafe;

use super::sql::{Row, sql};
use super::{IDS_A_STATEMENT, Store, StoreError, WriteStore, id16, list, pieces, values};

/// Bundles of one neighbour that are noted at most.
pub const UNREAD_MAX: i64 = 1_000;
/// Their bytes together.
pub const UNREAD_BYTES_MAX: i64 = 64 * 1024 * 1024;

/// A bundle to be noted.
#[derive(Debug, Clone)]
pub struct Unread {
    /// The bundle.
    pub bundle: Bundle,
    /// The neighbour that it came from.
    pub peer: NodeId,
    /// It was given back.
    pub returned: bool,
    /// Places of the messages that are not known.
    pub places: Vec<usize>,
}

/// A bundle that was noted.
#[derive(Debug, Clone)]
pub struct Noted {
    /// Where it stands among them.
    pub number: i64,
    /// Its id.
    pub id: BundleId,
    /// The neighbour that it came from.
    pub peer: NodeId,
    /// It was given back.
    pub returned: bool,
    /// Places of the messages that were not known.
    pub places: Vec<usize>,
    /// The bundle; none: what it held was erased since.
    pub bundle: Option<Bundle>,
}

/// How much of a neighbour is noted.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    bundles: i64,
    bytes: i64,
}

impl Account {
    /// Counts one more, if it has a place.
    fn takes(&mut self, bytes: i64) -> bool {
        let has_place = self.bundles < UNREAD_MAX && self.bytes.saturating_add(bytes) <= UNREAD_BYTES_MAX;
        if has_place {
            self.bundles = self.bundles.saturating_add(1);
            self.bytes = self.bytes.saturating_add(bytes);
        }
        has_place
    }
}

fn number(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

fn size(bundle: &Bundle) -> i64 {
    number(bundle.bytes().len())
}

/// A kind and schema as one number.
fn word((kind, schema): (Kind, u16)) -> i64 {
    i64::from(kind.0) << 16 | i64::from(schema)
}

fn kind_of(word: i64) -> Result<(Kind, u16), StoreError> {
    let part = |part: i64| u16::try_from(part).map_err(|e| StoreError::damaged("unread_message", e));
    Ok((Kind(part(word >> 16)?), part(word & 0xffff)?))
}

impl WriteStore {
    /// Notes bundles, in the order in which they came, as far as there is a place for them. Neighbours of which not all was
    /// noted.
    pub async fn note_unread(&mut self, came: &[Unread]) -> Result<Vec<NodeId>, StoreError> {
        if came.is_empty() {
            return Ok(Vec::new());
        }
        let mut accounts = self.unread_accounts().await?;
        let (has_place, beyond): (Vec<_>, Vec<_>) =
            came.iter().partition(|unread| accounts.entry(unread.peer).or_default().takes(size(&unread.bundle)));
        let mut next = self.last_unread().await?;
        for chunk in pieces(&has_place) {
            let text = format!(
                "INSERT INTO unread (node, number, bundle, peer, returned, bytes) VALUES {} ON CONFLICT (node, bundle) DO NOTHING",
                values(chunk.len(), 6)
            );
            let mut query = sql(AssertSqlSafe(text));
            for unread in chunk {
                next = next.saturating_add(1);
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(next)
                    .bind(unread.bundle.head().id.as_bytes().to_vec())
                    .bind(unread.peer.as_bytes().to_vec())
                    .bind(i64::from(unread.returned))
                    .bind(size(&unread.bundle));
            }
            self.later(query).await?;
        }
        self.note_unread_messages(&has_place).await?;
        Ok(beyond.into_iter().map(|unread| unread.peer).collect::<BTreeSet<_>>().into_iter().collect())
    }

    async fn note_unread_messages(&mut self, of: &[&Unread]) -> Result<(), StoreError> {
        let messages: Vec<_> = of
            .iter()
            .flat_map(|unread| {
                let (bundle, all) = (unread.bundle.head().id, unread.bundle.messages());
                unread.places.iter().filter_map(move |place| Some((bundle, *place, all.get(*place)?)))
            })
            .collect();
        for chunk in pieces(&messages) {
            let text = format!(
                "INSERT INTO unread_message (node, bundle, position, kind, schema) VALUES {} \
                 ON CONFLICT (node, bundle, position) DO NOTHING",
                values(chunk.len(), 5)
            );
            let mut query = sql(AssertSqlSafe(text));
            for (bundle, place, message) in chunk {
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(bundle.as_bytes().to_vec())
                    .bind(number(*place))
                    .bind(i64::from(message.kind.0))
                    .bind(i64::from(message.schema));
            }
            self.later(query).await?;
        }
        Ok(())
    }

    async fn unread_accounts(&mut self) -> Result<BTreeMap<NodeId, Account>, StoreError> {
        let rows = sql("SELECT peer, count(*), CAST(sum(bytes) AS BIGINT) FROM unread WHERE node = $1 GROUP BY peer")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        let account = |row: &Row| {
            let peer: Vec<u8> = row.try_get(0)?;
            let account = Account { bundles: row.try_get(1)?, bytes: row.try_get(2)? };
            Ok((NodeId::from_bytes(id16("unread", &peer)?), account))
        };
        rows.iter().map(account).collect()
    }

    async fn last_unread(&mut self) -> Result<i64, StoreError> {
        let last = sql("SELECT coalesce(max(number), 0) FROM unread WHERE node = $1").bind(self.me());
        last.fetch_one(self.connection().await?).await?.try_get(0)
    }

    /// The kinds of all that is noted.
    pub async fn unread_kinds(&mut self) -> Result<Vec<(Kind, u16)>, StoreError> {
        let rows = sql("SELECT DISTINCT kind * 65536 + schema FROM unread_message WHERE node = $1")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter().map(|row| kind_of(row.try_get(0)?)).collect()
    }

    /// The next of what is noted after a number that holds a message of one of these kinds, in order.
    pub async fn unread_after(
        &mut self,
        after: i64,
        kinds: &[(Kind, u16)],
        count: u32,
    ) -> Result<Vec<Noted>, StoreError> {
        let kinds: Vec<i64> = kinds.iter().copied().map(word).collect();
        let (marks, kinds) = list(4, &kinds);
        let text = format!(
            "SELECT u.number, u.bundle, u.peer, u.returned, b.bytes FROM unread u \
             LEFT JOIN bundle b ON b.node = u.node AND b.id = u.bundle WHERE u.node = $1 AND u.number > $2 AND EXISTS \
             (SELECT 1 FROM unread_message m WHERE m.node = u.node AND m.bundle = u.bundle \
             AND m.kind * 65536 + m.schema IN ({marks})) ORDER BY u.number LIMIT $3"
        );
        let query = sql(AssertSqlSafe(text)).bind(self.me()).bind(after).bind(i64::from(count));
        let rows = kinds.fold(query, |query, kind| query.bind(*kind)).fetch_all(self.connection().await?).await?;
        let mut noted = rows.iter().map(noted).collect::<Result<Vec<_>, _>>()?;
        let mut places = self.unread_places(&noted.iter().map(|noted| noted.id).collect::<Vec<_>>()).await?;
        noted.iter_mut().for_each(|noted| noted.places = places.remove(&noted.id).unwrap_or_default());
        Ok(noted)
    }

    async fn unread_places(&mut self, of: &[BundleId]) -> Result<BTreeMap<BundleId, Vec<usize>>, StoreError> {
        let mut places: BTreeMap<BundleId, Vec<usize>> = BTreeMap::new();
        for chunk in of.chunks(IDS_A_STATEMENT) {
            let (marks, ids) = list(2, chunk);
            let text = format!(
                "SELECT bundle, position FROM unread_message WHERE node = $1 AND bundle IN ({marks}) ORDER BY bundle, position"
            );
            let query = sql(AssertSqlSafe(text)).bind(self.me());
            let query = ids.fold(query, |query, id| query.bind(id.as_bytes().to_vec()));
            for row in query.fetch_all(self.connection().await?).await? {
                let (id, place): (Vec<u8>, i64) = (row.try_get(0)?, row.try_get(1)?);
                let place = usize::try_from(place).map_err(|e| StoreError::damaged("unread_message", e))?;
                places.entry(BundleId::from_bytes(id16("unread_message", &id)?)).or_default().push(place);
            }
        }
        Ok(places)
    }

    /// These messages have been read. Whether one of the bundles holds sealed parts, which nobody could know before.
    pub async fn unread_was_read(&mut self, read: &[Noted]) -> Result<bool, StoreError> {
        for noted in read {
            for place in &noted.places {
                sql("DELETE FROM unread_message WHERE node = $1 AND bundle = $2 AND position = $3")
                    .bind(self.me())
                    .bind(noted.id.as_bytes().to_vec())
                    .bind(number(*place))
                    .execute(self.connection().await?)
                    .await?;
            }
            sql("DELETE FROM unread WHERE node = $1 AND bundle = $2 AND NOT EXISTS \
                 (SELECT 1 FROM unread_message m WHERE m.node = unread.node AND m.bundle = unread.bundle)")
            .bind(self.me())
            .bind(noted.id.as_bytes().to_vec())
            .execute(self.connection().await?)
            .await?;
        }
        let sealed = self.note_sealed(read.iter().filter_map(|noted| noted.bundle.as_ref())).await?;
        Ok(!sealed.is_empty())
    }

    /// Keeps in mind that a node has refused messages of this one.
    pub async fn put_not_understood(
        &mut self,
        giver: NodeId,
        told: &NotUnderstood,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        for chunk in pieces(&told.messages) {
            let text = format!(
                "INSERT INTO not_understood (node, bundle, message, giver, kind, schema, at) VALUES {} \
                 ON CONFLICT (node, bundle, message) DO NOTHING",
                values(chunk.len(), 7)
            );
            let mut query = sql(AssertSqlSafe(text));
            for foreign in chunk {
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(told.bundle.as_bytes().to_vec())
                    .bind(foreign.message.as_bytes().to_vec())
                    .bind(giver.as_bytes().to_vec())
                    .bind(i64::from(foreign.kind.0))
                    .bind(i64::from(foreign.schema))
                    .bind(now.0);
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// Forgets refusals that are older than a moment, as the bundles that they are about are forgotten.
    pub async fn prune_not_understood(&mut self, before: UnixMillis) -> Result<(), StoreError> {
        sql("DELETE FROM not_understood WHERE node = $1 AND at < $2")
            .bind(self.me())
            .bind(before.0)
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }
}

fn noted(row: &Row) -> Result<Noted, StoreError> {
    let (id, peer, returned): (Vec<u8>, Vec<u8>, i64) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    let bytes = row.try_get::<Option<Vec<u8>>>(4)?.filter(|bytes| !bytes.is_empty());
    Ok(Noted {
        number: row.try_get(0)?,
        id: BundleId::from_bytes(id16("unread", &id)?),
        peer: NodeId::from_bytes(id16("unread", &peer)?),
        returned: returned == 1,
        places: Vec::new(),
        bundle: bytes.map(super::link::parse).transpose()?,
    })
}

/// What one node has refused of this one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusals {
    /// The node.
    pub by: NodeId,
    /// How many messages.
    pub messages: i64,
    /// When the last refusal came.
    pub at: UnixMillis,
}

impl Store {
    /// What others have refused of this node's, by node.
    pub async fn not_understood(&self) -> Result<Vec<Refusals>, StoreError> {
        let rows =
            sql("SELECT giver, count(*), max(at) FROM not_understood WHERE node = $1 GROUP BY giver ORDER BY giver")
                .bind(self.me())
                .fetch_all(&mut self.read().await?)
                .await?;
        let refusals = |row: &Row| {
            let by: Vec<u8> = row.try_get(0)?;
            let (messages, at) = (row.try_get(1)?, UnixMillis(row.try_get(2)?));
            Ok(Refusals { by: NodeId::from_bytes(id16("not_understood", &by)?), messages, at })
        };
        rows.iter().map(refusals).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_has_so_many_bundles_and_so_many_bytes_noted_at_most() {
        assert!(Account { bundles: UNREAD_MAX - 1, bytes: UNREAD_BYTES_MAX - 100 }.takes(100));
        assert!(!Account { bundles: UNREAD_MAX, bytes: 0 }.takes(1));
        let mut full = Account { bundles: 1, bytes: UNREAD_BYTES_MAX - 100 };
        assert!(!full.takes(101) && full.takes(100) && !full.takes(1));
    }
}
