//! Grading (预警分级): what the rules propose. A person confirms it, and may set it higher, never lower.

use protocol::event::Matter;
use protocol::grading::{Answers, Known, Rule};
use protocol::warning::Warning;

/// People from whom on talk of petitioning over local heads makes a dispute red.
pub const GROUP: u32 = 5;
/// People from whom on it makes it orange.
pub const LARGE_GROUP: u32 = 20;

/// The level that the rules propose, with the rule that fired; the highest wins.
pub fn propose(matter: Matter, answers: &Answers) -> (Option<Warning>, Rule) {
    if matter != Matter::Dispute {
        return (None, Rule::NotADispute);
    }
    let petition = answers.petition_talk == Known::Yes;
    let people = answers.people.unwrap_or(0);
    if answers.signs != 0 {
        (Some(Warning::Orange), Rule::SignOfOutbreak)
    } else if petition && people >= LARGE_GROUP {
        (Some(Warning::Orange), Rule::LargeGroupPetition)
    } else if answers.violence == Known::Yes {
        (Some(Warning::Red), Rule::Violence)
    } else if petition && people >= GROUP {
        (Some(Warning::Red), Rule::GroupPetition)
    } else if answers.disturbs == Known::Yes || answers.effort == Known::Yes {
        (Some(Warning::Yellow), Rule::Disturbance)
    } else {
        (Some(Warning::Yellow), Rule::AnyDispute)
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

    fn level(answers: Answers) -> (Option<Warning>, Rule) {
        propose(Matter::Dispute, &answers)
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
}
