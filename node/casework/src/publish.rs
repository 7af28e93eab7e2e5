//! What is in force (生效): of everything that was published to a node, which edition of each holds. The nearest issuer
//! above wins; of one issuer the highest version that has begun; one that cannot be read leaves what held before.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use protocol::id::NodeId;
use protocol::moving::Moves;
use protocol::publication::PublicationKind;
use protocol::time::UnixMillis;

use crate::calendar::Calendar;
use crate::category::CategoryList;
use crate::content::{Content, Trouble};
use crate::grading::RuleSet;
use crate::lists::{CodeList, LISTS, MAPPINGS, Mapping, Shipped};
use crate::measures::MeasureTable;
use crate::policy::{self, Policy};
use crate::terms::TermTable;
use crate::units::UnitDirectory;

/// The name of publications of which there is one of a kind.
pub const MAIN: &str = "main";

/// A content that was read.
#[derive(Debug, Clone)]
pub enum Parsed {
    /// A list of categories.
    Categories(Arc<CategoryList>),
    /// Another code list.
    CodeList(Arc<CodeList>),
    /// A mapping table.
    Mapping(Arc<Mapping>),
    /// Grading rules.
    Rules(Arc<RuleSet>),
    /// A policy.
    Policy(Arc<Policy>),
    /// A calendar.
    Calendar(Arc<Calendar>),
    /// A unit directory.
    Units(Arc<UnitDirectory>),
    /// A table of terms.
    Terms(Arc<TermTable>),
    /// A table of measures.
    Measures(Arc<MeasureTable>),
}

/// Reads a content by its kind.
///
/// # Errors
///
/// [`Trouble`] says which field is wrong, or that kind or schema is of a later version.
pub fn read(kind: PublicationKind, content: &[u8]) -> Result<Parsed, Trouble> {
    Ok(match kind {
        PublicationKind::CATEGORIES => Parsed::Categories(Arc::new(CategoryList::read(content)?)),
        PublicationKind::CODE_LIST => Parsed::CodeList(Arc::new(CodeList::read(content)?)),
        PublicationKind::MAPPING => Parsed::Mapping(Arc::new(Mapping::read(content)?)),
        PublicationKind::RULES => Parsed::Rules(Arc::new(RuleSet::read(content)?)),
        PublicationKind::POLICY => Parsed::Policy(Arc::new(Policy::read(content)?)),
        PublicationKind::CALENDAR => Parsed::Calendar(Arc::new(Calendar::read(content)?)),
        PublicationKind::UNITS => Parsed::Units(Arc::new(UnitDirectory::read(content)?)),
        PublicationKind::TERMS => Parsed::Terms(Arc::new(TermTable::read(content)?)),
        PublicationKind::MEASURES => Parsed::Measures(Arc::new(MeasureTable::read(content)?)),
        PublicationKind(other) => return Err(Trouble::UnknownKind(other)),
    })
}

/// Reads a content: [`read`], or a memory of what it gave.
pub type Reader = fn(PublicationKind, &[u8]) -> Result<Parsed, Trouble>;

/// Whether a name fits a kind: several lists and tables have names of their own, of everything else there is one.
pub fn name_fits(kind: PublicationKind, name: &str) -> bool {
    match kind {
        PublicationKind::CODE_LIST | PublicationKind::MAPPING => {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        }
        _ => name == MAIN,
    }
}

/// An edition that a node holds.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// What it is.
    pub kind: PublicationKind,
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: u16,
    /// Who issued it.
    pub issuer: NodeId,
    /// From when it holds.
    pub from: UnixMillis,
    /// Its content; an empty one withdraws what this issuer published before.
    pub content: &'a [u8],
}

/// Which edition is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// What it is.
    pub kind: PublicationKind,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u16,
    /// Who issued it; none: it ships with the program.
    pub issuer: Option<NodeId>,
}

/// An edition that should hold and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotApplied {
    /// Which.
    pub edition: Edition,
    /// Why.
    pub why: Trouble,
}

