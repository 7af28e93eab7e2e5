//! Publications (发布): what comes down from above is checked, kept, applied after its commit and handed to the children;
//! what is published here goes the same way.
//!
//! A bundle to a child waits in the outbox for as long as the child is cut off. What a bundle cannot bring (a child that
//! joined later, or came back from a backup) the child asks for: it tells its parent once a run what it holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use casework::content::Trouble;
use casework::publish::{Held, InForce, NotApplied, Parsed, choose, read};
use casework::{Me, Refusal};
use protocol::bounded::{List, Text};
use protocol::chain::Hash;
use protocol::directory::Ancestor;
use protocol::id::NodeId;
use protocol::moving::Moves;
use protocol::publication::{HeldVersion, Holdings, PUBLICATIONS_MAX, Publication, PublicationKind, Published};
use protocol::time::{ClockReading, UnixMillis};
use protocol::wire::bundle::Urgency;
use protocol::wire::kind::Body;

use crate::alarms::AlarmKind;
use crate::store::publications::PublicationRow;
use crate::store::{StoreError, WriteStore};

use super::batch::{Batch, Letter};
use super::port::{Answer, NewPublication};
use super::{BEFORE_ALL_CASES, Writer, refused};

/// One publication: kind, name, issuer.
type Key = (PublicationKind, Text<60>, NodeId);

/// What the writer knows of all that was published.
#[derive(Debug)]
pub struct Publications {
    /// What is in force.
    pub(super) holds: Arc<InForce>,
    /// The highest version held of each.
    held: BTreeMap<Key, u16>,
    /// What should be in force and is not.
    not_applied: Vec<NotApplied>,
    /// When it must be chosen again.
    next: Option<UnixMillis>,
    /// Not applied, and said so already.
    told: BTreeSet<(Key, u16)>,
    /// The parent that was told what is held here.
    asked: Option<NodeId>,
    /// Which divisions hang elsewhere than their codes say.
    places: Moves,
}

impl Publications {
    /// What is held at the start, and what of it is in force.
    pub async fn load(store: &mut WriteStore, me: Me, line: &[Ancestor], now: UnixMillis) -> Result<Self, StoreError> {
        Ok(Self::of(&store.publications().await?, me, line, now))
    }

    /// What is held in these rows, and what of it is in force.
    pub(crate) fn of(rows: &[PublicationRow], me: Me, line: &[Ancestor], now: UnixMillis) -> Self {
        let mut publications = Self {
            holds: InForce::shipped(),
            held: BTreeMap::new(),
            not_applied: Vec::new(),
            next: None,
            told: BTreeSet::new(),
            asked: None,
            places: Moves::default(),
        };
        publications.choose(rows, me, line, now);
        publications
    }

    /// What is in force.
    pub fn holds(&self) -> Arc<InForce> {
        self.holds.clone()
    }

    /// Says what lies where from now on.
    pub(crate) fn put_places(&mut self, places: Moves) {
        self.places = places;
        self.holds = self.placed(self.holds.clone());
    }

    fn placed(&self, holds: Arc<InForce>) -> Arc<InForce> {
        if holds.places == self.places {
            return holds;
        }
        Arc::new(InForce { places: self.places.clone(), ..InForce::clone(&holds) })
    }

    fn choose(&mut self, rows: &[PublicationRow], me: Me, line: &[Ancestor], now: UnixMillis) {
        self.held.clear();
        for row in rows {
            let publication = &row.published.publication;
            let highest = self.held.entry(key(publication)).or_default();
            *highest = (*highest).max(publication.version);
        }
        if rows.is_empty() {
            // Shared by all nodes of a process to which nothing was published.
            (self.holds, self.not_applied, self.next) = (self.placed(InForce::shipped()), Vec::new(), None);
            return;
        }
        let issuers: Vec<NodeId> = std::iter::once(me.node).chain(line.iter().map(|above| above.node)).collect();
        let editions: Vec<Held<'_>> = rows.iter().map(|row| edition(&row.published.publication)).collect();
        let chosen = choose(&editions, &issuers, now, remembered);
        let in_force = self.placed(Arc::new(chosen.in_force));
        (self.holds, self.not_applied, self.next) = (in_force, chosen.not_applied, chosen.next);
    }
}

fn key(publication: &Publication) -> Key {
    (publication.kind, publication.name.clone(), publication.issuer)
}

