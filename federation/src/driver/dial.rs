//! Reaches a node above, over the transport that its link is set to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::trust::{random, tls_name};

use super::connection::Connection;
use super::host::BindError;
use super::network::Network;
use super::settings::{HostSettings, Parent, Transport};
use super::{quic, tcp};

/// Addresses of one name that a dial tries.
const ADDRESSES_MAX: usize = 4;
/// Who is refused because too many come at once asks again after a pause between these. Pauses that grow are for parents
/// that do not answer: this one does, and has room for others again in a moment.
const BUSY_PAUSE_MIN: Duration = Duration::from_millis(200);
const BUSY_PAUSE_MAX: Duration = Duration::from_secs(2);

/// Why an address is not reached.
pub(super) enum NotReached {
    /// Somebody is there and has too much to do just now.
    Busy,
    /// Anything else.
    Failed(String),
}

/// TLS made ready for the transport of one parent.
#[derive(Clone)]
pub(super) enum Client {
    Quic(quinn::ClientConfig),
    Tcp(Arc<rustls::ClientConfig>, tcp::Pace),
}

impl Client {
    pub(super) fn new(tls: rustls::ClientConfig, over: Transport, settings: &HostSettings) -> Result<Self, BindError> {
        Ok(match over {
            Transport::Quic => Self::Quic(quic::socket::client(tls, settings)?),
            Transport::Tcp => Self::Tcp(Arc::new(tls), tcp::Pace::dialling(settings)?),
        })
    }
}

/// Where this side dials from.
#[derive(Clone)]
pub(super) struct Dialler {
    pub(super) quic: quinn::Endpoint,
    pub(super) network: Arc<dyn Network>,
    /// Where what moves the bytes of TCP connections runs.
    pub(super) tasks: TaskTracker,
}

impl Dialler {
    /// Connects to a node at `host:port`, trying the addresses of the name one after the other, `limit` in all.
    pub(super) async fn reach(&self, client: &Client, parent: &Parent, limit: Duration) -> Result<Connection, String> {
        let address = &parent.address;
        let failed = |why: String| format!("{address}: {why}");
        let own = self.quic.local_addr().map_err(|e| failed(e.to_string()))?;
        let found = match tokio::time::timeout(limit, self.network.resolve(address)).await {
            Ok(found) => found.map_err(|e| failed(e.to_string()))?,
            Err(_) => return Err(failed("the name is not resolved in time".into())),
        };
        let usable: Vec<_> = found.into_iter().filter(|a| own.is_ipv6() || a.is_ipv4()).take(ADDRESSES_MAX).collect();
        let share = limit.checked_div(u32::try_from(usable.len()).unwrap_or(1)).unwrap_or(limit);
        let mut why = "no usable address".to_owned();
        for one in usable {
            match tokio::time::timeout(share, self.one(client, own, one, &tls_name(parent.node))).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => why = error,
                Err(_) => why = "no answer in time, or nothing but that it has too much to do".to_owned(),
            }
        }
        Err(failed(why))
    }

    async fn one(&self, client: &Client, own: SocketAddr, to: SocketAddr, name: &str) -> Result<Connection, String> {
        match client {
            Client::Quic(config) => loop {
                match quic::dial(&self.quic, config, to, name).await {
                    Ok(connection) => return Ok(Connection::Quic(connection)),
                    Err(NotReached::Failed(why)) => return Err(why),
                    Err(NotReached::Busy) => tokio::time::sleep(busy_pause()).await,
                }
            },
            Client::Tcp(config, pace) => {
                let (connection, pump) = tcp::dial::dial(config.clone(), *pace, own.ip(), to, name).await?;
                self.tasks.spawn(pump);
                Ok(Connection::Tcp(connection))
            }
        }
    }
}

/// Spread, so that those who were refused together do not come together again.
fn busy_pause() -> Duration {
    let spread = BUSY_PAUSE_MAX.saturating_sub(BUSY_PAUSE_MIN);
    let most = u64::try_from(spread.as_millis()).unwrap_or(u64::MAX);
    let part = random::<8>().ok().and_then(|bytes| u64::from_be_bytes(bytes).checked_rem(most)).unwrap_or(most);
    BUSY_PAUSE_MIN.saturating_add(Duration::from_millis(part))
}
