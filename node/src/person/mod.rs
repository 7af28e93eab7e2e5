//! People: their passwords, their sessions, their roles.

pub mod password;
pub mod roles;
pub mod session;

pub use roles::of_text as roles;
