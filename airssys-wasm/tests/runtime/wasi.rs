//! WASI: what ordinary toolchains import works as far as it is harmless.

// Layer 1: Standard library imports
use std::io;
use std::sync::{Arc, Mutex};

// Layer 2: Third-party crate imports
use tracing::subscriber::with_default;
use tracing_subscriber::fmt::MakeWriter;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::report::TurnOutcome;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;
use airssys_wasm::runtime::store::StoreManager;

use crate::support::{actor, engine, id, message};

/// Replies with what 24 bytes at address 104 are after `$run` was called.
pub(crate) const REPLY: &str = r#"
    (memory (export "memory") 1)
    (data (i32.const 16) "\00\00\00\00" "\01\00\00\00" "\68\00\00\00" "\18\00\00\00")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "airssys:actor/handler@0.1.0#handle-message")
      (param i32 i32 i32 i32 i64 i32 i32) (result i32)
      (call $run)
      (i32.const 16))"#;

const STREAMS: &str = "
    package wasi:io@0.2.0 {
        interface error { resource error; }
        interface streams {
            use error.{error};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            }
            resource input-stream {
                blocking-read: func(len: u64) -> result<list<u8>, stream-error>;
            }
        }
    }
    package wasi:cli@0.2.0 {
        interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
        interface stderr { use wasi:io/streams@0.2.0.{output-stream}; get-stderr: func() -> output-stream; }
        interface stdin { use wasi:io/streams@0.2.0.{input-stream}; get-stdin: func() -> input-stream; }
    }";

/// A world of an actor that imports these streams.
fn world(imports: &[&str]) -> String {
    let imports: String = imports
        .iter()
        .map(|i| format!("import {i}@0.2.0;"))
        .collect();
    format!("{STREAMS} world guest {{ include airssys:actor/actor@0.1.0; {imports} }}")
}

pub(crate) async fn start(component: &[u8], limits: Limits) -> StoreManager {
    let engine = engine();
    let component = ComponentLoader::new(engine.clone())
        .load_bytes(component)
        .unwrap();
    let settings = InstanceSettings {
        limits,
        ..InstanceSettings::new(id())
    };
    let mut store = engine.store(&component, settings, Keyspace::default());
    store.activate(context(1)).await.unwrap();
    store
}

pub(crate) fn context(turn: u64) -> TurnContext {
    TurnContext {
        turn,
        now_ms: 1_700_000_000_123,
        seed: [3; 32],
        ..TurnContext::default()
    }
}

pub(crate) async fn reply(store: &mut StoreManager, turn: u64) -> Vec<u8> {
    let report = store
        .handle_message(&message("", ""), context(turn))
        .await
        .unwrap();
    let TurnOutcome::Replied(Some(reply)) = report.outcome else {
        panic!("no reply");
    };
    reply.as_bytes().to_vec()
}

fn u64_at(bytes: &[u8], start: usize) -> u64 {
    u64::from_le_bytes(bytes[start..start + 8].try_into().unwrap())
}

#[tokio::test]
async fn clocks_tell_the_turns_time() {
    let wit = "
        package wasi:clocks@0.2.0 {
            interface wall-clock {
                record datetime { seconds: u64, nanoseconds: u32 }
                now: func() -> datetime;
            }
            interface monotonic-clock { type instant = u64; now: func() -> instant; }
        }
        world guest {
            include airssys:actor/actor@0.1.0;
            import wasi:clocks/wall-clock@0.2.0;
            import wasi:clocks/monotonic-clock@0.2.0;
        }";
    let wat = format!(
        r#"(module
        (import "wasi:clocks/wall-clock@0.2.0" "now" (func $wall (param i32)))
        (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $monotonic (result i64)))
        (func $run
          (call $wall (i32.const 104))
          (i64.store (i32.const 120) (call $monotonic)))
        {REPLY})"#
    );
    let mut store = start(&actor(wit, &wat), Limits::default()).await;
    assert!(!store.component().may_suspend(), "clocks do not wait");
    for turn in 2..4 {
        let reply = reply(&mut store, turn).await;
        assert_eq!(u64_at(&reply, 0), 1_700_000_000);
        assert_eq!(u64_at(&reply, 8) as u32, 123_000_000);
        assert_eq!(u64_at(&reply, 16), 1_700_000_000_123_000_000);
    }
}

