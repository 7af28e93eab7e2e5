//! Publications over nodes that run: what the city issues holds below, the nearest issuer wins, nobody is left out, and
//! nothing is believed that its issuer did not sign.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::http::StatusCode;
use casework::publish::MAIN;
use federation::trust::NodeKeys;
use protocol::bounded::{Blob, Text};
use protocol::chain::Signature;
use protocol::publication::{Publication, PublicationKind, Published};
use protocol::time::{ClockReading, UnixMillis};
use serde_json::{Value, json};
use wuji::config::Config;
use wuji::folder::Folder;

use served::{CITY, COUNTY, Node, Patience, case_id, red_report, three, until};

const OTHER_GRID: &str = "330602001001002";

impl Node {
    /// Publishes, and gives the version.
    async fn publish(&self, kind: &str, content: Value) -> u64 {
        let (status, answer) = self.post("/publications", &json!({ "kind": kind, "content": content })).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        assert_eq!(answer["state"], "in_force", "{answer}");
        answer["version"].as_u64().expect("a version")
    }

    /// The content in force.
    async fn holds(&self, kind: &str) -> Value {
        self.get(&format!("/publications/{kind}/{MAIN}")).await
    }

    async fn red_ceiling(&self) -> String {
        self.holds("policy").await["content"]["red_ceiling"].as_str().unwrap_or_default().to_owned()
    }
}

async fn policy_with(node: &Node, field: &str, value: Value) -> Value {
    let mut policy = node.holds("policy").await["content"].clone();
    policy[field] = value;
    policy
}

