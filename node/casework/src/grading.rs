//! Grading (预警分级): what the rules propose. A person confirms it, and may set it higher, never lower. The rules are data
//! (规则集), so that a console weighs them as a node does.

use std::collections::BTreeMap;

use protocol::event::Matter;
use protocol::grading::{Answers, Known, Rule};
use protocol::warning::Warning;
use serde::{Deserialize, Serialize};

use crate::content::{Content, FieldTrouble};

/// Rules of one set at most.
const RULES_MAX: usize = 100;

/// What must hold for a rule to fire: all that is named. "Not known" is never a yes, so it never fires a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Any sign of an outbreak is ticked.
    #[serde(skip_serializing_if = "is_false")]
    pub any_sign: bool,
    /// Violence or the threat of it.
    #[serde(skip_serializing_if = "is_false")]
    pub violence: bool,
    /// Talk of petitioning over local heads (越级上访).
    #[serde(skip_serializing_if = "is_false")]
    pub petition_talk: bool,
    /// So many people at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<u32>,
    /// It disturbs production or daily life.
    #[serde(skip_serializing_if = "is_false")]
    pub disturbs: bool,
    /// It takes much of the authorities' effort.
    #[serde(skip_serializing_if = "is_false")]
    pub effort: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl When {
    fn holds(&self, answers: &Answers) -> bool {
        let yes = |asked: bool, known: Known| !asked || known == Known::Yes;
        (!self.any_sign || answers.signs != 0)
            && yes(self.violence, answers.violence)
            && yes(self.petition_talk, answers.petition_talk)
            && self.people.is_none_or(|least| answers.people.unwrap_or(0) >= least)
            && yes(self.disturbs, answers.disturbs)
            && yes(self.effort, answers.effort)
    }
}

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradingRule {
    /// The level that it proposes.
    pub level: Warning,
    /// The name under which it is shown.
    pub fires: Rule,
    /// What must hold.
    pub when: When,
}

/// A rule set as it is published. The first rule that holds fires; rules stand from the highest level down.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    schema: u16,
    rules: Vec<GradingRule>,
}

/// The rules that ship with the program.
pub(crate) const BUILT_IN: &str = include_str!("../../data/rules.json");

impl RuleSet {
    /// The rules that ship with the program.
    pub fn built_in() -> Self {
        // A test reads it: what ships is never refused.
        Self::read(BUILT_IN.as_bytes()).unwrap_or_default()
    }

    /// The rules in order.
    pub fn rules(&self) -> &[GradingRule] {
        &self.rules
    }

    /// The level that the rules propose, with the rule that fired; the highest wins.
    pub fn propose(&self, matter: Matter, answers: &Answers) -> (Option<Warning>, Rule) {
        if matter != Matter::Dispute {
            return (None, Rule::NotADispute);
        }
        match self.rules.iter().find(|rule| rule.when.holds(answers)) {
            Some(rule) => (Some(rule.level), rule.fires),
            // A set without a rule for every dispute is refused when it is read.
            None => (Some(Warning::Yellow), Rule::AnyDispute),
        }
    }
}

/// How other rules would have graded cases than those in force (规则试算).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trial {
    /// Disputes that were looked at.
    pub disputes: u32,
    /// How many the rules in force propose for a level, and the others for another: both, and how many.
    pub moves: BTreeMap<(Option<Warning>, Option<Warning>), u32>,
}

impl Trial {
    /// One more case, by what is known of it. Both levels, where they differ.
    pub fn take(
        &mut self,
        (now, then): (&RuleSet, &RuleSet),
        matter: Matter,
        answers: &Answers,
    ) -> Option<(Option<Warning>, Option<Warning>)> {
        if matter != Matter::Dispute {
            return None;
        }
        let levels = (now.propose(matter, answers).0, then.propose(matter, answers).0);
        self.disputes = self.disputes.saturating_add(1);
        let count = self.moves.entry(levels).or_default();
        *count = count.saturating_add(1);
        (levels.0 != levels.1).then_some(levels)
    }
}

