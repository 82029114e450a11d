//! What the actors of one version of a component may do.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::security::capability::Capability;
use crate::core::security::principal::Principal;
use crate::security::denial::{Denial, Refused};
use crate::security::granted::Granted;
use crate::security::grants::{Grants, Missing};
use crate::security::policy::gate::Gate;
use crate::security::policy::memo::Memo;

/// The most bytes of a resource that a denial repeats. A guest may ask for megabytes.
const MAX_TOLD_BYTES: usize = 1_024;

/// What the actors of one version of a component may do: what is granted to the component,
/// of that what the version says it needs, and of that what the policy permits.
///
/// A check is a look at tables that nobody writes to; a change puts others in their place,
/// and counts from the next check on.
#[derive(Debug)]
pub struct Access {
    granted: Arc<Granted>,
    /// What it says it needs, if it says so.
    needs: Option<Grants>,
    gate: Arc<Gate>,
    /// Who asks, and what the policy has decided of it.
    memo: Memo,
}

impl Access {
    /// Access as it is `granted` and the policy of `gate` permits, for a version that declares
    /// these `needs`, or does not say what it needs.
    pub fn new(
        granted: Arc<Granted>,
        needs: Option<Grants>,
        gate: Arc<Gate>,
        principal: Principal,
    ) -> Self {
        Self {
            granted,
            needs,
            gate,
            memo: Memo::new(principal),
        }
    }

    /// Who asks.
    pub fn principal(&self) -> &Principal {
        self.memo.principal()
    }

    /// Whether an actor may use a capability for a resource of its form. `unix_ms` is asked
    /// for the time of day only where there is a policy.
    ///
    /// # Errors
    ///
    /// With what stands in the way.
    #[inline]
    pub fn check(
        &self,
        actor: &ComponentId,
        capability: Capability,
        resource: &str,
        unix_ms: impl FnOnce() -> u64,
    ) -> Result<(), Denial> {
        let why = if !self.granted.allow(actor, capability, resource) {
            Refused::NotGranted
        } else if !self.needs_it(actor, capability, resource) {
            Refused::NotNeeded
        } else {
            match self.gate.check(&self.memo, capability, resource, unix_ms) {
                Ok(()) => return Ok(()),
                Err(denied) => Refused::Policy(denied),
            }
        };
        Err(denial(capability, resource, why))
    }

    /// Whether a rule forbids a capability for a resource that is about to be used under another
    /// name, which was checked: an address that a name has led to. It need not be permitted too.
    ///
    /// # Errors
    ///
    /// With the rules that forbid it.
    pub fn check_alias(
        &self,
        capability: Capability,
        resource: &str,
        unix_ms: impl FnOnce() -> u64,
    ) -> Result<(), Denial> {
        match self.gate.check(&self.memo, capability, resource, unix_ms) {
            Err(denied) if !denied.rules.is_empty() => {
                let why = Refused::Policy(denied);
                Err(denial(capability, resource, why))
            }
            _ => Ok(()),
        }
    }

    /// What it needs and was not granted.
    pub fn missing(&self) -> Vec<Missing> {
        let component = &self.principal().component;
        let missing = |needs: &Grants| self.granted.missing(needs, component);
        self.needs.as_ref().map(missing).unwrap_or_default()
    }

    /// Whether it may know of every component.
    pub fn may_know_all(&self) -> bool {
        let all = |grants: &Grants| grants.allow_any(Capability::Directory);
        self.granted.with(all) && self.needs.as_ref().is_none_or(all) && !self.gate.has_policy()
    }

    /// Whether it may know of a component, `namespace/name`. Nobody is denied anything here:
    /// what it may not know of is not shown to it.
    pub fn may_know(&self, component: &str, unix_ms: u64) -> bool {
        let directory = Capability::Directory;
        let knows = |grants: &Grants| grants.allow_name(directory, component);
        self.granted.with(knows)
            && self.needs.as_ref().is_none_or(knows)
            && self
                .gate
                .check(&self.memo, directory, component, || unix_ms)
                .is_ok()
    }

    #[inline]
    fn needs_it(&self, actor: &ComponentId, capability: Capability, resource: &str) -> bool {
        let needs = self.needs.as_ref();
        needs.is_none_or(|needs| needs.allow(actor, capability, resource))
    }
}

