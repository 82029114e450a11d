//! Why a request was not carried out, as JSON.

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::security::signature::error::SignatureError;
use airssys_wasm::system::data::error::DataError;
use airssys_wasm::system::error::{AskError, ControlError, PublishError, StartError};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::advice;
use crate::data_advice::{self, STORE_FAILED};
use crate::failure::Failure;
use crate::input::ComponentFile;
use crate::signature_advice::not_trusted;

/// A status and its body.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: Box<ProblemBody>,
}

/// What the body of an answer says that is no success.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ProblemBody {
    /// A word for programs.
    pub(crate) kind: String,
    /// What went wrong, in a sentence.
    pub(crate) message: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) cause: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) next: String,
}

impl Problem {
    /// A problem of which only the headline is known yet.
    pub(crate) fn new(status: StatusCode, kind: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            body: Box::new(ProblemBody {
                kind: kind.to_owned(),
                message: message.into(),
                ..ProblemBody::default()
            }),
        }
    }

    /// Adds why.
    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.body.cause = cause.into();
        self
    }

    /// Adds what to do about it.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.body.next = next.into();
        self
    }

    /// Something in the request is malformed.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    /// The body is larger than it may be.
    pub(crate) fn too_large(cause: &str) -> Self {
        let message = "the body is larger than it may be";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
            .because(cause)
            .next(
                "send less, or raise `limits.message_bytes` or `limits.component_bytes` in \
                 airssys.toml",
            )
    }

    /// A message to an actor was not accepted.
    pub(crate) fn of_refusal(to: &ComponentId, refusal: Refusal) -> Self {
        let mut problem = Self::from(refusal);
        problem.body.message = format!("{to}: {refusal}");
        problem.body.next = problem.body.next.replace("ADDRESS`", &format!("{to}`"));
        problem
    }

    /// An ask brought no reply.
    pub(crate) fn of_ask(to: &ComponentId, error: AskError) -> Self {
        match error {
            AskError::Refused(refusal) => Self::of_refusal(to, refusal),
            error => error.into(),
        }
    }

    /// A component cannot be run; `file` is what it is called, and its first bytes.
    pub(crate) fn of_component(error: WasmError, file: &ComponentFile) -> Self {
        let failure: Failure = advice::not_deployed(error, file);
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            &failure.kind,
            failure.message,
        )
        .because(failure.cause)
        .next(failure.next)
    }

    /// A component is not trusted.
    fn of_signature(component: &str, error: &SignatureError) -> Self {
        let failure = not_trusted(component, error);
        Self::new(StatusCode::FORBIDDEN, &failure.kind, failure.message)
            .because(failure.cause)
            .next(failure.next)
    }

    /// A component was not added.
    pub(crate) fn of_start(error: StartError, file: &ComponentFile) -> Self {
        match error {
            StartError::Component { source, .. } => Self::of_component(source, file),
            StartError::Signature { name, source } => Self::of_signature(&name, &source),
            StartError::Exists(name) => Self::new(
                StatusCode::CONFLICT,
                "exists",
                format!("the component {name} is there already"),
            )
            .next(format!(
                "give it new bytes with `airssys upgrade {name} FILE`"
            )),
            StartError::NeedsNotMet { .. } => {
                Self::new(StatusCode::FORBIDDEN, "needs-not-met", error.to_string())
                    .next("see what it needs with `airssys inspect`, and grant it with `--grant`")
            }
            StartError::Policy { .. } => {
                Self::new(StatusCode::FORBIDDEN, "denied-by-policy", error.to_string())
                    .next("see the rules with `airssys policy show`")
            }
            StartError::ShuttingDown => Refusal::ShuttingDown.into(),
            StartError::TooMany(_) => {
                Self::new(StatusCode::CONFLICT, "too-many", error.to_string())
            }
            error => Self::invalid(error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body).unwrap_or_default();
        (self.status, [(CONTENT_TYPE, "application/json")], body).into_response()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, kind, next) = match refusal {
            Refusal::UnknownTarget => (
                StatusCode::NOT_FOUND,
                "unknown-target",
                "`airssys ps` lists the components; an address is NAMESPACE/NAME/INSTANCE",
            ),
            Refusal::MailboxFull => (
                StatusCode::TOO_MANY_REQUESTS,
                "mailbox-full",
                "try again, or wait for space: `airssys send --wait-ms 1000`",
            ),
            Refusal::Stopped => (
                StatusCode::CONFLICT,
                "stopped",
                "let it run again: `airssys resume ADDRESS`",
            ),
            Refusal::GivenUp => (
                StatusCode::CONFLICT,
                "given-up",
                "see why with `airssys dead list`, then let it run again: `airssys resume TARGET`, \
                 with its group or its address",
            ),
            Refusal::ShuttingDown => (
                StatusCode::SERVICE_UNAVAILABLE,
                "shutting-down",
                "start it again: `airssys up`",
            ),
            Refusal::StoreFailed => (
                StatusCode::SERVICE_UNAVAILABLE,
                "store-failed",
                STORE_FAILED,
            ),
            Refusal::InvalidId => (
                StatusCode::BAD_REQUEST,
                "invalid-id",
                "choose another one (`--id`, `Idempotency-Key`)",
            ),
            _ => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too-many",
                "try again later",
            ),
        };
        Self::new(status, kind, refusal.to_string()).next(next)
    }
}

