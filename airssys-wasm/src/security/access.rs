//! What the actors of one version of a component may do.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::security::capability::Capability;
use crate::core::security::principal::Principal;
use crate::security::denial::{Denial, Refused};
use crate::security::granted::Granted;
use crate::security::grants::{Grants, Missing};
use crate::security::policy::gate::Gate;
use crate::security::policy::memo::Memo;

/// How often it is told that actors do not hear any more what they subscribed to: once in so
/// many milliseconds.
const UNHEARD_PERIOD_MS: u64 = 60_000;

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
    /// The period in which it was last told that somebody did not hear something, from 1.
    unheard: AtomicU64,
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
            unheard: AtomicU64::new(0),
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
        Err(Denial::new(capability, resource, why))
    }

    /// Whether an actor that subscribed to a topic may hear of it, as [`check`](Self::check)
    /// says.
    ///
    /// # Errors
    ///
    /// With what stands in the way, if it is to be told, and else with nothing: others decide
    /// how often something is published, and could otherwise have denials written down in this
    /// one's name. One is told of all its actors in a minute of the clock.
    pub(crate) fn check_hearing(
        &self,
        actor: &ComponentId,
        topic: &str,
        unix_ms: impl Fn() -> u64,
    ) -> Result<(), Option<Denial>> {
        let checked = self.check(actor, Capability::Subscribe, topic, &unix_ms);
        checked.map_err(|denial| {
            let period = unix_ms() / UNHEARD_PERIOD_MS + 1;
            let told = self.unheard.swap(period, Ordering::Relaxed);
            (told != period).then_some(denial)
        })
    }

    /// Whether a rule forbids a capability for a resource that is about to be used under another
    /// name, which was checked: an address that a name has led to. It need not be permitted too.
    ///
    /// # Errors
    ///
    /// With the rules that forbid it, or with what went wrong when that was decided: nobody
    /// knows then whether one does.
    pub fn check_alias(
        &self,
        capability: Capability,
        resource: &str,
        unix_ms: impl FnOnce() -> u64,
    ) -> Result<(), Denial> {
        match self.gate.check(&self.memo, capability, resource, unix_ms) {
            Err(denied) if !(denied.rules.is_empty() && denied.errors.is_empty()) => {
                let why = Refused::Policy(denied);
                Err(Denial::new(capability, resource, why))
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
    fn what_cannot_be_decided_must_not_be_used_under_another_name() {
        let rules = "permit (principal, action, resource == Endpoint::\"api.example.com:443\");\n\
                     forbid (principal, action, resource) when { resource has port && \
                     resource.port * 9223372036854775807 == 1 };";
        let policy = Policy::parse(rules, "policy.cedar").unwrap();
        let gate = Arc::new(Gate::new(Some(policy)));
        let access = Access::new(Arc::default(), None, gate, principal());
        let alias = |endpoint| access.check_alias(Capability::Network, endpoint, || 0);
        assert_eq!(alias("198.51.100.7:0"), Ok(()), "nothing to overflow");
        let refused = alias("198.51.100.7:443").unwrap_err().why;
        let why = refused.to_string();
        assert!(why.contains("could not be decided"), "{why}");
    }

    #[test]
    fn others_have_few_denials_told_in_the_name_of_who_hears_no_more() {
        let access = Access::new(Arc::default(), None, Arc::default(), principal());
        let told = |instance: &str, topic: &str, now_ms: u64| {
            let actor = ComponentId::new("shop", "cart", instance);
            let heard = access.check_hearing(&actor, topic, || now_ms);
            heard.unwrap_err().is_some()
        };
        assert!(told("alice", "orders.eu", 0));
        for number in 0..1_000 {
            let topic = format!("orders.{number}");
            assert!(!told("alice", &topic, number), "{topic}");
            assert!(!told("bob", &topic, UNHEARD_PERIOD_MS - 1), "{topic}");
        }
        assert!(told("bob", "orders.eu", UNHEARD_PERIOD_MS));
        assert!(!told("alice", "orders.eu", UNHEARD_PERIOD_MS));
        // A clock may be set back.
        assert!(told("alice", "orders.eu", 0));
    }

    #[test]
    fn who_may_hear_hears_whatever_was_told() {
        let granted = Arc::new(Granted::default());
        let access = Access::new(Arc::clone(&granted), None, Arc::default(), principal());
        let alice = ComponentId::new("shop", "cart", "alice");
        let hears = || access.check_hearing(&alice, "orders.eu", || 0).is_ok();
        assert!(!hears());
        granted.add(Capability::Subscribe, "orders.*").unwrap();
        assert!(hears());
    }

    #[test]
    fn a_denial_repeats_the_beginning_of_what_was_asked() {
        let access = Access::new(Arc::default(), None, Arc::default(), principal());
        let alice = ComponentId::new("shop", "cart", "alice");
        let asked = format!("a{}", "ü".repeat(100_000));
        let denied = access.check(&alice, Capability::Publish, &asked, || 0);
        let told = denied.unwrap_err().resource;
        assert!(told.len() < asked.len() / 100, "{told}");
        assert!(asked.starts_with(told.trim_end_matches('…')), "{told}");
    }
}
