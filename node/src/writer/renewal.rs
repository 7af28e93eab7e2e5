//! Certificates that are renewed: this node's own, and as the authority or on the way to it those of others.

use federation::core::Input;
use federation::driver::Ask as Question;
use federation::trust::renewal::{self, RenewReply};
use protocol::bounded::Text;
use protocol::chain::Hash;
use protocol::id::NodeId;
use protocol::wire::codec;
use protocol::wire::control::{Enrolled, SignedRenewal};
use protocol::wire::kind::Body;

use crate::alarms::AlarmKind;
use crate::store::StoreError;

use super::Writer;
use super::batch::Batch;
use super::enrol::letter;

/// Bytes of a request or an answer in the conversation without certificates.
const CONVERSATION_BYTES_MAX: usize = 32 * 1024;
/// The longest pause between two such conversations.
const ASK_PAUSE_MAX_MS: u64 = 300_000;

/// What came of a conversation without certificates.
pub(super) type Renewed = Result<RenewReply, String>;

impl Writer {
    /// Asks for a new certificate when it is time, and asks again while there is no answer.
    pub(super) fn renew_when_due(&mut self, batch: &mut Batch) {
        if self.standing.renewing.is_none() && self.renewal_is_due() {
            self.begin_renewal(batch);
        }
        if self.standing.renewing.is_some() && self.is_cut_off() {
            self.ask_without_certificate();
        }
    }

    fn renewal_is_due(&self) -> bool {
        let asked = self.tending.renew_at.is_some_and(|at| at <= self.clock.uptime_ms());
        let due = self.standing.due().is_ok_and(|due| due <= self.standing.time.now());
        // While the newest certificate is not proven another one would not help.
        (asked || due) && self.standing.earlier.is_none()
    }

    /// The parent was dialled in vain, and no link is up.
    fn is_cut_off(&self) -> bool {
        let parent = self.standing.parent.as_ref().map(|parent| parent.id);
        parent.is_some_and(|parent| !self.shared.is_up(parent)) && self.shared.last_dial_failure().is_some()
    }

