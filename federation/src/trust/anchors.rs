//! The authorities that count for a node: the one that it was enrolled under, and those that a chain of mandates leads to.
//!
//! A mandate is believed when the authority that issues at present signed it. So a key that was succeeded can name no other
//! successor, and one that ran alone below says nothing about anybody outside.

use protocol::directory::{Role, SignedMandate, SigningKey};
use protocol::division::DivisionCode;
use protocol::wire::control::Enrolled;
use rustls_pki_types::CertificateDer;

use super::directory::{Issuer, verified};
use super::name::{BadCertificate, authority_of, spki_sha256};
use super::tls::{Chain, TlsError};

/// Why a mandate is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBelieved {
    /// The signature does not hold.
    #[error("the signature of the mandate does not hold")]
    Signature,
    /// Signed by an authority that does not issue at present.
    #[error("the mandate is not signed by the authority that issues at present")]
    NotPresent,
    /// The certificate in it is no root, or names another key.
    #[error("the mandate's root certificate: {0}")]
    Root(#[from] BadCertificate),
    /// An authority cannot say this of itself.
    #[error("an authority says this of itself")]
    OfItself,
    /// Retiring an authority that is not known.
    #[error("the authority that is to be retired is not known")]
    Unknown,
}

/// One authority.
#[derive(Debug, Clone)]
struct Anchor {
    root: CertificateDer<'static>,
    spki: [u8; 32],
    key: SigningKey,
    within: Option<DivisionCode>,
    /// Certificates under this root are accepted on links. Not so for an authority that only ran alone elsewhere below.
    admits: bool,
    retired: bool,
    /// This root under the signature of the root before it.
    cross: Option<CertificateDer<'static>>,
}

impl Anchor {
    fn new(root: CertificateDer<'static>) -> Result<Self, BadCertificate> {
        let (spki, key) = (spki_sha256(&root)?, authority_of(&root)?);
        Ok(Self { root, spki, key, within: None, admits: true, retired: false, cross: None })
    }
}

/// The authorities that count for one node, oldest first.
#[derive(Debug, Clone)]
pub struct Anchors {
    all: Vec<Anchor>,
    present: SigningKey,
}

impl Anchors {
    /// Starts from the root that a token pinned, or that was founded here.
    pub fn new(root: CertificateDer<'static>) -> Result<Self, BadCertificate> {
        let anchor = Anchor::new(root)?;
        Ok(Self { present: anchor.key, all: vec![anchor] })
    }

    /// Starts from what a node was enrolled with.
    pub fn of(enrolled: &Enrolled) -> Result<Self, TlsError> {
        let mut anchors = Self::new(Chain::of(enrolled)?.root)?;
        for mandate in enrolled.mandates.iter() {
            // One that does not hold is worth nothing, and takes nothing from the certificate.
            let _ = anchors.apply(mandate);
        }
        Ok(anchors)
    }

    /// Takes a mandate in. True when it says something new.
    pub fn apply(&mut self, signed: &SignedMandate) -> Result<bool, NotBelieved> {
        let mandate = &signed.mandate;
        if !verified(signed.by, &mandate.signed_bytes(), &signed.signature) {
            return Err(NotBelieved::Signature);
        }
        let mut anchor = Anchor::new(CertificateDer::from(mandate.root.to_vec()))?;
        if anchor.key != mandate.authority {
            return Err(BadCertificate::Authority.into());
        }
        if signed.by != self.present {
            return if self.said_before(signed) { Ok(false) } else { Err(NotBelieved::NotPresent) };
        }
        if anchor.key == self.present {
            return Err(NotBelieved::OfItself);
        }
        let known = self.all.iter().position(|a| a.key == anchor.key);
        let known = known.and_then(|at| self.all.get_mut(at));
        match (&mandate.role, known) {
            (Role::Successor { cross }, known) => {
                let cross = Some(CertificateDer::from(cross.to_vec()));
                match known {
                    Some(known) => (known.cross, known.retired, known.within) = (cross, false, None),
                    None => self.all.push(Anchor { cross, ..anchor }),
                }
                self.present = mandate.authority;
                Ok(true)
            }
            (Role::Predecessor, Some(_)) => Ok(false),
            (Role::Predecessor, None) => {
                self.all.insert(0, anchor);
                Ok(true)
            }
            (Role::Within(division), Some(known)) => {
                let news = known.within != Some(*division);
                known.within = Some(*division);
                Ok(news)
            }
            (Role::Within(division), None) => {
                (anchor.within, anchor.admits) = (Some(*division), false);
                self.all.insert(0, anchor);
                Ok(true)
            }
            (Role::Retired, Some(known)) => Ok(!std::mem::replace(&mut known.retired, true)),
            (Role::Retired, None) => Err(NotBelieved::Unknown),
        }
    }

