//! What can go wrong when one talks to a system.

// Layer 1: Standard library imports
use std::io;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::component::supervision::ended::TooManyStopped;
use crate::component::supervision::invalid::InvalidGroups;
use crate::component::supervision::member::InvalidMember;
use crate::component::supervision::supervisor::NotResumed;
use crate::core::component::message::ComponentMessage;
use crate::core::component::topic::InvalidTopic;
use crate::core::delivery::refusal::Refusal;
use crate::core::limits::LimitExceeded;
use crate::core::runtime::errors::WasmError;
use crate::core::security::capability::Capability;
use crate::core::storage::store::StoreError;
use crate::messaging::dead_letters::DeadLetterId;
use crate::security::audit::error::AuditError;
use crate::security::grants::{InvalidGrant, Missing};
use crate::security::policy::denied::DeniedByRule;
use crate::security::signature::error::SignatureError;
use crate::storage::data_folder::DataFolderError;
use crate::system::component_name::InvalidName;
use crate::system::config::problem::ConfigError;
use crate::system::data::error::DataError;
use crate::system::policy_file::PolicyFileError;
use crate::system::provisioning::ProvisionError;
use crate::system::vetting::Unfit;

/// Why a system did not start, or a component was not added to one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A component's name is no name.
    #[error("component `{name}`: {source}")]
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        source: InvalidName,
    },
    /// The configuration has a mistake.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The groups contradict each other.
    #[error(transparent)]
    Groups(#[from] InvalidGroups),
    /// A member of a group is no component, actor or group.
    #[error(transparent)]
    Member(#[from] InvalidMember),
    /// The data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The data cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The audit log cannot be continued.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A component has no bytes and no file.
    #[error("component `{0}` has no source: name a file, or hand over its bytes")]
    NoSource(String),
    /// A component's file could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A component is not trusted.
    #[error("component `{name}` is not taken: {source}")]
    Signature {
        /// Its name.
        name: String,
        /// Why it is not.
        source: SignatureError,
    },
    /// A component cannot be run.
    #[error("component `{name}`: {source}")]
    Component {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: WasmError,
    },
    /// A component needs more than is granted to it.
    #[error(
        "component `{name}` needs what is not granted to it: {}; \
         add it to its grants, or run another component",
        listed(missing)
    )]
    NeedsNotMet {
        /// Its name.
        name: String,
        /// What is missing.
        missing: Vec<Missing>,
    },
    /// What a component is granted, or needs, is not written as it has to be.
    #[error("component `{name}`: {source}")]
    Grant {
        /// Its name.
        name: String,
        /// What is wrong.
        source: InvalidGrant,
    },
    /// Something that a component is to be handed is not there.
    #[error("component `{name}`: {source}")]
    Provision {
        /// Its name.
        name: String,
        /// What is not there.
        source: ProvisionError,
    },
    /// The policy cannot be read.
    #[error(transparent)]
    PolicyFile(#[from] PolicyFileError),
    /// The policy does not let a component run.
    #[error("component `{name}` may not start: {source}")]
    Policy {
        /// Its name.
        name: String,
        /// The rules that forbid it, if it is not that none permits it.
        source: DeniedByRule,
    },
    /// A component of this name is there already.
    #[error("component `{0}` is there already; upgrade it")]
    Exists(String),
    /// There are as many components as a system has.
    #[error("a system has at most {0} components")]
    TooMany(usize),
    /// So many actors always run that there is no room for any other.
    #[error(
        "{always} actors always run, and {max_live} may be live at once: \
         allow more with `max_live_actors`"
    )]
    NoRoom {
        /// How many always run.
        always: usize,
        /// How many may be live.
        max_live: usize,
    },
    /// The machine lacks threads or address space.
    #[error("the machine lacks what the system needs: {0}")]
    Machine(String),
    /// The system is shutting down.
    #[error("the system is shutting down")]
    ShuttingDown,
}

impl StartError {
    /// A component that nobody signed whom the system trusts.
    pub(crate) fn untrusted(name: &str, source: SignatureError) -> Self {
        let name = name.to_owned();
        Self::Signature { name, source }
    }

    /// A component that could be run, but not here.
    pub(crate) fn unfit(name: &str, unfit: Unfit) -> Self {
        let name = name.to_owned();
        match unfit {
            Unfit::Needs(missing) => Self::NeedsNotMet { name, missing },
            Unfit::Grant(source) => Self::Grant { name, source },
            Unfit::Provision(source) => Self::Provision { name, source },
            Unfit::Policy(source) => Self::Policy { name, source },
        }
    }
}

/// Each capability and what it is for.
fn listed(missing: &[Missing]) -> String {
    let each = missing
        .iter()
        .map(|it| format!("{} {:?}", it.capability, it.pattern));
    each.collect::<Vec<_>>().join(", ")
}

/// Why an ask brought no reply.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AskError {
    /// The message was not accepted.
    #[error("{0}")]
    Refused(Refusal),
    /// The actor rejected the message, in its own words.
    #[error("rejected: {0}")]
    Rejected(String),
    /// The message was tried as often as its policy allows, and became a dead letter.
    #[error("failed: {0}")]
    Failed(String),
    /// The store failed before the disk had what the answer depends on. The next start
    /// tells whether the message was handled.
    #[error("{0}; whether the message was handled is known after the next start")]
    Undecided(#[from] StoreError),
    /// No answer came in time. The message may be handled yet.
    #[error("no answer within {after_ms} ms")]
    Timeout {
        /// How long was waited.
        after_ms: u64,
    },
}

