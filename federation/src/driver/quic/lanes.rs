//! Lanes as streams of QUIC. The side that dialled opens each and says its number.

use protocol::wire::frame::Lane;
use quinn::{Connection, SendStream};

use crate::driver::connection::{LANES, NotOpened, Opened, ReceiveHalf, SendHalf};

/// Streams with a higher number go first.
fn priority(lane: Lane) -> i32 {
    match lane {
        Lane::Control => 100,
        Lane::Cases => 50,
        Lane::Statistics => 10,
        Lane::Bulk => -10,
    }
}

fn prefer(stream: &SendStream, lane: Lane) {
    // Fails only on a stream that is closed already, which the next write tells.
    let _ = stream.set_priority(priority(lane));
}

/// The four lanes of a link, by number.
pub(in crate::driver) async fn all(connection: &Connection, dialled: bool) -> Result<Vec<Opened>, NotOpened> {
    let mut lanes = if dialled { open(connection).await? } else { accept(connection).await? };
    lanes.sort_by_key(|(lane, ..)| lane.index());
    Ok(lanes)
}

async fn open(connection: &Connection) -> Result<Vec<Opened>, NotOpened> {
    let mut lanes = Vec::new();
    for lane in LANES {
        let (mut send, receive) = connection.open_bi().await?;
        prefer(&send, lane);
        send.write_all(&[lane.index()]).await?;
        lanes.push((lane, SendHalf::Quic(send), ReceiveHalf::Quic(receive)));
    }
    Ok(lanes)
}

async fn accept(connection: &Connection) -> Result<Vec<Opened>, NotOpened> {
    let mut lanes: Vec<Opened> = Vec::new();
    for _ in LANES {
        let (send, mut receive) = connection.accept_bi().await?;
        let mut index = [0; 1];
        receive.read_exact(&mut index).await?;
        let [index] = index;
        let lane = Lane::from_index(index).filter(|lane| lanes.iter().all(|(open, ..)| open != lane));
        let lane = lane.ok_or(NotOpened::Lane(index))?;
        prefer(&send, lane);
        lanes.push((lane, SendHalf::Quic(send), ReceiveHalf::Quic(receive)));
    }
    Ok(lanes)
}

/// The one lane of a question.
pub(in crate::driver) async fn one(connection: &Connection, dialled: bool) -> Result<(SendHalf, ReceiveHalf), String> {
    let streams = if dialled { connection.open_bi().await } else { connection.accept_bi().await };
    let (send, receive) = streams.map_err(|e| e.to_string())?;
    Ok((SendHalf::Quic(send), ReceiveHalf::Quic(receive)))
}
