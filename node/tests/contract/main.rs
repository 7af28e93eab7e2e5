//! One contract for both databases: what the store promises, asked of a SQLite file and of a PostgreSQL server.

#[expect(unreachable_pub, reason = "the same file is a public module of the tests of many nodes")]
#[path = "../support/postgres.rs"]
mod postgres;

mod attachments;
mod base;
mod cases;
mod clocks;
mod drafts;
mod figures;
mod lease;
mod link;
mod migrations;
mod moves;
mod nodes;
mod papers;
mod persons;
mod quarantine;
mod sealed;
mod search;
mod source;
mod statements;
mod transactions;
mod trust;
mod unread;

/// Runs each of these on both databases.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                Box::pin(super::$name(crate::base::Base::file())).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                Box::pin(super::$name(crate::base::Base::server())).await;
            })+
        }
    };
}
pub(crate) use on_both;