/// A message that was not accepted, given back.
#[derive(Debug, Error)]
#[error("{reason}")]
pub struct SendError {
    /// The message.
    pub message: Box<ComponentMessage>,
    /// Why it was not accepted.
    pub reason: Refusal,
}

/// Why a message was not published.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The topic is malformed.
    #[error(transparent)]
    Topic(#[from] InvalidTopic),
    /// The topic is longer than the kind of a message may be.
    #[error(transparent)]
    TooLong(#[from] LimitExceeded),
    /// The system takes no messages any more.
    #[error("{0}")]
    Refused(Refusal),
}

/// Why an operator's wish about an actor, a component or a dead letter was not carried
/// out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no such component.
    #[error("there is no component `{0}`")]
    NoComponent(String),
    /// There is no such dead letter, or not any more.
    #[error("there is no dead letter {0}")]
    NoDeadLetter(DeadLetterId),
    /// A dead letter was never tried, so there is no turn to run again.
    #[error("dead letter {0} was never tried, so that there is no turn to replay")]
    NoTurn(DeadLetterId),
    /// A turn learnt more than is kept.
    #[error(
        "the turn read more than is kept of one, or files, the network or the real time, and \
         cannot be replayed"
    )]
    TurnCut,
    /// No kept version fits.
    #[error("`{component}` has no kept version `{version}`; it keeps {}", kept.join(", "))]
    NoVersion {
        /// The component.
        component: String,
        /// What was asked for.
        version: String,
        /// The versions that are kept, the newest first.
        kept: Vec<String>,
    },
    /// There is nothing to return to.
    #[error("`{0}` has no earlier version")]
    NoEarlierVersion(String),
    /// The new version is the one that runs.
    #[error("`{component}` runs version {version} already")]
    SameVersion {
        /// The component.
        component: String,
        /// Its version.
        version: String,
    },
    /// The new version is not trusted.
    #[error("the new version of `{component}` is not taken: {source}")]
    Signature {
        /// The component.
        component: String,
        /// Why it is not.
        source: SignatureError,
    },
    /// The new version cannot be run.
    #[error("the new version cannot be run: {0}")]
    Component(WasmError),
    /// The new version trapped when it was tried on recorded turns.
    #[error(
        "the new version failed on {failed} of {tried} recorded turns, the first being {first}; \
         the running version stays"
    )]
    TrialFailed {
        /// How many recorded turns it was tried on.
        tried: usize,
        /// How many failed that had not failed before.
        failed: usize,
        /// The first of them.
        first: String,
    },
    /// The new version needs more than is granted to the component.
    #[error(
        "the new version of `{component}` needs what is not granted: {}; grant it first, \
         the running version stays",
        listed(missing)
    )]
    NeedsNotMet {
        /// The component.
        component: String,
        /// What is missing.
        missing: Vec<Missing>,
    },
    /// What is to be granted, or what the new version needs, is not written as it has to be.
    #[error(transparent)]
    Grant(#[from] InvalidGrant),
    /// What is to be revoked is not granted in that form.
    #[error("nothing that `{capability}` is granted to `{component}` for lies within {pattern:?}")]
    NotGranted {
        /// The component.
        component: String,
        /// The capability.
        capability: Capability,
        /// What was to be revoked.
        pattern: String,
    },
    /// Something that the component is to be handed is not there any more.
    #[error("{0}")]
    Provision(String),
    /// The policy does not let the version run.
    #[error("this version of `{component}` may not start: {source}; the running one stays")]
    Policy {
        /// The component.
        component: String,
        /// The rules that forbid it, if it is not that none permits it.
        source: DeniedByRule,
    },
    /// Another upgrade of this component is under way.
    #[error("another upgrade of `{0}` is under way")]
    Busy(String),
    /// The actor did not start.
    #[error("`{actor}` did not start: {reason}")]
    NotStarted {
        /// The actor.
        actor: String,
        /// Why, or that it is still at it.
        reason: String,
    },
    /// The actor may not run, or the message was not accepted.
    #[error("{0}")]
    Refused(Refusal),
    /// It cannot be resumed.
    #[error(transparent)]
    NotResumed(#[from] NotResumed),
    /// As many actors are stopped as can be.
    #[error(transparent)]
    TooManyStopped(#[from] TooManyStopped),
}

impl ControlError {
    /// A new version that nobody signed whom the system trusts.
    pub(crate) fn untrusted(component: &str, source: SignatureError) -> Self {
        let component = component.to_owned();
        Self::Signature { component, source }
    }

    /// A new version that could be run, but not here.
    pub(crate) fn unfit(component: &str, unfit: Unfit) -> Self {
        match unfit {
            Unfit::Needs(missing) => Self::NeedsNotMet {
                component: component.to_owned(),
                missing,
            },
            Unfit::Grant(source) => Self::Grant(source),
            Unfit::Provision(source) => Self::Provision(source.to_string()),
            Unfit::Policy(source) => Self::Policy {
                component: component.to_owned(),
                source,
            },
        }
    }
}