impl From<DataError> for Problem {
    fn from(error: DataError) -> Self {
        if let DataError::Refused(refusal) = error {
            return refusal.into();
        }
        let status = match &error {
            DataError::NoComponent(_) | DataError::NoState(_) => StatusCode::NOT_FOUND,
            DataError::NoDataFolder
            | DataError::NotDurable(_)
            | DataError::NotStopped(_)
            | DataError::Destination { .. } => StatusCode::CONFLICT,
            DataError::InvalidState(_) | DataError::OverQuota(_) | DataError::TooLarge { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            DataError::Disk(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let failure = data_advice::not_done(&error);
        Self::new(status, &failure.kind, failure.message)
            .because(failure.cause)
            .next(failure.next)
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(refusal) => refusal.into(),
            AskError::Rejected(why) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "rejected",
                "the guest rejected the message",
            )
            .because(why)
            .next(
                "it is the guest's own answer: change the message (`--kind`, `--data`, `--file`)",
            ),
            AskError::Failed(why) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                "the message failed as often as it may be tried",
            )
            .because(why)
            .next("look at what became of it: `airssys dead list`, `airssys logs`"),
            AskError::Timeout { after_ms } => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "timeout",
                format!("no answer within {after_ms} ms"),
            )
            .because("the actor is busy, or waits for another; the message may be handled yet")
            .next("see what waits with `airssys ps --actors`, or wait longer with `--timeout-ms`"),
            AskError::Undecided(error) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "undecided",
                "the store failed before the disk had the answer",
            )
            .because(error.to_string())
            .next(
                "free space or mend the disk, start the system again, and ask again with the \
                 same `--id`: then the message is handled once, whatever became of it",
            ),
            error => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                error.to_string(),
            ),
        }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Refused(refusal) => refusal.into(),
            error => Self::new(StatusCode::BAD_REQUEST, "invalid-topic", error.to_string())
                .next("a topic is parts joined by dots, such as `orders.eu.new`, without * and >"),
        }
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let (status, kind, next) = match &error {
            ControlError::Refused(refusal) => return (*refusal).into(),
            ControlError::Signature { component, source } => {
                return Self::of_signature(component, source);
            }
            ControlError::NoComponent(_) => (
                StatusCode::NOT_FOUND,
                "unknown-component",
                "`airssys ps` lists the components",
            ),
            ControlError::NoDeadLetter(_) => (
                StatusCode::NOT_FOUND,
                "no-dead-letter",
                "`airssys dead list` lists them; one that was retried or dropped is gone",
            ),
            ControlError::NoTurn(_) => (
                StatusCode::CONFLICT,
                "no-turn",
                "only a message whose turn was begun can be replayed; send it again with \
                 `airssys dead retry`",
            ),
            ControlError::TurnCut => (StatusCode::CONFLICT, "turn-cut", ""),
            ControlError::NoVersion { .. } => (
                StatusCode::NOT_FOUND,
                "no-version",
                "name one of them, or the beginning of its digest",
            ),
            ControlError::NoEarlierVersion(_) => (StatusCode::CONFLICT, "no-earlier-version", ""),
            ControlError::SameVersion { .. } => (
                StatusCode::CONFLICT,
                "same-version",
                "build the new version again, or check which file you name",
            ),
            ControlError::TrialFailed { .. } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "trial-failed",
                "mend the new version; nothing has changed",
            ),
            ControlError::NeedsNotMet { .. } => (
                StatusCode::FORBIDDEN,
                "needs-not-met",
                "see what is new with `airssys diff OLD NEW`, and grant it with `airssys grant`",
            ),
            ControlError::Policy { .. } => (
                StatusCode::FORBIDDEN,
                "denied-by-policy",
                "see the rules with `airssys policy show`",
            ),
            ControlError::Grant(_) => (
                StatusCode::BAD_REQUEST,
                "invalid-pattern",
                "`airssys grant --help` shows patterns",
            ),
            ControlError::NotGranted { .. } => (
                StatusCode::CONFLICT,
                "not-granted",
                "`airssys grants` lists what is granted",
            ),
            ControlError::Busy(_) => (StatusCode::CONFLICT, "busy", "wait until it has ended"),
            ControlError::NotResumed(_) => (
                StatusCode::NOT_FOUND,
                "not-resumed",
                "`airssys ps` lists the groups and the actors that do not run",
            ),
            ControlError::TooManyStopped(_) => (
                StatusCode::CONFLICT,
                "too-many",
                "resume some with `airssys resume`",
            ),
            _ => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                "see `airssys logs`",
            ),
        };
        Self::new(status, kind, error.to_string()).next(next)
    }
}
