//! The engine's synchronous face.

// Layer 1: Standard library imports
use std::thread;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::handle::ComponentHandle;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::runtime::errors::{FaultKind, MissingExport, WasmError};
use airssys_wasm::core::runtime::traits::RuntimeEngine;
use airssys_wasm::runtime::engine::WasmtimeEngine;

use crate::support::{actor, engine, guest, id, message};

/// Through the trait, as an embedder would who does not care for the engine.
fn ask(
    engine: &impl RuntimeEngine,
    handle: &ComponentHandle,
    kind: &str,
    payload: &str,
) -> Result<String, WasmError> {
    let reply = engine.call_handle_message(handle, &message(kind, payload))?;
    let reply = reply.unwrap_or_default();
    Ok(String::from_utf8(reply.as_bytes().to_vec()).unwrap())
}

#[test]
fn state_is_kept_between_calls_and_through_a_trap() {
    let engine = engine();
    let engine = engine.as_ref();
    let counter = RuntimeEngine::load_component(engine, &id(), &guest("counter")).unwrap();
    assert_eq!(ask(engine, &counter, "add", "2").unwrap(), "2");
    for (kind, expected) in [
        ("add-then-reject", FaultKind::Rejected),
        ("add-then-retry", FaultKind::RetryRequested),
        ("add-then-trap", FaultKind::Unreachable),
    ] {
        let Err(WasmError::RuntimeError(fault)) = ask(engine, &counter, kind, "7") else {
            panic!("{kind} fails");
        };
        assert_eq!(fault.kind, expected);
        assert_eq!(ask(engine, &counter, "get", "").unwrap(), "2");
    }
}

#[test]
fn equal_components_share_their_code_and_not_their_state() {
    let engine = engine();
    let first = engine.load_component(&id(), &guest("counter")).unwrap();
    let second = engine.load_component(&id(), &guest("counter")).unwrap();
    assert_eq!(ask(&*engine, &first, "add", "2").unwrap(), "2");
    assert_eq!(ask(&*engine, &second, "get", "").unwrap(), "0");
    engine.unload_component(&first).unwrap();
    assert_eq!(ask(&*engine, &second, "add", "1").unwrap(), "1");
    assert_eq!(
        ask(&*engine, &first, "get", ""),
        Err(WasmError::ComponentNotFound("test/guest/one".into()))
    );
}

#[test]
fn replies_to_requests_are_callbacks() {
    let engine = engine();
    let relay = engine.load_component(&id(), &guest("relay")).unwrap();
    let reply = message("reply", "fine").with_correlation(5);
    RuntimeEngine::call_handle_callback(&*engine, &relay, &reply).unwrap();
    assert_eq!(ask(&*engine, &relay, "outcome", "5").unwrap(), "ok: fine");
}

#[test]
fn what_is_not_exported_is_named() {
    let engine = engine();
    let minimal = std::fs::read("tests/fixtures/minimal-component.wasm").unwrap();
    let minimal = engine.load_component(&id(), &minimal).unwrap();
    let missing = |export: &str| {
        WasmError::ExportNotFound(MissingExport {
            export: export.into(),
            found: None,
        })
    };
    assert_eq!(
        ask(&*engine, &minimal, "", ""),
        Err(missing("airssys:actor/handler@0.1.0"))
    );
    let reverse = engine.load_component(&id(), &guest("reverse")).unwrap();
    assert_eq!(
        engine.call_handle_callback(&reverse, &message("", "")),
        Err(missing("airssys:actor/callback@0.1.0"))
    );
}

#[test]
fn a_guest_that_waits_can_be_called_from_anywhere() {
    let engine = engine();
    let caller = engine.load_component(&id(), &guest("caller")).unwrap();
    let call = r#"{"target": "a/b/c", "kind": "", "text": "", "timeout_ms": 1000}"#;
    let unavailable = |result: Result<String, WasmError>| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("unavailable"), "{error}");
    };
    unavailable(ask(&*engine, &caller, "call", call));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async { unavailable(ask(&*engine, &caller, "call", call)) });
}

#[test]
fn nobody_delivers_and_the_guest_is_told() {
    let engine = engine();
    let relay = engine.load_component(&id(), &guest("relay")).unwrap();
    let send = r#"{"target": "a/b/c", "kind": "", "text": ""}"#;
    let error = ask(&*engine, &relay, "send", send).unwrap_err().to_string();
    assert!(error.contains("delivers no messages"), "{error}");
}

#[test]
fn threads_call_side_by_side() {
    let engine = engine();
    let handles: Vec<ComponentHandle> = (0..4)
        .map(|_| engine.load_component(&id(), &guest("counter")).unwrap())
        .collect();
    thread::scope(|scope| {
        for handle in handles.iter().chain(&handles) {
            scope.spawn(|| {
                for _ in 0..50 {
                    ask(&*engine, handle, "add", "1").unwrap();
                }
            });
        }
    });
    for handle in &handles {
        assert_eq!(ask(&*engine, handle, "get", "").unwrap(), "100");
    }
}

/// Calls `price` and replies with one byte for each unit of it.
fn shopper() -> Vec<u8> {
    let wit = "
        package shop:prices@1.0.0 { interface tariff { price: func() -> u32; } }
        world guest {
            include airssys:actor/actor@0.1.0;
            import shop:prices/tariff@1.0.0;
        }";
    let wat = r#"(module
        (import "shop:prices/tariff@1.0.0" "price" (func $price (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "\00\00\00\00" "\01\00\00\00" "\64\00\00\00")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "airssys:actor/handler@0.1.0#handle-message")
          (param i32 i32 i32 i32 i64 i32 i32) (result i32)
          (i32.store (i32.const 28) (call $price))
          (i32.const 16)))"#;
    actor(wit, wat)
}

#[test]
fn an_embedder_can_offer_an_interface_of_its_own() {
    let mut engine = WasmtimeEngine::new().unwrap();
    let refused = engine.load_component(&id(), &shopper()).unwrap_err();
    assert!(
        refused.to_string().contains("shop:prices/tariff@1.0.0"),
        "{refused}"
    );

    let offered = engine.offer("shop:prices/tariff@1.0.0", |tariff| {
        tariff.func_wrap("price", |mut store, (): ()| {
            let buyer = &store.data_mut().host().component_id;
            Ok((buyer.name().len() as u32,))
        })
    });
    offered.unwrap();
    let shopper = engine.load_component(&id(), &shopper()).unwrap();
    let reply = engine
        .call_handle_message(&shopper, &message("", ""))
        .unwrap();
    assert_eq!(reply.unwrap().len(), "guest".len());

    let again = engine.offer("shop:prices/tariff@1.0.0", |tariff| {
        tariff.func_wrap("price", |_, (): ()| Ok((1_u32,)))
    });
    assert!(matches!(again, Err(WasmError::InstantiationFailed(_))));
}

#[test]
fn a_message_keeps_what_it_was_given() {
    let message: ComponentMessage = message("kind", "text").with_correlation(9);
    assert_eq!(message.correlation(), 9);
    assert_eq!(message.message_type(), "kind");
    assert_eq!(message.payload(), &MessagePayload::new("text"));
}
