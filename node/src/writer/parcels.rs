//! Parcels: what a neighbour's file brings is taken in as if it had come over the link, and what goes into a file is
//! vouched for here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use federation::core::Input;
use federation::trust::verify::{self, VerifyError};
use protocol::chain::Hash;
use protocol::directory::SignedEntry;
use protocol::id::{BundleId, NodeId};
use protocol::wire::parcel::{self, NotAParcel, ParcelHead, RecordKind, SignedHead};
use tokio::sync::oneshot;

use crate::alarms::AlarmKind;
use crate::store::StoreError;

use super::Writer;
use super::batch::Batch;
use super::port::{Answer, Failed};

/// Why a parcel is not made or not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParcelRefused {
    /// The file cannot be read.
    #[error("{0}. Nothing more was taken in, and what waits at the other end is kept there: export it once more")]
    Damaged(#[from] NotAParcel),
    /// It is for another node.
    #[error("this parcel is for another node ({0}). Nothing was taken in: bring it there")]
    ForAnother(NodeId),
    /// Whoever made it, or is to get it, is not directly above or below.
    #[error("{0} is not directly above or below this node. Nothing was done: parcels go from neighbour to neighbour")]
    NotANeighbour(NodeId),
    /// Whoever made it is no longer trusted.
    #[error(
        "{0}, which made this parcel, was revoked. Nothing was taken in: do not use its files, and ask the operator above"
    )]
    Revoked(NodeId),
    /// The proof does not hold.
    #[error("that {0} made this parcel is not proven. Nothing was taken in: ask there, and export once more")]
    Unproven(NodeId),
}

impl ParcelRefused {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Damaged(_) => "parcel-damaged",
            Self::ForAnother(_) => "parcel-for-another",
            Self::NotANeighbour(_) => "parcel-not-a-neighbour",
            Self::Revoked(_) => "parcel-revoked",
            Self::Unproven(_) => "parcel-unproven",
        }
    }

    /// The same in Chinese.
    pub fn chinese(self) -> String {
        match self {
            Self::Damaged(NotAParcel::Foreign) => "该文件不是数据包。未导入任何内容;请核对文件。".to_owned(),
            Self::Damaged(NotAParcel::Format) => {
                "数据包由其他版本的程序生成。未导入任何内容;请先升级较旧的一端。".to_owned()
            }
            Self::Damaged(_) => {
                "数据包已损坏或不完整。未再导入任何内容,对方仍保存着全部待发内容;请在对方重新导出。".to_owned()
            }
            Self::ForAnother(node) => format!("该数据包是发给其他节点({node})的。未导入任何内容;请送到该节点。"),
            Self::NotANeighbour(node) => {
                format!("{node} 不是本节点的直接上级或直接下级。未执行任何操作;数据包只能在相邻节点之间传送。")
            }
            Self::Revoked(node) => {
                format!("生成该数据包的节点 {node} 已被吊销。未导入任何内容;请勿使用其文件,并联系上级运维人员。")
            }
            Self::Unproven(node) => format!("无法证实该数据包由 {node} 生成。未导入任何内容;请向对方核实并重新导出。"),
        }
    }
}

/// A head and some of the records of its file.
#[derive(Debug)]
pub struct Piece {
    head: SignedHead,
    introductions: Vec<SignedEntry>,
    bundles: Vec<Arc<[u8]>>,
}

impl Piece {
    /// Reads a piece.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAParcel> {
        let (head, mut rest) = SignedHead::parse(bytes)?;
        let mut piece = Self { head, introductions: Vec::new(), bundles: Vec::new() };
        while !rest.is_empty() {
            let (kind, record, behind) = parcel::first_record(rest)?;
            match kind {
                RecordKind::Introduction => piece.introductions.push(parcel::introduced(record)?),
                RecordKind::Bundle => piece.bundles.push(record.into()),
            }
            rest = behind;
        }
        Ok(piece)
    }

    /// Who made it, as it says.
    pub fn from(&self) -> NodeId {
        self.head.head.from
    }

    /// Bundles in it.
    pub fn bundles(&self) -> usize {
        self.bundles.len()
    }
}

/// What became of the bundles of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Taken in.
    pub new: u32,
    /// Here already.
    pub known: u32,
    /// Kept aside: they cannot come from there, or cannot be understood.
    pub set_aside: u32,
    /// Not believed, and dropped.
    pub refused: u32,
}

/// What is to be vouched for.
#[derive(Debug, Clone, Copy)]
pub struct Draft {
    /// The neighbour that it is for.
    pub to: NodeId,
    /// Directory entries in it.
    pub introductions: u32,
    /// Bundles in it.
    pub bundles: u32,
    /// Chain over all its records.
    pub hash: Hash,
}

