//! Those who are not admitted. The certificates here pass webpki: only our own checks stand in their way.

use std::time::Duration;

use protocol::id::NodeId;
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls_pki_types::PrivatePkcs8KeyDer;

use super::{End, above, loopback, setup, setup_with};
use crate::driver::event::Event;
use crate::driver::settings::{Parent, Transport};
use crate::trust::tests::{Member, directory, member, now};
use crate::trust::tls::{Anchor, Chain, OVER_QUIC, ask_config};
use crate::trust::{Authority, tls_name};

over_both! {
    a_stranger_with_another_root,
    a_sibling_that_is_not_in_the_registry,
    a_registered_name_with_another_key,
    a_parent_of_another_name_or_key,
    a_parent_with_another_root,
    a_child_whose_certificate_does_not_hold_exactly_one_dns_name,
    a_parent_whose_certificate_does_not_hold_exactly_one_dns_name,
}

/// A root without constraints, which issues any names.
struct Loose {
    issuer: Issuer<'static, KeyPair>,
    root: Vec<u8>,
}

impl Loose {
    fn new() -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = params.self_signed(&key).unwrap().der().to_vec();
        Self { issuer: Issuer::new(params, key), root }
    }

    fn chain(&self, member: &Member, names: Vec<SanType>) -> Chain {
        let key = member.keys.tls_private();
        let pkcs8 = PrivatePkcs8KeyDer::from(key.secret_der());
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        Chain::new(vec![leaf.der().to_vec(), self.root.clone()]).unwrap()
    }
}

fn dns(node: NodeId) -> SanType {
    SanType::DnsName(Ia5String::try_from(tls_name(node)).unwrap())
}

fn uri(text: &str) -> SanType {
    SanType::URI(Ia5String::try_from(text).unwrap())
}

fn two() -> (Authority, Member, Member) {
    let mut authority = Authority::found("x", now()).unwrap();
    let (top, low) = (member(&mut authority, 1, None), member(&mut authority, 2, Some(1)));
    (authority, top, low)
}

