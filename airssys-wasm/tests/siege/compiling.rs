//! Components that take too much to be compiled.

// Layer 1: Standard library imports
use std::sync::atomic::{AtomicUsize, Ordering};

// Layer 2: Third-party crate imports
use tempfile::tempdir;
use tokio::task::JoinSet;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, Limits};
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::runtime::cache::CompileCache;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::error::{ControlError, StartError};
use airssys_wasm::system::handle::System;

use crate::support::{alone, id, siege};
use crate::wat::{guest, handling, marked};

/// A siege where nothing is found compiled from before.
pub(crate) fn siege_uncached(attack: impl AsyncFn(&System)) {
    let folder = tempdir().expect("a folder");
    let cache = CompileCache::open(folder.path().join("compiled")).expect("a cache");
    siege(|it| it.cache(cache), attack);
}

/// A number that was not there before.
pub(crate) fn next() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Why a component is not taken, of which nothing is there afterwards.
async fn refused(system: &System, bytes: &[u8], limits: &Limits) -> WasmError {
    let name = format!("evil/bomb-{}", next());
    let mut config = ComponentConfig::new(name.parse().expect("a name"));
    config.limits = limits.clone();
    let deployed = system.deploy(config, bytes.to_vec()).await;
    let Err(StartError::Component { source, .. }) = deployed else {
        panic!("it was not refused as a component: {deployed:?}");
    };
    let nobody = ControlError::NoComponent(name.clone());
    assert_eq!(system.inspect(&id(&format!("{name}/a"))), Err(nobody));
    assert!(
        source.to_string().len() < 4_096,
        "{} bytes",
        source.to_string().len()
    );
    source
}

/// Attacks with components that are refused because of a limit.
fn siege_refused(limit: Limit, bytes: Vec<u8>, limits: Limits) {
    siege(
        |it| it,
        async |system| match refused(system, &bytes, &limits).await {
            WasmError::ResourceLimitExceeded(exceeded) => assert_eq!(exceeded.limit, limit),
            other => panic!("{other}"),
        },
    );
}

#[test]
fn components_of_any_size() {
    let _alone = alone();
    let mut large = guest("echo");
    // A section of its own that nobody reads, of 65 MiB.
    large.extend([0, 0x81, 0x80, 0xc0, 0x20, 0]);
    large.resize(large.len() + (65 << 20), 0);
    siege_refused(Limit::ComponentBytes, large, Limits::default());
}

#[test]
fn very_many_functions() {
    let _alone = alone();
    let functions = "(func)".repeat(210_000);
    let bytes = handling(&functions, "(i32.const 4096)");
    siege_refused(Limit::ComponentFunctions, bytes, Limits::default());
}

#[test]
fn one_function_that_is_huge() {
    let _alone = alone();
    let body = "(i32.store (local.get 0) (local.get 1))\n".repeat(160_000);
    let bytes = handling("", &format!("{body} (i32.const 4096)"));
    siege_refused(Limit::FunctionBytes, bytes, Limits::default());
}

/// A function that is small, and takes very much to compile: each local has another value at the
/// start of each loop than before it.
fn joins(loops: usize, locals: usize) -> String {
    let add = |it: usize| {
        let it = it + 7;
        format!("(local.set {it} (i32.add (local.get {it}) (i32.const 1)))")
    };
    let adds: String = (0..locals).map(add).collect();
    let (begin, end) = (
        "(loop ".repeat(loops),
        "(br_if 0 (local.get 0)))".repeat(loops),
    );
    format!("{} {begin} {adds} {end}", "(local i32)".repeat(locals))
}

/// Attacks with a component that takes 1.4 GB and half a minute to compile.
fn siege_with_joins(limit: Limit, limits: Limits) {
    let bytes = handling("", &format!("{} (i32.const 4096)", joins(300, 3_000)));
    assert!(bytes.len() < 64 << 10);
    siege_refused(limit, bytes, limits);
}

#[test]
fn a_small_function_that_takes_much_memory_to_compile() {
    let _alone = alone();
    let compile_bytes = 128 << 20;
    let limits = Limits {
        compile_bytes,
        compile_ms: 600_000,
        ..Limits::default()
    };
    siege_with_joins(Limit::CompileBytes, limits);
}

#[test]
fn a_small_function_that_takes_long_to_compile() {
    let _alone = alone();
    let limits = Limits {
        compile_ms: 500,
        ..Limits::default()
    };
    siege_with_joins(Limit::CompileMs, limits);
}

/// What fits the limits, and yet takes as long as it can: it is given up in time.
#[test]
fn functions_that_take_long_to_compile() {
    let _alone = alone();
    let nested = format!("{} {}", "(block ".repeat(20_000), ")".repeat(20_000));
    let branches = {
        let labels = (0..10_000).map(|it| format!(" {}", it % 100));
        let table: String = labels.collect();
        let one = format!("(br_table {table} (local.get 1))");
        format!("{} {one} {}", "(block ".repeat(100), ")".repeat(100))
    };
    let locals = {
        let set = |it: usize| {
            let (a, b) = (it % 200 + 7, (it * 7) % 200 + 7);
            format!(
                "(local.set {a} (i32.add (local.get {b}) (call $realloc (local.get {a}) (local.get {b}) (local.get 1) (local.get 1))))"
            )
        };
        let sets: String = (0..8_000).map(set).collect();
        format!("{} {sets}", "(local i32)".repeat(200))
    };
    let bombs: Vec<Vec<u8>> = [nested, branches, locals, joins(40, 400)]
        .iter()
        .map(|body| handling("", &format!("{body} (i32.const 4096)")))
        .collect();
    let limits = Limits {
        compile_ms: 1,
        ..Limits::default()
    };
    siege_uncached(async |system| {
        for bytes in &bombs {
            // Another component each time, so that it is not in the cache.
            let bytes = marked(bytes.clone(), &next().to_string());
            match refused(system, &bytes, &limits).await {
                WasmError::ResourceLimitExceeded(exceeded) => {
                    assert_eq!(exceeded.limit, Limit::CompileMs);
                }
                other => panic!("{other}"),
            }
        }
    });
}

/// A hundred at once: two compile, some wait, and the rest is told that too many do.
#[test]
fn very_many_components_at_once() {
    let _alone = alone();
    let bytes = guest("relay");
    siege_uncached(async |system| {
        let mut deploying = JoinSet::new();
        for number in 0..100 {
            let name = format!("evil/bomb-{}", next());
            let mut config = ComponentConfig::new(name.parse().expect("a name"));
            // No time at all for some, and for others so much that they all wait.
            config.limits.compile_ms = if number < 5 { 1 } else { 1_000 };
            let (system, bytes) = (system.clone(), marked(bytes.clone(), &name));
            deploying.spawn(async move { system.deploy(config, bytes).await });
        }
        let mut limits = Vec::new();
        while let Some(deployed) = deploying.join_next().await {
            match deployed.expect("it does not panic") {
                Err(StartError::Component {
                    source: WasmError::ResourceLimitExceeded(exceeded),
                    ..
                }) => limits.push(exceeded.limit),
                Ok(_) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert!(limits.contains(&Limit::WaitingCompilations), "{limits:?}");
        assert!(limits.contains(&Limit::CompileMs), "{limits:?}");
        let is_other = |it: &&Limit| !matches!(it, Limit::WaitingCompilations | Limit::CompileMs);
        assert_eq!(limits.iter().find(is_other), None);
    });
}
