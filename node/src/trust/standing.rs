//! What a node shows on its links, and whom it believes there.

use std::sync::Arc;

use anyhow::Context;
use casework::Me;
use federation::core::Identity;
use federation::driver::Parent;
use federation::trust::name::validity;
use federation::trust::time::{Known, NodeTime, Told};
use federation::trust::tls::Chain;
use federation::trust::{Anchors, NodeKeys, renewal};
use protocol::directory::SignedMandate;
use protocol::time::UnixMillis;
use protocol::wire::control::{Enrolled, SignedRenewal};

use crate::clock::Clock;
use crate::config::{Config, ParentSection};
use crate::folder::Folder;
use crate::store::WriteStore;

/// Where the parent's last word on the time is kept.
pub(crate) const PARENT_TIME: &str = "parent_time";

/// Keys with the certificate that belongs to them.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) keys: Arc<NodeKeys>,
    pub(crate) enrolled: Enrolled,
}

/// Certificates, authorities and time of one node.
pub(crate) struct Standing {
    pub(crate) me: Me,
    pub(crate) folder: Folder,
    pub(crate) parent: Option<ParentSection>,
    /// The newest certificate.
    pub(crate) newest: Shown,
    /// The one before it, while the newest is not proven.
    pub(crate) earlier: Option<Shown>,
    /// The earlier one is shown: a dial with the newest failed.
    pub(crate) shows_earlier: bool,
    /// A renewal that waits for its answer.
    pub(crate) renewing: Option<(Arc<NodeKeys>, SignedRenewal)>,
    pub(crate) anchors: Anchors,
    /// What authorities said of each other, in the order in which it was believed.
    pub(crate) mandates: Vec<SignedMandate>,
    /// The last word of the authority that this node laid down, which the nodes below have still to hear.
    pub(crate) unsaid: Option<SignedMandate>,
    pub(crate) time: Arc<NodeTime>,
}

impl Standing {
    /// Reads what the folder and the database keep, and finishes what a power failure left half-done.
    pub(crate) async fn load(
        folder: &Folder,
        config: &Config,
        store: &mut WriteStore,
        clock: &Clock,
    ) -> anyhow::Result<Self> {
        folder.switch()?;
        folder.finish_authority()?;
        let keys = Arc::new(NodeKeys::load(&folder.keys()).context("the keys cannot be read")?);
        let enrolled = folder.enrolled()?;
        let root = Chain::of(&enrolled)?.root;
        let mut anchors = Anchors::new(folder.origin(&root)?.into())?;
        let mut mandates = store.mandates().await?;
        if mandates.is_empty() {
            for (position, mandate) in enrolled.mandates.iter().enumerate() {
                store.put_mandate(i64::try_from(position)?, mandate).await?;
                mandates.push(mandate.clone());
            }
        }
        for mandate in &mandates {
            anchors.apply(mandate).context("what the database says of authorities does not hold")?;
        }
        let unsaid = finish_adoption(folder, &enrolled, &mut anchors, clock)?;
        if let Some(up) = &unsaid {
            store.put_mandate(i64::try_from(mandates.len())?, up).await?;
            mandates.push(up.clone());
        }
        // The authority's own word on the time stands until the parent has told it. The top has nobody but its own clock.
        let told =
            store.meta(PARENT_TIME).await?.and_then(|at| at.parse().ok()).unwrap_or(enrolled.entry.entry.issued.0);
        let told = Told { at: UnixMillis(told), uptime_ms: clock.uptime_ms() };
        let told = config.parent.is_some().then_some(told);
        let (not_before, not_after) = validity_of(&enrolled)?;
        let reads = clock.clone();
        let reads = Box::new(move || (reads.wall(), reads.uptime_ms()));
        let earlier = folder.earlier_certificate();
        Ok(Self {
            me: Me { node: config.node.id, division: config.node.division },
            parent: config.parent.clone(),
            newest: Shown { keys, enrolled },
            earlier: earlier.map(|(keys, enrolled)| Shown { keys: Arc::new(keys), enrolled }),
            shows_earlier: false,
            renewing: folder.begun_renewal().map(|(keys, request)| (Arc::new(keys), request)),
            folder: folder.clone(),
            anchors,
            mandates,
            unsaid,
            time: Arc::new(NodeTime::new(reads, Known { not_before, not_after, told })),
        })
    }

    /// What is shown at present.
    pub(crate) fn shown(&self) -> &Shown {
        self.earlier.as_ref().filter(|_| self.shows_earlier).unwrap_or(&self.newest)
    }

