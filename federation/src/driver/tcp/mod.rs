//! TLS over TCP: the transport of links where a network lets no UDP pass. Lanes, credit, signs of life and farewells, which
//! QUIC brings along, are made here (ADR 0018).

pub(super) mod accept;
pub(super) mod dial;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzing;
mod mux;
mod pump;
mod record;
pub(super) mod socket;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use protocol::wire::frame::Lane;
use rustls::CommonState;
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::connection::{self, Agreed, LANES, NotRead, Opened, Over, code};
use super::event::AskKind;
use super::settings::Transport;

use mux::{Mux, Shape};

pub(super) use pump::Pace;

/// Bytes of an answer that are read at a time.
const PIECE_BYTES: usize = 4 * 1024;

/// What the owners of a connection share with its pump.
struct Ends {
    mux: Mutex<Mux>,
    why: OnceLock<String>,
    ended: CancellationToken,
    /// Wakes the pump when there may be something to write.
    work: Notify,
    bells: Vec<Bells>,
}

/// Each half of a lane has one owner, who waits at one of these.
#[derive(Default)]
struct Bells {
    readable: Notify,
    writable: Notify,
}

impl Ends {
    fn mux(&self) -> MutexGuard<'_, Mux> {
        self.mux.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readable(&self, lane: u8) {
        if let Some(bells) = self.bells.get(usize::from(lane)) {
            bells.readable.notify_one();
        }
    }

    fn writable(&self, lane: u8) {
        if let Some(bells) = self.bells.get(usize::from(lane)) {
            bells.writable.notify_one();
        }
    }

    /// The connection is over; the first reason counts.
    fn end(&self, why: String) {
        self.why.get_or_init(|| why);
        self.ended.cancel();
    }

    /// Ends the connection from this side.
    fn close(&self, code: u32, why: &str) {
        self.mux().close(code, why);
        self.end("closed".to_owned());
        self.work.notify_one();
    }

    /// Waits for news of a lane, or for the end.
    async fn wait(&self, bell: &Notify) {
        tokio::select! {
            () = bell.notified() => {}
            () = self.ended.cancelled() => {}
        }
    }

    /// Whether nothing comes or goes any more.
    fn is_over(&self) -> bool {
        self.ended.is_cancelled()
    }
}

/// What the handshake has shown.
struct Facts {
    remote: SocketAddr,
    protocol: Option<Vec<u8>>,
    server_name: Option<String>,
    certificate: Option<CertificateDer<'static>>,
    exporter: Option<[u8; 32]>,
}

impl Facts {
    /// `export` is the exporter of the TLS session.
    fn of(remote: SocketAddr, session: &CommonState, export: impl FnOnce(AskKind) -> Option<[u8; 32]>) -> Self {
        let protocol = session.alpn_protocol().map(<[u8]>::to_vec);
        let spoken = Transport::Tcp.protocols();
        let asked = |kind: &AskKind| protocol.as_deref() == Some(kind.of(&spoken));
        let exporter = [AskKind::Join, AskKind::Renew].into_iter().find(asked).and_then(export);
        let certificate = session.peer_certificates().and_then(|chain| chain.first()).cloned();
        Self { remote, protocol, server_name: None, certificate, exporter }
    }
}

/// The owners' side of a connection.
struct Handle {
    ends: Arc<Ends>,
    facts: Facts,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.ends.close(code::DONE, "");
    }
}

/// A connection whose handshake is done. It ends when the last clone and the last half of a lane is dropped.
#[derive(Clone)]
pub(super) struct Connection(Arc<Handle>);

/// The connection over a TLS stream, and what moves its bytes: it must be run, and ends with the connection.
fn open<S>(stream: S, facts: Facts, pace: Pace) -> (Connection, impl Future<Output = ()> + Send + use<S>)
where
    S: AsyncRead + AsyncWrite + Send,
{
    let is_link = facts.protocol.as_deref() == Some(Transport::Tcp.protocols().link);
    let shape = if is_link { Shape::LINK } else { Shape::QUESTION };
    let ends = Arc::new(Ends {
        mux: Mutex::new(Mux::new(shape)),
        why: OnceLock::new(),
        ended: CancellationToken::new(),
        work: Notify::new(),
        bells: (0..shape.lanes).map(|_| Bells::default()).collect(),
    });
    (Connection(Arc::new(Handle { ends: ends.clone(), facts })), pump::run(ends, stream, pace))
}

impl Connection {
    pub(super) fn remote_address(&self) -> SocketAddr {
        self.0.facts.remote
    }

