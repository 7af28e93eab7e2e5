//! The socket and the configurations of QUIC.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, EndpointConfig, ServerConfig, TransportConfig, VarInt};
use quinn_proto::HashedConnectionIdGenerator;
use socket2::{Domain, Protocol, Socket, Type};

use crate::driver::settings::{Settings, Setup};
use crate::trust::{NoRandomness, NodeKeys, random, tls};

use super::BindError;

const STREAMS_MAX: u32 = 8;
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;
const SEND_WINDOW: u64 = 1024 * 1024;
const INCOMING_MAX: usize = 1024;
const INCOMING_BUFFER_TOTAL: u64 = 16 * 1024 * 1024;
/// A parent that comes back answers thousands of children whose connections it no longer knows.
const RESET_INTERVAL: Duration = Duration::from_millis(1);
const KEEP_ALIVE_SPREAD_MS: u64 = 10_000;

/// One UDP socket with large buffers.
pub(in crate::driver) fn bind(listen: SocketAddr, buffer: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
    if listen.is_ipv6() && listen.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    socket.set_recv_buffer_size(buffer)?;
    socket.set_send_buffer_size(buffer)?;
    let (receive, send) = (socket.recv_buffer_size()?, socket.send_buffer_size()?);
    if receive < buffer || send < buffer {
        tracing::warn!(
            receive,
            send,
            wanted = buffer,
            "socket buffers are clamped: raise net.core.rmem_max and wmem_max"
        );
    }
    socket.set_nonblocking(true)?;
    socket.bind(&listen.into())?;
    Ok(socket.into())
}

/// Reset key and connection ids survive a restart: peers learn at once that the old connection is gone.
pub(in crate::driver) fn endpoint_config(keys: &NodeKeys) -> EndpointConfig {
    let reset = keys.transport_secret("wuji quic stateless reset 1");
    let ids = keys.transport_secret("wuji quic connection ids 1");
    let ids = ids.iter().take(8).fold(0_u64, |key, byte| (key << 8) | u64::from(*byte));
    let mut config = EndpointConfig::new(Arc::new(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &reset)));
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(ids)));
    config.min_reset_interval(RESET_INTERVAL);
    config
}

fn transport(settings: &Settings, keep_alive: Option<Duration>) -> Result<Arc<TransportConfig>, BindError> {
    let mut transport = TransportConfig::default();
    let idle = settings.idle.try_into().map_err(|_| BindError::Setting("idle"))?;
    transport
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(keep_alive)
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(STREAMS_MAX))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW))
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(None)
        .enable_segmentation_offload(settings.offload);
    Ok(Arc::new(transport))
}

/// For the listening side.
pub(super) fn server(setup: &Setup) -> Result<ServerConfig, BindError> {
    let tls = tls::server_config(&setup.keys, &setup.chain, setup.registry.clone(), setup.settings.time.clone())?;
    let tls = QuicServerConfig::try_from(tls).map_err(|_| BindError::Setting("cipher suites"))?;
    let mut config = ServerConfig::with_crypto(Arc::new(tls));
    config
        .transport_config(transport(&setup.settings, None)?)
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size_total(INCOMING_BUFFER_TOTAL)
        .migration(true);
    Ok(config)
}

/// For a dialling side.
pub(in crate::driver) fn client(tls: rustls::ClientConfig, settings: &Settings) -> Result<ClientConfig, BindError> {
    let tls = QuicClientConfig::try_from(tls).map_err(|_| BindError::Setting("cipher suites"))?;
    let mut config = ClientConfig::new(Arc::new(tls));
    let spread = random::<8>().map(u64::from_be_bytes).map_err(|NoRandomness| BindError::Setting("randomness"))?;
    let spread = Duration::from_millis(spread.checked_rem(KEEP_ALIVE_SPREAD_MS).unwrap_or(0));
    config.transport_config(transport(settings, Some(settings.keep_alive.saturating_add(spread)))?);
    Ok(config)
}
