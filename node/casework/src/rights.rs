//! Who may do what: roles (角色), and the acts that a button may offer.

use protocol::bounded::Text;
use protocol::division::DivisionCode;
use protocol::event::Brief;
use protocol::unit::UnitCode;
use serde::{Deserialize, Serialize};

pub use crate::actions::ActionName;
use crate::actions::Who;
use crate::decide;
use crate::fits::has_a_subject;
use crate::known::Known;
use crate::publish::InForce;
use crate::refusal::Refusal;
use crate::world::Me;

/// A role of a person at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 网格员: reports, and settles small matters on the spot.
    GridWorker,
    /// 调解员: works on cases.
    Mediator,
    /// 受理员: the intake desk.
    Clerk,
    /// 承办人: handles what a unit was given.
    Handler,
    /// 分管领导: approves, directs, takes over.
    Supervisor,
    /// 系统管理员: users and settings, no cases.
    Administrator,
    /// 查看: reads only.
    Viewer,
    /// 热线坐席: registers and looks up, works on nothing.
    Hotline,
    /// 审计员: reads the audit, no cases.
    Auditor,
}

/// Where a role holds (范围): a division with all below it, a unit, both, or the whole node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Scope {
    /// What happens in this division or below; none: wherever.
    pub division: Option<DivisionCode>,
    /// What this unit answers for; none: any unit, and what has none yet.
    pub unit: Option<UnitCode>,
}

/// A role with its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Where it holds.
    pub scope: Scope,
}

/// Where a case is, as far as rights ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// Where it happened.
    pub place: DivisionCode,
    /// The unit that answers for it; the node itself before it is assigned.
    pub unit: UnitCode,
}

impl At {
    fn of(brief: &Brief) -> Self {
        Self { place: brief.place, unit: brief.unit }
    }
}

/// Somebody who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User id at the node.
    pub user: Text<40>,
    /// Name as shown.
    pub name: Text<60>,
    /// Roles with their scopes. Several may hold at once; each is judged by itself.
    pub grants: Vec<Grant>,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::GridWorker,
        Self::Mediator,
        Self::Clerk,
        Self::Handler,
        Self::Supervisor,
        Self::Administrator,
        Self::Viewer,
        Self::Hotline,
        Self::Auditor,
    ];

    /// Whether the role may do this.
    pub fn may(self, action: ActionName) -> bool {
        match action.who() {
            Who::Works => self.works(),
            Who::Registers => self.works() || self == Self::Hotline,
            Who::Desk => matches!(self, Self::GridWorker | Self::Clerk | Self::Supervisor),
            Who::Leads => self == Self::Supervisor,
        }
    }

    /// Whether the role works on cases.
    pub fn works(self) -> bool {
        matches!(self, Self::GridWorker | Self::Mediator | Self::Clerk | Self::Handler | Self::Supervisor)
    }

    /// Whether the role may know of cases at all.
    pub fn sees_cases(self) -> bool {
        self.works() || matches!(self, Self::Viewer | Self::Hotline)
    }

    /// Whether the role may see a party's name and numbers unmasked, with a reason.
    pub fn reveals(self) -> bool {
        self.works()
    }
}

impl Scope {
    /// The whole node.
    pub const EVERYWHERE: Self = Self { division: None, unit: None };

    /// Whether something lies within.
    pub fn covers(&self, at: At) -> bool {
        self.division.is_none_or(|division| division.contains(at.place)) && self.unit.is_none_or(|unit| unit == at.unit)
    }

    /// Whether every place and unit of `other` lies within: nobody hands on more than they hold.
    pub fn includes(&self, other: &Self) -> bool {
        let place = self.division.is_none_or(|outer| other.division.is_some_and(|inner| outer.contains(inner)));
        place && (self.unit.is_none() || self.unit == other.unit)
    }
}

impl Grant {
    /// A role at the whole node.
    pub fn everywhere(role: Role) -> Self {
        Self { role, scope: Scope::EVERYWHERE }
    }
}

