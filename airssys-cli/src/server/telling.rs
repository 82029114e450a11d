//! Events in words.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::event::Event;
use airssys_wasm::core::storage::store::VersionId;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tracing::{debug, error, info, warn};

// Layer 3: Internal module imports
use crate::log_book::{Line, LogBook, Severity, Speaker};
use crate::logging::TOLD_EVENTS;
use crate::now::now_ms;
use crate::text::visible;
use crate::version::Version;

/// Writes each event to the book and to the log, until the system is gone.
pub(crate) async fn tell_events(mut events: broadcast::Receiver<Event>, book: Arc<LogBook>) {
    loop {
        match events.recv().await {
            Ok(event) => tell(event, &book),
            Err(RecvError::Lagged(missed)) => {
                warn!(target: "airssys", missed, "events came faster than they could be told");
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn tell(event: Event, book: &LogBook) {
    let (level, actor, text) = words(&event);
    let text = visible(&text);
    match level {
        Severity::Error => error!(target: TOLD_EVENTS, "{text}"),
        Severity::Warning => warn!(target: TOLD_EVENTS, "{text}"),
        Severity::Info => info!(target: TOLD_EVENTS, "{text}"),
        Severity::Debug | Severity::Trace => debug!(target: TOLD_EVENTS, "{text}"),
    }
    book.write(Line {
        at_ms: now_ms(),
        level,
        from: Speaker::Event,
        actor: actor.map(ToString::to_string),
        text,
        event: Some(event),
    });
}

/// How much an event matters, which actor it is about, and what it says.
fn words(event: &Event) -> (Severity, Option<&ComponentId>, String) {
    use Severity::{Debug, Error, Info, Warning};
    match event {
        Event::Activated { actor, version } => {
            let text = format!("{actor} activated, version {}", short(version));
            (Debug, Some(actor), text)
        }
        Event::Passivated { actor } => (Debug, Some(actor), format!("{actor} passivated")),
        Event::TurnFailed {
            actor,
            kind,
            attempt,
            error,
        } => {
            let text = format!("{actor} failed at `{kind}`, attempt {attempt}: {error}");
            (Warning, Some(actor), text)
        }
        Event::Denied { actor, what } => {
            (Warning, Some(actor), format!("{actor} was denied {what}"))
        }
        Event::Restarted { failed, members } => {
            let text = format!("{failed} failed, so these restart: {}", members.join(", "));
            (Warning, Some(failed), text)
        }
        Event::GaveUp { target, last_straw } => {
            let text = format!("{target} is given up, after a failure of {last_straw}");
            (Error, Some(last_straw), text)
        }
        Event::Stopped { actor } => (Info, Some(actor), format!("{actor} stopped")),
        Event::Resumed { target } => (Info, None, format!("{target} runs again")),
        Event::DeadLetter { id, to, reason } => (
            Warning,
            Some(to),
            format!("dead letter {id} to {to}: {reason}"),
        ),
        Event::Deployed { component, version } => (
            Info,
            None,
            format!("{component} deployed, version {}", short(version)),
        ),
        Event::UpgradeStarted {
            component,
            from,
            to,
        } => {
            let text = format!(
                "{component} changes from version {} to {}",
                short(from),
                short(to)
            );
            (Info, None, text)
        }
        Event::Switched { actor, version } => (
            Info,
            Some(actor),
            format!("{actor} switched to version {}", short(version)),
        ),
        Event::UpgradeReverted {
            component,
            to,
            failures,
        } => {
            let to = short(to);
            let text = format!("{component} is back at version {to}, after {failures} failures");
            (Error, None, text)
        }
        Event::StoreFailed { reason } => (
            Error,
            None,
            format!("the store failed, and the system takes nothing any more: {reason}"),
        ),
        Event::ShuttingDown => (Info, None, "the system takes no more messages".to_owned()),
        other => (Info, None, serde_json::to_string(other).unwrap_or_default()),
    }
}

fn short(id: &VersionId) -> Version {
    id.into()
}
