//! The lanes of one connection, without a socket: it takes records and bytes, and says which record is next.

use std::collections::VecDeque;
use std::io::Read;

use bytes::{Buf, Bytes};

use super::record::{Broken, DATA_BYTES_MAX, Record};

/// Bytes that wait on a lane before its writer does. One part of any size is taken below it.
const WAITING_MAX: usize = 64 * 1024;
/// Room that an empty lane keeps: nearly all lanes are silent at any moment.
const ROOM_KEPT: usize = 1024;

/// How many lanes, and how much each side may send on one before it is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) lanes: u8,
    pub(super) window: u32,
}

impl Shape {
    /// A link.
    pub(super) const LINK: Self = Self { lanes: 4, window: 256 * 1024 };
    /// One request and one answer, from somebody who has proven nothing.
    pub(super) const QUESTION: Self = Self { lanes: 1, window: 64 * 1024 };
}

/// Whether something was said that can be said once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Once {
    No,
    Wanted,
    Said,
}

#[derive(Debug)]
struct LaneState {
    incoming: VecDeque<u8>,
    incoming_ended: bool,
    /// What the peer may still send.
    room: u32,
    /// What was read since the peer was last given credit.
    taken: u32,
    outgoing: VecDeque<Bytes>,
    waiting: usize,
    /// What may still be sent.
    credit: u32,
    end: Once,
}

/// What a record has changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing that somebody waits for.
    None,
    /// There is something to read on this lane, or its end.
    Readable(u8),
    /// There may be something to write.
    Work,
    /// The peer ends the connection.
    Closed(String),
}

/// The lanes of one end of a connection.
#[derive(Debug)]
pub(super) struct Mux {
    lanes: Vec<LaneState>,
    window: u32,
    ping: bool,
    pong: bool,
    closing: Once,
    farewell: (u32, String),
}

impl Mux {
    pub(super) fn new(shape: Shape) -> Self {
        let lane = |_| LaneState {
            incoming: VecDeque::new(),
            incoming_ended: false,
            room: shape.window,
            taken: 0,
            outgoing: VecDeque::new(),
            waiting: 0,
            credit: shape.window,
            end: Once::No,
        };
        Self {
            lanes: (0..shape.lanes).map(lane).collect(),
            window: shape.window,
            ping: false,
            pong: false,
            closing: Once::No,
            farewell: (0, String::new()),
        }
    }

    fn lane(&mut self, lane: u8) -> Result<&mut LaneState, Broken> {
        self.lanes.get_mut(usize::from(lane)).ok_or(Broken::Lane(lane))
    }

    /// A record that came in.
    pub(super) fn take(&mut self, record: Record) -> Result<News, Broken> {
        if let Record::Close(_, why) = record {
            return Ok(News::Closed(why));
        }
        // This side has ended the connection: what comes until the other has heard of it is nothing any more.
        if self.is_closing() {
            return Ok(News::None);
        }
        let window = self.window;
        match record {
            Record::Data(number, data) => self.lane(number)?.arrived(number, &data),
            Record::Credit(number, bytes) => {
                let lane = self.lane(number)?;
                let credit = lane.credit.checked_add(bytes).filter(|credit| *credit <= window);
                lane.credit = credit.ok_or(Broken::Credit(number))?;
                Ok(News::Work)
            }
            Record::End(number) => {
                let lane = self.lane(number)?;
                if std::mem::replace(&mut lane.incoming_ended, true) {
                    return Err(Broken::AfterEnd(number));
                }
                Ok(News::Readable(number))
            }
            Record::Ping => {
                self.pong = true;
                Ok(News::Work)
            }
            Record::Pong | Record::Close(..) => Ok(News::None),
        }
    }

    /// The next record to send: what keeps the connection going, then data of the most urgent lane that has credit.
    pub(super) fn next(&mut self) -> Option<Record> {
        match self.closing {
            Once::No => {}
            Once::Wanted => {
                self.closing = Once::Said;
                let (code, why) = std::mem::take(&mut self.farewell);
                return Some(Record::Close(code, why));
            }
            Once::Said => return None,
        }
        if std::mem::take(&mut self.pong) {
            return Some(Record::Pong);
        }
        if std::mem::take(&mut self.ping) {
            return Some(Record::Ping);
        }
        let half = self.window / 2;
        let credit = numbered(&mut self.lanes).find_map(|(number, lane)| lane.credit_back(number, half));
        credit.or_else(|| numbered(&mut self.lanes).find_map(|(number, lane)| lane.next(number)))
    }

