//! The links of this node, and what an operator wants to know.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use protocol::id::NodeId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::Transport;

use super::caller::Caller;
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;
use crate::alarms::Alarm;
use crate::store::unread::Refusals;

/// One link.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LinkView {
    /// The node at the other end.
    pub peer: String,
    /// Its name.
    pub name: String,
    /// Where it hangs, if that is known here.
    pub division: Option<String>,
    /// The node above (true) or one below.
    pub parent: bool,
    /// Whether it is up.
    pub up: bool,
    /// What carries it, while it is up; of the link to the node above, also what is set.
    pub transport: Option<Transport>,
    /// Since when; none: never in this run.
    pub since: Option<String>,
    /// Since when, Unix milliseconds.
    #[serde(skip)]
    pub since_ms: Option<i64>,
    /// Frames for it that it has not acknowledged.
    pub waiting: u64,
}

/// An alarm.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlarmView {
    /// When it was raised last.
    pub at: String,
    /// What.
    pub what: String,
    /// How often since the start, as far as it is remembered.
    pub times: u64,
}

impl From<Alarm> for AlarmView {
    fn from(alarm: Alarm) -> Self {
        Self { at: stamp::rfc3339(alarm.at), what: alarm.what, times: alarm.times }
    }
}

/// What a node with an older program has refused.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RefusalsView {
    /// The node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// How many messages, in the last 30 days. They have no effect there.
    pub messages: i64,
    /// When it last did.
    pub at: String,
}

/// What an operator wants to know.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatusView {
    /// The node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// Where it hangs.
    pub division: String,
    /// Milliseconds since the process started.
    pub uptime_ms: u64,
    /// Its links.
    pub links: Vec<LinkView>,
    /// Nodes below.
    pub nodes_below: usize,
    /// Bundles for elsewhere that lack their terminal receipt.
    pub unreceipted: i64,
    /// Facts and tallies that wait to be sent.
    pub figures_waiting: i64,
    /// Bundles kept aside because they could not be accepted.
    pub quarantined: i64,
    /// Bundles with messages that this program is too old to know: they are read after an upgrade.
    pub unread: i64,
    /// Nodes whose program was too old to know what this one sent them, and that refused it.
    pub not_understood: Vec<RefusalsView>,
    /// Why the node above was not reached the last time, while it is not.
    pub last_dial_failure: Option<String>,
    /// Alarms, newest first.
    pub alarms: Vec<AlarmView>,
}

/// The links of a node: those it should have, whether they were ever up or not.
pub(crate) async fn links_of(state: &ApiState) -> Result<Vec<LinkView>, Problem> {
    let above = state.shared.parent().or_else(|| state.config.parent.clone());
    let parent = above.as_ref().map(|p| p.id);
    let children = state.store.children().await?.into_iter().map(|c| c.node);
    let peers: Vec<NodeId> = parent.into_iter().chain(children).collect();
    let (known, carriers) = (state.shared.links(), state.shared.carriers());
    let set = above.as_ref().map(|p| p.transport);
    let waiting = state.store.outbox_counts().await?;
    let view = |peer: NodeId| {
        let link = known.get(&peer);
        LinkView {
            peer: peer.to_string(),
            name: state.node_name(peer),
            division: state.division_of(peer).map(|d| d.to_string()),
            parent: Some(peer) == parent,
            up: link.is_some_and(|l| l.up),
            transport: match link {
                Some(link) if link.up => carriers.get(&peer).copied(),
                _ => set.filter(|_| Some(peer) == parent),
            },
            since: link.map(|l| stamp::rfc3339(l.since)),
            since_ms: link.map(|l| l.since.0),
            waiting: waiting.get(&peer).copied().unwrap_or(0),
        }
    };
    Ok(peers.into_iter().map(view).collect())
}

/// The links of this node.
#[utoipa::path(get, path = "/api/v1/links", tag = "operation",
    responses((status = 200, body = Vec<LinkView>), (status = 401, body = ProblemBody)))]
pub(super) async fn links(State(state): State<Arc<ApiState>>, _: Caller) -> Result<Json<Vec<LinkView>>, Problem> {
    Ok(Json(links_of(&state).await?))
}

async fn not_understood(state: &ApiState) -> Result<Vec<RefusalsView>, Problem> {
    let view = |refusals: Refusals| {
        let Refusals { by, messages, at } = refusals;
        RefusalsView { node: by.to_string(), name: state.node_name(by), messages, at: stamp::rfc3339(at) }
    };
    Ok(state.store.not_understood().await?.into_iter().map(view).collect())
}

/// What an operator wants to know of this node.
#[utoipa::path(get, path = "/api/v1/status", tag = "operation",
    responses((status = 200, body = StatusView), (status = 401, body = ProblemBody)))]
pub(super) async fn status(State(state): State<Arc<ApiState>>, _: Caller) -> Result<Json<StatusView>, Problem> {
    let waiting = state.store.waiting().await?;
    Ok(Json(StatusView {
        node: state.me().to_string(),
        name: state.config.node.name.clone(),
        division: state.config.node.division.to_string(),
        uptime_ms: state.clock.uptime_ms(),
        links: links_of(&state).await?,
        nodes_below: state.store.routes().await?.len(),
        unreceipted: waiting.unreceipted,
        figures_waiting: state.store.figures_waiting().await?,
        quarantined: waiting.quarantined,
        unread: waiting.unread,
        not_understood: not_understood(&state).await?,
        last_dial_failure: state.shared.last_dial_failure(),
        alarms: state.shared.alarms().into_iter().map(AlarmView::from).collect(),
    }))
}
