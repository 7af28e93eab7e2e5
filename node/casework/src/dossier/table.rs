//! Which slots a dossier has, by way. The table is data with an edition: a case goes by the one that held when it was filed, so
//! a slot that comes later is not missing from old files.

use protocol::time::CivilDay;
use serde::{Deserialize, Serialize};

use crate::document::{Paper, Way};

macro_rules! slots {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal, $zh:literal, $en:literal;)+) => {
        /// A slot (卷内位置).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Slot {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl Slot {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its number on the wire, which is never given to another.
            pub fn code(self) -> u16 {
                match self { $(Self::$name => $code,)+ }
            }

            /// The slot of a number.
            pub fn of_code(code: u16) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }

            /// The word of the API.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// What it is called.
            pub fn chinese(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }

            /// The same in English.
            pub fn english(self) -> &'static str {
                match self { $(Self::$name => $en,)+ }
            }
        }
    };
}

slots! {
    /// How it began.
    Opening = 1, "opening", "申请书或受理登记表", "Application or registration";
    /// What the parties were told.
    Rights = 2, "rights", "权利义务告知书", "Notice of rights and duties";
    /// Who the parties are.
    Identity = 3, "identity", "当事人身份证明", "Proof of identity";
    /// Who acts for them.
    Authority = 4, "authority", "授权委托书", "Power of attorney";
    /// What was found out.
    Investigation = 5, "investigation", "调查记录", "Investigation record";
    /// What was shown.
    Evidence = 6, "evidence", "证据材料", "Evidence";
    /// How it was worked.
    Record = 7, "record", "调解（办理）记录", "Record of the work";
    /// How it ended.
    Result = 8, "result", "协议书或终止、不予受理、移送文书", "Agreement, or notice of the other ending";
    /// What who asked was answered.
    Reply = 9, "reply", "答复意见书", "Reply";
    /// That it reached them.
    Delivery = 10, "delivery", "送达回证", "Proof of delivery";
    /// That it was done.
    Performance = 11, "performance", "履行凭证", "Proof of performance";
    /// What came of it.
    Visit = 12, "visit", "回访记录", "Return visit";
    /// What a court confirmed.
    Confirmation = 13, "confirmation", "司法确认材料", "Judicial confirmation";
    /// That a court gave the matter.
    Entrusting = 14, "entrusting", "委派（委托）调解函", "Letter of the court that entrusts it";
    /// What a higher level decided on review.
    Review = 15, "review", "复查、复核材料", "Review";
    /// What is to be said of the file.
    Explanation = 16, "explanation", "结案材料及卷宗情况说明", "Closing papers and explanation";
    /// The last leaf.
    Back = 17, "back", "封底", "Back cover";
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotRow {
    /// The slot.
    pub slot: Slot,
    /// Whether every dossier of this way must have it (必须), or only where there is something (按需).
    pub must: bool,
    /// Papers that fill it, as far as the program makes them.
    pub papers: &'static [Paper],
}

const fn must(slot: Slot, papers: &'static [Paper]) -> SlotRow {
    SlotRow { slot, must: true, papers }
}

const fn as_needed(slot: Slot, papers: &'static [Paper]) -> SlotRow {
    SlotRow { slot, must: false, papers }
}

const CLOSING: &[Paper] = &[Paper::Closing, Paper::Assessment, Paper::Explanation];
const MEDIATED: &[Paper] = &[Paper::Agreement, Paper::Termination, Paper::NotTakenOn, Paper::Referral];

/// The thirteen of people's mediation.
const PEOPLE: &[SlotRow] = &[
    must(Slot::Opening, &[Paper::Application, Paper::Registration]),
    must(Slot::Rights, &[Paper::Rights]),
    must(Slot::Identity, &[Paper::Identity]),
    as_needed(Slot::Authority, &[]),
    as_needed(Slot::Investigation, &[Paper::Investigation]),
    as_needed(Slot::Evidence, &[]),
    must(Slot::Record, &[Paper::Record]),
    must(Slot::Result, MEDIATED),
    as_needed(Slot::Performance, &[Paper::Performance]),
    as_needed(Slot::Visit, &[Paper::Visit]),
    as_needed(Slot::Confirmation, &[Paper::Confirmation]),
    as_needed(Slot::Explanation, CLOSING),
    must(Slot::Back, &[]),
];

const ADMINISTRATIVE: &[SlotRow] = &[
    must(Slot::Opening, &[Paper::Application, Paper::Registration]),
    must(Slot::Rights, &[Paper::Rights]),
    must(Slot::Identity, &[Paper::Identity]),
    as_needed(Slot::Authority, &[]),
    as_needed(Slot::Investigation, &[Paper::Investigation]),
    as_needed(Slot::Evidence, &[]),
    must(Slot::Record, &[Paper::Record]),
    must(Slot::Result, MEDIATED),
    as_needed(Slot::Performance, &[Paper::Performance]),
    as_needed(Slot::Visit, &[Paper::Visit]),
    as_needed(Slot::Explanation, CLOSING),
    must(Slot::Back, &[]),
];

const JUDICIAL: &[SlotRow] = &[
    as_needed(Slot::Entrusting, &[]),
    must(Slot::Opening, &[Paper::Application, Paper::Registration]),
    must(Slot::Rights, &[Paper::Rights]),
    must(Slot::Identity, &[Paper::Identity]),
    as_needed(Slot::Authority, &[]),
    as_needed(Slot::Evidence, &[]),
    must(Slot::Record, &[Paper::Record]),
    must(Slot::Result, MEDIATED),
    as_needed(Slot::Confirmation, &[Paper::Confirmation]),
    as_needed(Slot::Performance, &[Paper::Performance]),
    as_needed(Slot::Explanation, CLOSING),
    must(Slot::Back, &[]),
];

const PETITION: &[SlotRow] = &[
    must(Slot::Opening, &[Paper::Registration]),
    must(Slot::Rights, &[Paper::Rights]),
    as_needed(Slot::Identity, &[Paper::Identity]),
    as_needed(Slot::Authority, &[]),
    as_needed(Slot::Investigation, &[Paper::Investigation]),
    as_needed(Slot::Evidence, &[]),
    must(Slot::Record, &[Paper::Record]),
    must(Slot::Reply, &[Paper::NotTakenOn, Paper::Referral, Paper::Reply]),
    must(Slot::Delivery, &[]),
    as_needed(Slot::Review, &[]),
    as_needed(Slot::Visit, &[Paper::Visit]),
    as_needed(Slot::Explanation, CLOSING),
    must(Slot::Back, &[]),
];

const ON_THE_SPOT: &[SlotRow] = &[
    must(Slot::Opening, &[Paper::Registration]),
    as_needed(Slot::Evidence, &[]),
    must(Slot::Result, &[Paper::OnTheSpot, Paper::Termination, Paper::NotTakenOn, Paper::Referral]),
    as_needed(Slot::Visit, &[Paper::Visit]),
    as_needed(Slot::Explanation, CLOSING),
    must(Slot::Back, &[]),
];

const CONSULTATION: &[SlotRow] = &[
    must(Slot::Opening, &[Paper::Registration]),
    as_needed(Slot::Evidence, &[]),
    as_needed(Slot::Record, &[Paper::Record]),
    must(Slot::Reply, &[Paper::NotTakenOn, Paper::Referral, Paper::Reply]),
    as_needed(Slot::Visit, &[Paper::Visit]),
    as_needed(Slot::Explanation, CLOSING),
    must(Slot::Back, &[]),
];

/// An edition of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edition {
    /// Its number.
    pub number: u16,
    /// The first day, since 1970-01-01, on which a case that is filed goes by it.
    since: i32,
}

