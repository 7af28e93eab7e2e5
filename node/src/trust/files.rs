//! Keys and certificates on disk while one set follows another. Whatever moment the power fails, the node starts with a
//! certificate and the key that belongs to it.

use std::path::PathBuf;

use anyhow::Context;
use federation::trust::files::{read_private, write_private};
use federation::trust::{Authority, NodeKeys};
use protocol::wire::codec;
use protocol::wire::control::{Enrolled, SignedRenewal};

use crate::folder::Folder;

const ENROLLED_FILE: &str = "enrolled.bin";
const REQUEST_FILE: &str = "request.bin";
/// The root that the node was enrolled under at first, from which all mandates lead on.
const ORIGIN_FILE: &str = "origin.der";
const FILE_BYTES_MAX: usize = 64 * 1024;

impl Folder {
    fn next(&self) -> PathBuf {
        self.keys().join("next")
    }

    fn earlier(&self) -> PathBuf {
        self.keys().join("earlier")
    }

    /// Forgets the keys of a join that was refused, and the folder when nothing else is in it.
    pub(crate) fn forget_join(&self) {
        // What cannot be removed is no harm: the next join makes new keys.
        let _ = std::fs::remove_dir_all(self.keys());
        let _ = std::fs::remove_dir(self.path());
    }

    /// Keeps the keys that a renewal asks for, with the request: asked again, it is the same.
    pub(super) fn begin_renewal(&self, next: &NodeKeys, request: &SignedRenewal) -> anyhow::Result<()> {
        next.save(&self.next())?;
        write_private(&self.next(), REQUEST_FILE, &codec::encode_unbounded(request))
            .context("the request for a new certificate cannot be kept")
    }

    /// The renewal that was begun and not answered.
    pub(super) fn begun_renewal(&self) -> Option<(NodeKeys, SignedRenewal)> {
        let request = read_private(&self.next(), REQUEST_FILE).ok()?;
        Some((NodeKeys::load(&self.next()).ok()?, codec::decode(&request, FILE_BYTES_MAX).ok()?))
    }

    /// The renewal was answered: the new certificate with its key takes the place of the old one, which is kept beside.
    pub(super) fn finish_renewal(&self, enrolled: &Enrolled) -> anyhow::Result<()> {
        write_private(&self.next(), ENROLLED_FILE, &codec::encode_unbounded(enrolled))
            .context("the new certificate cannot be kept")?;
        self.switch()
    }

    /// Puts an answered renewal into place; goes on where a power failure ended it.
    pub(super) fn switch(&self) -> anyhow::Result<()> {
        let Ok(bytes) = read_private(&self.next(), ENROLLED_FILE) else { return Ok(()) };
        let enrolled: Enrolled = codec::decode(&bytes, FILE_BYTES_MAX).context("the new certificate is damaged")?;
        let next = NodeKeys::load(&self.next())?;
        let (keys, before) = (NodeKeys::load(&self.keys())?, self.enrolled()?);
        if before != enrolled && keys.tls_spki_sha256() == before.entry.entry.tls_spki_sha256 {
            keys.save(&self.earlier())?;
            write_private(&self.earlier(), ENROLLED_FILE, &codec::encode_unbounded(&before))
                .context("the earlier certificate cannot be kept")?;
        }
        next.save(&self.keys())?;
        self.save_enrolled(&enrolled)?;
        std::fs::remove_dir_all(self.next()).context("the finished renewal cannot be tidied away")
    }

    /// Gives up a renewal that can no longer be answered.
    pub(super) fn forget_renewal(&self) {
        // What stays behind is overwritten by the next one.
        let _ = std::fs::remove_dir_all(self.next());
    }

    /// The certificate before the last renewal with its keys, while the new one is not proven.
    pub(super) fn earlier_certificate(&self) -> Option<(NodeKeys, Enrolled)> {
        let bytes = read_private(&self.earlier(), ENROLLED_FILE).ok()?;
        Some((NodeKeys::load(&self.earlier()).ok()?, codec::decode(&bytes, FILE_BYTES_MAX).ok()?))
    }

