//! Casework as an application of the simulator: records in memory, decisions applied as the node's writer applies them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use casework::{
    Command, Decision, InForce, Incoming, Intake, Keys, Known, Letter, Me, Mutant, Record, RecordKey, Refusal, World,
    figures,
};
use federation::core::{Deliver, Now, Uptime};
use federation::sim::{Application, Draft, Random};
use protocol::bounded::Blob;
use protocol::chain::Signature;
use protocol::directory::Ancestor;
use protocol::division::DivisionCode;
use protocol::event::{Header, Private, Salt};
use protocol::fact::CaseFact;
use protocol::id::{CaseId, NodeId};
use protocol::receipt::Receipt;
use protocol::sealed::Sealed;
use protocol::time::ClockReading;
use protocol::wire::bundle::{Bundle, Message};
use protocol::wire::kind::Body;

use super::figures::{FigureChanges, Figures};
use super::ledger::{Changes, Ledger, Log};
use super::program::Program;

/// The records of a case, and the case as they tell it, which a node keeps in memory as long as it runs.
#[derive(Clone, Default)]
struct File {
    /// As they were stored, one after the other: a later one of the same key may take the place of an earlier one.
    rows: Log<Row>,
    /// The fact, which is a row of the figures too.
    fact: Option<Rc<CaseFact>>,
    /// In which life of the node it was put together, and the case.
    known: RefCell<Option<(u32, Rc<Known>)>>,
}

/// A record as it lies in memory: most are of the two kinds that are small.
#[derive(Clone)]
enum Row {
    Event(Arc<Header>, Option<Box<(Salt, Private)>>, NodeId),
    Receipt(Receipt),
    Other(Box<Record>),
}

impl Row {
    fn of(record: Record) -> Self {
        match record {
            Record::Event { header, private, origin } => Self::Event(header, private.map(Box::new), origin),
            Record::Receipt(receipt) => Self::Receipt(receipt),
            other => Self::Other(Box::new(other)),
        }
    }

    fn record(self) -> Record {
        match self {
            Self::Event(header, private, origin) => {
                Record::Event { header, private: private.map(|private| *private), origin }
            }
            Self::Receipt(receipt) => Record::Receipt(receipt),
            Self::Other(record) => *record,
        }
    }
}

/// One node's casework.
#[derive(Clone)]
pub struct CityApp {
    me: Me,
    line: Rc<Vec<Ancestor>>,
    holds: Arc<InForce>,
    keys: Rc<NoKeys>,
    cases: Ledger<CaseId, Rc<File>>,
    figures: Figures,
    /// How often the node was started: what an earlier life kept in memory is gone.
    life: u32,
    /// A safeguard that is off.
    mutant: Option<Mutant>,
    program: Program,
    /// What was refused when a later program read it.
    refused: Vec<String>,
}

/// What a commit brings to the disk of a node.
pub struct CityChanges {
    line: Rc<Vec<Ancestor>>,
    cases: Changes<CaseId, Rc<File>>,
    figures: FigureChanges,
    life: u32,
    program: Program,
    refused: Vec<String>,
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
    /// A node without cases; `compares`: it compares the figures that it holds with what their owners state.
    pub fn new(
        node: NodeId,
        division: DivisionCode,
        divisions: Rc<BTreeMap<NodeId, DivisionCode>>,
        mutant: Option<Mutant>,
        compares: bool,
    ) -> Self {
        Self {
            me: Me { node, division },
            line: Rc::default(),
            holds: InForce::shipped(),
            keys: Rc::new(NoKeys(divisions)),
            cases: Ledger::default(),
            figures: Figures::new(node, compares),
            life: 0,
            mutant,
            program: Program::before(Vec::new(), false),
            refused: Vec::new(),
        }
    }

    /// The node runs this program.
    pub(super) fn run_by(self, program: Program) -> Self {
        Self { program, ..self }
    }

    /// The program of the node.
    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// What was refused when a later program read it.
    pub(super) fn refused(&self) -> &[String] {
        &self.refused
    }

    /// What is held of each case.
    pub fn files(&self) -> impl Iterator<Item = Rc<Known>> {
        self.cases.keys().map(|case| self.known(*case))
    }

