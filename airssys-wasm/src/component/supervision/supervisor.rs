//! Decides who restarts when an actor fails, and what is given up.
//!
//! An actor, or a group with all that is below it:
//!
//! ```text
//!          failure, and another
//!          restart is allowed
//!              +------+
//!              |      v
//!          +----------------+   one failure too many    +-----------+
//!    ----> |    Running     | ------------------------> |  GivenUp  |
//!          +----------------+                           +-----------+
//!            |     ^      ^                                   |
//!            |     |      +------------- resume --------------+
//!            |     |
//!            |     +--- resume ---+
//!            |                    |
//!            |               +---------+
//!            +-------------> |  Ended  |   (single actors only)
//!              end, or a     +---------+
//!              failure that the actor's
//!              policy does not restart
//! ```
//!
//! What a failure leads to, for an actor that belongs to a group:
//!
//! ```text
//!       failure of a member  <---------------------------+
//!               |                                        |
//!               v                                        |
//!      another restart allowed?                          | the group's failure
//!        |yes            |no                             | is its parent's
//!        v               v                               |
//!     Restart,     is there a parent? ---yes---> Escalated
//!     by strategy        |no
//!                        v
//!                  Stop, GaveUp
//! ```
//!
//! Only a group without a parent is given up, and all below it with it. A failure is
//! counted in one group: the one that restarts something because of it. Groups that
//! are restarted as a whole begin anew with zero.

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::component::supervision::action::{Action, Scope};
use crate::component::supervision::ended::{EndedActors, TooManyStopped};
use crate::component::supervision::forest::{Forest, GroupIndex, Place};
use crate::component::supervision::group::GroupSettings;
use crate::component::supervision::intensity::RestartWindow;
use crate::component::supervision::invalid::InvalidGroups;
use crate::component::supervision::lone::LoneActors;
use crate::component::supervision::member::Member;
use crate::component::supervision::restart::{Failure, Restart};
use crate::component::supervision::status::{GivenUp, GroupState, GroupStatus, Standing};
use crate::core::component::id::ComponentId;

/// Decides who restarts when an actor fails, and what is given up.
///
/// It knows the groups and what failed of late, and neither which actors are alive nor
/// what time it is: times are passed in, in milliseconds on one clock that does not go
/// back. An actor that belongs to no group is restarted alone, and counted alone.
#[derive(Debug, Default)]
pub struct Supervisor {
    forest: Forest,
    /// One for each group of the forest, by its number.
    watches: Vec<Watch>,
    given_up_groups: usize,
    lone: LoneActors,
    ended: EndedActors,
}

/// What changes about a group.
#[derive(Debug, Default)]
struct Watch {
    restarts: RestartWindow,
    given_up: Option<GivenUp>,
}

/// Why something was not resumed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotResumed {
    /// No group has this name.
    #[error("there is no group {0:?}")]
    NotFound(String),
    /// It was given up together with a group that it is in.
    #[error("{target} was given up together with the group {group:?}: resume that")]
    GivenUpWith {
        /// What was to be resumed.
        target: Member,
        /// The outermost group that it is in.
        group: String,
    },
}

impl Supervisor {
    /// A supervisor of these groups, all of them running.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with the groups.
    pub fn new(groups: Vec<GroupSettings>) -> Result<Self, InvalidGroups> {
        Self::with_lone_actors(&groups, LoneActors::default())
    }

    /// A supervisor that counts the actors without a group in this table.
    pub(super) fn with_lone_actors(
        groups: &[GroupSettings],
        lone: LoneActors,
    ) -> Result<Self, InvalidGroups> {
        let forest = Forest::new(groups)?;
        let mut watches = Vec::new();
        watches.resize_with(forest.len(), Watch::default);
        Ok(Self {
            forest,
            watches,
            lone,
            ..Self::default()
        })
    }