    fn begin_renewal(&mut self, batch: &mut Batch) {
        self.tending.renew_at = None;
        let request = match self.standing.begin() {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(%error, "a renewal could not be begun");
                self.alarm(AlarmKind::Certificate, format!("the certificate cannot be renewed: {error}"));
                return;
            }
        };
        tracing::info!("a new certificate is asked for");
        if self.authority.is_some() {
            if let Err(why) = self.renew_own(&request, batch) {
                self.standing.give_up();
                self.alarm(AlarmKind::Certificate, format!("the certificate was not renewed: {why}"));
            }
            return;
        }
        self.send_renewal(&request, batch);
    }

    /// A renewal that was begun before the last restart is asked for again; the authority knows a request that it answered.
    pub(super) fn resume_renewal(&mut self, batch: &mut Batch) {
        if let Some((_, request)) = self.standing.renewing.clone() {
            self.send_renewal(&request, batch);
        }
    }

    fn send_renewal(&mut self, request: &SignedRenewal, batch: &mut Batch) {
        // Without a line there was no link yet: the conversation without certificates is left.
        if let Some(top) = self.line.last() {
            batch.letters.push(letter(top.node, Body::Renew(request.clone())));
        }
    }

    fn renew_own(&mut self, request: &SignedRenewal, batch: &mut Batch) -> Result<(), String> {
        let (now, entry) = (self.clock.wall(), self.standing.newest.enrolled.entry.entry);
        let authority = self.authority.as_mut().ok_or("this node is not the authority")?;
        let enrolled = authority.renew(&request.renewal, &entry, now).map_err(|e| e.to_string())?;
        self.renewed(&enrolled, batch)
    }

    /// The answer to this node's own renewal.
    pub(super) fn renewed(&mut self, enrolled: &Enrolled, batch: &mut Batch) -> Result<(), String> {
        if enrolled.entry == self.standing.newest.enrolled.entry {
            return Ok(());
        }
        let counts = self.directory.insert(enrolled.entry).map_err(|e| e.to_string())?;
        if !counts {
            return Err("an answer to a renewal that was followed by another".to_owned());
        }
        self.standing.finish(enrolled).map_err(|e| format!("{e:#}"))?;
        batch.entries.push(enrolled.entry);
        self.keys = self.standing.newest.keys.clone();
        if self.standing.parent.is_none() {
            // Nobody above has to accept it, and who is below accepts whatever leads to a root.
            self.newest_is_proven();
        }
        self.show();
        self.spread(&Body::Entry(enrolled.entry), batch);
        self.tending.redial = true;
        // They were in vain with the certificate before. One of them may still fail late, and must not be held against this one:
        // the link that comes up meanwhile would count as the earlier one's, which then stays.
        self.tending.failures = 0;
        tracing::info!(serial = enrolled.entry.entry.serial, "the certificate was renewed");
        Ok(())
    }

    /// Shows on links what the standing says: certificates, roots, authorities, identity.
    pub(super) fn show(&mut self) {
        let shown = self.standing.shown().clone();
        self.directory.trust(self.standing.anchors.issuers());
        let told = self
            .standing
            .chain()
            .map_err(|e| e.to_string())
            .and_then(|chain| self.endpoint.present(&shown.keys, &chain).map_err(|e| e.to_string()))
            .and_then(|()| self.endpoint.trust(self.standing.anchors.roots()).map_err(|e| e.to_string()));
        if let Err(error) = told {
            tracing::error!(error, "the link goes on with the certificates so far");
            self.alarm(AlarmKind::Certificate, format!("certificates could not be changed: {error}"));
        }
        if let Ok((not_before, not_after)) = self.standing.validity() {
            self.standing.time.renewed(not_before, not_after);
        }
        let identity = self.standing.identity();
        self.feed(Input::Identity(Box::new(identity)));
        self.tell_status();
    }

    /// The link to the parent is up: what was shown on it works.
    pub(super) fn newest_is_proven(&mut self) {
        match self.standing.proven() {
            Ok(true) => {
                tracing::info!("the new certificate is proven");
                self.tell_status();
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the earlier certificate could not be removed"),
        }
    }

    /// The parent was not reached. The certificate before the renewal may still open the door, and the other way round.
    pub(super) fn not_reached(&mut self, why: &str) {
        tracing::debug!(%why, "the parent was not reached");
        self.shared.dial_failed(why.to_owned());
        // Whether the clock is believed alternates at each dial, the certificate at every second one.
        self.standing.time.doubted();
        self.tending.failures = self.tending.failures.wrapping_add(1);
        if self.standing.earlier.is_some() && self.tending.failures.is_multiple_of(2) {
            self.standing.shows_earlier = !self.standing.shows_earlier;
            self.show();
        }
        // The parent's clock says that the certificate ended, whatever this machine's says.
        if why.contains("CertificateExpired") && self.standing.renewing.is_none() {
            self.tending.renew_at.get_or_insert(self.clock.uptime_ms());
        }
        self.tending.at = self.tending.at.min(self.clock.uptime_ms());
    }

    fn ask_without_certificate(&mut self) {
        let now = self.clock.uptime_ms();
        let Some((_, request)) = self.standing.renewing.clone().filter(|_| now >= self.tending.ask_at) else { return };
        let limits = self.core.limits();
        self.tending.ask_pause = self.tending.ask_pause.saturating_mul(2).clamp(limits.retry_min_ms, ASK_PAUSE_MAX_MS);
        self.tending.ask_at = now.saturating_add(self.tending.ask_pause);
        self.tending.at = self.tending.at.min(self.tending.ask_at);
        let Some(answers) = self.tending.answers.clone() else { return };
        let endpoint = self.endpoint.clone();
        tokio::spawn(async move {
            let reply = endpoint.ask(|_| codec::encode_unbounded(&request)).await.map_err(|e| e.to_string());
            let reply = reply.and_then(|bytes| {
                codec::decode::<RenewReply>(&bytes, CONVERSATION_BYTES_MAX).map_err(|e| e.to_string())
            });
            // Without a listener the node is stopping.
            let _ = answers.send(reply);
        });
    }

    /// What came of a conversation without certificates.
    pub(super) fn answered(&mut self, reply: Renewed, batch: &mut Batch) {
        match reply {
            Ok(RenewReply::Renewed(enrolled)) => {
                self.tending.ask_pause = 0;
                if let Err(why) = self.renewed(&enrolled, batch) {
                    self.alarm(AlarmKind::Certificate, format!("the new certificate is not usable: {why}"));
                }
            }
            Ok(RenewReply::Pending) => {}
            Ok(RenewReply::Refused(why)) => {
                self.standing.give_up();
                self.tending.renew_at = Some(self.clock.uptime_ms().saturating_add(ASK_PAUSE_MAX_MS));
                self.alarm(AlarmKind::Certificate, format!("the certificate was not renewed: {}", why.as_str()));
            }
            Err(why) => tracing::debug!(why, "the parent was not reached for a renewal"),
        }
    }

    /// A child whose certificate has ended asks for another.
    pub(super) async fn renew_at_the_door(&mut self, ask: Question, batch: &mut Batch) -> Result<(), StoreError> {
        let Ok(signed) = codec::decode::<SignedRenewal>(&ask.request, CONVERSATION_BYTES_MAX) else {
            tracing::warn!(remote = %ask.remote, "something that is no renewal was asked for");
            return Ok(());
        };
        let reply = match self.renewal_of_child(&signed, batch).await? {
            Ok(Some(enrolled)) => RenewReply::Renewed(Box::new(enrolled)),
            Ok(None) => RenewReply::Pending,
            Err(why) => {
                tracing::warn!(remote = %ask.remote, node = %signed.renewal.node, why, "a renewal was refused");
                RenewReply::Refused(Text::cut(&why))
            }
        };
        // A lost answer is asked for again, and the request is the same.
        let _ = ask.reply.send(codec::encode_unbounded(&reply));
        Ok(())
    }

    async fn renewal_of_child(
        &mut self,
        signed: &SignedRenewal,
        batch: &mut Batch,
    ) -> Result<Result<Option<Enrolled>, String>, StoreError> {
        let (node, hash) = (signed.renewal.node, digest(signed));
        if let Some(answer) = self.store.renewal(node, hash).await? {
            return Ok(Ok(Some(answer)));
        }
        let entry = self.directory.get(node).map(|signed| signed.entry);
        let entry = entry.filter(|entry| entry.parent == Some(self.me.node));
        if let Err(why) = renewal::check(signed, entry.as_ref(), self.clock.wall()) {
            return Ok(Err(why.to_string()));
        }
        if self.authority.is_some() {
            return Ok(self.renew_as_authority(signed, batch).map(Some));
        }
        if let Some(top) = self.line.last().map(|top| top.node)
            && self.tending.renewing_below.insert(node, hash) != Some(hash)
        {
            batch.letters.push(letter(top, Body::Renew(signed.clone())));
        }
        Ok(Ok(None))
    }

    fn renew_as_authority(&mut self, signed: &SignedRenewal, batch: &mut Batch) -> Result<Enrolled, String> {
        let (node, now) = (signed.renewal.node, self.clock.wall());
        let entry = self.directory.get(node).map(|signed| signed.entry);
        renewal::check(signed, entry.as_ref(), now).map_err(|e| e.to_string())?;
        let entry = entry.ok_or("the node is not known")?;
        let authority = self.authority.as_mut().ok_or("this node is not the authority")?;
        let enrolled = authority.renew(&signed.renewal, &entry, now).map_err(|e| e.to_string())?;
        batch.trust.renewals.push((node, digest(signed), enrolled.clone()));
        self.enrolled(enrolled.clone(), batch)?;
        Ok(enrolled)
    }

    /// A renewal that came up over a link: from the node itself, or from its parent at whose door it asked.
    pub(super) async fn renew_asked(
        &mut self,
        origin: NodeId,
        signed: &SignedRenewal,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, StoreError> {
        let answer = match self.store.renewal(signed.renewal.node, digest(signed)).await? {
            Some(answer) => Ok(answer),
            None => self.renew_as_authority(signed, batch),
        };
        Ok(answer.map(|answer| batch.letters.push(letter(origin, Body::Enrolled(answer)))))
    }
}

fn digest(signed: &SignedRenewal) -> [u8; 32] {
    Hash::of(&codec::encode_unbounded(signed)).0
}
