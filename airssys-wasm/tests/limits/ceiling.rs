//! The operator's ceiling over what components ask for.

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::error::StartError;

use crate::support::{builder, bytes, repeat};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_holds_at_the_start_and_for_what_is_deployed_later() {
    let under = || builder().configure(|system| system.ceiling.timers = Some(2));
    let greedy = |it: &mut ComponentConfig| it.limits.timers = 3;
    let started = under()
        .component_with("demo/probe", bytes("probe"), greedy)
        .start()
        .await;
    let Err(StartError::Config(error)) = started else {
        panic!("it started");
    };
    let words = "`timers` may be at most 2 here, as [system.ceiling] says, not 3";
    assert_eq!(
        error.to_string(),
        format!("components[0].limits.timers: {words}")
    );

    let system = under().start().await.unwrap();
    let mut component = ComponentConfig::new("demo/probe".parse().unwrap());
    component.grants = Capabilities::trusted();
    greedy(&mut component);
    let deployed = system.deploy(component.clone(), bytes("probe")).await;
    assert!(deployed.err().unwrap().to_string().contains(words));

    // What is left at its default is lowered.
    component.limits = Default::default();
    system.deploy(component, bytes("probe")).await.unwrap();
    let timer = json!(["messaging.send-after", {
        "target": "demo/probe/a", "kind": "x", "delay-ms": 3_600_000,
    }]);
    let (set, error) = repeat(&system, "demo/probe/a", &timer, 3).await;
    let words = "quota-exceeded: timers allows 2, and 3 was wanted";
    assert_eq!((set, error.as_deref()), (2, Some(words)));
}
