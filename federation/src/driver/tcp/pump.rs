//! Moves records between the mux and the socket, one at a time, until the connection is over.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

use crate::driver::connection::code;
use crate::driver::host::BindError;
use crate::driver::settings::HostSettings;

use super::Ends;
use super::mux::News;
use super::record::{Broken, HEAD_BYTES, Head, Record};

/// How long a farewell may take to leave, and the peer to hang up.
const FAREWELL: Duration = Duration::from_secs(1);

/// Signs of life.
#[derive(Debug, Clone, Copy)]
pub(in crate::driver) struct Pace {
    /// How often this side asks for one; the listening side does not.
    ping: Option<Duration>,
    /// Without any for so long, the connection is over.
    idle: Duration,
}

impl Pace {
    pub(in crate::driver) fn dialling(settings: &HostSettings) -> Result<Self, BindError> {
        Ok(Self { ping: Some(settings.sign_of_life()?), idle: settings.idle })
    }

    pub(in crate::driver) fn listening(settings: &HostSettings) -> Self {
        Self { ping: None, idle: settings.idle }
    }
}

enum First {
    Read(String),
    Written(String),
    Ended,
}

/// Runs until the connection is over and, when this side ended it, the farewell has left.
pub(super) async fn run<S: AsyncRead + AsyncWrite>(ends: Arc<Ends>, stream: S, pace: Pace) {
    let (receive, send) = tokio::io::split(stream);
    let mut reading = pin!(read(&ends, receive, pace.idle));
    let mut writing = pin!(write(&ends, send, pace.ping));
    let first = tokio::select! {
        why = &mut reading => First::Read(why),
        why = &mut writing => First::Written(why),
        () = ends.ended.cancelled() => First::Ended,
    };
    // Reading goes on until the peer has hung up: a socket that is closed with something unread takes the farewell back.
    let farewell = async {
        match first {
            First::Read(why) => {
                ends.end(why);
                if ends.mux().is_closing() {
                    writing.await;
                }
            }
            First::Written(why) => {
                ends.end(why);
                if ends.mux().is_closing() {
                    reading.await;
                }
            }
            First::Ended => {
                writing.await;
                reading.await;
            }
        }
    };
    // A peer that does not hear it finds the socket closed.
    let _ = timeout(FAREWELL, farewell).await;
}

/// Reads until the peer ends the connection, or breaks it; why.
async fn read(ends: &Ends, mut socket: impl AsyncRead + Unpin, idle: Duration) -> String {
    loop {
        let record = match timeout(idle, record(&mut socket)).await {
            Ok(Ok(record)) => record,
            Ok(Err(error)) => return lost(&error),
            Err(_) => return "nothing was heard for too long".to_owned(),
        };
        let news = record.and_then(|record| ends.mux().take(record));
        match news {
            Ok(News::None) => {}
            Ok(News::Readable(lane)) => ends.readable(lane),
            Ok(News::Work) => ends.work.notify_one(),
            Ok(News::Closed(why)) => return format!("closed by the peer: {why}"),
            Err(broken) => {
                ends.close(code::FRAMING, &broken.to_string());
                return broken.to_string();
            }
        }
    }
}

async fn record(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<Result<Record, Broken>> {
    let mut head = [0; HEAD_BYTES];
    socket.read_exact(&mut head).await?;
    let head = match Head::parse(head) {
        Ok(head) => head,
        Err(broken) => return Ok(Err(broken)),
    };
    let mut body = vec![0; head.length()];
    socket.read_exact(&mut body).await?;
    Ok(head.with(body))
}

fn lost(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the peer hung up".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "reset by peer".to_owned(),
        _ => error.to_string(),
    }
}

/// Writes until this side has said farewell, or the socket breaks; why.
async fn write(ends: &Ends, mut socket: impl AsyncWrite + Unpin, every: Option<Duration>) -> String {
    // By the clock and not by silence: what is sent says nothing about who still listens.
    let after = |every: Option<Duration>| every.and_then(|every| Instant::now().checked_add(every));
    let mut due = after(every);
    loop {
        if due.is_some_and(|due| due <= Instant::now()) {
            ends.mux().ping();
            due = after(every);
        }
        let next = ends.mux().next();
        let Some(record) = next else {
            tokio::select! {
                () = ends.work.notified() => {}
                () = until(due) => {}
            }
            continue;
        };
        // Flushed before the next is chosen, so that nothing urgent queues behind what was chosen early.
        let written = async {
            socket.write_all(&record.to_bytes()).await?;
            socket.flush().await
        };
        if let Err(error) = written.await {
            return lost(&error);
        }
        match &record {
            Record::Data(lane, _) | Record::End(lane) => ends.writable(*lane),
            Record::Close(..) => return "closed".to_owned(),
            Record::Credit(..) | Record::Ping | Record::Pong => {}
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