/// All editions, oldest first.
const EDITIONS: [Edition; 1] = [Edition { number: 1, since: i32::MIN }];

impl Edition {
    /// The edition that held on a day.
    pub fn on(day: CivilDay) -> Self {
        let [first, ..] = EDITIONS;
        EDITIONS.into_iter().rev().find(|edition| edition.since <= day.number()).unwrap_or(first)
    }

    /// The rows of a way.
    pub fn rows(self, way: Way) -> &'static [SlotRow] {
        match way {
            Way::PeopleMediation => PEOPLE,
            Way::AdministrativeMediation => ADMINISTRATIVE,
            Way::Judicial => JUDICIAL,
            Way::Petition => PETITION,
            Way::OnTheSpot => ON_THE_SPOT,
            Way::Consultation => CONSULTATION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::time::UnixMillis;

    #[test]
    fn people_mediation_has_its_thirteen_slots_and_every_way_begins_with_its_opening_and_ends_with_its_back() {
        let edition = Edition::on(CivilDay::of(UnixMillis(0)));
        assert_eq!((edition.number, edition.rows(Way::PeopleMediation).len()), (1, 13));
        for way in Way::ALL {
            let rows = edition.rows(way);
            assert!(rows.iter().take(2).any(|row| row.slot == Slot::Opening && row.must), "{way:?}");
            assert_eq!(rows.last().map(|row| (row.slot, row.must)), Some((Slot::Back, true)), "{way:?}");
            let slots: std::collections::BTreeSet<_> = rows.iter().map(|row| row.slot).collect();
            assert_eq!(slots.len(), rows.len(), "{way:?} has no slot twice");
        }
    }

    #[test]
    fn whatever_ends_a_case_has_a_slot_in_every_way() {
        for way in Way::ALL {
            let papers: Vec<_> =
                Edition::on(CivilDay::of(UnixMillis(0))).rows(way).iter().flat_map(|row| row.papers).collect();
            for ending in [Paper::NotTakenOn, Paper::Referral, Paper::Explanation, Paper::Closing, Paper::Assessment] {
                assert!(papers.contains(&&ending), "{way:?} {ending:?}");
            }
        }
    }
}
