//! Finding cases through the API and the page: by words, by facets, before a report is filed, and after a case is concluded; what
//! each role learns by it, what stands in the audit, and what is made anew after a restore.

#[expect(dead_code, reason = "the file serves other tests as well")]
#[path = "rights/harness.rs"]
mod harness;
#[path = "support/ports.rs"]
mod ports;

use axum::http::StatusCode;
use harness::{Answer, COUNTY, Node, OTHER_COUNTY, PARTY, PHONE, report};
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use serde_json::{Value, json};

fn id(n: u8) -> String {
    CaseId::new(UnixMillis(1_780_000_000_000), [n; 10]).to_string()
}

/// Files a report that differs from the common one in some fields.
async fn filed(node: &Node, n: u8, other: Value) -> String {
    let mut body = report(&id(n));
    for (field, value) in other.as_object().expect("fields") {
        body[field] = value.clone();
    }
    let filed = node.operator("POST", "/api/v1/cases", Some(&body)).await;
    assert_eq!(filed.status, StatusCode::CREATED, "{}", filed.text);
    id(n)
}

/// What a text is in an address.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn search(node: &Node, cookie: &str, q: &str) -> Answer {
    node.with(cookie, "GET", &format!("/api/v1/cases?q={}", escaped(q)), None).await
}

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let cases = answer.json()["cases"].as_array().expect("cases").clone();
    cases.iter().map(|case| case["id"].as_str().expect("an id").to_owned()).collect()
}

async fn list(node: &Node, cookie: &str, query: &str) -> Vec<String> {
    ids(&node.with(cookie, "GET", &format!("/api/v1/cases?{query}"), None).await)
}

/// Searches that stand in the audit.
async fn noted(node: &Node) -> Vec<String> {
    let audit = node.operator("GET", "/api/v1/audit?count=200", None).await.json();
    let entries = audit["entries"].as_array().expect("entries").clone();
    let objects = entries.iter().filter_map(|entry| entry["object"].as_str());
    objects.filter(|object| object.starts_with("cases?words=")).map(str::to_owned).collect()
}

