//! Components and engines for the tests.

// Layer 1: Standard library imports
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;

pub(crate) fn guest(name: &str) -> Vec<u8> {
    let path = PathBuf::from("../guests/bin")
        .join(name)
        .with_extension("wasm");
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// An engine that is quick to make.
pub(crate) fn engine() -> Arc<WasmtimeEngine> {
    engine_with(EngineConfig {
        profile: Profile::OnDemand,
        ..EngineConfig::default()
    })
}

pub(crate) fn engine_with(config: EngineConfig) -> Arc<WasmtimeEngine> {
    Arc::new(WasmtimeEngine::with_config(config).expect("an engine"))
}

pub(crate) fn id() -> ComponentId {
    ComponentId::new("test", "guest", "one")
}

pub(crate) fn message(kind: &str, payload: &str) -> ComponentMessage {
    let from = ComponentId::new("airssys", "test", "main");
    let payload = MessagePayload::new(payload.as_bytes().to_vec());
    ComponentMessage::new(from, id(), kind.to_owned(), payload)
}

/// Makes an actor out of a core module in text form, which imports what `wit` defines:
/// packages, and in the end `world guest` with its imports.
pub(crate) fn actor(wit: &str, wat: &str) -> Vec<u8> {
    let module = wat::parse_str(wat).expect("wat");
    componentize(wit, &module).expect("a component")
}

/// Makes an actor out of a core module.
pub(crate) fn componentize(wit: &str, module: &[u8]) -> Result<Vec<u8>, String> {
    let (resolve, world) = guest_world(wit);
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .and_then(|()| ComponentEncoder::default().validate(true).module(&module))
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("{error:#}"))
}

/// The `world guest` that `wit` defines.
pub(crate) fn guest_world(wit: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    resolve.push_dir("../wit").expect("the guest contract");
    let world = format!("package test:guest;\n{wit}");
    if world.contains("include wasi:") {
        // WASI as it is, for those who want more than they define.
        let wasi = resolve.push_dir("../guests/outsider/wit");
        wasi.expect("WASI");
    }
    let package = resolve.push_str("guest.wit", &world).expect("wit");
    let world = resolve
        .select_world(&[package], Some("guest"))
        .expect("a world");
    (resolve, world)
}
