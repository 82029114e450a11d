//! A system in a process of its own, which can be killed: the end that runs in there.
//!
//! It is this test binary once more, told to run the one test below. It reads commands
//! from its standard input and answers them on its standard output, one JSON object on
//! each line, and ends with its input.

// Layer 1: Standard library imports
use std::env;
use std::io::{BufRead, Write, stdin, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::delivery::envelope::Letter;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::messaging::dead_letters::DeadLetterId;
use airssys_wasm::runtime::cache::CompileCache;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::error::{AskError, ControlError};
use airssys_wasm::system::handle::System;

use crate::support::{builder, id};
use crate::waiting::Mood;
use crate::{bank, losses, no_trace, waiting};

/// Names what the process is to run.
pub(crate) const SETUP: &str = "AIRSSYS_TEST_SETUP";

/// Names the folder that it has.
pub(crate) const FOLDER: &str = "AIRSSYS_TEST_FOLDER";

/// How long an ask waits. No test needs as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many commands are read ahead.
const COMMANDS: usize = 64;

/// How many dead letters are listed.
const LETTERS: usize = 100_000;

/// What a system is asked to do, and under which number the answer goes back.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Command {
    number: u64,
    #[serde(rename = "do")]
    what: String,
    to: String,
    from: Option<String>,
    kind: String,
    payload: String,
    id: Option<String>,
    letter: Option<DeadLetterId>,
}

/// Why there is no answer: a word to compare, and the whole reason.
struct Trouble(&'static str, String);

#[test]
#[ignore = "other tests run it, in a process of its own"]
fn host() {
    let (Ok(setup), Ok(folder)) = (env::var(SETUP), env::var(FOLDER)) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(serve(&setup, Path::new(&folder)));
}

async fn serve(setup: &str, folder: &Path) {
    let building = builder(&folder.join("data"));
    let building = match setup {
        "losses" => losses::components(building),
        "bank" => bank::components(building),
        "no-trace" => no_trace::components(building),
        "stuck" => waiting::components(building, Mood::Stuck),
        "free" => waiting::components(building, Mood::Free),
        "broken" => waiting::components(building, Mood::Broken),
        "crowded" => waiting::components(building, Mood::Crowded),
        other => panic!("no setup {other}"),
    };
    let system = start(building, folder).await;
    // The line that the test runner began ends here.
    answer(&json!("started"));
    let (commands, mut read) = mpsc::channel(COMMANDS);
    std::thread::spawn(move || {
        for line in stdin().lock().lines() {
            let command = serde_json::from_str(&line.expect("a line")).expect("a command");
            commands
                .blocking_send(command)
                .expect("somebody who reads it");
        }
    });
    while let Some(command) = read.recv().await {
        let system = system.clone();
        tokio::spawn(async move { answer(&done(&system, command).await) });
    }
}

async fn start(building: SystemBuilder, folder: &Path) -> System {
    let cache = CompileCache::open(folder.join("compiled")).expect("a cache");
    let started = building.cache(cache).start().await;
    started.unwrap_or_else(|e| panic!("the system does not start: {e}"))
}

fn answer(answer: &Value) {
    let mut stdout = stdout().lock();
    // A line of its own, whatever the test runner has written.
    writeln!(stdout, "\n{answer}").expect("somebody who reads it");
    stdout.flush().expect("somebody who reads it");
}

async fn done(system: &System, command: Command) -> Value {
    let number = command.number;
    match carry_out(system, command).await {
        Ok(value) => json!({ "number": number, "ok": value }),
        Err(Trouble(word, why)) => json!({ "number": number, "error": word, "why": why }),
    }
}

async fn carry_out(system: &System, command: Command) -> Result<Value, Trouble> {
    let letter = || command.letter.expect("a dead letter");
    match command.what.as_str() {
        "ask" => {
            let reply = system
                .ask_within(message(system, &command), PATIENCE)
                .await?;
            Ok(text(reply.unwrap_or_default().as_bytes()))
        }
        "send" => match system.send_message(message(system, &command)).await {
            Ok(()) => Ok(Value::Null),
            Err(refused) => Err(refused_for(&refused.reason)),
        },
        "publish" => {
            let published = system.publish(&command.to, command.kind, command.payload);
            Ok(published
                .await
                .map_err(|e| Trouble("refused", e.to_string()))?
                .into())
        }
        "status" => Ok(serde_json::to_value(system.status()).expect("JSON")),
        "waiting" => Ok(system.inspect(&id(&command.to))?.waiting.into()),
        "subscriptions" => Ok(system.inspect(&id(&command.to))?.subscriptions.into()),
        "dead-letters" => Ok(dead_letters(system)),
        "retry" => Ok(system.retry_dead_letter(letter()).await.map(Value::from)?),
        "drop" => Ok(system.drop_dead_letter(letter()).await.map(Value::from)?),
        "replay" => {
            let report = system.replay(letter()).await?;
            Ok(serde_json::to_value(report).expect("JSON"))
        }
        "shutdown" => Ok(serde_json::to_value(system.shutdown().await).expect("JSON")),
        other => panic!("no command {other}"),
    }
}

fn message(system: &System, command: &Command) -> ComponentMessage {
    let (to, kind) = (id(&command.to), command.kind.clone());
    let payload = MessagePayload::from(command.payload.clone());
    let message = match &command.from {
        Some(from) => ComponentMessage::new(id(from), to, kind, payload),
        None => system.message(&to, kind, payload),
    };
    match &command.id {
        Some(id) => message.with_id(Arc::from(id.as_str())),
        None => message,
    }
}

fn dead_letters(system: &System) -> Value {
    let letters = system.dead_letters(None, None, LETTERS).into_iter();
    let letters = letters.map(|(number, it)| {
        let payload = match &it.letter {
            Letter::Message(it) => text(it.payload().as_bytes()),
            Letter::Reply(_) => Value::Null,
        };
        json!({
            "number": number,
            "to": it.letter.to().as_str(),
            "kind": it.letter.kind(),
            "payload": payload,
            "reason": it.reason.to_string(),
            "has_turn": it.turn.is_some(),
        })
    });
    letters.collect()
}

fn text(bytes: &[u8]) -> Value {
    String::from_utf8(bytes.to_vec()).expect("text").into()
}

fn refused_for(reason: &Refusal) -> Trouble {
    let word = match reason {
        Refusal::MailboxFull => "mailbox-full",
        _ => "refused",
    };
    Trouble(word, reason.to_string())
}

impl From<AskError> for Trouble {
    fn from(error: AskError) -> Self {
        let word = match &error {
            AskError::Refused(reason) => return refused_for(reason),
            AskError::Rejected(_) => "rejected",
            AskError::Failed(_) => "failed",
            AskError::Timeout { .. } => "timeout",
            _ => "undecided",
        };
        Self(word, error.to_string())
    }
}

impl From<ControlError> for Trouble {
    fn from(error: ControlError) -> Self {
        Self("control", error.to_string())
    }
}
