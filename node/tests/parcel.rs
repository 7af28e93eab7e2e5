//! Parcels: with the link cut, what waits goes by a file, is taken in as if it had come over the link, and receipts come
//! back by a file the other way. A file that is not what it should be changes nothing.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use protocol::chain::Hash;
use protocol::id::{BundleId, CaseId, NodeId};
use protocol::wire::bundle::Bundle;
use protocol::wire::parcel::{self, HEAD_BYTES, NotAParcel, RecordKind};
use serde_json::{Value, json};
use tower::Service;
use wuji::ops::lock::{from_hex, to_hex};
use wuji::ops::parcel::{Pieces, Plan as ParcelPlan, Reader, Unreadable, check};

use served::{Node, case_id, red_report, three, until};

impl Node {
    fn id(&self) -> NodeId {
        self.running.config.node.id
    }

    /// A piece of a parcel, as the command line sends it.
    async fn take(&self, piece: Vec<u8>) -> (StatusCode, Value) {
        let request =
            Request::post("/api/v1/parcels/take").header("authorization", format!("Bearer {}", self.operator));
        let request = request.body(Body::from(piece)).expect("a request");
        let response = self.router.clone().call(request).await.expect("an answer");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// What `wuji export bundle` does.
    async fn export(&self, to: NodeId, file: &Path) {
        let store = &self.running.store;
        let plan = ParcelPlan::of(store, to, None).await.expect("a plan");
        assert!(plan.bundles > 0, "something waits");
        let origins: Vec<String> = plan.origins.iter().map(ToString::to_string).collect();
        let (status, told) = self.post("/parcels/introductions", &json!({ "origins": origins })).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let records = told["introductions"].as_array().expect("records").iter();
        let records: Vec<_> = records.map(|r| r.as_str().and_then(from_hex).expect("hexadecimal")).collect();
        let draft = plan.write(store, file, &records, || {}).await.expect("written");
        let (status, told) = self.sign(to, (draft.introductions, draft.bundles), draft.hash).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        draft.seal(&told["head"].as_str().and_then(from_hex).expect("a head")).expect("sealed");
    }

    async fn sign(&self, to: NodeId, (introductions, bundles): (u32, u32), hash: Hash) -> (StatusCode, Value) {
        let wanted = json!({ "to": to.to_string(), "introductions": introductions, "bundles": bundles,
            "hash": to_hex(&hash.0) });
        self.post("/parcels/sign", &wanted).await
    }

    /// What `wuji import bundle` does: new, known, and neither.
    async fn import(&self, file: &Path) -> (u64, u64, u64) {
        check(file).expect("a whole parcel");
        let (mut pieces, mut sum) = (Pieces::of(file).expect("pieces"), (0, 0, 0));
        while let Some((piece, _)) = pieces.next_piece().expect("a piece") {
            let (status, told) = self.take(piece).await;
            assert_eq!(status, StatusCode::OK, "{told}");
            let count = |name: &str| told[name].as_u64().expect("a count");
            sum.0 += count("new");
            sum.1 += count("known");
            sum.2 += count("set_aside") + count("refused");
        }
        sum
    }

    /// Where the chain of a case stands here.
    async fn head_of(&self, case: &str) -> Option<(u32, Hash)> {
        let case: CaseId = case.parse().expect("an id");
        let row = self.running.store.case_row(case).await.expect("a row");
        row.map(|row| (row.number, row.head))
    }
}

/// The bundles of a file that wait for a receipt.
fn receipted(file: &Path) -> BTreeSet<BundleId> {
    let mut reader = Reader::new(std::fs::File::open(file).expect("a file")).expect("a parcel");
    let mut ids = BTreeSet::new();
    while let Some((kind, bytes)) = reader.next_record().expect("a record") {
        if kind == RecordKind::Bundle {
            let bundle = Bundle::parse(bytes.into()).expect("a bundle");
            ids.extend(bundle.head().receipted.then_some(bundle.head().id));
        }
    }
    ids
}

/// A county with a red case for a city that it does not reach, and the parcel of it. The city's folder comes back.
async fn cut_off(root: &tempfile::TempDir, case: &str, file: &Path) -> (PathBuf, NodeId, Node, Node) {
    let (city, county, mut grid) = three(root).await;
    let id = city.id();
    let city = city.stop().await;
    assert_eq!(grid.clerk("POST", "/cases", Some(&red_report(case))).await.0, StatusCode::CREATED);
    until("the case at the county", || async { county.head_of(case).await.is_some() }).await;
    county.export(id, file).await;
    (city, id, county, grid)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_by_a_file_its_receipts_come_back_by_another_and_the_link_adds_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let (case, up, down, second) =
        (case_id(1), root.path().join("up"), root.path().join("down"), root.path().join("2"));
    let (city, city_id, county, grid) = cut_off(&root, &case, &up).await;
    let county_id = county.id();
    let county = county.stop().await;

    // The two never run at the same time: nothing passes but the files.
    let city = Node::start(city).await;
    assert_eq!(city.head_of(&case).await, None);
    let (new, known, odd) = city.import(&up).await;
    assert!(new > 0 && odd == 0, "{new} {known} {odd}");
    assert_eq!(city.head_of(&case).await, grid.head_of(&case).await, "the city holds the case as its owner does");
    assert_eq!(city.import(&up).await, (0, new + known, 0), "the second time all of it is known");
    city.export(county_id, &down).await;
    let city = city.stop().await;

    let county = Node::start(county).await;
    let (new, _, odd) = county.import(&down).await;
    assert!(new > 0 && odd == 0, "{new} {odd}");
    county.export(city_id, &second).await;
    let again: Vec<_> = receipted(&up).intersection(&receipted(&second)).copied().collect();
    assert!(again.is_empty(), "what has its receipt does not wait any more: {again:?}");

    // The link heals, and brings under its own numbers what came by hand.
    let city = Node::start(city).await;
    let settled = async |node: &Node| {
        let links = node.get("/links").await;
        links.as_array().expect("links").iter().all(|link| link["up"] == true && link["waiting"] == 0)
    };
    until("both sides have everything", || async { settled(&city).await && settled(&county).await }).await;
    for node in [&city, &county, &grid] {
        assert_eq!(node.head_of(&case).await, grid.head_of(&case).await);
        assert_eq!(node.get("/status").await["quarantined"], 0);
    }
    let audit = city.get("/audit").await;
    let of = |action: &str| {
        let entries = audit["entries"].as_array().expect("entries").iter();
        entries.filter(|e| e["action"].as_str().is_some_and(|a| a.contains(action)) && e["outcome"] == "done").count()
    };
    assert!(of("parcels/take") >= 2 && of("parcels/sign") == 1, "{audit}");
    for node in [city, county, grid] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_damaged_is_refused_before_the_node_gets_any_of_it() {
    let root = tempfile::tempdir().expect("a folder");
    let file = root.path().join("up");
    let (_, _, county, grid) = cut_off(&root, &case_id(1), &file).await;
    let good = std::fs::read(&file).expect("bytes");
    let refused = |bytes: &[u8]| {
        std::fs::write(&file, bytes).expect("written");
        match check(&file) {
            Err(Unreadable::NotAParcel(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    let mut altered = good.clone();
    *altered.last_mut().expect("bytes") ^= 1;
    assert_eq!(refused(&altered), NotAParcel::Checksum);
    assert_eq!(refused(&good[..good.len() - 1]), NotAParcel::Short);
    assert_eq!(refused(&[good.as_slice(), b"x"].concat()), NotAParcel::Trailing);
    let mut huge = good.clone();
    huge[HEAD_BYTES + 1] = 0xff;
    assert_eq!(refused(&huge), NotAParcel::TooLarge);
    assert_eq!(refused(b"PK"), NotAParcel::Foreign);
    for node in [county, grid] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_of_a_stranger_a_forger_or_a_revoked_node_changes_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let (case, file) = (case_id(1), root.path().join("up"));
    let (city, city_id, county, grid) = cut_off(&root, &case, &file).await;
    let (piece, _) = Pieces::of(&file).and_then(|mut pieces| pieces.next_piece()).expect("a piece").expect("one");
    let code = |(status, told): (StatusCode, Value)| {
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        assert!(told["detail_zh"].as_str().is_some_and(|zh| zh.contains('未')), "{told}");
        told["code"].as_str().expect("a code").to_owned()
    };
    assert_eq!(code(county.take(piece.clone()).await), "parcel-for-another");
    assert_eq!(code(grid.sign(city_id, (0, 1), Hash::ZERO).await), "parcel-not-a-neighbour");
    let county_id = county.id();
    for node in [county, grid] {
        node.stop().await;
    }

    let city = Node::start(city).await;
    let mut forged = piece.clone();
    forged[HEAD_BYTES - 1] ^= 1;
    assert_eq!(code(city.take(forged).await), "parcel-unproven");
    assert_eq!(code(city.take(piece[..piece.len() - 1].to_vec()).await), "parcel-damaged");
    // A record that was altered under a good head: its origin's signature tells.
    let mut altered = piece.clone();
    *altered.last_mut().expect("bytes") ^= 1;
    let (status, told) = city.take(altered).await;
    assert_eq!((status, &told["refused"]), (StatusCode::OK, &json!(1)), "{told}");
    let wish = json!({ "act": "revoke", "node": county_id.to_string(), "reason": "lost" });
    let (status, told) = city.post("/trust", &wish).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(code(city.take(piece.clone()).await), "parcel-revoked");
    let head_only = piece[..HEAD_BYTES].to_vec();
    assert_eq!(
        code(city.take([head_only, parcel::record(RecordKind::Introduction, b"x").expect("a record")].concat()).await),
        "parcel-damaged"
    );
    city.stop().await;
}