    /// Fills the buffer as far as there is something; how far, and whether the peer is to have credit for it.
    pub(super) fn read(&mut self, lane: u8, buffer: &mut [u8]) -> (usize, bool) {
        let half = self.window / 2;
        let Ok(lane) = self.lane(lane) else { return (0, false) };
        let read = lane.read(buffer);
        (read, lane.owes(half))
    }

    /// Whether all that will ever come on this lane has been read.
    pub(super) fn has_ended(&self, lane: u8) -> bool {
        self.lanes.get(usize::from(lane)).is_none_or(|lane| lane.incoming_ended && lane.incoming.is_empty())
    }

    /// Takes more to send, unless too much waits already.
    pub(super) fn write(&mut self, lane: u8, part: &Bytes) -> bool {
        let Ok(lane) = self.lane(lane) else { return false };
        if lane.waiting >= WAITING_MAX {
            return false;
        }
        if !part.is_empty() {
            lane.waiting = lane.waiting.saturating_add(part.len());
            lane.outgoing.push_back(part.clone());
        }
        true
    }

    /// Nothing follows on this lane.
    pub(super) fn finish(&mut self, lane: u8) {
        if let Ok(lane) = self.lane(lane)
            && lane.end == Once::No
        {
            lane.end = Once::Wanted;
        }
    }

    /// Whether the end of this lane was handed out, after all that was written on it.
    pub(super) fn is_finished(&self, lane: u8) -> bool {
        self.lanes.get(usize::from(lane)).is_none_or(|lane| lane.end == Once::Said)
    }

    /// The peer is to show that it lives.
    pub(super) fn ping(&mut self) {
        self.ping = true;
    }

    /// Ends the connection; what waits is dropped. The first reason counts.
    pub(super) fn close(&mut self, code: u32, why: &str) {
        if self.is_closing() {
            return;
        }
        self.closing = Once::Wanted;
        self.farewell = (code, why.to_owned());
        for lane in &mut self.lanes {
            (lane.outgoing, lane.waiting) = (VecDeque::new(), 0);
        }
    }

    /// Whether this side has ended the connection.
    pub(super) fn is_closing(&self) -> bool {
        self.closing != Once::No
    }
}

fn numbered(lanes: &mut [LaneState]) -> impl Iterator<Item = (u8, &mut LaneState)> {
    (0..u8::MAX).zip(lanes)
}

