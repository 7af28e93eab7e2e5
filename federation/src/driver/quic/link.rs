//! The life of one connection whose peer is known: four lanes, then an end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use protocol::id::NodeId;
use protocol::wire::frame::Lane;
use quinn::{Connection, ConnectionError, RecvStream, SendStream, VarInt};
use tokio::sync::oneshot;

use crate::core::FrameOut;
use crate::driver::event::Event;

use super::lane::{Reader, Stopped, priority};
use super::node::Node;
use super::outgoing::{Context, Outgoing, Queued};
use super::{code, reason};

/// How long a farewell waits for the peer to have the last frames.
const FAREWELL: Duration = Duration::from_secs(1);
const LANES: [Lane; 4] = [Lane::Control, Lane::Cases, Lane::Statistics, Lane::Bulk];

/// A live connection, as the node holds it.
pub(super) struct Link {
    pub(super) node: Arc<Node>,
    pub(super) number: u64,
    pub(super) peer: NodeId,
    connection: Connection,
    /// By number of the lane.
    outgoing: Vec<Outgoing>,
    why: OnceLock<String>,
    cut: AtomicBool,
}

impl Link {
    /// Puts a frame into the queue of its lane.
    pub(super) fn queue(self: &Arc<Self>, frame: FrameOut) {
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
    pub(super) async fn farewell(self: &Arc<Self>, code: VarInt, why: &str) {
        self.why.get_or_init(|| why.to_owned());
        let (told, all_there) = oneshot::channel();
        self.push(Lane::Control, Queued::Last(told));
        // A lane that is over drops what it is told: then there is nothing to wait for.
        let _ = tokio::time::timeout(FAREWELL, all_there).await;
        self.close(code, why);
    }

    /// Closes the connection; the first reason counts.
    pub(super) fn close(&self, code: VarInt, why: &str) {
        let why = self.why.get_or_init(|| why.to_owned());
        self.connection.close(code, why.as_bytes());
    }

    /// Closes the connection and is deaf to what came on it.
    pub(super) fn cut(&self, why: &str) {
        self.cut.store(true, Ordering::Release);
        self.close(code::IDENTITY, why);
    }

    /// Whether the peer was cut off.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }
}

/// Why the lanes of a connection could not be opened.
#[derive(Debug, thiserror::Error)]
enum NotOpened {
    #[error("{0}")]
    Connection(#[from] ConnectionError),
    #[error("{0}")]
    Write(#[from] quinn::WriteError),
    #[error("{0}")]
    Read(#[from] quinn::ReadExactError),
    #[error("the lanes were not opened in time")]
    Late,
    #[error("lane {0} is unknown or open already")]
    Lane(u8),
}

/// A lane whose two directions are open.
type Opened = (Lane, SendStream, RecvStream);

/// Runs a connection to its end. Gives an error when it ended before `Opened`.
pub(super) async fn run(node: Arc<Node>, connection: Connection, peer: NodeId, dialled: bool) -> Result<(), String> {
    // Boxed, so that a link does not carry the room for its opening through all its life.
    let streams = match Box::pin(lanes(&node, &connection, dialled)).await {
        Ok(streams) => streams,
        Err(error) => {
            let why = error.to_string();
            connection.close(code::LANES, why.as_bytes());
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
    let link = Arc::new(Link { node, number, peer, connection, outgoing, why, cut });
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
    Box::pin(node.tell(Event::Opened { connection: number, peer, dialled })).await;
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
    let opened = async { if dialled { open(connection).await } else { accept(connection).await } };
    let mut streams =
        tokio::time::timeout(node.host.settings.handshake, opened).await.unwrap_or(Err(NotOpened::Late))?;
    streams.sort_by_key(|(lane, ..)| lane.index());
    Ok(streams)
}

async fn open(connection: &Connection) -> Result<Vec<Opened>, NotOpened> {
    let mut streams = Vec::new();
    for lane in LANES {
        let (mut send, receive) = connection.open_bi().await?;
        // Fails only on a stream that is closed already, which the next write tells.
        let _ = send.set_priority(priority(lane));
        send.write_all(&[lane.index()]).await?;
        streams.push((lane, send, receive));
    }
    Ok(streams)
}

async fn accept(connection: &Connection) -> Result<Vec<Opened>, NotOpened> {
    let mut streams: Vec<Opened> = Vec::new();
    for _ in LANES {
        let (send, mut receive) = connection.accept_bi().await?;
        let mut index = [0; 1];
        receive.read_exact(&mut index).await?;
        let [index] = index;
        let lane = Lane::from_index(index).filter(|lane| streams.iter().all(|(open, ..)| open != lane));
        let lane = lane.ok_or(NotOpened::Lane(index))?;
        // As above.
        let _ = send.set_priority(priority(lane));
        streams.push((lane, send, receive));
    }
    Ok(streams)
}

/// Reads a lane to its end, and ends the connection for it.
async fn read(reader: Reader, stream: RecvStream) {
    let link = reader.link.clone();
    let stopped = reader.run(stream).await;
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
                link.connection.close(code::LANES, b"a lane ended");
            }
        }
    }
}

/// Waits for the end of the connection, whose readers have ended. `Closed` is its last event.
async fn finish(link: Arc<Link>) {
    let error = link.connection.closed().await;
    link.node.forget(link.number);
    let why = link.why.get().cloned().unwrap_or_else(|| reason(&error));
    Box::pin(link.node.tell(Event::Closed { connection: link.number, peer: link.peer, why })).await;
}
