//! The programs of a city's nodes: some are of an earlier version, do not read some kinds, and are replaced during a run.

use std::cell::RefCell;
use std::rc::Rc;

use federation::sim::Draft;
use protocol::id::NodeId;
use protocol::wire::bundle::{Bundle, Message, Urgency};
use protocol::wire::codec::Malformed;
use protocol::wire::kind::{Body, KINDS, Kind};
use protocol::wire::later::{NotUnderstood, Vocabulary};

use crate::draw::Draw;

/// Of so many nodes one begins with an older program.
const ONE_IN: u64 = 3;
/// Kinds that it does not know, at most.
const LACKS_MAX: u64 = 3;

/// A bundle of which something was not read.
#[derive(Debug, Clone)]
pub(super) struct Noted {
    pub(super) bundle: Bundle,
    pub(super) returned: bool,
    places: Vec<usize>,
}

impl Noted {
    /// Its messages that were not read, or are read now.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.places.iter().filter_map(|place| self.bundle.messages().get(*place))
    }
}

/// The program of a node, which no restore makes older again, and on its disk what it could not read.
#[derive(Debug, Clone)]
pub(super) struct Program {
    reads: Rc<RefCell<Vocabulary>>,
    unread: Rc<Vec<Noted>>,
    /// It has started and not looked yet for what it knows by now.
    looks: bool,
    /// A program that forgets what it could not read. To prove that it is noticed.
    forgets: bool,
}

/// What the program of a node was written before, by a seed.
pub(super) fn later_than(seed: u64, node: NodeId) -> Vec<(Kind, u16)> {
    let node = node.as_bytes().iter().fold(seed, |sum, byte| sum.wrapping_mul(257).wrapping_add(u64::from(*byte)));
    let mut draw = Draw(node);
    if draw.below(ONE_IN) != 0 {
        return Vec::new();
    }
    let of_cases = |(kind, schema, _): &(u16, u16, &str)| {
        let kind = (Kind(*kind), *schema);
        (!kind.0.is_the_links()).then_some(kind)
    };
    let kinds: Vec<_> = KINDS.iter().filter_map(of_cases).collect();
    (0..=draw.below(LACKS_MAX)).map(|_| draw.of(&kinds)).collect()
}

impl Program {
    /// Today's, or one from before some kinds.
    pub(super) fn before(later: Vec<(Kind, u16)>, forgets: bool) -> Self {
        let reads = Rc::new(RefCell::new(Vocabulary::before(later)));
        Self { reads, unread: Rc::default(), looks: false, forgets }
    }

    /// Whether there is a later one.
    pub(super) fn is_older(&self) -> bool {
        *self.reads.borrow() != Vocabulary::default()
    }

    /// Replaces it by today's. The node must be started anew.
    pub(super) fn upgrade(&self) {
        self.reads.replace(Vocabulary::default());
    }

    pub(super) fn read(&self, message: &Message) -> Result<Option<Body>, Malformed> {
        self.reads.borrow().read(message)
    }

    /// Notes what it does not read of a bundle that came; what it says of that which it would have to understand.
    pub(super) fn note(&mut self, bundle: &Bundle, me: NodeId, returned: bool) -> Option<Draft> {
        let unread = self.reads.borrow().unread(bundle, me, returned);
        if !unread.kept.is_empty() && !self.forgets {
            let noted = Noted { bundle: bundle.clone(), returned, places: unread.kept };
            Rc::make_mut(&mut self.unread).push(noted);
        }
        let body = Body::NotUnderstood(NotUnderstood::of(bundle.head().id, unread.refused)?);
        Some(Draft { id: None, to: bundle.head().origin, urgency: Urgency::Routine, receipted: true, body })
    }

    /// The node starts.
    pub(super) fn started(&mut self) {
        self.looks = !self.unread.is_empty();
    }

    /// Whether it has to look for what it knows by now.
    pub(super) fn looks(&self) -> bool {
        self.looks
    }

    /// How many bundles it could read and has not. What a hostile node makes up nobody ever knows.
    pub(super) fn unread(&self) -> usize {
        self.unread.iter().filter(|noted| noted.messages().any(|message| self.knows(message))).count()
    }

    /// How many bundles are noted.
    #[cfg(test)]
    pub(super) fn noted(&self) -> usize {
        self.unread.len()
    }

    fn knows(&self, message: &Message) -> bool {
        self.reads.borrow().knows(message.kind, message.schema)
    }

    /// What it knows by now of what an earlier one could not read, in the order in which it came.
    pub(super) fn knows_by_now(&mut self) -> Vec<Noted> {
        self.looks = false;
        let (mut known, mut left) = (Vec::new(), Vec::new());
        for noted in self.unread.iter() {
            let is_known = |place: &usize| noted.bundle.messages().get(*place).is_some_and(|m| self.knows(m));
            let (now, later): (Vec<_>, Vec<_>) = noted.places.iter().partition(|place| is_known(place));
            let part = |places| Noted { places, ..noted.clone() };
            known.extend(Some(part(now)).filter(|part| !part.places.is_empty()));
            left.extend(Some(part(later)).filter(|part| !part.places.is_empty()));
        }
        self.unread = Rc::new(left);
        known
    }
}
