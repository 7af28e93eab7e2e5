//! The core by itself: a county node between its city and two townships, told things one by one.

mod greeting;
mod moves;
mod numbers;
mod places;
mod waiting;

use protocol::bounded::List;
use protocol::chain::{Hash, Signature};
use protocol::directory::{KeyId, SignedEntry};
use protocol::division::DivisionCode;
use protocol::id::{BundleId, MessageId, NodeId};
use protocol::time::UnixMillis;
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::control::{Control, Hello, Incarnation, LaneState, Position, Verdict};
use protocol::wire::frame::{Lane, LinkSeq};
use protocol::wire::kind::Kind;

use super::*;

/// The city, above.
const TOP: NodeId = NodeId::from_bytes([1; 16]);
/// The county: the node under test.
const ME: NodeId = NodeId::from_bytes([2; 16]);
/// A township, below.
const LEFT: NodeId = NodeId::from_bytes([3; 16]);
/// Another.
const RIGHT: NodeId = NodeId::from_bytes([4; 16]);
/// A community below LEFT.
const LEAF: NodeId = NodeId::from_bytes([5; 16]);
/// A node somewhere else in the federation.
const FAR: NodeId = NodeId::from_bytes([6; 16]);

/// A kind that is only passed on, and one that is kept on the way.
const ORDER: Kind = Kind(10);
const TALLY: Kind = Kind(4);

fn division(node: NodeId) -> DivisionCode {
    let number = match node {
        TOP => 330_600_000_000_000,
        ME => 330_602_000_000_000,
        LEFT => 330_602_001_000_000,
        RIGHT => 330_602_002_000_000,
        LEAF => 330_602_001_001_000,
        _ => 330_603_000_000_000,
    };
    DivisionCode::from_number(number).unwrap()
}

fn entry(node: NodeId) -> SignedEntry {
    crate::sim::entry(node, division(node), None)
}

fn identity(node: NodeId, parent: Option<NodeId>) -> Identity {
    Identity { node, division: division(node), root: [7; 32], roots: Vec::new(), entry: entry(node), parent }
}

fn kept(links: Vec<KeptLink>) -> Kept {
    let routes = vec![(LEFT, LEFT), (LEAF, LEFT), (RIGHT, RIGHT)];
    Kept { links, children: vec![LEFT, RIGHT], routes, former: Vec::new(), ancestors: Vec::new(), seed: [9; 32] }
}

fn run(counter: u32, nonce: u64) -> Incarnation {
    Incarnation { counter, nonce }
}

fn bundle(id: u8, origin: NodeId, to: NodeId, kind: Kind, receipted: bool) -> Bundle {
    let id = BundleId::from_bytes([id; 16]);
    let head = BundleHead { id, origin, key: KeyId([0; 8]), to, urgency: Urgency::Routine, receipted };
    let message = Message { id: MessageId::from_bytes([0; 16]), kind, schema: 1, body: vec![1, 2, 3] };
    Bundle::seal(head, vec![message], |_| Signature([0; 64])).unwrap()
}

/// What a peer that stands at the beginning says first.
fn hello(peer: NodeId, own: Incarnation) -> Hello {
    let lanes = Lane::NUMBERED.map(|lane| LaneState { lane, received: Position::START, last: Position::START });
    Hello {
        versions: (1, 1),
        node: peer,
        division: division(peer),
        root: [7; 32],
        incarnation: own,
        peer_incarnation: None,
        peer_counter_seen: 0,
        lanes: List::new(lanes.to_vec()).unwrap(),
        ancestors: List::default(),
        clock: UnixMillis(0),
        entry: entry(peer),
    }
}

/// A core and its store of link states.
struct Rig {
    core: Core,
    now: u64,
    links: BTreeMap<NodeId, KeptLink>,
}

impl Rig {
    fn new() -> Self {
        Self::with(Limits::default(), Vec::new())
    }

