//! The process of a node: the real core and the real driver, with the simulator's application and disk between them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::NodeId;
use protocol::time::UnixMillis;
use protocol::wire::bundle::Urgency;
use protocol::wire::codec;
use protocol::wire::control::{Control, SignedRenewal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::core::{ConnectionId, Identity, Input, Now, Uptime};
use crate::driver::event::{Ask, Event};
use crate::driver::host::Endpoint;
use crate::sim::tests::Toy;
use crate::sim::{Disk, Live, Wish};
use crate::trust::renewal::{self, RenewReply};
use crate::trust::time::NodeTime;
use crate::trust::{Authority, Directory, Registry};

/// How long a commit takes.
const COMMIT: Duration = Duration::from_millis(1);

/// What a process is told from outside.
pub(super) enum Order {
    /// File something for another node.
    File(NodeId, Urgency),
    /// A child may no longer connect.
    Revoke(NodeId),
    /// Say on the link that this is who it is.
    Identify(Box<Identity>),
    /// End, without a farewell of the core.
    End,
}

/// What was seen of a process.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Neighbours whose link is up, and since when.
    pub(super) up: BTreeMap<NodeId, Instant>,
    /// Links that went down.
    pub(super) downs: u32,
    /// Bundles as they came: when, from whom, how urgent.
    pub(super) came: Vec<(Instant, NodeId, Urgency)>,
    /// What the operator was told, and what must not be.
    pub(super) alarms: Vec<String>,
    /// Why dials failed and links ended.
    pub(super) why: Vec<String>,
}

/// What the authority keeps.
pub(super) struct Office {
    pub(super) authority: Authority,
    /// Answers by their request: a lost one is given again.
    pub(super) answers: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// One process.
pub(super) struct Station {
    pub(super) live: Live<Toy>,
    pub(super) disk: Rc<RefCell<Disk<Toy>>>,
    pub(super) endpoint: Endpoint,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) seen: Rc<RefCell<Seen>>,
    pub(super) me: NodeId,
    pub(super) parent: Option<NodeId>,
    pub(super) began: Instant,
    /// The wall clock of the machine.
    pub(super) wall: Box<dyn Fn() -> UnixMillis>,
    pub(super) time: Arc<NodeTime>,
    pub(super) directory: Directory,
    pub(super) registry: Registry,
    pub(super) office: Option<Rc<RefCell<Office>>>,
}

impl Station {
    fn now(&self) -> Now {
        let uptime = u64::try_from(self.began.elapsed().as_millis()).unwrap();
        Now { uptime: Uptime(uptime), wall: (self.wall)() }
    }

