//! Guests that never end, or trap, where the host calls them besides their messages.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wit_parser::abi::{AbiVariant, WasmType};

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::error::ControlError;

use crate::support::{ACTOR, HOSTILE, alone, ask, failure, siege, siege_by_all, try_ask, until};
use crate::wat::{actor, contract, handling, module};

const LOOP: &str = "(loop $l (br $l)) (unreachable)";
const TRAP: &str = "(unreachable)";
const GARBAGE: &str = "(i32.const -4)";

/// An actor that answers messages, and exports this function of an optional interface with
/// this body.
fn with(interface: &str, function: &str, body: &str) -> Vec<u8> {
    actor(
        &module(&export(interface, function, body), "(i32.const 4096)"),
        &[interface],
    )
}

fn export(interface: &str, name: &str, body: &str) -> String {
    let (resolve, package) = contract();
    let id = resolve.packages[package].interfaces[interface];
    let mut fields = String::new();
    for function in resolve.interfaces[id].functions.values() {
        let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
        let word = |of: &WasmType| match of {
            WasmType::I64 | WasmType::PointerOrI64 => " i64",
            _ => " i32",
        };
        let parameters: String = signature.params.iter().map(word).collect();
        let result: String = signature.results.iter().map(word).collect();
        // The others do nothing, and say that all is well.
        let well = if result.is_empty() {
            ""
        } else {
            "(i32.const 4096)"
        };
        let body = if function.name == name { body } else { well };
        fields += &format!(
            "(func (export \"airssys:actor/{interface}@0.1.0#{}\")
               (param{parameters}) (result{result}) {body})\n",
            function.name
        );
    }
    fields
}

fn short(component: &mut ComponentConfig) {
    component.limits.turn_fuel = 2_000_000;
}

#[test]
fn an_init_that_never_ends_or_fails() {
    let _alone = alone();
    let bombs = vec![
        ("turn_fuel allows", with("lifecycle", "init", LOOP)),
        ("gave up", with("lifecycle", "init", TRAP)),
        ("malformed data", with("lifecycle", "init", GARBAGE)),
    ];
    siege_by_all(bombs, short, async |system, word, actor| {
        let why = failure(system, actor, "", "").await;
        assert!(why.contains(word), "{why}");
    });
}

/// The actor is taken out of memory all the same.
#[test]
fn a_shutdown_that_never_ends_or_fails() {
    let _alone = alone();
    let bombs = vec![
        ("loop", with("lifecycle", "shutdown", "(loop $l (br $l))")),
        ("trap", with("lifecycle", "shutdown", TRAP)),
    ];
    siege_by_all(bombs, short, async |system, _, actor| {
        assert_eq!(ask(system, actor, "", "").await, "");
        let is_gone = || system.list().iter().all(|it| it.address.as_str() != actor);
        until("it is passivated", is_gone).await;
    });
}

/// The reply that it does not take is a dead letter, and the request is closed.
#[test]
fn a_callback_that_never_ends_or_fails() {
    let _alone = alone();
    let requesting = |body: &str| {
        let import = r#"(import "airssys:actor/messaging@0.1.0" "request"
            (func $request (param i32 i32 i32 i32 i32 i32 i32 i32)))
            (data (i32.const 2048) "evil/victim/a")"#;
        let request = "(call $request (i32.const 2048) (i32.const 13) (i32.const 0) (i32.const 0)
            (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 3072)) (i32.const 4096)";
        let callback = export("callback", "handle-callback", body);
        let fields = format!("{import} (memory (export \"memory\") 2) {callback}");
        actor(&module(&fields, request), &["callback"])
    };
    let bombs = vec![
        ("turn_fuel allows", requesting(LOOP)),
        ("gave up", requesting(TRAP)),
        ("malformed data", requesting(GARBAGE)),
    ];
    siege(
        |it| {
            let it = it.component("evil/victim", handling("", "(i32.const 4096)"));
            bombs
                .into_iter()
                .enumerate()
                .fold(it, |it, (number, (_, bytes))| {
                    it.component_with(&format!("{HOSTILE}-{number}"), bytes, short)
                })
        },
        async |system| {
            for (number, word) in ["turn_fuel allows", "gave up", "malformed data"]
                .iter()
                .enumerate()
            {
                let actor = format!("{HOSTILE}-{number}/a");
                let letters = || system.dead_letters(Some(&actor), None, 10);
                let before = letters().len();
                drop(try_ask(system, &actor, "", "").await);
                until("the callback failed", || {
                    letters().len() > before || before == 10
                })
                .await;
                let why = letters().pop().map(|(_, it)| it.reason.to_string());
                assert!(
                    why.as_ref().is_some_and(|why| why.contains(word)),
                    "{why:?}"
                );
            }
            until("no request is open", || system.status().open.requests == 0).await;
        },
    );
}

