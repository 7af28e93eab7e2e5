//! The rules of cases (案件): who may do what, what follows from it, what leaves the node.
//!
//! The crate is pure. Time, random bytes, keys and policy come in through a [`World`]; what is to be stored and sent comes
//! out in a [`Decision`]. Everything that a node holds of one case is a [`Known`], put together from [`Record`]s, so owner
//! (属主) and follower work on the same [`Case`], made by [`evolve()`] from headers.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod actions;
pub mod attachment;
pub mod brief;
pub mod calendar;
pub mod case;
pub mod category;
pub mod clocks;
pub mod command;
pub mod content;
mod decide;
pub mod document;
pub mod dossier;
mod draft;
pub mod duplicate;
mod evolve;
mod fact;
mod few;
pub mod figures;
mod fits;
pub mod grading;
pub mod hints;
mod known;
pub mod letter;
pub mod lists;
pub mod measures;
mod mediation;
mod objection;
mod part;
mod policy;
pub mod precedent;
pub mod publish;
mod receive;
pub mod record;
mod refusal;
pub mod restricted;
pub mod rights;
mod said;
pub mod step;
mod tasks;
pub mod tenure;
mod term;
pub mod terms;
mod told;
pub mod units;
pub mod world;

pub use case::{Case, Exit, Pause, Report, Seat, Sponsor};
pub use command::{
    Amendment, Command, Draw, GiveTask, Hold, Intake, NoteConfirmation, OpenMediation, Place, Reply, Restrict, Seek,
    Sign,
};
pub use decide::{books, decide, decide_pair, open, order_refused, refused_as_unknown, tell_again, wake};
pub use draft::{Decision, Notice};
pub use evolve::evolve;
pub use fact::fact;
pub use known::Known;
pub use letter::{HandoverLetter, Letter, Outgoing, private_parts, sealed_part};
pub use mediation::{Agreement, CONFIRMATION_DAYS, Mediation, performed_fen};
pub use objection::Assignment;
pub use policy::Policy;
pub use publish::InForce;
pub use receive::{Incoming, receive, subject_of};
pub use record::{
    AnswerKind, Answered, ContributionFile, Follower, FollowerClass, Lapse, OfferFile, OfferState, OrderFile, Record,
    RecordKey,
};
pub use refusal::{Fault, Refusal};
pub use restricted::Reader;
pub use rights::{ActionName, Actor, At, Grant, Role, Scope, may, next_actions};
pub use tasks::{Task, TaskState};
pub use told::told;
pub use world::{Keys, Me, Mutant, World};
