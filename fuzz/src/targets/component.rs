//! A component, on its whole way: outlined, inspected, compiled, instantiated, and given a
//! message.

// Layer 1: Standard library imports
use std::sync::{Arc, LazyLock};

// Layer 2: Third-party crate imports
use tokio::runtime::{Builder, Runtime};

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::runtime::compiled::CompiledComponent;
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::inspection::Inspection;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::outline::Outline;
use airssys_wasm::runtime::settings::InstanceSettings;

static ENGINE: LazyLock<Arc<WasmtimeEngine>> = LazyLock::new(|| {
    // Memories out of the slab: what a sanitizer sees of our own there is seen.
    let config = EngineConfig {
        profile: Profile::Density { instances: 16 },
        ..EngineConfig::default()
    };
    Arc::new(WasmtimeEngine::with_config(config).unwrap())
});

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().unwrap()
});

/// The bytes of a component.
pub(crate) fn run(bytes: &[u8]) {
    let outline = Outline::read(bytes);
    let inspected = Inspection::of(bytes);
    if let Ok(inspection) = &inspected {
        let outline = outline.unwrap();
        let names = inspection.imports.iter().map(|it| &it.name);
        assert!(names.eq(&outline.imports), "both see the same imports");
        assert_eq!(inspection.needs, outline.needs);
        serde_json::to_vec(inspection).unwrap();
    }
    // What is larger than this says little and takes long to compile.
    let limits = Limits {
        component_bytes: 8 << 10,
        component_functions: 100,
        function_bytes: 2 << 10,
        memory_bytes: 4 << 20,
        turn_fuel: 100_000,
        turn_wall_ms: 1_000,
        ..Limits::default()
    };
    let loader = ComponentLoader::new(Arc::clone(&ENGINE));
    match loader.load_within(&limits, bytes) {
        Ok(compiled) => {
            assert!(inspected.is_ok(), "what is compiled is valid");
            RUNTIME.block_on(ask(&compiled, limits));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Starts an actor and gives it a message. How it fails is its own affair.
async fn ask(compiled: &Arc<CompiledComponent>, limits: Limits) {
    let address = ComponentId::new("fuzz", "guest", "one");
    let settings = InstanceSettings {
        limits,
        ..InstanceSettings::new(address.clone())
    };
    let mut store = ENGINE.store(compiled, settings, Keyspace::default());
    match store.activate(TurnContext::default()).await {
        Ok(effects) => drop(store.commit(effects)),
        Err(_) => return assert!(!store.is_live()),
    }
    let host = ComponentId::new("airssys", "fuzz", "main");
    let payload = MessagePayload::new("12");
    let message = ComponentMessage::new(host, address, "add".into(), payload);
    let handled = store.handle_message(&message, TurnContext::default());
    if let Ok(report) = handled.await {
        store.commit(report.effects);
    }
}