fn denial(capability: Capability, resource: &str, why: Refused) -> Denial {
    Denial {
        capability,
        resource: resource[..resource.floor_char_boundary(MAX_TOLD_BYTES)].to_owned(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::security::capabilities::Capabilities;
    use crate::security::policy::rule_set::Policy;

    fn sends(pattern: &str) -> Grants {
        Grants::compile(&Capabilities {
            send: vec![pattern.into()],
            ..Capabilities::default()
        })
        .unwrap()
    }

    fn principal() -> Principal {
        Principal {
            component: "shop/cart".into(),
            version: "1".into(),
            digest: "sha256:0".into(),
            signer: None,
        }
    }

    fn send(access: &Access, to: &str) -> Result<(), Refused> {
        let alice = ComponentId::new("shop", "cart", "alice");
        let checked = access.check(&alice, Capability::Send, to, || 0);
        checked.map_err(|denial| denial.why)
    }

    #[test]
    fn a_change_counts_at_the_next_check() {
        let granted = Arc::new(Granted::default());
        let access = Access::new(Arc::clone(&granted), None, Arc::default(), principal());
        assert_eq!(send(&access, "shop/stock/main"), Err(Refused::NotGranted));
        granted.add(Capability::Send, "shop/stock").unwrap();
        assert_eq!(send(&access, "shop/stock/main"), Ok(()));
        assert!(granted.remove(Capability::Send, "shop/*").unwrap());
        assert_eq!(send(&access, "shop/stock/main"), Err(Refused::NotGranted));
    }

    #[test]
    fn nobody_gets_more_than_it_says_it_needs() {
        let granted = Arc::new(Granted::default());
        granted.add(Capability::Send, "*").unwrap();
        let access = Access::new(
            granted,
            Some(sends("shop/stock")),
            Arc::default(),
            principal(),
        );
        assert_eq!(send(&access, "shop/stock/main"), Ok(()));
        assert_eq!(send(&access, "shop/pay/main"), Err(Refused::NotNeeded));
    }

    #[test]
    fn a_policy_stands_above_grants() {
        let granted = Arc::new(Granted::default());
        granted.add(Capability::Send, "shop/*").unwrap();
        let rules = "permit (principal, action, resource);\n\
                     forbid (principal, action, resource == Actor::\"shop/pay/main\");";
        let policy = Policy::parse(rules, "policy.cedar").unwrap();
        let gate = Arc::new(Gate::new(Some(policy)));
        let access = Access::new(granted, None, Arc::clone(&gate), principal());
        assert_eq!(send(&access, "shop/stock/main"), Ok(()));
        let refused = send(&access, "shop/pay/main").unwrap_err();
        assert!(matches!(refused, Refused::Policy(_)), "{refused}");
        assert_eq!(send(&access, "bank/pay/main"), Err(Refused::NotGranted));
        gate.replace(None);
        assert_eq!(send(&access, "shop/pay/main"), Ok(()));
    }

    #[test]
    fn what_is_used_under_another_name_must_not_be_forbidden() {
        let rules = "permit (principal, action, resource == Endpoint::\"api.example.com:443\");\n\
                     forbid (principal, action, resource) when { resource has ip && \
                     resource.ip.isInRange(ip(\"203.0.113.0/24\")) };";
        let policy = Policy::parse(rules, "policy.cedar").unwrap();
        let gate = Arc::new(Gate::new(Some(policy)));
        let access = Access::new(Arc::default(), None, Arc::clone(&gate), principal());
        let alias = |endpoint| access.check_alias(Capability::Network, endpoint, || 0);
        assert_eq!(
            alias("198.51.100.7:443"),
            Ok(()),
            "nothing permits it either"
        );
        let refused = alias("203.0.113.7:443").unwrap_err().why;
        assert!(matches!(refused, Refused::Policy(_)), "{refused}");
        gate.replace(None);
        assert_eq!(alias("203.0.113.7:443"), Ok(()));
    }

    #[test]
    fn a_denial_repeats_the_beginning_of_what_was_asked() {
        let access = Access::new(Arc::default(), None, Arc::default(), principal());
        let alice = ComponentId::new("shop", "cart", "alice");
        let asked = format!("a{}", "ü".repeat(MAX_TOLD_BYTES));
        let denied = access.check(&alice, Capability::Publish, &asked, || 0);
        assert_eq!(denied.unwrap_err().resource.len(), MAX_TOLD_BYTES - 1);
    }
}
