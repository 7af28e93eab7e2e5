//! One's own second factor: begun, confirmed with a first code, ended with the password.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use super::session::proven;
use super::state::ApiState;
use super::stored::NotKept;
use crate::person::change::Change;
use crate::person::totp;
use crate::store::people::UserRow;

/// Begins a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginFactor {
    /// The password, once more.
    pub password: String,
}

/// What the authenticator scans; shown once.
#[derive(Serialize, ToSchema)]
pub struct BegunFactor {
    /// `otpauth://` address for a picture to be scanned.
    pub(crate) uri: String,
    /// The same secret to be typed, base 32.
    pub(crate) secret: String,
}

/// The first code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmFactor {
    /// Six digits of the authenticator.
    pub code: String,
}

/// Codes for a lost phone; shown once.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each opens one session.
    recovery_codes: Vec<String>,
}

/// Ends a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndFactor {
    /// The password, once more.
    pub password: String,
}

/// Begins a second factor: it is asked for once it was confirmed. One that is in use goes on until then.
#[utoipa::path(post, path = "/api/v1/me/second-factor", tag = "session", request_body = BeginFactor,
    responses((status = 200, body = BegunFactor), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn begin(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<BeginFactor>,
) -> Result<NotKept<BegunFactor>, Problem> {
    Ok(NotKept(Json(begun(&state, &caller, body.password).await?)))
}

/// Makes the secret of a second factor for whoever knows the password.
pub(crate) async fn begun(state: &ApiState, caller: &Caller, password: String) -> Result<BegunFactor, Problem> {
    let user = proven(state, caller, password).await?;
    if user.totp_on {
        return Err(Problem::conflict("A second factor is in use; end it first.", "已绑定动态验证码,请先解除。"));
    }
    let secret = totp::secret();
    let sealed =
        state.realm.vault.seal(&state.realm.totp_place(&user.name), &secret).map_err(|_| Problem::internal())?;
    let change =
        Change::SetTotp { name: user.name.clone(), secret: Some(sealed), on: false, last: 0, recovery: Vec::new() };
    state.realm.change(change).await?;
    let uri = totp::uri(&secret, &state.config.node.name, &user.name);
    Ok(BegunFactor { uri, secret: totp::base32(&secret) })
}

async fn own(state: &ApiState, caller: &Caller) -> Result<UserRow, Problem> {
    if caller.session.is_none() {
        return Err(Problem::forbidden());
    }
    state.realm.people.user(&caller.name).await?.ok_or_else(Problem::unauthorized)
}

/// Confirms a second factor with a first code. The answer holds the recovery codes, this once.
#[utoipa::path(post, path = "/api/v1/me/second-factor/confirm", tag = "session", request_body = ConfirmFactor,
    responses((status = 200, body = RecoveryCodes), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn confirm(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<ConfirmFactor>,
) -> Result<NotKept<RecoveryCodes>, Problem> {
    let recovery_codes = confirmed(&state, &caller, &body.code).await?;
    Ok(NotKept(Json(RecoveryCodes { recovery_codes })))
}

/// Asks for the second factor from now on, if this is its first code. The recovery codes.
pub(crate) async fn confirmed(state: &ApiState, caller: &Caller, code: &str) -> Result<Vec<String>, Problem> {
    let _one = state.realm.log_ins.lock().await;
    let user = own(state, caller).await?;
    let Some(sealed) = user.totp.filter(|_| !user.totp_on) else {
        return Err(Problem::conflict("No second factor waits for its first code.", "没有待确认的动态验证码。"));
    };
    let place = state.realm.totp_place(&user.name);
    let secret = state.realm.vault.open(&place, &sealed).map_err(|_| Problem::internal())?;
    let step = totp::verify(&secret, code, state.clock.wall(), user.totp_last).ok_or_else(|| {
        let en = "the code is not one of now: check the clock of the phone";
        Problem::unacceptable(en, "验证码不正确,请检查手机时间是否准确。")
    })?;
    let codes = totp::recovery_codes();
    let recovery = codes.iter().map(|code| totp::recovery_hash(code)).collect();
    let change = Change::SetTotp { name: user.name, secret: Some(sealed), on: true, last: step, recovery };
    state.realm.change(change).await?;
    Ok(codes)
}

/// Ends one's own second factor.
#[utoipa::path(post, path = "/api/v1/me/second-factor/end", tag = "session", request_body = EndFactor,
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 429, body = ProblemBody)))]
pub(super) async fn end(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<EndFactor>,
) -> Result<StatusCode, Problem> {
    let user = proven(&state, &caller, body.password).await?;
    let change =
        Change::SetTotp { name: user.name, secret: None, on: false, last: user.totp_last, recovery: Vec::new() };
    state.realm.change(change).await?;
    Ok(StatusCode::NO_CONTENT)
}
