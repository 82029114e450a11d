//! The policy of the system.

// Layer 1: Standard library imports
use std::str;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use airssys_wasm::security::policy::policy_error::PolicyError;
use airssys_wasm::system::policing::PolicyReport;
use airssys_wasm::system::policy_file::PolicyFileError;
use axum::extract::State;
use axum::http::StatusCode;

// Layer 3: Internal module imports
use crate::policy_advice::NEXT;
use crate::server::extract::Body;
use crate::server::problem::Problem;
use crate::server::shared::Shared;
use crate::server::status::Json;

/// `GET /v1/policy`.
pub(crate) async fn show(State(shared): State<Arc<Shared>>) -> Json<PolicyReport> {
    Json(shared.system.policy())
}

/// `POST /v1/policy`: the body is the policy.
pub(crate) async fn set(
    State(shared): State<Arc<Shared>>,
    Body(text): Body,
) -> Result<Json<PolicyReport>, Problem> {
    let text = str::from_utf8(&text).map_err(|_| Problem::invalid("the policy is not UTF-8"))?;
    let set = shared.system.set_policy(Some(text)).await;
    set.map(Json).map_err(|error| bad_policy(&error))
}

/// `DELETE /v1/policy`.
pub(crate) async fn remove(
    State(shared): State<Arc<Shared>>,
) -> Result<Json<PolicyReport>, Problem> {
    let removed = shared.system.set_policy(None).await;
    removed.map(Json).map_err(|error| bad_policy(&error))
}

/// `POST /v1/policy/reload`: what is in the file that the system was started with.
pub(crate) async fn reload(
    State(shared): State<Arc<Shared>>,
) -> Result<Json<PolicyReport>, Problem> {
    let reloaded = shared.system.reload_policy().await;
    reloaded.map(Json).map_err(|error| match error {
        PolicyFileError::Policy(error) => bad_policy(&error),
        PolicyFileError::NoFile => {
            Problem::new(StatusCode::CONFLICT, "no-policy-file", error.to_string())
                .next("set one with `airssys policy set FILE`, or name it in airssys.toml")
        }
        error => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "io",
            "cannot read the policy; the old one counts on",
        )
        .because(error.to_string()),
    })
}

fn bad_policy(error: &PolicyError) -> Problem {
    let message = "this is no policy; the old one counts on";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-policy", message)
        .because(error.to_string())
        .next(NEXT)
}
