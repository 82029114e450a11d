//! Carrying out what the supervisor decides.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::cell::Cell;
use crate::component::deployment::Failed;
use crate::component::mailbox::Signal;
use crate::component::supervision::action::{Action, Scope, ScopeMember};
use crate::component::supervision::member::Member;
use crate::component::supervision::restart::Failure;
use crate::component::supervision::status::Standing;
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::event::Event;
use crate::core::security::audit::{Decision, Operation};
use crate::runtime::store::StoreManager;
use crate::system::auditing::Deed;
use crate::system::error::ControlError;
use crate::system::node::{Deployed, Node};

impl Node {
    /// An actor failed.
    pub(crate) fn supervise(self: &Arc<Self>, actor: &ComponentId, failure: Failure) {
        let Some(deployment) = self.deployment(actor) else {
            return;
        };
        let now_ms = self.clock.now().clock_ms;
        let mut supervisor = self.supervisor();
        let actions = supervisor.failed(actor, deployment.settings.restart, failure, now_ms);
        self.note_standing(&supervisor);
        drop(supervisor);
        self.carry_out(actions, Some(actor));
    }

    /// Stops an actor until it is resumed.
    pub(crate) fn stop(&self, actor: &ComponentId) -> Result<(), ControlError> {
        let mut supervisor = self.supervisor();
        supervisor.end(actor)?;
        self.note_standing(&supervisor);
        drop(supervisor);
        if let Some(cell) = self.directory.find(actor) {
            cell.mailbox.signal(Signal::Stop);
        }
        Ok(())
    }

    /// Lets a group, a component or an actor run again.
    pub(crate) fn resume(self: &Arc<Self>, target: &Member) -> Result<(), ControlError> {
        let mut supervisor = self.supervisor();
        let actions = supervisor.resume(target)?;
        self.note_standing(&supervisor);
        drop(supervisor);
        self.carry_out(actions, None);
        self.tell(|| Event::Resumed {
            target: target.to_string(),
        });
        Ok(())
    }

    /// Carries out actions in their order. The actor that failed has lost its instance
    /// already, and begins anew by itself.
    fn carry_out(self: &Arc<Self>, actions: Vec<Action>, failed: Option<&ComponentId>) {
        for action in actions {
            match action {
                Action::Restart(scope) => self.restart(&scope, failed),
                Action::Stop(scope) => {
                    for cell in self.cells_in(&scope) {
                        let signal = match self.supervisor().verdict(&cell.address) {
                            Standing::GivenUp => Signal::GiveUp,
                            Standing::Ended | Standing::Running => Signal::Stop,
                        };
                        cell.mailbox.signal(signal);
                    }
                }
                Action::Resume(scope) => self.start_always(|actor| scope.contains(actor)),
                Action::Escalated { group, parent } => {
                    tracing::warn!(target: "airssys", %group, %parent, "a group failed as a whole");
                }
                Action::GaveUp { group, actor, .. } => {
                    let target = group.map_or_else(|| actor.to_string(), |it| it.to_string());
                    tracing::warn!(target: "airssys", target, %actor, "given up: it failed too often");
                    self.tell(|| Event::GaveUp {
                        target,
                        last_straw: actor,
                    });
                }
            }
        }
    }

    fn restart(self: &Arc<Self>, scope: &Scope, failed: Option<&ComponentId>) {
        for cell in self.cells_in(scope) {
            if Some(&cell.address) != failed {
                cell.mailbox.signal(Signal::Restart);
            }
        }
        if let Some(failed) = failed {
            self.tell(|| Event::Restarted {
                failed: failed.clone(),
                members: match scope {
                    Scope::Actor(actor) => vec![actor.to_string()],
                    Scope::Members(members) => members.iter().map(ScopeMember::to_string).collect(),
                },
            });
        }
        self.start_always(|actor| scope.contains(actor));
    }

    /// The live actors of a scope.
    fn cells_in(&self, scope: &Scope) -> Vec<Arc<Cell>> {
        match scope {
            Scope::Actor(actor) => self.directory.find(actor).into_iter().collect(),
            Scope::Members(_) => {
                let mut cells = self.directory.cells();
                cells.retain(|cell| scope.contains(&cell.address));
                cells
            }
        }
    }

    /// Starts the actors that always run, as far as they are meant, may run, and do not.
    pub(crate) fn start_always(self: &Arc<Self>, is_meant: impl Fn(&ComponentId) -> bool) {
        let components: Vec<_> = self.read_components().by_name.values().cloned().collect();
        for component in components {
            for instance in &component.deployment.always {
                let actor = component.config.name.instance(instance);
                // One that may not run is started when it is resumed.
                if is_meant(&actor) {
                    drop(self.directory.find_or_activate(self, &actor));
                }
            }
        }
    }

    /// A new version failed too often: the one before comes back.
    pub(crate) fn revert_to(&self, deployment: &Arc<Deployed>, failed: &Failed<StoreManager>) {
        if !deployment.revert(failed) {
            return;
        }
        self.signal_switch(&deployment.name);
        let component = &deployment.name;
        let deed = Deed::of(Operation::Revert).on(component);
        let deed = deed.with_version(&failed.before.id);
        let why = format_args!("the new version failed {} times", failed.failures).to_string();
        self.audit_note(deed, Decision::Allowed, why);
        tracing::warn!(target: "airssys", component, failures = failed.failures, "upgrade reverted");
        self.tell(|| Event::UpgradeReverted {
            component: component.clone(),
            to: Arc::clone(&failed.before.id),
            failures: failed.failures,
        });
    }

    /// Has the live actors of a component look for another version.
    pub(crate) fn signal_switch(&self, component: &str) {
        for cell in self.cells_of(component) {
            cell.mailbox.signal(Signal::Switch);
        }
    }

    /// The live actors of a component.
    pub(crate) fn cells_of(&self, component: &str) -> Vec<Arc<Cell>> {
        let mut cells = self.directory.cells();
        cells.retain(|cell| cell.address.component() == component);
        cells
    }
}
