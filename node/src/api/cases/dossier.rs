//! A case as it is shown, from what the node holds of it.

use casework::{Case, Known};
use protocol::id::CaseId;

use super::attachments::view::of_case;
use super::held::{Held, OFFER, ORDER, actions, held};
use super::holders::holders;
use super::pieces::{self, Shown};
use super::tasks;
use super::view::{CaseLine, CaseView, OfferView, OrderView};
use super::{measures, mediation, restricted};
use crate::api::caller::Caller;
use crate::api::problem::Problem;
use crate::api::stamp;
use crate::api::state::ApiState;

/// Cases that are looked through for a list of offers or orders, the newest first.
const CASES_MAX: u32 = 500;

/// All that is held of a case.
pub(crate) async fn known(state: &ApiState, case: CaseId) -> Result<Known, Problem> {
    Ok(Known::assemble(case, state.store.records(case).await?))
}

fn orders(state: &ApiState, held: &Held<'_>) -> Vec<OrderView> {
    let mut views: Vec<_> = held.orders.iter().map(|o| pieces::order(state, o, &held.receipts)).collect();
    views.sort_by(|a, b| b.at.cmp(&a.at));
    views
}

fn offers(state: &ApiState, held: &Held<'_>) -> Vec<OfferView> {
    let mut views: Vec<_> = held.offers.iter().map(|o| pieces::offer(state, o, &held.receipts)).collect();
    views.sort_by(|a, b| b.at.cmp(&a.at));
    views
}

/// When names went from here, if they have and were not given again.
fn names_gone_at(known: &Known) -> Option<String> {
    let lapsed = known.lapse().filter(|lapse| !lapse.events.is_empty()).map(|lapse| lapse.at);
    let gone = known.erasures().map(|erase| erase.at).chain(lapsed);
    gone.map(|at| at.corrected()).min().map(stamp::rfc3339)
}

/// A case for a caller, if anything of it is held here. Before an offered case is taken on, the offer is all there is.
/// One outside of the caller's scopes is none.
pub(crate) async fn view(
    state: &ApiState,
    caller: &Caller,
    case: CaseId,
    shown: Shown,
) -> Result<Option<CaseView>, Problem> {
    let row = state.store.case_row(case).await?;
    let whole = known(state, case).await?;
    let by = caller.actor();
    let Some(known) = whole.seen_by(&by) else { return Ok(None) };
    let held = held(&known);
    let offer = held.offers.iter().max_by_key(|o| o.offer.at.corrected()).map(|o| &o.offer);
    let told = known.case().map(|case| &case.brief).or(offer.map(|o| &o.brief));
    // Where nothing else is here, an order may tell of it.
    let asked = || held.orders.iter().find_map(|file| Some((&file.order, file.order.asked.told()?)));
    let asked = if told.is_none() { asked() } else { None };
    let line = row.map(|row| CaseLine::of(state, row)).or(offer.map(|o| CaseLine::offered(state, o)));
    let line = line.or(asked.as_ref().map(|(order, brief)| CaseLine::asked(state, order, brief)));
    let (Some(brief), Some(mut line)) = (told.or(asked.as_ref().map(|(_, brief)| brief)), line) else {
        return Ok(None);
    };
    if known.is_restricted() {
        line.retold(state, brief);
    }
    let in_force = state.in_force();
    let committee = known.case().and_then(Case::committee);
    Ok(Some(CaseView {
        line,
        private: pieces::private(&known, shown),
        names_gone_at: names_gone_at(&known),
        mediations: mediation::mediations(state, &known),
        agreements: mediation::agreements(&known, shown),
        tasks: tasks::tasks(state, &known, shown),
        linked: known.case().into_iter().flat_map(|case| &case.linked).map(CaseId::to_string).collect(),
        merged_into: known.case().and_then(|case| case.merged_into).map(|into| into.to_string()),
        restricted: restricted::of(state, &known, &by),
        objection: tasks::objection(state, &known),
        sponsor: known.case().and_then(measures::sponsor),
        measures: measures::of(state, &known),
        grading: pieces::grading(brief),
        next_term: brief.next_term.map(|due| pieces::term(due, in_force.terms.row(due.kind, brief, committee))),
        extended_days: known.case().map_or(0, |case| case.extended),
        extension_asked: known.case().and_then(|case| case.extension_asked),
        steps: pieces::steps(&held.events, brief.step),
        events: held.events.iter().map(|event| pieces::event(state, *event, &known, shown)).collect(),
        attachments: of_case(state, &known, shown).await?,
        ladder: pieces::ladder(state, brief, &held.events, &held.receipts),
        holders: holders(state, &known),
        orders: orders(state, &held),
        offers: offers(state, &held),
        next_actions: actions(state, &whole, caller),
    }))
}

/// Offers to this node that wait for an answer.
pub(crate) async fn open_offers(state: &ApiState, caller: &Caller) -> Result<Vec<OfferView>, Problem> {
    let mut found = Vec::new();
    for case in state.store.cases_with_open(OFFER, CASES_MAX).await? {
        let known = known(state, case).await?;
        if known.seen_by(&caller.actor()).is_none() {
            continue;
        }
        found.extend(offers(state, &held(&known)).into_iter().filter(|o| o.open && o.incoming));
    }
    Ok(found)
}

/// All orders that this node issued or received.
pub(crate) async fn all_orders(state: &ApiState, caller: &Caller) -> Result<Vec<OrderView>, Problem> {
    let mut found = Vec::new();
    for case in state.store.cases_with_paper(ORDER, CASES_MAX).await? {
        let known = known(state, case).await?;
        if known.seen_by(&caller.actor()).is_none() {
            continue;
        }
        found.extend(orders(state, &held(&known)));
    }
    found.sort_by(|a, b| b.at.cmp(&a.at));
    Ok(found)
}
