//! Who belongs here: children, routes, ancestors, directory entries, join tokens, and what the node knows about itself.

use protocol::bounded::List;
use protocol::directory::{Ancestor, SignedEntry};
use protocol::division::DivisionCode;
use protocol::id::{NodeId, TokenId};
use protocol::time::UnixMillis;
use protocol::wire::codec;
use protocol::wire::control::{Enrolled, Incarnation, Position};
use protocol::wire::frame::LinkSeq;

use super::sql::{Row, sql};
use super::{Store, StoreError, WriteStore, division, division_number, id16};

/// A direct child that may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child {
    /// The child.
    pub node: NodeId,
    /// Where it hangs.
    pub division: DivisionCode,
    /// SHA-256 of its certificate's public key.
    pub spki: [u8; 32],
}

/// A node below and the child it is reached through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The node below.
    pub member: NodeId,
    /// The direct child.
    pub via: NodeId,
    /// Where the node below hangs.
    pub division: DivisionCode,
}

/// A join token as it is kept: its secret, what it allows, and what it was used for.
#[derive(Debug, Clone)]
pub struct KeptToken {
    /// Its secret.
    pub secret: [u8; 32],
    /// The division that may join with it.
    pub division: DivisionCode,
    /// When it ends.
    pub expires: UnixMillis,
    /// Hash of the request that used it.
    pub request: Option<[u8; 32]>,
    /// The answer to that request, once the authority gave it.
    pub answer: Option<Enrolled>,
}

/// Numbering of a link as it is stored: own run, peer's run, highest counter seen of the peer, and for each lane
/// what was received, what was given out last, what is acknowledged.
pub type StoredLink = (Incarnation, Option<Incarnation>, u32, List<(Position, Position, LinkSeq), 3>);

/// Directory entries that are kept of one node: renewals keep the key for bundles, so these reach back for years.
const ENTRIES_OF_ONE_MAX: i64 = 12;
const DIRECTORY_ENTRY_BYTES_MAX: usize = 1024;
pub(super) const ENROLLED_BYTES_MAX: usize = 64 * 1024;
pub(super) const LINK_BYTES_MAX: usize = 4096;

impl WriteStore {
    /// Sets a value that the node knows about itself.
    pub async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        sql("INSERT INTO meta (node, name, value) VALUES ($1, $2, $3) \
             ON CONFLICT (node, name) DO UPDATE SET value = excluded.value")
        .bind(self.me())
        .bind(name.to_owned())
        .bind(value.to_owned())
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// A value that the node knows about itself.
    pub async fn meta(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let row = sql("SELECT value FROM meta WHERE node = $1 AND name = $2")
            .bind(self.me())
            .bind(name.to_owned())
            .fetch_optional(self.connection().await?)
            .await?;
        row.map(|r| r.try_get(0)).transpose()
    }

