//! What an actor may do in a second. That time gives more is tested where time is simulated,
//! in `runtime/rate.rs`.

// Layer 1: Standard library imports
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tracing::subscriber::with_default;
use tracing_subscriber::fmt::MakeWriter;

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::support::{bytes, probe, repeat, script};

const PROBE: &str = "demo/probe/a";
const WORDS: &str = "quota-exceeded: messages_per_s allows 1, and 2 was wanted";

fn to_b(function: &str) -> Value {
    json!([function, {
        "target": "demo/probe/b", "kind": "services.now-ms", "payload": "{}", "timeout-ms": 5_000,
        "delay-ms": 3_600_000, "topic": "a.b",
    }])
}

/// How much may have happened since then, when it is one in a second: one at once, and one in
/// each second that is over.
fn allowed(since: Instant) -> usize {
    1 + since.elapsed().as_secs() as usize
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_send_counts() {
    for function in [
        "messaging.send",
        "messaging.send-after",
        "messaging.request",
        "messaging.publish",
        "rpc.call",
    ] {
        let system = probe(|it| it.limits.messages_per_s = 1).await;
        let began = Instant::now();
        let (sent, error) = repeat(&system, PROBE, &to_b(function), 100).await;
        assert_eq!(error.as_deref(), Some(WORDS), "{function}");
        assert!((1..=allowed(began)).contains(&sent), "{function}: {sent}");
        // Another actor has a second of its own.
        let (sent, _) = repeat(&system, "demo/probe/c", &to_b(function), 1).await;
        assert_eq!(sent, 1, "{function}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_receiver_of_a_broadcast_counts() {
    let broadcast = |receivers: usize| {
        let targets = vec!["demo/probe/b"; receivers];
        json!(["messaging.broadcast", {"targets": targets, "kind": "services.now-ms", "payload": "{}"}])
    };
    let system = probe(|it| it.limits.messages_per_s = 1).await;
    let began = Instant::now();
    let mut calls = vec![broadcast(1)];
    calls.extend(vec![to_b("messaging.send"); 100]);
    let told = script(&system, PROBE, &calls).await;
    let sent = told.iter().take_while(|error| error.is_empty()).count();
    assert!((1..=allowed(began)).contains(&sent), "{sent}");
    assert_eq!(told[sent], WORDS);
    let told = script(&system, "demo/probe/c", &[broadcast(2)]).await;
    assert_eq!(told, [WORDS]);
}

/// A log that is kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(kept.clone()).expect("text")
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the log").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What a probe logs that logs this often in each of some turns.
fn logged(limits: Limits, turns: u64, lines: usize) -> String {
    let log = Kept::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let engine = Arc::new(WasmtimeEngine::new().unwrap());
    let loader = ComponentLoader::new(Arc::clone(&engine));
    let component = loader.load_bytes(&bytes("probe")).unwrap();
    let address = ComponentId::new("demo", "probe", "a");
    let settings = InstanceSettings {
        limits,
        ..InstanceSettings::new(address.clone())
    };
    let line = json!(["services.log", {"level": "info", "text": "a line"}]);
    let script = Value::from(vec![line; lines]).to_string();
    let from = ComponentId::new("demo", "test", "a");
    let message = ComponentMessage::new(from, address, "script".into(), script.into());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    with_default(subscriber, || {
        let mut store = engine.store(&component, settings, Keyspace::default());
        runtime.block_on(async {
            store.activate(TurnContext::default()).await.unwrap();
            for turn in 1..=turns {
                let context = TurnContext {
                    turn,
                    ..TurnContext::default()
                };
                store.handle_message(&message, context).await.unwrap();
            }
        });
    });
    log.text()
}

#[test]
fn lines_beyond_those_of_a_second_are_dropped_and_counted() {
    let limits = |per_second| Limits {
        log_lines_per_s: per_second,
        ..Limits::default()
    };
    let text = logged(limits(1), 1, 1);
    assert_eq!(text.matches("a line").count(), 1);
    assert!(!text.contains("log_lines_per_s"), "{text}");

    let began = Instant::now();
    let text = logged(limits(1), 4, 3);
    let lines = text.matches("a line").count();
    assert!((1..=allowed(began)).contains(&lines), "{text}");
    // Once when it began, and once for all the rest up to the next line that is not dropped.
    let told = text.matches("log lines beyond `turn_log_lines` or `log_lines_per_s`");
    assert!((1..=2 * lines).contains(&told.count()), "{text}");
    let dropped = text.split("dropped=").skip(1);
    let dropped = dropped.map(|rest| rest.split_whitespace().next().unwrap());
    let dropped: u64 = dropped.map(|number| number.parse::<u64>().unwrap()).sum();
    assert_eq!(lines as u64 + dropped, 12);
}
