//! Checks a whole configuration, whoever wrote it.

// Layer 1: Standard library imports
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

// Layer 2: Third-party crate imports
use schemars::generate::SchemaSettings;
use serde_json::Value;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::limits::LimitExceeded;
use crate::core::storage::durability::Durability;
use crate::system::component_name::ComponentName;
use crate::system::config::check_access::check_access;
use crate::system::config::component::ComponentConfig;
use crate::system::config::problem::{ConfigError, Part, Problem, Step};
use crate::system::config::shape::check_shape;
use crate::system::config::system::SystemConfig;

/// The most characters of the name of a system or a group.
pub const MAX_NAME_LENGTH: usize = 64;

impl SystemConfig {
    /// Checks every number against its range, and everything that names something
    /// else.
    ///
    /// # Errors
    ///
    /// With the first mistake and the way to it.
    pub fn check(&self) -> Result<(), ConfigError> {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let schema = settings.into_generator().into_root_schema_for::<Self>();
        let value = serde_json::to_value(self).unwrap_or(Value::Null);
        check_shape(schema.as_value(), &value)?;

        if self.name.as_ref().is_some_and(|name| !is_plain_name(name)) {
            return Err(at([key("name")], Problem::PlainName));
        }
        if !self.http.listen.ip().is_loopback() {
            let problem = Problem::NotLoopback(self.http.listen);
            return Err(at([key("http"), key("listen")], problem));
        }
        let data = self.data.as_ref().map(|path| path.as_os_str());
        if data.is_some_and(is_no_path) {
            return Err(at([key("data")], Problem::Data));
        }
        self.check_components()?;
        self.check_signatures()?;
        self.check_groups()
    }

    fn check_components(&self) -> Result<(), ConfigError> {
        let mut names = BTreeSet::new();
        for (index, component) in self.components.iter().enumerate() {
            let here = [key("components"), Step::Item(index)];
            let checked = if names.insert(&component.name) {
                check_component(component)
                    .and_then(|()| self.check_limits(component))
                    .and_then(|()| self.check_durability(component))
            } else {
                let problem = duplicate("component", component.name.as_str());
                Err(at([key("name")], problem))
            };
            checked.map_err(|error| error.under(here))?;
        }
        Ok(())
    }

    fn check_limits(&self, component: &ComponentConfig) -> Result<(), ConfigError> {
        let above = |exceeded: LimitExceeded| {
            let here = [key("limits"), key(exceeded.limit.name())];
            at(here, Problem::AboveCeiling(exceeded))
        };
        self.ceiling.check(&component.limits).map_err(above)?;
        let mut limits = component.limits.clone();
        self.ceiling.lower(&mut limits);
        let (always, allowed) = (component.run.len(), limits.live_actors);
        if always as u64 > allowed {
            return Err(at([key("run")], Problem::TooManyRun { always, allowed }));
        }
        Ok(())
    }

    fn check_durability(&self, component: &ComponentConfig) -> Result<(), ConfigError> {
        let word = match component.durability {
            Some(Durability::Strict) => "strict",
            Some(Durability::Relaxed) => "relaxed",
            Some(Durability::None) | None => return Ok(()),
        };
        if self.data.is_some() {
            return Ok(());
        }
        Err(at([key("durability")], Problem::NoDataFolder(word)))
    }

    fn check_groups(&self) -> Result<(), ConfigError> {
        let mut groups = BTreeSet::new();
        for (index, group) in self.groups.iter().enumerate() {
            let here = [key("groups"), Step::Item(index), key("name")];
            if !is_plain_name(&group.name) {
                return Err(at(here, Problem::PlainName));
            }
            if !groups.insert(group.name.as_str()) {
                return Err(at(here, duplicate("group", &group.name)));
            }
        }
        let known = Known {
            components: self.components.iter().map(|c| c.name.as_str()).collect(),
            groups,
        };
        // Which group each member is in.
        let mut parents = BTreeMap::new();
        for (index, group) in self.groups.iter().enumerate() {
            if group.members.is_empty() {
                let here = [key("groups"), Step::Item(index), key("members")];
                return Err(at(here, Problem::NoMembers));
            }
            for (item, member) in group.members.iter().enumerate() {
                let here = [
                    key("groups"),
                    Step::Item(index),
                    key("members"),
                    Step::Item(item),
                ];
                known
                    .check(member)
                    .and_then(|()| join(&mut parents, &group.name, member))
                    .map_err(|problem| at(here, problem))?;
            }
        }
        Ok(())
    }
}

