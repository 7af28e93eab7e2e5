//! What is held of a case, taken apart: the one place that knows how the rules of cases keep it.

use casework::{Known, Me, OfferFile, OrderFile, next_actions};
use protocol::receipt::Receipt;

use super::pieces::{self, HeldEvent};
use crate::api::caller::Caller;
use crate::api::state::ApiState;

/// Kind of the papers that are offers.
pub(super) const OFFER: &str = "offer";
/// Kind of the papers that are orders.
pub(super) const ORDER: &str = "order";

/// What is held of a case.
pub(super) struct Held<'a> {
    /// Events, oldest first.
    pub(super) events: Vec<HeldEvent<'a>>,
    /// Receipts about the case, its orders and its offers.
    pub(super) receipts: Vec<&'a Receipt>,
    /// Orders.
    pub(super) orders: Vec<&'a OrderFile>,
    /// Offers.
    pub(super) offers: Vec<&'a OfferFile>,
}

/// Takes a case apart. A private part that its header does not bind is none.
pub(super) fn held(known: &Known) -> Held<'_> {
    let events = known.chain().iter().map(|link| {
        let header = &*link.header;
        (header, known.said(header))
    });
    Held {
        events: events.collect(),
        receipts: known.receipts().collect(),
        orders: known.orders().collect(),
        offers: known.offers().collect(),
    }
}

/// What a caller may do next.
pub(super) fn actions(state: &ApiState, known: &Known, caller: &Caller) -> Vec<String> {
    let me = Me { node: state.me(), division: state.config.node.division };
    next_actions(known, me, &caller.actor(), &state.in_force()).into_iter().map(pieces::word).collect()
}