impl Actor {
    /// Somebody whose roles hold at the whole node.
    pub fn everywhere(user: &str, name: &str, roles: &[Role]) -> Self {
        let grants = roles.iter().copied().map(Grant::everywhere).collect();
        Self { user: Text::cut(user), name: Text::cut(name), grants }
    }

    fn holds(&self, places: &[At], fits: impl Fn(Role) -> bool) -> bool {
        self.grants.iter().any(|grant| {
            // What is nowhere yet is within the whole node only.
            let nowhere = places.is_empty() && grant.scope == Scope::EVERYWHERE;
            fits(grant.role) && (nowhere || places.iter().any(|at| grant.scope.covers(*at)))
        })
    }

    /// Whether this person may know of what is at one of these.
    pub fn sees(&self, at: &[At]) -> bool {
        self.holds(at, Role::sees_cases)
    }

    /// Refuses what no grant allows there. What this person may not know of is answered like what is not here.
    pub fn must(&self, action: ActionName, at: &[At]) -> Result<(), Refusal> {
        match (self.holds(at, |role| role.may(action)), self.sees(at)) {
            (true, _) => Ok(()),
            (false, true) => Err(Refusal::RoleMissing),
            // Whoever files a report speaks of a place that everybody knows.
            (false, false) if action == ActionName::Report => Err(Refusal::RoleMissing),
            (false, false) => Err(Refusal::UnknownCase),
        }
    }

    /// Whether this person may do this there as somebody of the whole node, and not only as one of its units.
    pub fn may_beside_units(&self, action: ActionName, at: &[At]) -> bool {
        self.grants.iter().any(|grant| {
            let of_the_node = grant.scope.unit.is_none() && at.iter().any(|at| grant.scope.covers(*at));
            of_the_node && grant.role.may(action)
        })
    }

    /// Whether this person approves for the node there.
    pub fn supervises(&self, at: &[At]) -> bool {
        self.holds(at, |role| role == Role::Supervisor)
    }
}

/// Where a case is: its place under the unit that leads it, and under each unit that has a task of it.
pub fn at(known: &Known) -> Vec<At> {
    let tasks = known.case().into_iter().flat_map(|case| &case.tasks).map(|task| task.unit);
    lead(known).into_iter().flat_map(|lead| std::iter::once(lead).chain(units(lead, tasks.clone()))).collect()
}

fn units(lead: At, units: impl Iterator<Item = UnitCode>) -> impl Iterator<Item = At> {
    units.map(move |unit| At { unit, ..lead })
}

/// Where somebody must hold a role for an action. Who has a task signs for it and reports on it; all else is for who leads the
/// case.
pub(crate) fn places(known: &Known, action: ActionName) -> Vec<At> {
    match action {
        ActionName::AcceptTask | ActionName::ReportTask | ActionName::Attach => at(known),
        _ => lead(known).into_iter().collect(),
    }
}

/// Where it is under its lead, by all that is held of it: its own last word, else what was offered or asked about it.
fn lead(known: &Known) -> Option<At> {
    let offered = || known.offers().max_by_key(|file| file.offer.id).map(|file| &file.offer.brief);
    let asked = || known.orders().find_map(|file| file.order.asked.told()).map(|brief| At::of(&brief));
    known.case().map(|case| &case.brief).or_else(offered).map(At::of).or_else(asked)
}

/// What a person may do next with a case: what would not be refused for role or state. What depends on the words of the
/// command, or on where another node hangs, is judged when it is done.
pub fn next_actions(known: &Known, me: Me, by: &Actor, holds: &InForce) -> Vec<ActionName> {
    let (seen, actions) = (known.read_by(by), ActionName::ALL.iter().copied());
    actions
        .filter(|action| *action != ActionName::Report)
        .filter(|action| allowed((known, &seen), me, by, holds, *action).is_ok())
        .filter(|action| known.case().is_none_or(|case| has_a_subject(*action, case)))
        .filter(|action| !action.names_readers() || decide::names_readers(known, by))
        .collect()
}

