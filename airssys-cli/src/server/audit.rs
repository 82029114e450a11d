//! What was written down.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use airssys_wasm::core::security::audit::{Action, Decision};
use airssys_wasm::security::audit::error::AuditError;
use airssys_wasm::security::audit::query::{AuditFound, AuditQuery};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::audit_advice::not_audited;
use crate::server::extract::Asked;
use crate::server::problem::Problem;
use crate::server::shared::Shared;
use crate::server::status::Json;

/// Which entries to show.
#[derive(Debug, Deserialize)]
pub(crate) struct ShownQuery {
    /// `namespace/name`, or a namespace.
    component: Option<String>,
    actor: Option<String>,
    action: Option<Action>,
    decision: Option<Decision>,
    since_ms: Option<u64>,
    until_ms: Option<u64>,
    #[serde(default = "some_shown")]
    limit: usize,
}

/// `GET /v1/audit`: the newest first, 10 000 at most.
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<ShownQuery>,
) -> Result<Json<AuditFound>, Problem> {
    let query = AuditQuery {
        component: query.component,
        actor: query.actor,
        action: query.action,
        decision: query.decision,
        since_ms: query.since_ms,
        until_ms: query.until_ms,
        limit: query.limit,
    };
    Ok(Json(shared.system.audit(&query).await?))
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        let failure = not_audited(&error);
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            &failure.kind,
            failure.message,
        )
        .because(failure.cause)
        .next(failure.next)
    }
}

fn some_shown() -> usize {
    AuditQuery::default().limit
}
