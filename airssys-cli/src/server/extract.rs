//! Reading requests, and refusing malformed ones as JSON.

// Layer 1: Standard library imports
use std::str::FromStr;
use std::time::Duration;

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::messaging::dead_letters::DeadLetterId;
use airssys_wasm::system::component_name::ComponentName;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

// Layer 3: Internal module imports
use crate::server::problem::Problem;

/// How long the body of a request may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(60);

/// The longest that a request may ask to wait, in milliseconds: an hour.
const MAX_WAIT_MS: u64 = 3_600_000;

/// The query of a request.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = Query::try_from_uri(&parts.uri);
        query
            .map(|Query(query)| Self(query))
            .map_err(|error| Problem::invalid(error.body_text()))
    }
}

/// The actor of a path with `{namespace}/{name}/{instance}`.
pub(crate) struct Actor(pub(crate) ComponentId);

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (namespace, name, instance) = path::<(String, String, String), S>(parts, state).await?;
        parsed(&format!("{namespace}/{name}/{instance}")).map(Self)
    }
}

/// The component of a path with `{namespace}/{name}`.
pub(crate) struct Component(pub(crate) ComponentName);

impl<S: Send + Sync> FromRequestParts<S> for Component {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (namespace, name) = path::<(String, String), S>(parts, state).await?;
        parsed(&format!("{namespace}/{name}")).map(Self)
    }
}

/// The dead letter of a path with `{id}`.
pub(crate) struct Letter(pub(crate) DeadLetterId);

impl<S: Send + Sync> FromRequestParts<S> for Letter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = path::<String, S>(parts, state).await?;
        id.parse().map(Self).map_err(|_| {
            Problem::invalid(format!("`{id}` is no number of a dead letter"))
                .next("`airssys dead list` has their numbers")
        })
    }
}

/// The body, as large as its route allows.
pub(crate) struct Body(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = timeout(BODY_PATIENCE, Bytes::from_request(request, state)).await;
        let read = read.map_err(|_elapsed| {
            Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                "the body did not arrive",
            )
        })?;
        read.map(Self).map_err(|rejection| {
            let message = rejection.body_text();
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(&message),
                _ => Problem::invalid(message),
            }
        })
    }
}

impl From<Body> for MessagePayload {
    fn from(body: Body) -> Self {
        Self::new(body.0)
    }
}

/// Checks how long a request asks to wait.
///
/// # Errors
///
/// When that is longer than an hour.
pub(crate) fn check_wait(wait_ms: u64) -> Result<(), Problem> {
    match wait_ms {
        0..=MAX_WAIT_MS => Ok(()),
        _ => Err(Problem::invalid(format!(
            "nobody waits for {wait_ms} ms; the most is {MAX_WAIT_MS}, an hour"
        ))),
    }
}

/// Reads an address or a name.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid-address",
            error.to_string(),
        )
    })
}

async fn path<T, S>(parts: &mut Parts, state: &S) -> Result<T, Problem>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    let read = Path::<T>::from_request_parts(parts, state).await;
    read.map(|Path(path)| path)
        .map_err(|error| Problem::invalid(error.body_text()))
}
