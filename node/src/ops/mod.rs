//! What the operator of a node does to it: backup and restore, export, and a look at its health.

pub mod archive;
pub mod ask;
pub mod backup;
pub mod chunks;
pub mod doctor;
pub mod export;
pub mod home;
pub mod lock;
pub mod loss;
pub mod pack_backup;
pub mod pack_loss;
pub mod pack_restore;
pub mod parcel;
pub mod rekey;
pub mod restore;
pub mod roll;
pub mod sealed;
