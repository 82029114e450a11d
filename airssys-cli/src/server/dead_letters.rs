//! Messages that nobody handled.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use airssys_wasm::messaging::dead_letters::DeadLetterId;
use airssys_wasm::system::replay::ReplayReport;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::server::dead_letter_view::{Summary, Whole};
use crate::server::extract::{Asked, Letter};
use crate::server::problem::Problem;
use crate::server::shared::Shared;
use crate::server::status::Json;

/// The most that one list has.
const MAX_LISTED: usize = 10_000;

/// Which dead letters to list.
#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    /// To this actor, component or namespace.
    to: Option<String>,
    /// Those that came after this one.
    after: Option<DeadLetterId>,
    #[serde(default = "some_listed")]
    limit: usize,
}

/// Which dead letters to drop: `all=true`, or `to=` somebody.
#[derive(Debug, Deserialize)]
pub(crate) struct DropQuery {
    to: Option<String>,
    #[serde(default)]
    all: bool,
}

/// How many were dropped.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Dropped {
    pub(crate) dropped: usize,
}

/// What was sent again.
#[derive(Debug, Serialize)]
pub(crate) struct Retried {
    retried: DeadLetterId,
}

/// What to replay a turn on.
#[derive(Debug, Deserialize)]
pub(crate) struct ReplayQuery {
    version: Option<String>,
}

/// `GET /v1/dead-letters`: in the order they came.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<ListQuery>,
) -> Response {
    let limit = query.limit.min(MAX_LISTED);
    let letters = shared
        .system
        .dead_letters(query.to.as_deref(), query.after, limit);
    let summaries = letters.iter().map(|(id, letter)| Summary::of(*id, letter));
    Json(summaries.collect::<Vec<_>>()).into_response()
}

/// `GET /v1/dead-letters/{id}`.
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    Letter(id): Letter,
) -> Result<Response, Problem> {
    let letter = shared.system.dead_letter(id)?;
    Ok(Json(Whole::of(id, &letter)).into_response())
}

/// `POST /v1/dead-letters/{id}/retry`: done when it is in the mailbox again.
pub(crate) async fn retry(
    State(shared): State<Arc<Shared>>,
    Letter(id): Letter,
) -> Result<Json<Retried>, Problem> {
    shared.system.retry_dead_letter(id).await?;
    Ok(Json(Retried { retried: id }))
}

/// `DELETE /v1/dead-letters/{id}`.
pub(crate) async fn drop_one(
    State(shared): State<Arc<Shared>>,
    Letter(id): Letter,
) -> Result<Json<Dropped>, Problem> {
    shared.system.drop_dead_letter(id).await?;
    Ok(Json(Dropped { dropped: 1 }))
}

/// `DELETE /v1/dead-letters?to=` or `?all=true`.
pub(crate) async fn drop_many(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<DropQuery>,
) -> Result<Json<Dropped>, Problem> {
    if query.to.is_none() && !query.all {
        return Err(Problem::invalid(
            "say which: `to=` an address, or `all=true`",
        ));
    }
    let dropped = shared.system.drop_dead_letters(query.to.as_deref()).await?;
    Ok(Json(Dropped { dropped }))
}

/// `POST /v1/dead-letters/{id}/replay?version=`.
pub(crate) async fn replay(
    State(shared): State<Arc<Shared>>,
    Letter(id): Letter,
    Asked(query): Asked<ReplayQuery>,
) -> Result<Json<ReplayReport>, Problem> {
    let system = &shared.system;
    let Some(version) = query.version else {
        return Ok(Json(system.replay(id).await?));
    };
    let letter = system.dead_letter(id)?;
    let Some(turn) = &letter.turn else {
        // Said by the library, in its words.
        return Ok(Json(system.replay(id).await?));
    };
    Ok(Json(system.replay_turn(turn, Some(&version)).await?))
}

fn some_listed() -> usize {
    100
}
