//! The layouts of instances in memory, and their room.

// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, LimitExceeded};
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;
use airssys_wasm::runtime::store::StoreManager;

use crate::support::{actor, engine_with, guest, id, message};

fn profile(profile: Profile) -> EngineConfig {
    EngineConfig {
        profile,
        ..EngineConfig::default()
    }
}

async fn start(
    engine: &std::sync::Arc<WasmtimeEngine>,
    bytes: &[u8],
) -> Result<StoreManager, WasmError> {
    let component = ComponentLoader::new(engine.clone()).load_bytes(bytes)?;
    let mut store = engine.store(&component, InstanceSettings::new(id()), Keyspace::default());
    store.activate(TurnContext::default()).await?;
    Ok(store)
}

#[tokio::test]
async fn a_full_engine_says_so_and_has_room_again() {
    for full in [
        Profile::Throughput { instances: 3 },
        Profile::Density { instances: 3 },
    ] {
        let engine = engine_with(profile(full));
        let echo = guest("echo");
        let mut live = Vec::new();
        for _ in 0..3 {
            live.push(start(&engine, &echo).await.unwrap());
        }
        let expected = LimitExceeded::beyond(Limit::Instances, 3);
        assert_eq!(
            start(&engine, &echo).await.err(),
            Some(WasmError::ResourceLimitExceeded(expected)),
            "{full:?}"
        );
        live.pop();
        live.push(start(&engine, &echo).await.unwrap());
        for store in &mut live {
            let message = message("", "still here");
            let turn = store.handle_message(&message, TurnContext::default());
            turn.await.unwrap();
        }
    }
}

/// Twelve tables are more than a slot of the pool has.
#[tokio::test]
async fn what_does_not_fit_the_pool_runs_outside_of_it() {
    let tables = "(table 1 funcref)".repeat(12);
    let wat = format!(
        r#"(module
        {tables}
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "airssys:actor/handler@0.1.0#handle-message")
          (param i32 i32 i32 i32 i64 i32 i32) (result i32)
          (i32.const 16)))"#
    );
    let large = actor("world guest { include airssys:actor/actor@0.1.0; }", &wat);
    let engine = engine_with(profile(Profile::Throughput { instances: 1 }));
    let pooled = start(&engine, &guest("echo")).await.unwrap();
    let mut outside = Vec::new();
    for _ in 0..3 {
        let mut store = start(&engine, &large).await.unwrap();
        let message = message("", "");
        let turn = store.handle_message(&message, TurnContext::default());
        turn.await.unwrap();
        outside.push(store);
    }
    assert!(pooled.is_live());
}

#[test]
fn impossible_configurations_are_refused_with_the_reason() {
    for config in [
        profile(Profile::Density { instances: 0 }),
        profile(Profile::Density {
            instances: u32::MAX,
        }),
        EngineConfig {
            max_memory_bytes: 1_000,
            ..profile(Profile::Density { instances: 1 })
        },
    ] {
        let refused = WasmtimeEngine::with_config(config).err();
        assert!(
            matches!(&refused, Some(WasmError::InstantiationFailed(why)) if why.contains("slot") || why.contains("address space")),
            "{refused:?}"
        );
    }
}
