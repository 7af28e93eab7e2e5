//! A child with good certificates and bad manners: it greets as it should, and then sends what no sound node sends.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use federation::core::{ConnectionId, Core, FrameOut, Identity, Input, Kept, Limits, Now, Output, Page, Query, Uptime};
use federation::driver::{Endpoint, Event, HostSettings, Parent, Setup, Transport};
use federation::trust::{Anchors, Directory, NodeKeys, Registry};
use protocol::id::{BundleId, MessageId, NodeId};
use protocol::time::UnixMillis;
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::control::Control;
use protocol::wire::frame::{Lane, LinkSeq};
use protocol::wire::kind::{Body, Kind};
use protocol::wire::later::{Foreign, NotUnderstood};
use protocol::wire::limits::BUNDLE_BYTES_MAX;
use tokio::sync::mpsc;
use wuji::config::Config;
use wuji::folder::Folder;

use crate::line::HEALED;

/// A kind that nobody knows yet.
const LATER: Kind = Kind(30_000);

/// A node that was joined and is not run: this speaks in its name.
pub struct Hostile {
    endpoint: Endpoint,
    events: mpsc::Receiver<Event>,
    identity: Identity,
    keys: Arc<NodeKeys>,
    began: Instant,
}

/// A link that was greeted and is up.
pub struct Greeted {
    connection: u64,
    hello: Option<Control>,
    core: Core,
    up: bool,
}

impl Hostile {
    /// Speaks for the node of a folder.
    pub fn of(folder: &Path) -> Self {
        let config = Config::load(folder).expect("a configuration");
        let folder = Folder::new(folder);
        let keys = Arc::new(NodeKeys::load(&folder.keys()).expect("keys"));
        let enrolled = folder.enrolled().expect("what it was enrolled with");
        let anchors = Anchors::of(&enrolled).expect("an authority");
        let parent = config.parent.expect("a parent");
        let directory = Directory::new(anchors.present());
        directory.trust(anchors.issuers());
        directory.insert(enrolled.entry).expect("its own entry");
        let setup = Setup {
            node: config.node.id,
            keys: keys.clone(),
            chain: anchors.chain(&enrolled).expect("certificates"),
            roots: anchors.roots(),
            directory,
            registry: Registry::new(),
            parent: Some(Parent { node: parent.id, address: parent.address, spki: None, transport: Transport::Quic }),
            events_max: 64,
        };
        let here = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
        let (endpoint, events) = Endpoint::bind(here, HostSettings::default(), setup).expect("a socket");
        let identity = Identity {
            node: config.node.id,
            division: config.node.division,
            root: anchors.greeting(),
            roots: anchors.greetings(),
            entry: enrolled.entry,
            parent: Some(parent.id),
        };
        Self { endpoint, events, identity, keys, began: Instant::now() }
    }

    fn now(&self) -> Now {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
        let wall = UnixMillis(i64::try_from(since.as_millis()).expect("a clock before year 292277026"));
        Now { uptime: Uptime(u64::try_from(self.began.elapsed().as_millis()).expect("a short test")), wall }
    }

    async fn event(&mut self) -> Event {
        tokio::time::timeout(HEALED, self.events.recv()).await.expect("the parent answers").expect("the endpoint lives")
    }

    /// Dials and greets as a sound node does, until the link is up.
    pub async fn greet(&mut self) -> Greeted {
        let core = Core::resume(self.identity.clone(), Kept::default(), Limits::default());
        let mut link = Greeted { connection: 0, hello: None, core, up: false };
        self.endpoint.dial();
        while !link.up {
            let input = match self.event().await {
                Event::Opened { connection: opened, peer, dialled, .. } => {
                    link.connection = opened;
                    Input::LinkOpened { peer, connection: ConnectionId(opened), dialled }
                }
                Event::Control { connection, frame } => Input::Control { connection: ConnectionId(connection), frame },
                Event::DialFailed { why } => panic!("the parent is not reached: {why}"),
                _ => continue,
            };
            self.feed(&mut link, input);
        }
        link
    }

