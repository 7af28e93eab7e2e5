//! The receiving half of a lane: a reader that verifies.

use std::sync::Arc;

use protocol::directory::SignedEntry;
use protocol::wire::codec;
use protocol::wire::control::Control;
use protocol::wire::frame::{FRAME_HEAD_BYTES, FrameHead, FrameKind, Lane, LinkSeq};
use protocol::wire::limits::CONTROL_BYTES_MAX;

use crate::driver::connection::{NotRead, ReceiveHalf};
use crate::driver::event::Event;
use crate::trust::verify::{self, VerifyError};

use super::Link;

/// Why a reader stops.
pub(in crate::driver) enum Stopped {
    /// The stream or the connection ended, or nobody listens any more.
    Ended,
    /// The peer broke the framing.
    Misbehaved(String),
}

/// What a reader needs.
pub(in crate::driver) struct Reader {
    pub(in crate::driver) link: Arc<Link>,
    pub(in crate::driver) lane: Lane,
}

impl Reader {
    /// Reads until the stream ends. Waits while the event queue is full, and so, by the stream's window, does the peer.
    pub(in crate::driver) async fn run(self, mut stream: ReceiveHalf) -> Stopped {
        loop {
            let head = match head(&mut stream).await {
                Ok(head) => head,
                Err(stopped) => return stopped,
            };
            // Boxed, because nearly all lanes wait for a head at any moment, and need no room for what follows it.
            if let Err(stopped) = Box::pin(self.frame(head, &mut stream)).await {
                return stopped;
            }
        }
    }

    /// The rest of one frame; tells it, unless it is an introduction.
    async fn frame(&self, head: FrameHead, stream: &mut ReceiveHalf) -> Result<(), Stopped> {
        let length = usize::try_from(head.length).map_err(|_| cut_short())?;
        let mut body = vec![0; length];
        match stream.read_exact(&mut body).await {
            Ok(()) => {}
            Err(NotRead::Ended(_)) => return Err(cut_short()),
            Err(NotRead::Over) => return Err(Stopped::Ended),
        }
        let event = match (head.kind, self.lane) {
            (FrameKind::Control, _) => self.control(&body)?,
            (FrameKind::Bundle, Lane::Cases | Lane::Statistics | Lane::Bulk) => {
                // Lanes keep no order among each other: where the packet with the peer's verdict was lost, what it sent behind
                // it is here first, and would look like a bundle before the greeting.
                if !self.link.is_greeted().await {
                    return Err(Stopped::Ended);
                }
                Some(self.bundle(head.seq, body.into()))
            }
            (kind, lane) => return Err(Stopped::Misbehaved(format!("a frame of kind {kind:?} on lane {lane:?}"))),
        };
        let Some(event) = event else { return Ok(()) };
        let Ok(place) = self.link.node.events.reserve().await else { return Err(Stopped::Ended) };
        // What a peer said is nothing from the moment on in which it was cut off.
        if self.link.is_cut() {
            return Err(Stopped::Ended);
        }
        let greets = matches!(event, Event::Control { frame: Control::Verdict(_), .. });
        place.send(event);
        if greets {
            self.link.greeted(true);
        }
        Ok(())
    }

    fn control(&self, body: &[u8]) -> Result<Option<Event>, Stopped> {
        let frame: Control = codec::decode(body, CONTROL_BYTES_MAX).map_err(|e| Stopped::Misbehaved(e.to_string()))?;
        match (frame, self.lane) {
            (Control::Introduce(signed), _) => self.introduce(*signed).map(|()| None),
            (frame, Lane::Control) => Ok(Some(Event::Control { connection: self.link.number, frame })),
            (_, lane) => Err(Stopped::Misbehaved(format!("a control frame on lane {lane:?}"))),
        }
    }

    fn introduce(&self, signed: SignedEntry) -> Result<(), Stopped> {
        match self.link.node.directory.insert(signed) {
            Ok(_) => Ok(()),
            // After a roll-over of the root the word about the new authority may be behind this on the same lane. An entry
            // that cannot be checked yet adds nothing to a key that is known.
            Err(_) if self.link.node.directory.has_key(signed.entry.node, signed.entry.signing) => Ok(()),
            Err(error) => Err(Stopped::Misbehaved(format!("introduces {}: {error}", signed.entry.node))),
        }
    }

    fn bundle(&self, seq: LinkSeq, bytes: Arc<[u8]>) -> Event {
        let (connection, lane) = (self.link.number, self.lane);
        match verify::bundle(bytes.clone(), &self.link.node.directory) {
            Ok(bundle) if bundle.head().urgency.lane() != lane => {
                Event::BadBundle { connection, lane, seq, why: VerifyError::WrongLane, bytes }
            }
            Ok(bundle) => Event::Bundle { connection, lane, seq, bundle },
            Err(why) => Event::BadBundle { connection, lane, seq, why, bytes },
        }
    }
}

async fn head(stream: &mut ReceiveHalf) -> Result<FrameHead, Stopped> {
    let mut head = [0; FRAME_HEAD_BYTES];
    match stream.read_exact(&mut head).await {
        Ok(()) => FrameHead::from_bytes(&head).map_err(|e| Stopped::Misbehaved(e.to_string())),
        Err(NotRead::Ended(n)) if n > 0 => Err(cut_short()),
        Err(_) => Err(Stopped::Ended),
    }
}

fn cut_short() -> Stopped {
    Stopped::Misbehaved("a frame that is cut short".into())
}
