//! A set of capabilities, each with the patterns of what it is for.

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;

/// The most patterns of one capability.
pub const MAX_PATTERNS: usize = 1_024;

/// Capabilities with the patterns of the resources that they are for. What is granted to a
/// component is written so, and what a component needs.
///
/// The default is none at all. Which form a pattern has is told by
/// [`Form`](crate::core::security::capability::Form).
///
/// ```
/// use airssys_wasm::core::security::capabilities::Capabilities;
/// use airssys_wasm::core::security::capability::Capability;
///
/// let grants = Capabilities {
///     send: vec!["shop/stock".into(), "self".into()],
///     ..Capabilities::default()
/// };
/// assert_eq!(grants.of(Capability::Send).len(), 2);
/// assert!(grants.of(Capability::Network).is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Capabilities {
    /// Actors to send messages to, such as `shop/stock`, `shop/cart/*` or `self`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub send: Vec<String>,
    /// Actors to ask for a reply, by a request or a call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub call: Vec<String>,
    /// Actors to have messages sent to later; most often `self`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub timers: Vec<String>,
    /// Topics to publish to, such as `orders.*.created` or `orders.>`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub publish: Vec<String>,
    /// Topics to subscribe to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub subscribe: Vec<String>,
    /// Actors whose keys it may read. Its own it may always.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub storage: Vec<String>,
    /// Actors that it may bring into being by a first message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub spawn: Vec<String>,
    /// Components that it may know of, such as `shop/*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub directory: Vec<String>,
    /// Keys of its `config` that it may read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub config: Vec<String>,
    /// Its `secrets` that it may read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub secrets: Vec<String>,
    /// Clocks beyond the turn's fixed time: `precise` is the only one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub clock: Vec<String>,
    /// Its `env` variables that it may read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub env: Vec<String>,
    /// Its `folders` that it may read in, by the guest's names for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub read_files: Vec<String>,
    /// Its `folders` that it may write in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub write_files: Vec<String>,
    /// Hosts and ports that it may talk to, such as `api.example.com:443`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PATTERNS))]
    pub network: Vec<String>,
}

impl Capabilities {
    /// Everything that can be granted without naming a folder or a host: for programs of
    /// one's own, and tests. Files and the network are still none.
    pub fn trusted() -> Self {
        let mut all = Self::default();
        for capability in Capability::ALL {
            match capability {
                Capability::ReadFiles | Capability::WriteFiles | Capability::Network => {}
                Capability::Publish | Capability::Subscribe => {
                    all.of_mut(capability).push(">".into());
                }
                _ => all.of_mut(capability).push("*".into()),
            }
        }
        all
    }

    /// The patterns of one capability.
    pub fn of(&self, capability: Capability) -> &[String] {
        match capability {
            Capability::Send => &self.send,
            Capability::Call => &self.call,
            Capability::Timers => &self.timers,
            Capability::Publish => &self.publish,
            Capability::Subscribe => &self.subscribe,
            Capability::Storage => &self.storage,
            Capability::Spawn => &self.spawn,
            Capability::Directory => &self.directory,
            Capability::Config => &self.config,
            Capability::Secrets => &self.secrets,
            Capability::Clock => &self.clock,
            Capability::Env => &self.env,
            Capability::ReadFiles => &self.read_files,
            Capability::WriteFiles => &self.write_files,
            Capability::Network => &self.network,
        }
    }

    /// The patterns of one capability, to be changed.
    pub fn of_mut(&mut self, capability: Capability) -> &mut Vec<String> {
        match capability {
            Capability::Send => &mut self.send,
            Capability::Call => &mut self.call,
            Capability::Timers => &mut self.timers,
            Capability::Publish => &mut self.publish,
            Capability::Subscribe => &mut self.subscribe,
            Capability::Storage => &mut self.storage,
            Capability::Spawn => &mut self.spawn,
            Capability::Directory => &mut self.directory,
            Capability::Config => &mut self.config,
            Capability::Secrets => &mut self.secrets,
            Capability::Clock => &mut self.clock,
            Capability::Env => &mut self.env,
            Capability::ReadFiles => &mut self.read_files,
            Capability::WriteFiles => &mut self.write_files,
            Capability::Network => &mut self.network,
        }
    }

    /// Every capability with each of its patterns.
    pub fn iter(&self) -> impl Iterator<Item = (Capability, &str)> {
        let patterns = move |capability| self.of(capability).iter().map(String::as_str);
        Capability::ALL
            .into_iter()
            .flat_map(move |capability| patterns(capability).map(move |it| (capability, it)))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_bears_the_name_of_its_capability() {
        for capability in Capability::ALL {
            let mut one = Capabilities::default();
            one.of_mut(capability).push("x".into());
            assert_eq!(one.of(capability), ["x"]);
            let written = serde_json::to_string(&one).unwrap();
            assert_eq!(written, format!("{{\"{capability}\":[\"x\"]}}"));
            assert_eq!(one.iter().collect::<Vec<_>>(), [(capability, "x")]);
        }
        assert!(Capabilities::default().is_empty());
    }
}
