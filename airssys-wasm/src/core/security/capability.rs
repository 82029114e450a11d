//! The words for what a component may be allowed to do.

// Layer 1: Standard library imports
use std::fmt;
use std::str::FromStr;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One kind of thing that a component may do, if it was granted.
///
/// The same word stands in a manifest, in the API, in the texts of `denied`, in a policy,
/// in the audit log and on the command line. What is not here needs no grant: logging, the
/// actor's own keys, the time and the random numbers of the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// To send messages to actors: `messaging.send` and `broadcast`.
    Send,
    /// To ask actors for a reply: `messaging.request` and `rpc.call`.
    Call,
    /// To have a message sent to actors later: `messaging.send-after`.
    Timers,
    /// To publish to topics.
    Publish,
    /// To subscribe to topics.
    Subscribe,
    /// To read keys of other components' actors: `storage.get-from`.
    Storage,
    /// To bring actors into being: to send the first message to one that is not live and
    /// has no state.
    Spawn,
    /// To learn which components there are: `services.list-components`.
    Directory,
    /// To read values of its configuration: `services.config`, and `init`.
    Config,
    /// To read secrets: `services.secret`.
    Secrets,
    /// To see the real time pass: `precise` is the only clock that needs a grant.
    Clock,
    /// To read environment variables, through WASI.
    Env,
    /// To read files below a folder, through WASI.
    ReadFiles,
    /// To write files below a folder, through WASI. It happens at once: it stays when the turn
    /// fails, and is done again when the turn is tried again.
    WriteFiles,
    /// To talk to other machines, through WASI's sockets and HTTP. It happens at once: it is
    /// not undone when the turn fails, and is done again when the turn is tried again.
    Network,
}

/// What the resources of a capability are, and with that the form of its patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Actors: `namespace/name/instance`, `namespace/name` for all actors of a component,
    /// `namespace/*` for all of a namespace; `*` within a part stands for any characters of
    /// it, `*` alone for all actors, and `self` for the actor itself.
    Actor,
    /// Components: `namespace/name`, with `*` as above.
    Component,
    /// Topics: words joined by dots; `*` stands for one word, and `>` at the end for one
    /// or more.
    Topic,
    /// Names, in which `*` stands for any characters.
    Name,
    /// Folders as the guest sees them, each with everything below it: `/data`.
    Folder,
    /// Hosts and ports: `api.example.com:443`, `*.example.com:443`, `10.0.0.7:*`, `[::1]:80`.
    /// `*` in a host stands for any characters. An address of this machine or of a private
    /// network is meant by those patterns alone that are written as addresses, as `10.0.*:443`.
    Endpoint,
}

impl Capability {
    /// All of them, in their order.
    pub const ALL: [Self; 15] = [
        Self::Send,
        Self::Call,
        Self::Timers,
        Self::Publish,
        Self::Subscribe,
        Self::Storage,
        Self::Spawn,
        Self::Directory,
        Self::Config,
        Self::Secrets,
        Self::Clock,
        Self::Env,
        Self::ReadFiles,
        Self::WriteFiles,
        Self::Network,
    ];

    /// The capability's name, as it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Call => "call",
            Self::Timers => "timers",
            Self::Publish => "publish",
            Self::Subscribe => "subscribe",
            Self::Storage => "storage",
            Self::Spawn => "spawn",
            Self::Directory => "directory",
            Self::Config => "config",
            Self::Secrets => "secrets",
            Self::Clock => "clock",
            Self::Env => "env",
            Self::ReadFiles => "read_files",
            Self::WriteFiles => "write_files",
            Self::Network => "network",
        }
    }

    /// What its resources are.
    pub fn form(self) -> Form {
        match self {
            Self::Send | Self::Call | Self::Timers | Self::Storage | Self::Spawn => Form::Actor,
            Self::Directory => Form::Component,
            Self::Publish | Self::Subscribe => Form::Topic,
            Self::Config | Self::Secrets | Self::Clock | Self::Env => Form::Name,
            Self::ReadFiles | Self::WriteFiles => Form::Folder,
            Self::Network => Form::Endpoint,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no capability.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no capability `{0}`")]
pub struct UnknownCapability(pub String);

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(name: &str) -> Result<Self, UnknownCapability> {
        let found = Self::ALL.into_iter().find(|it| it.name() == name);
        found.ok_or_else(|| UnknownCapability(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_one_name_everywhere() {
        for capability in Capability::ALL {
            assert_eq!(capability.name().parse(), Ok(capability));
            let written = serde_json::to_value(capability).unwrap();
            assert_eq!(written, capability.name());
        }
        assert!("fly".parse::<Capability>().is_err());
    }
}
