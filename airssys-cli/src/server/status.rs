//! The system as a whole.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use airssys_wasm::component::supervision::member::Member;
use airssys_wasm::system::status::SystemStatus;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::server::extract::{Asked, parsed};
use crate::server::problem::Problem;
use crate::server::shared::Shared;

/// An answer as JSON.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                error.to_string(),
            )
            .into_response(),
        }
    }
}

/// What to let run again.
#[derive(Debug, Deserialize)]
pub(crate) struct ResumeQuery {
    target: String,
}

/// What runs again.
#[derive(Debug, Serialize)]
pub(crate) struct Resumed {
    resumed: Member,
}

/// `GET /v1/status`.
pub(crate) async fn status(State(shared): State<Arc<Shared>>) -> Json<SystemStatus> {
    Json(shared.system.status())
}

/// `POST /v1/resume?target=`: a group, a component or an actor.
pub(crate) async fn resume(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<ResumeQuery>,
) -> Result<Json<Resumed>, Problem> {
    let resumed: Member = parsed(&query.target)?;
    shared.system.resume(&resumed)?;
    Ok(Json(Resumed { resumed }))
}