    /// The new certificate is proven.
    pub(super) fn drop_earlier_certificate(&self) -> anyhow::Result<()> {
        match std::fs::remove_dir_all(self.earlier()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("the earlier certificate cannot be removed")
            }
            _ => Ok(()),
        }
    }

    /// The root that the node was enrolled under at first; `root` when nothing was kept yet.
    pub(super) fn origin(&self, root: &[u8]) -> anyhow::Result<Vec<u8>> {
        match read_private(&self.keys(), ORIGIN_FILE) {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                write_private(&self.keys(), ORIGIN_FILE, root).context("the first root cannot be kept")?;
                Ok(root.to_vec())
            }
            Err(error) => Err(error).context("the first root cannot be read"),
        }
    }

    fn authority_beside(&self, what: &str) -> PathBuf {
        self.path().join(format!("authority.{what}"))
    }

    /// Puts a new authority into the place of the present one, which is kept until it is retired.
    pub(crate) fn change_authority(&self, new: &Authority) -> anyhow::Result<()> {
        new.save(&self.authority_beside("new"))?;
        std::fs::rename(self.authority(), self.authority_beside("earlier")).context("the authority cannot be moved")?;
        self.finish_authority()
    }

    /// Goes on where a power failure ended a change of the authority.
    pub(crate) fn finish_authority(&self) -> anyhow::Result<()> {
        if !self.authority().is_dir() && self.authority_beside("new").is_dir() {
            std::fs::rename(self.authority_beside("new"), self.authority()).context("the authority cannot be moved")?;
        }
        Ok(())
    }

    /// The authority before the present one, while it is not retired.
    pub(crate) fn earlier_authority(&self) -> Option<Authority> {
        Authority::load(&self.authority_beside("earlier")).ok()
    }

    /// The authority before the present one is retired: its keys go.
    pub(crate) fn drop_earlier_authority(&self) -> anyhow::Result<()> {
        match std::fs::remove_dir_all(self.authority_beside("earlier")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("the keys of the retired authority cannot be removed")
            }
            _ => Ok(()),
        }
    }

    /// The authority that this node laid down when it came below another.
    pub(super) fn former_authority(&self) -> Option<Authority> {
        Authority::load(&self.authority_beside("former")).ok()
    }

    /// This node hangs below another from now on and issues nothing any more.
    pub(crate) fn lay_authority_down(&self) -> anyhow::Result<()> {
        match std::fs::rename(self.authority(), self.authority_beside("former")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("the authority cannot be laid down")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use federation::trust::renewal;
    use protocol::id::{NodeId, TokenId};
    use protocol::time::UnixMillis;

    const NOW: UnixMillis = UnixMillis(1_780_000_000_000);

    /// A folder with keys and certificate, and a renewal that was begun, with its answer.
    fn renewing() -> (tempfile::TempDir, Folder, Enrolled, Enrolled) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        let mut authority = Authority::found("x", NOW).unwrap();
        let (keys, node) = (NodeKeys::generate().unwrap(), NodeId::from_bytes([1; 16]));
        let join = keys.join_request(TokenId::from_bytes([0; 16]), node, "330602000000".parse().unwrap()).unwrap();
        let before = authority.issue(&join, None, NOW).unwrap();
        keys.save(&folder.keys()).unwrap();
        folder.save_enrolled(&before).unwrap();
        let next = keys.renewed().unwrap();
        let request = renewal::request(&keys, &next, node, before.entry.entry.serial).unwrap();
        folder.begin_renewal(&next, &request).unwrap();
        let after = authority.renew(&request.renewal, &before.entry.entry, NOW).unwrap();
        (dir, folder, before, after)
    }

    fn belongs_together(folder: &Folder) -> Enrolled {
        let (keys, enrolled) = (NodeKeys::load(&folder.keys()).unwrap(), folder.enrolled().unwrap());
        assert_eq!(keys.tls_spki_sha256(), enrolled.entry.entry.tls_spki_sha256);
        enrolled
    }

    #[test]
    fn a_finished_renewal_is_in_place_and_the_earlier_certificate_beside_it() {
        let (_dir, folder, before, after) = renewing();
        assert!(folder.begun_renewal().is_some());
        folder.finish_renewal(&after).unwrap();
        assert_eq!(belongs_together(&folder), after);
        let (keys, kept) = folder.earlier_certificate().unwrap();
        assert_eq!(kept, before);
        assert_eq!(keys.tls_spki_sha256(), before.entry.entry.tls_spki_sha256);
        assert!(folder.begun_renewal().is_none());
        folder.drop_earlier_certificate().unwrap();
        assert!(folder.earlier_certificate().is_none());
    }

    #[test]
    fn a_renewal_that_a_power_failure_ended_goes_on_at_the_next_start() {
        let (_dir, folder, before, after) = renewing();
        write_private(&folder.next(), ENROLLED_FILE, &codec::encode_unbounded(&after)).unwrap();
        // The new key is in place, the new certificate is not.
        let next = NodeKeys::load(&folder.next()).unwrap();
        NodeKeys::load(&folder.keys()).unwrap().save(&folder.earlier()).unwrap();
        write_private(&folder.earlier(), ENROLLED_FILE, &codec::encode_unbounded(&before)).unwrap();
        next.save(&folder.keys()).unwrap();
        folder.switch().unwrap();
        assert_eq!(belongs_together(&folder), after);
        assert_eq!(folder.earlier_certificate().unwrap().1, before, "not overwritten by the half-made one");
    }

    #[test]
    fn an_authority_is_there_at_every_moment_of_its_change() {
        let (_dir, folder, ..) = renewing();
        let (old, new) = (Authority::found("x", NOW).unwrap(), Authority::found("x", NOW).unwrap());
        old.save(&folder.authority()).unwrap();
        new.save(&folder.authority_beside("new")).unwrap();
        std::fs::rename(folder.authority(), folder.authority_beside("earlier")).unwrap();
        folder.finish_authority().unwrap();
        assert_eq!(Authority::load(&folder.authority()).unwrap().authority_key(), new.authority_key());
        assert_eq!(folder.earlier_authority().unwrap().authority_key(), old.authority_key());
        folder.finish_authority().unwrap();
        folder.drop_earlier_authority().unwrap();
        assert!(folder.earlier_authority().is_none());
    }
}
