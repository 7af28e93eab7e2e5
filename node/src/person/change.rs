//! What may be changed of the people of a realm: each is one step of the writer's transaction.

use casework::Grant;
use protocol::time::UnixMillis;

/// A grant as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Role and scope.
    pub grant: Grant,
    /// Whose work is stood in for; empty: it is the user's own.
    pub instead_of: String,
    /// From when.
    pub since: UnixMillis,
    /// Until when; none: for good.
    pub until: Option<UnixMillis>,
}

impl Granted {
    /// A grant of the user's own, for good.
    pub fn own(grant: Grant) -> Self {
        Self { grant, instead_of: String::new(), since: UnixMillis(0), until: None }
    }

    /// Whether it holds at a moment.
    pub fn holds(&self, now: UnixMillis) -> bool {
        self.since.0 <= now.0 && self.until.is_none_or(|until| now.0 < until.0)
    }
}

/// A user as they are made or changed. What is none stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutUser {
    /// Log-in name.
    pub name: String,
    /// Name as shown.
    pub shown: String,
    /// Argon2id hash in PHC form; a user who has none cannot log in.
    pub password: Option<String>,
    /// The next log-in asks for a new password first; looked at together with `password`.
    pub must_change: bool,
    /// May not log in.
    pub disabled: bool,
    /// Their own grants; those as a stand-in stay.
    pub grants: Option<Vec<Grant>>,
}

/// A log-in that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// Hash of the session's token.
    pub token: [u8; 32],
    /// The user.
    pub name: String,
    /// When it ends at the latest.
    pub expires: UnixMillis,
    /// Where it was opened from.
    pub address: String,
    /// What it was opened with.
    pub agent: String,
    /// Step of the code that was given: none is taken twice.
    pub totp_step: Option<i64>,
    /// Hash of the recovery code that was given: it is gone.
    pub recovery: Option<[u8; 32]>,
}

/// A machine's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Its id.
    pub id: [u8; 16],
    /// Hash of the token.
    pub token: [u8; 32],
    /// Name as shown.
    pub name: String,
    /// What it may do, and where.
    pub grant: Grant,
    /// Who made it.
    pub made_by: String,
    /// When it ends.
    pub expires: UnixMillis,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Makes or changes a user. One that is disabled loses all sessions.
    PutUser(PutUser),
    /// Sets a password and ends all sessions but one.
    SetPassword {
        /// The user.
        name: String,
        /// Argon2id hash in PHC form.
        password: String,
        /// The next log-in asks for a new one first.
        must_change: bool,
        /// The session that goes on.
        keep: Option<[u8; 32]>,
    },
    /// Begins, confirms or ends a second factor.
    SetTotp {
        /// The user.
        name: String,
        /// The secret, sealed; none ends it.
        secret: Option<Vec<u8>>,
        /// Asked for from now on.
        on: bool,
        /// The last step that counts as used.
        last: i64,
        /// Hashes of the recovery codes that replace earlier ones.
        recovery: Vec<[u8; 32]>,
    },
    /// Opens a session, forgets failures of the name, and clears ended sessions away.
    OpenSession(OpenSession),
    /// A session was used.
    SeenSession([u8; 32]),
    /// Ends a session.
    DropSession([u8; 32]),
    /// Ends all sessions of a user.
    DropSessions(String),
    /// A log-in failed.
    Failed {
        /// The name that was given.
        name: String,
        /// From where.
        address: String,
    },
    /// Forgets the failures of a name.
    Unlock(String),
    /// Makes a machine's token.
    PutToken(NewToken),
    /// A token was used.
    SeenToken([u8; 32]),
    /// Ends a token.
    RevokeToken([u8; 16]),
    /// Gives grants to somebody, and takes those of an earlier hand-over from the same person away.
    StandIn {
        /// Who stands in, or follows.
        name: String,
        /// For whom.
        instead_of: String,
        /// What they get.
        grants: Vec<Granted>,
    },
    /// A user leaves: no log-in, no sessions, no grants.
    Leave(String),
}
