//! What a component may be like that is loaded.

// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::runtime::outline::Outline;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::error::{ControlError, StartError};
use airssys_wasm::system::handle::System;

use crate::support::{ask, builder, bytes};

async fn start(limits: Limits) -> Result<System, LimitExceeded> {
    let started = builder()
        .component_with("demo/echo", bytes("echo"), |it| it.limits = limits)
        .start()
        .await;
    started.map_err(|error| match error {
        StartError::Component {
            source: WasmError::ResourceLimitExceeded(exceeded),
            ..
        } => exceeded,
        other => panic!("{other}"),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_is_as_large_as_it_may_be_and_no_larger() {
    let echo = bytes("echo");
    let outline = Outline::read(&echo).unwrap();
    assert!(outline.functions > 10 && outline.largest_function_bytes > 10);
    for (limit, size) in [
        (Limit::ComponentBytes, echo.len() as u64),
        (Limit::ComponentFunctions, outline.functions),
        (Limit::FunctionBytes, outline.largest_function_bytes),
    ] {
        let with = |allowed| {
            let mut limits = Limits::default();
            *limits.get_mut(limit).unwrap() = allowed;
            limits
        };
        let system = start(with(size)).await.unwrap();
        assert_eq!(ask(&system, "demo/echo/a", "", "here").await, "here");
        let refused = start(with(size - 1)).await.err();
        assert_eq!(refused, Some(LimitExceeded::beyond(limit, size - 1)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_takes_too_long_to_compile_is_not_loaded() {
    let system = builder()
        .component("demo/echo", bytes("echo"))
        .start()
        .await
        .unwrap();
    let mut slow = ComponentConfig::new("demo/slow".parse().unwrap());
    slow.limits.compile_ms = 0;
    let deployed = system.deploy(slow.clone(), bytes("markdown")).await;
    let Err(StartError::Component { source, .. }) = deployed else {
        panic!("it was loaded in no time");
    };
    let exceeded = LimitExceeded::beyond(Limit::CompileMs, 0);
    assert_eq!(source, WasmError::ResourceLimitExceeded(exceeded));
    assert!(matches!(
        system.inspect(&"demo/slow/a".parse().unwrap()),
        Err(ControlError::NoComponent(_))
    ));
    assert_eq!(ask(&system, "demo/echo/a", "", "here").await, "here");
    slow.limits = Limits::default();
    system.deploy(slow, bytes("markdown")).await.unwrap();
}