    /// What is held of each case of which a chain is here.
    pub fn cases(&self) -> impl Iterator<Item = Rc<Known>> {
        self.files().filter(|known| known.case().is_some())
    }

    /// The facts here.
    pub fn facts(&self) -> impl Iterator<Item = &CaseFact> {
        self.figures.facts()
    }

    /// What is held of a case.
    pub fn known(&self, case: CaseId) -> Rc<Known> {
        let Some(file) = self.cases.get(&case) else {
            return Rc::new(Known::assemble_as(case, Vec::new(), self.mutant));
        };
        if let Some((_, known)) = file.known.borrow().as_ref().filter(|(life, _)| *life == self.life) {
            return known.clone();
        }
        let known = Rc::new(Known::assemble_as(case, file.records(), self.mutant));
        file.known.replace(Some((self.life, known.clone())));
        known
    }

    /// Whether this node hangs above another.
    pub fn is_above(&self, node: NodeId) -> bool {
        let theirs = self.keys.division(node);
        theirs.is_some_and(|theirs| theirs != self.me.division && self.me.division.contains(theirs))
    }

    /// Whether anything is held of a case.
    pub fn holds(&self, case: CaseId) -> bool {
        self.cases.get(&case).is_some()
    }

    /// Members whose figures are not here as they state them.
    pub fn unequal(&self) -> impl Iterator<Item = NodeId> {
        self.figures.unequal()
    }

    /// The store loses a fact that it said it had kept.
    pub fn lose_a_fact(&mut self, dice: u64) -> bool {
        self.figures.lose(dice)
    }

    /// Files a report.
    pub fn open(&mut self, intake: Intake, now: Now, random: Random<'_>) -> (Result<(), Refusal>, Vec<Draft>) {
        let case = intake.case;
        let known = self.known(case);
        let decision =
            self.in_world(now, random, |world| casework::open(intake, &super::people::everybody(), &known, world));
        self.adopt(case, decision, now)
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
        let decision =
            self.in_world(now, random, |world| casework::decide(&known, command, &super::people::everybody(), world));
        self.adopt(case, decision, now)
    }

    fn in_world<T>(&self, now: Now, random: Random<'_>, rule: impl FnOnce(&mut World<'_>) -> T) -> T {
        rule(&mut World {
            me: self.me,
            line: &self.line,
            holds: &self.holds,
            now: ClockReading::exact(now.wall),
            entropy: random,
            keys: &*self.keys,
            mutant: self.mutant,
        })
    }

    fn adopt(
        &mut self,
        case: CaseId,
        decision: Result<Decision, Refusal>,
        now: Now,
    ) -> (Result<(), Refusal>, Vec<Draft>) {
        match decision {
            Ok(decision) => {
                let drafts = self.apply(case, decision);
                self.figures.settle(now);
                (Ok(()), drafts)
            }
            Err(refusal) => (Err(refusal), Vec::new()),
        }
    }

    fn apply(&mut self, case: CaseId, decision: Decision) -> Vec<Draft> {
        self.store(case, decision.records, decision.known);
        let drafts = decision.outgoing.into_iter().filter_map(|letter| {
            let (to, urgency, receipted) = (letter.to, letter.urgency, letter.is_answered());
            if let Letter::Plain(Body::Fact(fact)) = &letter.letter {
                self.figures.hold_back(fact, to);
                return None;
            }
            let body = letter.into_body(&|_, plain| seal(plain))?;
            let id = match &body {
                Body::Header(header) | Body::WideHeader(header) => Some(header.id.into()),
                _ => None,
            };
            Some(Draft { id, to, urgency, receipted, body })
        });
        drafts.collect()
    }

    /// Stores records. The case as the decision leaves it stays in memory, as it does at the writer.
    fn store(&mut self, case: CaseId, records: Vec<Record>, known: Known) {
        if records.is_empty() {
            return;
        }
        let mut file = self.cases.get(&case).map(|file| File::clone(file)).unwrap_or_default();
        for record in records {
            match record {
                Record::Fact(fact) => {
                    let fact = Rc::new(fact);
                    self.figures.put(&fact);
                    file.count(fact);
                }
                other => file.rows.push(Row::of(other)),
            }
        }
        file.known = RefCell::new((known.id() == case).then(|| (self.life, Rc::new(known))));
        self.cases.insert(case, Rc::new(file));
    }
}

