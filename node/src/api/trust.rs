//! Certificates, authorities, revocations: the operator's work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use protocol::directory::RevocationReason;
use protocol::id::NodeId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;
use crate::config::Transport;
use crate::trust::{RevokedView, TrustStatus};
use crate::writer::trust::TrustAct;

/// How trust stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrustView {
    /// Certificate and authorities.
    status: TrustStatus,
    /// Nodes that are no longer trusted, the latest first.
    revoked: Vec<RevokedView>,
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
    Ok(Json(TrustView { status: state.shared.trust(), revoked }))
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

fn reason_of(text: &str) -> Result<RevocationReason, Problem> {
    match text {
        "lost" => Ok(RevocationReason::Lost),
        "operator" => Ok(RevocationReason::Operator),
        _ => Err(Problem::invalid("the reason is lost or operator")),
    }
}