#[tokio::test]
async fn random_numbers_come_from_the_turns_seed() {
    let wit = "
        package wasi:random@0.2.0 {
            interface random { get-random-u64: func() -> u64; }
            interface insecure { get-insecure-random-u64: func() -> u64; }
        }
        world guest {
            include airssys:actor/actor@0.1.0;
            import wasi:random/random@0.2.0;
            import wasi:random/insecure@0.2.0;
        }";
    let wat = format!(
        r#"(module
        (import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))
        (import "wasi:random/insecure@0.2.0" "get-insecure-random-u64" (func $insecure (result i64)))
        (func $run
          (i64.store (i32.const 104) (call $random))
          (i64.store (i32.const 112) (call $random))
          (i64.store (i32.const 120) (call $insecure)))
        {REPLY})"#
    );
    let component = actor(wit, &wat);
    let mut store = start(&component, Limits::default()).await;
    reply(&mut store, 2).await;
    let first = reply(&mut store, 3).await;
    assert_eq!(reply(&mut store, 3).await, first, "the same seed and turn");
    assert_ne!(reply(&mut store, 4).await, first, "another turn");
    let numbers = [0, 8, 16].map(|at| u64_at(&first, at));
    assert!(numbers[0] != numbers[1] && numbers[1] != numbers[2]);

    let other = TurnContext {
        seed: [4; 32],
        ..context(3)
    };
    let report = store.handle_message(&message("", ""), other).await.unwrap();
    assert!(!format!("{:?}", report.outcome).is_empty());
    assert_ne!(report.outcome, TurnOutcome::Replied(Some(first.into())));
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Runs one turn of a component, and returns the lines that the guest's output became.
fn logged(component: &[u8], limits: Limits) -> Vec<String> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_writer(lines.clone())
        .finish();
    with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut store = start(component, limits).await;
            assert!(store.component().may_suspend(), "streams may wait");
            reply(&mut store, 2).await;
        });
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let guests = text.lines().filter(|line| line.contains("airssys::guest"));
    guests.map(str::to_owned).collect()
}

/// Writes 30 bytes, in two pieces, to standard output or error.
fn writer(stream: &str) -> Vec<u8> {
    let wit = world(&[&format!("wasi:cli/{stream}"), "wasi:io/streams"]);
    let wat = format!(
        r#"(module
        (import "wasi:cli/{stream}@0.2.0" "get-{stream}" (func $get (result i32)))
        (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
          (func $write (param i32 i32 i32 i32)))
        (data (i32.const 200) "first line\nsecond\1b[31m line\nrest")
        (func $run (local $out i32)
          (local.set $out (call $get))
          (call $write (local.get $out) (i32.const 200) (i32.const 14) (i32.const 104))
          (call $write (local.get $out) (i32.const 214) (i32.const 18) (i32.const 104)))
        {REPLY})"#
    );
    actor(&wit, &wat)
}

#[test]
fn output_becomes_lines_of_the_log() {
    for (stream, level) in [("stdout", "INFO"), ("stderr", "WARN")] {
        let lines = logged(&writer(stream), Limits::default());
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines.iter().all(|line| line.contains(level)), "{lines:?}");
        assert!(lines[0].contains("first line") && lines[0].contains("test/guest/one"));
        assert!(lines[1].contains("second\\u{1b}[31m line"), "{lines:?}");
        assert!(lines[2].contains("rest"), "what is left is told in the end");
    }
}

#[test]
fn output_is_bounded_as_logging_is() {
    let limits = Limits {
        turn_log_lines: 1,
        log_line_bytes: 5,
        ..Limits::default()
    };
    let lines = logged(&writer("stdout"), limits);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("first…"), "{lines:?}");
}

#[tokio::test]
async fn standard_input_is_at_its_end() {
    let wit = world(&["wasi:cli/stdin", "wasi:io/streams"]);
    let wat = format!(
        r#"(module
        (import "wasi:cli/stdin@0.2.0" "get-stdin" (func $get (result i32)))
        (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read"
          (func $read (param i32 i64 i32)))
        (func $run (call $read (call $get) (i64.const 10) (i32.const 104)))
        {REPLY})"#
    );
    let mut store = start(&actor(&wit, &wat), Limits::default()).await;
    let reply = reply(&mut store, 2).await;
    // err(closed)
    assert_eq!((reply[0], reply[4]), (1, 1));
}

/// It asks for standard output a thousand times and gives none of it back.
#[tokio::test]
async fn handles_are_bounded() {
    let wit = world(&["wasi:cli/stdout"]);
    let wat = format!(
        r#"(module
        (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $get (result i32)))
        (func $run (loop $more (drop (call $get)) (br $more)))
        {REPLY})"#
    );
    let limits = Limits {
        resource_handles: 100,
        ..Limits::default()
    };
    let mut store = start(&actor(&wit, &wat), limits).await;
    let error = store
        .handle_message(&message("", ""), context(2))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("resource_handles allows 100, and 101 was wanted"),
        "{error}"
    );
}
