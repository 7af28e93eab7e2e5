//! Gives each connection that comes in a TLS session in which the server name picks the node.

use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::crypto::{self, Keys, Session, UnsupportedVersion};
use quinn_proto::ConnectionId;
use quinn_proto::transport_parameters::TransportParameters;
use rustls::time_provider::TimeProvider;

use crate::driver::host::BindError;
use crate::trust::tls::below::{Seat, Seats, config_for_one};
use crate::trust::tls::{OVER_QUIC, TlsError};

/// The listening side's cryptography.
pub(in crate::driver) struct Router {
    seats: Arc<dyn Seats>,
    time: Arc<dyn TimeProvider>,
    /// Initial keys and retry tags hang on no node; a session of it knows none and so refuses everybody.
    nobody: Arc<QuicServerConfig>,
}

/// No node at all.
#[derive(Debug)]
struct Nobody;

impl Seats for Nobody {
    fn seat(&self, _: &str) -> Option<Seat> {
        None
    }
}

fn quic(tls: Result<rustls::ServerConfig, TlsError>) -> Result<Arc<QuicServerConfig>, BindError> {
    let tls = QuicServerConfig::try_from(tls?).map_err(|_| BindError::Setting("cipher suites"))?;
    Ok(Arc::new(tls))
}

impl Router {
    pub(in crate::driver) fn new(seats: Arc<dyn Seats>, time: Arc<dyn TimeProvider>) -> Result<Self, BindError> {
        let nobody = quic(config_for_one(Arc::new(Nobody), time.clone(), &OVER_QUIC))?;
        Ok(Self { seats, time, nobody })
    }
}

impl crypto::ServerConfig for Router {
    fn initial_keys(&self, version: u32, dst_cid: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        self.nobody.initial_keys(version, dst_cid)
    }

    fn retry_tag(&self, version: u32, orig_dst_cid: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.nobody.retry_tag(version, orig_dst_cid, packet)
    }

    fn start_session(self: Arc<Self>, version: u32, params: &TransportParameters) -> Box<dyn Session> {
        // Made once with the same parts, it is made again; if not, nobody is let in.
        let session = quic(config_for_one(self.seats.clone(), self.time.clone(), &OVER_QUIC)).unwrap_or_else(|error| {
            tracing::error!(%error, "a connection gets no session");
            self.nobody.clone()
        });
        session.start_session(version, params)
    }
}