    fn with(limits: Limits, links: Vec<KeptLink>) -> Self {
        let core = Core::resume(identity(ME, Some(TOP)), kept(links.clone()), limits);
        Self { core, now: 0, links: links.into_iter().map(|link| (link.peer, link)).collect() }
    }

    fn feed(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        let now = Now { uptime: Uptime(self.now), wall: UnixMillis(0) };
        self.core.handle(now, input, &mut out);
        out
    }

    /// Makes durable what the outputs ask for.
    fn commit(&mut self, outputs: &[Output]) -> Vec<Output> {
        let mut tickets = Vec::new();
        for output in outputs {
            if let Output::Persist { ticket, write } = output {
                tickets.push(*ticket);
                if let Write::Link(link) = write {
                    self.links.insert(link.peer, link.clone());
                }
            }
        }
        self.feed(Input::Committed { tickets })
    }

    fn open(&mut self, peer: NodeId, connection: u64) -> Hello {
        let dialled = peer == TOP;
        let out = self.feed(Input::LinkOpened { peer, connection: ConnectionId(connection), dialled });
        controls(&out)
            .into_iter()
            .find_map(|control| match control {
                Control::Hello(hello) => Some(*hello),
                _ => None,
            })
            .expect("it greets")
    }

    fn control(&mut self, connection: u64, frame: Control) -> Vec<Output> {
        self.feed(Input::Control { connection: ConnectionId(connection), frame })
    }

    /// Brings a link up with a peer that says this.
    fn up(&mut self, connection: u64, hello: Hello) -> Vec<Output> {
        self.open(hello.node, connection);
        let mut out = self.control(connection, Control::Hello(Box::new(hello)));
        out.extend(self.control(connection, Control::Verdict(Verdict::Resume)));
        let more = self.commit(&out);
        out.extend(more);
        out
    }

    fn arrive(&mut self, connection: u64, seq: u64, bundle: Bundle, held: Option<bool>) -> Vec<Output> {
        self.feed(Input::Arrived {
            connection: ConnectionId(connection),
            lane: Lane::Cases,
            seq: LinkSeq(seq),
            bundle: Verified::assertion(bundle),
            seen: held.is_some(),
            held_unreceipted: held.unwrap_or(false),
        })
    }
}

fn controls(outputs: &[Output]) -> Vec<Control> {
    let frames = outputs.iter().filter_map(|output| match output {
        Output::Send { frame: FrameOut::Control(control), .. } => Some(control.clone()),
        _ => None,
    });
    frames.collect()
}

fn acks(outputs: &[Output]) -> Vec<(Lane, u64)> {
    let acks = controls(outputs).into_iter().filter_map(|control| match control {
        Control::Ack { lane, upto, .. } => Some((lane, upto.0)),
        _ => None,
    });
    acks.collect()
}

fn sent(outputs: &[Output]) -> Vec<u64> {
    let sent = outputs.iter().filter_map(|output| match output {
        Output::Send { frame: FrameOut::Bundle { seq, .. }, .. } => Some(seq.0),
        _ => None,
    });
    sent.collect()
}

fn verdicts(outputs: &[Output]) -> Vec<Verdict> {
    let verdicts = controls(outputs).into_iter().filter_map(|control| match control {
        Control::Verdict(verdict) => Some(verdict),
        _ => None,
    });
    verdicts.collect()
}

fn closed(outputs: &[Output]) -> Vec<Closing> {
    let closed = outputs.iter().filter_map(|output| match output {
        Output::Close { why, .. } => Some(*why),
        _ => None,
    });
    closed.collect()
}

fn alarms(outputs: &[Output]) -> Vec<Alarm> {
    let alarms = outputs.iter().filter_map(|output| match output {
        Output::Raise(alarm) => Some(*alarm),
        _ => None,
    });
    alarms.collect()
}

/// The chain hash after these bundles.
fn chain(bundles: &[Bundle]) -> Hash {
    bundles.iter().fold(Hash::ZERO, |hash, bundle| hash.chain(bundle.bytes()))
}
