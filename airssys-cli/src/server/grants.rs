//! What components are granted.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::system::component_name::ComponentName;
use axum::extract::State;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::server::extract::{Asked, Component};
use crate::server::problem::Problem;
use crate::server::shared::Shared;
use crate::server::status::Json;

/// What is granted to a component.
#[derive(Debug, Serialize)]
pub(crate) struct Granted {
    component: ComponentName,
    granted: Capabilities,
}

/// What is to be granted or revoked.
#[derive(Debug, Deserialize)]
pub(crate) struct GrantQuery {
    capability: Capability,
    pattern: String,
}

/// `GET /v1/components/{namespace}/{name}/grants`.
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    Component(name): Component,
) -> Result<Json<Granted>, Problem> {
    granted(&shared, name)
}

/// `POST /v1/components/{namespace}/{name}/grants?capability=&pattern=`.
pub(crate) async fn grant(
    State(shared): State<Arc<Shared>>,
    Component(name): Component,
    Asked(query): Asked<GrantQuery>,
) -> Result<Json<Granted>, Problem> {
    shared
        .system
        .grant(name.as_str(), query.capability, &query.pattern)?;
    granted(&shared, name)
}

/// `DELETE /v1/components/{namespace}/{name}/grants?capability=&pattern=`.
pub(crate) async fn revoke(
    State(shared): State<Arc<Shared>>,
    Component(name): Component,
    Asked(query): Asked<GrantQuery>,
) -> Result<Json<Granted>, Problem> {
    shared
        .system
        .revoke(name.as_str(), query.capability, &query.pattern)?;
    granted(&shared, name)
}

fn granted(shared: &Shared, component: ComponentName) -> Result<Json<Granted>, Problem> {
    let granted = shared.system.grants(component.as_str())?;
    Ok(Json(Granted { component, granted }))
}
