//! Components and their versions.

// Layer 1: Standard library imports
use std::path::PathBuf;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use airssys_wasm::core::security::capability::{Capability, UnknownCapability};
use airssys_wasm::system::component_name::ComponentName;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::error::ControlError;
use airssys_wasm::system::signing::Binary;
use airssys_wasm::system::status::ComponentStatus;
use airssys_wasm::system::upgrade::{DeployReport, UpgradeReport};
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::input::{BEGINNING_BYTES, ComponentFile};
use crate::server::extract::{Asked, Body, Component};
use crate::server::problem::Problem;
use crate::server::shared::Shared;
use crate::server::status::Json;

/// What stands before the name of a text that the guest is configured with.
pub(crate) const CONFIG_PREFIX: &str = "config.";

/// What stands before the capability of a grant in a query.
pub(crate) const GRANT_PREFIX: &str = "grant.";

/// What the bytes are called where they are refused, and their signature.
#[derive(Debug, Deserialize)]
pub(crate) struct UpgradeQuery {
    file: Option<String>,
    signature: Option<String>,
}

/// Which version to return to.
#[derive(Debug, Deserialize)]
pub(crate) struct RollbackQuery {
    version: Option<String>,
}

/// `GET /v1/components`.
pub(crate) async fn list(State(shared): State<Arc<Shared>>) -> Json<Vec<ComponentStatus>> {
    Json(shared.system.status().components)
}

/// `POST /v1/components/{namespace}/{name}?config.KEY=VALUE&signature=`: the body is the
/// component.
pub(crate) async fn deploy(
    State(shared): State<Arc<Shared>>,
    Component(name): Component,
    Asked(query): Asked<Vec<(String, String)>>,
    Body(bytes): Body,
) -> Result<Json<DeployReport>, Problem> {
    let mut config = ComponentConfig::new(name.clone());
    let (mut called, mut signature) = (None, None);
    for (key, value) in query {
        match key.strip_prefix(CONFIG_PREFIX) {
            Some(key) => drop(config.config.insert(key.to_owned(), value)),
            None if key.starts_with(GRANT_PREFIX) => {
                let capability = key[GRANT_PREFIX.len()..].parse();
                let capability: Capability = capability
                    .map_err(|unknown: UnknownCapability| Problem::invalid(unknown.to_string()))?;
                config.grants.of_mut(capability).push(value);
            }
            None if key == "file" => called = Some(value),
            None if key == "signature" => signature = Some(value),
            None => return Err(Problem::invalid(format!("unknown parameter `{key}`"))),
        }
    }
    let file = beginning(&bytes, called, &name);
    let added = shared.system.deploy(config, binary(&bytes, signature));
    let added = added.await.map(Json);
    added.map_err(|error| Problem::of_start(error, &file))
}

/// `POST /v1/components/{namespace}/{name}/upgrade?signature=`: the body is the new version.
pub(crate) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Component(name): Component,
    Asked(query): Asked<UpgradeQuery>,
    Body(bytes): Body,
) -> Result<Json<UpgradeReport>, Problem> {
    let file = beginning(&bytes, query.file, &name);
    let binary = binary(&bytes, query.signature);
    let upgraded = shared.system.upgrade(name.as_str(), binary).await;
    upgraded.map(Json).map_err(|error| match error {
        ControlError::Component(error) => Problem::of_component(error, &file),
        error => error.into(),
    })
}

/// `POST /v1/components/{namespace}/{name}/rollback?version=`.
pub(crate) async fn rollback(
    State(shared): State<Arc<Shared>>,
    Component(name): Component,
    Asked(query): Asked<RollbackQuery>,
) -> Result<Json<UpgradeReport>, Problem> {
    let version = query.version.as_deref();
    Ok(Json(shared.system.rollback(name.as_str(), version).await?))
}

fn binary(bytes: &Bytes, signature: Option<String>) -> Binary {
    Binary {
        bytes: bytes.to_vec(),
        signature: signature.map(String::into_bytes),
    }
}

/// What words about a component that cannot be run are made of.
fn beginning(bytes: &Bytes, called: Option<String>, name: &ComponentName) -> ComponentFile {
    ComponentFile {
        path: called.map_or_else(|| PathBuf::from(name.as_str()), PathBuf::from),
        bytes: bytes[..bytes.len().min(BEGINNING_BYTES as usize)].to_vec(),
    }
}
