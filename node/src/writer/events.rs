//! What the link driver reports, handed to the link core.

use std::collections::BTreeMap;

use federation::core::{ConnectionId, Input};
use federation::driver::{AskKind, Event};
use protocol::id::BundleId;
use protocol::wire::control::Control;

use crate::alarms::AlarmKind;
use crate::store::StoreError;

use super::Writer;
use super::batch::Batch;

impl Writer {
    /// Takes one event in. `known`: bundles that the store has, and whether each lacks its receipt.
    pub(super) async fn event(
        &mut self,
        event: Event,
        known: &BTreeMap<BundleId, bool>,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        match event {
            Event::Opened { connection, peer, dialled, transport } => {
                self.connected(connection, peer);
                if !dialled && self.turn_away(peer, connection) {
                    return Ok(());
                }
                self.shared.carried(peer, transport.into());
                self.feed(Input::LinkOpened { peer, connection: ConnectionId(connection), dialled });
            }
            Event::Control { frame: Control::Moved(signed), .. } => {
                if let Err(why) = self.moved(*signed, None, batch).await? {
                    self.alarm(AlarmKind::Move, format!("an order to hang elsewhere was not followed: {why}"));
                }
            }
            Event::Control { connection, frame } => {
                self.control_came(connection);
                if let Control::Hello(hello) = &frame {
                    self.greeted(hello, batch);
                }
                self.feed(Input::Control { connection: ConnectionId(connection), frame });
            }
            Event::Bundle { connection, lane, seq, bundle } => {
                self.shared.counters.came.bundles.add(1);
                self.shared.counters.came.bytes.add(bundle.bytes().len());
                // What the store knows; what else came in this transaction the core remembers itself.
                let held = known.get(&bundle.head().id).copied();
                self.feed(Input::Arrived {
                    connection: ConnectionId(connection),
                    lane,
                    seq,
                    bundle,
                    seen: held.is_some(),
                    held_unreceipted: held.unwrap_or(false),
                });
            }
            Event::BadBundle { connection, lane, seq, why, bytes } => {
                tracing::warn!(connection, %why, "a bundle that does not verify was refused");
                let what = format!("a bundle that does not verify was refused: {why}");
                self.alarm(AlarmKind::Unbelieved, what);
                self.feed(Input::Unbelieved { connection: ConnectionId(connection), lane, seq, bytes });
            }
            Event::Misbehaved { connection, what } => {
                tracing::warn!(connection, %what, "a peer broke the protocol");
                self.broke_rules(connection, &what);
                self.feed(Input::Misbehaved { connection: ConnectionId(connection), what });
            }
            Event::Closed { connection, peer, why } => {
                tracing::debug!(connection, %why, "link closed");
                self.disconnected(connection);
                // The dialling side learns only after its own handshake that the other has refused it.
                if self.core.identity().parent == Some(peer) && !self.shared.is_up(peer) {
                    self.not_reached(&why);
                }
                self.feed(Input::LinkClosed { connection: ConnectionId(connection) });
            }
            Event::DialFailed { why } => {
                self.not_reached(&why);
                self.feed(Input::DialFailed);
            }
            Event::Join(ask) => self.join(ask, batch).await?,
            Event::Ask(ask) if ask.kind == AskKind::Renew => self.renew_at_the_door(ask, batch).await?,
            // Dropped unanswered: the asker is told to come again.
            Event::Ask(ask) => {
                tracing::warn!(remote = %ask.remote, kind = ?ask.kind, "a request that this version does not answer")
            }
        }
        Ok(())
    }
}
