//! Topics.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::server::actors::in_trace;
use crate::server::extract::{Asked, Body};
use crate::server::problem::Problem;
use crate::server::shared::Shared;
use crate::server::status::Json;

/// What is published.
#[derive(Debug, Deserialize)]
pub(crate) struct PublishQuery {
    #[serde(default)]
    kind: String,
}

/// How many actors get it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Receivers {
    pub(crate) receivers: usize,
}

/// `POST /v1/topics/{topic}`: the body is the payload.
pub(crate) async fn publish(
    State(shared): State<Arc<Shared>>,
    Path(topic): Path<String>,
    Asked(query): Asked<PublishQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Receivers>, Problem> {
    let payload = MessagePayload::from(body);
    let system = in_trace(&shared.system, &headers);
    let receivers = system.publish(&topic, query.kind, payload).await?;
    Ok(Json(Receivers { receivers }))
}
