//! The configuration of one group of supervised actors.

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::component::settings::MAX_WINDOW_MS;
use crate::component::supervision::group::{GroupSettings, MAX_RESTARTS, Strategy};
use crate::component::supervision::member::{InvalidMember, Member};

/// The most members of a group.
pub const MAX_MEMBERS: usize = 1_024;

/// A group: members that are started again together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// The group's name, 1 to 64 of a-z 0-9 - _.
    pub name: String,
    /// Which members start again when one of them fails. Default `one-for-one`.
    #[serde(default)]
    pub strategy: Strategy,
    /// How many restarts are allowed within the window; one more makes the group
    /// itself fail. At most 1 000, default 10.
    #[serde(default = "default_max_restarts")]
    #[schemars(range(max = MAX_RESTARTS))]
    pub max_restarts: u32,
    /// The window in which restarts are counted, in milliseconds. From 1 to
    /// 86 400 000 (a day), default 10 000.
    #[serde(default = "default_window_ms")]
    #[schemars(range(min = 1, max = MAX_WINDOW_MS))]
    pub window_ms: u64,
    /// The members in the order in which they start: a component (`shop/stock`), an
    /// actor (`shop/cart/main`), or another group (`payments`). From 1 to 1 024; there
    /// is no default.
    #[schemars(length(min = 1, max = MAX_MEMBERS))]
    pub members: Vec<String>,
}

impl GroupConfig {
    /// A group with this name and every default. It still needs members.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            strategy: Strategy::default(),
            max_restarts: default_max_restarts(),
            window_ms: default_window_ms(),
            members: Vec::new(),
        }
    }

    /// What the group's supervisor needs.
    ///
    /// # Errors
    ///
    /// The first member that is no component, actor or group.
    pub fn settings(&self) -> Result<GroupSettings, InvalidMember> {
        let members: Result<Vec<Member>, _> = self.members.iter().map(|m| m.parse()).collect();
        Ok(GroupSettings {
            name: self.name.clone(),
            strategy: self.strategy,
            max_restarts: self.max_restarts,
            window_ms: self.window_ms,
            members: members?,
        })
    }
}

fn default_max_restarts() -> u32 {
    10
}

fn default_window_ms() -> u64 {
    10_000
}
