//! The nodes of the year with their databases, and the letters between them. Each acts by the rules of casework alone.

use std::collections::VecDeque;
use std::sync::Arc;

use casework::{
    Actor, Case, Command, Decision, InForce, Incoming, Keys, Known, Me, OfferState, Record, Refusal, Reply, Role, World,
};
use protocol::bounded::{Blob, Text};
use protocol::chain::Signature;
use protocol::directory::Ancestor;
use protocol::fact::CaseFact;
use protocol::id::{CaseId, NodeId};
use protocol::sealed::Sealed;
use protocol::time::{ClockReading, UnixMillis};
use protocol::transfer::Ground;
use protocol::wire::kind::Body;
use wuji::person::vault::Vault;
use wuji::store::figures::NewFigures;
use wuji::store::{self, Place, Store, WriteStore};

use super::postgres::TestDatabase;
use super::rows::Beside;

const DIVISIONS: [&str; 7] = [
    "330602001001001",
    "330602001001002",
    "330602001002001",
    "330602001000",
    "330603005002001",
    "330603005000",
    "330600000000",
];
/// The owners come first; the last is the city above them all.
pub(crate) const OWNERS: usize = 6;
const CITY: usize = OWNERS;

/// One node with its database.
pub(crate) struct Member {
    pub(crate) me: Me,
    pub(crate) store: Store,
    pub(crate) write: WriteStore,
    pub(crate) beside: Beside,
}

/// All nodes, and what is on its way between them.
pub(crate) struct Post {
    pub(crate) members: Vec<Member>,
    /// The time at all of them.
    pub(crate) now: i64,
    seed: u64,
    mail: VecDeque<(NodeId, usize, Body)>,
    _root: tempfile::TempDir,
    _database: Option<TestDatabase>,
}

struct NoKeys;

impl Keys for NoKeys {
    fn sign(&self, _: &[u8]) -> Signature {
        Signature([0; 64])
    }

    fn verify(&self, _: NodeId, _: &[u8], _: &Signature) -> bool {
        true
    }
}

pub(crate) fn text<const N: usize>(words: &str) -> Text<N> {
    Text::new(words).expect("a text")
}

pub(crate) fn everybody() -> Actor {
    let roles = [Role::GridWorker, Role::Mediator, Role::Clerk, Role::Handler, Role::Supervisor];
    Actor::everywhere("test", "测试", &roles)
}

