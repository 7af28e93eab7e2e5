//! The sending half of a lane. It has a task only while something waits: a city has tens of thousands of lanes, and
//! nearly all are silent at any moment.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use protocol::id::NodeId;
use protocol::wire::codec;
use protocol::wire::control::Control;
use protocol::wire::frame::{FrameHead, FrameKind, LinkSeq};
use protocol::wire::limits::CONTROL_BYTES_MAX;
use tokio::sync::oneshot;

use crate::core::FrameOut;
use crate::driver::connection::{Over, SendHalf};
use crate::driver::host::capture::Capture;
use crate::trust::Directory;

/// Frames that one write takes from the queue.
const COALESCED_MAX: usize = 256;
/// Places that an empty queue keeps.
const PLACES_KEPT: usize = 8;

/// What waits in the queue of a lane.
pub(in crate::driver) enum Queued {
    /// A frame.
    Frame(FrameOut),
    /// Nothing follows. Told once the peer has everything, or will have it before any end.
    Last(oneshot::Sender<()>),
}

/// A stream and which keys the peer was told on it.
pub(in crate::driver) struct Voice {
    stream: SendHalf,
    introduced: HashSet<(NodeId, u64)>,
}

/// Who may write on the stream.
enum Turn {
    /// Nobody does.
    Free(Box<Voice>),
    /// A task does.
    Taken,
    /// The lane is over.
    Over,
}

struct State {
    waiting: VecDeque<Queued>,
    turn: Turn,
}

/// The sending half of one lane.
pub(in crate::driver) struct Outgoing(Mutex<State>);

/// What writing needs to know.
pub(in crate::driver) struct Context<'a> {
    pub(in crate::driver) directory: &'a Directory,
    pub(in crate::driver) capture: Option<&'a Capture>,
}

impl Outgoing {
    pub(in crate::driver) fn new(stream: SendHalf) -> Self {
        let voice = Box::new(Voice { stream, introduced: HashSet::new() });
        Self(Mutex::new(State { waiting: VecDeque::new(), turn: Turn::Free(voice) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something into the queue. Whoever gets the voice must [`Self::drain`] the queue with it.
    pub(in crate::driver) fn push(&self, queued: Queued) -> Option<Box<Voice>> {
        let mut state = self.state();
        match std::mem::replace(&mut state.turn, Turn::Taken) {
            // It belongs to a connection that is ending; `Closed` says so.
            Turn::Over => {
                state.turn = Turn::Over;
                None
            }
            Turn::Taken => {
                state.waiting.push_back(queued);
                None
            }
            Turn::Free(voice) => {
                state.waiting.push_back(queued);
                Some(voice)
            }
        }
    }

    /// Writes until the queue is empty or the stream ends.
    pub(in crate::driver) async fn drain(&self, mut voice: Box<Voice>, context: Context<'_>) {
        loop {
            let batch = {
                let mut state = self.state();
                if state.waiting.is_empty() {
                    state.waiting.shrink_to(PLACES_KEPT);
                    state.turn = Turn::Free(voice);
                    return;
                }
                let most = state.waiting.len().min(COALESCED_MAX);
                state.waiting.drain(..most).collect::<Vec<_>>()
            };
            if voice.write(batch, &context).await.is_err() {
                let mut state = self.state();
                state.turn = Turn::Over;
                state.waiting = VecDeque::new();
                return;
            }
        }
    }
}

impl Voice {
    async fn write(&mut self, batch: Vec<Queued>, context: &Context<'_>) -> Result<(), Over> {
        let (mut parts, mut last) = (Vec::new(), None);
        for queued in batch {
            match queued {
                Queued::Frame(frame) if last.is_none() => self.lay_out(frame, context.directory, &mut parts),
                Queued::Frame(_) => {}
                Queued::Last(told) => last = Some(told),
            }
        }
        if let Some(capture) = context.capture {
            capture.write(&parts);
        }
        self.stream.write(&mut parts).await?;
        let Some(told) = last else { return Ok(()) };
        // An error says that the lane or the connection is over, and so is the waiting.
        if self.stream.finish().is_ok() {
            self.stream.finished().await;
        }
        let _ = told.send(());
        Err(Over)
    }

    fn lay_out(&mut self, frame: FrameOut, directory: &Directory, parts: &mut Vec<Bytes>) {
        match frame {
            FrameOut::Control(control) => control_frame(&control, parts),
            FrameOut::Bundle { seq, bytes, origin, .. } => {
                for signed in directory.entries(origin) {
                    if self.introduced.insert((origin, signed.entry.serial)) {
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
