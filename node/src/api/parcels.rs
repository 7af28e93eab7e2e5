//! Parcels: files that go where no network passes. The command line reads and writes them; the node vouches and takes in.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use protocol::chain::Hash;
use protocol::directory::SignedEntry;
use protocol::id::NodeId;
use protocol::wire::limits::BUNDLE_BYTES_MAX;
use protocol::wire::parcel;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;
use crate::ops::lock::{from_hex, to_hex};
use crate::person::audit;
use crate::writer::parcels::{Draft, ParcelAsk, ParcelRefused, Piece, Taken};
use crate::writer::port::Ask;

/// Largest piece of a parcel: its head, and one bundle of the largest size.
pub const PIECE_BYTES_MAX: usize = BUNDLE_BYTES_MAX + 64 * 1024;
/// Origins that one parcel introduces at most.
const ORIGINS_MAX: usize = 10_000;

/// Who is to be introduced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntroduceBody {
    /// Ids of the nodes whose bundles are in the parcel.
    #[serde(default)]
    origins: Vec<String>,
}

/// Directory entries.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntroducedView {
    /// Records of the parcel, each in hexadecimal.
    introductions: Vec<String>,
}

/// What is to be vouched for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignBody {
    /// The neighbour that the parcel is for.
    to: String,
    /// Directory entries in it.
    introductions: u32,
    /// Bundles in it.
    bundles: u32,
    /// Chain over all its records, in hexadecimal.
    hash: String,
}

/// A head.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedView {
    /// The head as it stands in the file, in hexadecimal.
    head: String,
}

/// What became of the bundles of a piece.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenView {
    /// Taken in.
    new: u32,
    /// Here already.
    known: u32,
    /// Kept aside: they cannot come from there, or cannot be understood.
    set_aside: u32,
    /// Not believed, and dropped.
    refused: u32,
}

/// The directory entries of the nodes whose bundles a parcel holds.
#[utoipa::path(post, path = "/api/v1/parcels/introductions", tag = "operation", request_body = IntroduceBody,
    responses((status = 200, body = IntroducedView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn introduce(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<IntroduceBody>,
) -> Result<Json<IntroducedView>, Problem> {
    caller.must_administer()?;
    if body.origins.len() > ORIGINS_MAX {
        let (en, zh) = (format!("at most {ORIGINS_MAX} origins"), format!("最多 {ORIGINS_MAX} 个节点"));
        return Err(Problem::field("origins", &en, &zh));
    }
    let origins = body.origins.iter().map(|id| node_id("origins", id)).collect::<Result<_, _>>()?;
    let entries = asked(&state, |told| ParcelAsk::Introduce(origins, told)).await?;
    let record = |entry: &SignedEntry| parcel::introduction(entry).map(|record| to_hex(&record));
    Ok(Json(IntroducedView { introductions: entries.iter().filter_map(record).collect() }))
}

/// Vouches for a parcel, which is of no use to its reader before.
#[utoipa::path(post, path = "/api/v1/parcels/sign", tag = "operation", request_body = SignBody,
    responses((status = 200, body = SignedView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn sign(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<SignBody>,
) -> Result<Json<SignedView>, Problem> {
    caller.must_administer()?;
    let to = node_id("to", &body.to)?;
    let hash = from_hex(&body.hash).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let hash = hash.ok_or_else(|| Problem::field("hash", "32 bytes in hexadecimal", "应为 64 位十六进制"))?;
    audit::note(Some(&format!("to {to}: {} bundles", body.bundles)), None);
    let draft = Draft { to, introductions: body.introductions, bundles: body.bundles, hash: Hash(hash) };
    let head = asked(&state, |told| ParcelAsk::Sign(draft, told)).await?;
    Ok(Json(SignedView { head: to_hex(&head.to_bytes()) }))
}

/// Takes in a piece of a parcel: its head, and some of its records. Answers when it is durable here.
#[utoipa::path(post, path = "/api/v1/parcels/take", tag = "operation",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = TakenView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn take(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    bytes: Bytes,
) -> Result<Json<TakenView>, Problem> {
    caller.must_administer()?;
    let piece = Piece::parse(&bytes).map_err(ParcelRefused::from)?;
    audit::note(Some(&format!("from {}: {} bundles", piece.from(), piece.bundles())), None);
    let Taken { new, known, set_aside, refused } = asked(&state, |told| ParcelAsk::Take(piece, told)).await?;
    Ok(Json(TakenView { new, known, set_aside, refused }))
}

/// What the writer tells, once it is durable.
async fn asked<T>(state: &ApiState, ask: impl FnOnce(oneshot::Sender<T>) -> ParcelAsk) -> Result<T, Problem> {
    let (told, answer) = oneshot::channel();
    state.port.ask(Ask::Parcel(ask(told))).await?;
    answer.await.map_err(|_| Problem::internal())
}

fn node_id(field: &str, text: &str) -> Result<NodeId, Problem> {
    text.parse().map_err(|_| Problem::field(field, "a node's id is 32 hexadecimal digits", "节点编号为 32 位十六进制"))
}
