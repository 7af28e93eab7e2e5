//! Casework as an application of the simulator: records in memory, decisions applied as the node's writer applies them.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use casework::{
    Actor, Case, Command, Decision, InForce, Incoming, Intake, Keys, Known, Me, Mutant, Notice, Record, RecordKey,
    Refusal, Role, World,
};
use federation::core::{Deliver, Now};
use federation::sim::{Application, Draft, Random};
use protocol::bounded::Blob;
use protocol::chain::Signature;
use protocol::directory::Ancestor;
use protocol::division::DivisionCode;
use protocol::fact::CaseFact;
use protocol::id::{CaseId, CaseKey, NodeId};
use protocol::sealed::Sealed;
use protocol::time::ClockReading;
use protocol::wire::bundle::Bundle;
use protocol::wire::kind::Body;

/// The records of a case, and the case as they tell it: put together when somebody asks, until the next record.
#[derive(Clone, Default)]
struct File {
    rows: BTreeMap<RecordKey, Record>,
    known: OnceCell<Rc<Known>>,
}

/// One node's casework.
#[derive(Clone)]
pub struct CityApp {
    me: Me,
    line: Rc<Vec<Ancestor>>,
    cases: Rc<BTreeMap<CaseId, Rc<File>>>,
    facts: Rc<BTreeMap<CaseKey, Rc<CaseFact>>>,
    /// A safeguard that is off.
    mutant: Option<Mutant>,
    divisions: Rc<BTreeMap<NodeId, DivisionCode>>,
    /// What was noticed.
    pub notices: Rc<Vec<Notice>>,
}

/// Signatures are left out of the simulator; what they prove has tests of its own.
struct NoKeys(Rc<BTreeMap<NodeId, DivisionCode>>);

impl Keys for NoKeys {
    fn sign(&self, _: &[u8]) -> Signature {
        Signature([0; 64])
    }

    fn verify(&self, _: NodeId, _: &[u8], _: &Signature) -> bool {
        true
    }

    fn division(&self, node: NodeId) -> Option<DivisionCode> {
        self.0.get(&node).copied()
    }
}

impl CityApp {
    /// A node without cases.
    pub fn new(
        node: NodeId,
        division: DivisionCode,
        divisions: Rc<BTreeMap<NodeId, DivisionCode>>,
        mutant: Option<Mutant>,
    ) -> Self {
        Self {
            me: Me { node, division },
            line: Rc::default(),
            cases: Rc::default(),
            facts: Rc::default(),
            mutant,
            divisions,
            notices: Rc::default(),
        }
    }

    /// The cases here, as they stand.
    pub fn cases(&self) -> impl Iterator<Item = Case> {
        self.cases.keys().filter_map(|case| self.known(*case).case().cloned())
    }

    /// The facts here.
    pub fn facts(&self) -> impl Iterator<Item = &CaseFact> {
        self.facts.values().map(Rc::as_ref)
    }

    /// What is held of a case.
    pub fn known(&self, case: CaseId) -> Rc<Known> {
        let assemble = |rows| Rc::new(Known::assemble_as(case, rows, self.mutant));
        match self.cases.get(&case) {
            Some(file) => file.known.get_or_init(|| assemble(file.rows.values().cloned().collect())).clone(),
            None => assemble(Vec::new()),
        }
    }

    /// Files a report.
    pub fn open(&mut self, intake: Intake, now: Now, random: Random<'_>) -> (Result<(), Refusal>, Vec<Draft>) {
        let case = intake.case;
        let known = self.known(case);
        let decision = self.in_world(now, random, |world| casework::open(intake, &everybody(), &known, world));
        self.adopt(case, decision)
    }

    /// Acts on a case.
    pub fn act(
        &mut self,
        case: CaseId,
        command: Command,
        now: Now,
        random: Random<'_>,
    ) -> (Result<(), Refusal>, Vec<Draft>) {
        let known = self.known(case);
        let decision = self.in_world(now, random, |world| casework::decide(&known, command, &everybody(), world));
        self.adopt(case, decision)
    }

