//! Actors: messages to them, and what they are doing.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::system::asking::DEFAULT_PATIENCE;
use airssys_wasm::system::handle::System;
use airssys_wasm::system::status::ActorStatus;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::server::extract::{Actor, Asked, Body, check_wait};
use crate::server::problem::Problem;
use crate::server::shared::Shared;
use crate::server::status::Json;

/// The header with the id that the sender gives a message, so that it is handled once
/// however often it is sent. HTTP's draft of an `Idempotency-Key` calls it so.
pub(crate) const ID_HEADER: &str = "idempotency-key";

/// How to ask.
#[derive(Debug, Deserialize)]
pub(crate) struct AskQuery {
    #[serde(default)]
    kind: String,
    timeout_ms: Option<u64>,
}

/// How to send.
#[derive(Debug, Deserialize)]
pub(crate) struct SendQuery {
    #[serde(default)]
    kind: String,
    /// How long to wait for space in a full mailbox.
    wait_ms: Option<u64>,
}

/// Which actors to list.
#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default = "most_listed")]
    limit: usize,
}

/// `POST /v1/actors/{namespace}/{name}/{instance}/ask`: the body is the payload, and the
/// answer's is the reply. 204 if there is none.
pub(crate) async fn ask(
    State(shared): State<Arc<Shared>>,
    Actor(to): Actor,
    Asked(query): Asked<AskQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut patience = DEFAULT_PATIENCE;
    if let Some(timeout_ms) = query.timeout_ms {
        check_wait(timeout_ms)?;
        patience = Duration::from_millis(timeout_ms);
    }
    let system = in_trace(&shared.system, &headers);
    let message = system.message(&to, query.kind, MessagePayload::from(body));
    let message = with_id(message, &headers)?;
    let asked = system.ask_within(message, patience).await;
    let reply = asked.map_err(|error| Problem::of_ask(&to, error))?;
    Ok(match reply {
        Some(reply) => {
            let kind = [(CONTENT_TYPE, "application/octet-stream")];
            (kind, reply.into_bytes()).into_response()
        }
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// `POST /v1/actors/{namespace}/{name}/{instance}/send`: the body is the payload. 202 when
/// the message is in the mailbox.
pub(crate) async fn send(
    State(shared): State<Arc<Shared>>,
    Actor(to): Actor,
    Asked(query): Asked<SendQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let system = in_trace(&shared.system, &headers);
    let message = system.message(&to, query.kind, MessagePayload::from(body));
    let message = with_id(message, &headers)?;
    let sent = match query.wait_ms {
        None => system.send_message(message).await,
        Some(wait_ms) => {
            check_wait(wait_ms)?;
            let patience = Duration::from_millis(wait_ms);
            system.send_when_space(message, patience).await
        }
    };
    sent.map_err(|refused| Problem::of_refusal(&to, refused.reason))?;
    Ok(StatusCode::ACCEPTED)
}

/// `GET /v1/actors`: those that are live.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<ListQuery>,
) -> Json<Vec<ActorStatus>> {
    let mut actors = shared.system.list();
    actors.truncate(query.limit);
    Json(actors)
}

/// `GET /v1/actors/{namespace}/{name}/{instance}`: one, live or not.
pub(crate) async fn inspect(
    State(shared): State<Arc<Shared>>,
    Actor(actor): Actor,
) -> Result<Json<ActorStatus>, Problem> {
    Ok(Json(shared.system.inspect(&actor)?))
}

/// `POST /v1/actors/{namespace}/{name}/{instance}/stop`.
pub(crate) async fn stop(
    State(shared): State<Arc<Shared>>,
    Actor(actor): Actor,
) -> Result<Json<ActorStatus>, Problem> {
    shared.system.stop(&actor)?;
    Ok(Json(shared.system.inspect(&actor)?))
}

/// The system, for a request that is part of a trace. A malformed header is as good as none,
/// as the specification asks.
pub(crate) fn in_trace(system: &System, headers: &HeaderMap) -> System {
    let header = headers.get("traceparent");
    match header.and_then(|value| value.to_str().ok()) {
        Some(trace_parent) => system.in_trace(trace_parent),
        None => system.clone(),
    }
}

/// The message with the id that its request has, if it has one.
fn with_id(message: ComponentMessage, headers: &HeaderMap) -> Result<ComponentMessage, Problem> {
    let mut ids = headers.get_all(ID_HEADER).iter();
    match (ids.next(), ids.next()) {
        (None, _) => Ok(message),
        (Some(id), None) => match str::from_utf8(id.as_bytes()) {
            Ok(id) => Ok(message.with_id(id)),
            Err(_) => Err(Problem::invalid("an `Idempotency-Key` is UTF-8")),
        },
        (Some(_), Some(_)) => Err(Problem::invalid("there are several `Idempotency-Key`s")),
    }
}

fn most_listed() -> usize {
    10_000
}
