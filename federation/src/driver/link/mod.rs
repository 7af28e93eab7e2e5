//! The life of one connection whose peer is known: four lanes, then an end.

mod lane;
mod outgoing;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use protocol::id::NodeId;
use protocol::wire::frame::Lane;
use tokio::sync::{SetOnce, oneshot};

use crate::core::FrameOut;
use crate::driver::connection::{Connection, LANES, NotOpened, Opened, ReceiveHalf, code};
use crate::driver::event::Event;
use crate::driver::host::node::Node;

use lane::{Reader, Stopped};
use outgoing::{Context, Outgoing, Queued};

/// How long a farewell waits for the peer to have the last frames.
const FAREWELL: Duration = Duration::from_secs(1);

/// A live connection, as the node holds it.
pub(in crate::driver) struct Link {
    pub(in crate::driver) node: Arc<Node>,
    pub(in crate::driver) number: u64,
    pub(in crate::driver) peer: NodeId,
    connection: Connection,
    /// By number of the lane.
    outgoing: Vec<Outgoing>,
    why: OnceLock<String>,
    cut: AtomicBool,
    /// The peer's verdict was told; or its lane is over, and none will be.
    greeted: SetOnce<bool>,
}

impl Link {
    /// Puts a frame into the queue of its lane.
    pub(in crate::driver) fn queue(self: &Arc<Self>, frame: FrameOut) {
        let lane = match &frame {
            FrameOut::Control(_) => Lane::Control,
            FrameOut::Bundle { lane, .. } => *lane,
        };
        self.push(lane, Queued::Frame(frame));
    }

    fn push(self: &Arc<Self>, lane: Lane, queued: Queued) {
        let index = usize::from(lane.index());
        let Some(voice) = self.outgoing.get(index).and_then(|outgoing| outgoing.push(queued)) else { return };
        let link = self.clone();
        self.node.tasks.spawn(async move {
            let context = Context { directory: &link.node.directory, capture: link.node.host.capture.as_ref() };
            if let Some(outgoing) = link.outgoing.get(index) {
                outgoing.drain(voice, context).await;
            }
        });
    }

    /// Closes the connection once the peer has what waits on the control lane: a refusal must arrive to be one.
    pub(in crate::driver) async fn farewell(self: &Arc<Self>, code: u32, why: &str) {
        self.why.get_or_init(|| why.to_owned());
        let (told, all_there) = oneshot::channel();
        self.push(Lane::Control, Queued::Last(told));
        // A lane that is over drops what it is told: then there is nothing to wait for.
        let _ = tokio::time::timeout(FAREWELL, all_there).await;
        self.close(code, why);
    }

    /// Closes the connection; the first reason counts.
    pub(in crate::driver) fn close(&self, code: u32, why: &str) {
        let why = self.why.get_or_init(|| why.to_owned());
        self.connection.close(code, why);
    }

    /// Closes the connection and is deaf to what came on it.
    pub(in crate::driver) fn cut(&self, why: &str) {
        self.cut.store(true, Ordering::Release);
        self.close(code::IDENTITY, why);
    }

    /// The peer has greeted, or never will.
    fn greeted(&self, done: bool) {
        // The first word counts.
        let _ = self.greeted.set(done);
    }

    /// Waits until the peer has greeted; false: it never will.
    async fn is_greeted(&self) -> bool {
        *self.greeted.wait().await
    }

    /// Whether the peer was cut off.
    pub(in crate::driver) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }
}

/// Runs a connection to its end. Gives an error when it ended before `Opened`.
pub(in crate::driver) async fn run(
    node: Arc<Node>,
    connection: Connection,
    peer: NodeId,
    dialled: bool,
) -> Result<(), String> {
    // Boxed, so that a link does not carry the room for its opening through all its life.
    let streams = match Box::pin(lanes(&node, &connection, dialled)).await {
        Ok(streams) => streams,
        Err(error) => {
            let why = error.to_string();
            connection.close(code::LANES, &why);
            return Err(why);
        }
    };
    let number = node.next_number();
    let (mut outgoing, mut incoming) = (Vec::with_capacity(LANES.len()), Vec::with_capacity(LANES.len()));
    for (lane, send, receive) in streams {
        outgoing.push(Outgoing::new(send));
        incoming.push((lane, receive));
    }
    let (why, cut) = (OnceLock::new(), AtomicBool::new(false));
    let greeted = SetOnce::new();
    let link = Arc::new(Link { node, number, peer, connection, outgoing, why, cut, greeted });
    let node = &link.node;
    node.keep(&link);
    // A child that was removed from the registry while its handshake ran is closed here or by `disconnect`.
    if !dialled && node.child_of(&link.connection) != Some(peer) {
        link.cut("no longer admitted");
    }
    // A node that left while the lanes were opened has said farewell to its other links already.
    if node.stop.is_cancelled() {
        link.cut("shutting down");
    }
    let transport = link.connection.transport();
    Box::pin(node.tell(Event::Opened { connection: number, peer, dialled, transport })).await;
    // In this one task: a city has tens of thousands of lanes, and a task for each costs more than what it does.
    let mut readers = incoming.into_iter().map(|(lane, stream)| read(Reader { link: link.clone(), lane }, stream));
    if let [Some(a), Some(b), Some(c), Some(d)] = [readers.next(), readers.next(), readers.next(), readers.next()] {
        tokio::join!(a, b, c, d);
    }
    finish(link).await;
    Ok(())
}

/// The four lanes, by number.
async fn lanes(node: &Node, connection: &Connection, dialled: bool) -> Result<Vec<Opened>, NotOpened> {
    tokio::time::timeout(node.host.settings.handshake, connection.lanes(dialled)).await.unwrap_or(Err(NotOpened::Late))
}

/// Reads a lane to its end, and ends the connection for it.
async fn read(reader: Reader, stream: ReceiveHalf) {
    let (link, lane) = (reader.link.clone(), reader.lane);
    let stopped = reader.run(stream).await;
    if lane == Lane::Control {
        link.greeted(false);
    }
    Box::pin(ended(&link, stopped)).await;
}

async fn ended(link: &Link, stopped: Stopped) {
    match stopped {
        Stopped::Misbehaved(what) => {
            link.node.tell(Event::Misbehaved { connection: link.number, what: what.clone() }).await;
            link.close(code::FRAMING, &what);
        }
        Stopped::Ended => {
            // The control lane ends a moment before the connection, when the peer says farewell. Otherwise a lane
            // that ends takes the link with it: half a link would starve unnoticed.
            if tokio::time::timeout(FAREWELL.saturating_mul(2), link.connection.closed()).await.is_err() {
                link.connection.close(code::LANES, "a lane ended");
            }
        }
    }
}

/// Waits for the end of the connection, whose readers have ended. `Closed` is its last event.
async fn finish(link: Arc<Link>) {
    let ended = link.connection.closed().await;
    link.node.forget(link.number);
    let why = link.why.get().cloned().unwrap_or(ended);
    Box::pin(link.node.tell(Event::Closed { connection: link.number, peer: link.peer, why })).await;
}
