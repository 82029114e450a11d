//! The data of the system: copies of it, and what single actors keep.

// Layer 1: Standard library imports
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use airssys_wasm::system::data::backup::Backup;
use airssys_wasm::system::data::error::DataError;
use airssys_wasm::system::data::state_reader::StateReader;
use airssys_wasm::system::data::transfer::Import;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::time::{Instant, timeout, timeout_at};

// Layer 3: Internal module imports
use crate::server::extract::{Actor, Asked};
use crate::server::problem::Problem;
use crate::server::shared::Shared;
use crate::server::status::Json;

/// How long the next piece of a body may take to arrive.
const PIECE_PATIENCE: Duration = Duration::from_secs(60);

/// For how long what comes behind a mistake is still read, so that whoever sends it gets to
/// read the answer.
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);

/// Where to copy to.
#[derive(Debug, Deserialize)]
pub(crate) struct BackupQuery {
    to: PathBuf,
}

/// `POST /v1/backup?to=`: an absolute path on this machine.
pub(crate) async fn backup(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<BackupQuery>,
) -> Result<Json<Backup>, Problem> {
    if !query.to.is_absolute() {
        return Err(Problem::invalid("`to=` is an absolute path"));
    }
    Ok(Json(shared.system.backup(query.to).await?))
}

/// `GET /v1/actors/{namespace}/{name}/{instance}/state`: JSON lines.
pub(crate) async fn export(
    State(shared): State<Arc<Shared>>,
    Actor(actor): Actor,
) -> Result<Response, Problem> {
    let state = shared.system.export(&actor).await?;
    let lines = state.into_lines().map(Ok::<_, Infallible>);
    let body = Body::from_stream(stream::iter(lines));
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

/// `POST /v1/actors/{namespace}/{name}/{instance}/state`: the body is what
/// [`export`] answers. It is checked as it comes, so that no more of it is in memory than
/// the actor may keep.
pub(crate) async fn import(
    State(shared): State<Arc<Shared>>,
    Actor(actor): Actor,
    request: Request,
) -> Result<Json<Import>, Problem> {
    let mut reader = shared.system.state_reader(&actor)?;
    let mut pieces = request.into_body().into_data_stream();
    if let Err(problem) = read(&mut reader, &mut pieces).await {
        drain(pieces).await;
        return Err(problem);
    }
    let state = reader
        .finish()
        .map_err(|error| Problem::from(DataError::from(error)))?;
    Ok(Json(shared.system.import(state).await?))
}

async fn read(reader: &mut StateReader, pieces: &mut BodyDataStream) -> Result<(), Problem> {
    let too_slow = |_elapsed| {
        let message = "the body did not arrive";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", message)
    };
    while let Some(piece) = timeout(PIECE_PATIENCE, pieces.next())
        .await
        .map_err(too_slow)?
    {
        let piece = piece.map_err(|error| Problem::invalid(error.to_string()))?;
        reader.push(&piece).map_err(DataError::from)?;
    }
    Ok(())
}

async fn drain(mut pieces: BodyDataStream) {
    let until = Instant::now() + DRAIN_PATIENCE;
    while let Ok(Some(Ok(_))) = timeout_at(until, pieces.next()).await {}
}
