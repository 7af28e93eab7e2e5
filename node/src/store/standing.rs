//! Trust as it changes: mandates, revocations, renewals, keys on their way out.

use std::collections::BTreeSet;

use protocol::directory::{RevocationReason, SignedMandate, SignedRevocation};
use protocol::event::Step;
use protocol::id::{NodeId, TokenId};
use protocol::time::UnixMillis;
use protocol::wire::codec;
use protocol::wire::control::Enrolled;

use super::sql::sql;
use super::trust::ENROLLED_BYTES_MAX;
use super::{Store, StoreError, WriteStore, case_id, id16};

const MANDATE_BYTES_MAX: usize = 16 * 1024;
const REVOCATION_BYTES_MAX: usize = 1024;
/// Open cases that are named at most.
const NAMED_MAX: usize = 20;

/// What a token allows beside a new node in a division, and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenTerms {
    /// The node that gets new keys with it.
    pub replaces: Option<NodeId>,
    /// Why the authority did not issue.
    pub refused: Option<String>,
}

/// Open cases of a node, as they are named to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCases {
    /// How many.
    pub count: usize,
    /// The first of them: numbers of cases, or keys of records where nothing more is known here.
    pub first: Vec<String>,
}

/// A node that is no longer trusted, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedRow {
    /// The node.
    pub node: NodeId,
    /// Why: the reason's name.
    pub reason: String,
    /// When it became known here.
    pub at: UnixMillis,
}

/// The name of a reason, as it is stored and shown.
pub fn reason_name(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::Lost => "lost",
        RevocationReason::Replaced => "replaced",
        RevocationReason::Decommissioned => "decommissioned",
        RevocationReason::Operator => "operator",
    }
}

