//! Accepts connections, with limits on their number and on how long each step may take.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::front::Front;
use super::tls::Certificates;

/// Connections at once; newcomers wait in the listener's queue. Each costs a descriptor, some 20 KiB, and its requests.
pub const CONNECTIONS_MAX: usize = 1_024;
/// A TLS handshake may take so long.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// The head of a request may take so long, and a connection may stand idle so long.
const HEAD_MAX: Duration = Duration::from_secs(30);
/// Requests at once over one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;
/// Sign of life on an HTTP/2 connection, and how long its answer may take.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_MAX: Duration = Duration::from_secs(20);
/// How long requests under way have to finish when the process stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// Pause when the system has no descriptor for another connection.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(200);

/// Serves until `shutdown` is ready, then lets requests under way finish. With certificates it speaks HTTPS.
pub async fn serve(
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    front: Arc<Front>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let acceptor = match &certificates {
        None => None,
        Some(certificates) => Some(TlsAcceptor::from(certificates.config().map_err(io::Error::other)?)),
    };
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(stream, peer)| (stream, peer, place))
        };
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = next => match accepted {
                Ok((stream, peer, place)) => {
                    let guest = Guest { peer, acceptor: acceptor.clone(), front: front.clone(), _place: place };
                    connections.spawn(guest.stay(stream, graceful.watcher()));
                }
                Err(error) if is_of_one_guest(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no further connection can be accepted for now");
                    tokio::time::sleep(SHORTAGE_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    if tokio::time::timeout(FAREWELL, graceful.shutdown()).await.is_err() {
        tracing::info!("requests that were still under way are cut off");
    }
    connections.shutdown().await;
    Ok(())
}

fn is_of_one_guest(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// One connection.
struct Guest {
    peer: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    front: Arc<Front>,
    _place: OwnedSemaphorePermit,
}

impl Guest {
    async fn stay(self, stream: TcpStream, watcher: Watcher) {
        // Without it small answers wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection is gone already");
            return;
        }
        match self.acceptor.clone() {
            None => self.converse(stream, watcher).await,
            Some(acceptor) => match tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.converse(stream, watcher).await,
                Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "no TLS connection came about"),
                Err(_) => tracing::debug!(peer = %self.peer, "a TLS handshake was not done in time"),
            },
        }
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, watcher: Watcher) {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_MAX);
        let (front, peer) = (self.front.clone(), self.peer);
        let service = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
            let front = front.clone();
            async move { Ok::<_, Infallible>(front.answer(request.map(Body::new), peer).await) }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        if let Err(error) = watcher.watch(connection.into_owned()).await {
            tracing::debug!(peer = %self.peer, error, "a connection broke off");
        }
    }
}