/// Takes a case from its filing to the archive.
async fn concluded(node: &Node, case: &str, outcome: &str, fen: u64) {
    for (act, body) in [
        ("file", json!({})),
        ("assign", json!({ "unit": 1 })),
        ("progress", json!({ "note": "已到场" })),
        ("resolve", json!({ "outcome": outcome, "terms": format!("{PARTY}获赔"), "amount_fen": fen })),
        ("feed-back", json!({ "note": "已告知" })),
        ("assess", json!({ "score": 5 })),
        ("archive", json!({})),
    ] {
        let done = node.operator("POST", &format!("/api/v1/cases/{case}/{act}"), Some(&body)).await;
        assert_eq!(done.status, StatusCode::OK, "{act}: {}", done.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_finds_a_case_by_what_they_know_of_it_and_sees_it_masked() {
    let node = Node::found().await;
    let clerk = node.person("clerk", "clerk").await;
    let case = filed(&node, 1, json!({})).await;
    filed(&node, 2, json!({ "title": "停车占道", "narrative": "", "parties": [] })).await;
    for q in [PARTY, "zhm", "ZHMJLS", "漏水", "楼上漏水", "漏水 周慧敏", "越城区 漏水", &case[..8], &case[24..]]
    {
        let answer = search(&node, &clerk, q).await;
        assert!(ids(&answer).contains(&case), "{q}: {}", answer.text);
        assert!(!answer.text.contains(PARTY) && !answer.text.contains(PHONE), "{q}: {}", answer.text);
    }
    let answer = search(&node, &clerk, "zhm").await;
    assert_eq!(answer.json()["cases"][0]["found"], json!({ "by": ["party"], "title": "周**家漏水" }));
    assert_eq!(ids(&search(&node, &clerk, "李建国").await), Vec::<String>::new());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_found_in_the_moment_it_is_filed_and_after_it_is_archived() {
    let node = Node::found().await;
    let clerk = node.person("clerk", "clerk").await;
    assert_eq!(ids(&search(&node, &clerk, "漏水").await), Vec::<String>::new());
    let case = filed(&node, 3, json!({})).await;
    assert_eq!(ids(&search(&node, &clerk, "漏水").await), std::slice::from_ref(&case));
    concluded(&node, &case, "successful", 100).await;
    assert_eq!(ids(&search(&node, &clerk, "漏水").await), std::slice::from_ref(&case));
    assert_eq!(list(&node, &clerk, "category=0402").await, Vec::<String>::new(), "a list without words leaves it out");
    assert_eq!(list(&node, &clerk, "category=0402&archived=true").await, [case]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_names_masked_cannot_try_names_and_who_finds_by_them_is_in_the_audit() {
    let node = Node::found().await;
    let case = filed(&node, 4, json!({})).await;
    for role in ["viewer", "hotline"] {
        let cookie = node.person(role, role).await;
        for q in [PARTY, "慧敏", "zhm", PHONE, "13857512345"] {
            assert_eq!(ids(&search(&node, &cookie, q).await), Vec::<String>::new(), "{role}: {q}");
        }
        assert_eq!(ids(&search(&node, &cookie, "漏水").await), std::slice::from_ref(&case), "{role}");
    }
    let clerk = node.person("clerk", "clerk").await;
    search(&node, &clerk, "漏水").await;
    assert_eq!(noted(&node).await, Vec::<String>::new(), "what everybody reads is no secret");
    for q in [PARTY, PARTY, "zhm"] {
        assert_eq!(ids(&search(&node, &clerk, q).await), std::slice::from_ref(&case));
    }
    let noted = noted(&node).await;
    assert_eq!(noted.len(), 3);
    assert!(noted[1] == noted[2] && noted[0] != noted[1], "one word looks like itself alone: {noted:?}");
    assert!(!noted.concat().contains("zhm"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_out_of_scope_is_neither_found_nor_counted() {
    let node = Node::found().await;
    filed(&node, 5, json!({})).await;
    let other = node.person("other", &format!("clerk@{OTHER_COUNTY}")).await;
    let draft = json!({ "place": COUNTY, "category": 402, "title": "家漏水", "phone": PHONE });
    for q in [PARTY, "漏水", "category"] {
        assert_eq!(ids(&search(&node, &other, q).await), Vec::<String>::new(), "{q}");
    }
    assert_eq!(list(&node, &other, "category=0402").await, Vec::<String>::new());
    let similar = node.with(&other, "POST", "/api/v1/cases/similar", Some(&draft)).await;
    assert_eq!(similar.json()["candidates"], json!([]), "{}", similar.text);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_were_erased_are_found_no_more_and_the_case_is_by_its_number() {
    let node = Node::found().await;
    let clerk = node.person("clerk", "clerk supervisor").await;
    let case = node.case(6, true).await;
    let with_void = |q: &str| format!("void=true&q={}", escaped(q));
    assert_eq!(list(&node, &clerk, &with_void(PARTY)).await, std::slice::from_ref(&case));
    let erased = node
        .with(&clerk, "POST", &format!("/api/v1/cases/{case}/erase"), Some(&json!({ "reason": "当事人要求" })))
        .await;
    assert_eq!(erased.status, StatusCode::OK, "{}", erased.text);
    for q in [PARTY, "zhm", "楼上漏水"] {
        assert_eq!(list(&node, &clerk, &with_void(q)).await, Vec::<String>::new(), "{q}");
    }
    assert_eq!(list(&node, &clerk, &with_void(&case[..12])).await, [case]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_is_made_anew_at_a_start_that_finds_it_missing() {
    let node = Node::found().await;
    let case = filed(&node, 7, json!({})).await;
    let root = node.stopped().await;
    let place = root.path().join("city").join("node.db");
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", place.display())).await.expect("the database");
    for text in ["DELETE FROM case_search", "UPDATE case_file SET due_day = NULL"] {
        sqlx::query(text).execute(&pool).await.expect("done");
    }
    pool.close().await;
    let node = Node::started(root).await;
    let mut found = Vec::new();
    for _ in 0..100 {
        let answer = node.operator("GET", &format!("/api/v1/cases?q={}", escaped(PARTY)), None).await;
        found = ids(&answer);
        if !found.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(found, std::slice::from_ref(&case));
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", place.display())).await.expect("the database");
    let due: Option<i64> = sqlx::query_scalar("SELECT due_day FROM case_file").fetch_one(&pool).await.expect("a row");
    assert!(due.is_some(), "its term is told again");
    pool.close().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_sorted_as_it_is_asked_for() {
    let node = Node::found().await;
    let clerk = node.person("clerk", "clerk").await;
    let one = filed(&node, 8, json!({ "source": "grid" })).await;
    let other = filed(&node, 9, json!({ "category": 101, "place": OTHER_COUNTY, "matter": "request" })).await;
    let me = node.state.me();
    for (query, wanted) in [
        ("source=grid", vec![&one]),
        ("category=0101", vec![&other]),
        ("category=04", vec![&one]),
        ("place=330603000000", vec![&other]),
        ("matter=request", vec![&other]),
        ("unit=7", vec![]),
        ("overdue=true", vec![]),
        ("outcome=successful", vec![]),
        ("to=2020-01-01", vec![]),
        ("sort=reported", vec![&other, &one]),
        ("sort=reported&count=1", vec![&other]),
    ] {
        assert_eq!(list(&node, &clerk, query).await.iter().collect::<Vec<_>>(), wanted, "{query}");
    }
    assert_eq!(list(&node, &clerk, &format!("owner={me}")).await.len(), 2);
    let first = node.with(&clerk, "GET", "/api/v1/cases?sort=reported&count=1", None).await.json();
    let next = first["next"].as_str().expect("another page");
    assert_eq!(list(&node, &clerk, &format!("sort=reported&count=1&cursor={next}")).await, [one]);
    for query in [
        "source=luck",
        "category=4",
        "category=xx",
        "place=1",
        "matter=x",
        "from=x",
        "to=2020-02-30",
        "sort=x",
        "owner=x",
        "from=2020-01-02&to=2020-01-01",
        "outcome=x",
        "sort=term&cursor=x",
        "words=x",
    ] {
        let answer = node.with(&clerk, "GET", &format!("/api/v1/cases?{query}"), None).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "malformed"),
            "{query}: {}",
            answer.text
        );
    }
    for q in ["*", &"漏".repeat(61)] {
        let answer = search(&node, &clerk, q).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"), "{q}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_was_filed_before_is_told_with_its_reasons_and_without_names() {
    let node = Node::found().await;
    let clerk = node.person("clerk", "clerk").await;
    let case = filed(&node, 10, json!({})).await;
    filed(&node, 11, json!({ "title": "停车占道", "category": 101, "narrative": "", "parties": [] })).await;
    let draft = json!({ "place": COUNTY, "category": 402, "title": "家漏水", "phone": "138 5751 2345",
        "parties": [{ "side": "applicant", "name": PARTY }] });
    let similar = node.with(&clerk, "POST", "/api/v1/cases/similar", Some(&draft)).await;
    assert_eq!(similar.status, StatusCode::OK, "{}", similar.text);
    let told = similar.json();
    assert_eq!(told["candidates"].as_array().map(Vec::len), Some(1), "{}", similar.text);
    assert_eq!(told["candidates"][0]["case"]["id"], json!(case));
    assert_eq!(told["candidates"][0]["reasons"], json!(["phone", "party", "place", "category", "title"]));
    assert_eq!(told["history"], json!([{ "party": 1, "open": 1, "concluded": 0 }]));
    assert!(!similar.text.contains(PARTY) && !similar.text.contains(PHONE), "{}", similar.text);
    let audit = node.operator("GET", "/api/v1/audit?count=5", None).await.text;
    assert!(audit.contains("cases/similar?number=") && !audit.contains("2345"), "{audit}");
    concluded(&node, &case, "successful", 100).await;
    let again = node.with(&clerk, "POST", "/api/v1/cases/similar", Some(&draft)).await.json();
    assert_eq!(again["history"], json!([{ "party": 1, "open": 0, "concluded": 1 }]));
    assert_eq!(again["candidates"].as_array().map(Vec::len), Some(1), "a concluded one may be the same matter too");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hotline_is_told_of_likely_repeats_by_place_category_and_title_alone() {
    let node = Node::found().await;
    let hotline = node.person("hotline", "hotline").await;
    let case = filed(&node, 12, json!({})).await;
    let by_person = json!({ "phone": PHONE, "category": 402, "parties": [{ "side": "applicant", "name": PARTY }] });
    let answer = node.with(&hotline, "POST", "/api/v1/cases/similar", Some(&by_person)).await;
    assert_eq!(
        answer.json(),
        json!({ "candidates": [], "history": [], "restrict": null }),
        "nobody tries phones and names by it"
    );
    let by_title = json!({ "place": COUNTY, "category": 402, "title": "家漏水", "phone": PHONE });
    let answer = node.with(&hotline, "POST", "/api/v1/cases/similar", Some(&by_title)).await.json();
    assert_eq!(answer["candidates"][0]["case"]["id"], json!(case), "{answer}");
    assert_eq!(answer["candidates"][0]["reasons"], json!(["place", "category", "title"]));
    assert_eq!(answer["history"], json!([]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mediator_is_told_how_cases_like_theirs_ended_in_outline() {
    let node = Node::found().await;
    let mediator = node.person("mediator", "mediator").await;
    let (like, unlike) = (filed(&node, 13, json!({})).await, filed(&node, 14, json!({ "category": 101 })).await);
    concluded(&node, &like, "successful", 3_000_000).await;
    concluded(&node, &unlike, "unsuccessful", 100).await;
    let open = filed(&node, 15, json!({ "title": "楼上漏水不止" })).await;
    let answer = node.with(&mediator, "GET", &format!("/api/v1/cases/{open}/similar"), None).await;
    let told = answer.json();
    assert_eq!(told["concluded"].as_array().map(Vec::len), Some(1), "{}", answer.text);
    let one = &told["concluded"][0];
    assert_eq!(
        (&one["case"]["id"], &one["outcome"], &one["method"], &one["sum"], &one["days"]),
        (&json!(like), &json!("successful"), &json!("handled"), &json!("from10k"), &json!(0))
    );
    assert!(!answer.text.contains(PARTY) && !answer.text.contains("获赔"), "{}", answer.text);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_has_a_field_that_finds_shows_masks_and_is_not_loaded_anew_by_itself() {
    let node = Node::found().await;
    let clerk = node.person("clerk", "clerk").await;
    let case = filed(&node, 16, json!({})).await;
    let first = node.with(&clerk, "GET", "/", None).await;
    assert!(first.text.contains("/cases?lang=zh\">查找案件"), "the first page leads there");
    let page = node.with(&clerk, "GET", &format!("/cases?q={}", escaped(PARTY)), None).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains(&format!("/cases/{case}")) && page.text.contains("周**家漏水"), "{}", page.text);
    assert!(!page.text.contains("http-equiv"), "what is typed stays, and no search repeats itself");
    let hostile = node.with(&clerk, "GET", &format!("/cases?q={}", escaped("\"><script>")), None).await;
    assert!(!hostile.text.contains("<script"), "{}", hostile.text);
    let long = node.with(&clerk, "GET", &format!("/cases?q={}", escaped(&"漏".repeat(61))), None).await;
    assert!(long.status == StatusCode::OK && long.text.contains("最多 60 个字"), "{}", long.text);
    let administrator = node.person("admin", "administrator").await;
    assert_eq!(node.with(&administrator, "GET", "/cases?q=x", None).await.status, StatusCode::FORBIDDEN);
    node.stop().await;
}
