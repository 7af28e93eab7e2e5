//! A small world: a city with nodes that store [`Record`]s in a map. Messages pass every level between, as on the link.

use std::collections::{BTreeMap, VecDeque};

use casework::{
    Actor, Case, Command, Decision, InForce, Incoming, Intake, Keys, Known, Me, Notice, Outgoing, Record, RecordKey,
    Refusal, Role, World,
};
use protocol::bounded::{Blob, List, Text};
use protocol::chain::{Hash, Signature};
use protocol::directory::Ancestor;
use protocol::division::{DivisionCode, GridKind};
use protocol::event::{Category, Ending, Matter, Participant, Party, PartySide, Source};
use protocol::grading::{Answers, Known as Told};
use protocol::id::{CaseId, NodeId};
use protocol::sealed::Sealed;
use protocol::time::{ClockReading, UnixMillis};
use protocol::wire::kind::Body;

pub(crate) const CITY: usize = 0;
pub(crate) const COUNTY: usize = 1;
pub(crate) const TOWN: usize = 2;
pub(crate) const VILLAGE: usize = 3;
pub(crate) const GRID: usize = 4;
pub(crate) const OTHER_TOWN: usize = 5;

const TREE: [(&str, Option<usize>); 6] = [
    ("330600000000", None),
    ("330602000000", Some(CITY)),
    ("330602001000", Some(COUNTY)),
    ("330602001001", Some(TOWN)),
    ("330602001001001", Some(VILLAGE)),
    ("330602002000", Some(COUNTY)),
];

/// Signatures that anybody could make, but nobody here does.
struct PlainKeys(NodeId);

fn signature(by: NodeId, bytes: &[u8]) -> Signature {
    let half = Hash::of(by.as_bytes()).chain(bytes).0;
    let mut whole = [0; 64];
    whole[..32].copy_from_slice(&half);
    whole[32..].copy_from_slice(&half);
    Signature(whole)
}

impl Keys for PlainKeys {
    fn sign(&self, bytes: &[u8]) -> Signature {
        signature(self.0, bytes)
    }
    fn verify(&self, by: NodeId, bytes: &[u8], given: &Signature) -> bool {
        signature(by, bytes) == *given
    }
    fn division(&self, node: NodeId) -> Option<DivisionCode> {
        let index = usize::from(node.as_bytes()[0]).checked_sub(1)?;
        TREE.get(index).map(|(code, _)| code.parse().unwrap())
    }
}

pub(crate) type Rows = BTreeMap<RecordKey, Record>;

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) me: Me,
    pub(crate) line: Vec<Ancestor>,
    pub(crate) rows: Rows,
}

#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) origin: usize,
    pub(crate) at: usize,
    pub(crate) opened: bool,
    pub(crate) serial: usize,
    pub(crate) body: Body,
}

pub(crate) struct Net {
    pub(crate) nodes: Vec<Node>,
    pub(crate) mail: VecDeque<Mail>,
    /// Everything that was ever sent from or to the grid, as the village keeps it.
    pub(crate) kept: Vec<Mail>,
    /// The last letter of the grid that arrived anywhere.
    passed: usize,
    pub(crate) sent: Vec<(usize, Outgoing)>,
    pub(crate) notes: Vec<(usize, Notice)>,
    pub(crate) holds: InForce,
    pub(crate) now: i64,
    pub(crate) seed: u64,
}

pub(crate) fn actor(role: Role) -> Actor {
    Actor::everywhere("u", "某人", &[role])
}

pub(crate) fn text<const N: usize>(words: &str) -> Text<N> {
    Text::new(words).unwrap()
}

/// A respondent of whom nothing but the name is known.
/// The report to the police, without which no case of violence is settled.
pub(crate) fn police() -> Command {
    Command::TakeMeasure { measure: 2, note: text("已报告派出所") }
}

pub(crate) fn somebody(name: &str) -> Participant {
    Participant::from(Party {
        side: PartySide::Respondent,
        name: text(name),
        phone: text(""),
        address: text(""),
        identity: text(""),
    })
}

pub(crate) fn answers(violence: bool, signs: u8) -> Answers {
    Answers { signs, violence: if violence { Told::Yes } else { Told::Unknown }, ..Answers::default() }
}

pub(crate) fn intake(case: u8, ending: Ending, answers: Answers) -> Intake {
    let party = |side, name| Party {
        side,
        name: text(name),
        phone: text("13800138000"),
        address: Text::default(),
        identity: Text::default(),
    };
    Intake {
        case: CaseId::from_bytes([case; 16]),
        matter: Matter::Dispute,
        source: Source::Grid,
        category: Category(201),
        place: TREE[GRID].0.parse().unwrap(),
        grid_kind: GridKind::Basic,
        title: text("通道之争"),
        narrative: text("张三与李四为通道争吵。"),
        parties: List::new(vec![party(PartySide::Applicant, "张三"), party(PartySide::Respondent, "李四")]).unwrap(),
        answers,
        head_count: 3,
        summary: None,
        ending,
        confirmed_level: None,
        restricted: None,
    }
}