#[tokio::test(flavor = "multi_thread")]
async fn the_citys_ceiling_holds_at_the_grid_without_a_restart_and_a_red_case_stops_at_the_county() {
    let root = tempfile::tempdir().expect("a folder");
    let (mut city, mut county, mut grid) = three(&root).await;
    let (before, after) = (case_id(1), case_id(2));
    assert_eq!(grid.clerk("POST", "/cases", Some(&red_report(&before))).await.0, StatusCode::CREATED);
    let policy = policy_with(&city, "red_ceiling", json!("county")).await;
    assert_eq!(city.publish("policy", policy).await, 2);
    until("the policy at the grid", || async { grid.red_ceiling().await == "county" }).await;
    assert_eq!(grid.clerk("POST", "/cases", Some(&red_report(&after))).await.0, StatusCode::CREATED);
    let path = format!("/cases/{after}");
    let mut patience = Patience::default();
    while county.clerk("GET", &path, None).await.0 != StatusCode::OK {
        patience.wait("the case did not reach the county").await;
    }
    // Both facts are at the city: what was to come up has come.
    let mut patience = Patience::default();
    while city.clerk("GET", "/figures/totals", None).await.1["cases"] != 2
        || city.clerk("GET", &format!("/cases/{before}"), None).await.0 != StatusCode::OK
    {
        patience.wait("the facts did not reach the city").await;
    }
    assert_eq!(city.clerk("GET", &path, None).await.0, StatusCode::NOT_FOUND, "the case stopped at the county");
    for node in [city, county, grid] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nearest_issuer_wins_until_it_withdraws() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, grid) = three(&root).await;
    let policy = policy_with(&county, "red_ceiling", json!("county")).await;
    let by_county = county.publish("policy", policy).await;
    until("the county's policy at the grid", || async { grid.red_ceiling().await == "county" }).await;
    let mut policy = policy_with(&city, "keep_days", json!(90)).await;
    policy["red_ceiling"] = json!("city");
    city.publish("policy", policy).await;
    let is_listed = || async {
        let all = grid.get("/publications").await;
        let held = |e: &Value| e["issuer_name"] == "绍兴市" && e["state"] == "superseded";
        all.as_array().is_some_and(|all| all.iter().any(held))
    };
    until("the city's policy at the grid", is_listed).await;
    assert_eq!(grid.red_ceiling().await, "county", "the nearest issuer wins");
    let (status, told) = county.post("/publications", &json!({ "kind": "policy" })).await;
    assert_eq!((status, &told["state"]), (StatusCode::CREATED, &json!("withdrawn")), "{told}");
    assert!(told["version"].as_u64() > Some(by_county), "{told}");
    until("the city's policy in force", || async {
        grid.holds("policy").await["content"]["keep_days"] == 90 && county.red_ceiling().await == "city"
    })
    .await;
    let (status, told) = county.post("/publications", &json!({ "kind": "policy" })).await;
    assert_eq!((status, &told["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("content")));
    for node in [city, county, grid] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_cut_off_and_who_joins_later_have_what_holds() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, grid) = three(&root).await;
    let county = county.stop().await;
    let policy = policy_with(&city, "red_ceiling", json!("county")).await;
    city.publish("policy", policy).await;
    let units = json!({ "schema": 1, "units": [{ "code": 400, "zh": "矛盾调解中心", "en": "Dispute centre" }] });
    city.publish("units", units).await;
    assert_eq!(grid.red_ceiling().await, "city", "the grid is cut off");
    let county = Node::start(county).await;
    until("the policy after healing", || async {
        county.red_ceiling().await == "county" && grid.red_ceiling().await == "county"
    })
    .await;
    let late = Node::join(&root, &county, OTHER_GRID).await;
    until("everything at the new child", || async {
        late.red_ceiling().await == "county" && late.holds("units").await["version"] == 2
    })
    .await;
    // And it is there without anybody above.
    city.stop().await;
    county.stop().await;
    let late = Node::start(late.stop().await).await;
    assert_eq!(late.holds("units").await["content"]["units"][0]["code"], 400);
    late.stop().await;
    grid.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_issuer_did_not_sign_is_refused_and_a_newer_schema_is_kept_and_said() {
    let root = tempfile::tempdir().expect("a folder");
    let city = Node::found(&root).await;
    let policy = city.holds("policy").await["content"].to_string();
    let issuer = city.running.config.node.id;
    let folder = Folder::new(city.stop().await);
    // As a relay would alter it, or another program would write it: put into the city's own database.
    let edition = |kind, version, content: String| Publication {
        kind,
        name: Text::new(MAIN).expect("a name"),
        version,
        issuer,
        from: ClockReading::exact(UnixMillis(1)),
        content: Blob::new(content.into_bytes()).expect("small"),
    };
    let keys = NodeKeys::load(&folder.keys()).expect("keys");
    let signed = edition(PublicationKind::POLICY, 2, policy.clone());
    let signature = keys.sign(&signed.signed_bytes());
    let altered =
        edition(PublicationKind::POLICY, 2, policy.replace("\"red_ceiling\":\"city\"", "\"red_ceiling\":\"county\""));
    assert_ne!(signed, altered);
    let newer = edition(PublicationKind::UNITS, 2, r#"{"schema":2,"bodies":[]}"#.into());
    let newer = Published { signature: keys.sign(&newer.signed_bytes()), publication: newer };
    let invented = edition(PublicationKind::RULES, 9, "{}".into());
    let invented = Published { publication: invented, signature: Signature([7; 64]) };
    {
        let config = Config::load(folder.path()).expect("a configuration");
        let (_, mut write) = wuji::store::open(&config.place(&folder), issuer).await.expect("the database");
        for published in [&Published { publication: altered, signature }, &newer, &invented] {
            write.put_publication(published, None, UnixMillis(1)).await.expect("put");
        }
    }
    let city = Node::start(folder.path().to_path_buf()).await;
    let county = Node::join(&root, &city, COUNTY).await;
    until("the newer schema at the county", || async {
        let all = county.get("/publications").await;
        let kept = |e: &Value| e["kind"] == "units" && e["state"] == "not_applied" && e["version"] == 2;
        all.as_array().is_some_and(|all| all.iter().any(kept))
    })
    .await;
    let alarms = county.running.shared.alarms();
    assert!(alarms.iter().any(|a| a.what.contains("units main version 2 is kept and passed on")), "{alarms:?}");
    assert_eq!(county.holds("units").await["version"], 1, "what held before still holds");
    let policy = policy_with(&city, "keep_days", json!(60)).await;
    city.publish("policy", policy).await;
    until("a good policy", || async { county.holds("policy").await["content"]["keep_days"] == 60 }).await;
    let held = county.get("/publications").await;
    let of = |kind: &str| {
        let versions = held.as_array().expect("a list").iter().filter(|e| e["kind"] == kind && !e["issuer"].is_null());
        versions.map(|e| e["version"].as_u64().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!((of("policy"), of("rules")), (vec![3], vec![]), "neither altered nor invented ones are here");
    city.stop().await;
    county.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_of_another_list_are_shown_as_such_above_and_never_filed_here() {
    let root = tempfile::tempdir().expect("a folder");
    let (mut city, county, mut grid) = three(&root).await;
    let mut list = county.holds("categories").await["content"].clone();
    let newer = json!({ "code": 104, "zh": "同居析产", "en": "property of cohabitants", "channels": ["court"] });
    list["categories"].as_array_mut().expect("rows").push(newer);
    county.publish("categories", list).await;
    until("the list at the grid", || async { grid.holds("categories").await["version"] == 2 }).await;
    let case = case_id(3);
    let mut report = red_report(&case);
    report["category"] = json!(104);
    assert_eq!(grid.clerk("POST", "/cases", Some(&report)).await.0, StatusCode::CREATED);
    assert_eq!(grid.clerk("POST", &format!("/cases/{case}/file"), Some(&json!({}))).await.0, StatusCode::OK);
    let given = json!({ "unit": 317 });
    let (status, shown) = grid.clerk("POST", &format!("/cases/{case}/assign"), Some(&given)).await;
    assert_eq!((status, &shown["unit_name"]), (StatusCode::OK, &json!("未知单位 317")));
    assert_eq!(shown["category_name"], "婚恋家庭纠纷(同居析产)");
    let mut patience = Patience::default();
    let mirrored = loop {
        let (status, shown) = city.clerk("GET", &format!("/cases/{case}"), None).await;
        if status == StatusCode::OK && shown["step"] == "assigned" {
            break shown;
        }
        patience.wait("the case did not reach the city").await;
    };
    let names = ["category_name", "category_name_en", "unit_name", "unit_name_en"].map(|n| mirrored[n].clone());
    assert_eq!(names, ["未知类别 0104", "unknown category 0104", "未知单位 317", "unknown unit 317"].map(Value::from));
    let mut report = red_report(&case_id(4));
    (report["category"], report["place"]) = (json!(104), json!(CITY));
    let (status, told) = city.clerk("POST", "/cases", Some(&report)).await;
    assert_eq!((status, &told["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("unknown-category")));
    assert_eq!(
        (&told["errors"][0]["field"], &told["detail_zh"]),
        (&json!("category"), &json!("类别不在现行类别清单中。"))
    );
    let units = json!({ "schema": 1, "units": [{ "code": 317, "zh": "村民议事会", "en": "Villagers' council" }] });
    city.publish("units", units).await;
    let shown = city.clerk("GET", &format!("/cases/{case}"), None).await.1;
    assert_eq!(shown["unit_name"], "村民议事会");
    for node in [city, county, grid] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_field_is_refused_by_its_name_in_a_report_and_in_a_publication() {
    let root = tempfile::tempdir().expect("a folder");
    let mut city = Node::found(&root).await;
    for (field, value, named) in [
        ("title", json!("  "), "title"),
        ("category", json!(2_001), "category"),
        ("place", json!("330702001001001"), "place"),
        ("hair", json!("grey"), "hair"),
        ("head_count", json!("many"), "head_count"),
    ] {
        let mut report = red_report(&case_id(5));
        report[field] = value;
        let (status, told) = city.clerk("POST", "/cases", Some(&report)).await;
        assert_eq!((status, &told["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(named)), "{told}");
        assert!(told["errors"][0]["detail_zh"].as_str().is_some_and(|zh| !zh.is_empty()), "{told}");
    }
    for (kind, content, named) in [
        ("policy", json!({ "schema": 1 }), "."),
        ("units", json!({ "schema": 1, "units": [{ "code": 0, "zh": "甲", "en": "A" }] }), "units[0].code"),
        ("rules", json!({ "schema": 1, "rules": [] }), "rules"),
        ("weather", json!({}), "kind"),
        ("calendar", json!([]), "schema"),
    ] {
        let (status, told) = city.post("/publications", &json!({ "kind": kind, "content": content })).await;
        assert_eq!((status, &told["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(named)), "{told}");
    }
    let all = city.get("/publications").await;
    assert!(all.as_array().expect("a list").iter().all(|e| e["issuer"].is_null()), "nothing was published");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_beyond_the_calendar_is_provisional_until_a_longer_calendar_comes() {
    let root = tempfile::tempdir().expect("a folder");
    let mut city = Node::found(&root).await;
    let mut policy = city.holds("policy").await["content"].clone();
    policy["terms"]["file"] = json!({ "working_days": 2_600 });
    city.publish("policy", policy).await;
    let mut report = red_report(&case_id(6));
    report["place"] = json!(CITY);
    let (status, shown) = city.clerk("POST", "/cases", Some(&report)).await;
    assert_eq!(status, StatusCode::CREATED, "{shown}");
    let term = &shown["next_term"];
    assert_eq!((&term["kind"], &term["provisional"]), (&json!("file"), &json!(true)), "{term}");
    // A calendar that reaches far enough, all days but weekends worked: ten years of working days.
    let far = json!({ "schema": 1, "from": "2024-01-01", "until": "2060-12-31", "exceptions": [] });
    city.publish("calendar", far).await;
    // The node counts again by itself, from the day of the report, and says so.
    let path = format!("/cases/{}", case_id(6));
    until("the term is counted", || async { city.get(&path).await["next_term"]["provisional"] == json!(false) }).await;
    let told = city.get(&path).await;
    assert_eq!(told["next_term"]["since"], term["since"]);
    let last = told["events"].as_array().and_then(|events| events.last()).expect("an event");
    assert_eq!((&last["act"]["act"], &last["by"]), (&json!("term_counted"), &json!(null)), "{last}");
    city.stop().await;
}