    /// Until it is told to end.
    pub(super) async fn run(mut self) {
        let mut wishes = Vec::new();
        loop {
            let wake = self.live.next_timeout().map(|at| self.began + Duration::from_millis(at.0));
            let wake = wake.unwrap_or_else(|| self.began + Duration::from_hours(100_000));
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    None | Some(Order::End) => return,
                    Some(order) => self.obey(order, &mut wishes),
                },
                event = self.events.recv() => match event {
                    None => return,
                    Some(event) => {
                        if let Some(input) = self.input(event) {
                            self.live.input(self.now(), input, &self.disk.borrow(), &mut wishes);
                        }
                    }
                },
                () = sleep_until(wake) => self.live.input(self.now(), Input::Timeout, &self.disk.borrow(), &mut wishes),
            }
            self.grant(&mut wishes).await;
        }
    }

    fn obey(&mut self, order: Order, wishes: &mut Vec<Wish>) {
        let (now, me) = (self.now(), self.me);
        match order {
            Order::File(to, urgency) => {
                let disk = self.disk.borrow();
                self.live.act(now, &disk, wishes, |toy, _| ((), vec![toy.draft(me, to, urgency)])).unwrap();
            }
            Order::Revoke(peer) => {
                self.directory.revoke(peer, u64::MAX);
                self.registry.remove(peer);
                self.endpoint.disconnect(peer, "revoked");
                self.live.input(now, Input::Revoked { peer }, &self.disk.borrow(), wishes);
            }
            Order::Identify(me) => self.live.input(now, Input::Identity(me), &self.disk.borrow(), wishes),
            Order::End => {}
        }
    }

    fn input(&mut self, event: Event) -> Option<Input> {
        Some(match event {
            Event::Opened { connection, peer, dialled, .. } => {
                Input::LinkOpened { peer, connection: ConnectionId(connection), dialled }
            }
            Event::Control { connection, frame } => {
                self.greeted(&frame);
                Input::Control { connection: ConnectionId(connection), frame }
            }
            Event::Bundle { connection, lane, seq, bundle } => {
                let head = bundle.head();
                self.seen.borrow_mut().came.push((Instant::now(), head.origin, head.urgency));
                let connection = ConnectionId(connection);
                Input::Arrived { connection, lane, seq, bundle, seen: false, held_unreceipted: false }
            }
            Event::BadBundle { connection, lane, seq, bytes, why } => {
                self.seen.borrow_mut().alarms.push(why.to_string());
                Input::Unbelieved { connection: ConnectionId(connection), lane, seq, bytes }
            }
            Event::Misbehaved { connection, what } => {
                self.seen.borrow_mut().alarms.push(what.clone());
                Input::Misbehaved { connection: ConnectionId(connection), what }
            }
            Event::Closed { connection, peer, why } => {
                if self.parent == Some(peer) && !self.seen.borrow().up.contains_key(&peer) {
                    self.time.doubted();
                }
                self.seen.borrow_mut().why.push(why);
                Input::LinkClosed { connection: ConnectionId(connection) }
            }
            Event::DialFailed { why } => {
                self.time.doubted();
                self.seen.borrow_mut().why.push(why);
                Input::DialFailed
            }
            Event::Ask(ask) => {
                self.renew(ask);
                return None;
            }
            Event::Join(_) => return None,
        })
    }

    /// As the node does: the parent's clock counts, and a child's newest key drives its earlier ones out.
    fn greeted(&self, frame: &Control) {
        let Control::Hello(hello) = frame else { return };
        if self.parent == Some(hello.node) {
            self.time.told(hello.clock);
        } else if self.directory.get(hello.node) == Some(hello.entry) {
            self.registry.keep_only(hello.node, &hello.entry.entry.tls_spki_sha256);
        }
    }

    fn renew(&mut self, ask: Ask) {
        let Some(office) = &self.office else { return };
        let mut office = office.borrow_mut();
        let reply = match office.answers.get(&ask.request) {
            Some(reply) => reply.clone(),
            None => {
                let signed: SignedRenewal = codec::decode(&ask.request, 32 * 1024).unwrap();
                let entry = self.directory.get(signed.renewal.node).map(|signed| signed.entry);
                let now = (self.wall)();
                let reply = match renewal::check(&signed, entry.as_ref(), now) {
                    Err(why) => RenewReply::Refused(protocol::bounded::Text::cut(&why.to_string())),
                    Ok(()) => {
                        let enrolled = office.authority.renew(&signed.renewal, &entry.unwrap(), now).unwrap();
                        self.directory.insert(enrolled.entry).unwrap();
                        self.registry.admit(enrolled.entry.entry.tls_spki_sha256, signed.renewal.node);
                        RenewReply::Renewed(Box::new(enrolled))
                    }
                };
                let reply = codec::encode_unbounded(&reply);
                office.answers.insert(ask.request, reply.clone());
                reply
            }
        };
        let _ = ask.reply.send(reply);
    }

    async fn grant(&mut self, wishes: &mut Vec<Wish>) {
        while !wishes.is_empty() {
            let mut commits = false;
            for wish in wishes.drain(..) {
                match wish {
                    Wish::Dial => self.endpoint.dial(),
                    Wish::Send(connection, frame) => self.endpoint.send(connection.0, frame),
                    Wish::Close(connection) => self.endpoint.close(connection.0, "closed by the core"),
                    Wish::Raise(alarm) => self.seen.borrow_mut().alarms.push(format!("{alarm:?}")),
                    Wish::Complain(what) => self.seen.borrow_mut().alarms.push(what),
                    Wish::Linked(peer, true) => drop(self.seen.borrow_mut().up.insert(peer, Instant::now())),
                    Wish::Linked(peer, false) => {
                        let mut seen = self.seen.borrow_mut();
                        seen.downs += u32::from(seen.up.remove(&peer).is_some());
                    }
                    Wish::Commit => commits = true,
                }
            }
            if commits {
                tokio::time::sleep(COMMIT).await;
                self.live.committed(self.now(), &mut self.disk.borrow_mut(), wishes);
            }
        }
    }
}