impl Net {
    pub(crate) fn new() -> Self {
        let id = |index: usize| NodeId::from_bytes([index as u8 + 1; 16]);
        let nodes = (0..TREE.len())
            .map(|index| {
                let mut line = Vec::new();
                let mut above = TREE[index].1;
                while let Some(at) = above {
                    line.push(Ancestor { node: id(at), division: TREE[at].0.parse().unwrap() });
                    above = TREE[at].1;
                }
                Node { me: Me { node: id(index), division: TREE[index].0.parse().unwrap() }, line, rows: Rows::new() }
            })
            .collect();
        Self {
            nodes,
            mail: VecDeque::new(),
            kept: Vec::new(),
            passed: 0,
            sent: Vec::new(),
            notes: Vec::new(),
            holds: InForce::default(),
            now: 1_780_000_000_000,
            seed: 1,
        }
    }

    pub(crate) fn id(&self, node: usize) -> NodeId {
        self.nodes[node].me.node
    }

    fn index(&self, id: NodeId) -> usize {
        self.nodes.iter().position(|n| n.me.node == id).unwrap()
    }

    pub(crate) fn world<T>(&mut self, node: usize, rule: impl FnOnce(&mut World<'_>) -> T) -> T {
        self.now += 1_000;
        let Node { me, line, .. } = self.nodes[node].clone();
        let seed = &mut self.seed;
        let mut entropy = |buffer: &mut [u8]| {
            for byte in buffer {
                *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (*seed >> 33) as u8;
            }
        };
        rule(&mut World {
            me,
            line: &line,
            holds: &self.holds,
            now: ClockReading::exact(UnixMillis(self.now)),
            entropy: &mut entropy,
            keys: &PlainKeys(me.node),
            mutant: None,
        })
    }

    pub(crate) fn known(&self, node: usize, case: CaseId) -> Known {
        Known::assemble(case, self.nodes[node].rows.values().cloned().collect())
    }

    pub(crate) fn case(&self, node: usize, case: CaseId) -> Case {
        self.known(node, case).case().cloned().unwrap()
    }

    /// Stores and sends what was decided, and checks what must always hold.
    pub(crate) fn adopt(&mut self, node: usize, case: CaseId, decision: Decision) -> Option<Case> {
        for record in decision.records {
            let held = self.nodes[node].rows.get(&record.key());
            if held.is_none_or(|held| record.replaces(held)) {
                self.nodes[node].rows.insert(record.key(), record);
            }
        }
        let known = self.known(node, case);
        let nowhere = CaseId::from_bytes([0; 16]);
        assert!(case == nowhere || known == decision.known, "what was decided is what the records say");
        for (index, link) in known.chain().iter().enumerate() {
            assert_eq!(link.header.number as usize, index + 1, "numbers are dense");
        }
        self.notes.extend(decision.notes.into_iter().map(|note| (node, note)));
        for outgoing in decision.outgoing {
            self.sent.push((node, outgoing.clone()));
            self.post(node, outgoing);
        }
        known.case().cloned()
    }

    fn post(&mut self, origin: usize, outgoing: Outgoing) {
        let to = self.index(outgoing.to);
        let seal = |node: NodeId, plain: &[u8]| {
            let mut encapsulated = [0; 32];
            encapsulated[..16].copy_from_slice(node.as_bytes());
            Some(Sealed { suite: 1, encapsulated, ciphertext: Blob::new(plain.to_vec()).unwrap() })
        };
        let body = outgoing.into_body(&seal).expect("a body that can be sent");
        let (kind, schema) = body.kind();
        let body = Body::decode(kind, schema, &body.encode().unwrap()).unwrap().unwrap();
        let serial = self.sent.len();
        if origin == GRID || to == GRID {
            self.kept.push(Mail { origin, at: GRID, opened: to == GRID, serial, body: body.clone() });
        }
        for at in self.path(origin, to) {
            if at == to || kind.kept_on_the_way() {
                self.mail.push_back(Mail { origin, at, opened: at == to, serial, body: body.clone() });
            }
        }
    }

    /// The nodes from one to another, the first left out.
    fn path(&self, from: usize, to: usize) -> Vec<usize> {
        let up = |node: usize| {
            let mut line = vec![node];
            while let Some(above) = TREE[line[line.len() - 1]].1 {
                line.push(above);
            }
            line
        };
        let (ours, theirs) = (up(from), up(to));
        let meet = *ours.iter().find(|node| theirs.contains(node)).unwrap();
        let mut path: Vec<usize> = ours.iter().copied().take_while(|node| *node != meet).collect();
        path.push(meet);
        path.extend(theirs.iter().copied().take_while(|node| *node != meet).collect::<Vec<_>>().into_iter().rev());
        path.remove(0);
        path
    }

    pub(crate) fn open(&mut self, node: usize, intake: Intake) -> Result<Case, Refusal> {
        let case = intake.case;
        let known = self.known(node, case);
        let decision = self.world(node, |world| casework::open(intake, &actor(Role::GridWorker), &known, world))?;
        Ok(self.adopt(node, case, decision).unwrap())
    }

    pub(crate) fn act_as(
        &mut self,
        node: usize,
        case: CaseId,
        command: Command,
        role: Role,
    ) -> Result<Option<Case>, Refusal> {
        self.act_by(node, case, command, &actor(role))
    }

    pub(crate) fn act_by(
        &mut self,
        node: usize,
        case: CaseId,
        command: Command,
        by: &Actor,
    ) -> Result<Option<Case>, Refusal> {
        let known = self.known(node, case);
        let decision = self.world(node, |world| casework::decide(&known, command, by, world))?;
        Ok(self.adopt(node, case, decision))
    }

    pub(crate) fn act(&mut self, node: usize, case: CaseId, command: Command) -> Result<Option<Case>, Refusal> {
        self.act_as(node, case, command, Role::Supervisor)
    }

    pub(crate) fn wake(&mut self, node: usize, case: CaseId) -> bool {
        let known = self.known(node, case);
        match self.world(node, |world| casework::wake(&known, world)) {
            Some(decision) => {
                self.adopt(node, case, decision);
                true
            }
            None => false,
        }
    }

    /// A letter that somebody writes by hand.
    pub(crate) fn mail_from(&self, origin: usize, at: usize, body: Body) -> Mail {
        Mail { origin, at, opened: false, serial: self.sent.len(), body }
    }

    pub(crate) fn deliver(&mut self, mail: Mail, returned: bool) -> Result<(), Refusal> {
        let Mail { origin, at, opened, body, serial } = mail;
        if origin == GRID {
            self.passed = self.passed.max(serial);
        }
        let case = casework::subject_of(&body);
        let known = self.known(at, case.unwrap_or(CaseId::from_bytes([0; 16])));
        let part = casework::sealed_part(&body).filter(|_| opened);
        let parts = part.map(|sealed| casework::private_parts(&sealed.ciphertext).unwrap());
        let origin = self.id(origin);
        let incoming = Incoming { origin, body, opened: parts, returned };
        let decision = self.world(at, |world| casework::receive(&known, incoming, world))?;
        self.adopt(at, case.unwrap_or(CaseId::from_bytes([0; 16])), decision);
        Ok(())
    }

    /// Puts an old disk into the grid. What had not reached the village is gone; all else comes back on the next link.
    pub(crate) fn restore(&mut self, rows: Rows, as_of: usize) {
        self.nodes[GRID].rows = rows;
        // Its link keeps order: what is behind the last that arrived anywhere is gone, unless the copy of the disk has it too.
        let last = self.passed.max(as_of);
        let lost: Vec<usize> =
            self.mail.iter().filter(|m| m.origin == GRID && m.serial > last).map(|m| m.serial).collect();
        self.mail.retain(|mail| !lost.contains(&mail.serial));
        self.kept.retain(|mail| !lost.contains(&mail.serial));
    }

    /// What the village gives back after a restore, both ways.
    pub(crate) fn reconcile(&mut self, mine_first: bool) {
        let (mut mine, mut theirs): (Vec<Mail>, Vec<Mail>) = self.kept.iter().cloned().partition(|m| m.origin == GRID);
        theirs.retain(|mail| self.mail.iter().all(|waits| waits.serial != mail.serial || waits.at != GRID));
        mine.sort_by_key(|mail| mail.serial);
        if mine_first {
            mine.append(&mut theirs);
        } else {
            theirs.append(&mut mine);
            mine = theirs;
        }
        for mail in mine {
            let returned = mail.origin == GRID;
            self.deliver(mail, returned).unwrap();
        }
    }

    /// Delivers everything, and what it gives rise to.
    pub(crate) fn settle(&mut self) {
        let mut count = 0;
        while let Some(mail) = self.mail.pop_front() {
            let what = format!("{:?}", mail.body.kind());
            self.deliver(mail, false).unwrap_or_else(|refusal| panic!("{what}: {refusal}"));
            count += 1;
            assert!(count < 10_000, "messages go round in circles");
        }
    }

    /// Opens a case at the grid and settles.
    pub(crate) fn reported(ending: Ending, answers: Answers) -> (Self, CaseId) {
        let mut net = Self::new();
        let intake = intake(7, ending, answers);
        let case = intake.case;
        net.open(GRID, intake).unwrap();
        net.settle();
        (net, case)
    }

    /// The offer that waits at a node.
    pub(crate) fn waiting(&self, node: usize, case: CaseId) -> protocol::id::OfferId {
        let me = self.id(node);
        let known = self.known(node, case);
        let mut open = known.offers().filter(|f| f.to == me && f.state == casework::OfferState::Open);
        open.next().unwrap().offer.id
    }

    pub(crate) fn accept(&mut self, node: usize, case: CaseId) {
        let offer = self.waiting(node, case);
        self.act(node, case, Command::AcceptOffer { offer }).unwrap();
        self.settle();
    }

    /// All nodes that hold the case agree on it, private parts aside.
    pub(crate) fn agree(&self, nodes: &[usize], case: CaseId) {
        let heads: Vec<_> = nodes.iter().map(|node| self.case(*node, case).head).collect();
        assert!(heads.windows(2).all(|pair| pair[0] == pair[1]), "{heads:#?}");
    }
}
