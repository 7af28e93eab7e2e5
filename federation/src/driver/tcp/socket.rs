//! The sockets of TCP.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: i32 = 1024;
/// Bytes that the kernel may hold that are not on their way: what is urgent waits for them.
#[cfg(target_os = "linux")]
const NOT_SENT_BYTES: u32 = 16 * 1024;

/// A listener, for both families where UDP is.
pub(in crate::driver) fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    if at.is_ipv6() && at.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // Connections that have ended keep their port for a while; a process that starts again must not wait for them.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Sends at once, and keeps little in the kernel, where nothing can overtake.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    SockRef::from(stream).set_tcp_notsent_lowat(NOT_SENT_BYTES)?;
    Ok(())
}
