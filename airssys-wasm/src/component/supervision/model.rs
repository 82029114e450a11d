//! A model of supervision that is easy to believe: it searches lists of texts, keeps
//! every restart that ever was, and works out the rest when asked.

// Layer 1: Standard library imports
use std::collections::BTreeSet;

// Layer 3: Internal module imports
use crate::component::supervision::group::{GroupSettings, Strategy};
use crate::component::supervision::intensity::Intensity;
use crate::component::supervision::restart::{Failure, Restart};
use crate::component::supervision::status::Standing;

/// Actors by their addresses.
pub(super) type Actors = BTreeSet<String>;

/// The model: groups, and what has happened.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) groups: Vec<GroupSettings>,
    pub(super) lone: Intensity,
    /// All actors that there are.
    pub(super) actors: Actors,
    /// Who restarted something and when: a group, or an actor without one.
    pub(super) restarts: Vec<(String, u64)>,
    /// Groups without a parent, and actors without a group.
    pub(super) given_up: BTreeSet<String>,
    pub(super) ended: Actors,
}

/// What a failure leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Stopped(Actors),
    Restarted(Actors),
    GaveUp(Option<String>, Actors),
}

/// Where a member stands in which group.
type Place = (usize, usize);

impl Model {
    pub(super) fn verdict(&self, actor: &str) -> Standing {
        if self.ended.contains(actor) {
            Standing::Ended
        } else if self
            .above(actor)
            .iter()
            .any(|name| self.given_up.contains(name))
        {
            Standing::GivenUp
        } else {
            Standing::Running
        }
    }

    pub(super) fn failed(
        &mut self,
        actor: &str,
        policy: Restart,
        failure: Failure,
        now_ms: u64,
    ) -> Outcome {
        let alone = Actors::from([actor.to_owned()]);
        if self.verdict(actor) != Standing::Running {
            return Outcome::Stopped(alone);
        }
        let refused = failure == Failure::RefusedToStart;
        if policy == Restart::Temporary || (policy == Restart::Transient && refused) {
            self.ended.insert(actor.to_owned());
            self.restarts.retain(|(who, _)| who != actor);
            return Outcome::Stopped(alone);
        }
        let mut failed = alone.clone();
        let mut place = self.home(actor);
        let mut last = None;
        while let Some((index, position)) = place {
            let group = self.groups[index].clone();
            if self.count(&group.name, group.intensity(), now_ms) < group.max_restarts as usize {
                let also = match group.strategy {
                    Strategy::OneForOne => &[],
                    Strategy::OneForAll => &group.members[..],
                    Strategy::RestForOne => &group.members[position + 1..],
                };
                let restarted: Vec<String> = also
                    .iter()
                    .chain([&group.members[position]])
                    .map(ToString::to_string)
                    .collect();
                for member in &restarted {
                    self.clear(member);
                }
                for member in also {
                    failed.extend(self.covered(&member.to_string()));
                }
                self.restarts.push((group.name, now_ms));
                return Outcome::Restarted(failed);
            }
            failed = self.covered(&group.name);
            place = self.listed(&group.name);
            last = Some(group.name);
        }
        if last.is_none() && self.count(actor, self.lone, now_ms) < self.lone.max_restarts as usize
        {
            self.restarts.push((actor.to_owned(), now_ms));
            return Outcome::Restarted(alone);
        }
        self.given_up
            .insert(last.clone().unwrap_or(actor.to_owned()));
        Outcome::GaveUp(last, failed)
    }

    /// Lets a member run again, and returns who could not run before and now can.
    /// `None` if it was given up together with something around it.
    pub(super) fn resume(&mut self, member: &str) -> Option<Actors> {
        let around = self.above(member);
        if around
            .iter()
            .any(|name| name != member && self.given_up.contains(name))
        {
            return None;
        }
        let may_not = |model: &Self| -> Actors {
            let all = model.actors.iter();
            all.filter(|actor| model.verdict(actor) != Standing::Running)
                .cloned()
                .collect()
        };
        let before = may_not(self);
        let covered = self.covered(member);
        self.ended.retain(|actor| !covered.contains(actor));
        self.given_up
            .retain(|name| name != member && !covered.contains(name));
        self.clear(member);
        self.restarts.retain(|(who, _)| !covered.contains(who));
        Some(&before - &may_not(self))
    }

    pub(super) fn count(&self, who: &str, intensity: Intensity, now_ms: u64) -> usize {
        let counts =
            |(name, at_ms): &&(String, u64)| name == who && now_ms - at_ms < intensity.window_ms;
        self.restarts.iter().filter(counts).count()
    }

    /// The group that an actor belongs to.
    pub(super) fn group_of(&self, actor: &str) -> Option<&GroupSettings> {
        self.home(actor).map(|(index, _)| &self.groups[index])
    }

    /// All actors that a member stands for.
    pub(super) fn covered(&self, member: &str) -> Actors {
        let all = self.actors.iter();
        all.filter(|actor| self.above(actor).iter().any(|name| name == member))
            .cloned()
            .collect()
    }

    /// The member itself, and what it is in, inside out: an actor, the component if it
    /// is not listed itself, then the groups.
    fn above(&self, member: &str) -> Vec<String> {
        let mut names = vec![member.to_owned()];
        let mut place = self.listed(member);
        if let Some((component, _)) = member.rsplit_once('/')
            && component.contains('/')
            && place.is_none()
        {
            names.push(component.to_owned());
            place = self.listed(component);
        }
        while let Some((index, _)) = place {
            let name = &self.groups[index].name;
            names.push(name.clone());
            place = self.listed(name);
        }
        names
    }

    fn home(&self, actor: &str) -> Option<Place> {
        let component = actor.rsplit_once('/').map(|(component, _)| component);
        self.listed(actor).or_else(|| self.listed(component?))
    }

    fn listed(&self, member: &str) -> Option<Place> {
        for (index, group) in self.groups.iter().enumerate() {
            for (position, listed) in group.members.iter().enumerate() {
                if listed.to_string() == member {
                    return Some((index, position));
                }
            }
        }
        None
    }

    /// Forgets the restarts of a group and of all groups in it.
    fn clear(&mut self, group: &str) {
        let inside: Vec<String> = self
            .groups
            .iter()
            .map(|other| other.name.clone())
            .filter(|other| self.above(other).iter().any(|name| name == group))
            .collect();
        self.restarts.retain(|(who, _)| !inside.contains(who));
    }
}