impl Content for RuleSet {
    fn check(&self, found: &mut Vec<FieldTrouble>) {
        if self.rules.last().is_none_or(|rule| rule.when != When::default()) {
            found.push(FieldTrouble::new(
                "rules",
                "the last rule must hold for every dispute: it has no condition",
                "最后一条规则必须适用于所有纠纷(不带条件)",
            ));
        }
        if self.rules.len() > RULES_MAX {
            let (en, zh) = (format!("more than {RULES_MAX} rules"), format!("规则超过 {RULES_MAX} 条"));
            found.push(FieldTrouble::new("rules", en, zh));
        }
        for (index, pair) in self.rules.windows(2).enumerate() {
            if let [before, after] = pair
                && after.level > before.level
            {
                found.push(FieldTrouble::new(
                    format!("rules[{}].level", index.saturating_add(1)),
                    "rules stand from the highest level down",
                    "规则应按等级由高到低排列",
                ));
            }
        }
        for (index, rule) in self.rules.iter().enumerate() {
            if !rule.level.known() {
                let (en, zh) = ("a level is yellow, red or orange", "等级应为 yellow、red 或 orange");
                found.push(FieldTrouble::new(format!("rules[{index}].level"), en, zh));
            }
            if matches!(rule.fires, Rule::NotADispute | Rule::Person) {
                found.push(FieldTrouble::new(
                    format!("rules[{index}].fires"),
                    "this name is kept for what no rule decides",
                    "该名称保留给非规则判定",
                ));
            }
        }
    }
}