/// Writes down that `member` is in `group`, unless it is in one already or would be
/// above itself.
fn join<'a>(
    parents: &mut BTreeMap<&'a str, &'a str>,
    group: &'a str,
    member: &'a str,
) -> Result<(), Problem> {
    if let Some(first) = parents.insert(member, group) {
        return Err(Problem::MemberTwice {
            member: member.to_owned(),
            group: first.to_owned(),
        });
    }
    // Nothing was in a circle before, so that the way up ends or comes back here.
    let mut above = Some(group);
    while let Some(current) = above {
        if current == member {
            return Err(Problem::GroupInItself(member.to_owned()));
        }
        above = parents.get(current).copied();
    }
    Ok(())
}

/// The names that a member of a group may have.
struct Known<'a> {
    components: BTreeSet<&'a str>,
    groups: BTreeSet<&'a str>,
}

impl Known<'_> {
    /// A member is a group, `namespace/name`, or `namespace/name/instance`.
    fn check(&self, member: &str) -> Result<(), Problem> {
        let (what, name, known) = match member.split('/').count() {
            1 => ("group", member.to_owned(), &self.groups),
            2 => {
                let name = member.parse::<ComponentName>()?;
                ("component", name.to_string(), &self.components)
            }
            _ => {
                let actor = member.parse::<ComponentId>()?;
                ("component", actor.component().to_owned(), &self.components)
            }
        };
        if known.contains(name.as_str()) {
            return Ok(());
        }
        Err(Problem::UnknownMember {
            what,
            name,
            known: known.iter().map(|known| (*known).to_owned()).collect(),
        })
    }
}

fn check_component(component: &ComponentConfig) -> Result<(), ConfigError> {
    for (item, instance) in component.run.iter().enumerate() {
        let address = format!("{}/{instance}", component.name);
        if let Err(invalid) = address.parse::<ComponentId>() {
            return Err(at([key("run"), Step::Item(item)], invalid.into()));
        }
    }
    let source = component.source.as_ref().map(|path| path.as_os_str());
    if source.is_some_and(is_no_path) {
        return Err(at([key("source")], Problem::Source));
    }
    let retry = &component.retry;
    if retry.first_ms > retry.max_ms {
        let problem = Problem::PausesReversed {
            first_ms: retry.first_ms,
            max_ms: retry.max_ms,
        };
        return Err(at([key("retry"), key("first_ms")], problem));
    }
    check_access(component)
}

pub(super) fn is_no_path(path: &OsStr) -> bool {
    path.is_empty() || path.as_encoded_bytes().contains(&0)
}

pub(super) fn is_plain_name(name: &str) -> bool {
    let is_allowed =
        |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_');
    (1..=MAX_NAME_LENGTH).contains(&name.len()) && name.bytes().all(is_allowed)
}

pub(super) fn key(name: &str) -> Step {
    Step::Key(name.into())
}

pub(super) fn at<const N: usize>(path: [Step; N], problem: Problem) -> ConfigError {
    ConfigError {
        path: path.into(),
        part: Part::Value,
        problem,
    }
}