/// A version whose `migrate` does not end: its actors fail until the one before is back.
#[test]
fn a_migration_that_never_ends_or_fails() {
    let _alone = alone();
    // It sets a key, or removes it when there is a payload: only who has state migrates.
    let writes = {
        let import = r#"(import "airssys:actor/storage@0.1.0" "set"
              (func $set (param i32 i32 i32 i32 i32)))
            (import "airssys:actor/storage@0.1.0" "remove"
              (func $remove (param i32 i32 i32)))"#;
        let body = "(if (local.get $payload-bytes)
              (then (call $remove (i32.const 0) (i32.const 1) (i32.const 3072)))
              (else (call $set (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 3072))))
            (i32.const 4096)";
        handling(import, body)
    };
    let bombs = [LOOP, TRAP, GARBAGE].map(|body| with("migration", "migrate", body));
    siege(
        |it| {
            it.component_with(HOSTILE, writes, |it| {
                short(it);
                it.upgrade.max_failures = 1;
            })
        },
        async |system| {
            assert_eq!(ask(system, ACTOR, "", "").await, "");
            for bytes in &bombs {
                let version = || {
                    let status = system.status();
                    let mut found = status.components.into_iter();
                    found
                        .find(|it| it.name == HOSTILE)
                        .expect("it is there")
                        .version
                };
                let before = version();
                match system.upgrade(HOSTILE, bytes.clone()).await {
                    Err(ControlError::TrialFailed { .. }) => {}
                    Ok(report) if report.is_reverted => {}
                    Ok(_) => {
                        // It may fail once, at the switch or, if it was passivated, here.
                        for _ in 0..2 {
                            let _failed = try_ask(system, ACTOR, "", "").await;
                        }
                        until("the one before is back", || version() == before).await;
                    }
                    Err(other) => panic!("{other}"),
                }
                assert_eq!(version(), before);
                assert_eq!(ask(system, ACTOR, "", "").await, "");
            }
            assert_eq!(ask(system, ACTOR, "", "x").await, "");
        },
    );
}

/// These two a host asks only when somebody wants to know.
#[test]
fn what_a_guest_says_of_itself_never_ends_or_is_none() {
    let _alone = alone();
    let config = EngineConfig {
        profile: Profile::OnDemand,
        ..EngineConfig::default()
    };
    let engine = Arc::new(WasmtimeEngine::with_config(config).expect("an engine"));
    let loader = ComponentLoader::new(Arc::clone(&engine));
    let load = |bytes: Vec<u8>| loader.load_bytes(&bytes).expect("a component");
    let bodies = [
        ("turn_fuel allows", LOOP),
        ("gave up", TRAP),
        ("malformed data", GARBAGE),
    ];
    let bombs = bodies.map(|(word, body)| {
        let metadata = load(with("metadata", "describe", body));
        let health = load(with("health", "check", body));
        (word, metadata, health)
    });
    siege(
        |it| it,
        async |_| {
            for (word, metadata, health) in &bombs {
                let settings = InstanceSettings {
                    limits: Limits {
                        turn_fuel: 2_000_000,
                        ..Limits::default()
                    },
                    ..InstanceSettings::new(ComponentId::new("evil", "hostile", "a"))
                };
                let context = TurnContext::default;
                let mut store = engine.store(metadata, settings.clone(), Keyspace::default());
                let described = store.describe_only(context()).await.expect_err("it fails");
                assert!(described.to_string().contains(word), "{described}");
                let mut store = engine.store(health, settings, Keyspace::default());
                store.activate(context()).await.expect("it starts");
                let unwell: WasmError = store.check_health(context()).await.expect_err("it fails");
                assert!(unwell.to_string().contains(word), "{unwell}");
            }
        },
    );
    drop((engine, bombs));
}
