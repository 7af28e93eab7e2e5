//! The sockets and the configurations of QUIC.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{AsyncUdpSocket, ClientConfig, EndpointConfig, ServerConfig, TokioRuntime, TransportConfig, VarInt};
use quinn_proto::HashedConnectionIdGenerator;
use socket2::{Domain, Protocol, Socket, Type};

use crate::driver::host::BindError;
use crate::driver::settings::HostSettings;
use crate::trust::{NoRandomness, random};

use super::router::Router;

/// The lanes of a link; an asker needs one. quinn keeps a place for each stream that could come.
const STREAMS_MAX: u32 = 4;
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;
const SEND_WINDOW: u64 = 1024 * 1024;
const INCOMING_MAX: usize = 1024;
const INCOMING_BUFFER_TOTAL: u64 = 16 * 1024 * 1024;
/// Linux answers with twice what it was asked for; the second half is for its own book-keeping.
const ANSWERED_TIMES: usize = if cfg!(target_os = "linux") { 2 } else { 1 };

/// One UDP socket with large buffers, and what to say when the kernel gave smaller ones.
pub(in crate::driver) fn bind(listen: SocketAddr, buffer: usize) -> io::Result<(UdpSocket, Option<String>)> {
    let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
    if listen.is_ipv6() && listen.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    socket.set_recv_buffer_size(buffer)?;
    socket.set_send_buffer_size(buffer)?;
    let granted = |size: usize| size.checked_div(ANSWERED_TIMES).unwrap_or(size);
    let warning = clamped(buffer, granted(socket.recv_buffer_size()?), granted(socket.send_buffer_size()?));
    if let Some(warning) = &warning {
        tracing::warn!("{warning}");
    }
    socket.set_nonblocking(true)?;
    socket.bind(&listen.into())?;
    Ok((socket.into(), warning))
}

/// What to say when the kernel grants less than was wanted, in bytes.
pub(in crate::driver) fn clamped(wanted: usize, receive: usize, send: usize) -> Option<String> {
    if receive >= wanted && send >= wanted {
        return None;
    }
    Some(format!(
        "the kernel limits the UDP buffers to {receive} (receive) and {send} (send) bytes, {wanted} are wanted. Links work, \
         but when many nodes come at once packets are lost and they take longer. Run: sysctl -w \
         net.core.rmem_max={wanted} net.core.wmem_max={wanted}   and write both into /etc/sysctl.d/90-wuji.conf; then \
         start again"
    ))
}

/// Reset key and connection ids come from the host's secret and so survive a restart: peers learn at once that the old
/// connection is gone.
pub(in crate::driver) fn endpoint_config(settings: &HostSettings) -> Result<EndpointConfig, BindError> {
    let secret = match settings.secret {
        Some(secret) => secret,
        None => random::<32>().map_err(|NoRandomness| BindError::Setting("randomness"))?,
    };
    let reset = blake3::derive_key("wuji quic stateless reset 1", &secret);
    let mut config = EndpointConfig::new(Arc::new(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &reset)));
    config.cid_generator(move || Box::new(connection_ids(&secret)));
    // A parent that comes back tells thousands of children at once, and quinn reads the clock once for all packets that it
    // finds: with any interval one child of each heap is told, and the others wait until they ask again. Nobody else is
    // answered: a packet must name a connection that this host gave an id to, and gets back less than it was.
    config.min_reset_interval(Duration::ZERO);
    Ok(config)
}

/// Ids of connections by which a host knows after a restart that they were its own.
pub(in crate::driver) fn connection_ids(secret: &[u8; 32]) -> HashedConnectionIdGenerator {
    let ids = blake3::derive_key("wuji quic connection ids 1", secret);
    HashedConnectionIdGenerator::from_key(ids.iter().take(8).fold(0_u64, |key, byte| (key << 8) | u64::from(*byte)))
}

/// QUIC on a socket. Must run inside a tokio runtime.
pub(in crate::driver) fn endpoint(
    config: EndpointConfig,
    server: Option<ServerConfig>,
    socket: Arc<dyn AsyncUdpSocket>,
) -> Result<quinn::Endpoint, BindError> {
    Ok(quinn::Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(TokioRuntime))?)
}

fn transport(
    settings: &HostSettings,
    streams: u32,
    keep_alive: Option<Duration>,
) -> Result<Arc<TransportConfig>, BindError> {
    let mut transport = TransportConfig::default();
    let idle = settings.idle.try_into().map_err(|_| BindError::Setting("idle"))?;
    transport
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(keep_alive)
        .max_concurrent_bidi_streams(VarInt::from_u32(streams))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW))
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(None)
        .enable_segmentation_offload(settings.offload);
    Ok(Arc::new(transport))
}

/// For the listening side.
pub(in crate::driver) fn server(router: Router, settings: &HostSettings) -> Result<ServerConfig, BindError> {
    let mut config = ServerConfig::with_crypto(Arc::new(router));
    config
        .transport_config(transport(settings, STREAMS_MAX, None)?)
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size_total(INCOMING_BUFFER_TOTAL)
        .migration(true);
    Ok(config)
}

/// For a dialling side, which opens all streams.
pub(in crate::driver) fn client(tls: rustls::ClientConfig, settings: &HostSettings) -> Result<ClientConfig, BindError> {
    let tls = QuicClientConfig::try_from(tls).map_err(|_| BindError::Setting("cipher suites"))?;
    let mut config = ClientConfig::new(Arc::new(tls));
    config.transport_config(transport(settings, 0, Some(settings.sign_of_life()?))?);
    Ok(config)
}
