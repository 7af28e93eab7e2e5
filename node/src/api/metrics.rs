//! What this node counts, in the text format of Prometheus.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use super::links::{LinkView, links_of};
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;
use crate::alarms::AlarmKind;
use crate::counters::{Counters, Traffic};
use crate::metrics::{Kind, Page};

/// Where it is asked.
pub(super) const PATH: &str = "/metrics";
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What this node counts: for an administrator, or for whoever has the token that opens this alone.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub(super) async fn metrics(
    State(state): State<Arc<ApiState>>,
    caller: Option<Extension<Caller>>,
) -> Result<Response, Problem> {
    if let Some(Extension(caller)) = caller {
        caller.must_administer()?;
    }
    let mut page = Page::default();
    about(&mut page, &state);
    links(&mut page, &links_of(&state).await?);
    traffic(&mut page, &state.shared.counters);
    commits(&mut page, &state.shared.counters);
    waiting(&mut page, &state).await?;
    quarantine(&mut page, &state).await?;
    alarms(&mut page, &state);
    turned_away(&mut page, &state);
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], page.into_string()).into_response())
}

fn about(page: &mut Page, state: &ApiState) {
    let (node, division) = (state.me().to_string(), state.config.node.division.to_string());
    page.family("wuji_node_info", Kind::Gauge, "Which node this is, and its program")
        .with(&[("node", &node), ("division", &division), ("version", env!("CARGO_PKG_VERSION"))], 1);
    page.family("wuji_uptime_milliseconds", Kind::Gauge, "Since the process started").is(state.clock.uptime_ms());
    if let Some(free) = state.shared.counters.free.get() {
        page.family("wuji_disk_free_bytes", Kind::Gauge, "Free on the disk of the rows, as last looked at").is(free);
    }
}

fn links(page: &mut Page, links: &[LinkView]) {
    let label = |link: &LinkView| (link.peer.clone(), if link.parent { "parent" } else { "child" });
    let mut up = page.family("wuji_link_up", Kind::Gauge, "Whether the link to a neighbour is up");
    for link in links {
        let (peer, side) = label(link);
        up.with(&[("peer", &peer), ("side", side)], u64::from(link.up));
    }
    let help = "Frames in the outbox of a neighbour that it has not acknowledged";
    let mut frames = page.family("wuji_link_waiting_frames", Kind::Gauge, help);
    for link in links {
        let (peer, side) = label(link);
        frames.with(&[("peer", &peer), ("side", side)], link.waiting);
    }
}

fn traffic(page: &mut Page, counters: &Counters) {
    let ways = [("in", &counters.came), ("out", &counters.went)];
    let mut family = |name, help, of: fn(&Traffic) -> u64| {
        let mut family = page.family(name, Kind::Counter, help);
        for (way, traffic) in ways {
            family.with(&[("way", way)], of(traffic));
        }
    };
    family("wuji_bundles_total", "Bundles over links", |t| t.bundles.get());
    family("wuji_bundle_bytes_total", "Bytes of bundles over links", |t| t.bytes.get());
    family("wuji_control_frames_total", "Frames of the control lane", |t| t.control.get());
    page.family("wuji_links_up_total", Kind::Counter, "Times that a link came up").is(counters.links_up.get());
}

fn commits(page: &mut Page, counters: &Counters) {
    let mut family = page.family("wuji_commit_seconds", Kind::Histogram, "Transactions of the writer, and their time");
    for (bound, count) in counters.commits.below() {
        family.bucket(&seconds(bound), count);
    }
    let (count, sum) = counters.commits.all();
    family.bucket("+Inf", count);
    family.sum(&seconds(sum), count);
    let help = "Transactions that were not stored";
    page.family("wuji_commits_failed_total", Kind::Counter, help).is(counters.not_stored.get());
    let help = "Requests that the writer has taken in";
    page.family("wuji_requests_total", Kind::Counter, help).is(counters.requests.get());
}

/// Microseconds as seconds.
fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

async fn waiting(page: &mut Page, state: &ApiState) -> Result<(), Problem> {
    let mut queues = vec![];
    if !state.reads_only {
        queues.push(("requests", state.port.waiting()));
    }
    if let Some(events) = state.gauge.as_ref().and_then(federation::driver::Gauge::events) {
        queues.push(("links", events));
    }
    let mut family = |name, help, of: fn((usize, usize)) -> usize| {
        let mut family = page.family(name, Kind::Gauge, help);
        for (queue, places) in &queues {
            family.with(&[("queue", queue)], u64::try_from(of(*places)).unwrap_or(u64::MAX));
        }
    };
    family("wuji_queue_waiting", "What waits for the writer", |(waits, _)| waits);
    family("wuji_queue_places", "What can wait for the writer at most", |(_, places)| places);
    let waiting = state.store.waiting().await?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let help = "Bundles for elsewhere without their terminal receipt";
    page.family("wuji_unreceipted_bundles", Kind::Gauge, help).is(count(waiting.unreceipted));
    let help = "Bundles with messages that this program is too old to know";
    page.family("wuji_unread_bundles", Kind::Gauge, help).is(count(waiting.unread));
    let help = "Facts and tallies that wait to be sent";
    page.family("wuji_figures_waiting", Kind::Gauge, help).is(count(state.store.figures_waiting().await?));
    Ok(())
}

async fn quarantine(page: &mut Page, state: &ApiState) -> Result<(), Problem> {
    let accounts = state.store.quarantine().await?;
    let mut family = |name, kind, help, of: fn(&crate::store::quarantine::Account) -> i64| {
        let mut family = page.family(name, kind, help);
        for (peer, account) in &accounts {
            family.with(&[("peer", &peer.to_string())], u64::try_from(of(account)).unwrap_or(0));
        }
    };
    family("wuji_quarantine_bundles", Kind::Gauge, "Bundles of a neighbour that are kept aside", |a| a.kept);
    family("wuji_quarantine_bytes", Kind::Gauge, "Their bytes", |a| a.kept_bytes);
    let help = "Bundles of a neighbour that came when it had no place left among them";
    family("wuji_quarantine_refused", Kind::Gauge, help, |a| a.refused);
    Ok(())
}

fn alarms(page: &mut Page, state: &ApiState) {
    let mut family = page.family("wuji_alarms_total", Kind::Counter, "Alarms that were raised, by what they are about");
    for kind in AlarmKind::ALL {
        family.with(&[("kind", kind.word())], state.shared.raised(kind));
    }
}

fn turned_away(page: &mut Page, state: &ApiState) {
    if let Some(gauge) = &state.gauge {
        let counted = gauge.not_let_in();
        let help = "Connections to the link's port that nobody was let in by, for all nodes of the process";
        page.family("wuji_link_refused_total", Kind::Counter, help)
            .with(&[("why", "full")], counted.full)
            .with(&[("why", "failed")], counted.failed)
            .with(&[("why", "asks")], counted.asks);
    }
    let realm = &state.realm;
    let help = "Requests that came too often, for all nodes that the people log in to";
    page.family("wuji_rate_limited_total", Kind::Counter, help)
        .with(&[("of", "log-ins")], realm.log_in_rate.refused())
        .with(&[("of", "locked-out")], realm.locked_out.get())
        .with(&[("of", "requests")], realm.request_rate.refused())
        .with(&[("of", "expensive")], realm.expensive_rate.refused());
}
