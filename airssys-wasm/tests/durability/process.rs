//! A system in a process of its own, which can be killed: the end that tests hold.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

// Layer 2: Third-party crate imports
use futures_channel::oneshot;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

// Layer 3: Internal module imports
use crate::hosted::{FOLDER, SETUP};

/// How long a test waits for what has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A system in a process of its own. It is killed when this is dropped.
pub(crate) struct Process {
    child: Mutex<Child>,
    stdin: Mutex<ChildStdin>,
    last_number: AtomicU64,
    open: Arc<Mutex<Open>>,
}

/// Whoever waits for an answer. Nobody any more, once the process is gone.
type Open = Option<HashMap<u64, oneshot::Sender<Value>>>;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The process was killed, and nobody knows what has become of the command.
    Killed,
    /// The system did not do it: a word for why, and the reason.
    Error(String, String),
}

impl Trouble {
    /// A word for why the system did not do it.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Killed => "killed",
            Self::Error(word, _) => word,
        }
    }
}

impl Process {
    /// Starts a system with its data and its compiled components in this folder. Commands
    /// wait until it runs.
    pub(crate) fn start(setup: &str, folder: &Path) -> Self {
        let mut child = Command::new(env::current_exe().expect("this test binary"))
            .args(["hosted::host", "--exact", "--ignored", "--nocapture"])
            .env(SETUP, setup)
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let stdin = child.stdin.take().expect("its input");
        let stdout = child.stdout.take().expect("its output");
        let open = Arc::new(Mutex::new(Some(HashMap::new())));
        let answered = Arc::clone(&open);
        thread::spawn(move || read_answers(stdout, &answered));
        Self {
            child: Mutex::new(child),
            stdin: Mutex::new(stdin),
            last_number: AtomicU64::new(0),
            open,
        }
    }

    /// Ends the process with SIGKILL. What it was asked to do is answered with
    /// [`Trouble::Killed`].
    pub(crate) fn kill(&self) {
        let mut child = lock(&self.child);
        let ended = child.try_wait().expect("to know whether it ended");
        assert_eq!(ended, None, "it has ended by itself");
        child.kill().expect("its end");
        child.wait().expect("its end");
    }

    /// Whether the process has ended, killed or not.
    pub(crate) fn has_ended(&self) -> bool {
        let ended = lock(&self.child).try_wait();
        ended.expect("to know whether it ended").is_some()
    }

    /// Has the system do something.
    pub(crate) async fn command(&self, mut command: Value) -> Result<Value, Trouble> {
        let number = self.last_number.fetch_add(1, Ordering::Relaxed);
        command["number"] = number.into();
        let (sender, answered) = oneshot::channel();
        match &mut *lock(&self.open) {
            Some(open) => open.insert(number, sender),
            None => return Err(Trouble::Killed),
        };
        let line = format!("{command}\n");
        if lock(&self.stdin).write_all(line.as_bytes()).is_err() {
            return Err(Trouble::Killed);
        }
        let mut answer = answered.await.map_err(|_killed| Trouble::Killed)?;
        if let Some(word) = answer["error"].as_str() {
            let why = answer["why"].as_str().unwrap_or_default();
            return Err(Trouble::Error(word.into(), why.into()));
        }
        Ok(answer["ok"].take())
    }

    /// Asks an actor, and returns what it replies.
    pub(crate) async fn try_ask(
        &self,
        to: &str,
        kind: &str,
        payload: &str,
        id: Option<&str>,
    ) -> Result<String, Trouble> {
        let asked = json!({"do": "ask", "to": to, "kind": kind, "payload": payload, "id": id});
        let reply = self.command(asked).await?;
        Ok(reply.as_str().unwrap_or_default().to_owned())
    }

    /// Asks an actor that has to reply.
    pub(crate) async fn ask(&self, to: &str, kind: &str, payload: &str) -> String {
        let reply = self.try_ask(to, kind, payload, None).await;
        reply.unwrap_or_else(|e| panic!("{to} {kind} {payload}: {e:?}"))
    }

    /// Sends a message.
    pub(crate) async fn try_send(
        &self,
        to: &str,
        kind: &str,
        payload: &str,
        id: Option<&str>,
    ) -> Result<(), Trouble> {
        let sent = json!({"do": "send", "to": to, "kind": kind, "payload": payload, "id": id});
        self.command(sent).await.map(drop)
    }

    /// Sends a message that has to be accepted.
    pub(crate) async fn send(&self, to: &str, kind: &str, payload: &str) {
        let sent = self.try_send(to, kind, payload, None).await;
        sent.unwrap_or_else(|e| panic!("{to} {kind} {payload}: {e:?}"));
    }

    /// Has the system do what it has to be able to.
    pub(crate) async fn get(&self, what: &str) -> Value {
        let done = self.command(json!({ "do": what })).await;
        done.unwrap_or_else(|e| panic!("{what}: {e:?}"))
    }

    /// Waits until an actor's reply is as it is to be. The question may be asked often, and
    /// find the mailbox full.
    pub(crate) async fn until_said(&self, to: &str, kind: &str, holds: impl Fn(&str) -> bool) {
        self.until_told(to, kind, "", holds).await;
    }

    /// As [`until_said`](Self::until_said), of a question with a payload.
    pub(crate) async fn until_told(
        &self,
        to: &str,
        kind: &str,
        payload: &str,
        holds: impl Fn(&str) -> bool,
    ) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reply = self.try_ask(to, kind, payload, None).await;
            match &reply {
                Ok(reply) if holds(reply) => return,
                Err(error) if error.word() != "mailbox-full" => panic!("{to} {kind}: {error:?}"),
                Ok(_) | Err(_) => {}
            }
            assert!(
                Instant::now() < deadline,
                "{to} never comes to say it: {reply:?}"
            );
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends to all who subscribed, and returns how many there are.
    pub(crate) async fn publish(&self, topic: &str, kind: &str, payload: &str) -> u64 {
        let publish = json!({"do": "publish", "to": topic, "kind": kind, "payload": payload});
        let count = self.command(publish).await.expect("it is published");
        count.as_u64().expect("a number")
    }

    /// How many timers, requests and subscriptions there are.
    pub(crate) async fn open(&self) -> [u64; 3] {
        let open = &self.get("status").await["open"];
        let count = |what: &str| open[what].as_u64().expect("a number");
        ["timers", "requests", "subscriptions"].map(count)
    }

    /// Does something with a dead letter.
    pub(crate) async fn letter(&self, what: &str, number: u64) -> Result<Value, Trouble> {
        self.command(json!({ "do": what, "letter": number })).await
    }

    /// Waits until something that the system tells is as it is to be.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.get(what).await;
            if holds(&told) {
                return told;
            }
            assert!(Instant::now() < deadline, "it never came to hold: {told}");
            sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.kill();
        }
    }
}

/// Passes answers on until the process ends.
fn read_answers(stdout: ChildStdout, open: &Mutex<Open>) {
    for line in BufReader::new(stdout).lines() {
        let Ok(line) = line else {
            break;
        };
        // The test runner writes there also, and the last line may be cut.
        let Ok(Value::Object(answer)) = serde_json::from_str(&line) else {
            continue;
        };
        let number = answer["number"].as_u64().unwrap_or_default();
        let waiting = lock(open).as_mut().and_then(|open| open.remove(&number));
        if let Some(waiting) = waiting {
            // Whoever asked may have stopped waiting.
            drop(waiting.send(Value::Object(answer)));
        }
    }
    *lock(open) = None;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