    pub(super) fn agreed(&self) -> Option<Agreed> {
        let Facts { protocol, server_name, .. } = &self.0.facts;
        Some(Agreed { protocol: protocol.clone()?, server_name: server_name.clone()? })
    }

    pub(super) fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.0.facts.certificate.clone()
    }

    /// There when the connection was made to ask for this.
    pub(super) fn exporter(&self, kind: AskKind) -> Option<[u8; 32]> {
        let spoken = Transport::Tcp.protocols();
        self.0.facts.exporter.filter(|_| self.0.facts.protocol.as_deref() == Some(kind.of(&spoken)))
    }

    pub(super) fn close(&self, code: u32, why: &str) {
        self.0.ends.close(code, why);
    }

    pub(super) async fn closed(&self) -> String {
        self.0.ends.ended.cancelled().await;
        self.close_reason().unwrap_or_default()
    }

    pub(super) fn close_reason(&self) -> Option<String> {
        self.0.ends.why.get().cloned()
    }

    pub(super) fn lanes(&self) -> Vec<Opened> {
        let open = |lane| {
            let (send, receive) = self.lane(lane);
            (lane, send, receive)
        };
        LANES.map(open).into()
    }

    /// To be called once for a lane: each half has one owner.
    pub(super) fn lane(&self, lane: Lane) -> (connection::SendHalf, connection::ReceiveHalf) {
        let (handle, lane) = (self.0.clone(), lane.index());
        (
            connection::SendHalf::Tcp(SendHalf { handle: handle.clone(), lane }),
            connection::ReceiveHalf::Tcp(ReceiveHalf { handle, lane }),
        )
    }
}

/// The direction of a lane that this side speaks in.
pub(super) struct SendHalf {
    handle: Arc<Handle>,
    lane: u8,
}

impl SendHalf {
    async fn wait(&self) {
        if let Some(bells) = self.handle.ends.bells.get(usize::from(self.lane)) {
            self.handle.ends.wait(&bells.writable).await;
        }
    }

    pub(super) async fn write(&mut self, parts: &[Bytes]) -> Result<(), Over> {
        let ends = &self.handle.ends;
        for part in parts {
            while !ends.is_over() && !ends.mux().write(self.lane, part) {
                self.wait().await;
            }
            if ends.is_over() {
                return Err(Over);
            }
            ends.work.notify_one();
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<(), Over> {
        let ends = &self.handle.ends;
        ends.mux().finish(self.lane);
        ends.work.notify_one();
        if ends.is_over() { Err(Over) } else { Ok(()) }
    }

    pub(super) async fn finished(&mut self) {
        while !self.handle.ends.is_over() && !self.handle.ends.mux().is_finished(self.lane) {
            self.wait().await;
        }
    }
}

/// The direction of a lane that the peer speaks in.
pub(super) struct ReceiveHalf {
    handle: Arc<Handle>,
    lane: u8,
}

impl ReceiveHalf {
    /// Some bytes, or why there are none. What came before the peer ended the connection can still be read.
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, NotRead> {
        let ends = &self.handle.ends;
        loop {
            // Before looking: what comes after the look must not be missed.
            let over = ends.is_over();
            let (read, owes, ended) = {
                let mut mux = ends.mux();
                if mux.is_closing() {
                    return Err(NotRead::Over);
                }
                let (read, owes) = mux.read(self.lane, buffer);
                (read, owes, mux.has_ended(self.lane))
            };
            if owes {
                ends.work.notify_one();
            }
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if ended {
                return Err(NotRead::Ended(0));
            }
            if over {
                return Err(NotRead::Over);
            }
            if let Some(bells) = ends.bells.get(usize::from(self.lane)) {
                ends.wait(&bells.readable).await;
            }
        }
    }

    pub(super) async fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), NotRead> {
        let mut read = 0_usize;
        while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match self.read(rest).await {
                Ok(some) => read = read.saturating_add(some),
                Err(NotRead::Ended(_)) => return Err(NotRead::Ended(read)),
                Err(NotRead::Over) => return Err(NotRead::Over),
            }
        }
        Ok(())
    }

    pub(super) async fn read_to_end(&mut self, most: usize) -> Result<Vec<u8>, &'static str> {
        let (mut all, mut piece) = (Vec::new(), [0; PIECE_BYTES]);
        loop {
            match self.read(&mut piece).await {
                Ok(read) => all.extend_from_slice(piece.get(..read).unwrap_or_default()),
                Err(NotRead::Ended(_)) => return Ok(all),
                Err(NotRead::Over) => return Err("the connection ended too early"),
            }
            if all.len() > most {
                return Err("it is too long");
            }
        }
    }
}
