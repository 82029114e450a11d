//! Which request goes where, and serving them.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

// Layer 3: Internal module imports
use crate::server::connections::{Connections, HEAD_PATIENCE};
use crate::server::guard::{check_length, guard};
use crate::server::places::take_place;
use crate::server::problem::Problem;
use crate::server::shared::Shared;
use crate::server::{
    actors, audit, components, data, dead_letters, grants, logs, policy, status, topics,
};

/// Answers requests until `end` is sent or dropped, and then those that are under way.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, end: oneshot::Receiver<()>) {
    let ended = async {
        // Dropped is as good as sent.
        drop(end.await);
    };
    let connections = Connections {
        places: Arc::clone(&shared.places.connections),
        head_patience: HEAD_PATIENCE,
    };
    connections.serve(listener, router(shared), ended).await;
}

fn router(shared: Arc<Shared>) -> Router {
    // What may take long, by itself or by the size of its body.
    let long_requests = shared.places.long_requests.clone();
    let long = long(&shared).layer(from_fn_with_state(long_requests, take_place));
    Router::new()
        .merge(long)
        .merge(short())
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared)
}

fn long(shared: &Shared) -> Router<Arc<Shared>> {
    let messages = Router::new()
        .route(
            "/v1/actors/{namespace}/{name}/{instance}/ask",
            post(actors::ask),
        )
        .route(
            "/v1/actors/{namespace}/{name}/{instance}/send",
            post(actors::send),
        )
        .route("/v1/topics/{topic}", post(topics::publish))
        .layer(from_fn_with_state(shared.sizes.message, check_length))
        .layer(DefaultBodyLimit::max(shared.sizes.message));
    let versions = Router::new()
        .route(
            "/v1/components/{namespace}/{name}",
            post(components::deploy),
        )
        .route(
            "/v1/components/{namespace}/{name}/upgrade",
            post(components::upgrade),
        )
        .layer(from_fn_with_state(shared.sizes.component, check_length))
        .layer(DefaultBodyLimit::max(shared.sizes.component));
    Router::new()
        .merge(messages)
        .merge(versions)
        .route(
            "/v1/actors/{namespace}/{name}/{instance}/state",
            get(data::export).post(data::import),
        )
        .route("/v1/backup", post(data::backup))
}

fn short() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/status", get(status::status))
        .route("/v1/resume", post(status::resume))
        .route("/v1/actors", get(actors::list))
        .route(
            "/v1/actors/{namespace}/{name}/{instance}",
            get(actors::inspect),
        )
        .route(
            "/v1/actors/{namespace}/{name}/{instance}/stop",
            post(actors::stop),
        )
        .route("/v1/components", get(components::list))
        .route(
            "/v1/components/{namespace}/{name}/rollback",
            post(components::rollback),
        )
        .route(
            "/v1/components/{namespace}/{name}/grants",
            get(grants::show).post(grants::grant).delete(grants::revoke),
        )
        .route(
            "/v1/dead-letters",
            get(dead_letters::list).delete(dead_letters::drop_many),
        )
        .route(
            "/v1/dead-letters/{id}",
            get(dead_letters::show).delete(dead_letters::drop_one),
        )
        .route("/v1/dead-letters/{id}/retry", post(dead_letters::retry))
        .route("/v1/dead-letters/{id}/replay", post(dead_letters::replay))
        .route(
            "/v1/policy",
            get(policy::show).post(policy::set).delete(policy::remove),
        )
        .route("/v1/policy/reload", post(policy::reload))
        .route("/v1/logs", get(logs::logs))
        .route("/v1/audit", get(audit::show))
}

async fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown-path",
        "there is nothing at this path",
    )
    .next("everything is below /v1; /v1/status is a beginning")
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-method",
        "this path takes another method",
    )
}
