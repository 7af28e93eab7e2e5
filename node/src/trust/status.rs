//! What an operator wants to know about trust.

use federation::trust::moving::to_text;
use protocol::id::NodeId;
use protocol::moving::SignedMove;
use protocol::time::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::standing::RevokedRow;

/// The certificate of a node and the authorities that it believes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrustStatus {
    /// Begin of the certificate, Unix milliseconds.
    pub not_before: i64,
    /// End of the certificate, Unix milliseconds.
    pub not_after: i64,
    /// When it is renewed, Unix milliseconds.
    pub renews_at: i64,
    /// A renewal was asked for and is not answered.
    pub renewing: bool,
    /// The newest certificate has not been greeted with yet; the one before it is kept.
    pub unproven: bool,
    /// Serial of the directory entry.
    pub serial: u64,
    /// The time by which certificates are judged, Unix milliseconds.
    pub time: i64,
    /// Key of the authority that issues, in hexadecimal.
    pub authority: String,
    /// The own certificate is of that authority.
    pub current: bool,
    /// Authorities that do not issue any more and are not retired.
    pub earlier_authorities: usize,
    /// At the top: how far the nodes are.
    pub issues: Option<AuthorityStatus>,
}

/// How far the nodes of a federation are with the authority that issues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuthorityStatus {
    /// Nodes that are trusted.
    pub nodes: usize,
    /// Of these, nodes whose entry is of the authority that issues.
    pub current: usize,
    /// The first of those that are not.
    pub outstanding: Vec<String>,
}

/// Of nodes that are outstanding, so many are named.
pub(crate) const OUTSTANDING_SHOWN_MAX: usize = 20;

/// A node that is no longer trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RevokedView {
    /// The node.
    pub node: String,
    /// Why.
    pub reason: String,
    /// When it became known here, Unix milliseconds.
    pub at: i64,
}

/// A node that hangs elsewhere than at first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MoveView {
    /// The node.
    pub node: String,
    /// Its division.
    pub division: String,
    /// The division that it hung below.
    pub from: String,
    /// The division that it hangs below.
    pub to: String,
    /// The node that it hangs below.
    pub parent: String,
    /// The node that ordered it.
    pub by: String,
    /// When it became known here, Unix milliseconds.
    pub at: i64,
    /// The order itself, for `wuji follow` where no link brings it. It holds no secret.
    pub order: String,
}

impl MoveView {
    /// As it is shown.
    pub(crate) fn of(signed: &SignedMove, at: UnixMillis) -> Self {
        let order = &signed.order;
        let to = order.to();
        Self {
            node: order.node().to_string(),
            division: order.entry.entry.division.to_string(),
            from: order.from.division.to_string(),
            to: to.map(|to| to.division.to_string()).unwrap_or_default(),
            parent: to.map(|to| to.node.to_string()).unwrap_or_default(),
            by: order.by.to_string(),
            at: at.0,
            order: to_text(signed),
        }
    }
}

impl From<RevokedRow> for RevokedView {
    fn from(row: RevokedRow) -> Self {
        Self { node: row.node.to_string(), reason: row.reason, at: row.at.0 }
    }
}

impl AuthorityStatus {
    /// Counts one node.
    pub(crate) fn count(&mut self, node: NodeId, current: bool) {
        self.nodes += 1;
        if current {
            self.current += 1;
        } else if self.outstanding.len() < OUTSTANDING_SHOWN_MAX {
            self.outstanding.push(node.to_string());
        }
    }
}
