//! Programs that nobody would write: generated ones, and the committed guests with bytes
//! changed, on the whole way of a component and a message.
//!
//! Whatever they are, they end in one of the ways that have a name, within their limits, and
//! twice in the same way. It is the same programs in every run; more of them are tried so:
//!
//! ```sh
//! AIRSSYS_GENERATED=10000 cargo test -p airssys-wasm --test runtime generated -- --nocapture
//! ```

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use arbitrary::Unstructured;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wasm_smith::{Component, Config, InstructionKind, InstructionKinds, Module};
use wasmparser::Validator;
use wit_component::dummy_module;
use wit_parser::{LiftLowerAbi, ManglingAndAbi};

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::report::{TurnCost, TurnOutcome, TurnReport};
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::callable::callable;
use crate::support::{componentize, engine, engine_with, guest, guest_world, id, message};

/// How many programs of each sort are tried by default.
const CASES: u64 = 120;

/// What an actor exports that has a beginning: as the contract wants it, and what the
/// generator is to fill.
const EXPORTS: &str = r#"(module
    (memory (export "memory") 2)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "airssys:actor/handler@0.1.0#handle-message")
        (param i32 i32 i32 i32 i64 i32 i32) (result i32) unreachable)
    (func (export "airssys:actor/lifecycle@0.1.0#init") (param i32 i32) (result i32) unreachable)
    (func (export "airssys:actor/lifecycle@0.1.0#shutdown"))
    (func (export "generated-message")
        (param i32 i32 i32 i32 i64 i32 i32) (result i32) unreachable)
    (func (export "generated-init") (param i32 i32) (result i32) unreachable))"#;

const WORLD: &str = "world guest {
    include airssys:actor/actor@0.1.0;
    export airssys:actor/lifecycle@0.1.0;
}";

/// The guests whose bytes are changed: small ones, which are quick to compile.
const CHANGED: [&str; 6] = [
    "bad-pointer",
    "deep-recursion",
    "huge-result",
    "memory-bomb",
    "reverse",
    "table-bomb",
];

fn limits() -> Limits {
    Limits {
        component_bytes: 64 << 10,
        component_functions: 500,
        function_bytes: 8 << 10,
        memory_bytes: 1 << 20,
        turn_fuel: 50_000,
        turn_wall_ms: 500,
        hostcall_bytes: 64 << 10,
        reply_bytes: 4 << 10,
        turn_sends: 8,
        turn_send_bytes: 4 << 10,
        turn_writes: 8,
        turn_write_bytes: 4 << 10,
        value_bytes: 1 << 10,
        storage_bytes: 16 << 10,
        ..Limits::default()
    }
}

/// Beyond the last check of the fuel a guest runs at most to the end of a block.
const FUEL_MARGIN: u64 = 10_000;

/// Beyond its deadline a turn runs to the next tick, if the machine is not busy otherwise.
const WALL_MARGIN: Duration = Duration::from_secs(20);

/// How many programs of each sort ended how.
#[derive(Debug, Default)]
struct Tally(BTreeMap<String, u64>);

impl Tally {
    fn count(&mut self, end: &str) {
        *self.0.entry(end.to_owned()).or_default() += 1;
    }

    fn of(&self, end: &str) -> u64 {
        self.0.get(end).copied().unwrap_or_default()
    }
}

fn cases() -> u64 {
    let said = env::var("AIRSSYS_GENERATED").ok();
    said.map_or(CASES, |text| text.parse().expect("a number of programs"))
}

/// The name of how something ended, which it has to have.
fn name_of(error: &WasmError) -> String {
    match error {
        WasmError::RuntimeError(fault) => {
            assert_ne!(fault.kind, FaultKind::Other, "this has no name: {error:?}");
            format!("{:?}", fault.kind)
        }
        WasmError::ResourceLimitExceeded(exceeded) => exceeded.limit.name().to_owned(),
        WasmError::Timeout(_) => "Timeout".to_owned(),
        WasmError::InstantiationFailed(_) => "InstantiationFailed".to_owned(),
        WasmError::InvalidComponent(_) => "InvalidComponent".to_owned(),
        WasmError::ExportNotFound(_) => "ExportNotFound".to_owned(),
        other => panic!("nobody expects {other:?}"),
    }
}

