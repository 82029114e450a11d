//! Which group has what in its charge, and what stands below what.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::supervision::action::{Scope, ScopeMember};
use crate::component::supervision::group::{GroupSettings, MAX_GROUPS, MAX_MEMBERS, Strategy};
use crate::component::supervision::intensity::Intensity;
use crate::component::supervision::invalid::InvalidGroups;
use crate::component::supervision::member::Member;
use crate::core::component::id::ComponentId;

/// The groups with their members resolved: a forest, in which a group's parent is the
/// group that lists it. It never changes.
#[derive(Debug, Default)]
pub(super) struct Forest {
    groups: Vec<Group>,
    by_name: HashMap<Arc<str>, GroupIndex>,
    components: HashMap<Arc<str>, Place>,
    actors: HashMap<ComponentId, Place>,
    /// The actors that are listed themselves, by their component.
    listed: HashMap<Arc<str>, Arc<[ComponentId]>>,
}

/// A group's number in its forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupIndex(usize);

/// Where something is listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) group: GroupIndex,
    position: usize,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: Arc<str>,
    pub(super) strategy: Strategy,
    pub(super) intensity: Intensity,
    /// Where it is listed itself, if it is.
    pub(super) parent: Option<Place>,
    /// The outermost group that it is in; perhaps itself.
    pub(super) root: GroupIndex,
    slots: Vec<Slot>,
}

#[derive(Debug)]
enum Slot {
    Component(Arc<str>),
    Actor(ComponentId),
    Group(GroupIndex),
}

impl GroupIndex {
    /// The number, for a table beside the forest.
    pub(super) fn get(self) -> usize {
        self.0
    }
}