impl LaneState {
    fn arrived(&mut self, number: u8, data: &[u8]) -> Result<News, Broken> {
        if self.incoming_ended {
            return Err(Broken::AfterEnd(number));
        }
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.room = self.room.checked_sub(length).ok_or(Broken::Credit(number))?;
        self.incoming.extend(data);
        Ok(News::Readable(number))
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let mut read = 0_usize;
        // A ring gives its two halves one after the other, and never fails.
        while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match self.incoming.read(rest) {
                Ok(some) if some > 0 => read = read.saturating_add(some),
                _ => break,
            }
        }
        if self.incoming.is_empty() {
            self.incoming.shrink_to(ROOM_KEPT);
        }
        self.taken = self.taken.saturating_add(u32::try_from(read).unwrap_or(u32::MAX));
        read
    }

    fn owes(&self, half: u32) -> bool {
        self.taken >= half && !self.incoming_ended
    }

    fn credit_back(&mut self, number: u8, half: u32) -> Option<Record> {
        if !self.owes(half) {
            return None;
        }
        let taken = std::mem::take(&mut self.taken);
        self.room = self.room.saturating_add(taken);
        Some(Record::Credit(number, taken))
    }

    fn next(&mut self, number: u8) -> Option<Record> {
        if self.outgoing.is_empty() {
            if self.end != Once::Wanted {
                return None;
            }
            self.end = Once::Said;
            return Some(Record::End(number));
        }
        let most = usize::try_from(self.credit).unwrap_or(usize::MAX).min(DATA_BYTES_MAX).min(self.waiting);
        if most == 0 {
            return None;
        }
        let mut data = Vec::with_capacity(most);
        while let Some(part) = self.outgoing.front_mut() {
            let some = most.saturating_sub(data.len()).min(part.len());
            data.extend_from_slice(part.get(..some).unwrap_or_default());
            part.advance(some);
            if part.has_remaining() {
                break;
            }
            self.outgoing.pop_front();
        }
        self.waiting = self.waiting.saturating_sub(data.len());
        self.credit = self.credit.saturating_sub(u32::try_from(data.len()).unwrap_or(u32::MAX));
        Some(Record::Data(number, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Mux {
        Mux::new(Shape::LINK)
    }

    fn bytes(length: usize) -> Bytes {
        vec![1; length].into()
    }

    /// Moves all that one end has to say to the other.
    fn all(from: &mut Mux, to: &mut Mux) {
        while let Some(record) = from.next() {
            to.take(record).unwrap();
        }
    }

    #[test]
    fn an_urgent_lane_waits_for_one_record_of_bulk_at_most() {
        let mut mux = link();
        assert!(mux.write(3, &bytes(1_000_000)));
        assert!(matches!(mux.next(), Some(Record::Data(3, data)) if data.len() == DATA_BYTES_MAX));
        assert!(mux.write(1, &bytes(10)));
        assert!(mux.write(0, &bytes(20)));
        assert!(matches!(mux.next(), Some(Record::Data(0, data)) if data.len() == 20));
        assert!(matches!(mux.next(), Some(Record::Data(1, data)) if data.len() == 10));
        assert!(matches!(mux.next(), Some(Record::Data(3, _))));
    }

    #[test]
    fn a_lane_that_nobody_reads_stops_at_its_window_and_leaves_the_others_alone() {
        let (mut one, mut other) = (link(), link());
        assert!(one.write(3, &bytes(1_000_000)));
        all(&mut one, &mut other);
        assert!(!one.write(3, &bytes(1)), "its writer waits");
        assert_eq!(other.lanes[3].incoming.len(), 256 * 1024);
        assert!(one.write(2, &bytes(30)));
        all(&mut one, &mut other);
        let mut buffer = [0; 100];
        assert_eq!(other.read(2, &mut buffer).0, 30);
    }

    #[test]
    fn what_is_read_gives_credit_back_and_all_of_it_arrives_in_order() {
        let (mut one, mut other) = (link(), link());
        let sent: Vec<u8> = (0..=250).cycle().take(1_000_000).collect();
        assert!(one.write(1, &sent.clone().into()));
        one.finish(1);
        let (mut got, mut buffer) = (Vec::new(), [0; 10_000]);
        while !other.has_ended(1) {
            all(&mut one, &mut other);
            let read = other.read(1, &mut buffer).0;
            got.extend_from_slice(&buffer[..read]);
            all(&mut other, &mut one);
        }
        assert!(got == sent);
        assert!(one.is_finished(1));
        assert!(other.lanes[1].incoming.capacity() <= ROOM_KEPT, "an empty lane keeps no room");
    }

    #[test]
    fn more_than_the_credit_is_refused_before_it_is_kept() {
        let mut mux = link();
        for _ in 0..32 {
            mux.take(Record::Data(2, vec![0; DATA_BYTES_MAX])).unwrap();
        }
        assert_eq!(mux.take(Record::Data(2, vec![0])), Err(Broken::Credit(2)));
        assert_eq!(mux.lanes[2].incoming.len(), 256 * 1024);
    }

    #[test]
    fn credit_that_was_not_used_cannot_be_given_back() {
        let mut mux = link();
        assert_eq!(mux.take(Record::Credit(1, 1)), Err(Broken::Credit(1)));
        assert_eq!(mux.take(Record::Credit(1, u32::MAX)), Err(Broken::Credit(1)));
    }

    #[test]
    fn a_question_has_one_lane() {
        let mut mux = Mux::new(Shape::QUESTION);
        assert_eq!(mux.take(Record::Data(0, vec![1])), Ok(News::Readable(0)));
        assert_eq!(mux.take(Record::Data(1, vec![1])), Err(Broken::Lane(1)));
    }

    #[test]
    fn nothing_follows_the_end_of_a_lane() {
        let mut mux = link();
        mux.take(Record::End(1)).unwrap();
        assert_eq!(mux.take(Record::Data(1, vec![1])), Err(Broken::AfterEnd(1)));
        assert_eq!(mux.take(Record::End(1)), Err(Broken::AfterEnd(1)));
    }

    #[test]
    fn a_thousand_pings_are_answered_once() {
        let mut mux = link();
        for _ in 0..1_000 {
            assert_eq!(mux.take(Record::Ping), Ok(News::Work));
        }
        assert_eq!(mux.next(), Some(Record::Pong));
        assert_eq!(mux.next(), None);
    }

    #[test]
    fn a_farewell_goes_before_all_that_waits_and_is_the_last_word() {
        let mut mux = link();
        assert!(mux.write(0, &bytes(10)));
        mux.close(1, "first");
        mux.close(2, "second");
        assert_eq!(mux.next(), Some(Record::Close(1, "first".into())));
        assert_eq!(mux.next(), None);
        assert_eq!(mux.take(Record::Data(9, vec![1])), Ok(News::None), "what comes after it is nothing");
    }
}
