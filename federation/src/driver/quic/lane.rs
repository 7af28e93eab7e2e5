//! One lane of one connection: a stream with a writer that coalesces and a reader that verifies.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use protocol::directory::SignedEntry;
use protocol::id::NodeId;
use protocol::wire::codec;
use protocol::wire::control::Control;
use protocol::wire::frame::{FRAME_HEAD_BYTES, FrameHead, FrameKind, Lane, LinkSeq};
use protocol::wire::limits::CONTROL_BYTES_MAX;
use quinn::{ReadExactError, RecvStream, SendStream};
use tokio::sync::{mpsc, oneshot};

use crate::core::FrameOut;
use crate::driver::event::Event;
use crate::trust::Directory;
use crate::trust::verify::{self, VerifyError};

use super::capture::Capture;

/// Frames that one write takes from the queue.
const COALESCED_MAX: usize = 256;

/// Streams with a higher number go first.
pub(super) fn priority(lane: Lane) -> i32 {
    match lane {
        Lane::Control => 100,
        Lane::Cases => 50,
        Lane::Statistics => 10,
        Lane::Bulk => -10,
    }
}

/// What waits in the queue of a lane.
pub(super) enum Queued {
    /// A frame.
    Frame(FrameOut),
    /// Nothing follows. Told once the peer has everything.
    Last(oneshot::Sender<()>),
}

/// What a writer needs.
pub(super) struct Writer {
    pub(super) queue: mpsc::UnboundedReceiver<Queued>,
    pub(super) directory: Directory,
    pub(super) capture: Option<Arc<Capture>>,
}

impl Writer {
    /// Writes until the queue or the stream ends.
    pub(super) async fn run(mut self, mut stream: SendStream) {
        let mut introduced = HashSet::new();
        let mut waiting = Vec::new();
        while self.queue.recv_many(&mut waiting, COALESCED_MAX).await > 0 {
            let (mut parts, mut last) = (Vec::new(), None);
            for queued in waiting.drain(..) {
                match queued {
                    Queued::Frame(frame) if last.is_none() => self.lay_out(frame, &mut introduced, &mut parts),
                    Queued::Frame(_) => {}
                    Queued::Last(told) => last = Some(told),
                }
            }
            if let Some(capture) = &self.capture {
                capture.write(&parts);
            }
            if stream.write_all_chunks(&mut parts).await.is_err() {
                return;
            }
            if let Some(told) = last {
                // An error says that the stream or the connection is over, and so is the waiting.
                if stream.finish().is_ok() {
                    let _ = stream.stopped().await;
                }
                let _ = told.send(());
                return;
            }
        }
    }

    fn lay_out(&self, frame: FrameOut, introduced: &mut HashSet<(NodeId, u64)>, parts: &mut Vec<Bytes>) {
        match frame {
            FrameOut::Control(control) => control_frame(&control, parts),
            FrameOut::Bundle { seq, bytes, origin, .. } => {
                for signed in self.directory.entries(origin) {
                    if introduced.insert((origin, signed.entry.serial)) {
                        control_frame(&Control::Introduce(Box::new(signed)), parts);
                    }
                }
                frame_of(FrameKind::Bundle, seq, Bytes::from_owner(bytes), parts);
            }
        }
    }
}

fn control_frame(control: &Control, parts: &mut Vec<Bytes>) {
    match codec::encode(control, CONTROL_BYTES_MAX) {
        Ok(body) => frame_of(FrameKind::Control, LinkSeq(0), body.into(), parts),
        // The types of the vocabulary bound it below the limit.
        Err(error) => tracing::error!(%error, "a control frame is not sent"),
    }
}

fn frame_of(kind: FrameKind, seq: LinkSeq, body: Bytes, parts: &mut Vec<Bytes>) {
    let Ok(length) = u32::try_from(body.len()) else { return };
    parts.push(Bytes::copy_from_slice(&FrameHead { kind, seq, length }.to_bytes()));
    parts.push(body);
}