    /// A statement of an authority that issued before, which led to what is known already.
    fn said_before(&self, signed: &SignedMandate) -> bool {
        self.all.iter().any(|a| a.key == signed.by) && self.all.iter().any(|a| a.key == signed.mandate.authority)
    }

    /// The key of the authority that issues at present.
    pub fn present(&self) -> SigningKey {
        self.present
    }

    /// The root of the authority that issues at present.
    pub fn present_root(&self) -> Option<&CertificateDer<'static>> {
        self.all.iter().find(|a| a.key == self.present).map(|a| &a.root)
    }

    /// The roots of authorities that do not issue any more and are not retired.
    pub fn earlier(&self) -> Vec<&CertificateDer<'static>> {
        self.live().filter(|a| a.key != self.present).map(|a| &a.root).collect()
    }

    fn live(&self) -> impl Iterator<Item = &Anchor> {
        self.all.iter().filter(|a| !a.retired)
    }

    /// Roots under which certificates of peers are accepted.
    pub fn roots(&self) -> Vec<CertificateDer<'static>> {
        self.live().filter(|a| a.admits).map(|a| a.root.clone()).collect()
    }

    /// SHA-256 of the public key of the root that a greeting names: the oldest that still admits, so that a peer that
    /// missed a change knows it.
    pub fn greeting(&self) -> [u8; 32] {
        self.live().find(|a| a.admits).map_or([0; 32], |a| a.spki)
    }

    /// SHA-256 of the public keys of all roots that the greeting of a peer may name.
    pub fn greetings(&self) -> Vec<[u8; 32]> {
        self.live().map(|a| a.spki).collect()
    }

    /// The authorities as the directory needs them.
    pub fn issuers(&self) -> Vec<Issuer> {
        self.all.iter().map(|a| Issuer { key: a.key, within: a.within, retired: a.retired }).collect()
    }

    /// Checks a signature of an authority that may speak about a division.
    pub fn signed(&self, division: Option<DivisionCode>, bytes: &[u8], signature: &protocol::chain::Signature) -> bool {
        self.live()
            .filter(|a| a.within.is_none_or(|within| division.is_some_and(|division| within.contains(division))))
            .any(|a| verified(a.key, bytes, signature))
    }

    /// The certificates that a node shows: its own, the crosswise signed roots that lead back to older roots, the root.
    pub fn chain(&self, enrolled: &Enrolled) -> Result<Chain, TlsError> {
        let mut ders: Vec<Vec<u8>> = enrolled.certificates.iter().map(|der| der.to_vec()).collect();
        let root = ders.pop().ok_or(TlsError::NoCertificate)?;
        let crosses = self.live().filter_map(|a| a.cross.as_ref()).map(|der| der.to_vec());
        ders.extend(crosses.filter(|cross| !self.is_above(cross, &root)));
        ders.push(root);
        Chain::new(ders)
    }

    /// Whether a crosswise signed root is of an authority that came after the one of `root`: it leads nowhere from there.
    fn is_above(&self, cross: &[u8], root: &[u8]) -> bool {
        let at = |key: Option<[u8; 32]>| self.all.iter().position(|a| Some(a.spki) == key);
        at(spki_sha256(cross).ok()) > at(spki_sha256(root).ok())
    }
}