impl WriteStore {
    /// Keeps a mandate behind those that are kept.
    pub async fn put_mandate(&mut self, position: i64, signed: &SignedMandate) -> Result<(), StoreError> {
        sql("INSERT INTO mandate (node, position, body) VALUES ($1, $2, $3) \
             ON CONFLICT (node, position) DO UPDATE SET body = excluded.body")
        .bind(self.me())
        .bind(position)
        .bind(codec::encode_unbounded(signed))
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// All mandates in the order in which they were believed.
    pub async fn mandates(&mut self) -> Result<Vec<SignedMandate>, StoreError> {
        let rows = sql("SELECT body FROM mandate WHERE node = $1 ORDER BY position")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        let read =
            |body: Vec<u8>| codec::decode(&body, MANDATE_BYTES_MAX).map_err(|e| StoreError::damaged("mandate", e));
        rows.iter().map(|row| read(row.try_get(0)?)).collect()
    }

    /// Keeps a revocation; a lower serial never replaces a higher one.
    pub async fn put_revocation(&mut self, signed: &SignedRevocation, now: UnixMillis) -> Result<(), StoreError> {
        sql("INSERT INTO revocation (node, member, serial, reason, body, at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (node, member) DO UPDATE SET serial = excluded.serial, reason = excluded.reason, \
             body = excluded.body, at = excluded.at WHERE excluded.serial > revocation.serial")
        .bind(self.me())
        .bind(signed.revocation.node.as_bytes().to_vec())
        .bind(i64::try_from(signed.revocation.serial).unwrap_or(i64::MAX))
        .bind(reason_name(signed.revocation.reason))
        .bind(codec::encode_unbounded(signed))
        .bind(now.0)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// All revocations.
    pub async fn revocations(&mut self) -> Result<Vec<SignedRevocation>, StoreError> {
        let rows = sql("SELECT body FROM revocation WHERE node = $1")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        let read = |body: Vec<u8>| {
            codec::decode(&body, REVOCATION_BYTES_MAX).map_err(|e| StoreError::damaged("revocation", e))
        };
        rows.iter().map(|row| read(row.try_get(0)?)).collect()
    }

    /// A child may no longer connect.
    pub async fn revoke_child(&mut self, child: NodeId, now: UnixMillis) -> Result<(), StoreError> {
        sql("UPDATE child SET revoked_at = $3, earlier_spki = NULL WHERE node = $1 AND child = $2")
            .bind(self.me())
            .bind(child.as_bytes().to_vec())
            .bind(now.0)
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// Forgets the way to a node below that was closed.
    pub async fn drop_route(&mut self, member: NodeId) -> Result<(), StoreError> {
        sql("DELETE FROM route WHERE node = $1 AND member = $2")
            .bind(self.me())
            .bind(member.as_bytes().to_vec())
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// The key that a child had before its renewal, admitted beside the new one; none once that is proven.
    pub async fn set_earlier_key(&mut self, child: NodeId, spki: Option<[u8; 32]>) -> Result<(), StoreError> {
        sql("UPDATE child SET earlier_spki = $3 WHERE node = $1 AND child = $2")
            .bind(self.me())
            .bind(child.as_bytes().to_vec())
            .bind(spki.map(|spki| spki.to_vec()))
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// The keys before their renewal of children that may connect.
    pub async fn earlier_keys(&mut self) -> Result<Vec<(NodeId, [u8; 32])>, StoreError> {
        let rows = sql("SELECT child, earlier_spki FROM child \
             WHERE node = $1 AND revoked_at IS NULL AND earlier_spki IS NOT NULL")
        .bind(self.me())
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter()
            .map(|row| {
                let (child, spki): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
                Ok((NodeId::from_bytes(id16("child", &child)?), super::hash32("child", &spki)?.0))
            })
            .collect()
    }

    /// Binds a token to a node that exists.
    pub async fn bind_token(&mut self, id: TokenId, replaces: NodeId) -> Result<(), StoreError> {
        sql("UPDATE token SET replaces = $3 WHERE node = $1 AND id = $2")
            .bind(self.me())
            .bind(id.as_bytes().to_vec())
            .bind(replaces.as_bytes().to_vec())
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// Remembers why the authority did not issue.
    pub async fn refuse_token(&mut self, id: TokenId, reason: &str) -> Result<(), StoreError> {
        sql("UPDATE token SET refused = $3 WHERE node = $1 AND id = $2")
            .bind(self.me())
            .bind(id.as_bytes().to_vec())
            .bind(reason)
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// What a token allows beside a new node, and what became of it.
    pub async fn token_terms(&mut self, id: TokenId) -> Result<TokenTerms, StoreError> {
        let row = sql("SELECT replaces, refused FROM token WHERE node = $1 AND id = $2")
            .bind(self.me())
            .bind(id.as_bytes().to_vec())
            .fetch_optional(self.connection().await?)
            .await?;
        let Some(row) = row else { return Ok(TokenTerms::default()) };
        let replaces: Option<Vec<u8>> = row.try_get(0)?;
        let replaces = replaces.map(|bytes| id16("token", &bytes).map(NodeId::from_bytes)).transpose()?;
        Ok(TokenTerms { replaces, refused: row.try_get(1)? })
    }

    /// Keeps the answer to a renewal, in place of the one before.
    pub async fn put_renewal(
        &mut self,
        member: NodeId,
        request: [u8; 32],
        answer: &Enrolled,
    ) -> Result<(), StoreError> {
        sql("INSERT INTO renewal (node, member, request, answer) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (node, member) DO UPDATE SET request = excluded.request, answer = excluded.answer")
        .bind(self.me())
        .bind(member.as_bytes().to_vec())
        .bind(request.to_vec())
        .bind(codec::encode_unbounded(answer))
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// The answer to the renewal with this hash, if it was the last of its node.
    pub async fn renewal(&mut self, member: NodeId, request: [u8; 32]) -> Result<Option<Enrolled>, StoreError> {
        let row = sql("SELECT answer FROM renewal WHERE node = $1 AND member = $2 AND request = $3")
            .bind(self.me())
            .bind(member.as_bytes().to_vec())
            .bind(request.to_vec())
            .fetch_optional(self.connection().await?)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let answer: Vec<u8> = row.try_get(0)?;
        codec::decode(&answer, ENROLLED_BYTES_MAX).map(Some).map_err(|e| StoreError::damaged("renewal", e))
    }

    /// Cases that a node owns and that are not archived, as far as their facts and headers are known here.
    pub async fn open_cases_of(&mut self, owner: NodeId) -> Result<OpenCases, StoreError> {
        let held =
            sql("SELECT case_id FROM case_file WHERE node = $1 AND owner = $2 AND step <> 'archived' AND void = 0 \
             ORDER BY case_id")
            .bind(self.me())
            .bind(owner.as_bytes().to_vec())
            .fetch_all(self.connection().await?)
            .await?;
        let mut cases = held.iter().map(case_id).collect::<Result<BTreeSet<_>, _>>()?;
        let (mut facts, mut nameless) = (0, BTreeSet::new());
        self.each_fact_of(owner, |fact| {
            if fact.void || fact.steps.iter().any(|reached| reached.step == Step::Archived) {
                return;
            }
            facts += 1;
            match fact.case {
                Some(case) => {
                    cases.insert(case);
                }
                None => {
                    nameless.insert(fact.key);
                }
            }
        })
        .await?;
        let count = facts.max(cases.len());
        // A case that never went up is named by its record. One that is held here as well has both names: no more than
        // the count are told.
        let cases = cases.iter().map(ToString::to_string);
        let named = cases.chain(nameless.iter().map(|key| format!("record {key}")));
        Ok(OpenCases { count, first: named.take(count.min(NAMED_MAX)).collect() })
    }
}

impl Store {
    /// Nodes that are no longer trusted, the latest first.
    pub async fn revoked(&self) -> Result<Vec<RevokedRow>, StoreError> {
        let rows = sql("SELECT member, reason, at FROM revocation WHERE node = $1 ORDER BY at DESC, member")
            .bind(self.me())
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter()
            .map(|row| {
                let (member, reason, at): (Vec<u8>, String, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                Ok(RevokedRow { node: NodeId::from_bytes(id16("revocation", &member)?), reason, at: UnixMillis(at) })
            })
            .collect()
    }
}