/// Everything that is in force at a node.
#[derive(Debug, Clone)]
pub struct InForce {
    /// Ceilings, terms and the like.
    pub policy: Policy,
    /// Grading rules.
    pub rules: Arc<RuleSet>,
    /// Categories.
    pub categories: Arc<CategoryList>,
    /// Other code lists, by name.
    pub lists: BTreeMap<String, Arc<CodeList>>,
    /// Mapping tables, by the name of the list onto which they map.
    pub mappings: BTreeMap<String, Arc<Mapping>>,
    /// Working days.
    pub calendar: Arc<Calendar>,
    /// Units.
    pub units: Arc<UnitDirectory>,
    /// Terms.
    pub terms: Arc<TermTable>,
    /// What each warning level asks to be done at once.
    pub measures: Arc<MeasureTable>,
    /// Which editions these are.
    pub editions: Vec<Edition>,
    /// Which divisions hang elsewhere than their codes say: no publication, but an order of the authority, and it holds
    /// like one.
    pub places: Moves,
}

static SHIPPED: LazyLock<Arc<InForce>> = LazyLock::new(|| Arc::new(shipped()));

impl Default for InForce {
    fn default() -> Self {
        Self::clone(&SHIPPED)
    }
}

impl InForce {
    /// What ships with the program, shared by all nodes of a process.
    pub fn shipped() -> Arc<Self> {
        SHIPPED.clone()
    }

    /// The same with another policy.
    pub fn with_policy(mut self, policy: Policy) -> Self {
        let (rules, category_list) = (self.policy.rules, self.policy.category_list);
        self.policy = Policy { rules, category_list, ..policy };
        self
    }

    fn put(&mut self, edition: Edition, parsed: Parsed) {
        match parsed {
            Parsed::Categories(list) => {
                self.categories = list;
                self.policy.category_list = edition.version;
            }
            Parsed::CodeList(list) => drop(self.lists.insert(edition.name.clone(), list)),
            Parsed::Mapping(mapping) => drop(self.mappings.insert(edition.name.clone(), mapping)),
            Parsed::Rules(rules) => {
                self.rules = rules;
                self.policy.rules = edition.version;
            }
            Parsed::Policy(policy) => {
                let (rules, category_list) = (self.policy.rules, self.policy.category_list);
                self.policy = Policy { rules, category_list, ..Policy::clone(&policy) };
            }
            Parsed::Calendar(calendar) => self.calendar = calendar,
            Parsed::Units(units) => self.units = units,
            Parsed::Terms(terms) => self.terms = terms,
            Parsed::Measures(measures) => self.measures = measures,
        }
        self.editions.retain(|held| (held.kind, &held.name) != (edition.kind, &edition.name));
        self.editions.push(edition);
        self.editions.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    }
}

/// What ships with the program, as contents: kind, name and JSON.
pub fn built_in() -> impl Iterator<Item = (PublicationKind, &'static str, &'static str)> {
    let main = [
        (PublicationKind::CATEGORIES, MAIN, crate::category::BUILT_IN),
        (PublicationKind::RULES, MAIN, crate::grading::BUILT_IN),
        (PublicationKind::POLICY, MAIN, policy::BUILT_IN),
        (PublicationKind::CALENDAR, MAIN, crate::calendar::BUILT_IN),
        (PublicationKind::UNITS, MAIN, crate::units::BUILT_IN),
        (PublicationKind::TERMS, MAIN, crate::terms::BUILT_IN),
        (PublicationKind::MEASURES, MAIN, crate::measures::BUILT_IN),
    ];
    let named = |kind, list: &'static [Shipped]| list.iter().map(move |s| (kind, s.name, s.content));
    main.into_iter().chain(named(PublicationKind::CODE_LIST, &LISTS)).chain(named(PublicationKind::MAPPING, &MAPPINGS))
}