    /// Whether every actor may run: nothing is given up or ended anywhere. Two
    /// comparisons.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        self.given_up_groups == 0 && self.ended.is_empty()
    }

    /// Whether the actor may run. Two comparisons while nothing is given up or ended,
    /// and three look-ups otherwise.
    #[inline]
    pub fn verdict(&self, actor: &ComponentId) -> Standing {
        if self.is_quiet() {
            return Standing::Running;
        }
        self.look_up(actor)
    }

    /// An actor failed: says what is to be done.
    ///
    /// What is not running is stopped once more and not counted, since an actor may
    /// fail while it is being stopped. Takes time linear in the members that are
    /// restarted or stopped.
    #[must_use = "the supervisor has counted on these being carried out"]
    pub fn failed(
        &mut self,
        actor: &ComponentId,
        restart: Restart,
        failure: Failure,
        now_ms: u64,
    ) -> Vec<Action> {
        let stop = || Action::Stop(Scope::Actor(actor.clone()));
        if self.verdict(actor) != Standing::Running {
            return vec![stop()];
        }
        if !restart.restarts_after(failure) {
            self.ended.fail(actor);
            return vec![stop()];
        }
        match self.forest.place_of(actor) {
            Some(place) => self.failed_in_group(place, actor, now_ms),
            None => self.failed_alone(actor, now_ms),
        }
    }

    /// An operator stops the actor, until it is resumed. To stop what is alive of it
    /// is up to the caller.
    ///
    /// # Errors
    ///
    /// When as many actors are stopped as can be remembered.
    pub fn end(&mut self, actor: &ComponentId) -> Result<(), TooManyStopped> {
        self.ended.stop(actor)
    }

    /// An operator lets something run again, and clears its counters.
    ///
    /// A group is resumed with all that is below it, a component with all its actors
    /// that no group lists themselves. What runs goes on undisturbed. Takes time linear
    /// in the members of the group, and in the actors that are ended or that failed of
    /// late.
    ///
    /// # Errors
    ///
    /// When there is no such group, or when the target was given up together with a
    /// group that it is in. Then nothing has changed.
    pub fn resume(&mut self, target: &Member) -> Result<Vec<Action>, NotResumed> {
        match target {
            Member::Group(name) => {
                let not_found = || NotResumed::NotFound(name.to_string());
                let group = self.forest.by_name(name).ok_or_else(not_found)?;
                self.check_above(self.forest.group(group).parent, target)?;
                Ok(self.resume_group(group))
            }
            Member::Component(component) => {
                self.check_above(self.forest.place_of_component(component), target)?;
                self.lone.forget_component(component);
                let forest = &self.forest;
                let resumed = self.ended.remove_where(|actor| {
                    actor.component() == &**component && !forest.is_listed(actor)
                });
                Ok(resume_each(resumed))
            }
            Member::Actor(actor) => {
                self.check_above(self.forest.place_of(actor), target)?;
                self.lone.forget(actor);
                let was_ended = self.ended.remove(actor);
                Ok(resume_each(was_ended.then(|| actor.clone())))
            }
        }
    }

    /// All groups in the order in which they were given.
    pub fn groups(&self, now_ms: u64) -> Vec<GroupStatus> {
        let status = |index| self.status(index, now_ms);
        self.forest.indices().map(status).collect()
    }

    /// The actors without a group that are given up, the first one first. Those that
    /// are given up with their group are not in the list; their group is in
    /// [`groups`](Self::groups).
    pub fn given_up_actors(&self) -> Vec<GivenUp> {
        self.ended.given_up()
    }

    /// The actors that were stopped by an operator, or failed and are not to start
    /// again, sorted by their address.
    pub fn ended_actors(&self) -> Vec<ComponentId> {
        self.ended.ended()
    }

    fn look_up(&self, actor: &ComponentId) -> Standing {
        if let Some(standing) = self.ended.standing(actor) {
            return standing;
        }
        if self.given_up_groups == 0 {
            return Standing::Running;
        }
        match self.forest.place_of(actor) {
            Some(place) if self.given_up(place.group).is_some() => Standing::GivenUp,
            _ => Standing::Running,
        }
    }

    /// Whether the group is given up, which is a matter of its root.
    fn given_up(&self, group: GroupIndex) -> Option<&GivenUp> {
        let root = self.forest.group(group).root;
        self.watches[root.get()].given_up.as_ref()
    }

    fn failed_alone(&mut self, actor: &ComponentId, now_ms: u64) -> Vec<Action> {
        let scope = Scope::Actor(actor.clone());
        if self.lone.admit(actor, now_ms) {
            return vec![Action::Restart(scope)];
        }
        self.ended.give_up(actor, now_ms);
        let gave_up = Action::GaveUp {
            group: None,
            actor: actor.clone(),
            at_ms: now_ms,
        };
        vec![Action::Stop(scope), gave_up]
    }

    fn failed_in_group(
        &mut self,
        mut place: Place,
        actor: &ComponentId,
        now_ms: u64,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        loop {
            let group = self.forest.group(place.group);
            let restarts = &mut self.watches[place.group.get()].restarts;
            if restarts.admit(group.intensity, now_ms) {
                self.clear_counters(&self.forest.restarted_groups(place));
                let scope = self.forest.restart_scope(place, actor);
                actions.push(Action::Restart(scope));
                return actions;
            }
            let Some(parent) = group.parent else {
                actions.extend(self.give_up(place.group, actor, now_ms));
                return actions;
            };
            actions.push(Action::Escalated {
                group: group.name.clone(),
                parent: self.forest.group(parent.group).name.clone(),
            });
            place = parent;
        }
    }

    fn give_up(&mut self, root: GroupIndex, actor: &ComponentId, now_ms: u64) -> [Action; 2] {
        self.given_up_groups += 1;
        self.watches[root.get()].given_up = Some(GivenUp {
            actor: actor.clone(),
            at_ms: now_ms,
        });
        let gave_up = Action::GaveUp {
            group: Some(self.forest.group(root).name.clone()),
            actor: actor.clone(),
            at_ms: now_ms,
        };
        [Action::Stop(self.forest.scope(root)), gave_up]
    }

    /// Refuses to resume a part of what was given up as a whole.
    fn check_above(&self, place: Option<Place>, target: &Member) -> Result<(), NotResumed> {
        match place {
            Some(place) if self.given_up(place.group).is_some() => {
                let root = self.forest.group(place.group).root;
                Err(NotResumed::GivenUpWith {
                    target: target.clone(),
                    group: self.forest.group(root).name.to_string(),
                })
            }
            _ => Ok(()),
        }
    }

    fn resume_group(&mut self, group: GroupIndex) -> Vec<Action> {
        self.clear_counters(&self.forest.subtree(group));
        let forest = &self.forest;
        let resumed = self
            .ended
            .remove_where(|actor| forest.is_below(actor, group));
        if self.watches[group.get()].given_up.take().is_none() {
            return resume_each(resumed);
        }
        self.given_up_groups -= 1;
        vec![Action::Resume(self.forest.scope(group))]
    }

    fn clear_counters(&mut self, groups: &[GroupIndex]) {
        for group in groups {
            self.watches[group.get()].restarts.clear();
        }
    }

    fn status(&self, index: GroupIndex, now_ms: u64) -> GroupStatus {
        let group = self.forest.group(index);
        let restarts = &self.watches[index.get()].restarts;
        let name_of = |place: Place| self.forest.group(place.group).name.to_string();
        GroupStatus {
            name: group.name.to_string(),
            strategy: group.strategy,
            parent: group.parent.map(name_of),
            state: match self.given_up(index) {
                None => GroupState::Running,
                Some(given_up) => GroupState::GivenUp(given_up.clone()),
            },
            restarts_in_window: restarts.count(group.intensity, now_ms),
            max_restarts: group.intensity.max_restarts,
            window_ms: group.intensity.window_ms,
            members: self.forest.member_texts(index),
        }
    }
}

