//! Users, sessions and answered requests.

use protocol::time::UnixMillis;
use wuji::store::persons::{AnsweredRow, UserRow};

use crate::base::{Base, NOW, node};
use crate::on_both;

on_both!(
    a_user_is_changed_and_found_by_name,
    users_are_listed_in_the_order_of_their_bytes,
    a_session_ends_at_its_time_and_with_its_user,
    the_first_answer_to_a_request_stands_until_its_time_is_over,
);

fn user(name: &str) -> UserRow {
    UserRow {
        name: name.to_owned(),
        shown: "测试员".to_owned(),
        roles: "clerk".to_owned(),
        password: "x".to_owned(),
        disabled: false,
    }
}

fn later(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

async fn a_user_is_changed_and_found_by_name(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    write.put_user(&user("a"), NOW).await.expect("put");
    let changed = UserRow { roles: "viewer".to_owned(), disabled: true, ..user("a") };
    write.put_user(&changed, NOW).await.expect("put again");
    assert_eq!(store.user("a").await.expect("read"), Some(changed));
    assert_eq!(store.user("A").await.expect("read"), None, "capitals count");
}

async fn users_are_listed_in_the_order_of_their_bytes(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let names = ["B", "Zoe", "_", "a", "a b", "ab", "zoe", "Ä", "中", "𠀀"];
    for name in names.iter().rev() {
        write.put_user(&user(name), NOW).await.expect("put");
    }
    let listed: Vec<_> = store.users().await.expect("read").into_iter().map(|u| u.name).collect();
    assert_eq!(listed, names);
}

async fn a_session_ends_at_its_time_and_with_its_user(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    write.put_user(&user("a"), NOW).await.expect("put");
    write.put_session([1; 32], "a", later(100), NOW).await.expect("opened");
    let name = async |token, at| store.session(token, at).await.expect("read").map(|u| u.name);
    assert_eq!(name([1; 32], later(99)).await.as_deref(), Some("a"));
    assert_eq!(name([1; 32], later(100)).await, None, "its time is over");
    write.put_session([2; 32], "a", later(300), later(200)).await.expect("opened");
    assert_eq!(name([1; 32], NOW).await, None, "an ended one goes when another is opened");
    write.put_user(&UserRow { disabled: true, ..user("a") }, NOW).await.expect("put");
    assert_eq!(name([2; 32], NOW).await, None, "its user may not log in");
    write.put_user(&user("a"), NOW).await.expect("put");
    write.drop_session([2; 32]).await.expect("ended");
    assert_eq!(name([2; 32], NOW).await, None);
}

async fn the_first_answer_to_a_request_stands_until_its_time_is_over(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let answer = |status, body: &str| AnsweredRow { request: vec![1], status, body: body.as_bytes().to_vec() };
    write.put_answered("a", "k", &answer(200, "first"), NOW, NOW).await.expect("kept");
    write.put_answered("a", "k", &answer(409, "second"), later(1), NOW).await.expect("not kept");
    assert_eq!(store.answered("a", "k").await.expect("read"), Some(answer(200, "first")));
    assert_eq!(store.answered("b", "k").await.expect("read"), None, "another user's key is another key");
    write.put_answered("a", "l", &answer(200, "third"), later(9), later(1)).await.expect("kept");
    assert_eq!(store.answered("a", "k").await.expect("read"), None, "too old");
}