/// The engines that programs are tried in.
struct Host {
    engines: [Arc<WasmtimeEngine>; 2],
    tally: Tally,
}

impl Host {
    fn new() -> Self {
        let dense = engine_with(EngineConfig {
            profile: Profile::Density { instances: 8 },
            ..EngineConfig::default()
        });
        Self {
            engines: [engine(), dense],
            tally: Tally::default(),
        }
    }

    /// Loads a program and gives it a message, twice, in each engine.
    async fn run(&mut self, bytes: &[u8]) {
        let mut end = String::new();
        for engine in &self.engines {
            end = run_in(engine, bytes).await;
        }
        self.tally.count(&end);
    }
}

async fn run_in(engine: &Arc<WasmtimeEngine>, bytes: &[u8]) -> String {
    let loader = ComponentLoader::new(Arc::clone(engine)).with_limits(limits());
    let compiled = match loader.load_bytes(bytes) {
        Ok(compiled) => compiled,
        Err(error) => return format!("not loaded: {}", name_of(&error)),
    };
    let once = async || {
        let settings = InstanceSettings {
            limits: limits(),
            ..InstanceSettings::new(id())
        };
        let mut store = engine.store(&compiled, settings, Keyspace::default());
        let context = TurnContext {
            turn: 1,
            now_ms: 1_700_000_000_000,
            seed: [7; 32],
            ..TurnContext::default()
        };
        let began = Instant::now();
        let mut costs = Vec::new();
        let activated = store.activate(context.clone()).await;
        costs.push(store.cost());
        let result = match activated {
            Ok(effects) => {
                store.commit(effects);
                let message = message("kind", "payload");
                let handled = store.handle_message(&message, context).await;
                costs.push(store.cost());
                handled
            }
            Err(error) => Err(error),
        };
        check(&result, &costs, began.elapsed());
        let committed = store.keys().len();
        (result, costs, committed)
    };
    let (first, second) = (once().await, once().await);
    let is_timeout = |result| matches!(result, &Err(WasmError::Timeout(_)));
    if !is_timeout(&first.0) && !is_timeout(&second.0) {
        assert_eq!(first, second, "the same message ends twice in the same way");
    }
    match first.0 {
        Ok(report) => match report.outcome {
            TurnOutcome::Replied(_) => "replied".to_owned(),
            TurnOutcome::Rejected(_) => "rejected".to_owned(),
            TurnOutcome::Retry(_) => "wants a retry".to_owned(),
        },
        Err(error) => name_of(&error),
    }
}

/// Checks that nothing exceeded its limit.
fn check(result: &Result<TurnReport, WasmError>, costs: &[TurnCost], took: Duration) {
    let limits = limits();
    for cost in costs {
        assert!(cost.fuel <= limits.turn_fuel + FUEL_MARGIN, "{cost:?}");
        assert!(cost.peak_memory_bytes <= limits.memory_bytes, "{cost:?}");
    }
    assert!(took < 2 * Duration::from_millis(limits.turn_wall_ms) + WALL_MARGIN);
    let Ok(report) = result else {
        return;
    };
    let effects = &report.effects;
    assert!(effects.outgoing.len() as u64 <= limits.turn_sends);
    assert!(effects.writes.len() as u64 <= limits.turn_writes);
    assert!(effects.bytes() as u64 <= limits.turn_send_bytes + limits.turn_write_bytes);
    if let TurnOutcome::Replied(Some(reply)) = &report.outcome {
        assert!(reply.len() as u64 <= limits.reply_bytes);
    }
}

fn random_bytes(rng: &mut StdRng, most: usize) -> Vec<u8> {
    let count = rng.random_range(64..most);
    (0..count).map(|_| rng.random()).collect()
}