fn resume_each(actors: impl IntoIterator<Item = ComponentId>) -> Vec<Action> {
    let resume = |actor| Action::Resume(Scope::Actor(actor));
    actors.into_iter().map(resume).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::supervision::action::ScopeMember;
    use crate::component::supervision::group::Strategy;
    use crate::component::supervision::intensity::Intensity;

    fn actor(text: &str) -> ComponentId {
        text.parse().unwrap()
    }

    fn member(text: &str) -> Member {
        text.parse().unwrap()
    }

    fn group(name: &str, strategy: Strategy, max_restarts: u32, members: &[&str]) -> GroupSettings {
        GroupSettings {
            name: name.into(),
            strategy,
            max_restarts,
            window_ms: 1_000,
            members: members.iter().map(|text| member(text)).collect(),
        }
    }

    fn crash(supervisor: &mut Supervisor, text: &str, now_ms: u64) -> Vec<Action> {
        supervisor.failed(&actor(text), Restart::Permanent, Failure::Crashed, now_ms)
    }

    fn all_of(components: &[&str]) -> Scope {
        let member = |component: &&str| ScopeMember::Component {
            component: (*component).into(),
            except: [].into(),
        };
        Scope::Members(components.iter().map(member).collect())
    }

    fn restart_one(text: &str) -> Vec<Action> {
        vec![Action::Restart(Scope::Actor(actor(text)))]
    }

    #[test]
    fn an_actor_without_a_group_is_given_up_alone() {
        let mut supervisor = Supervisor::default();
        for _ in 0..Intensity::LONE_ACTOR.max_restarts {
            assert_eq!(crash(&mut supervisor, "a/b/x", 5), restart_one("a/b/x"));
        }
        assert!(supervisor.is_quiet());
        assert_eq!(
            crash(&mut supervisor, "a/b/x", 6),
            [
                Action::Stop(Scope::Actor(actor("a/b/x"))),
                Action::GaveUp {
                    group: None,
                    actor: actor("a/b/x"),
                    at_ms: 6
                }
            ]
        );
        assert!(!supervisor.is_quiet());
        assert_eq!(supervisor.verdict(&actor("a/b/x")), Standing::GivenUp);
        assert_eq!(supervisor.verdict(&actor("a/b/y")), Standing::Running);
        assert_eq!(supervisor.given_up_actors().len(), 1);

        // Its component is resumed with all actors in it.
        assert_eq!(
            supervisor.resume(&member("a/b")),
            Ok(vec![Action::Resume(Scope::Actor(actor("a/b/x")))])
        );
        assert!(supervisor.is_quiet());
        assert_eq!(crash(&mut supervisor, "a/b/x", 7), restart_one("a/b/x"));
    }

    #[test]
    fn rest_for_one_restarts_what_comes_after() {
        let groups = vec![
            group("top", Strategy::RestForOne, 9, &["a/b", "low", "a/e"]),
            group("low", Strategy::OneForAll, 9, &["a/c", "a/d"]),
        ];
        let mut supervisor = Supervisor::new(groups).unwrap();
        let Scope::Members(rest) = all_of(&["a/c", "a/d", "a/e"]) else {
            unreachable!()
        };
        let mut expected = vec![ScopeMember::Actor(actor("a/b/x"))];
        expected.extend(rest);
        assert_eq!(
            crash(&mut supervisor, "a/b/x", 0),
            [Action::Restart(Scope::Members(expected))]
        );
        assert_eq!(
            crash(&mut supervisor, "a/c/x", 0),
            [Action::Restart(all_of(&["a/c", "a/d"]))]
        );
        assert_eq!(
            crash(&mut supervisor, "a/e/x", 0),
            [Action::Restart(Scope::Members(vec![ScopeMember::Actor(
                actor("a/e/x")
            )]))]
        );
    }

    #[test]
    fn a_failure_climbs_until_a_group_may_restart_and_then_ends_at_the_root() {
        let groups = vec![
            group("top", Strategy::OneForOne, 1, &["low", "a/e"]),
            group("low", Strategy::OneForOne, 1, &["a/c", "a/d"]),
        ];
        let mut supervisor = Supervisor::new(groups).unwrap();
        let escalated = Action::Escalated {
            group: "low".into(),
            parent: "top".into(),
        };
        assert_eq!(crash(&mut supervisor, "a/c/x", 0), restart_one("a/c/x"));
        assert_eq!(
            crash(&mut supervisor, "a/d/x", 1),
            [escalated.clone(), Action::Restart(all_of(&["a/c", "a/d"]))]
        );
        // The inner group begins anew with zero, the outer one does not.
        assert_eq!(crash(&mut supervisor, "a/c/x", 2), restart_one("a/c/x"));
        assert_eq!(
            crash(&mut supervisor, "a/c/x", 3),
            [
                escalated,
                Action::Stop(all_of(&["a/c", "a/d", "a/e"])),
                Action::GaveUp {
                    group: Some("top".into()),
                    actor: actor("a/c/x"),
                    at_ms: 3
                }
            ]
        );
        for text in ["a/c/x", "a/d/y", "a/e/z"] {
            assert_eq!(supervisor.verdict(&actor(text)), Standing::GivenUp);
        }
        for status in supervisor.groups(3) {
            let state = GroupState::GivenUp(GivenUp {
                actor: actor("a/c/x"),
                at_ms: 3,
            });
            assert_eq!(status.state, state);
        }
    }

    #[test]
    fn what_is_given_up_is_resumed_as_a_whole() {
        let groups = vec![
            group("top", Strategy::OneForOne, 0, &["low", "a/e"]),
            group("low", Strategy::OneForOne, 0, &["a/c", "a/d"]),
        ];
        let mut supervisor = Supervisor::new(groups).unwrap();
        supervisor.end(&actor("a/e/z")).unwrap();
        assert_eq!(crash(&mut supervisor, "a/c/x", 0).len(), 3);
        for text in ["low", "a/c", "a/c/x", "a/e/z"] {
            assert_eq!(
                supervisor.resume(&member(text)),
                Err(NotResumed::GivenUpWith {
                    target: member(text),
                    group: "top".into()
                })
            );
        }
        assert_eq!(
            supervisor.resume(&member("no-such")),
            Err(NotResumed::NotFound("no-such".into()))
        );
        assert_eq!(
            supervisor.resume(&member("top")),
            Ok(vec![Action::Resume(all_of(&["a/c", "a/d", "a/e"]))])
        );
        assert!(supervisor.is_quiet());
        assert_eq!(supervisor.resume(&member("top")), Ok(vec![]));
    }

    #[test]
    fn an_ended_actor_stays_ended_and_its_group_does_not_notice() {
        let groups = vec![group("all", Strategy::OneForAll, 0, &["a/b", "a/c"])];
        let mut supervisor = Supervisor::new(groups).unwrap();
        let stop = |text| vec![Action::Stop(Scope::Actor(actor(text)))];
        let crashed = Failure::Crashed;
        assert_eq!(
            supervisor.failed(&actor("a/b/x"), Restart::Temporary, crashed, 0),
            stop("a/b/x")
        );
        let refused = Failure::RefusedToStart;
        assert_eq!(
            supervisor.failed(&actor("a/b/y"), Restart::Transient, refused, 0),
            stop("a/b/y")
        );
        supervisor.end(&actor("a/b/z")).unwrap();
        for text in ["a/b/x", "a/b/y", "a/b/z"] {
            assert_eq!(supervisor.verdict(&actor(text)), Standing::Ended);
            assert_eq!(crash(&mut supervisor, text, 1), stop(text));
        }
        assert_eq!(supervisor.verdict(&actor("a/b/w")), Standing::Running);
        assert_eq!(supervisor.ended_actors().len(), 3);
        assert_eq!(supervisor.groups(1)[0].restarts_in_window, 0);
        assert_eq!(supervisor.resume(&member("all")).unwrap().len(), 3);
        assert!(supervisor.is_quiet());
    }

    #[test]
    fn a_status_reads_well_as_json() {
        let groups = vec![group("g", Strategy::OneForAll, 3, &["a/b", "a/c/x"])];
        let supervisor = Supervisor::new(groups).unwrap();
        assert_eq!(
            serde_json::to_value(supervisor.groups(0)).unwrap(),
            serde_json::json!([{
                "name": "g", "strategy": "one-for-all", "parent": null, "state": "running",
                "restarts_in_window": 0, "max_restarts": 3, "window_ms": 1000,
                "members": ["a/b", "a/c/x"],
            }])
        );
    }
}
