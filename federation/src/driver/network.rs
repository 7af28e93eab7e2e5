//! The network as the driver sees it: sockets of UDP, and names. What is asked of it is little, so that the driver can be
//! run on a network whose faults and whose time are given.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use quinn::{AsyncUdpSocket, Runtime, TokioRuntime};

use super::quic::socket;

/// A socket, and what its owner should know.
#[derive(Debug)]
pub struct Bound {
    /// The socket.
    pub socket: Arc<dyn AsyncUdpSocket>,
    /// The kernel gave smaller buffers than were asked for.
    pub warning: Option<String>,
}

/// The addresses of a name, when they are there.
pub type Resolved<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// A network.
pub trait Network: Debug + Send + Sync {
    /// A socket of UDP with two buffers of so many bytes. Called inside a tokio runtime, whose clock is QUIC's.
    fn udp(&self, listen: SocketAddr, buffer: usize) -> io::Result<Bound>;
    /// The addresses of a `host:port`.
    fn resolve<'a>(&'a self, name: &'a str) -> Resolved<'a>;
}

/// The network of this machine.
#[derive(Debug, Clone, Copy)]
pub struct Machine;

impl Network for Machine {
    fn udp(&self, listen: SocketAddr, buffer: usize) -> io::Result<Bound> {
        let (socket, warning) = socket::bind(listen, buffer)?;
        Ok(Bound { socket: TokioRuntime.wrap_udp_socket(socket)?, warning })
    }

    fn resolve<'a>(&'a self, name: &'a str) -> Resolved<'a> {
        Box::pin(async move { Ok(tokio::net::lookup_host(name).await?.collect()) })
    }
}
