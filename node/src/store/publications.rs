//! What was published to a node or by it: every edition, whole, with its issuer's signature.

use protocol::publication::Published;
use protocol::time::UnixMillis;
use protocol::wire::codec;
use protocol::wire::limits::BODY_BYTES_MAX;

use super::sql::{Connection, Row, sql};
use super::{Store, StoreError, WriteStore};

/// An edition as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationRow {
    /// The edition.
    pub published: Published,
    /// When it came here.
    pub received: UnixMillis,
    /// Who published it, when that was done here.
    pub by: Option<String>,
}

const READ: &str = "SELECT body, received_at, published_by FROM publication WHERE node = $1 \
                    ORDER BY kind, name, issuer, version";

fn publication_row(row: &Row) -> Result<PublicationRow, StoreError> {
    let body: Vec<u8> = row.try_get(0)?;
    let published = codec::decode(&body, BODY_BYTES_MAX).map_err(|e| StoreError::damaged("publication", e))?;
    Ok(PublicationRow { published, received: UnixMillis(row.try_get(1)?), by: row.try_get(2)? })
}

async fn all(node: Vec<u8>, connection: &mut Connection) -> Result<Vec<PublicationRow>, StoreError> {
    sql(READ).bind(node).fetch_all(connection).await?.iter().map(publication_row).collect()
}

impl WriteStore {
    /// Keeps an edition; one that is here already stays as it is.
    pub async fn put_publication(
        &mut self,
        published: &Published,
        by: Option<&str>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let publication = &published.publication;
        sql("INSERT INTO publication (node, kind, name, issuer, version, begins_at, received_at, published_by, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (node, kind, name, issuer, version) DO NOTHING")
        .bind(self.me())
        .bind(i64::from(publication.kind.0))
        .bind(publication.name.as_str())
        .bind(publication.issuer.as_bytes().to_vec())
        .bind(i64::from(publication.version))
        .bind(publication.from.corrected().0)
        .bind(now.0)
        .bind(by.map(str::to_owned))
        .bind(codec::encode_unbounded(published))
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// All editions, versions of one publication ascending.
    pub async fn publications(&mut self) -> Result<Vec<PublicationRow>, StoreError> {
        all(self.me(), self.connection().await?).await
    }
}

impl Store {
    /// All editions, versions of one publication ascending.
    pub async fn publications(&self) -> Result<Vec<PublicationRow>, StoreError> {
        all(self.me(), &mut self.read().await?).await
    }
}
