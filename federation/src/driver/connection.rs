//! A connection, whichever transport carries it, with its lanes. What QUIC and TCP do alike is said here once; all else of
//! the driver is written over this.

use std::net::SocketAddr;

use bytes::Bytes;
use protocol::wire::frame::Lane;
use rustls_pki_types::CertificateDer;

use super::event::AskKind;
use super::settings::Transport;
use super::{quic, tcp};

/// The lanes of a link, by number and by urgency.
pub(super) const LANES: [Lane; 4] = [Lane::Control, Lane::Cases, Lane::Statistics, Lane::Bulk];

/// What ends a connection, as a number for programs; the reason beside it is for people.
pub(super) mod code {
    /// In order.
    pub(in crate::driver) const DONE: u32 = 0;
    /// The peer is not who may speak here.
    pub(in crate::driver) const IDENTITY: u32 = 1;
    /// A frame that no honest peer sends.
    pub(in crate::driver) const FRAMING: u32 = 2;
    /// Lanes missing, late, or ended.
    pub(in crate::driver) const LANES: u32 = 3;
    /// A request to join or to renew that is not one, or too many of them.
    pub(in crate::driver) const ASK: u32 = 4;
}

/// A connection whose handshake is done. Clones are the same connection; it ends with the last of them and of its lanes.
#[derive(Clone)]
pub(super) enum Connection {
    Quic(quinn::Connection),
    Tcp(tcp::Connection),
}

/// What the handshake agreed on.
pub(super) struct Agreed {
    /// The ALPN.
    pub(super) protocol: Vec<u8>,
    /// The name that was asked for.
    pub(super) server_name: String,
}

impl Connection {
    pub(super) fn transport(&self) -> Transport {
        match self {
            Self::Quic(_) => Transport::Quic,
            Self::Tcp(_) => Transport::Tcp,
        }
    }

    pub(super) fn remote_address(&self) -> SocketAddr {
        match self {
            Self::Quic(connection) => connection.remote_address(),
            Self::Tcp(connection) => connection.remote_address(),
        }
    }

    /// Nothing when the other side named no protocol or no server.
    pub(super) fn agreed(&self) -> Option<Agreed> {
        match self {
            Self::Quic(connection) => quic::agreed(connection),
            Self::Tcp(connection) => connection.agreed(),
        }
    }

    /// The peer's own certificate, if it showed one.
    pub(super) fn certificate(&self) -> Option<CertificateDer<'static>> {
        match self {
            Self::Quic(connection) => quic::certificate(connection),
            Self::Tcp(connection) => connection.certificate(),
        }
    }

    /// What only the two ends of this connection know.
    pub(super) fn exporter(&self, kind: AskKind) -> Result<[u8; 32], String> {
        match self {
            Self::Quic(connection) => quic::exporter(connection, kind),
            Self::Tcp(connection) => connection.exporter(kind),
        }
        .ok_or_else(|| "no exporter value".to_owned())
    }

    /// Ends the connection; the peer is told why.
    pub(super) fn close(&self, code: u32, why: &str) {
        match self {
            Self::Quic(connection) => connection.close(code.into(), why.as_bytes()),
            Self::Tcp(connection) => connection.close(code, why),
        }
    }

    /// Waits for the end; what the other side said then, or what happened.
    pub(super) async fn closed(&self) -> String {
        match self {
            Self::Quic(connection) => quic::reason(&connection.closed().await),
            Self::Tcp(connection) => connection.closed().await,
        }
    }

    /// Why it has ended, if it has.
    pub(super) fn close_reason(&self) -> Option<String> {
        match self {
            Self::Quic(connection) => connection.close_reason().map(|error| quic::reason(&error)),
            Self::Tcp(connection) => connection.close_reason(),
        }
    }

    /// The four lanes of a link, by number.
    pub(super) async fn lanes(&self, dialled: bool) -> Result<Vec<Opened>, NotOpened> {
        match self {
            Self::Quic(connection) => quic::lanes::all(connection, dialled).await,
            Self::Tcp(connection) => Ok(connection.lanes()),
        }
    }

    /// The one lane of a question.
    pub(super) async fn question(&self, dialled: bool) -> Result<(SendHalf, ReceiveHalf), String> {
        match self {
            Self::Quic(connection) => quic::lanes::one(connection, dialled).await,
            Self::Tcp(connection) => Ok(connection.lane(Lane::Control)),
        }
    }
}

/// A lane whose two directions are open.
pub(super) type Opened = (Lane, SendHalf, ReceiveHalf);

/// Why the lanes of a connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotOpened {
    #[error("{0}")]
    Connection(#[from] quinn::ConnectionError),
    #[error("{0}")]
    Write(#[from] quinn::WriteError),
    #[error("{0}")]
    Read(#[from] quinn::ReadExactError),
    #[error("the lanes were not opened in time")]
    Late,
    #[error("lane {0} is unknown or open already")]
    Lane(u8),
}

/// The lane, or its connection, is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Over;

/// Why there is no more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotRead {
    /// The lane ended after so many of the bytes.
    Ended(usize),
    /// The connection is over.
    Over,
}

/// The direction of a lane that this side speaks in.
pub(super) enum SendHalf {
    Quic(quinn::SendStream),
    Tcp(tcp::SendHalf),
}

impl SendHalf {
    /// Writes all of it, as fast as the peer gives credit.
    pub(super) async fn write(&mut self, parts: &mut [Bytes]) -> Result<(), Over> {
        match self {
            Self::Quic(stream) => stream.write_all_chunks(parts).await.map_err(|_| Over),
            Self::Tcp(half) => half.write(parts).await,
        }
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self) -> Result<(), Over> {
        match self {
            Self::Quic(stream) => stream.finish().map_err(|_| Over),
            Self::Tcp(half) => half.finish(),
        }
    }

    /// Waits until nothing that was written can be overtaken by the end of the connection, or that end has come.
    pub(super) async fn finished(&mut self) {
        match self {
            // Told by the peer that it has everything. An error says that the connection is over, and so is the waiting.
            Self::Quic(stream) => drop(stream.stopped().await),
            Self::Tcp(half) => half.finished().await,
        }
    }
}

/// The direction of a lane that the peer speaks in.
pub(super) enum ReceiveHalf {
    Quic(quinn::RecvStream),
    Tcp(tcp::ReceiveHalf),
}

impl ReceiveHalf {
    /// Fills the buffer.
    pub(super) async fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), NotRead> {
        match self {
            Self::Quic(stream) => stream.read_exact(buffer).await.map_err(|error| match error {
                quinn::ReadExactError::FinishedEarly(n) => NotRead::Ended(n),
                quinn::ReadExactError::ReadError(_) => NotRead::Over,
            }),
            Self::Tcp(half) => half.read_exact(buffer).await,
        }
    }

    /// All until the lane ends, and no more than this.
    pub(super) async fn read_to_end(&mut self, most: usize) -> Result<Vec<u8>, String> {
        match self {
            Self::Quic(stream) => stream.read_to_end(most).await.map_err(|e| e.to_string()),
            Self::Tcp(half) => half.read_to_end(most).await.map_err(str::to_owned),
        }
    }
}