pub(super) fn duplicate(what: &'static str, name: &str) -> Problem {
    Problem::Duplicate {
        what,
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::config::group::GroupConfig;

    fn component(name: &str) -> ComponentConfig {
        ComponentConfig::new(name.parse().unwrap())
    }

    fn group(name: &str, members: &[&str]) -> GroupConfig {
        GroupConfig {
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            ..GroupConfig::new(name)
        }
    }

    fn shop(groups: &[GroupConfig]) -> SystemConfig {
        SystemConfig {
            components: vec![component("shop/cart"), component("shop/stock")],
            groups: groups.to_vec(),
            ..SystemConfig::default()
        }
    }

    fn refusal(config: &SystemConfig) -> String {
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_good() {
        assert_eq!(SystemConfig::default().check(), Ok(()));
        assert_eq!(shop(&[]).check(), Ok(()));
    }

    #[test]
    fn a_program_is_held_to_the_ranges_of_the_manifest() {
        let mut config = shop(&[]);
        config.components[1].retry.factor = f64::INFINITY;
        assert_eq!(
            refusal(&config),
            "components[1].retry.factor: `factor` must be a number, not a number that is none"
        );
        config.components[0].limits.mailbox = 0;
        assert_eq!(
            refusal(&config),
            "components[0].limits.mailbox: `mailbox` must be from 1 to 1000000, not 0"
        );
        config.max_live_actors = 0;
        config.components.clear();
        assert_eq!(
            refusal(&config),
            "max_live_actors: `max_live_actors` must be from 1 to 1000000, not 0"
        );
    }

    #[test]
    fn nobody_gets_more_than_the_ceiling() {
        let mut config = shop(&[]);
        config.ceiling.timers = Some(5);
        config.components[1].limits.timers = 6;
        assert_eq!(
            refusal(&config),
            "components[1].limits.timers: `timers` may be at most 5 here, as [system.ceiling] says, not 6"
        );
        config.components[1].limits.timers = 4;
        assert_eq!(config.check(), Ok(()));
        config.lower_to_ceiling();
        let timers = [0, 1].map(|index| config.components[index].limits.timers);
        assert_eq!(timers, [5, 4]);
    }

    #[test]
    fn what_names_something_is_checked() {
        let mut config = shop(&[]);
        config.name = Some("Shop".into());
        assert_eq!(
            refusal(&config),
            "name: a name here is made of 1 to 64 of a-z 0-9 - _"
        );

        let mut config = shop(&[]);
        config.http.listen = "0.0.0.0:80".parse().unwrap();
        assert!(refusal(&config).starts_with("http.listen: 0.0.0.0:80 can be reached"));

        let mut config = shop(&[]);
        config.components.push(component("shop/cart"));
        assert_eq!(
            refusal(&config),
            "components[2].name: there is already a component `shop/cart`"
        );

        let mut config = shop(&[]);
        config.components[0].run = vec!["main".into(), "a/b".into()];
        assert!(refusal(&config).starts_with("components[0].run[1]: "));

        let mut config = shop(&[]);
        config.components[0].source = Some("a\0b".into());
        assert!(refusal(&config).starts_with("components[0].source: "));
    }

    #[test]
    fn members_of_groups_are_components_actors_and_groups() {
        let good = [
            group("orders", &["shop/stock", "shop/cart/main", "payments"]),
            group("payments", &["shop/cart"]),
        ];
        assert_eq!(shop(&good).check(), Ok(()));
        for (groups, expected) in [
            (
                vec![group("a", &["shop/stok"])],
                "groups[0].members[0]: there is no component `shop/stok`; did you mean `shop/stock`?",
            ),
            (
                vec![group("orders", &["shop/cart"]), group("b", &["order"])],
                "groups[1].members[0]: there is no group `order`; did you mean `orders`?",
            ),
            (
                vec![group("a", &["shop/cart/x/y"])],
                "groups[0].members[0]: an address has three parts, namespace/name/instance; this one has 4",
            ),
            (
                vec![group("a", &["shop/cart"]), group("b", &["shop/cart"])],
                "groups[1].members[0]: `shop/cart` is already a member of the group `a`",
            ),
            (
                vec![group("a", &[]), group("a", &[])],
                "groups[1].name: there is already a group `a`",
            ),
            (
                vec![group("a", &[])],
                "groups[0].members: a group needs at least one member",
            ),
            (
                vec![group("a", &["a"])],
                "groups[0].members[0]: the group `a` is a member of itself",
            ),
            (
                vec![group("a", &["b"]), group("b", &["c"]), group("c", &["a"])],
                "groups[2].members[0]: the group `a` is a member of itself",
            ),
        ] {
            assert_eq!(refusal(&shop(&groups)), expected);
        }
    }
}
