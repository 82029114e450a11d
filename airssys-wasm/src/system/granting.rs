//! Granting and revoking while actors run.

// Layer 3: Internal module imports
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::event::Event;
use crate::core::security::audit::Operation;
use crate::core::security::capabilities::Capabilities;
use crate::core::security::capability::Capability;
use crate::security::audit::attempt::Attempt;
use crate::security::denial::Denial;
use crate::system::auditing::Deed;
use crate::system::error::ControlError;
use crate::system::handle::System;
use crate::system::node::Node;

impl System {
    /// What is granted to a component.
    ///
    /// # Errors
    ///
    /// When there is no such component.
    pub fn grants(&self, component: &str) -> Result<Capabilities, ControlError> {
        Ok(self.node.existing(component)?.granted.capabilities())
    }

    /// Grants a component a capability for what `pattern` means, from the next host call of
    /// its actors on and until the system ends: what is to be granted from the start belongs
    /// in the configuration. Says whether that was not granted in this form before.
    ///
    /// # Errors
    ///
    /// When there is no such component, or the pattern is not of the capability's form.
    pub fn grant(
        &self,
        component: &str,
        capability: Capability,
        pattern: &str,
    ) -> Result<bool, ControlError> {
        let deed = Deed::of(Operation::Grant)
            .on(component)
            .with(format_args!("{capability} {pattern}"));
        let granted = self.node.existing(component).and_then(|found| {
            let added = found.granted.add(capability, pattern);
            Ok(added?)
        });
        self.node.audited(deed, granted)
    }

    /// Takes from a component all grants of a capability that lie within `pattern`, from the
    /// next host call of its actors on. What was sent before is on its way, and timers that
    /// were set are due; of topics it hears no more, also if it had subscribed to them.
    ///
    /// # Errors
    ///
    /// When there is no such component or pattern, or nothing that is granted lies within it:
    /// a part of a grant cannot be revoked, grant the rest in its place.
    pub fn revoke(
        &self,
        component: &str,
        capability: Capability,
        pattern: &str,
    ) -> Result<(), ControlError> {
        let deed = Deed::of(Operation::Revoke)
            .on(component)
            .with(format_args!("{capability} {pattern}"));
        let revoked = self.node.existing(component).and_then(|found| {
            match found.granted.remove(capability, pattern)? {
                true => Ok(()),
                false => Err(ControlError::NotGranted {
                    component: component.to_owned(),
                    capability,
                    pattern: pattern.to_owned(),
                }),
            }
        });
        self.node.audited(deed, revoked)
    }

    /// Grants a component this in place of all that it was granted, as one change.
    ///
    /// # Errors
    ///
    /// When there is no such component, or a pattern is none; nothing is changed then.
    pub fn set_grants(&self, component: &str, grants: Capabilities) -> Result<(), ControlError> {
        let each = grants
            .iter()
            .map(|(capability, pattern)| format!("{capability} {pattern}"));
        let deed = Deed::of(Operation::Grant)
            .on(component)
            .with(each.collect::<Vec<_>>().join(", "));
        let replaced = self.node.existing(component).and_then(|found| {
            let replaced = found.granted.replace(grants);
            Ok(replaced?)
        });
        self.node.audited(deed, replaced)
    }
}

impl Node {
    /// Takes note of a denial.
    pub(crate) fn denied(&self, actor: &ComponentId, denial: &Denial) {
        let is_noted = self.audit.denied(&Attempt {
            at_ms: self.clock.now().unix_ms,
            capability: denial.capability,
            component: actor.component(),
            actor: actor.as_str(),
            resource: &denial.resource,
            why: &denial.why,
        });
        // Of a flood no more is told than is written down.
        if is_noted {
            self.tell(|| Event::Denied {
                actor: actor.clone(),
                what: denial.to_string(),
            });
        }
    }
}