    /// Does what a sound node does, with a store that keeps nothing.
    fn feed(&self, link: &mut Greeted, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut outputs = Vec::new();
            link.core.handle(self.now(), input, &mut outputs);
            for output in outputs {
                match output {
                    Output::Send { connection, frame } => {
                        if let FrameOut::Control(frame @ Control::Hello(_)) = &frame {
                            link.hello = Some(frame.clone());
                        }
                        self.endpoint.send(connection.0, frame);
                    }
                    Output::Persist { ticket, .. } => inputs.push(Input::Committed { tickets: vec![ticket] }),
                    Output::Fetch { ticket, query } => inputs.push(Input::Page { ticket, page: nothing(&query) }),
                    Output::LinkUp { .. } => link.up = true,
                    _ => {}
                }
            }
        }
    }

    /// Greets again on a link that is up, which nobody does.
    pub fn greet_again(&self, link: &Greeted) {
        self.endpoint.send(link.connection, FrameOut::Control(link.hello.clone().expect("it has greeted")));
    }

    /// Acknowledges nothing, so many times.
    pub async fn acknowledge_nothing(&self, link: &Greeted, times: u32) {
        for n in 0..times {
            let frame = Control::Ack { lane: Lane::Cases, upto: LinkSeq(0), credit: 1 };
            self.endpoint.send(link.connection, FrameOut::Control(frame));
            if n % 1_000 == 0 {
                // What is sent waits in this process: no more than is read.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }

    /// Sends a bundle under a number far from the next.
    pub fn leave_a_gap(&self, link: &Greeted) {
        self.send_bundle(link, 1_000_000, self.identity.parent.expect("a parent"), vec![1], false);
    }

    /// Sends a frame that says it is longer than any bundle.
    pub fn send_too_much(&self, link: &Greeted) {
        let (lane, origin) = (Lane::Cases, self.identity.node);
        let bytes = vec![0; BUNDLE_BYTES_MAX + 1].into();
        self.endpoint.send(link.connection, FrameOut::Bundle { lane, seq: LinkSeq(1), bytes, origin });
    }

    /// Sends bundles to itself by way of the parent, which nobody does: so many, of so many bytes.
    pub async fn send_astray(&self, link: &Greeted, many: u64, bytes: usize) {
        for seq in 1..=many {
            self.send_bundle(link, seq, self.identity.node, vec![7; bytes], false);
            // What is sent waits in this process: no more than is read.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends the parent so many bundles of a later version.
    pub async fn send_later(&self, link: &Greeted, many: u64) {
        for seq in 1..=many {
            self.send_bundle(link, seq, self.identity.parent.expect("a parent"), vec![7; 100], false);
            // What is sent waits in this process: no more than is read.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends what a later version might: a message of a kind that nobody knows yet, under the next number, for which it
    /// awaits the terminal receipt.
    pub fn send_unknown(&self, link: &Greeted, seq: u64, to: NodeId) -> BundleId {
        self.send_bundle(link, seq, to, b"from later on".to_vec(), true)
    }

    /// Sends what a later version might say that its receiver must understand.
    pub fn send_to_be_understood(&self, link: &Greeted, seq: u64, to: NodeId) -> BundleId {
        let kind = LATER.understood_or_refused();
        self.send_message(link, (seq, to), (kind, 1, b"from later on".to_vec()), true)
    }

    /// Says that it did not understand these.
    pub fn refuse(&self, link: &Greeted, seq: u64, bundle: &Bundle, messages: Vec<Foreign>) -> BundleId {
        let told = NotUnderstood::of(bundle.head().id, messages).expect("something");
        let body = Body::NotUnderstood(told);
        let ((kind, schema), bytes) = (body.kind(), body.encode().expect("a small one"));
        self.send_message(link, (seq, bundle.head().origin), (kind, schema, bytes), true)
    }

    /// A bundle of a kind that nobody knows, whose id is its number.
    fn send_bundle(&self, link: &Greeted, seq: u64, to: NodeId, body: Vec<u8>, receipted: bool) -> BundleId {
        self.send_message(link, (seq, to), (LATER, 1, body), receipted)
    }

    fn send_message(
        &self,
        link: &Greeted,
        (seq, to): (u64, NodeId),
        (kind, schema, body): (Kind, u16, Vec<u8>),
        receipted: bool,
    ) -> BundleId {
        let bytes = u128::from(seq).to_be_bytes();
        let (id, origin, key) = (BundleId::from_bytes(bytes), self.identity.node, self.keys.signing_key().id());
        let message = Message { id: MessageId::from_bytes(bytes), kind, schema, body };
        let head = BundleHead { id, origin, key, to, urgency: Urgency::Routine, receipted };
        let bundle = Bundle::seal(head, vec![message], |bytes| self.keys.sign(bytes)).expect("a bundle");
        let frame = FrameOut::Bundle { lane: Lane::Cases, seq: LinkSeq(seq), bytes: bundle.bytes().clone(), origin };
        self.endpoint.send(link.connection, frame);
        id
    }

    /// Waits for the terminal receipt of a bundle, and is a sound node meanwhile; what it came in.
    pub async fn receipt(&mut self, link: &mut Greeted, of: BundleId) -> Bundle {
        self.answer(link, |body| matches!(body, Body::Delivered(told) if told.bundles.contains(&of))).await
    }

    /// Waits until somebody says that messages of a bundle were refused; which, and who said so.
    pub async fn refusal(&mut self, link: &mut Greeted, of: BundleId) -> (Vec<Foreign>, NodeId) {
        let mut refused = Vec::new();
        let said = |body: &Body| match body {
            Body::NotUnderstood(told) if told.bundle == of => {
                refused = told.messages.to_vec();
                true
            }
            _ => false,
        };
        let by = self.answer(link, said).await.head().origin;
        (refused, by)
    }

    async fn answer(&mut self, link: &mut Greeted, mut is_it: impl FnMut(&Body) -> bool) -> Bundle {
        loop {
            let bundle = match self.event().await {
                Event::Bundle { bundle, .. } => bundle,
                Event::Control { connection, frame } => {
                    self.feed(link, Input::Control { connection: ConnectionId(connection), frame });
                    continue;
                }
                Event::BadBundle { why, .. } => panic!("what the parent sends is not believed: {why}"),
                Event::Closed { why, .. } => panic!("the link was closed: {why}"),
                _ => continue,
            };
            let bodies = bundle.messages().iter().map(|m| Body::decode(m.kind, m.schema, &m.body));
            if bodies.filter_map(Result::ok).flatten().any(|body| is_it(&body)) {
                return (*bundle).clone();
            }
        }
    }

    /// Waits until the parent has closed the link.
    pub async fn cut_off(&mut self) {
        while !matches!(self.event().await, Event::Closed { .. }) {}
    }

    /// Who it says it is.
    pub fn node(&self) -> NodeId {
        self.identity.node
    }
}

/// What a store that keeps nothing answers.
fn nothing(query: &Query) -> Page {
    match query {
        Query::Outbox { .. } => Page::Outbox(Vec::new()),
        Query::HashAt { .. } => Page::Hash(None),
        Query::Inventory { .. } => Page::Inventory(Vec::new()),
        Query::Unseen { ids } => Page::Unseen(ids.clone()),
        Query::Bundles { .. } => Page::Bundles(Vec::new()),
    }
}
