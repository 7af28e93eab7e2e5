//! People: their passwords and second factors, their sessions, their roles, what is kept of them and how it is shown.

pub mod audit;
pub mod change;
pub mod import;
pub mod lockout;
pub mod mask;
pub mod password;
pub mod rate;
pub mod realm;
pub mod roles;
pub mod session;
pub mod totp;
pub mod vault;