    fn in_world<T>(&self, now: Now, random: Random<'_>, rule: impl FnOnce(&mut World<'_>) -> T) -> T {
        let holds = InForce::shipped();
        rule(&mut World {
            me: self.me,
            line: &self.line,
            holds: &holds,
            now: ClockReading::exact(now.wall),
            entropy: random,
            keys: &NoKeys(self.divisions.clone()),
            mutant: self.mutant,
        })
    }

    fn adopt(&mut self, case: CaseId, decision: Result<Decision, Refusal>) -> (Result<(), Refusal>, Vec<Draft>) {
        match decision {
            Ok(decision) => (Ok(()), self.apply(case, decision)),
            Err(refusal) => (Err(refusal), Vec::new()),
        }
    }

    fn apply(&mut self, case: CaseId, decision: Decision) -> Vec<Draft> {
        if !decision.notes.is_empty() {
            Rc::make_mut(&mut self.notices).extend(decision.notes);
        }
        if !decision.records.is_empty() {
            self.keep(case, decision.records);
        }
        let drafts = decision.outgoing.into_iter().filter_map(|letter| {
            let (to, urgency) = (letter.to, letter.urgency);
            let body = letter.into_body(&|_, plain| seal(plain))?;
            let id = match &body {
                Body::Header(header) => Some(header.id.into()),
                _ => None,
            };
            Some(Draft { id, to, urgency, body })
        });
        drafts.collect()
    }

    fn keep(&mut self, case: CaseId, records: Vec<Record>) {
        let file = Rc::make_mut(Rc::make_mut(&mut self.cases).entry(case).or_default());
        file.known = OnceCell::new();
        for record in records {
            if let Record::Fact(fact) = &record {
                let newer = self.facts.get(&fact.key).is_none_or(|old| old.rank() <= fact.rank());
                if newer {
                    Rc::make_mut(&mut self.facts).insert(fact.key, Rc::new(fact.clone()));
                }
            }
            let key = record.key();
            if file.rows.get(&key).is_none_or(|stored| record.replaces(stored)) {
                file.rows.insert(key, record);
            }
        }
    }
}

/// Somebody who may do everything: rights have tests of their own.
fn everybody() -> Actor {
    let roles = [Role::GridWorker, Role::Mediator, Role::Clerk, Role::Handler, Role::Supervisor];
    Actor::everywhere("sim", "模拟", &roles)
}

/// Sealing without secrecy.
fn seal(plain: &[u8]) -> Option<Sealed> {
    Some(Sealed { suite: 1, encapsulated: [0; 32], ciphertext: Blob::new(plain.to_vec()).ok()? })
}

impl Application for CityApp {
    fn deliver(&mut self, now: Now, bundle: &Bundle, how: Deliver, random: Random<'_>) -> Result<Vec<Draft>, String> {
        let mut drafts = Vec::new();
        for message in bundle.messages() {
            let body = match Body::decode(message.kind, message.schema, &message.body) {
                Ok(Some(body)) if !message.kind.is_the_links() => body,
                Ok(_) => continue,
                Err(malformed) => return Err(malformed.to_string()),
            };
            let returned = how == Deliver::Returned;
            let opened = casework::sealed_part(&body)
                .filter(|_| bundle.head().to == self.me.node && !returned)
                .and_then(|sealed| casework::private_parts(&sealed.ciphertext).ok());
            let nowhere = CaseId::from_bytes([0; 16]);
            let case = casework::subject_of(&body).unwrap_or(nowhere);
            let known = self.known(case);
            let incoming = Incoming { origin: bundle.head().origin, body, opened, returned };
            match self.in_world(now, random, |world| casework::receive(&known, incoming, world)) {
                Ok(decision) => drafts.extend(self.apply(case, decision)),
                Err(refusal) => return Err(refusal.code().to_owned()),
            }
        }
        Ok(drafts)
    }

    fn line(&mut self, now: Now, line: &[Ancestor], random: Random<'_>) -> Vec<Draft> {
        self.line = Rc::new(line.to_vec());
        let mut drafts = Vec::new();
        for case in self.cases.keys().copied().collect::<Vec<_>>() {
            let known = self.known(case);
            if let Some(decision) = self.in_world(now, random, |world| casework::wake(&known, world)) {
                drafts.extend(self.apply(case, decision));
            }
        }
        drafts
    }
}
