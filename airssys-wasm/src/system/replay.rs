//! Running a recorded turn again.

// Layer 1: Standard library imports
use std::future::ready;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

// Layer 2: Third-party crate imports
use bytes::Bytes;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::component::deployment::{Making, Version};
use crate::core::component::id::ComponentId;
use crate::core::runtime::errors::WasmError;
use crate::core::security::capability::Capability;
use crate::core::storage::keyspace::Keyspace;
use crate::core::storage::store::VersionId;
use crate::core::text::cut;
use crate::core::turn::call::Call;
use crate::core::turn::effects::{Effects, Outgoing};
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::guest::Guest;
use crate::core::turn::recorded::{Learnt, RecordedTurn};
use crate::core::turn::report::{TurnOutcome, TurnReport};
use crate::core::turn::surroundings::{PendingOutcome, Surroundings};
use crate::runtime::store::StoreManager;

/// The most differences that are told of one turn.
const MAX_DIFFERENCES: usize = 32;

/// How a turn went when it was run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// The actor whose turn it was.
    pub actor: ComponentId,
    /// What the turn handled: a message's kind, or `reply`.
    pub kind: String,
    /// What it was run again on.
    pub version: Arc<VersionId>,
    /// Whether that is what it had run on.
    pub is_same_version: bool,
    /// How it had ended: `replied`, `rejected`, `retry`, or the error.
    pub was: String,
    /// How it ended now.
    pub is: String,
    /// What came out differently, in words. Nothing, if it did the same.
    pub differences: Vec<String>,
}

impl ReplayReport {
    /// Whether it did the same.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }
}

/// What a turn was told when it was recorded.
#[derive(Debug)]
struct Replayed {
    learnt: Learnt,
    /// What actors of the version have around them. What the operator hands to them is not
    /// recorded, so that nobody but these can say whether it may be had.
    own: Arc<dyn Surroundings>,
    next_call: AtomicUsize,
    next_target: AtomicU64,
    next_foreign: AtomicUsize,
    /// Where it asked for something else than it had.
    astray: Mutex<Vec<String>>,
}

/// Runs a recorded turn on a version. Nothing that it wants to happen happens, and of what the
/// operator hands to the component it sees what the version may have at this moment.
pub(crate) async fn replay(
    turn: &RecordedTurn,
    version: &Version<StoreManager>,
) -> (ReplayReport, Result<TurnReport, WasmError>) {
    let replayed = Arc::new(Replayed {
        learnt: turn.learnt.clone(),
        own: around(version, &turn.actor),
        next_call: AtomicUsize::new(0),
        next_target: AtomicU64::new(0),
        next_foreign: AtomicUsize::new(0),
        astray: Mutex::default(),
    });
    let mut guest = (version.make)(Making {
        actor: &turn.actor,
        keys: turn.learnt.keyspace(),
        surroundings: Some(Arc::clone(&replayed) as Arc<dyn Surroundings>),
    });
    // The time that a turn had is a matter of the moment, and not of the turn.
    let mut context = turn.context.clone();
    context.budget_ms = None;
    let result = match guest.activate(context.clone()).await {
        Ok(_effects) => {
            replayed.begin();
            guest.handle(&turn.letter, context).await
        }
        Err(error) => Err(error),
    };
    let is_same_version = turn.component == version.id.digest;
    let mut differences = replayed.take_astray();
    if !is_same_version {
        differences.extend(unknown_reads(&turn.learnt, &guest.take_learnt()));
    }
    differences.extend(differ(&turn.result, &result));
    differences.truncate(MAX_DIFFERENCES);
    let report = ReplayReport {
        actor: turn.actor.clone(),
        kind: turn.letter.kind().to_owned(),
        version: Arc::clone(&version.id),
        is_same_version,
        was: ending(&turn.result),
        is: ending(&result),
        differences,
    };
    (report, result)
}

impl Replayed {
    /// Forgets what `init` asked for, which is no part of the turn.
    fn begin(&self) {
        self.next_call.store(0, Ordering::Relaxed);
        self.next_target.store(0, Ordering::Relaxed);
        self.next_foreign.store(0, Ordering::Relaxed);
        self.take_astray();
    }

