//! Who is in a case. None of it ever leaves the private part.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::Text;

/// A party's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartySide {
    /// 申请人
    Applicant,
    /// 被申请人
    Respondent,
    /// Neither: witness, representative, family.
    Other,
}

/// A person or body in a case. Never leaves the private part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Party {
    /// Side.
    pub side: PartySide,
    /// Name.
    pub name: Text<60>,
    /// Phone, as given.
    #[serde(default)]
    pub phone: Text<30>,
    /// Address, as given.
    #[serde(default)]
    pub address: Text<200>,
    /// Number of an identity document, as given.
    #[serde(default)]
    pub identity: Text<30>,
}

/// What somebody is in a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// 当事人
    #[default]
    Party,
    /// Speaks for a party, with its power of attorney (委托代理人).
    Representative,
    /// Speaks for a party by law: of a minor, of a person without full capacity (法定代理人).
    Guardian,
    /// Speaks for a group of at most five (推选代表).
    Spokesperson,
    /// 涉及人员: neither side, but concerned.
    Involved,
    /// 证人
    Witness,
}

/// A person, or a body of persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Being {
    /// 自然人
    #[default]
    Person,
    /// 法人或其他组织
    Body,
}

/// GB/T 2261.1; what is not known is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
}

/// Somebody in a case, with what the papers of mediation ask. Only the name must be given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// Side.
    pub side: PartySide,
    /// What they are in the case.
    #[serde(default)]
    pub standing: Standing,
    /// The number of the party for whom they speak.
    #[serde(default)]
    pub speaks_for: Option<u16>,
    /// A person or a body.
    #[serde(default)]
    pub being: Being,
    /// Name.
    pub name: Text<60>,
    /// Phone, as given.
    #[serde(default)]
    pub phone: Text<30>,
    /// Address, as given.
    #[serde(default)]
    pub address: Text<200>,
    /// Number of an identity document, as given.
    #[serde(default)]
    pub identity: Text<30>,
    /// Sex.
    #[serde(default)]
    pub sex: Option<Sex>,
    /// The year in which they were born.
    #[serde(default)]
    pub born: Option<u16>,
    /// 民族
    #[serde(default)]
    pub ethnicity: Text<20>,
    /// 职业或职务, 单位
    #[serde(default)]
    pub occupation: Text<60>,
}

impl From<Party> for Participant {
    fn from(party: Party) -> Self {
        let Party { side, name, phone, address, identity } = party;
        Self {
            side,
            standing: if side == PartySide::Other { Standing::Involved } else { Standing::Party },
            speaks_for: None,
            being: Being::Person,
            name,
            phone,
            address,
            identity,
            sex: None,
            born: None,
            ethnicity: Text::default(),
            occupation: Text::default(),
        }
    }
}