    /// Lets a child connect from now on.
    pub async fn put_child(&mut self, child: Child) -> Result<(), StoreError> {
        sql(
            "INSERT INTO child (node, child, division, spki) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (node, child) DO UPDATE SET division = excluded.division, spki = excluded.spki, revoked_at = NULL",
        )
        .bind(self.me())
        .bind(child.node.as_bytes().to_vec())
        .bind(division_number(child.division))
        .bind(child.spki.to_vec())
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// The children that may connect.
    pub async fn children(&mut self) -> Result<Vec<Child>, StoreError> {
        let rows = sql("SELECT child, division, spki FROM child WHERE node = $1 AND revoked_at IS NULL")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter().map(child_of).collect()
    }

    /// Remembers the way to a node below.
    pub async fn put_route(&mut self, route: Route) -> Result<(), StoreError> {
        sql("INSERT INTO route (node, member, via, division) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (node, member) DO UPDATE SET via = excluded.via, division = excluded.division")
        .bind(self.me())
        .bind(route.member.as_bytes().to_vec())
        .bind(route.via.as_bytes().to_vec())
        .bind(division_number(route.division))
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// The ways to all nodes below.
    pub async fn routes(&mut self) -> Result<Vec<Route>, StoreError> {
        let rows = sql("SELECT member, via, division FROM route WHERE node = $1")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter().map(route_of).collect()
    }

    /// Replaces the line above.
    pub async fn set_ancestors(&mut self, line: &[Ancestor]) -> Result<(), StoreError> {
        sql("DELETE FROM ancestor WHERE node = $1").bind(self.me()).execute(self.connection().await?).await?;
        for (position, ancestor) in line.iter().enumerate() {
            sql("INSERT INTO ancestor (node, position, member, division) VALUES ($1, $2, $3, $4)")
                .bind(self.me())
                .bind(i64::try_from(position).unwrap_or(i64::MAX))
                .bind(ancestor.node.as_bytes().to_vec())
                .bind(division_number(ancestor.division))
                .execute(self.connection().await?)
                .await?;
        }
        Ok(())
    }

    /// The line above, nearest first.
    pub async fn ancestors(&mut self) -> Result<Vec<Ancestor>, StoreError> {
        let rows = sql("SELECT member, division FROM ancestor WHERE node = $1 ORDER BY position")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter().map(ancestor_of).collect()
    }

    /// Keeps a directory entry; of the earlier ones of its node the latest stay.
    pub async fn put_entry(&mut self, signed: &SignedEntry) -> Result<(), StoreError> {
        sql("INSERT INTO directory (node, member, serial, entry) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (node, member, serial) DO NOTHING")
        .bind(self.me())
        .bind(signed.entry.node.as_bytes().to_vec())
        .bind(i64::try_from(signed.entry.serial).unwrap_or(i64::MAX))
        .bind(codec::encode_unbounded(signed))
        .execute(self.connection().await?)
        .await?;
        sql("DELETE FROM directory WHERE node = $1 AND member = $2 AND serial NOT IN \
             (SELECT serial FROM directory WHERE node = $1 AND member = $2 ORDER BY serial DESC LIMIT $3)")
        .bind(self.me())
        .bind(signed.entry.node.as_bytes().to_vec())
        .bind(ENTRIES_OF_ONE_MAX)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// All directory entries.
    pub async fn entries(&mut self) -> Result<Vec<SignedEntry>, StoreError> {
        let rows = sql("SELECT entry FROM directory WHERE node = $1 ORDER BY member, serial")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter()
            .map(|r| {
                codec::decode(&r.try_get::<Vec<u8>>(0)?, DIRECTORY_ENTRY_BYTES_MAX)
                    .map_err(|e| StoreError::damaged("directory", e))
            })
            .collect()
    }

    /// Keeps a join token that is given out.
    pub async fn put_token(&mut self, id: TokenId, token: &KeptToken) -> Result<(), StoreError> {
        sql("INSERT INTO token (node, id, secret, division, expires_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(self.me())
            .bind(id.as_bytes().to_vec())
            .bind(token.secret.to_vec())
            .bind(division_number(token.division))
            .bind(token.expires.0)
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// A join token.
    pub async fn token(&mut self, id: TokenId) -> Result<Option<KeptToken>, StoreError> {
        let row = sql("SELECT secret, division, expires_at, request, answer FROM token WHERE node = $1 AND id = $2")
            .bind(self.me())
            .bind(id.as_bytes().to_vec())
            .fetch_optional(self.connection().await?)
            .await?;
        row.map(|r| token_of(&r)).transpose()
    }

    /// Marks a token as used by the request with this hash.
    pub async fn use_token(&mut self, id: TokenId, request: [u8; 32]) -> Result<(), StoreError> {
        sql("UPDATE token SET request = $3 WHERE node = $1 AND id = $2")
            .bind(self.me())
            .bind(id.as_bytes().to_vec())
            .bind(request.to_vec())
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// Keeps the authority's answer with the token that was used for it.
    pub async fn answer_token(&mut self, id: TokenId, answer: &Enrolled) -> Result<(), StoreError> {
        sql("UPDATE token SET answer = $3 WHERE node = $1 AND id = $2")
            .bind(self.me())
            .bind(id.as_bytes().to_vec())
            .bind(codec::encode_unbounded(answer))
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// Keeps the numbering of a link.
    pub async fn put_link(&mut self, peer: NodeId, state: &StoredLink) -> Result<(), StoreError> {
        let state = sql("INSERT INTO link (node, peer, state) VALUES ($1, $2, $3) \
             ON CONFLICT (node, peer) DO UPDATE SET state = excluded.state")
        .bind(self.me())
        .bind(peer.as_bytes().to_vec())
        .bind(codec::encode_unbounded(state));
        self.later(state).await
    }

    /// The numbering of all links.
    pub async fn links(&mut self) -> Result<Vec<(NodeId, StoredLink)>, StoreError> {
        let rows = sql("SELECT peer, state FROM link WHERE node = $1")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter()
            .map(|r| {
                let (peer, state): (Vec<u8>, Vec<u8>) = (r.try_get(0)?, r.try_get(1)?);
                let state = codec::decode(&state, LINK_BYTES_MAX).map_err(|e| StoreError::damaged("link", e))?;
                Ok((NodeId::from_bytes(id16("link", &peer)?), state))
            })
            .collect()
    }
}

impl Store {
    /// A value that the node knows about itself.
    pub async fn meta(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row = sql("SELECT value FROM meta WHERE node = $1 AND name = $2")
            .bind(self.me())
            .bind(name.to_owned())
            .fetch_optional(&mut self.read().await?)
            .await?;
        row.map(|r| r.try_get(0)).transpose()
    }

    /// The line above, nearest first.
    pub async fn ancestors(&self) -> Result<Vec<Ancestor>, StoreError> {
        let rows = sql("SELECT member, division FROM ancestor WHERE node = $1 ORDER BY position")
            .bind(self.me())
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(ancestor_of).collect()
    }

    /// The children that may connect.
    pub async fn children(&self) -> Result<Vec<Child>, StoreError> {
        let rows = sql("SELECT child, division, spki FROM child WHERE node = $1 AND revoked_at IS NULL")
            .bind(self.me())
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(child_of).collect()
    }

    /// The ways to all nodes below.
    pub async fn routes(&self) -> Result<Vec<Route>, StoreError> {
        let rows = sql("SELECT member, via, division FROM route WHERE node = $1 ORDER BY division")
            .bind(self.me())
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(route_of).collect()
    }
}

fn child_of(row: &Row) -> Result<Child, StoreError> {
    let (node, place, spki): (Vec<u8>, i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(Child {
        node: NodeId::from_bytes(id16("child", &node)?),
        division: division("child", place)?,
        spki: super::hash32("child", &spki)?.0,
    })
}

fn route_of(row: &Row) -> Result<Route, StoreError> {
    let (member, via, place): (Vec<u8>, Vec<u8>, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(Route {
        member: NodeId::from_bytes(id16("route", &member)?),
        via: NodeId::from_bytes(id16("route", &via)?),
        division: division("route", place)?,
    })
}

fn ancestor_of(row: &Row) -> Result<Ancestor, StoreError> {
    let (member, place): (Vec<u8>, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Ancestor { node: NodeId::from_bytes(id16("ancestor", &member)?), division: division("ancestor", place)? })
}

fn token_of(row: &Row) -> Result<KeptToken, StoreError> {
    let (secret, place, expires): (Vec<u8>, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let (request, answer): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.try_get(3)?, row.try_get(4)?);
    Ok(KeptToken {
        secret: super::hash32("token", &secret)?.0,
        division: division("token", place)?,
        expires: UnixMillis(expires),
        request: request.map(|r| super::hash32("token", &r).map(|h| h.0)).transpose()?,
        answer: answer
            .map(|a| codec::decode(&a, ENROLLED_BYTES_MAX).map_err(|e| StoreError::damaged("token", e)))
            .transpose()?,
    })
}
