//! The layouts of instances in memory, and their room.

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::limits::{Limit, LimitExceeded};
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::report::TurnOutcome;
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

/// Writes 7 at the address in the payload, where only the first page is its own, and
/// replies with the byte that was there.
fn poke() -> Vec<u8> {
    let wat = r#"(module
        (memory (export "memory") 1)
        (data (i32.const 16) "\00\00\00\00" "\01\00\00\00" "\20\00\00\00" "\01\00\00\00")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "airssys:actor/handler@0.1.0#handle-message")
          (param $sender i32) (param i32) (param i32) (param i32) (param i64)
          (param $payload i32) (param i32) (result i32)
          (local $at i32)
          (local.set $at (i32.load (local.get $payload)))
          (i32.store8 (i32.const 32) (i32.load8_u (local.get $at)))
          (i32.store8 (local.get $at) (i32.const 7))
          (i32.const 16)))"#;
    actor("world guest { include airssys:actor/actor@0.1.0; }", wat)
}

/// No layout lets a guest reach beyond the memory that it has, be it by a byte or by
/// gigabytes, or see what another guest left there.
#[tokio::test]
async fn memory_ends_where_it_ends_in_every_profile() {
    for layout in [
        Profile::Throughput { instances: 2 },
        Profile::Density { instances: 2 },
        Profile::OnDemand,
    ] {
        let engine = engine_with(profile(layout));
        for beyond in [
            65_536_u32,
            65_537,
            131_072,
            67_108_863,
            67_108_864,
            u32::MAX,
        ] {
            let mut store = start(&engine, &poke()).await.unwrap();
            let last = poke_at(&mut store, 65_535).await.unwrap();
            assert_eq!(last, 0, "{layout:?}: what an earlier guest wrote");
            assert_eq!(poke_at(&mut store, 65_535).await.unwrap(), 7);
            let error = poke_at(&mut store, beyond).await.unwrap_err();
            assert!(
                matches!(&error, WasmError::RuntimeError(f) if f.kind == FaultKind::OutOfBounds),
                "{layout:?} at {beyond}: {error}"
            );
        }
    }
}

async fn poke_at(store: &mut StoreManager, address: u32) -> Result<u8, WasmError> {
    let payload = MessagePayload::new(address.to_le_bytes().to_vec());
    let poke = ComponentMessage::new(id(), id(), String::new(), payload);
    let report = store.handle_message(&poke, TurnContext::default()).await?;
    let TurnOutcome::Replied(Some(reply)) = report.outcome else {
        panic!("it replies");
    };
    Ok(reply.as_bytes()[0])
}
