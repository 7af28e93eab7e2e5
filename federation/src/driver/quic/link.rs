//! The life of one connection whose peer is known: four lanes, then an end.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use protocol::id::NodeId;
use protocol::wire::frame::Lane;
use quinn::{Connection, ConnectionError, RecvStream, SendStream, VarInt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::core::FrameOut;
use crate::driver::event::Event;

use super::lane::{Queued, Reader, Stopped, Writer, priority};
use super::{Inner, code, reason};

/// How long a farewell waits for the peer to have the last frames.
const FAREWELL: Duration = Duration::from_secs(1);
const LANES: [Lane; 4] = [Lane::Control, Lane::Cases, Lane::Statistics, Lane::Bulk];

/// A live connection, as the endpoint holds it.
pub(super) struct Link {
    pub(super) peer: NodeId,
    pub(super) connection: Connection,
    queues: [mpsc::UnboundedSender<Queued>; 4],
    why: OnceLock<String>,
}

impl Link {
    /// Puts a frame into the queue of its lane.
    pub(super) fn queue(&self, frame: FrameOut) {
        let lane = match &frame {
            FrameOut::Control(_) => Lane::Control,
            FrameOut::Bundle { lane, .. } => *lane,
        };
        if let Some(queue) = self.queues.get(usize::from(lane.index())) {
            // A queue without its writer belongs to a connection that is ending; `Closed` says so.
            let _ = queue.send(Queued::Frame(frame));
        }
    }

    /// Closes the connection once the peer has what waits on the control lane: a refusal must arrive to be one.
    pub(super) async fn farewell(&self, code: VarInt, why: &str) {
        self.why.get_or_init(|| why.to_owned());
        let (told, all_there) = oneshot::channel();
        let control = self.queues.first().map(|queue| queue.send(Queued::Last(told)));
        if matches!(control, Some(Ok(()))) {
            let _ = tokio::time::timeout(FAREWELL, all_there).await;
        }
        self.close(code, why);
    }

    /// Closes the connection; the first reason counts.
    pub(super) fn close(&self, code: VarInt, why: &str) {
        let why = self.why.get_or_init(|| why.to_owned());
        self.connection.close(code, why.as_bytes());
    }
}

type Queue = mpsc::UnboundedReceiver<Queued>;

fn queues() -> ([mpsc::UnboundedSender<Queued>; 4], [Option<Queue>; 4]) {
    let (a, ar) = mpsc::unbounded_channel();
    let (b, br) = mpsc::unbounded_channel();
    let (c, cr) = mpsc::unbounded_channel();
    let (d, dr) = mpsc::unbounded_channel();
    ([a, b, c, d], [Some(ar), Some(br), Some(cr), Some(dr)])
}

/// The tasks of one connection.
struct Run {
    inner: Arc<Inner>,
    link: Arc<Link>,
    number: u64,
    waiting: [Option<Queue>; 4],
    lanes: JoinSet<()>,
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
pub(super) async fn run(inner: Arc<Inner>, connection: Connection, peer: NodeId, dialled: bool) -> Result<(), String> {
    let limit = inner.setup.settings.handshake;
    let opened = tokio::time::timeout(limit, async {
        if dialled { open(&connection).await } else { accept(&connection).await }
    });
    let streams = match opened.await.unwrap_or(Err(NotOpened::Late)) {
        Ok(streams) => streams,
        Err(error) => {
            let why = error.to_string();
            connection.close(code::LANES, why.as_bytes());
            return Err(why);
        }
    };
    let number = inner.next_number();
    let (senders, waiting) = queues();
    let link = Arc::new(Link { peer, connection, queues: senders, why: OnceLock::new() });
    inner.links().insert(number, link.clone());
    // A child that was removed from the registry while its handshake ran is closed here or by `disconnect`.
    if !dialled && inner.child_of(&link.connection) != Some(peer) {
        link.close(code::IDENTITY, "no longer admitted");
    }
    inner.tell(Event::Opened { connection: number, peer, dialled }).await;
    let mut run = Run { inner, link, number, waiting, lanes: JoinSet::new() };
    for (lane, send, receive) in streams {
        run.start(lane, send, receive);
    }
    run.finish().await;
    Ok(())
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

impl Run {
    fn start(&mut self, lane: Lane, send: SendStream, receive: RecvStream) {
        let Some(queue) = self.waiting.get_mut(usize::from(lane.index())).and_then(Option::take) else { return };
        let directory = self.inner.setup.directory.clone();
        let writer = Writer { queue, directory: directory.clone(), capture: self.inner.capture.clone() };
        self.lanes.spawn(writer.run(send));
        let reader = Reader { connection: self.number, lane, directory, events: self.inner.events.clone() };
        let (link, inner, connection) = (self.link.clone(), self.inner.clone(), self.number);
        self.lanes.spawn(async move {
            match reader.run(receive).await {
                Stopped::Misbehaved(what) => {
                    inner.tell(Event::Misbehaved { connection, what: what.clone() }).await;
                    link.close(code::FRAMING, &what);
                }
                Stopped::Ended => {
                    // The control lane ends a moment before the connection, when the peer says farewell. Otherwise a lane
                    // that ends takes the link with it: half a link would starve unnoticed.
                    let closed = link.connection.closed();
                    if tokio::time::timeout(FAREWELL.saturating_mul(2), closed).await.is_err() {
                        link.connection.close(code::LANES, b"a lane ended");
                    }
                }
            }
        });
    }

    /// Waits for the end of the connection and of its tasks. `Closed` is its last event.
    async fn finish(mut self) {
        let error = self.link.connection.closed().await;
        self.inner.links().remove(&self.number);
        let why = self.link.why.get().cloned().unwrap_or_else(|| reason(&error));
        let (connection, peer) = (self.number, self.link.peer);
        // The writers end when their queues do, and those live in the link.
        drop(self.link);
        while self.lanes.join_next().await.is_some() {}
        self.inner.tell(Event::Closed { connection, peer, why }).await;
    }
}
