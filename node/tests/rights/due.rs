//! What somebody has to do first, on the page: choose a password of their own, set up a second factor.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use wuji::person::change::{Change, PutUser};
use wuji::person::{password, roles, totp};

use crate::harness::{Answer, Node, PASSWORD};

const OWN: &str = "a password of my own";

impl Node {
    /// Sends a form of the page as a browser does.
    async fn form(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let plain = |text: &str| text.replace(' ', "+");
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
        let request = Request::post(path)
            .header("cookie", cookie)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.join("&")))
            .expect("a request");
        self.send(request).await
    }

    async fn page(&self, cookie: &str, path: &str) -> Answer {
        self.with(cookie, "GET", path, None).await
    }
}

fn leads_to(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.headers[header::LOCATION].to_str().expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_given_a_password_chooses_their_own_on_the_page_before_anything_else() {
    let node = Node::found().await;
    let user = PutUser {
        name: "li".to_owned(),
        shown: "李".to_owned(),
        password: Some(password::hash(PASSWORD.to_owned()).await.expect("a hash")),
        must_change: true,
        disabled: false,
        grants: Some(roles::grants("supervisor").expect("grants")),
    };
    node.state.realm.change(Change::PutUser(user)).await.expect("a user");
    let entered = node.form("", "/login?lang=en", &[("user", "li"), ("password", PASSWORD)]).await;
    assert_eq!(leads_to(&entered), "/?lang=en");
    let cookie = entered.cookie();
    assert_eq!(leads_to(&node.page(&cookie, "/").await), "/password");
    assert!(node.page(&cookie, "/password?lang=en").await.text.contains("Choose a password of your own"));
    for (old, new, again, status, word) in [
        ("not it", OWN, OWN, StatusCode::UNAUTHORIZED, "role=\"alert\""),
        (PASSWORD, OWN, "something else", StatusCode::UNPROCESSABLE_ENTITY, "typed in two ways"),
        (PASSWORD, "short", "short", StatusCode::UNPROCESSABLE_ENTITY, "at least 10 characters"),
        (PASSWORD, PASSWORD, PASSWORD, StatusCode::UNPROCESSABLE_ENTITY, "is the old one"),
    ] {
        let refused = node.form(&cookie, "/password?lang=en", &[("old", old), ("new", new), ("again", again)]).await;
        assert_eq!(refused.status, status, "{}", refused.text);
        assert!(refused.text.contains(word), "{word}: {}", refused.text);
        assert_eq!(leads_to(&node.page(&cookie, "/").await), "/password", "it is still due");
    }
    let changed = node.form(&cookie, "/password", &[("old", PASSWORD), ("new", OWN), ("again", OWN)]).await;
    assert_eq!(leads_to(&changed), "/?lang=zh");
    assert_eq!(node.page(&cookie, "/").await.status, StatusCode::OK);
    assert_eq!(node.log_in("li", OWN, None).await.status, StatusCode::OK);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_a_second_factor_sets_it_up_on_the_page() {
    let node = Node::found_with(|config| config.people.second_factor = true).await;
    let cookie = node.person("li", "supervisor").await;
    assert_eq!(leads_to(&node.page(&cookie, "/").await), "/second-factor");
    let begun = node.form(&cookie, "/second-factor", &[("password", PASSWORD)]).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    assert!(begun.text.contains("otpauth://totp/"), "{}", begun.text);
    let wrong = node.form(&cookie, "/second-factor/confirm", &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let user = node.state.realm.people.user("li").await.expect("read").expect("the user");
    let place = [b"totp".as_slice(), node.state.realm.id().as_bytes(), b"li"].concat();
    let secret = node.state.realm.vault.open(&place, &user.totp.expect("a secret")).expect("opened");
    let code = totp::code(&secret, node.state.clock.wall().0 / 30_000);
    let confirmed = node.form(&cookie, "/second-factor/confirm", &[("code", &format!("{code:06}"))]).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    assert!(confirmed.text.matches("<li><code>").count() >= 8, "recovery codes: {}", confirmed.text);
    assert_eq!(node.page(&cookie, "/").await.status, StatusCode::OK);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_another_site_sends_is_not_done() {
    let node = Node::found().await;
    let cookie = node.person("li", "supervisor").await;
    let request = Request::post("/password")
        .header("cookie", &cookie)
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("old={0}&new=x&again=x", PASSWORD.replace(' ', "+"))))
        .expect("a request");
    assert_eq!(node.send(request).await.status, StatusCode::FORBIDDEN);
    node.stop().await;
}