    fn take_astray(&self) -> Vec<String> {
        std::mem::take(&mut self.astray.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn stray(&self, how: String) {
        let mut astray = self.astray.lock().unwrap_or_else(PoisonError::into_inner);
        if astray.len() < MAX_DIFFERENCES {
            astray.push(how);
        }
    }

    /// Whether an actor of the version may have at this moment what the operator hands to it.
    /// That it had it when the turn was recorded counts for nothing: the grant may have been
    /// revoked since, and another version may declare other needs. The audit log is not told,
    /// since no actor of the system asks.
    fn permit_now(
        &self,
        actor: &ComponentId,
        capability: Capability,
        resource: &str,
    ) -> Result<(), HostError> {
        if self.own.is_granted(actor, capability, resource) {
            return Ok(());
        }
        let why = cut(format!(
            "`{capability}` for {resource:?}: this version may not have it now"
        ));
        self.stray(format!("it is denied {why}"));
        Err(HostError::Denied(why))
    }
}

impl Surroundings for Replayed {
    fn permit(
        &self,
        actor: &ComponentId,
        capability: Capability,
        resource: &str,
    ) -> Result<(), HostError> {
        let mut denied = self.learnt.denied.iter();
        let denied = denied.find(|it| it.capability == capability && it.resource == resource);
        match denied {
            Some(it) => Err(it.error.clone()),
            None if is_outside(capability) => {
                self.stray(format!(
                    "it uses `{capability}` for {resource:?}, which cannot be done again"
                ));
                let why = "a turn that is run again does nothing outside of it";
                Err(HostError::Denied(why.into()))
            }
            None if is_handed(capability) => self.permit_now(actor, capability, resource),
            None => Ok(()),
        }
    }

    fn read_from(
        &self,
        _reader: &ComponentId,
        owner: &ComponentId,
        key: &str,
    ) -> Result<Option<Bytes>, HostError> {
        let index = self.next_foreign.fetch_add(1, Ordering::Relaxed);
        match self.learnt.foreign.get(index) {
            Some(read) if read.owner == *owner && read.key == key => read.outcome.clone(),
            _ => {
                self.stray(format!(
                    "it reads {key:?} of {owner}, which it had not done"
                ));
                let why = "what this read was not recorded";
                Err(HostError::Unavailable(why.into()))
            }
        }
    }

    fn recall(&self, _found: Result<(), HostError>) -> Result<(), HostError> {
        let index = self.next_target.fetch_add(1, Ordering::Relaxed);
        let refusal = self.learnt.refusals.get(&index).cloned();
        refusal.map_or(Ok(()), Err)
    }

    fn admit(
        &self,
        _actor: &ComponentId,
        _target: &ComponentId,
        _bytes: u64,
    ) -> Result<(), HostError> {
        self.recall(Ok(()))
    }

    fn components(&self) -> Arc<[String]> {
        self.learnt.components.clone().unwrap_or_default()
    }

    fn call(&self, call: Call) -> PendingOutcome<'_> {
        let index = self.next_call.fetch_add(1, Ordering::Relaxed);
        let outcome = match self.learnt.calls.get(index) {
            Some((known, outcome)) if is_same_call(known, &call) => outcome.clone(),
            _ => {
                self.stray(format!(
                    "it calls {} with {:?}, which it had not done",
                    call.to, call.kind
                ));
                let why = "no reply to this call was recorded";
                Err(CallError::Host(HostError::Unavailable(why.into())))
            }
        };
        Box::pin(ready(outcome))
    }
}

/// Whether a capability reaches beyond what is recorded of a turn. One that had used it would
/// have been cut.
fn is_outside(capability: Capability) -> bool {
    matches!(
        capability,
        Capability::Clock | Capability::ReadFiles | Capability::WriteFiles | Capability::Network
    )
}

/// Whether a capability is for what the operator hands to a component, which is not recorded.
fn is_handed(capability: Capability) -> bool {
    matches!(
        capability,
        Capability::Config | Capability::Secrets | Capability::Env
    )
}

/// What actors of a version have around them in the system.
fn around(version: &Version<StoreManager>, actor: &ComponentId) -> Arc<dyn Surroundings> {
    let guest = version.guest(actor, Keyspace::default());
    Arc::clone(guest.surroundings())
}

/// Whether two calls are the same but for the time that was left for them.
fn is_same_call(a: &Call, b: &Call) -> bool {
    (&a.to, &a.kind, &a.payload) == (&b.to, &b.kind, &b.payload)
}

/// Another version may look at what nobody had noted.
fn unknown_reads(known: &Learnt, read: &Learnt) -> Vec<String> {
    let keys = read.keys.keys();
    keys.filter(|key| !known.keys.contains_key(*key))
        .map(|key| format!("it reads {key:?}, whose value was not recorded and counts as absent"))
        .collect()
}

fn ending(result: &Result<TurnReport, WasmError>) -> String {
    match result {
        Ok(report) => match &report.outcome {
            TurnOutcome::Replied(_) => "replied".into(),
            TurnOutcome::Rejected(_) => "rejected".into(),
            TurnOutcome::Retry(_) => "retry".into(),
        },
        Err(error) => error.to_string(),
    }
}

/// What differs between two results, in words.
fn differ(was: &Result<TurnReport, WasmError>, is: &Result<TurnReport, WasmError>) -> Vec<String> {
    if was == is {
        return Vec::new();
    }
    let (Ok(was), Ok(is)) = (was, is) else {
        return vec![format!(
            "it had ended with: {}; now: {}",
            ending(was),
            ending(is)
        )];
    };
    let mut differences = Vec::new();
    if was.outcome != is.outcome {
        differences.push(differ_in_outcome(&was.outcome, &is.outcome));
    }
    differences.extend(differ_in_effects(&was.effects, &is.effects));
    differences
}

fn differ_in_outcome(was: &TurnOutcome, is: &TurnOutcome) -> String {
    let words = |outcome: &TurnOutcome| match outcome {
        TurnOutcome::Replied(Some(reply)) => {
            let text = String::from_utf8_lossy(reply.as_bytes());
            format!("replied {:?}", text.chars().take(120).collect::<String>())
        }
        TurnOutcome::Replied(None) => "replied nothing".to_owned(),
        TurnOutcome::Rejected(why) => format!("rejected: {why:?}"),
        TurnOutcome::Retry(why) => format!("wanted a retry: {why:?}"),
    };
    format!("it had {}; now it {}", words(was), words(is))
}

fn differ_in_effects(was: &Effects, is: &Effects) -> Vec<String> {
    let mut differences = Vec::new();
    for (key, value) in &is.writes {
        if was.writes.get(key) != Some(value) {
            differences.push(format!("it writes {key:?} differently"));
        }
    }
    for key in was.writes.keys() {
        if !is.writes.contains_key(key) {
            differences.push(format!("it does not write {key:?} any more"));
        }
    }
    if was.outgoing != is.outgoing {
        let sends = |effects: &Effects| {
            let messages = effects.outgoing.iter().filter_map(Outgoing::content);
            let kinds: Vec<&str> = messages.map(|content| content.kind.as_str()).collect();
            format!("{kinds:?}")
        };
        differences.push(format!("it had sent {}; now {}", sends(was), sends(is)));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::turn::recorded::DeniedUse;
    use crate::core::turn::surroundings::Alone;

    /// Whoever grants `open`, of whatever capability, and nothing else.
    #[derive(Debug)]
    struct Grantor(Alone);

    impl Surroundings for Grantor {
        fn permit(
            &self,
            _actor: &ComponentId,
            _capability: Capability,
            resource: &str,
        ) -> Result<(), HostError> {
            match resource {
                "open" => Ok(()),
                _ => Err(HostError::Denied("no".into())),
            }
        }

        fn admit(
            &self,
            actor: &ComponentId,
            target: &ComponentId,
            bytes: u64,
        ) -> Result<(), HostError> {
            self.0.admit(actor, target, bytes)
        }

        fn components(&self) -> Arc<[String]> {
            self.0.components()
        }

        fn call(&self, call: Call) -> PendingOutcome<'_> {
            self.0.call(call)
        }
    }

    fn replayed(denied: Vec<DeniedUse>) -> Replayed {
        Replayed {
            learnt: Learnt {
                denied,
                ..Learnt::default()
            },
            own: Arc::new(Grantor(Alone::default())),
            next_call: AtomicUsize::new(0),
            next_target: AtomicU64::new(0),
            next_foreign: AtomicUsize::new(0),
            astray: Mutex::default(),
        }
    }

    #[test]
    fn what_is_handed_over_is_asked_for_now_and_the_rest_is_as_it_was() {
        let replayed = replayed(Vec::new());
        let alice = ComponentId::new("shop", "cart", "alice");
        for capability in Capability::ALL {
            let permitted = |resource: &str| replayed.permit(&alice, capability, resource).is_ok();
            let expected = match capability {
                Capability::Config | Capability::Secrets | Capability::Env => (true, false),
                _ if is_outside(capability) => (false, false),
                _ => (true, true),
            };
            let found = (permitted("open"), permitted("closed"));
            assert_eq!(found, expected, "{capability}");
        }
        let told = replayed.take_astray();
        let of_secrets = told.iter().filter(|it| it.contains("`secrets`"));
        assert_eq!(
            of_secrets.collect::<Vec<_>>(),
            ["it is denied `secrets` for \"closed\": this version may not have it now"]
        );
    }

    #[test]
    fn what_was_denied_then_stays_denied() {
        let error = HostError::Denied("then".into());
        let replayed = replayed(vec![DeniedUse {
            capability: Capability::Secrets,
            resource: "open".into(),
            error: error.clone(),
        }]);
        let alice = ComponentId::new("shop", "cart", "alice");
        let asked = |capability| replayed.permit(&alice, capability, "open");
        assert_eq!(asked(Capability::Secrets), Err(error));
        assert_eq!(asked(Capability::Config), Ok(()));
        assert!(replayed.take_astray().is_empty());
    }

    #[test]
    fn a_long_name_is_told_in_part() {
        let alice = ComponentId::new("shop", "cart", "alice");
        let replayed = replayed(Vec::new());
        let long = "ü".repeat(1 << 20);
        let denied = replayed.permit(&alice, Capability::Secrets, &long);
        assert!(denied.unwrap_err().to_string().len() < 8 << 10);
        assert!(replayed.take_astray()[0].len() < 8 << 10);
    }
}