impl Post {
    /// Opens all databases: files, or one on a server.
    pub(crate) async fn open(seed: u64, now: i64, database: Option<TestDatabase>) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let server = match &database {
            Some(on) => Some(sqlx::PgPool::connect(&on.url).await.expect("a server")),
            None => None,
        };
        let mut members = Vec::new();
        for (n, code) in (1..).zip(DIVISIONS) {
            let node = NodeId::from_bytes([n; 16]);
            let file = || root.path().join(format!("{n}.db"));
            let place = database.as_ref().map_or_else(|| Place::File(file()), |on| Place::Server(on.url.clone()));
            let vault = Arc::new(Vault::fresh().expect("keys"));
            let (store, mut write) = store::open(&place, node).await.expect("a database");
            write.open_vault(vault.clone());
            let beside = Beside::of(&store, server.clone());
            let me = Me { node, division: code.parse().expect("a code") };
            members.push(Member { me, store: store.with_vault(vault), write, beside });
        }
        Self { members, now, seed, mail: VecDeque::new(), _root: root, _database: database }
    }

    pub(crate) fn city(&self) -> &Member {
        &self.members[CITY]
    }

    pub(crate) fn city_mut(&mut self) -> &mut Member {
        &mut self.members[CITY]
    }

    pub(crate) fn rest(&mut self) {
        for member in &mut self.members {
            member.write.rest();
        }
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % end
    }

    /// A place in a list of so many.
    pub(crate) fn any(&mut self, of: usize) -> usize {
        usize::try_from(self.below(of as u64)).expect("a place")
    }

    pub(crate) fn place(&self, node: NodeId) -> usize {
        self.members.iter().position(|member| member.me.node == node).expect("a node of the year")
    }

    pub(crate) async fn known(&mut self, at: usize, case: CaseId) -> Known {
        let rows = self.members[at].write.records(case).await.expect("records");
        Known::assemble(case, rows)
    }

    pub(crate) async fn act(&mut self, at: usize, case: CaseId, command: Command) -> Case {
        let told = format!("{command:?}");
        self.decide(at, case, |known, world| casework::decide(known, command, &everybody(), world))
            .await
            .unwrap_or_else(|refusal| panic!("{told}: {refusal}"))
            .expect("a case")
    }

    /// Decides by a rule, stores as the writer of the node does, and posts what goes out.
    pub(crate) async fn decide(
        &mut self,
        at: usize,
        case: CaseId,
        rule: impl FnOnce(&Known, &mut World<'_>) -> Result<Decision, Refusal>,
    ) -> Result<Option<Case>, Refusal> {
        let known = self.known(at, case).await;
        let mut seed = self.below(u64::MAX >> 33);
        let mut entropy = |buffer: &mut [u8]| {
            for byte in buffer {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (seed >> 56) as u8;
            }
        };
        let city = self.members[CITY].me;
        let line = [Ancestor { node: city.node, division: city.division }];
        let decision = rule(
            &known,
            &mut World {
                me: self.members[at].me,
                line: if at == CITY { &[] } else { &line },
                holds: &InForce::shipped(),
                now: ClockReading::exact(UnixMillis(self.now)),
                entropy: &mut entropy,
                keys: &NoKeys,
                mutant: None,
            },
        )?;
        self.keep(at, &decision).await;
        let from = self.members[at].me.node;
        let seal = |_: NodeId, plain: &[u8]| {
            let ciphertext = Blob::new(plain.to_vec()).expect("not too much");
            Some(Sealed { suite: 1, encapsulated: [0; 32], ciphertext })
        };
        for outgoing in decision.outgoing {
            let to = self.place(outgoing.to);
            self.mail.push_back((from, to, outgoing.into_body(&seal).expect("a body that can be sent")));
        }
        Ok(decision.known.case().cloned())
    }

    async fn keep(&mut self, at: usize, decision: &Decision) {
        let facts: Vec<CaseFact> = decision
            .records
            .iter()
            .filter_map(|record| match record {
                Record::Fact(fact) => Some(fact.clone()),
                _ => None,
            })
            .collect();
        let (me, now) = (self.members[at].me.node, UnixMillis(self.now));
        let write = &mut self.members[at].write;
        write.begin().await.expect("a transaction");
        write.put_records(&decision.records).await.expect("stored");
        if let Some(case) = decision.case() {
            write.put_case_files(me, &[case], now).await.expect("stored");
        }
        put(write, &facts, now).await;
        write.commit().await.expect("committed");
    }

    /// Delivers what is on its way, and what comes of it: offers are accepted or declined, approvals given or refused.
    pub(crate) async fn settle(&mut self) {
        while let Some((origin, at, body)) = self.mail.pop_front() {
            // Headers and receipts only tell others how a case stands: no figure is made of them.
            if matches!(body, Body::Header(_) | Body::History(_) | Body::Receipt(_)) {
                continue;
            }
            let (kind, schema) = body.kind();
            let body = Body::decode(kind, schema, &body.encode().expect("encoded")).expect("decoded").expect("a body");
            let case = casework::subject_of(&body).unwrap_or(CaseId::from_bytes([0; 16]));
            let sealed = casework::sealed_part(&body);
            let opened = sealed.map(|sealed| casework::private_parts(&sealed.ciphertext).expect("private parts"));
            let offer = matches!(body, Body::Offer(_) | Body::WideOffer(_));
            // What goes to a node above is an approval, or an assessment that it is asked for.
            let (order, assesses) = match &body {
                Body::Order(order) => (Some(order.id), false),
                Body::WideOrder(order) => (Some(order.id), true),
                _ => (None, false),
            };
            let incoming = Incoming { origin, body, opened, returned: false };
            let received = self.decide(at, case, |known, world| casework::receive(known, incoming, world)).await;
            received.unwrap_or_else(|refusal| panic!("{kind:?}: {refusal}"));
            if offer {
                self.answer_offer(at, case).await;
            }
            if let Some(order) = order {
                let reply = match self.below(4) {
                    dice if assesses => Reply::Score { score: u8::try_from(dice).unwrap_or(0) + 1, text: text("") },
                    0 => Reply::No { text: text("情况未变") },
                    _ => Reply::Yes { text: text("同意") },
                };
                let answer = Command::AnswerOrder { order, reply };
                let answered =
                    self.decide(at, case, |known, world| casework::decide(known, answer, &everybody(), world)).await;
                answered.expect("an approval that waits can be answered");
            }
        }
    }

    async fn answer_offer(&mut self, at: usize, case: CaseId) {
        let known = self.known(at, case).await;
        let me = self.members[at].me.node;
        let waiting = known.offers().find(|file| file.to == me && file.state == OfferState::Open);
        let offer = waiting.expect("the offer that came").offer.id;
        let command = match self.below(4) {
            0 => Command::DeclineOffer { offer, ground: Ground::NotCompetent, text: text(""), proposed: None },
            _ => Command::AcceptOffer { offer },
        };
        let answered =
            self.decide(at, case, |known, world| casework::decide(known, command, &everybody(), world)).await;
        answered.expect("an offer that waits can be answered");
    }
}

async fn put(write: &mut WriteStore, facts: &[CaseFact], now: UnixMillis) {
    write.put_figures(&NewFigures::of_facts(facts), now).await.expect("stored");
}
