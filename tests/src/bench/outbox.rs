//! The outbox of a node that does not run, filled as its writer would have filled it.

use protocol::bounded::List;
use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::Bundle;
use protocol::wire::control::Position;
use protocol::wire::frame::Lane;
use wuji::clock::Clock;
use wuji::config::Config;
use wuji::folder::Folder;
use wuji::store::link::{KeepBundle, OutboxRow};
use wuji::store::trust::StoredLink;
use wuji::store::{self, WriteStore};

use super::Failure;

/// One lane to one neighbour.
#[derive(Debug)]
pub struct Outbox {
    write: WriteStore,
    peer: NodeId,
    lane: Lane,
    link: StoredLink,
}

impl Outbox {
    /// Of the node of a folder, whose link to the neighbour was up once.
    pub async fn of(folder: &Folder, peer: NodeId, lane: Lane) -> Result<Self, Failure> {
        let mut write = opened(folder).await?;
        let link = write.links().await?.into_iter().find(|(other, _)| *other == peer).ok_or("no such link")?.1;
        Ok(Self { write, peer, lane, link })
    }

    /// Keeps bundles and numbers them, in one transaction.
    pub async fn lay(&mut self, bundles: Vec<Bundle>) -> Result<Vec<BundleId>, Failure> {
        let (peer, lane) = (self.peer, self.lane);
        let mut lanes = std::mem::take(&mut self.link.3).into_vec();
        // The lane of control has no numbers.
        let last = &mut lanes.get_mut(usize::from(lane.index()) - 1).ok_or("no such lane")?.1;
        let (mut keep, mut rows) = (Vec::with_capacity(bundles.len()), Vec::with_capacity(bundles.len()));
        for bundle in bundles {
            *last = Position { seq: last.seq.next(), hash: last.hash.chain(bundle.bytes()) };
            rows.push(OutboxRow { peer, lane, seq: last.seq, hash: last.hash, bundle: bundle.head().id });
            keep.push(KeepBundle { bundle, via: None, done: false });
        }
        self.link.3 = List::new(lanes)?;
        self.write.begin().await?;
        self.write.keep_bundles(&keep, Clock::default().wall()).await?;
        self.write.put_outbox(&rows).await?;
        self.write.put_link(peer, &self.link).await?;
        self.write.commit().await?;
        Ok(rows.into_iter().map(|row| row.bundle).collect())
    }
}

/// A hand on the database of a node.
pub async fn opened(folder: &Folder) -> Result<WriteStore, Failure> {
    let node = Config::load(folder.path())?.node.id;
    Ok(store::open(&folder.database().into(), node).await?.1)
}