fn shipped() -> InForce {
    let mut in_force = InForce {
        policy: Policy::default(),
        rules: Arc::default(),
        categories: Arc::default(),
        lists: BTreeMap::new(),
        mappings: BTreeMap::new(),
        calendar: Arc::new(Calendar::unknown()),
        units: Arc::default(),
        terms: Arc::default(),
        measures: Arc::default(),
        editions: Vec::new(),
        places: Moves::default(),
    };
    for (kind, name, content) in built_in() {
        // A test reads them all: what ships is never refused.
        if let Ok(parsed) = read(kind, content.as_bytes()) {
            in_force.put(Edition { kind, name: name.to_owned(), version: 1, issuer: None }, parsed);
        }
    }
    in_force
}

/// What was chosen.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// What is in force.
    pub in_force: InForce,
    /// What should be and is not, with the reason.
    pub not_applied: Vec<NotApplied>,
    /// When another edition begins to hold.
    pub next: Option<UnixMillis>,
}

/// Chooses among the editions that a node holds. `line` names who may issue for this node, the node itself first, then
/// those above from the nearest up; editions of others are kept and not looked at.
pub fn choose(held: &[Held<'_>], line: &[NodeId], now: UnixMillis, reader: Reader) -> Chosen {
    let mut chosen = Chosen { in_force: InForce::default(), not_applied: Vec::new(), next: None };
    let mut groups: BTreeMap<(PublicationKind, &str), Vec<(usize, Held<'_>)>> = BTreeMap::new();
    for edition in held.iter().filter(|e| name_fits(e.kind, e.name) || e.kind.word().is_none()) {
        let Some(distance) = line.iter().position(|node| *node == edition.issuer) else { continue };
        if edition.from > now {
            chosen.next = Some(chosen.next.map_or(edition.from, |next| next.min(edition.from)));
            continue;
        }
        groups.entry((edition.kind, edition.name)).or_default().push((distance, *edition));
    }
    for mut editions in groups.into_values() {
        // The nearest issuer first; of one issuer the highest version first.
        editions.sort_by_key(|(distance, edition)| (*distance, std::cmp::Reverse(edition.version)));
        best(&editions, &mut chosen, reader);
    }
    chosen
}

fn best(editions: &[(usize, Held<'_>)], chosen: &mut Chosen, reader: Reader) {
    let mut withdrawn = None;
    for (distance, held) in editions {
        if withdrawn == Some(*distance) {
            continue;
        }
        if held.content.is_empty() {
            withdrawn = Some(*distance);
            continue;
        }
        let Held { kind, name, version, issuer, .. } = *held;
        let edition = Edition { kind, name: name.to_owned(), version, issuer: Some(issuer) };
        match reader(kind, held.content) {
            Ok(parsed) => return chosen.in_force.put(edition, parsed),
            Err(why) => chosen.not_applied.push(NotApplied { edition, why }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::division::Level;

    const ME: NodeId = NodeId::from_bytes([1; 16]);
    const COUNTY: NodeId = NodeId::from_bytes([2; 16]);
    const CITY: NodeId = NodeId::from_bytes([3; 16]);
    const ELSEWHERE: NodeId = NodeId::from_bytes([4; 16]);
    const LINE: [NodeId; 3] = [ME, COUNTY, CITY];
    const NOW: UnixMillis = UnixMillis(1_000);

    fn ceiling(level: &str) -> String {
        policy::BUILT_IN.replace(r#""red_ceiling": "city""#, &format!(r#""red_ceiling": "{level}""#))
    }

    fn policy_of(issuer: NodeId, version: u16, content: &str) -> Held<'_> {
        let (kind, from, content) = (PublicationKind::POLICY, UnixMillis(0), content.as_bytes());
        Held { kind, name: MAIN, version, issuer, from, content }
    }

    fn red(held: &[Held<'_>]) -> Level {
        choose(held, &LINE, NOW, read).in_force.policy.red_ceiling
    }

    #[test]
    fn everything_that_ships_is_read_and_in_force_as_version_1() {
        for (kind, name, content) in built_in() {
            assert!(name_fits(kind, name), "{name}");
            read(kind, content.as_bytes()).unwrap_or_else(|why| panic!("{kind:?} {name}: {why}"));
        }
        let shipped = InForce::shipped();
        assert_eq!(shipped.editions.len(), built_in().count());
        assert!(shipped.editions.iter().all(|e| e.version == 1 && e.issuer.is_none()));
        assert_eq!((shipped.policy.rules, shipped.policy.category_list), (1, 1));
    }

    #[test]
    fn the_nearest_issuer_wins_and_of_one_issuer_the_highest_version() {
        let (city, county, own) = (ceiling("county"), ceiling("township"), ceiling("community"));
        let (by_city, by_county) = (policy_of(CITY, 9, &city), policy_of(COUNTY, 1, &county));
        assert_eq!(red(&[]), Level::City);
        assert_eq!(red(&[by_city]), Level::County);
        assert_eq!(red(&[by_city, by_county]), Level::Township);
        assert_eq!(red(&[policy_of(CITY, 10, &county), by_city]), Level::Township);
        assert_eq!(red(&[by_city, by_county, policy_of(ME, 1, &own)]), Level::Community);
        assert_eq!(red(&[policy_of(ELSEWHERE, 9, &city)]), Level::City, "who is not above issues nothing here");
    }

    #[test]
    fn an_edition_that_cannot_be_read_leaves_what_held_before_and_is_told() {
        let (good, newer) = (ceiling("county"), ceiling("township").replace(r#""schema": 1"#, r#""schema": 2"#));
        let held = [policy_of(CITY, 1, &good), policy_of(CITY, 2, &newer)];
        let chosen = choose(&held, &LINE, NOW, read);
        assert_eq!(chosen.in_force.policy.red_ceiling, Level::County);
        let told: Vec<_> = chosen.not_applied.iter().map(|n| (n.edition.version, n.why.clone())).collect();
        assert_eq!(told, [(2, Trouble::NewerSchema(2))]);
        let kind = PublicationKind(99);
        let unknown = Held { kind, name: "x", content: b"{}", ..held[0] };
        let chosen = choose(&[unknown], &LINE, NOW, read);
        assert_eq!(chosen.not_applied.first().map(|n| n.why.clone()), Some(Trouble::UnknownKind(99)));
    }

    #[test]
    fn a_withdrawal_lets_the_next_issuer_hold() {
        let (city, county) = (ceiling("county"), ceiling("township"));
        let held = [policy_of(CITY, 1, &city), policy_of(COUNTY, 1, &county), policy_of(COUNTY, 2, "")];
        assert_eq!(red(&held), Level::County);
    }

    #[test]
    fn a_later_edition_holds_from_its_day_on() {
        let (now, later) = (ceiling("county"), ceiling("township"));
        let from = UnixMillis(2_000);
        let held = [policy_of(CITY, 1, &now), Held { from, ..policy_of(CITY, 2, &later) }];
        let chosen = choose(&held, &LINE, NOW, read);
        assert_eq!((chosen.in_force.policy.red_ceiling, chosen.next), (Level::County, Some(from)));
        let chosen = choose(&held, &LINE, from, read);
        assert_eq!((chosen.in_force.policy.red_ceiling, chosen.next), (Level::Township, None));
    }

    #[test]
    fn events_name_the_versions_that_are_in_force() {
        let rules = crate::grading::BUILT_IN;
        let kind = PublicationKind::RULES;
        let held = [Held { kind, content: rules.as_bytes(), ..policy_of(CITY, 7, rules) }];
        let policy = choose(&held, &LINE, NOW, read).in_force.policy;
        assert_eq!((policy.rules, policy.category_list), (7, 1));
        let ceiling = ceiling("county");
        let both = [held[0], policy_of(COUNTY, 3, &ceiling)];
        assert_eq!(
            choose(&both, &LINE, NOW, read).in_force.policy.rules,
            7,
            "a policy does not hide the rules' version"
        );
    }
}