/// A generated core module, made an actor.
fn generated_actor(rng: &mut StdRng, imports: &[u8]) -> Option<Vec<u8>> {
    let config = Config {
        available_imports: Some(imports.to_vec()),
        exports: Some(wat::parse_str(EXPORTS).expect("wat")),
        // What does not trap gets further, and is less of a program.
        disallow_traps: rng.random(),
        allowed_instructions: InstructionKinds::new(&[
            InstructionKind::NumericInt,
            InstructionKind::Numeric,
            InstructionKind::Parametric,
            InstructionKind::Variable,
            InstructionKind::Control,
            InstructionKind::Memory,
            InstructionKind::Table,
            InstructionKind::VectorInt,
        ]),
        allow_start_export: rng.random_ratio(1, 8),
        exceptions_enabled: false,
        gc_enabled: false,
        max_data_segments: 3,
        max_funcs: 12,
        max_instructions: 200,
        max_table_elements: 100,
        memory64_enabled: false,
        reference_types_enabled: rng.random_ratio(1, 4),
        shared_everything_threads_enabled: false,
        tail_call_enabled: true,
        threads_enabled: false,
        ..Config::default()
    };
    let bytes = random_bytes(rng, 4096);
    let module = Module::new(config, &mut Unstructured::new(&bytes)).ok()?;
    componentize(WORLD, &callable(&module.to_bytes())).ok()
}

#[tokio::test]
async fn generated_actors_end_in_ways_that_have_names() {
    let (resolve, world) = guest_world(WORLD);
    let abi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
    let imports = dummy_module(&resolve, world, abi);
    let mut host = Host::new();
    for case in 0..cases() {
        let mut rng = StdRng::seed_from_u64(case);
        match generated_actor(&mut rng, &imports) {
            Some(actor) => host.run(&actor).await,
            None => host.tally.count("not generated"),
        }
    }
    eprintln!("{:#?}", host.tally);
    for end in ["replied", "turn_fuel", "Unreachable"] {
        assert!(host.tally.of(end) > 0, "none ended so: {end}");
    }
}

#[tokio::test]
async fn generated_components_are_refused_or_run() {
    let mut host = Host::new();
    for case in 0..cases() {
        let mut rng = StdRng::seed_from_u64(case);
        let bytes = random_bytes(&mut rng, 2048);
        let config = Config {
            max_components: 3,
            max_modules: 3,
            ..Config::default()
        };
        match Component::new(config, &mut Unstructured::new(&bytes)) {
            Ok(component) => {
                let bytes = component.to_bytes();
                // By handle, since that takes components that are no actors.
                match host.engines[0].load_component(&id(), &bytes) {
                    Ok(handle) => host.engines[0].unload_component(&handle).unwrap(),
                    Err(error) => drop(name_of(&error)),
                }
                host.run(&bytes).await;
            }
            Err(_) => host.tally.count("not generated"),
        }
    }
    eprintln!("{:#?}", host.tally);
}

#[tokio::test]
async fn changed_guests_end_in_ways_that_have_names() {
    let guests = CHANGED.map(guest);
    let mut host = Host::new();
    for case in 0..cases() {
        let mut rng = StdRng::seed_from_u64(case);
        let guest = &guests[case as usize % guests.len()];
        let mut bytes = changed(&mut rng, guest);
        // Most changes make it no WebAssembly; every other one has to be some.
        while case % 2 == 0 && Validator::new().validate_all(&bytes).is_err() {
            bytes = changed(&mut rng, guest);
        }
        host.run(&bytes).await;
    }
    eprintln!("{:#?}", host.tally);
    assert!(host.tally.of("not loaded: InstantiationFailed") > 0);
    assert!(host.tally.of("not loaded: InstantiationFailed") <= cases() / 2);
}

/// The guest with one to three changes.
fn changed(rng: &mut StdRng, guest: &[u8]) -> Vec<u8> {
    let mut bytes = guest.to_vec();
    for _ in 0..rng.random_range(1..4) {
        change(rng, &mut bytes);
    }
    bytes
}

/// One small change, as a bad disk or somebody who tries things makes it.
fn change(rng: &mut StdRng, bytes: &mut Vec<u8>) {
    let place = rng.random_range(0..bytes.len());
    let count = rng.random_range(1..9).min(bytes.len() - place);
    match rng.random_range(0..8) {
        0 => bytes.truncate(place.max(1)),
        1 => drop(bytes.drain(place..place + count)),
        2 => {
            let copied = bytes[place..place + count].to_vec();
            bytes.splice(place..place, copied);
        }
        3 => bytes[place] = rng.random(),
        4 => bytes[place] = bytes[place].wrapping_add(1),
        _ => bytes[place] ^= 1 << rng.random_range(0..8),
    }
}