/// Whether a person may do something now, as far as it does not depend on the words of the command.
pub fn may(known: &Known, me: Me, by: &Actor, holds: &InForce, action: ActionName) -> Result<(), Refusal> {
    allowed((known, &known.read_by(by)), me, by, holds, action)
}

/// The same, where what the person may read of the case is known.
fn allowed(
    (known, seen): (&Known, &Known),
    me: Me,
    by: &Actor,
    holds: &InForce,
    action: ActionName,
) -> Result<(), Refusal> {
    by.must(action, &places(seen, action))?;
    decide::open_to(known, me, by, holds, action)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> DivisionCode {
        text.parse().unwrap()
    }

    fn granted(role: Role, division: Option<&str>, unit: Option<u16>) -> Actor {
        let scope = Scope { division: division.map(code), unit: unit.map(UnitCode) };
        Actor { user: Text::cut("u"), name: Text::cut("某人"), grants: vec![Grant { role, scope }] }
    }

    const TOWN: &str = "330602001000";
    const VILLAGE: &str = "330602001001";
    const OTHER: &str = "330603001000";

    #[test]
    fn a_scoped_role_acts_within_and_knows_of_nothing_outside() {
        let clerk = granted(Role::Clerk, Some(TOWN), None);
        let (inside, outside) = (
            At { place: code(VILLAGE), unit: UnitCode::NODE_ITSELF },
            At { place: code(OTHER), unit: UnitCode::NODE_ITSELF },
        );
        assert_eq!(clerk.must(ActionName::File, &[inside]), Ok(()));
        assert_eq!(clerk.must(ActionName::TakeOver, &[inside]), Err(Refusal::RoleMissing));
        assert_eq!(clerk.must(ActionName::File, &[outside]), Err(Refusal::UnknownCase));
        assert_eq!(clerk.must(ActionName::File, &[]), Err(Refusal::UnknownCase));
        assert_eq!(clerk.must(ActionName::Report, &[outside]), Err(Refusal::RoleMissing));
    }

    #[test]
    fn a_unit_sees_what_it_answers_for_only() {
        let handler = granted(Role::Handler, None, Some(3));
        assert!(handler.sees(&[At { place: code(VILLAGE), unit: UnitCode(3) }]));
        assert!(!handler.sees(&[At { place: code(VILLAGE), unit: UnitCode(4) }]));
        assert!(!handler.sees(&[At { place: code(VILLAGE), unit: UnitCode::NODE_ITSELF }]));
    }

    #[test]
    fn grants_do_not_lend_each_other_their_scopes() {
        let mut both = granted(Role::Viewer, None, None);
        both.grants.extend(granted(Role::Supervisor, Some(TOWN), None).grants);
        let outside = &[At { place: code(OTHER), unit: UnitCode::NODE_ITSELF }];
        assert!(both.sees(outside));
        assert_eq!(both.must(ActionName::TakeOver, outside), Err(Refusal::RoleMissing));
        assert!(!both.supervises(outside));
    }

    #[test]
    fn nobody_hands_on_more_than_they_hold() {
        let scope = |division: Option<&str>, unit: Option<u16>| Scope {
            division: division.map(code),
            unit: unit.map(UnitCode),
        };
        let (all, town) = (Scope::EVERYWHERE, scope(Some(TOWN), None));
        assert!(all.includes(&town) && town.includes(&scope(Some(VILLAGE), Some(4))));
        assert!(!town.includes(&all) && !town.includes(&scope(Some(OTHER), None)));
        assert!(!scope(None, Some(4)).includes(&town));
    }

    #[test]
    fn who_administers_or_audits_knows_of_no_case() {
        for role in Role::ALL {
            let blind = matches!(role, Role::Administrator | Role::Auditor);
            assert_eq!(role.sees_cases(), !blind, "{role:?}");
            assert!(!blind || ActionName::ALL.iter().all(|action| !role.may(*action)), "{role:?}");
        }
    }
}
