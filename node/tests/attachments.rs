//! Attachments as their users have them: uploaded in parts, read with a reason, erased with their case, and pulled by whoever takes the
//! case on, over real links in one process.

#[path = "support/ports.rs"]
mod ports;
#[expect(unreachable_pub, dead_code, reason = "the same file is a module of other tests, which use more of it")]
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use casework::document::{Paper, SheetCode};
use protocol::attachment::PART_BYTES_MAX;
use protocol::id::AttachmentId;
use protocol::time::UnixMillis;
use qrcodegen::{QrCode, QrCodeEcc};
use serde_json::{Value, json};
use tower::Service;
use wuji::folder::Folder;
use wuji::ops::backup::{self, Unwatched};
use wuji::ops::lock::{LockWith, OpenWith};
use wuji::ops::restore;
use zeroize::Zeroizing;

use served::{CITY, GRID, Node, case_id, red_report, three, until};

const CALM: &str = "no";

/// What a camera makes, as long as that.
fn photo(bytes: usize) -> Vec<u8> {
    b"\xff\xd8\xff\xe1".iter().copied().chain((0..).map(|n: u32| (n % 253) as u8)).take(bytes).collect()
}

fn attachment_id(n: u8) -> String {
    AttachmentId::new(UnixMillis(1_790_000_000_000), [n; 10]).to_string()
}