impl File {
    /// The records as a database has them: one of each key.
    fn records(&self) -> Vec<Record> {
        let mut rows: BTreeMap<RecordKey, Record> = BTreeMap::new();
        for record in self.rows.to_vec().into_iter().map(Row::record) {
            let key = record.key();
            if rows.get(&key).is_none_or(|stored| record.replaces(stored)) {
                rows.insert(key, record);
            }
        }
        let fact = self.fact.as_deref().cloned().map(Record::Fact);
        rows.into_values().chain(fact).collect()
    }

    /// Takes a fact in, unless it is older than the one that is held.
    fn count(&mut self, fact: Rc<CaseFact>) {
        if self.fact.as_ref().is_none_or(|held| fact.rank() >= held.rank()) {
            self.fact = Some(fact);
        }
    }
}

impl CityApp {
    /// A figure or a question about figures. Figures name no case that would have to be read, save for an escalated one.
    fn figure(&mut self, origin: NodeId, body: Body, returned: bool, now: Now) -> Result<(), Refusal> {
        match body {
            Body::FiguresWanted(_) if returned => Ok(()),
            Body::FiguresWanted(wanted) if self.figures.wanted(origin, &wanted, &self.line) => Ok(()),
            body => {
                match figures::stated_by(origin, body)? {
                    Record::Fact(fact) => {
                        let fact = Rc::new(fact);
                        self.figures.put(&fact);
                        self.counted(fact);
                    }
                    Record::Watermark(mark) => self.figures.state(mark, now),
                    _ => {}
                }
                Ok(())
            }
        }
    }

    /// A fact belongs to the records of its case too.
    fn counted(&mut self, fact: Rc<CaseFact>) {
        let Some(case) = fact.case else { return };
        let mut file = self.cases.get(&case).map(|file| File::clone(file)).unwrap_or_default();
        let known = file.known.take().map(|(life, mut known)| {
            Rc::make_mut(&mut known).counted(&fact);
            (life, known)
        });
        file.known = RefCell::new(known);
        file.count(fact);
        self.cases.insert(case, Rc::new(file));
    }
}

impl CityApp {
    fn message(
        &mut self,
        now: Now,
        bundle: &Bundle,
        message: &Message,
        returned: bool,
        random: Random<'_>,
    ) -> Result<Vec<Draft>, String> {
        let origin = bundle.head().origin;
        let told = |refusal: Refusal| refusal.code().to_owned();
        let body = match self.program.read(message) {
            Ok(Some(Body::NotUnderstood(_))) if !returned => return Ok(self.not_understood(now, origin, random)),
            Ok(Some(body)) if !message.kind.is_the_links() => body,
            Ok(_) => return Ok(Vec::new()),
            Err(malformed) => return Err(malformed.to_string()),
        };
        if message.kind.is_of_the_figures() || matches!(body, Body::FiguresWanted(_)) {
            return self.figure(origin, body, returned, now).map(|()| Vec::new()).map_err(told);
        }
        let opened = casework::sealed_part(&body)
            .filter(|_| bundle.head().to == self.me.node && !returned)
            .and_then(|sealed| casework::private_parts(&sealed.ciphertext).ok());
        let case = casework::subject_of(&body).unwrap_or(CaseId::from_bytes([0; 16]));
        let known = self.known(case);
        let incoming = Incoming { origin, body, opened, returned };
        let decision = self.in_world(now, random, |world| casework::receive(&known, incoming, world));
        decision.map(|decision| self.apply(case, decision)).map_err(told)
    }
}

impl CityApp {
    /// A node has refused what its program does not know: of what is sent here only the offer of a case can be that.
    fn not_understood(&mut self, now: Now, by: NodeId, random: Random<'_>) -> Vec<Draft> {
        let mut drafts = Vec::new();
        let cases: Vec<_> = self.cases.keys().copied().collect();
        for case in cases {
            let known = self.known(case);
            let offered = known.case().filter(|_| known.is_wide()).and_then(|case| case.offered);
            let ended = offered.and_then(|(offer, _)| {
                self.in_world(now, random, |world| casework::refused_as_unknown(&known, offer, by, world))
            });
            drafts.extend(ended.into_iter().flat_map(|decision| self.apply(case, decision)));
        }
        drafts
    }

