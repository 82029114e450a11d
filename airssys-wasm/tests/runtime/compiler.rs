//! Components that are compiled in a process of their own.

// Layer 1: Standard library imports
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::report::TurnOutcome;
use airssys_wasm::runtime::compiled::CompiledComponent;
use airssys_wasm::runtime::compiler::command::CompilerCommand;
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::support::{engine, engine_with, guest, id, message};

const WORKER: &str = env!("CARGO_BIN_EXE_airssys-compile");

fn load(
    command: CompilerCommand,
    limits: Limits,
    bytes: &[u8],
) -> Result<Arc<CompiledComponent>, WasmError> {
    let loader = ComponentLoader::new(engine()).with_compiler(command);
    loader.with_limits(limits).load_bytes(bytes)
}

fn why_not(command: CompilerCommand, limits: Limits) -> String {
    match load(command, limits, &guest("echo")) {
        Err(WasmError::InstantiationFailed(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was loaded"),
    }
}

#[tokio::test]
async fn it_runs_as_if_it_was_compiled_here() {
    for profile in [
        Profile::Throughput { instances: 4 },
        Profile::Density { instances: 4 },
        Profile::OnDemand,
    ] {
        let engine = engine_with(EngineConfig {
            profile,
            ..EngineConfig::default()
        });
        let loader = ComponentLoader::new(engine.clone());
        let loader = loader.with_compiler(CompilerCommand::new(WORKER));
        let component = loader.load_bytes(&guest("reverse")).unwrap();
        let mut store = engine.store(&component, InstanceSettings::new(id()), Keyspace::default());
        store.activate(TurnContext::default()).await.unwrap();
        let abc = message("", "abc");
        let turn = store.handle_message(&abc, TurnContext::default());
        let replied = TurnOutcome::Replied(Some(b"cba".to_vec().into()));
        assert_eq!(turn.await.unwrap().outcome, replied, "{profile:?}");
    }
}

#[test]
fn one_that_takes_too_much_time_or_memory_is_not_loaded() {
    for (limit, allowed) in [(Limit::CompileMs, 1), (Limit::CompileBytes, 20 << 20)] {
        let mut limits = Limits::default();
        *limits.get_mut(limit).unwrap() = allowed;
        let refused = load(CompilerCommand::new(WORKER), limits, &guest("markdown")).err();
        let exceeded = LimitExceeded::beyond(limit, allowed);
        assert_eq!(refused, Some(WasmError::ResourceLimitExceeded(exceeded)));
    }
}

#[test]
fn what_is_wrong_with_one_is_said_in_the_same_words() {
    let mut bytes = guest("echo");
    // In the code, which the loader does not look into before.
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    let here = ComponentLoader::new(engine()).load_bytes(&bytes).err();
    let apart = load(CompilerCommand::new(WORKER), Limits::default(), &bytes);
    assert!(
        matches!(here, Some(WasmError::InstantiationFailed(_))),
        "{here:?}"
    );
    assert_eq!(apart.err(), here);
}

#[test]
fn a_program_that_is_no_compiler_is_named() {
    let small = || Limits {
        compile_bytes: 1 << 20,
        ..Limits::default()
    };
    let missing = why_not(CompilerCommand::new("/nowhere/airssys-compile"), small());
    assert!(
        missing.contains("/nowhere/airssys-compile: No such file"),
        "{missing}"
    );
    for (program, said) in [
        ("true", "exit status: 0"),
        ("false", "exit status: 1"),
        ("cat", ""),
        ("yes", ""),
    ] {
        let why = why_not(CompilerCommand::new(program), small());
        assert!(why.contains("the compiler"), "{program}: {why}");
        assert!(why.contains(said), "{program}: {why}");
    }
    // Its last words are told.
    let shell = CompilerCommand::new("sh")
        .argument("-c")
        .argument("echo lost >&2; exit 7");
    let why = why_not(shell, small());
    assert!(
        why.contains("exit status: 7") && why.contains("lost"),
        "{why}"
    );
    // What it answers has to be what wasmtime wrote.
    let shell = CompilerCommand::new("sh")
        .argument("-c")
        .argument(r#"echo '{"compiled":4}'; printf '\177ELF'"#);
    why_not(shell, small());
}

/// A worker with this at its standard input.
fn worker(input: &[u8]) -> Output {
    let mut command = Command::new(WORKER);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut worker = command.spawn().unwrap();
    // It may have ended before it has read all.
    drop(worker.stdin.take().unwrap().write_all(input));
    worker.wait_with_output().unwrap()
}

#[test]
fn a_worker_that_is_told_nonsense_says_so() {
    let endless = vec![b'x'; 1 << 20];
    let unknown = br#"{"memory_access":"guarded","compile_ms":1,"compile_bytes":1,"more":1}"#;
    for input in [&b""[..], b"\n", b"{}\n", &endless, unknown] {
        let ended = worker(input);
        assert_eq!(ended.status.code(), Some(1));
        assert!(ended.stdout.is_empty());
        let words = String::from_utf8(ended.stderr).unwrap();
        assert!(words.contains("a host of airssys"), "{words}");
    }
    let task = br#"{"memory_access":"guarded","compile_ms":60000,"compile_bytes":1000000000}"#;
    let ended = worker(&[task, &b"\n"[..], b"no component"].concat());
    assert!(ended.status.success());
    assert!(ended.stdout.starts_with(br#"{"refused":"#), "{ended:?}");
}