fn sha256(bytes: &[u8]) -> String {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn described(case: &str, bytes: &[u8]) -> Value {
    json!({ "case": case, "name": "现场 周慧敏.jpg", "caption": "通道", "media": "image/jpeg", "bytes": bytes.len(),
        "sha256": sha256(bytes) })
}

/// A report that nothing makes red.
fn report(case: &str, place: &str, ending: &str) -> Value {
    let mut report = red_report(case);
    report["answers"]["violence"] = json!(CALM);
    report["place"] = json!(place);
    report["ending"] = json!(ending);
    report["parties"] = json!([{ "side": "applicant", "name": "周慧敏" }]);
    report
}

/// An answer with its bytes.
struct Raw {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Raw {
    fn code(&self) -> String {
        let json: Value = serde_json::from_slice(&self.bytes).unwrap_or(Value::Null);
        json["code"].as_str().unwrap_or_default().to_owned()
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Node {
    async fn raw(&self, method: &str, path: &str, range: Option<&str>, body: &[u8]) -> Raw {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.operator));
        let request = range.into_iter().fold(request, |request, range| request.header(header::RANGE, range));
        let request = request.body(Body::from(body.to_vec())).expect("a request");
        let response = self.router.clone().call(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
        Raw { status: parts.status, headers: parts.headers, bytes }
    }

    async fn put(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let bearer = format!("Bearer {}", self.operator);
        self.ask("PUT", &format!("/api/v1{path}"), ("authorization", &bearer), Some(body)).await
    }

    async fn parts(&self, upload: &str, bytes: &[u8], numbers: impl IntoIterator<Item = usize>) {
        let parts: Vec<&[u8]> = bytes.chunks(PART_BYTES_MAX).collect();
        for number in numbers {
            let answer = self.raw("PUT", &format!("/uploads/{upload}/parts/{number}"), None, parts[number]).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", String::from_utf8_lossy(&answer.bytes));
        }
    }

    async fn finish(&self, upload: &str) -> (StatusCode, Value) {
        self.post(&format!("/uploads/{upload}/finish"), &json!({})).await
    }

    async fn upload(&self, case: &str, upload: &str, bytes: &[u8]) -> Value {
        let (status, begun) = self.put(&format!("/uploads/{upload}"), &described(case, bytes)).await;
        assert_eq!(status, StatusCode::OK, "{begun}");
        self.parts(upload, bytes, 0..bytes.chunks(PART_BYTES_MAX).count()).await;
        let (status, done) = self.finish(upload).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        done
    }

    async fn file(&self, report: &Value) {
        let (status, answer) = self.post("/cases", report).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }

    async fn attachments(&self, case: &str) -> Vec<Value> {
        self.get(&format!("/cases/{case}")).await["attachments"].as_array().cloned().unwrap_or_default()
    }

    async fn state_of(&self, case: &str) -> String {
        self.attachments(case).await.first().map_or(String::new(), |one| one["state"].as_str().unwrap_or("").to_owned())
    }

    async fn ticket(&self, case: &str) -> String {
        let (status, given) =
            self.post(&format!("/cases/{case}/attachments/ticket"), &json!({ "reason": "核实情况" })).await;
        assert_eq!(status, StatusCode::OK, "{given}");
        given["ticket"].as_str().expect("a ticket").to_owned()
    }

    async fn content(&self, case: &str, upload: &str, range: Option<&str>) -> Raw {
        let ticket = self.ticket(case).await;
        self.raw("GET", &format!("/cases/{case}/attachments/{upload}/content?ticket={ticket}"), range, b"").await
    }

    /// Offers a case to another node, which takes it on.
    async fn hand_over(&self, case: &str, to: &Node) {
        let (status, answer) =
            self.post(&format!("/cases/{case}/offer"), &json!({ "to": to.running.config.node.id.to_string() })).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        until("the offer arrives", || async { !to.get("/offers").await.as_array().is_none_or(Vec::is_empty) }).await;
        let offers = to.get("/offers").await;
        let offer = offers[0]["id"].as_str().expect("an offer").to_owned();
        let (status, answer) = to.post(&format!("/cases/{case}/offers/{offer}/accept"), &json!({})).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        until("the case arrives", || async { to.get(&format!("/cases/{case}")).await["mine"] == json!(true) }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_uploaded_before_the_report_is_part_of_the_case_once_that_is_filed() {
    let root = tempfile::tempdir().expect("a folder");
    let city = Node::found(&root).await;
    let (case, upload, bytes) = (case_id(1), attachment_id(1), photo(PART_BYTES_MAX + 10));
    let waiting = city.upload(&case, &upload, &bytes).await;
    assert_eq!(waiting["state"], "whole");
    city.file(&report(&case, CITY, "settle_here")).await;
    let attached = city.attachments(&case).await;
    assert_eq!(attached.len(), 1);
    let one = &attached[0];
    assert_eq!(
        (one["state"].as_str(), one["parts"].as_u64(), one["parts_here"].as_u64()),
        (Some("here"), Some(2), Some(2))
    );
    assert!(!one["name"].as_str().expect("a name").contains("周慧敏"), "a party's name is masked in it: {one}");
    assert_eq!(city.get(&format!("/cases/{case}")).await["step"], "reported", "a photo is no work begun");
    let (status, again) = city.finish(&upload).await;
    assert_eq!(
        (status, again["state"].as_str()),
        (StatusCode::OK, Some("here")),
        "sent again it gives the same answer"
    );
    let kept = city.raw("DELETE", &format!("/uploads/{upload}"), None, &[]).await;
    assert_eq!(kept.status, StatusCode::CONFLICT, "what is attached is not given up");
    assert_eq!(city.state_of(&case).await, "here");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_where_it_stopped() {
    let root = tempfile::tempdir().expect("a folder");
    let city = Node::found(&root).await;
    let (case, upload, bytes) = (case_id(1), attachment_id(1), photo(3 * PART_BYTES_MAX + 1));
    city.file(&report(&case, CITY, "settle_here")).await;
    city.put(&format!("/uploads/{upload}"), &described(&case, &bytes)).await;
    city.parts(&upload, &bytes, [3, 1]).await;
    let (status, refused) = city.finish(&upload).await;
    assert_eq!((status, refused["code"].as_str()), (StatusCode::CONFLICT, Some("upload-incomplete")));
    let city = Node::start(city.stop().await).await;
    let (status, begun) = city.put(&format!("/uploads/{upload}"), &described(&case, &bytes)).await;
    assert_eq!((status, &begun["missing"]), (StatusCode::OK, &json!([0, 2])), "the same request is the same upload");
    assert_eq!(city.get(&format!("/uploads/{upload}")).await["missing"], json!([0, 2]));
    city.parts(&upload, &bytes, [0, 2, 2]).await;
    assert_eq!(city.finish(&upload).await.1["state"], "here");
    assert_eq!(city.content(&case, &upload, None).await.bytes, bytes);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_what_it_says_is_refused() {
    let root = tempfile::tempdir().expect("a folder");
    let city = Node::found(&root).await;
    let (case, bytes) = (case_id(1), photo(1_000));
    city.file(&report(&case, CITY, "settle_here")).await;
    let refused = async |n: u8, field: &str, value: Value| {
        let mut body = described(&case, &bytes);
        body[field] = value;
        let (status, answer) = city.put(&format!("/uploads/{}", attachment_id(n)), &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {answer}");
    };
    refused(1, "media", json!("text/html")).await;
    refused(1, "bytes", json!(0)).await;
    refused(1, "bytes", json!(20 * 1024 * 1024 + 1)).await;
    refused(1, "name", json!(" ")).await;
    refused(1, "name", json!("长".repeat(121))).await;
    refused(1, "sha256", json!("00")).await;
    let path = |n: u8| format!("/uploads/{}", attachment_id(n));
    city.put(&path(1), &described(&case, &bytes)).await;
    let short = city.raw("PUT", &format!("{}/parts/0", path(1)), None, &bytes[1..]).await;
    assert_eq!((short.status, short.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
    let beyond = city.raw("PUT", &format!("{}/parts/1", path(1)), None, &bytes).await;
    assert_eq!(beyond.status, StatusCode::NOT_FOUND);
    let (status, differs) = city.put(&path(1), &described(&case, &photo(999))).await;
    assert_eq!((status, differs["code"].as_str()), (StatusCode::CONFLICT, Some("upload-differs")));
    // Other bytes of the same length, and bytes of another medium.
    city.raw("PUT", &format!("{}/parts/0", path(1)), None, &[7; 1_000]).await;
    assert_eq!(city.finish(&attachment_id(1)).await.1["code"], "upload-damaged");
    assert_eq!(city.raw("GET", &path(1), None, b"").await.status, StatusCode::NOT_FOUND, "it was dropped");
    let page = b"<html><script>alert(1)</script></html>";
    city.put(&path(2), &described(&case, page)).await;
    city.parts(&attachment_id(2), page, [0]).await;
    assert_eq!(city.finish(&attachment_id(2)).await.1["code"], "upload-of-other-media");
    assert_eq!(city.attachments(&case).await, Vec::<Value>::new());
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_is_read_with_a_reason_whole_or_in_pieces_and_never_as_a_page() {
    let root = tempfile::tempdir().expect("a folder");
    let city = Node::found(&root).await;
    let (case, upload, bytes) = (case_id(1), attachment_id(1), photo(2 * PART_BYTES_MAX + 100));
    city.file(&report(&case, CITY, "settle_here")).await;
    city.upload(&case, &upload, &bytes).await;
    let path = format!("/cases/{case}/attachments/{upload}/content");
    for without in ["", "?ticket=", "?ticket=1.00", &format!("?ticket={}.{}", i64::MAX, "0".repeat(64))] {
        let refused = city.raw("GET", &format!("{path}{without}"), None, b"").await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "ticket-needed"), "{without}");
    }
    let (status, _) = city.post(&format!("/cases/{case}/attachments/ticket"), &json!({ "reason": "" })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let whole = city.content(&case, &upload, None).await;
    assert_eq!((whole.status, whole.bytes == bytes), (StatusCode::OK, true));
    assert_eq!(whole.header(header::CONTENT_TYPE), "image/jpeg");
    assert_eq!(whole.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert!(whole.header(header::CONTENT_DISPOSITION).starts_with("attachment; "));
    assert_eq!(whole.header(header::CACHE_CONTROL), "no-store");
    let over = PART_BYTES_MAX - 5;
    let piece = city.content(&case, &upload, Some(&format!("bytes={over}-{}", over + 9))).await;
    assert_eq!((piece.status, piece.bytes.as_slice()), (StatusCode::PARTIAL_CONTENT, &bytes[over..over + 10]));
    assert_eq!(piece.header(header::CONTENT_RANGE), format!("bytes {over}-{}/{}", over + 9, bytes.len()));
    let last = city.content(&case, &upload, Some("bytes=-3")).await;
    assert_eq!(last.bytes, &bytes[bytes.len() - 3..]);
    let beyond = city.content(&case, &upload, Some(&format!("bytes={}-", bytes.len()))).await;
    assert_eq!((beyond.status, beyond.code().as_str()), (StatusCode::RANGE_NOT_SATISFIABLE, "range-not-satisfiable"));
    let audit = city.get("/audit").await.to_string();
    assert!(audit.contains("核实情况") && audit.contains("attachments/ticket"), "the reason stands in the audit");
    assert!(!audit.contains("/parts/"), "and no part of an upload does");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_case_has_no_attachment_left_here_nor_where_it_was_before() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, grid) = three(&root).await;
    let (case, upload, bytes) = (case_id(1), attachment_id(1), photo(1_000));
    grid.file(&report(&case, GRID, "settle_here")).await;
    grid.upload(&case, &upload, &bytes).await;
    grid.hand_over(&case, &county).await;
    until("the county has it", || async { county.state_of(&case).await == "here" }).await;
    assert_eq!(grid.state_of(&case).await, "here", "the grid may hold it for some days");
    let (status, answer) = county.post(&format!("/cases/{case}/void"), &json!({ "reason": "误报" })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, answer) = county.post(&format!("/cases/{case}/erase"), &json!({ "reason": "当事人申请" })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let rows =
        async |node: &Node| node.running.store.attached_to(case.parse().expect("an id")).await.expect("read").count;
    assert_eq!((rows(&county).await, county.attachments(&case).await), (0, Vec::new()));
    until("the grid has erased it", || async { rows(&grid).await == 0 }).await;
    assert_eq!(grid.attachments(&case).await, Vec::<Value>::new());
    for node in [city, county, grid] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_follows_its_case_and_a_stop_on_the_way_costs_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, grid) = three(&root).await;
    let (case, upload, bytes) = (case_id(1), attachment_id(1), photo(40 * PART_BYTES_MAX + 1));
    grid.file(&report(&case, GRID, "settle_here")).await;
    grid.upload(&case, &upload, &bytes).await;
    grid.hand_over(&case, &county).await;
    let coming = county.attachments(&case).await;
    assert_eq!(coming[0]["parts"], 41, "what comes is told from the first moment on: {coming:?}");
    let county = Node::start(county.stop().await).await;
    until("the county has it", || async { county.state_of(&case).await == "here" }).await;
    assert!(county.content(&case, &upload, None).await.bytes == bytes);
    // One level on, from the county, while the grid does not run.
    let path = grid.stop().await;
    county.hand_over(&case, &city).await;
    until("the city has it", || async { city.state_of(&case).await == "here" }).await;
    assert!(city.content(&case, &upload, None).await.bytes == bytes);
    let grid = Node::start(path).await;
    for node in [city, county, grid] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_that_is_still_on_its_way_follows_a_case_that_goes_on() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, grid) = three(&root).await;
    let (case, upload, bytes) = (case_id(1), attachment_id(1), photo(40 * PART_BYTES_MAX + 1));
    grid.file(&report(&case, GRID, "settle_here")).await;
    grid.upload(&case, &upload, &bytes).await;
    grid.hand_over(&case, &county).await;
    let path = grid.stop().await;
    county.hand_over(&case, &city).await;
    let grid = Node::start(path).await;
    until("the city has it", || async { city.state_of(&case).await == "here" }).await;
    assert!(city.content(&case, &upload, None).await.bytes == bytes);
    for node in [city, county, grid] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_that_nobody_has_any_more_is_shown_as_lost() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, grid) = three(&root).await;
    let (case, upload, bytes) = (case_id(1), attachment_id(1), photo(1_000));
    grid.file(&report(&case, GRID, "settle_here")).await;
    grid.upload(&case, &upload, &bytes).await;
    // The rows are gone with a damaged disk; what the case says of it is not.
    let path = grid.stop().await;
    let database =
        sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(path.join("node.db")));
    let database = database.await.expect("the database");
    sqlx::query("DELETE FROM case_attachment").execute(&database).await.expect("gone");
    database.close().await;
    let grid = Node::start(path).await;
    grid.hand_over(&case, &county).await;
    until("the county knows", || async { county.state_of(&case).await == "lost" }).await;
    let refused = county.content(&case, &upload, None).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "attachment-lost"));
    for node in [city, county, grid] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_brings_attachments_and_unfinished_uploads_back_into_either_database() {
    let root = tempfile::tempdir().expect("a folder");
    let city = Node::found(&root).await;
    let (case, whole, begun) = (case_id(1), attachment_id(1), attachment_id(2));
    let bytes = photo(2 * PART_BYTES_MAX + 1);
    city.file(&report(&case, CITY, "settle_here")).await;
    city.upload(&case, &whole, &bytes).await;
    city.put(&format!("/uploads/{begun}"), &described(&case, &bytes)).await;
    city.parts(&begun, &bytes, [1]).await;
    let archive = root.path().join("city.wuji");
    let passphrase = || Zeroizing::new("correct horse battery staple".to_owned());
    let wanted = backup::Wanted { to: archive.clone(), keys: true, lock: LockWith::Passphrase(passphrase()) };
    // While the node runs.
    backup::make(&Folder::new(&city.folder), &wanted, &mut Unwatched).await.expect("a backup");
    city.stop().await;
    let server = postgres::TestDatabase::new();
    for (name, database) in [("file", None), ("server", Some(server.url.clone()))] {
        let folder = Folder::new(root.path().join(name));
        let open = OpenWith { passphrase: Some(passphrase()), identity: None };
        let wanted = restore::Wanted { from: archive.clone(), open, keys: None, database };
        restore::restore(&folder, &wanted, &mut Unwatched).await.expect("restored");
        let again = Node::start(folder.path().to_path_buf()).await;
        assert!(again.content(&case, &whole, None).await.bytes == bytes, "{name}");
        assert_eq!(again.get(&format!("/uploads/{begun}")).await["missing"], json!([0, 2]), "{name}");
        again.stop().await;
    }
}

/// The scan of a printed sheet: a picture with the code of the sheet in its corner.
fn scan(code: &SheetCode) -> Vec<u8> {
    const MODULE: u32 = 5;
    let qr = QrCode::encode_text(&code.to_string(), QrCodeEcc::Medium).expect("it fits");
    let side = u32::try_from(qr.size()).expect("small") * MODULE;
    let dark = |x: u32, y: u32| {
        let at = |pixel: u32| (pixel.wrapping_sub(side / 4) / MODULE).try_into().unwrap_or(-1);
        qr.get_module(at(x), at(y))
    };
    let pixel = |x, y| image::Luma([if dark(x, y) { 20 } else { 250 }]);
    let page = image::DynamicImage::ImageLuma8(image::GrayImage::from_fn(side * 2, side * 3, pixel));
    let mut bytes = std::io::Cursor::new(Vec::new());
    page.write_to(&mut bytes, image::ImageFormat::Jpeg).expect("written");
    bytes.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scan_of_a_signed_sheet_finds_its_slot_by_the_code_on_it() {
    let root = tempfile::tempdir().expect("a folder");
    let node = Node::found(&root).await;
    let (case, other) = (case_id(1), case_id(2));
    for filed in [&case, &other] {
        node.file(&report(filed, CITY, "settle_here")).await;
        node.post(&format!("/cases/{filed}/file"), &json!({})).await;
    }
    let opening = |dossier: &Value| dossier["slots"][0].clone();
    let before = opening(&node.get(&format!("/cases/{case}/dossier")).await);
    assert_eq!((&before["slot"], &before["state"]), (&json!("opening"), &json!("made")));
    let printed = |paper: &Value| SheetCode {
        case: case.parse().expect("an id"),
        paper: Paper::of_word(paper["paper"].as_str().expect("a word")).expect("known"),
        edition: u32::try_from(paper["edition"].as_u64().expect("a number")).expect("small"),
        page: 1,
        pages: 1,
    };
    let codes: Vec<SheetCode> = before["papers"].as_array().expect("papers").iter().map(printed).collect();
    for (number, code) in (1..).zip(&codes) {
        node.upload(&case, &attachment_id(number), &scan(code)).await;
    }
    assert_eq!(opening(&node.get(&format!("/cases/{case}/dossier")).await)["state"], "signed");
    let shown = node.attachments(&case).await;
    assert_eq!(shown[0]["filed"][0]["page"], json!(1), "{shown:?}");

    node.upload(&other, &attachment_id(9), &scan(&codes[0])).await;
    let shown = node.attachments(&other).await;
    assert_eq!((shown.len(), shown[0].get("filed")), (1, None), "a sheet of another case is only attached");
}
