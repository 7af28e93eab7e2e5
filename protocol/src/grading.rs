//! The answers of the grade panel and what they led to. The rules that weigh them are the crate `casework`'s.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::warning::Warning;

/// An answer that may be "not known", which never lowers a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Asked, not known.
    #[default]
    Unknown,
    /// Asked, no.
    No,
    /// Asked, yes.
    Yes,
}

/// What the reporter answered about a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Encode, Decode, Serialize, Deserialize)]
pub struct Answers {
    /// Signs that it could break out at any moment, one bit each (bit 0: weapons or dangerous goods at hand; 1: people are
    /// gathering; 2: a set time was announced; 3: threats of self-harm; 4: it has broken out before).
    pub signs: u8,
    /// Violence, or the threat of it.
    pub violence: Known,
    /// Talk of petitioning over local heads (越级上访).
    pub petition_talk: Known,
    /// How many people are involved, if known.
    pub people: Option<u32>,
    /// It disturbs production or daily life.
    pub disturbs: Known,
    /// It takes much of the authorities' effort.
    pub effort: Known,
}

/// The rule that gave a level its height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Orange: a sign was ticked.
    SignOfOutbreak,
    /// Orange: twenty people or more, and talk of petitioning over local heads.
    LargeGroupPetition,
    /// Red: violence or the threat of it.
    Violence,
    /// Red: five people or more, and talk of petitioning over local heads.
    GroupPetition,
    /// Yellow: it disturbs daily life, or takes much effort.
    Disturbance,
    /// Yellow: any other accepted dispute.
    AnyDispute,
    /// No level: a question or a request.
    NotADispute,
    /// A person set a level higher than the rules propose.
    Person,
}

/// A level with its reasons, so that whoever sees it above sees why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Grading {
    /// Version of the rule set that was applied.
    pub rules: u16,
    /// What was answered.
    pub answers: Answers,
    /// The rule that fired.
    pub fired: Rule,
    /// The level that a person confirmed.
    pub level: Option<Warning>,
}