/// Why a reader stops.
pub(super) enum Stopped {
    /// The stream or the connection ended, or nobody listens any more.
    Ended,
    /// The peer broke the framing.
    Misbehaved(String),
}

/// What a reader needs.
pub(super) struct Reader {
    pub(super) connection: u64,
    pub(super) lane: Lane,
    pub(super) directory: Directory,
    pub(super) events: mpsc::Sender<Event>,
}

impl Reader {
    /// Reads until the stream ends. Waits while the event queue is full, and so, by the stream's window, does the peer.
    pub(super) async fn run(self, mut stream: RecvStream) -> Stopped {
        loop {
            let event = match self.next(&mut stream).await {
                Ok(None) => continue,
                Ok(Some(event)) => event,
                Err(stopped) => return stopped,
            };
            if self.events.send(event).await.is_err() {
                return Stopped::Ended;
            }
        }
    }

    /// One frame; nothing for an introduction.
    async fn next(&self, stream: &mut RecvStream) -> Result<Option<Event>, Stopped> {
        let mut head = [0; FRAME_HEAD_BYTES];
        match stream.read_exact(&mut head).await {
            Ok(()) => {}
            Err(ReadExactError::FinishedEarly(n)) if n > 0 => return Err(cut_short()),
            Err(_) => return Err(Stopped::Ended),
        }
        let head = FrameHead::from_bytes(&head).map_err(|e| Stopped::Misbehaved(e.to_string()))?;
        let length = usize::try_from(head.length).map_err(|_| cut_short())?;
        let mut body = vec![0; length];
        match stream.read_exact(&mut body).await {
            Ok(()) => {}
            Err(ReadExactError::FinishedEarly(_)) => return Err(cut_short()),
            Err(ReadExactError::ReadError(_)) => return Err(Stopped::Ended),
        }
        match (head.kind, self.lane) {
            (FrameKind::Control, _) => self.control(&body),
            (FrameKind::Bundle, Lane::Cases | Lane::Statistics | Lane::Bulk) => {
                Ok(Some(self.bundle(head.seq, body.into())))
            }
            (kind, lane) => Err(Stopped::Misbehaved(format!("a frame of kind {kind:?} on lane {lane:?}"))),
        }
    }

    fn control(&self, body: &[u8]) -> Result<Option<Event>, Stopped> {
        let frame: Control = codec::decode(body, CONTROL_BYTES_MAX).map_err(|e| Stopped::Misbehaved(e.to_string()))?;
        match (frame, self.lane) {
            (Control::Introduce(signed), _) => self.introduce(*signed).map(|()| None),
            (frame, Lane::Control) => Ok(Some(Event::Control { connection: self.connection, frame })),
            (_, lane) => Err(Stopped::Misbehaved(format!("a control frame on lane {lane:?}"))),
        }
    }

    fn introduce(&self, signed: SignedEntry) -> Result<(), Stopped> {
        match self.directory.insert(signed) {
            Ok(_) => Ok(()),
            Err(error) => Err(Stopped::Misbehaved(format!("introduces {}: {error}", signed.entry.node))),
        }
    }

    fn bundle(&self, seq: LinkSeq, bytes: Arc<[u8]>) -> Event {
        let (connection, lane) = (self.connection, self.lane);
        match verify::bundle(bytes.clone(), &self.directory) {
            Ok(bundle) if bundle.head().urgency.lane() != lane => {
                Event::BadBundle { connection, lane, seq, why: VerifyError::WrongLane, bytes }
            }
            Ok(bundle) => Event::Bundle { connection, lane, seq, bundle },
            Err(why) => Event::BadBundle { connection, lane, seq, why, bytes },
        }
    }
}

fn cut_short() -> Stopped {
    Stopped::Misbehaved("a frame that is cut short".into())
}
