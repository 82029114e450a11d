// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::runtime::errors::FaultKind;
use airssys_wasm::core::security::provisions::Provisions;
use airssys_wasm::core::turn::effects::{Content, Effects, Outgoing};
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::support::{ENGINE, fault, idle, start, start_with};

/// The actor at a place of a ring of five.
fn at(place: &str) -> InstanceSettings {
    let ring = ("ring".to_owned(), "5".to_owned());
    InstanceSettings {
        provisions: Arc::new(Provisions {
            config: [ring].into(),
            ..Provisions::default()
        }),
        ..InstanceSettings::new(ComponentId::new("test", "baton", place))
    }
}

fn sent(to: &str, kind: &str, number: &'static str) -> [Outgoing; 1] {
    let content = Content {
        kind: kind.to_owned(),
        payload: MessagePayload::new(number),
    };
    let to = ComponentId::new("test", "baton", to);
    [Outgoing::Send { to, content }]
}

async fn effects(place: &str, kind: &str, number: &str) -> Effects {
    let mut baton = start_with("baton", at(place)).await;
    baton.turn(kind, number).await.unwrap().effects
}

#[tokio::test]
async fn it_goes_round_until_nothing_is_left() {
    assert_eq!(
        effects("0", "pass", "9").await.outgoing,
        sent("1", "pass", "8")
    );
    assert_eq!(
        effects("4", "pass", "1").await.outgoing,
        sent("0", "pass", "0")
    );
    assert!(effects("2", "pass", "0").await.is_empty());
}

#[tokio::test]
async fn work_writes_two_keys_and_goes_on() {
    for (number, less) in [("1", "0"), ("100", "99"), ("4000", "3999")] {
        let effects = effects("3", "work", number).await;
        assert_eq!(effects.outgoing, sent("4", "work", less));
        assert_eq!(effects.writes.len(), 2);
        for value in effects.writes.values().flatten() {
            assert!((100..=1024).contains(&value.len()));
        }
    }
}

#[tokio::test]
async fn it_keeps_what_it_is_told() {
    let mut baton = start("baton").await;
    assert_eq!(baton.ask("kept", "").await.unwrap(), "");
    baton.ask("keep", "this").await.unwrap();
    assert_eq!(baton.ask("kept", "").await.unwrap(), "this");
}

#[tokio::test]
async fn who_is_in_no_ring_passes_nothing_on() {
    let mut baton = start("baton").await;
    assert_eq!(fault(baton.ask("pass", "1").await), FaultKind::Rejected);
    for place in ["5", "one"] {
        let mut outside = idle(&ENGINE, "baton", at(place));
        assert_eq!(fault(outside.activate().await), FaultKind::Rejected);
    }
}
