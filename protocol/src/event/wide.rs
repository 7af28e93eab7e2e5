//! Acts that came after the first version. On the wire all of them are one variant, a code with a body: a program that does not
//! know the code takes the state that the header tells and goes on with the chain.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::Blob;
use crate::fact::Channel;
use crate::time::CivilDay;
use crate::wire::codec;

/// Bytes of the body of one.
pub const WIDE_BYTES_MAX: usize = 64;

/// An act as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Wider {
    /// Which act it is.
    pub code: u16,
    /// What it says, in the canonical encoding of that act; no words and no names.
    pub body: Blob<WIDE_BYTES_MAX>,
}

/// Why a term stands still (中止).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseGround {
    /// An expert assesses something (鉴定).
    Assessment,
    /// A hearing (听证).
    Hearing,
    /// A party cannot take part for a time.
    PartyAbsent,
    /// Another body decides something first (another case, a court).
    Decision,
    /// Another ground, in words.
    Other,
}

/// Why a matter is not taken on (不予受理).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineGround {
    /// A court or an arbitration body has it already, or has decided.
    Pending,
    /// It belongs to litigation, arbitration or reconsideration by law.
    OtherProcedure,
    /// A petition of the same matter is open or concluded.
    Petitioned,
    /// Discipline inspection has it.
    Discipline,
    /// A party clearly refuses mediation (人民调解法 art. 17).
    Refused,
    /// It is a matter of another place.
    OtherPlace,
    /// It names nothing that could be handled.
    Unfounded,
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? } = $code:literal),+ $(,)?) => {
        /// An act that came after the first version.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "snake_case", tag = "act")]
        pub enum WideAct {
            $($(#[$doc])* $name { $($(#[$field_doc])* $field: $type,)* },)+
        }

        impl WideAct {
            /// Every code of this version.
            pub const CODES: &[u16] = &[$($code),+];

            /// As it travels.
            pub fn widen(&self) -> Wider {
                let (code, bytes) = match self {
                    $(Self::$name { $($field),* } => ($code, codec::encode_unbounded(&($($field,)*))),)+
                };
                Wider { code, body: Blob::new(bytes).unwrap_or_default() }
            }
        }

        impl Wider {
            /// The act; none of a later version, nor where the body is none of its code.
            pub fn read(&self) -> Option<WideAct> {
                match self.code {
                    $($code => {
                        let ($($field,)*): ($($type,)*) = codec::decode(&self.body, WIDE_BYTES_MAX).ok()?;
                        Some(WideAct::$name { $($field),* })
                    })+
                    _ => None,
                }
            }
        }
    };
}

acts! {
    /// The term that runs stands still from a day on (中止).
    Paused {
        /// Why.
        ground: PauseGround,
        /// The first day that does not count.
        on: CivilDay,
    } = 101,
    /// It goes on (恢复).
    Resumed {
        /// The first day that counts again.
        on: CivilDay,
    } = 102,
    /// Not taken on (不予受理).
    NotTakenOn {
        /// Why.
        ground: DeclineGround,
    } = 201,
    /// Who asked no longer does (撤回).
    Withdrawn {} = 202,
    /// Another body settles it: a court, arbitration, a department (移送).
    Referred {
        /// How it is settled there.
        channel: Channel,
    } = 203,
    /// What was settled is open again (重新办理).
    Reopened {} = 204,
}