    /// Reads what an earlier program could not.
    fn read_again(&mut self, now: Now, random: Random<'_>) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for noted in self.program.knows_by_now() {
            for message in noted.messages() {
                match self.message(now, &noted.bundle, message, noted.returned, random) {
                    Ok(sent) => drafts.extend(sent),
                    Err(why) => {
                        self.refused.push(format!("kind {} of {}: {why}", message.kind.0, noted.bundle.head().id))
                    }
                }
            }
        }
        drafts
    }
}

/// Sealing without secrecy.
fn seal(plain: &[u8]) -> Option<Sealed> {
    Some(Sealed { suite: 1, encapsulated: [0; 32], ciphertext: Blob::new(plain.to_vec()).ok()? })
}

impl Application for CityApp {
    type Changes = CityChanges;

    fn changes(&mut self) -> CityChanges {
        let (line, life) = (self.line.clone(), self.life);
        let (program, refused) = (self.program.clone(), self.refused.clone());
        CityChanges { line, cases: self.cases.changes(), figures: self.figures.changes(), life, program, refused }
    }

    fn keep(&mut self, changes: CityChanges) {
        let CityChanges { line, cases, figures, life, program, refused } = changes;
        (self.line, self.life) = (line, life);
        (self.program, self.refused) = (program, refused);
        self.cases.keep(cases);
        self.figures.keep(figures);
    }

    fn started(&mut self) {
        self.life += 1;
        self.figures.started();
        self.program.started();
    }

    fn linked(&mut self, up: bool) {
        self.figures.linked(up);
    }

    fn wakes_at(&self) -> Option<Uptime> {
        if self.program.looks() {
            return Some(Uptime(0));
        }
        Some(self.figures.wakes_at(&self.line)).filter(|at| *at < u64::MAX).map(Uptime)
    }

    fn wake(&mut self, now: Now, random: Random<'_>) -> Vec<Draft> {
        let mut drafts = if self.program.looks() { self.read_again(now, random) } else { Vec::new() };
        drafts.extend(self.figures.wake(&self.line, now, random));
        drafts
    }

    fn unsettled(&self) -> Option<String> {
        if self.program.is_older() {
            return Some("its program was not upgraded".to_owned());
        }
        if self.program.unread() > 0 {
            return Some(format!("{} bundles wait to be read", self.program.unread()));
        }
        let waiting = self.figures.waiting();
        (waiting > 0 && !self.line.is_empty()).then(|| format!("{waiting} facts wait to be sent"))
    }

    fn deliver(&mut self, now: Now, bundle: &Bundle, how: Deliver, random: Random<'_>) -> (Vec<Draft>, Option<String>) {
        let (mut drafts, mut refused) = (Vec::new(), None);
        // Of what only passes a node reads what every level keeps.
        let read = bundle.messages().iter().filter(|m| how != Deliver::RelayAndKeep || m.kind.kept_on_the_way());
        for message in read {
            match self.message(now, bundle, message, how == Deliver::Returned, random) {
                Ok(sent) => drafts.extend(sent),
                Err(why) => drop(refused.get_or_insert(why)),
            }
        }
        drafts.extend(self.program.note(bundle, self.me.node, how == Deliver::Returned));
        self.figures.settle(now);
        (drafts, refused)
    }

    fn line(&mut self, now: Now, line: &[Ancestor], random: Random<'_>) -> Vec<Draft> {
        let top = line.last().filter(|top| self.line.last().is_none_or(|known| known.node != top.node));
        if let Some(top) = top {
            self.figures.all_to(top.node);
        }
        self.line = Rc::new(line.to_vec());
        let mut drafts = Vec::new();
        for case in self.cases.keys().copied().collect::<Vec<_>>() {
            let known = self.known(case);
            if let Some(decision) = self.in_world(now, random, |world| casework::wake(&known, world)) {
                drafts.extend(self.apply(case, decision));
            }
        }
        self.figures.settle(now);
        drafts
    }
}