/// New answers over earlier ones: "not known" leaves what was known, so it never lowers a level.
pub fn merge(earlier: &Answers, newer: &Answers) -> Answers {
    let known = |old, new| if new == Known::Unknown { old } else { new };
    Answers {
        signs: newer.signs,
        violence: known(earlier.violence, newer.violence),
        petition_talk: known(earlier.petition_talk, newer.petition_talk),
        people: newer.people.or(earlier.people),
        disturbs: known(earlier.disturbs, newer.disturbs),
        effort: known(earlier.effort, newer.effort),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Trouble;

    fn propose(matter: Matter, answers: &Answers) -> (Option<Warning>, Rule) {
        RuleSet::built_in().propose(matter, answers)
    }

    fn level(answers: Answers) -> (Option<Warning>, Rule) {
        propose(Matter::Dispute, &answers)
    }
    /// The reading of the definitions by which all signs of a level must be there, for whoever publishes it instead.
    const AND: &str = include_str!("../../data/rules-and.json");

    #[test]
    fn by_the_and_reading_a_level_asks_for_all_of_its_signs() {
        let and = RuleSet::read(AND.as_bytes()).unwrap();
        let all = Answers {
            signs: 1,
            violence: Known::Yes,
            petition_talk: Known::Yes,
            people: Some(20),
            ..Answers::default()
        };
        let propose = |answers: Answers| and.propose(Matter::Dispute, &answers).0;
        assert_eq!(propose(all), Some(Warning::Orange));
        assert_eq!(propose(Answers { people: Some(19), ..all }), Some(Warning::Red));
        assert_eq!(propose(Answers { people: Some(4), ..all }), Some(Warning::Yellow));
        assert_eq!(propose(Answers { petition_talk: Known::Unknown, ..all }), Some(Warning::Yellow));
    }

    #[test]
    fn a_trial_counts_disputes_by_both_rules_and_names_those_that_would_move() {
        let (now, then) = (RuleSet::built_in(), RuleSet::read(AND.as_bytes()).unwrap());
        let violent = Answers { violence: Known::Yes, ..Answers::default() };
        let mut trial = Trial::default();
        let mut take = |matter, answers: &Answers| trial.take((&now, &then), matter, answers);
        assert_eq!(take(Matter::Dispute, &violent), Some((Some(Warning::Red), Some(Warning::Yellow))));
        assert_eq!(take(Matter::Dispute, &Answers::default()), None);
        assert_eq!(take(Matter::Request, &violent), None, "only disputes have a level");
        let same = (Some(Warning::Yellow), Some(Warning::Yellow));
        assert_eq!((trial.disputes, trial.moves.get(&same)), (2, Some(&1)));
    }

    #[test]
    fn the_boundaries_of_a_group() {
        let petition = |people| Answers { petition_talk: Known::Yes, people, ..Answers::default() };
        assert_eq!(level(petition(Some(4))), (Some(Warning::Yellow), Rule::AnyDispute));
        assert_eq!(level(petition(Some(5))), (Some(Warning::Red), Rule::GroupPetition));
        assert_eq!(level(petition(Some(19))), (Some(Warning::Red), Rule::GroupPetition));
        assert_eq!(level(petition(Some(20))), (Some(Warning::Orange), Rule::LargeGroupPetition));
        assert_eq!(level(petition(None)), (Some(Warning::Yellow), Rule::AnyDispute));
        let quiet = Answers { petition_talk: Known::No, people: Some(500), ..Answers::default() };
        assert_eq!(level(quiet), (Some(Warning::Yellow), Rule::AnyDispute));
    }

    #[test]
    fn each_sign_is_orange_and_violence_is_red() {
        for bit in 0..5 {
            let signs = Answers { signs: 1 << bit, violence: Known::Yes, ..Answers::default() };
            assert_eq!(level(signs), (Some(Warning::Orange), Rule::SignOfOutbreak));
        }
        let violence = Answers { violence: Known::Yes, disturbs: Known::Yes, ..Answers::default() };
        assert_eq!(level(violence), (Some(Warning::Red), Rule::Violence));
        let effort = Answers { effort: Known::Yes, ..Answers::default() };
        assert_eq!(level(effort), (Some(Warning::Yellow), Rule::Disturbance));
    }

    #[test]
    fn questions_and_requests_have_no_level() {
        let worst = Answers { signs: 31, violence: Known::Yes, ..Answers::default() };
        assert_eq!(propose(Matter::Request, &worst), (None, Rule::NotADispute));
        assert_eq!(propose(Matter::Consultation, &worst), (None, Rule::NotADispute));
    }

    #[test]
    fn not_known_never_lowers() {
        let red = Answers { violence: Known::Yes, people: Some(7), ..Answers::default() };
        assert_eq!(merge(&red, &Answers::default()), red);
        let no = Answers { violence: Known::No, ..Answers::default() };
        assert_eq!(merge(&red, &no).violence, Known::No);
    }

    #[test]
    fn thresholds_are_data() {
        let text = r#"{"schema":1,"rules":[
            {"level":"orange","fires":"large_group_petition","when":{"petition_talk":true,"people":50}},
            {"level":"yellow","fires":"any_dispute","when":{}}]}"#;
        let rules = RuleSet::read(text.as_bytes()).unwrap();
        let crowd = |people| Answers { petition_talk: Known::Yes, people: Some(people), ..Answers::default() };
        assert_eq!(rules.propose(Matter::Dispute, &crowd(49)).0, Some(Warning::Yellow));
        assert_eq!(rules.propose(Matter::Dispute, &crowd(50)).0, Some(Warning::Orange));
        assert_eq!(rules.rules().len(), 2);
    }

    #[test]
    fn a_set_that_leaves_a_dispute_without_a_level_or_is_out_of_order_is_refused() {
        let paths = |rules: &str| match RuleSet::read(format!(r#"{{"schema":1,"rules":[{rules}]}}"#).as_bytes()) {
            Err(Trouble::Fields(fields)) => fields.into_iter().map(|f| f.path).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let violence = r#"{"level":"red","fires":"violence","when":{"violence":true}}"#;
        let any = r#"{"level":"yellow","fires":"any_dispute","when":{}}"#;
        assert_eq!(paths(""), ["rules"]);
        assert_eq!(paths(violence), ["rules"]);
        let below = r#"{"level":"yellow","fires":"disturbance","when":{"disturbs":true}}"#;
        assert_eq!(paths(&format!("{below},{violence},{any}")), ["rules[1].level"]);
        assert_eq!(paths(r#"{"level":"yellow","fires":"person","when":{}}"#), ["rules[0].fires"]);
        assert_eq!(paths(r#"{"level":"level_9","fires":"any_dispute","when":{}}"#), ["rules[0].level"]);
        assert_eq!(
            paths(r#"{"level":"yellow","fires":"any_dispute","when":{"weather":true}}"#),
            ["rules[0].when.weather"]
        );
    }

    #[test]
    fn more_rules_than_a_set_may_have_are_refused_and_of_many_wrong_fields_twenty_are_named() {
        let set = |rule: &str, count: usize| {
            let any = r#"{"level":"yellow","fires":"any_dispute","when":{}}"#;
            RuleSet::read(format!(r#"{{"schema":1,"rules":[{}{any}]}}"#, format!("{rule},").repeat(count)).as_bytes())
        };
        let violence = r#"{"level":"red","fires":"violence","when":{"violence":true}}"#;
        assert!(set(violence, RULES_MAX - 1).is_ok());
        let Err(Trouble::Fields(fields)) = set(violence, RULES_MAX) else { panic!("one rule too many is taken") };
        assert_eq!(fields.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["rules"]);
        let unknown = r#"{"level":"level_9","fires":"any_dispute","when":{"violence":true}}"#;
        let Err(Trouble::Fields(fields)) = set(unknown, 90) else { panic!("an unknown level is taken") };
        assert_eq!(fields.len(), 20);
    }
}
