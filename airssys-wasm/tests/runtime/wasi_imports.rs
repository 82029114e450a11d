//! Importing WASI, whether it is used or not.

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::runtime::errors::{ComponentFault, FaultKind, WasmError};
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::runtime::inspection::Inspection;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::support::{actor, engine, id, message};
use crate::wasi::{REPLY, context, reply, start};

#[tokio::test]
async fn the_rest_of_wasi_may_be_imported_and_refuses_when_it_is_called() {
    let wit = "
        package wasi:keyvalue@0.2.0-draft {
            interface store {
                resource bucket { get: func(key: string) -> option<list<u8>>; }
                open: func(identifier: string) -> bucket;
            }
        }
        world guest {
            include airssys:actor/actor@0.1.0;
            import wasi:keyvalue/store@0.2.0-draft;
        }";
    let wat = format!(
        r#"(module
        (import "wasi:keyvalue/store@0.2.0-draft" "open" (func $open (param i32 i32) (result i32)))
        (func $run (drop (call $open (i32.const 104) (i32.const 1))))
        {REPLY})"#
    );
    let mut store = start(&actor(wit, &wat), Limits::default()).await;
    assert!(!store.component().may_suspend(), "a refusal does not wait");
    let error = store
        .handle_message(&message("", ""), context(2))
        .await
        .unwrap_err();
    let WasmError::RuntimeError(fault) = error else {
        panic!("{error}");
    };
    assert_eq!(fault.kind, FaultKind::Denied);
    assert!(
        fault
            .reason
            .contains("`wasi:keyvalue/store@0.2.0-draft#open` is not granted"),
        "{fault}"
    );
}

/// Makes an actor that imports these functions, each with its core type, and calls none.
fn importing(world: &str, functions: &[(&str, &str, &str)]) -> Vec<u8> {
    let imports: String = functions
        .iter()
        .map(|(interface, function, ty)| {
            format!("(import \"{interface}\" \"{function}\" (func {ty}))")
        })
        .collect();
    actor(world, &format!("(module {imports} (func $run) {REPLY})"))
}

