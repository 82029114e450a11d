//! What an operator says about a supervision group.

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::component::supervision::intensity::Intensity;
use crate::component::supervision::invalid::InvalidGroups;
use crate::component::supervision::member::{Member, check_group_name};

/// The most groups that one supervisor has.
pub const MAX_GROUPS: usize = 1_024;

/// The most members that all groups of a supervisor have together.
pub const MAX_MEMBERS: usize = 10_000;

/// The largest [`GroupSettings::max_restarts`]. Each restart that counts is remembered
/// with its time, in 8 bytes.
pub const MAX_RESTARTS: u32 = 1_000;

/// A group of actors that are restarted and given up together.
///
/// ```json
/// { "name": "checkout", "strategy": "rest-for-one", "members": ["shop/stock", "shop/cart"] }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupSettings {
    /// The group's name, made of a-z 0-9 - and _. It has no default.
    pub name: String,
    /// Who is restarted when a member fails. Default: one for one.
    pub strategy: Strategy,
    /// The restarts that are allowed within the window; one more is a failure of the
    /// whole group. Default 10, at most [`MAX_RESTARTS`].
    pub max_restarts: u32,
    /// The length of the window in milliseconds, at least one. Default 10 000.
    pub window_ms: u64,
    /// The members, in the order in which they depend on each other: the first one
    /// depends on none. It has no default; a group without members is refused.
    pub members: Vec<Member>,
}

/// Who is restarted when a member of a group fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// What failed, alone: one actor, or one group. The default.
    #[default]
    OneForOne,
    /// All members, for those that cannot go on without each other.
    OneForAll,
    /// What failed and the members after it, for those that build on those before
    /// them. Other actors of the component whose actor failed go on.
    RestForOne,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            strategy: Strategy::default(),
            max_restarts: Intensity::GROUP.max_restarts,
            window_ms: Intensity::GROUP.window_ms,
            members: Vec::new(),
        }
    }
}

impl GroupSettings {
    /// How many restarts are allowed within how long.
    pub fn intensity(&self) -> Intensity {
        Intensity {
            max_restarts: self.max_restarts,
            window_ms: self.window_ms,
        }
    }

    /// Checks all that can be said without looking at other groups.
    pub(super) fn check(&self) -> Result<(), InvalidGroups> {
        let group = || self.name.clone();
        check_group_name(&self.name).map_err(|reason| InvalidGroups::Name {
            group: group(),
            reason,
        })?;
        if self.members.is_empty() {
            return Err(InvalidGroups::Empty { group: group() });
        }
        if self.window_ms == 0 {
            return Err(InvalidGroups::NoWindow { group: group() });
        }
        if self.max_restarts > MAX_RESTARTS {
            return Err(InvalidGroups::Restarts {
                group: group(),
                max_restarts: self.max_restarts,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_defaults_and_refuse_what_they_do_not_know() {
        let text = r#"{"name": "g", "strategy": "rest-for-one", "members": ["a/b", "a/b/c", "h"]}"#;
        let group: GroupSettings = serde_json::from_str(text).unwrap();
        assert_eq!(group.strategy, Strategy::RestForOne);
        assert_eq!((group.max_restarts, group.window_ms), (10, 10_000));
        let again = serde_json::to_string(&group).unwrap();
        assert_eq!(
            serde_json::from_str::<GroupSettings>(&again).unwrap(),
            group
        );

        for wrong in [
            r#"{"name": "g", "max_restart": 3}"#,
            r#"{"name": "g", "strategy": "one-for-two"}"#,
            r#"{"name": "g", "members": ["a/b/c/d"]}"#,
        ] {
            assert!(
                serde_json::from_str::<GroupSettings>(wrong).is_err(),
                "{wrong}"
            );
        }
    }
}
