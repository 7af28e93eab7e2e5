//! Figures of this node and of all below. Every number comes with its definition, with what it is made of, with as of when
//! it holds and with whose figures are missing in it; and every number opens the rows behind it.

#![expect(unused_qualifications, reason = "utoipa spells the path of query types out")]

mod ask;
mod completeness;
mod definitions;
mod query;
mod rows;
mod tallies;
mod totals;
mod words;

pub(super) use self::ask::{__path_cut, cut};
pub(super) use self::completeness::{__path_whole, whole};
pub(super) use self::definitions::{__path_definitions, definitions};
pub(crate) use self::query::ALL_DAYS;
pub(super) use self::rows::{__path_rows, rows};
pub(super) use self::tallies::{__path_add, __path_tallied, add, tallied};
pub(super) use self::totals::{__path_totals, totals};
pub(crate) use self::totals::{CountView, Cut, count, total};