/// An edition as the rules look at it.
pub(crate) fn edition(publication: &Publication) -> Held<'_> {
    Held {
        kind: publication.kind,
        name: &publication.name,
        version: publication.version,
        issuer: publication.issuer,
        from: publication.from.corrected(),
        content: &publication.content,
    }
}

/// Contents that this process read, by kind and hash: the nodes of one process share them.
static READ: LazyLock<Mutex<HashMap<(PublicationKind, Hash), Parsed>>> = LazyLock::new(Mutex::default);
/// Contents remembered at most; the whole memory goes when it is full.
const READ_MAX: usize = 256;

/// Reads a content, or remembers what it was read as.
pub(crate) fn remembered(kind: PublicationKind, content: &[u8]) -> Result<Parsed, Trouble> {
    let of = (kind, Hash::of(content));
    let memory = || READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(parsed) = memory().get(&of) {
        return Ok(parsed.clone());
    }
    let parsed = read(kind, content)?;
    let mut memory = memory();
    if memory.len() >= READ_MAX {
        memory.clear();
    }
    memory.insert(of, parsed.clone());
    Ok(parsed)
}

impl Writer {
    /// Publishes something here: the next version, signed, kept, and handed down.
    pub(super) async fn publish(&mut self, new: NewPublication, batch: &mut Batch) -> Result<Answer, StoreError> {
        let NewPublication { kind, name, from, content, by } = new;
        // Counted over all issuers, so that on the way down no version stands for two contents.
        let held = self.publications.held.iter().filter(|((k, n, _), _)| *k == kind && *n == name);
        let highest = held.map(|(_, version)| *version).max().unwrap_or(1);
        let Some(version) = highest.checked_add(1).filter(|_| self.takes_one_more(&(kind, name.clone(), self.me.node)))
        else {
            return Ok(refused(Refusal::NothingChanges));
        };
        let from = from.map_or_else(|| self.clock.reading(), ClockReading::exact);
        let publication = Publication { kind, name, version, issuer: self.me.node, from, content };
        let signature = self.keys.sign(&publication.signed_bytes());
        tracing::info!(%kind, version, %by, "published");
        self.keep(Published { publication, signature }, Some(by), batch).await?;
        Ok(Ok(None))
    }

    /// Something from above. The inner error says why it was not accepted.
    pub(super) async fn published(
        &mut self,
        origin: NodeId,
        published: Published,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        let publication = &published.publication;
        // It was the parent when it sent this; what holds below the new one comes from there.
        if self.moving.hung_below(self.me.node, origin) && self.core.identity().parent != Some(origin) {
            return Ok(Ok(()));
        }
        if self.core.identity().parent != Some(origin) {
            return Ok(Err("publications come from the node directly above".to_owned()));
        }
        let signed = publication.signed_bytes();
        let entries = self.directory.entries(publication.issuer);
        if !entries
            .iter()
            .any(|e| federation::trust::directory::verified(e.entry.signing, &signed, &published.signature))
        {
            return Ok(Err("the publication was not signed by the issuer that it names".to_owned()));
        }
        let key = key(publication);
        if self.publications.held.get(&key).is_some_and(|held| *held >= publication.version) {
            return Ok(Ok(()));
        }
        if !self.takes_one_more(&key) {
            return Ok(Err(format!("this node holds {PUBLICATIONS_MAX} publications, which is all it takes")));
        }
        self.keep(published, None, batch).await?;
        Ok(Ok(()))
    }

    fn takes_one_more(&self, key: &Key) -> bool {
        self.publications.held.contains_key(key) || self.publications.held.len() < PUBLICATIONS_MAX
    }

    /// Keeps an edition and hands it to the children.
    async fn keep(&mut self, published: Published, by: Option<String>, batch: &mut Batch) -> Result<(), StoreError> {
        for child in self.store.children().await? {
            self.hand_to(child.node, &published, batch);
        }
        self.publications.held.insert(key(&published.publication), published.publication.version);
        batch.publications.push((published, by));
        Ok(())
    }

    /// A publication on its way to a child, behind the entry with which the child can check it.
    fn hand_to(&self, child: NodeId, published: &Published, batch: &mut Batch) {
        let urgency = urgency(published.publication.kind);
        let entries = self.directory.entries(published.publication.issuer).into_iter().map(Body::Entry);
        for body in entries.chain([Body::Published(published.clone())]) {
            batch.letters.push(Letter { to: child, urgency, receipted: true, body });
        }
    }

