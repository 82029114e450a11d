// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use airssys_wasm::core::component::description::Description;
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};
use airssys_wasm::core::security::provisions::Provisions;
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::support::{Actor, ENGINE, context, fault, idle, settings, start, start_with};

fn configured(pairs: &[(&str, &str)]) -> InstanceSettings {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    InstanceSettings {
        provisions: Arc::new(Provisions {
            config: pairs.iter().map(own).collect(),
            ..Provisions::default()
        }),
        ..settings()
    }
}

async fn get(actor: &mut Actor, key: &str) -> String {
    actor.ask("get", key).await.unwrap()
}

#[tokio::test]
async fn init_runs_once_per_activation_and_its_writes_are_committed() {
    let mut actor = start_with("lifecycle", configured(&[("colour", "red")])).await;
    assert_eq!(get(&mut actor, "starts").await, "1");
    assert_eq!(get(&mut actor, "config/colour").await, "red");
    assert_eq!(actor.ask("config", "colour").await.unwrap(), "red");
    actor.activate().await.unwrap();
    assert_eq!(get(&mut actor, "starts").await, "2");
}

#[tokio::test]
async fn a_failing_init_leaves_no_instance_and_no_trace() {
    for (how, expected) in [
        ("fail", FaultKind::Rejected),
        ("trap", FaultKind::Unreachable),
    ] {
        let mut actor = idle(&ENGINE, "lifecycle", configured(&[("init", how)]));
        assert_eq!(fault(actor.activate().await), expected);
        assert!(!actor.store.is_live());
        assert!(actor.store.keys().is_empty());
    }
}

#[tokio::test]
async fn shutdown_is_a_turn() {
    let mut actor = start("lifecycle").await;
    let effects = actor.store.shutdown(context(5)).await.unwrap();
    actor.store.commit(effects);
    assert_eq!(get(&mut actor, "stops").await, "1");
}

#[tokio::test]
async fn migration_is_a_turn_and_may_refuse() {
    let mut actor = start("lifecycle").await;
    let effects = actor.store.migrate("0.9.0", context(5)).await.unwrap();
    actor.store.commit(effects);
    assert_eq!(get(&mut actor, "migrated-from").await, "0.9.0");

    let mut actor = start_with("lifecycle", configured(&[("migrate", "fail")])).await;
    let refused = actor.store.migrate("0.9.0", context(5)).await;
    assert_eq!(fault(refused), FaultKind::Rejected);
    assert_eq!(get(&mut actor, "migrated-from").await, "");
}

#[tokio::test]
async fn health_and_description_are_told() {
    let mut actor = start("lifecycle").await;
    actor.store.check_health(context(5)).await.unwrap();
    assert_eq!(
        actor.store.describe(context(6)).await.unwrap(),
        Description {
            name: "lifecycle".into(),
            version: "0.1.0".into(),
            summary: "Tells what happened to it.".into(),
        }
    );

    let mut actor = start_with("lifecycle", configured(&[("health", "tired")])).await;
    let unwell = actor.store.check_health(context(5)).await.unwrap_err();
    assert!(unwell.to_string().contains("tired"), "{unwell}");
}

#[tokio::test]
async fn what_a_guest_does_not_export_is_well_or_named() {
    let mut bare = start("reverse").await;
    bare.store.check_health(context(1)).await.unwrap();
    assert!(
        bare.store
            .migrate("0.9.0", context(2))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(bare.store.shutdown(context(3)).await.unwrap().is_empty());
    let Err(WasmError::ExportNotFound(missing)) = bare.store.describe(context(4)).await else {
        panic!("it describes nothing");
    };
    assert_eq!(missing.export, "airssys:actor/metadata@0.1.0");
    let reply = airssys_wasm::core::turn::call::Reply {
        correlation: 1,
        outcome: Ok(None),
    };
    let Err(WasmError::ExportNotFound(missing)) =
        bare.store.handle_callback(&reply, context(5)).await
    else {
        panic!("it has no callback");
    };
    assert_eq!(missing.export, "airssys:actor/callback@0.1.0");
    assert!(bare.store.is_live());
}
