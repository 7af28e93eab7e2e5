//! How acts and contents that came after the first version are made.

use protocol::event::{WideAct, WideContent};
use protocol::order::WideAsked;

use super::build::{Arb, Gen, Variants, variants};

variants! {
    g;
    WideAct {
        WideAct::Paused { .. } => WideAct::Paused { ground: g.make(), on: g.make() },
        WideAct::Resumed { .. } => WideAct::Resumed { on: g.make() },
        WideAct::ExtensionAsked { .. } => WideAct::ExtensionAsked { days: g.make() },
        WideAct::Extended { .. } => WideAct::Extended { days: g.make() },
        WideAct::ExtensionRefused {} => WideAct::ExtensionRefused {},
        WideAct::TermCounted {} => WideAct::TermCounted {},
        WideAct::NotTakenOn { .. } => WideAct::NotTakenOn { ground: g.make() },
        WideAct::Withdrawn {} => WideAct::Withdrawn {},
        WideAct::Referred { .. } => WideAct::Referred { channel: g.make() },
        WideAct::Reopened {} => WideAct::Reopened {},
        WideAct::Joined { .. } => WideAct::Joined { first: g.make(), count: g.make() },
        WideAct::PartyAmended { .. } => WideAct::PartyAmended { party: g.make() },
        WideAct::Left { .. } => WideAct::Left { party: g.make() },
        WideAct::Amended {} => WideAct::Amended {},
        WideAct::Turned { .. } => WideAct::Turned { from: g.make() },
        WideAct::Linked { .. } => WideAct::Linked { to: g.make() },
        WideAct::Merged { .. } => WideAct::Merged { into: g.make() },
        WideAct::TookIn { .. } => WideAct::TookIn { case: g.make() },
        WideAct::Restricted {} => WideAct::Restricted {},
        WideAct::WithheldChanged {} => WideAct::WithheldChanged {},
        WideAct::RestrictionLifted {} => WideAct::RestrictionLifted {},
        WideAct::MediationOpened { .. } => {
            WideAct::MediationOpened { source: g.make(), committee: g.make(), on: g.make() }
        },
        WideAct::Consented { .. } => WideAct::Consented { parties: g.make(), agree: g.make(), on: g.make() },
        WideAct::AgreementDrafted { .. } => WideAct::AgreementDrafted {
            agreement: g.make(),
            form: g.make(),
            paper: g.make(),
            parties: g.make(),
            on: g.make(),
        },
        WideAct::AgreementMarked { .. } => WideAct::AgreementMarked {
            agreement: g.make(),
            parties: g.make(),
            mediator: g.make(),
            committee: g.make(),
            mark: g.make(),
            on: g.make(),
        },
        WideAct::AgreementDropped { .. } => WideAct::AgreementDropped { agreement: g.make() },
        WideAct::Performed { .. } => {
            WideAct::Performed { agreement: g.make(), instalment: g.make(), on: g.make() }
        },
        WideAct::ReturnVisited { .. } => {
            WideAct::ReturnVisited { agreement: g.make(), kept: g.make(), on: g.make() }
        },
        WideAct::ConfirmationSought { .. } => WideAct::ConfirmationSought { agreement: g.make(), on: g.make() },
        WideAct::ConfirmationDecided { .. } => {
            WideAct::ConfirmationDecided { agreement: g.make(), result: g.make(), on: g.make() }
        },
        WideAct::MediationEnded { .. } => WideAct::MediationEnded { ground: g.make(), on: g.make() },
        WideAct::TaskGiven { .. } => {
            WideAct::TaskGiven { task: g.make(), unit: g.make(), after: g.make(), due: g.make() }
        },
        WideAct::TaskAccepted { .. } => WideAct::TaskAccepted { task: g.make() },
        WideAct::TaskReported { .. } => WideAct::TaskReported { task: g.make() },
        WideAct::TaskSentBack { .. } => WideAct::TaskSentBack { task: g.make() },
        WideAct::TaskClosed { .. } => WideAct::TaskClosed { task: g.make() },
        WideAct::TaskCancelled { .. } => WideAct::TaskCancelled { task: g.make() },
        WideAct::Sponsored {} => WideAct::Sponsored {},
        WideAct::Objected { .. } => WideAct::Objected { proposed: g.make() },
        WideAct::ObjectionRefused {} => WideAct::ObjectionRefused {},
        WideAct::Ruled { .. } => WideAct::Ruled { unit: g.make() },
        WideAct::Placed { .. } => WideAct::Placed { attachment: g.make(), slot: g.make() },
        WideAct::SheetScanned { .. } => WideAct::SheetScanned {
            attachment: g.make(),
            paper: g.make(),
            edition: g.make(),
            page: g.make(),
            pages: g.make(),
        },
        WideAct::SlotExcused { .. } => WideAct::SlotExcused { slot: g.make() },
        WideAct::MeasureTaken { .. } => WideAct::MeasureTaken { measure: g.make() },
    }
    WideAsked {
        WideAsked::Extend { .. } => WideAsked::Extend { days: g.make(), brief: g.make() },
        WideAsked::Assess { .. } => WideAsked::Assess { brief: g.make() },
    }
    WideContent {
        WideContent::Participants { .. } => WideContent::Participants { people: g.make() },
        WideContent::Amendment { .. } => {
            WideContent::Amendment { title: g.make(), narrative: g.make(), reason: g.make() }
        },
        WideContent::TakenIn { .. } => {
            WideContent::TakenIn { title: g.make(), narrative: g.make(), note: g.make() }
        },
        WideContent::Withheld { .. } => WideContent::Withheld { what: g.make(), note: g.make() },
        WideContent::Mediators { .. } => {
            WideContent::Mediators { names: g.make(), chosen: g.make(), closed: g.make(), note: g.make() }
        },
        WideContent::Session { .. } => WideContent::Session {
            kind: g.make(),
            on: g.make(),
            minutes: g.make(),
            place: g.make(),
            present: g.make(),
            others: g.make(),
            led_by: g.make(),
            recorder: g.make(),
            record: g.make(),
            result: g.make(),
        },
        WideContent::Agreement { .. } => WideContent::Agreement {
            facts: g.make(),
            issue: g.make(),
            terms: g.make(),
            manner: g.make(),
            amount_fen: g.make(),
            plan: g.make(),
            electronic: g.make(),
            mediator: g.make(),
        },
        WideContent::Performance { .. } => WideContent::Performance { amount_fen: g.make(), note: g.make() },
        WideContent::Task { .. } => WideContent::Task { title: g.make(), text: g.make() },
        WideContent::Sponsor { .. } => {
            WideContent::Sponsor { name: g.make(), office: g.make(), note: g.make() }
        },
        WideContent::FedBack { .. } => {
            WideContent::FedBack { by: g.make(), on: g.make(), content: g.make(), note: g.make() }
        },
        WideContent::Attached { .. } => WideContent::Attached { attachment: g.make() },
        WideContent::Ruling { .. } => WideContent::Ruling { court: g.make(), number: g.make(), note: g.make() },
    }
}