    /// The certificates that are shown.
    pub(crate) fn chain(&self) -> anyhow::Result<Chain> {
        Ok(self.anchors.chain(&self.shown().enrolled)?)
    }

    /// Who the node is on its links.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            node: self.me.node,
            division: self.me.division,
            root: self.anchors.greeting(),
            roots: self.anchors.greetings(),
            entry: self.shown().enrolled.entry,
            parent: self.parent.as_ref().map(|parent| parent.id),
        }
    }

    /// The node above, as it is dialled.
    pub(crate) fn above(&self) -> Option<Parent> {
        self.parent.as_ref().map(ParentSection::dialled)
    }

    /// From when to when the newest certificate is valid.
    pub(crate) fn validity(&self) -> anyhow::Result<(UnixMillis, UnixMillis)> {
        validity_of(&self.newest.enrolled)
    }

    /// When the newest certificate is to be renewed.
    pub(crate) fn due(&self) -> anyhow::Result<UnixMillis> {
        let (not_before, not_after) = self.validity()?;
        let leaf = self.newest.enrolled.certificates.first().context("there is no certificate")?;
        Ok(renewal::due(not_before, not_after, renewal::random_of(leaf)))
    }

    /// Whether the certificate is of the authority that issues at present.
    pub(crate) fn is_current(&self) -> bool {
        self.newest.enrolled.authority == self.anchors.present()
    }

    /// Begins a renewal: new keys, and the request for them, are on disk before anybody is asked.
    pub(crate) fn begin(&mut self) -> anyhow::Result<SignedRenewal> {
        let Shown { keys, enrolled } = &self.newest;
        let next = keys.renewed()?;
        let request = renewal::request(keys, &next, self.me.node, enrolled.entry.entry.serial)?;
        self.folder.begin_renewal(&next, &request)?;
        self.renewing = Some((Arc::new(next), request.clone()));
        Ok(request)
    }

    /// Takes the answer to a renewal; the certificate so far stays usable until the new one is proven.
    pub(crate) fn finish(&mut self, enrolled: &Enrolled) -> anyhow::Result<()> {
        let (keys, _) = self.renewing.as_ref().context("no renewal was asked for")?;
        let ours = (keys.signing_key(), keys.sealing_key(), keys.tls_spki_sha256());
        let entry = &enrolled.entry.entry;
        let theirs = (entry.signing, entry.sealing, entry.tls_spki_sha256);
        anyhow::ensure!(entry.node == self.me.node && theirs == ours, "the certificate is for other keys");
        let chain = Chain::of(enrolled)?;
        let leaf = chain.certificates.first().context("there is no certificate")?;
        let named = federation::trust::name::node_of(leaf)? == self.me.node;
        anyhow::ensure!(
            named && federation::trust::name::spki_sha256(leaf)? == keys.tls_spki_sha256(),
            "the certificate holds another name or key"
        );
        self.folder.finish_renewal(enrolled)?;
        let newest = Shown { keys: keys.clone(), enrolled: enrolled.clone() };
        self.earlier = Some(std::mem::replace(&mut self.newest, newest));
        self.shows_earlier = false;
        self.renewing = None;
        Ok(())
    }

    /// Gives up a renewal that can no longer be answered.
    pub(crate) fn give_up(&mut self) {
        self.folder.forget_renewal();
        self.renewing = None;
    }

    /// A greeting came over the newest certificate: the earlier one is not needed any more. True when that is news.
    pub(crate) fn proven(&mut self) -> anyhow::Result<bool> {
        if self.shows_earlier || self.earlier.is_none() {
            return Ok(false);
        }
        self.folder.drop_earlier_certificate()?;
        self.earlier = None;
        Ok(true)
    }
}

/// Goes on where a power failure ended an adoption between the change of the files and the first word about it.
fn finish_adoption(
    folder: &Folder,
    enrolled: &Enrolled,
    anchors: &mut Anchors,
    clock: &Clock,
) -> anyhow::Result<Option<SignedMandate>> {
    if anchors.present() == enrolled.authority {
        return Ok(None);
    }
    let Some(mut former) = folder.former_authority().filter(|former| former.authority_key() == anchors.present())
    else {
        return Ok(None);
    };
    let root = Chain::of(enrolled)?.root;
    let up = former.succeeded_by(&root, clock.wall())?;
    anchors.apply(&up).context("the authority above is not believed")?;
    Ok(Some(up))
}

fn validity_of(enrolled: &Enrolled) -> anyhow::Result<(UnixMillis, UnixMillis)> {
    let leaf = enrolled.certificates.first().context("there is no certificate")?;
    Ok(validity(leaf)?)
}