/// The child may believe for a moment that it is in: TLS 1.3 tells it late. The parent never does.
async fn refused_by_the_parent(mut parent: End, mut child: End) {
    child.endpoint.dial();
    loop {
        match child.next().await {
            Event::DialFailed { .. } | Event::Closed { .. } => break,
            Event::Opened { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    parent.silent().await;
}

async fn refused_by_the_child(mut parent: End, mut child: End) {
    child.endpoint.dial();
    assert!(matches!(child.next().await, Event::DialFailed { .. }));
    parent.silent().await;
}

fn parent_for(top: &Member, authority: &Authority, low: &Member) -> End {
    let parent = setup(top, &directory(authority, &[top]), None);
    parent.registry.admit(low.keys.tls_spki_sha256(), low.node);
    End::bind(loopback(), parent)
}

async fn a_stranger_with_another_root(over: Transport) {
    let (authority, top, low) = two();
    let parent = parent_for(&top, &authority, &low);
    let mut other = Authority::found("y", now()).unwrap();
    let stranger = member(&mut other, 2, Some(1));
    // It knows our root, and dials with a certificate of its own.
    let chain = Chain { certificates: stranger.chain().certificates, root: top.chain().root };
    let knows = directory(&other, &[&stranger]);
    let parent_is = above(over, &top, parent.address());
    let child = End::bind(loopback(), setup_with(&stranger, chain, &knows, Some(parent_is)));
    refused_by_the_parent(parent, child).await;
}

async fn a_sibling_that_is_not_in_the_registry(over: Transport) {
    let (mut authority, top, low) = two();
    let parent = parent_for(&top, &authority, &low);
    let sibling = member(&mut authority, 3, Some(9));
    let knows = directory(&authority, &[&sibling]);
    let child = End::bind(loopback(), setup(&sibling, &knows, Some(above(over, &top, parent.address()))));
    refused_by_the_parent(parent, child).await;
}

async fn a_registered_name_with_another_key(over: Transport) {
    let (mut authority, top, low) = two();
    let parent = parent_for(&top, &authority, &low);
    let again = member(&mut authority, 2, Some(1));
    let knows = directory(&authority, &[&again]);
    let child = End::bind(loopback(), setup(&again, &knows, Some(above(over, &top, parent.address()))));
    refused_by_the_parent(parent, child).await;
}

async fn a_parent_of_another_name_or_key(over: Transport) {
    for pinned_key in [false, true] {
        let (authority, top, low) = two();
        let parent = parent_for(&top, &authority, &low);
        let mut expected = above(over, &top, parent.address());
        if pinned_key {
            expected.spki = Some([0; 32]);
        } else {
            expected.node = NodeId::from_bytes([9; 16]);
        }
        let knows = directory(&authority, &[&low]);
        let child = End::bind(loopback(), setup(&low, &knows, Some(expected)));
        refused_by_the_child(parent, child).await;
    }
}

async fn a_parent_with_another_root(over: Transport) {
    let (authority, top, low) = two();
    let mut other = Authority::found("y", now()).unwrap();
    let false_top = member(&mut other, 1, None);
    let parent = End::bind(loopback(), setup(&false_top, &directory(&other, &[&false_top]), None));
    let expected = Parent { node: top.node, address: parent.address().to_string(), spki: None, transport: over };
    let child = End::bind(loopback(), setup(&low, &directory(&authority, &[&low]), Some(expected)));
    refused_by_the_child(parent, child).await;
}

async fn a_child_whose_certificate_does_not_hold_exactly_one_dns_name(over: Transport) {
    let (authority, top, low) = two();
    let name = tls_name(low.node);
    let cases = [
        ("exactly one", vec![dns(low.node)], true),
        ("none", vec![], false),
        ("only a URI", vec![uri(&format!("https://{name}/"))], false),
        ("two names", vec![dns(low.node), dns(NodeId::from_bytes([3; 16]))], false),
        ("a name and a URI", vec![dns(low.node), uri("https://other/")], false),
        ("a name and an address", vec![dns(low.node), SanType::IpAddress([127, 0, 0, 1].into())], false),
        ("a wildcard", vec![SanType::DnsName("*.node.wuji.internal".try_into().unwrap())], false),
        ("capitals", vec![SanType::DnsName(name.to_uppercase().try_into().unwrap())], false),
        ("another's name", vec![dns(NodeId::from_bytes([3; 16]))], false),
    ];
    for (what, names, good) in cases {
        let loose = Loose::new();
        let knows = directory(&authority, &[&top, &low]);
        let above_setup = setup_with(&top, loose.chain(&top, vec![dns(top.node)]), &knows, None);
        above_setup.registry.admit(low.keys.tls_spki_sha256(), low.node);
        let mut parent = End::bind(loopback(), above_setup);
        let chain = loose.chain(&low, names);
        let parent_is = above(over, &top, parent.address());
        let mut child = End::bind(loopback(), setup_with(&low, chain, &knows, Some(parent_is)));
        if good {
            child.endpoint.dial();
            child.opened().await;
            parent.opened().await;
        } else {
            tokio::time::timeout(Duration::from_secs(15), refused_by_the_parent(parent, child)).await.expect(what);
        }
    }
}

async fn a_parent_whose_certificate_does_not_hold_exactly_one_dns_name(over: Transport) {
    let (authority, top, low) = two();
    for names in [
        vec![dns(top.node), dns(NodeId::from_bytes([3; 16]))],
        vec![dns(top.node), uri("https://other/")],
        vec![SanType::DnsName("*.node.wuji.internal".try_into().unwrap())],
    ] {
        let loose = Loose::new();
        let knows = directory(&authority, &[&top, &low]);
        let above_setup = setup_with(&top, loose.chain(&top, names), &knows, None);
        above_setup.registry.admit(low.keys.tls_spki_sha256(), low.node);
        let parent = End::bind(loopback(), above_setup);
        let chain = loose.chain(&low, vec![dns(low.node)]);
        let parent_is = above(over, &top, parent.address());
        let child = End::bind(loopback(), setup_with(&low, chain, &knows, Some(parent_is)));
        refused_by_the_child(parent, child).await;
    }
}

#[tokio::test]
async fn a_link_without_a_client_certificate_is_closed() {
    let (authority, top, low) = two();
    let mut parent = parent_for(&top, &authority, &low);
    let root = top.chain().root_spki_sha256().unwrap();
    let time = super::settings().time;
    let tls = ask_config(Anchor::Pin(root), top.node, None, OVER_QUIC.link, time).unwrap();
    let config = crate::driver::quic::socket::client(tls, &super::settings()).unwrap();
    let quic = quinn::Endpoint::client(loopback()).unwrap();
    let connection = quic.connect_with(config, parent.address(), &tls_name(top.node)).unwrap().await.unwrap();
    assert!(matches!(connection.closed().await, quinn::ConnectionError::ApplicationClosed(_)));
    parent.silent().await;
}
