//! Certificates, authorities, revocations: the operator's work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use federation::trust::moving::from_text;
use protocol::directory::RevocationReason;
use protocol::id::NodeId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;
use crate::config::Transport;
use crate::trust::{MoveView, RevokedView, TrustStatus};
use crate::writer::moves::Named;
use crate::writer::trust::TrustAct;

/// How trust stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrustView {
    /// Certificate and authorities.
    status: TrustStatus,
    /// Nodes that are no longer trusted, the latest first.
    revoked: Vec<RevokedView>,
    /// Nodes that hang elsewhere than at first, the latest first.
    moves: Vec<MoveView>,
}

/// What is done. Everything else of the body is named by the act.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum TrustWish {
    /// A node below is no longer trusted; its link is cut at once.
    Revoke {
        /// The node.
        node: String,
        /// `lost` or `operator`.
        reason: String,
    },
    /// A node below is closed in order.
    Decommission {
        /// The node.
        node: String,
    },
    /// A new certificate now.
    Renew,
    /// A new authority takes the place of the present one.
    RollOver,
    /// The authorities before the present one are retired.
    RetireOld {
        /// Also when nodes have not renewed: they have to be replaced.
        #[serde(default)]
        force: bool,
    },
    /// A node below hangs below another node below from now on.
    Move {
        /// The node: its id, or its division.
        node: String,
        /// Its new parent: its id, or its division.
        below: String,
        /// Where the new parent listens, HOST:PORT.
        address: String,
    },
    /// This node hangs elsewhere, as an order says that came by hand.
    Follow {
        /// The order, as `moves` shows it at any node that knows of it.
        order: String,
    },
    /// This node, which ran alone, comes below another.
    Adopt {
        /// The token from the node above.
        token: String,
        /// What carries the link to it.
        #[serde(default)]
        transport: Transport,
    },
}

/// Certificate, authorities, and nodes that are no longer trusted.
#[utoipa::path(get, path = "/api/v1/trust", tag = "trust",
    responses((status = 200, body = TrustView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn view(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Json<TrustView>, Problem> {
    caller.must_administer()?;
    let revoked = state.store.revoked().await?.into_iter().map(RevokedView::from).collect();
    let moves = state.store.moves().await?.iter().map(|(signed, at)| MoveView::of(signed, *at)).collect();
    Ok(Json(TrustView { status: state.shared.trust(), revoked, moves }))
}

/// Changes whom this node trusts. Answers when it is durable here; what others must know is on its way.
#[utoipa::path(post, path = "/api/v1/trust", tag = "trust", request_body = TrustWish,
    responses((status = 200, body = TrustView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn act(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(wish): Body<TrustWish>,
) -> Result<Json<TrustView>, Problem> {
    caller.must_administer()?;
    let act = match wish {
        TrustWish::Revoke { node, reason } => TrustAct::Revoke { node: node_id(&node)?, reason: reason_of(&reason)? },
        TrustWish::Decommission { node } => TrustAct::Decommission { node: node_id(&node)? },
        TrustWish::Move { node, below, address } => TrustAct::Move { node: named(&node)?, to: named(&below)?, address },
        TrustWish::Follow { order } => {
            let signed = from_text(&order).map_err(|why| Problem::invalid(why.to_string()))?;
            TrustAct::Follow { signed: Box::new(signed) }
        }
        TrustWish::Renew => TrustAct::Renew,
        TrustWish::RollOver => TrustAct::RollOver,
        TrustWish::RetireOld { force } => TrustAct::RetireOld { force },
        TrustWish::Adopt { token, transport } => {
            let token = token.trim().parse().map_err(|_| Problem::invalid("the token cannot be read"))?;
            crate::trust::adopt::adopt(&state.folder, &state.config, &state.port, &state.clock, &token, transport)
                .await
                .map_err(|e| Problem::trust(format!("{e:#}")))?;
            return view(State(state), caller).await;
        }
    };
    state.port.trust(act).await?;
    view(State(state), caller).await
}

fn node_id(text: &str) -> Result<NodeId, Problem> {
    text.parse().map_err(|_| Problem::invalid("a node is named by its id, 32 hexadecimal digits"))
}

fn named(text: &str) -> Result<Named, Problem> {
    let node = text.parse().map(Named::Node).ok();
    node.or_else(|| text.parse().map(Named::Division).ok())
        .ok_or_else(|| Problem::invalid("a node is named by its id, 32 hexadecimal digits, or by its division"))
}

fn reason_of(text: &str) -> Result<RevocationReason, Problem> {
    match text {
        "lost" => Ok(RevocationReason::Lost),
        "operator" => Ok(RevocationReason::Operator),
        _ => Err(Problem::invalid("the reason is lost or operator")),
    }
}
