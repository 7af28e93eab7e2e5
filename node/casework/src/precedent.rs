//! A concluded case in outline (类案): how it ended, on which way, in how many days, about how much. No name and no word of it:
//! what it says may be told to whoever works on a case like it.

use protocol::event::Outcome;
use protocol::fact::Channel;
use serde::{Deserialize, Serialize};

use crate::case::{Case, Exit};
use crate::known::Known;

/// How a case left the hands of whoever worked on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Handled to its end here.
    Handled,
    /// Not taken on (不予受理).
    Declined,
    /// No longer asked for (撤回).
    Withdrawn,
    /// Settled elsewhere (移送).
    Referred,
}

/// About how much it was, in fen: wide enough that no sum names a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SumRange {
    /// Below ten thousand yuan.
    Under10k,
    /// Ten to fifty thousand.
    From10k,
    /// Fifty to a hundred thousand.
    From50k,
    /// A hundred to five hundred thousand.
    From100k,
    /// More.
    From500k,
}

/// What is told of a concluded case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// How it ended.
    pub outcome: Outcome,
    /// On which way.
    pub method: Method,
    /// By which channel, where that is recorded.
    pub channel: Option<Channel>,
    /// Days from the report until it was settled.
    pub days: u32,
    /// About how much, where a sum was named.
    pub sum: Option<SumRange>,
    /// How often it was opened again.
    pub reopened: u16,
}

impl SumRange {
    /// The range of a sum.
    pub fn of(fen: u64) -> Self {
        match fen {
            0..1_000_000 => Self::Under10k,
            1_000_000..5_000_000 => Self::From10k,
            5_000_000..10_000_000 => Self::From50k,
            10_000_000..50_000_000 => Self::From100k,
            50_000_000.. => Self::From500k,
        }
    }
}

/// A case in outline, once it is settled how it ended. One that was struck through ended nothing.
pub fn outline(known: &Known) -> Option<Outline> {
    let case = known.case().filter(|case| !case.brief.void)?;
    let (outcome, resolved) = (case.brief.outcome?, case.resolved_at?);
    let minutes = resolved.0.saturating_sub(case.reported_at.minute().0);
    let recorded = known.fact().and_then(|fact| fact.channel);
    Some(Outline {
        outcome,
        method: method(case),
        channel: referred(case).or(recorded),
        days: minutes.checked_div(1_440).unwrap_or(0),
        sum: case.amount_fen.map(SumRange::of),
        reopened: case.reopened,
    })
}

fn method(case: &Case) -> Method {
    match case.exit {
        None => Method::Handled,
        Some(Exit::Declined(_)) => Method::Declined,
        Some(Exit::Withdrawn) => Method::Withdrawn,
        Some(Exit::Referred(_)) => Method::Referred,
    }
}

fn referred(case: &Case) -> Option<Channel> {
    match case.exit {
        Some(Exit::Referred(channel)) => Some(channel),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_told_as_a_range_that_holds_it() {
        let ranges = [0, 999_999, 1_000_000, 4_999_999, 5_000_000, 10_000_000, 49_999_999, 50_000_000, u64::MAX];
        use SumRange as S;
        let told = [
            S::Under10k,
            S::Under10k,
            S::From10k,
            S::From10k,
            S::From50k,
            S::From100k,
            S::From100k,
            S::From500k,
            S::From500k,
        ];
        assert_eq!(ranges.map(SumRange::of), told);
    }
}