    /// Tells the parent, once a run, what is held here.
    pub(super) fn tell_holdings(&mut self, parent: NodeId, batch: &mut Batch) {
        if self.publications.asked.replace(parent) == Some(parent) {
            return;
        }
        let held = self.publications.held.iter().map(|((kind, name, issuer), version)| HeldVersion {
            kind: *kind,
            name: name.clone(),
            issuer: *issuer,
            version: *version,
        });
        // As many as a node takes, so the list holds them.
        let held = List::new(held.take(PUBLICATIONS_MAX).collect()).unwrap_or_default();
        let body = Body::Holdings(Holdings { held });
        batch.letters.push(Letter { to: parent, urgency: Urgency::Routine, receipted: false, body });
    }

    /// A child says what it holds: it gets what it lacks. The inner error says why it was not accepted.
    pub(super) async fn holdings(
        &mut self,
        origin: NodeId,
        holdings: &Holdings,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        if self.core.identity().parent == Some(origin) || !self.core.is_neighbour(origin) {
            return Ok(Err("only a child may ask for publications".to_owned()));
        }
        let theirs: BTreeMap<Key, u16> =
            holdings.held.iter().map(|h| ((h.kind, h.name.clone(), h.issuer), h.version)).collect();
        if self.publications.held.iter().all(|(key, version)| theirs.get(key).is_some_and(|held| held >= version)) {
            return Ok(Ok(()));
        }
        let rows = self.store.publications().await?;
        // Of each publication the version that has begun last, and those that will begin.
        let now = self.clock.reading().corrected();
        let mut begun: BTreeMap<Key, u16> = BTreeMap::new();
        for publication in rows.iter().map(|row| &row.published.publication).filter(|p| p.from.corrected() <= now) {
            begun.insert(key(publication), publication.version);
        }
        for row in rows {
            let publication = &row.published.publication;
            let key = key(publication);
            let has = theirs.get(&key).is_some_and(|held| *held >= publication.version);
            let past = begun.get(&key).is_some_and(|begun| *begun > publication.version);
            if !has && !past && publication.issuer != origin {
                self.hand_to(origin, &row.published, batch);
            }
        }
        Ok(Ok(()))
    }

    /// Chooses again what is in force, when an edition came, the line above changed, or the time of one has come.
    pub(super) async fn choose_again(&mut self) {
        let now = self.clock.reading().corrected();
        match self.store.publications().await {
            Ok(rows) => {
                let measures = self.publications.holds.measures.clone();
                self.publications.choose(&rows, self.me, &self.line, now);
                self.recount |= measures != self.publications.holds.measures;
                self.shared.put_in_force(self.publications.holds());
                self.reached = Some(BEFORE_ALL_CASES);
                self.passing = Some(BEFORE_ALL_CASES);
                self.provisional = Some(BEFORE_ALL_CASES);
                self.say_what_is_not_applied();
            }
            Err(error) => {
                // What held goes on holding, and the next turn tries again.
                tracing::error!(%error, "what is in force could not be read");
                self.publications.next = Some(now);
            }
        }
    }

    /// Whether the time of an edition has come.
    pub(super) fn must_choose_again(&self) -> bool {
        self.publications.next.is_some_and(|next| next <= self.clock.reading().corrected())
    }

    /// An alarm for each edition that should hold and does not, once a run.
    pub(super) fn say_what_is_not_applied(&mut self) {
        for NotApplied { edition, why } in &self.publications.not_applied {
            let (Some(issuer), Ok(name)) = (edition.issuer, Text::new(edition.name.clone())) else { continue };
            if self.publications.told.insert(((edition.kind, name, issuer), edition.version)) {
                let what = format!(
                    "{} {} version {} is kept and passed on, but not applied: {why}; what held before still holds",
                    edition.kind, edition.name, edition.version
                );
                tracing::warn!(what);
                self.alarm(AlarmKind::Publication, what);
            }
        }
    }
}

/// Small ones that change how cases are handled go with the cases; lists wait behind them.
fn urgency(kind: PublicationKind) -> Urgency {
    match kind {
        PublicationKind::POLICY | PublicationKind::RULES => Urgency::Routine,
        _ => Urgency::Bulk,
    }
}