/// What is asked about parcels. What the sender gets counts once the request is answered.
#[derive(Debug)]
pub enum ParcelAsk {
    /// The directory entries by which these origins are introduced; this node's own comes first.
    Introduce(Vec<NodeId>, oneshot::Sender<Vec<SignedEntry>>),
    /// Vouch for a file.
    Sign(Draft, oneshot::Sender<SignedHead>),
    /// Take in a piece of a file.
    Take(Piece, oneshot::Sender<Taken>),
}

impl Writer {
    pub(super) async fn parcel(&mut self, ask: ParcelAsk, batch: &mut Batch) -> Result<Answer, StoreError> {
        let done = match ask {
            ParcelAsk::Introduce(origins, told) => {
                let _ = told.send(self.introductions(&origins));
                Ok(())
            }
            ParcelAsk::Sign(draft, told) => self.sign_parcel(&draft).map(|head| {
                let _ = told.send(head);
            }),
            ParcelAsk::Take(piece, told) => match self.may_take(&piece) {
                Ok(()) => {
                    let _ = told.send(self.take_parcel(piece, batch).await?);
                    Ok(())
                }
                Err(refused) => Err(refused),
            },
        };
        Ok(done.map(|()| None).map_err(Failed::Parcel))
    }

    fn introductions(&self, origins: &[NodeId]) -> Vec<SignedEntry> {
        let own = self.core.identity().entry;
        let others = origins.iter().flat_map(|origin| self.directory.entries(*origin)).filter(|entry| *entry != own);
        std::iter::once(own).chain(others).collect()
    }

    fn sign_parcel(&self, draft: &Draft) -> Result<SignedHead, ParcelRefused> {
        let Draft { to, introductions, bundles, hash } = *draft;
        if !self.core.is_neighbour(to) {
            return Err(ParcelRefused::NotANeighbour(to));
        }
        let (from, key, made) = (self.me.node, self.keys.signing_key().id(), self.clock.wall());
        let head = ParcelHead { from, key, to, made, introductions, bundles, hash };
        Ok(SignedHead { head, signature: self.keys.sign(&head.signed_bytes()) })
    }

    /// Proves the maker as a link proves its peer, and learns whom it introduces.
    fn may_take(&self, piece: &Piece) -> Result<(), ParcelRefused> {
        let (from, to) = (piece.head.head.from, piece.head.head.to);
        if to != self.me.node {
            return Err(ParcelRefused::ForAnother(to));
        }
        if !self.core.is_neighbour(from) {
            let revoked = self.directory.void_below(from) > 0 && self.directory.get(from).is_none();
            return Err(if revoked { ParcelRefused::Revoked(from) } else { ParcelRefused::NotANeighbour(from) });
        }
        for entry in &piece.introductions {
            // As on a link: what cannot be checked yet adds nothing to a key that is known.
            let known = || self.directory.has_key(entry.entry.node, entry.entry.signing);
            if self.directory.insert(*entry).is_err() && !known() {
                return Err(ParcelRefused::Unproven(from));
            }
        }
        verify::parcel(&piece.head, &self.directory).map_err(|why| match why {
            VerifyError::Revoked => ParcelRefused::Revoked(from),
            _ => ParcelRefused::Unproven(from),
        })
    }

    async fn take_parcel(&mut self, piece: Piece, batch: &mut Batch) -> Result<Taken, StoreError> {
        let (from, mut taken, mut believed) = (piece.from(), Taken::default(), Vec::new());
        for bytes in piece.bundles {
            match verify::bundle(bytes, &self.directory) {
                Ok(bundle) => believed.push(bundle),
                Err(why) => {
                    taken.refused = taken.refused.saturating_add(1);
                    tracing::warn!(%from, %why, "a bundle of a parcel does not verify");
                    let what = format!("a bundle of a parcel does not verify and was refused: {why}");
                    self.alarm(AlarmKind::Parcel, what);
                }
            }
        }
        let ids: Vec<BundleId> = believed.iter().map(|bundle| bundle.head().id).collect();
        let held: BTreeMap<_, _> = self.store.known_bundles(&ids).await?;
        let mut met = BTreeSet::new();
        for bundle in believed {
            let id = bundle.head().id;
            let (seen, held_unreceipted) = (held.contains_key(&id), held.get(&id).copied().unwrap_or(false));
            let aside = batch.quarantine.len();
            self.feed(Input::Carried { from, bundle, seen, held_unreceipted });
            self.drain(batch).await?;
            let count = match () {
                () if batch.quarantine.len() > aside => &mut taken.set_aside,
                () if seen || !met.insert(id) => &mut taken.known,
                () => &mut taken.new,
            };
            *count = count.saturating_add(1);
        }
        Ok(taken)
    }
}
