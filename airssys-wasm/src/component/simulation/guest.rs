//! A guest that does what its messages say.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::id::ComponentId;
use crate::core::delivery::envelope::Letter;
use crate::core::runtime::errors::{FaultKind, GuestFault, WasmError};
use crate::core::storage::keyspace::Keyspace;
use crate::core::turn::context::TurnContext;
use crate::core::turn::effects::{Content, Effects, Outgoing, Writes};
use crate::core::turn::guest::{Guest, Pace};
use crate::core::turn::recorded::Learnt;
use crate::core::turn::report::{TurnOutcome, TurnReport};

/// What all guests of a test have done, and what they are to do.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// `address: what`, in order.
    pub(crate) log: Mutex<Vec<String>>,
    /// How often a kind of message, or `init` or `migrate`, still fails.
    pub(crate) failures: Mutex<HashMap<String, u32>>,
}

impl Script {
    /// Has `what` fail so many times.
    pub(crate) fn fail(&self, what: &str, times: u32) {
        self.failures.lock().unwrap().insert(what.into(), times);
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    fn note(&self, actor: &ComponentId, what: &str) {
        let line = format!("{}: {what}", actor.instance());
        self.log.lock().unwrap().push(line);
    }

    /// Whether `what` fails this time.
    fn fails(&self, what: &str) -> bool {
        let mut failures = self.failures.lock().unwrap();
        match failures.get_mut(what) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}

/// Understands `trap`, `retry`, `reject`, `write` (the payload under the key `last`),
/// `send` (the payload to itself, as `echo`), and replies with the payload to the rest.
#[derive(Debug)]
pub(crate) struct ScriptedGuest {
    actor: ComponentId,
    version: &'static str,
    script: Arc<Script>,
    keys: Keyspace,
    is_live: bool,
}

impl ScriptedGuest {
    pub(crate) fn new(
        actor: &ComponentId,
        version: &'static str,
        script: &Arc<Script>,
        keys: Keyspace,
    ) -> Self {
        Self {
            actor: actor.clone(),
            version,
            script: Arc::clone(script),
            keys,
            is_live: false,
        }
    }

    fn trap(&mut self) -> WasmError {
        self.is_live = false;
        WasmError::RuntimeError(GuestFault::new(FaultKind::Unreachable, "scripted"))
    }

    fn begin(&mut self, what: &str) -> Result<Effects, WasmError> {
        self.script
            .note(&self.actor, &format!("{what} {}", self.version));
        if self.script.fails(what) {
            return Err(self.trap());
        }
        Ok(Effects::default())
    }
}

impl Guest for ScriptedGuest {
    async fn activate(&mut self, _context: TurnContext) -> Result<Effects, WasmError> {
        let begun = self.begin("init")?;
        self.is_live = true;
        Ok(begun)
    }

    async fn handle(
        &mut self,
        letter: &Letter,
        _context: TurnContext,
    ) -> Result<TurnReport, WasmError> {
        assert!(self.is_live, "a turn without an instance");
        let kind = letter.kind().to_owned();
        let payload = match letter {
            Letter::Message(message) => message.payload().clone(),
            Letter::Reply(_) => MessagePayload::empty(),
        };
        let words = String::from_utf8_lossy(payload.as_bytes()).into_owned();
        self.script.note(&self.actor, &format!("{kind} {words}"));
        if kind == "trap" || self.script.fails(&kind) {
            return Err(self.trap());
        }
        let mut effects = Effects::default();
        let outcome = match kind.as_str() {
            "retry" => TurnOutcome::Retry("later".into()),
            "reject" => TurnOutcome::Rejected("no".into()),
            _ => TurnOutcome::Replied(Some(payload.clone())),
        };
        match kind.as_str() {
            "write" => {
                effects.writes = Writes::from([("last".into(), Some(payload.into_bytes()))]);
            }
            "send" => effects.outgoing.push(Outgoing::Send {
                to: self.actor.clone(),
                content: Content {
                    kind: "echo".into(),
                    payload,
                },
            }),
            _ => {}
        }
        Ok(TurnReport { outcome, effects })
    }

    async fn migrate(&mut self, from: &str, _context: TurnContext) -> Result<Effects, WasmError> {
        self.script
            .note(&self.actor, &format!("migrate {from}→{}", self.version));
        if self.script.fails("migrate") {
            return Err(self.trap());
        }
        Ok(Effects::default())
    }

    async fn shutdown(&mut self, _context: TurnContext) -> Result<Effects, WasmError> {
        self.begin("shutdown")
    }

    fn is_live(&self) -> bool {
        self.is_live
    }

    fn pace(&self) -> Pace {
        Pace::Quick
    }

    fn apply(&mut self, writes: Writes) {
        self.keys.apply(writes);
    }

    fn take_learnt(&mut self) -> Learnt {
        Learnt::default()
    }

    fn into_keys(self) -> Keyspace {
        self.keys
    }
}