impl Forest {
    /// Resolves the members of all groups. Takes time linear in the members, and in
    /// the depth of each group.
    pub(super) fn new(settings: &[GroupSettings]) -> Result<Self, InvalidGroups> {
        check_counts(settings)?;
        let mut forest = Self::default();
        for (index, group) in settings.iter().enumerate() {
            group.check()?;
            forest.add_group(GroupIndex(index), group)?;
        }
        for (index, group) in settings.iter().enumerate() {
            for member in &group.members {
                forest.add_member(GroupIndex(index), member)?;
            }
        }
        forest.find_roots()?;
        forest.collect_listed();
        Ok(forest)
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn group(&self, index: GroupIndex) -> &Group {
        &self.groups[index.0]
    }

    pub(super) fn indices(&self) -> impl Iterator<Item = GroupIndex> + use<> {
        (0..self.groups.len()).map(GroupIndex)
    }

    pub(super) fn by_name(&self, name: &str) -> Option<GroupIndex> {
        self.by_name.get(name).copied()
    }

    /// Where a component is listed.
    pub(super) fn place_of_component(&self, component: &str) -> Option<Place> {
        self.components.get(component).copied()
    }

    /// Where an actor belongs: where it is listed itself, or else its component.
    pub(super) fn place_of(&self, actor: &ComponentId) -> Option<Place> {
        let own = self.actors.get(actor).copied();
        own.or_else(|| self.place_of_component(actor.component()))
    }

    /// Whether a group lists the actor itself.
    pub(super) fn is_listed(&self, actor: &ComponentId) -> bool {
        self.actors.contains_key(actor)
    }

    /// Whether the actor belongs to the group or to one below it.
    pub(super) fn is_below(&self, actor: &ComponentId, group: GroupIndex) -> bool {
        let mut place = self.place_of(actor);
        while let Some(inner) = place {
            if inner.group == group {
                return true;
            }
            place = self.group(inner.group).parent;
        }
        false
    }

    /// What is restarted when `actor`, or a group on the way from it to `place`,
    /// fails there.
    pub(super) fn restart_scope(&self, place: Place, actor: &ComponentId) -> Scope {
        let group = self.group(place.group);
        let slots = &group.slots[self.restart_range(place)];
        let is_group = matches!(group.slots[place.position], Slot::Group(_));
        match group.strategy {
            // Of a component it is the one actor that failed, and not the others.
            Strategy::OneForOne if !is_group => Scope::Actor(actor.clone()),
            Strategy::RestForOne if !is_group => {
                let mut members = vec![ScopeMember::Actor(actor.clone())];
                members.extend(self.flatten(&slots[1..]));
                Scope::Members(members)
            }
            Strategy::OneForOne | Strategy::OneForAll | Strategy::RestForOne => {
                Scope::Members(self.flatten(slots))
            }
        }
    }

    /// The groups that are restarted as a whole when a member at `place` fails.
    pub(super) fn restarted_groups(&self, place: Place) -> Vec<GroupIndex> {
        self.groups_in(&self.group(place.group).slots[self.restart_range(place)])
    }

    /// The group and all groups below it.
    pub(super) fn subtree(&self, index: GroupIndex) -> Vec<GroupIndex> {
        let mut groups = vec![index];
        groups.extend(self.groups_in(&self.group(index).slots));
        groups
    }

    /// All that is in a group and below it.
    pub(super) fn scope(&self, index: GroupIndex) -> Scope {
        Scope::Members(self.flatten(&self.group(index).slots))
    }

    /// A group's members as they were written.
    pub(super) fn member_texts(&self, index: GroupIndex) -> Vec<String> {
        let text = |slot: &Slot| match slot {
            Slot::Component(component) => component.to_string(),
            Slot::Actor(actor) => actor.to_string(),
            Slot::Group(group) => self.group(*group).name.to_string(),
        };
        self.group(index).slots.iter().map(text).collect()
    }

    fn restart_range(&self, place: Place) -> Range<usize> {
        let group = self.group(place.group);
        match group.strategy {
            Strategy::OneForOne => place.position..place.position + 1,
            Strategy::OneForAll => 0..group.slots.len(),
            Strategy::RestForOne => place.position..group.slots.len(),
        }
    }

    fn flatten(&self, slots: &[Slot]) -> Vec<ScopeMember> {
        let leaf = |slot: &Slot| match slot {
            Slot::Actor(actor) => Some(ScopeMember::Actor(actor.clone())),
            Slot::Component(component) => Some(ScopeMember::Component {
                component: component.clone(),
                except: self.listed.get(component).cloned().unwrap_or_default(),
            }),
            Slot::Group(_) => None,
        };
        self.walk(slots).filter_map(leaf).collect()
    }

    fn groups_in(&self, slots: &[Slot]) -> Vec<GroupIndex> {
        let group = |slot: &Slot| match slot {
            Slot::Group(index) => Some(*index),
            Slot::Actor(_) | Slot::Component(_) => None,
        };
        self.walk(slots).filter_map(group).collect()
    }

    /// These slots and all below them, in order. It keeps its own stack, since an
    /// operator may nest groups as deep as there are groups.
    fn walk<'a>(&'a self, slots: &'a [Slot]) -> impl Iterator<Item = &'a Slot> {
        let mut stack: Vec<&Slot> = slots.iter().rev().collect();
        std::iter::from_fn(move || {
            let slot = stack.pop()?;
            if let Slot::Group(index) = slot {
                stack.extend(self.group(*index).slots.iter().rev());
            }
            Some(slot)
        })
    }

    fn add_group(
        &mut self,
        index: GroupIndex,
        settings: &GroupSettings,
    ) -> Result<(), InvalidGroups> {
        let name: Arc<str> = settings.name.as_str().into();
        if self.by_name.insert(name.clone(), index).is_some() {
            return Err(InvalidGroups::Duplicate {
                group: settings.name.clone(),
            });
        }
        self.groups.push(Group {
            name,
            strategy: settings.strategy,
            intensity: settings.intensity(),
            parent: None,
            root: index,
            slots: Vec::with_capacity(settings.members.len()),
        });
        Ok(())
    }

    fn add_member(&mut self, group: GroupIndex, member: &Member) -> Result<(), InvalidGroups> {
        let position = self.group(group).slots.len();
        let place = Place { group, position };
        let (slot, before) = match member {
            Member::Component(component) => (
                Slot::Component(component.clone()),
                self.components.insert(component.clone(), place),
            ),
            Member::Actor(actor) => (
                Slot::Actor(actor.clone()),
                self.actors.insert(actor.clone(), place),
            ),
            Member::Group(name) => {
                let child = self
                    .by_name(name)
                    .ok_or_else(|| InvalidGroups::UnknownGroup {
                        group: self.group(group).name.to_string(),
                        member: name.to_string(),
                    })?;
                let before = self.groups[child.0].parent.replace(place);
                (Slot::Group(child), before)
            }
        };
        if let Some(before) = before {
            return Err(InvalidGroups::ListedTwice {
                member: member.clone(),
                first: self.group(before.group).name.to_string(),
                second: self.group(group).name.to_string(),
            });
        }
        self.groups[group.0].slots.push(slot);
        Ok(())
    }

    /// Follows each group to its root. Since a group has one parent at most, a way up
    /// that is longer than there are groups goes in a circle.
    fn find_roots(&mut self) -> Result<(), InvalidGroups> {
        for start in self.indices() {
            let mut root = start;
            let mut steps = 0;
            while let Some(place) = self.group(root).parent {
                root = place.group;
                steps += 1;
                if steps > self.groups.len() {
                    return Err(self.cycle_through(root));
                }
            }
            self.groups[start.0].root = root;
        }
        Ok(())
    }

    fn cycle_through(&self, start: GroupIndex) -> InvalidGroups {
        let mut groups = vec![self.group(start).name.to_string()];
        let mut at = start;
        while let Some(place) = self.group(at).parent {
            at = place.group;
            groups.push(self.group(at).name.to_string());
            if at == start {
                break;
            }
        }
        InvalidGroups::Cycle { groups }
    }

    fn collect_listed(&mut self) {
        let mut listed: HashMap<&str, Vec<ComponentId>> = HashMap::new();
        for actor in self.actors.keys() {
            let actors = listed.entry(actor.component()).or_default();
            actors.push(actor.clone());
        }
        let sorted = |(component, mut actors): (&str, Vec<ComponentId>)| {
            actors.sort_unstable();
            (Arc::from(component), Arc::from(actors))
        };
        self.listed = listed.into_iter().map(sorted).collect();
    }
}

fn check_counts(settings: &[GroupSettings]) -> Result<(), InvalidGroups> {
    if settings.len() > MAX_GROUPS {
        return Err(InvalidGroups::TooManyGroups(settings.len()));
    }
    let members = settings.iter().map(|group| group.members.len()).sum();
    if members > MAX_MEMBERS {
        return Err(InvalidGroups::TooManyMembers(members));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::supervision::group::MAX_RESTARTS;
    use crate::component::supervision::member::InvalidGroupName;

    fn group(name: &str, members: &[&str]) -> GroupSettings {
        GroupSettings {
            name: name.into(),
            members: members.iter().map(|text| text.parse().unwrap()).collect(),
            ..GroupSettings::default()
        }
    }

    fn refusal(settings: &[GroupSettings]) -> InvalidGroups {
        Forest::new(settings).unwrap_err()
    }

    #[test]
    fn what_is_no_forest_is_refused() {
        let g = || "g".to_owned();
        assert_eq!(
            refusal(&[group("g", &["a/b"]), group("g", &["a/c"])]),
            InvalidGroups::Duplicate { group: g() }
        );
        assert_eq!(
            refusal(&[group("g", &["h"])]),
            InvalidGroups::UnknownGroup {
                group: g(),
                member: "h".into()
            }
        );
        assert_eq!(
            refusal(&[group("g", &["a/b"]), group("h", &["a/c", "a/b"])]),
            InvalidGroups::ListedTwice {
                member: "a/b".parse().unwrap(),
                first: g(),
                second: "h".into()
            }
        );
        assert_eq!(
            refusal(&[group("g", &["a/b/c", "a/b/c"])]),
            InvalidGroups::ListedTwice {
                member: "a/b/c".parse().unwrap(),
                first: g(),
                second: g()
            }
        );
        assert_eq!(
            refusal(&[group("g", &[])]),
            InvalidGroups::Empty { group: g() }
        );
        assert_eq!(
            refusal(&[group("G", &["a/b"])]),
            InvalidGroups::Name {
                group: "G".into(),
                reason: InvalidGroupName::Character('G')
            }
        );
    }

    #[test]
    fn a_circle_is_named() {
        // The way from `out` leads into the circle, and is no part of it.
        let groups = [
            group("out", &["a/b"]),
            group("x", &["out", "z"]),
            group("y", &["x"]),
            group("z", &["y"]),
        ];
        let InvalidGroups::Cycle { groups } = refusal(&groups) else {
            panic!("a circle was not seen");
        };
        assert_eq!(groups.len(), 4);
        assert_eq!(groups.first(), groups.last());
        assert!(!groups.contains(&"out".to_owned()));
        assert!(matches!(
            refusal(&[group("g", &["g"])]),
            InvalidGroups::Cycle { .. }
        ));
    }

    #[test]
    fn numbers_have_maxima() {
        let settings = GroupSettings {
            max_restarts: MAX_RESTARTS + 1,
            ..group("g", &["a/b"])
        };
        assert!(matches!(
            refusal(&[settings]),
            InvalidGroups::Restarts { .. }
        ));
        let settings = GroupSettings {
            window_ms: 0,
            ..group("g", &["a/b"])
        };
        assert!(matches!(
            refusal(&[settings]),
            InvalidGroups::NoWindow { .. }
        ));
        assert_eq!(
            refusal(&vec![GroupSettings::default(); MAX_GROUPS + 1]),
            InvalidGroups::TooManyGroups(MAX_GROUPS + 1)
        );
        assert_eq!(
            refusal(&[group("g", &["a/b"; MAX_MEMBERS + 1])]),
            InvalidGroups::TooManyMembers(MAX_MEMBERS + 1)
        );
    }

    #[test]
    fn groups_nest_as_deep_as_there_are_groups() {
        let name = |depth: usize| format!("g{depth}");
        let groups: Vec<GroupSettings> = (0..MAX_GROUPS)
            .map(|depth| match depth {
                0 => group("g0", &["a/b"]),
                _ => group(&name(depth), &[&name(depth - 1)]),
            })
            .collect();
        let forest = Forest::new(&groups).unwrap();
        let root = forest.by_name(&name(MAX_GROUPS - 1)).unwrap();
        let innermost = forest.by_name("g0").unwrap();
        assert_eq!(forest.group(innermost).root, root);
        assert_eq!(forest.subtree(root).len(), MAX_GROUPS);
        assert!(forest.is_below(&ComponentId::new("a", "b", "c"), root));
        assert!(
            forest
                .scope(root)
                .contains(&ComponentId::new("a", "b", "c"))
        );
    }

    #[test]
    fn an_actor_listed_itself_is_no_part_of_its_component() {
        let forest = Forest::new(&[group("g", &["a/b"]), group("h", &["a/b/c"])]).unwrap();
        let (listed, other) = (
            ComponentId::new("a", "b", "c"),
            ComponentId::new("a", "b", "d"),
        );
        let scope = |name: &str| forest.scope(forest.by_name(name).unwrap());
        assert!(scope("h").contains(&listed) && !scope("g").contains(&listed));
        assert!(scope("g").contains(&other) && !scope("h").contains(&other));
    }
}
