//! What carries a link, as it is set and shown.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What carries a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// QUIC over UDP.
    #[default]
    Quic,
    /// TLS over TCP, for networks that let no UDP pass.
    Tcp,
}

impl Transport {
    /// Whether it is what a link has when nothing is said.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// As people know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quic => "QUIC",
            Self::Tcp => "TCP",
        }
    }
}

impl From<Transport> for federation::driver::Transport {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Quic => Self::Quic,
            Transport::Tcp => Self::Tcp,
        }
    }
}

impl From<federation::driver::Transport> for Transport {
    fn from(transport: federation::driver::Transport) -> Self {
        match transport {
            federation::driver::Transport::Quic => Self::Quic,
            federation::driver::Transport::Tcp => Self::Tcp,
        }
    }
}
