//! The dossier of a case (一案一卷): which papers it must hold, what is there, what is missing and why. It is computed whenever
//! somebody asks; nothing of it is stored.

mod state;
mod table;

pub(crate) use state::of_known;
pub use state::{Dossier, Ground, SlotView, State, blocking};
pub use table::{Edition, Slot, SlotRow};