/// Interpreters bring all of WASI, whatever the program in them does.
#[tokio::test]
async fn who_imports_all_of_wasi_starts_without_any_grant() {
    let world = "
        world guest {
            include airssys:actor/actor@0.1.0;
            include wasi:cli/imports@0.2.12;
            include wasi:http/imports@0.2.12;
        }";
    let (take, give) = ("(param i32)", "(result i32)");
    let functions = [
        ("wasi:cli/environment@0.2.12", "get-environment", take),
        ("wasi:cli/exit@0.2.12", "exit", take),
        ("wasi:cli/stdin@0.2.12", "get-stdin", give),
        ("wasi:cli/stdout@0.2.12", "get-stdout", give),
        ("wasi:cli/stderr@0.2.12", "get-stderr", give),
        (
            "wasi:cli/terminal-input@0.2.12",
            "[resource-drop]terminal-input",
            take,
        ),
        (
            "wasi:cli/terminal-output@0.2.12",
            "[resource-drop]terminal-output",
            take,
        ),
        ("wasi:cli/terminal-stdin@0.2.12", "get-terminal-stdin", take),
        (
            "wasi:cli/terminal-stdout@0.2.12",
            "get-terminal-stdout",
            take,
        ),
        (
            "wasi:cli/terminal-stderr@0.2.12",
            "get-terminal-stderr",
            take,
        ),
        ("wasi:clocks/wall-clock@0.2.12", "now", take),
        ("wasi:clocks/monotonic-clock@0.2.12", "now", "(result i64)"),
        ("wasi:filesystem/preopens@0.2.12", "get-directories", take),
        (
            "wasi:filesystem/types@0.2.12",
            "[method]descriptor.sync",
            "(param i32 i32)",
        ),
        (
            "wasi:filesystem/types@0.2.12",
            "[resource-drop]directory-entry-stream",
            take,
        ),
        (
            "wasi:http/outgoing-handler@0.2.12",
            "handle",
            "(param i32 i32 i32 i32)",
        ),
        ("wasi:http/types@0.2.12", "[constructor]fields", give),
        (
            "wasi:http/types@0.2.12",
            "[resource-drop]response-outparam",
            take,
        ),
        ("wasi:io/error@0.2.12", "[resource-drop]error", take),
        ("wasi:io/poll@0.2.12", "[method]pollable.block", take),
        (
            "wasi:io/streams@0.2.12",
            "[resource-drop]output-stream",
            take,
        ),
        (
            "wasi:random/random@0.2.12",
            "get-random-u64",
            "(result i64)",
        ),
        (
            "wasi:random/insecure@0.2.12",
            "get-insecure-random-u64",
            "(result i64)",
        ),
        ("wasi:random/insecure-seed@0.2.12", "insecure-seed", take),
        (
            "wasi:sockets/instance-network@0.2.12",
            "instance-network",
            give,
        ),
        (
            "wasi:sockets/ip-name-lookup@0.2.12",
            "[resource-drop]resolve-address-stream",
            take,
        ),
        (
            "wasi:sockets/network@0.2.12",
            "[resource-drop]network",
            take,
        ),
        ("wasi:sockets/tcp@0.2.12", "[resource-drop]tcp-socket", take),
        (
            "wasi:sockets/tcp-create-socket@0.2.12",
            "create-tcp-socket",
            "(param i32 i32)",
        ),
        (
            "wasi:sockets/udp@0.2.12",
            "[resource-drop]outgoing-datagram-stream",
            take,
        ),
        (
            "wasi:sockets/udp-create-socket@0.2.12",
            "create-udp-socket",
            "(param i32 i32)",
        ),
    ];
    let component = importing(world, &functions);
    let imports = Inspection::of(&component).unwrap().imports;
    assert!(imports.len() >= 29, "{}", imports.len());
    let mut store = start(&component, Limits::default()).await;
    assert!(store.component().may_suspend());
    reply(&mut store, 2).await;
}

/// Nothing ends a guest that waits before its first turn but the deadline.
#[tokio::test]
async fn who_waits_for_ever_while_it_starts_is_stopped() {
    let world = "
        world guest {
            include airssys:actor/actor@0.1.0;
            include wasi:cli/imports@0.2.12;
        }";
    let wat = format!(
        r#"(module
        (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration"
          (func $subscribe (param i64) (result i32)))
        (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
        (func $wait (call $block (call $subscribe (i64.const 3600000000000))))
        (start $wait)
        (func $run)
        {REPLY})"#
    );
    let engine = engine();
    let component = ComponentLoader::new(engine.clone())
        .load_bytes(&actor(world, &wat))
        .unwrap();
    let settings = InstanceSettings {
        limits: Limits {
            turn_wall_ms: 100,
            ..Limits::default()
        },
        ..InstanceSettings::new(id())
    };
    let mut store = engine.store(&component, settings, Keyspace::default());
    let error = store.activate(context(1)).await.unwrap_err();
    assert!(matches!(error, WasmError::Timeout(_)), "{error}");
}

#[test]
fn a_wasi_that_is_not_there_at_all_is_refused_at_once() {
    let wit = "
        package wasi:clocks@0.3.0 { interface monotonic-clock { now: func() -> u64; } }
        world guest {
            include airssys:actor/actor@0.1.0;
            import wasi:clocks/monotonic-clock@0.3.0;
        }";
    let wat = format!(
        r#"(module
        (import "wasi:clocks/monotonic-clock@0.3.0" "now" (func $now (result i64)))
        (func $run (drop (call $now)))
        {REPLY})"#
    );
    let loaded = ComponentLoader::new(engine()).load_bytes(&actor(wit, &wat));
    assert_eq!(
        loaded.err(),
        Some(WasmError::InvalidComponent(ComponentFault::ImportVersion {
            import: "wasi:clocks/monotonic-clock@0.3.0".into(),
            offered: "0.2".into(),
        }))
    );
}
