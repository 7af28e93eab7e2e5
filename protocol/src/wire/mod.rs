//! How messages are laid out.
//!
//! ```text
//! message = id · kind · schema · length · body            one addressed thing, body in bincode per (kind, schema)
//! bundle  = format · alg · id · origin · key id · to · urgency · flags · n · n × message · signature
//! frame   = kind · link number · length · bundle          per hop, unsigned, one stream a lane
//! ```
//!
//! A bundle is what one flush of its origin holds for one destination. It is signed once over its exact bytes, forwarded
//! unchanged and verified at each hop; nothing is ever re-encoded to check it.

pub mod bundle;
pub mod codec;
pub mod control;
pub mod frame;
pub mod kind;
pub mod later;
pub mod limits;
pub mod parcel;
