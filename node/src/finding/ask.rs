//! A page of cases: those that may fit are found in the table, and read until the page is full.

use std::collections::BTreeSet;
use std::sync::Arc;

use casework::Case;
use protocol::division::DivisionCode;
use protocol::id::CaseId;

use super::table::{Position, Sort, Table, Wanted};
use super::terms::{By, Judged, Places, Terms};
use super::text::{self, Readable};
use super::{Finder, Viewer, blocking};
use crate::names;
use crate::store::StoreError;

/// Cases that are read for one page at most; a page that is not full by then goes on from there.
const OPENED_MAX: usize = 1_000;
/// Cases that are read at once.
const TOGETHER: usize = 32;

/// A question for a page of cases.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which cases.
    pub wanted: Wanted,
    /// What they must hold.
    pub terms: Terms,
    /// In which order.
    pub sort: Sort,
    /// Behind which place of that order.
    pub after: Option<Position>,
    /// How many.
    pub count: usize,
    /// Who asks.
    pub viewer: Viewer,
    /// Names of divisions.
    pub names: Arc<names::Table>,
    /// The division of the node.
    pub home: DivisionCode,
}

/// A case that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The case.
    pub case: CaseId,
    /// Its place in the order.
    pub position: Position,
    /// By what; nothing where no word was asked for.
    pub by: BTreeSet<By>,
    /// Its title as everybody reads it, where its words were read.
    pub title: String,
    /// It would not have been found by what everybody reads of it.
    pub by_hidden: bool,
}

/// A page of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The cases, in the order that was asked for.
    pub hits: Vec<Hit>,
    /// Where the next page begins; it may hold nothing.
    pub next: Option<Position>,
    /// Cases whose words are not in the search yet.
    pub unmade: usize,
}

/// A case that may be on the page.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    position: Position,
    place: DivisionCode,
    judged: Judged,
    masked: bool,
}

impl Finder {
    /// A page of cases out of everything that was committed before it was asked.
    pub async fn ask(self: &Arc<Self>, asked: Asked) -> Result<Page, StoreError> {
        self.refresh().await?;
        let (this, question) = (self.clone(), asked.clone());
        let (candidates, more, unmade) = blocking(move || {
            let table = this.read();
            let (candidates, more) = candidates(&table, &question);
            (candidates, more, table.unmade())
        })
        .await?;
        let mut page = Page { hits: Vec::new(), next: None, unmade };
        let mut places = Places::new(&asked.names, asked.home);
        for chunk in candidates.chunks(TOGETHER) {
            let opened: Vec<CaseId> =
                chunk.iter().filter(|one| one.judged == Judged::Perhaps).map(|one| one.position.2).collect();
            let known = self.store.known_of(&opened).await?;
            for one in chunk {
                let case = known.get(&one.position.2).and_then(|known| known.case());
                let Some(hit) = read(one, case, &asked.terms, &mut places) else { continue };
                if page.hits.len() == asked.count {
                    page.next = page.hits.last().map(|hit| hit.position);
                    return Ok(page);
                }
                page.hits.push(hit);
            }
        }
        page.next = candidates.last().filter(|_| more).map(|last| last.position);
        Ok(page)
    }
}

/// Cases that may be on the page, in its order, and whether there are more.
fn candidates(table: &Table, asked: &Asked) -> (Vec<Candidate>, bool) {
    let Some(fitting) = table.fitting(&asked.wanted) else { return (Vec::new(), false) };
    let mut places = Places::new(&asked.names, asked.home);
    let mut found = Vec::new();
    for entry in table.entries() {
        let position = asked.sort.position(entry);
        if asked.after.is_some_and(|after| position <= after) || !fitting.fits(entry) || !asked.viewer.sees(entry.at())
        {
            continue;
        }
        let masked = asked.viewer.reads_masked(entry.at());
        let judged = asked.terms.judge(entry, &mut places, masked);
        if judged != Judged::No {
            found.push(Candidate { position, place: entry.place, judged, masked });
        }
    }
    let (most, place) = (OPENED_MAX.max(asked.count + 1), |one: &Candidate| one.position);
    let more = found.len() > most;
    if more {
        found.select_nth_unstable_by_key(most, place);
        found.truncate(most);
    }
    found.sort_unstable_by_key(place);
    (found, more)
}

/// A candidate whose words were read, if it is found by them.
fn read(one: &Candidate, case: Option<&Case>, terms: &Terms, places: &mut Places<'_>) -> Option<Hit> {
    let id = one.position.2;
    let hit = |by, title, by_hidden| Some(Hit { case: id, position: one.position, by, title, by_hidden });
    if one.judged == Judged::Yes {
        let by = terms.found(id, one.place, &Readable::default(), places)?;
        return hit(by, String::new(), false);
    }
    let case = case?;
    let shown = terms.found(id, one.place, &text::shown(case), places);
    let by = match one.masked {
        true => shown.clone(),
        false => terms.found(id, one.place, &text::whole(case), places),
    };
    hit(by?, text::masked_title(case), shown.is_none())
}
