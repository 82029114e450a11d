//! What was granted to a component, changed while its actors run.

// Layer 1: Standard library imports
use std::sync::{Mutex, MutexGuard, PoisonError};

// Layer 2: Third-party crate imports
use arc_swap::ArcSwap;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::security::capabilities::Capabilities;
use crate::core::security::capability::Capability;
use crate::security::grants::{Grants, InvalidGrant, Missing};
use crate::security::pattern::Pattern;

/// What was granted to a component. It is read without a lock, and changed by putting
/// something else in its place, which counts from the next check on.
#[derive(Debug, Default)]
pub struct Granted {
    compiled: ArcSwap<Grants>,
    /// As it was written. Held while it changes.
    written: Mutex<Capabilities>,
}

impl Granted {
    /// Grants what a configuration says.
    ///
    /// # Errors
    ///
    /// When one of the patterns is none.
    pub fn new(capabilities: Capabilities) -> Result<Self, InvalidGrant> {
        Ok(Self {
            compiled: ArcSwap::from_pointee(Grants::compile(&capabilities)?),
            written: Mutex::new(capabilities),
        })
    }

    /// Whether an actor may use a capability for a resource.
    #[inline]
    pub fn allow(&self, actor: &ComponentId, capability: Capability, resource: &str) -> bool {
        self.compiled.load().allow(actor, capability, resource)
    }

    /// Looks at what is granted at this moment.
    pub(crate) fn with<T>(&self, look: impl Fn(&Grants) -> T) -> T {
        look(&self.compiled.load())
    }

    /// What of the `needs` of a component, `namespace/name`, is not granted.
    pub fn missing(&self, needs: &Grants, component: &str) -> Vec<Missing> {
        self.compiled.load().missing(needs, component)
    }

    /// What is granted, as it was written.
    pub fn capabilities(&self) -> Capabilities {
        self.lock().clone()
    }

    /// Grants something in addition. Says whether it was not granted in this form before.
    ///
    /// # Errors
    ///
    /// When it is no pattern, or one too many.
    pub fn add(&self, capability: Capability, pattern: &str) -> Result<bool, InvalidGrant> {
        self.change(|written| {
            let patterns = written.of_mut(capability);
            let is_new = patterns.iter().all(|known| known != pattern);
            if is_new {
                patterns.push(pattern.to_owned());
            }
            is_new
        })
    }

    /// Takes back every pattern that `pattern` covers; if it is of every host, `*:443` or
    /// `*:*`, those of addresses too. Says whether there was one. What is wider than `pattern` stays, and
    /// with it what `pattern` means.
    ///
    /// # Errors
    ///
    /// When it is no pattern.
    pub fn remove(&self, capability: Capability, pattern: &str) -> Result<bool, InvalidGrant> {
        let taken = Grants::compile_one(capability, 0, pattern)?;
        let form = capability.form();
        let is_taken = |text: &String| {
            let granted = Pattern::parse(form, text);
            granted.is_ok_and(|granted| taken.revokes(&granted))
        };
        self.change(|written| {
            let patterns = written.of_mut(capability);
            let before = patterns.len();
            patterns.retain(|text| !is_taken(text));
            patterns.len() < before
        })
    }

    /// Grants this in place of all that was granted.
    ///
    /// # Errors
    ///
    /// When one of the patterns is none; nothing is changed then.
    pub fn replace(&self, capabilities: Capabilities) -> Result<(), InvalidGrant> {
        self.change(|written| *written = capabilities)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Capabilities) -> T) -> Result<T, InvalidGrant> {
        let mut written = self.lock();
        let mut changed = written.clone();
        let result = change(&mut changed);
        self.compiled.store(Grants::compile(&changed)?.into());
        *written = changed;
        Ok(result)
    }

    fn lock(&self) -> MutexGuard<'_, Capabilities> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(patterns: &[&str]) -> Granted {
        Granted::new(Capabilities {
            send: patterns.iter().map(|&pattern| pattern.into()).collect(),
            ..Capabilities::default()
        })
        .unwrap()
    }

    #[test]
    fn to_revoke_is_to_take_back_all_that_is_covered() {
        let granted = granted(&["shop/cart", "shop/stock/main", "pay/desk", "self"]);
        assert!(granted.remove(Capability::Send, "shop/*").unwrap());
        assert_eq!(granted.capabilities().send, ["pay/desk", "self"]);
        assert!(!granted.remove(Capability::Send, "pay/desk/one").unwrap());
        assert!(granted.remove(Capability::Send, "*").unwrap());
        assert!(granted.capabilities().is_empty());
    }

    #[test]
    fn to_revoke_every_host_leaves_no_address() {
        let patterns = ["10.0.0.7:5432", "[::1]:80", "127.*:*", "a.example:443"];
        let granted = Granted::new(Capabilities {
            network: patterns.map(String::from).into(),
            ..Capabilities::default()
        });
        let granted = granted.unwrap();
        let alice = ComponentId::new("shop", "cart", "alice");
        let reaches = |endpoint: &str| granted.allow(&alice, Capability::Network, endpoint);
        assert!(granted.remove(Capability::Network, "*:5432").unwrap());
        assert!(!reaches("10.0.0.7:5432") && reaches("127.0.0.1:5432"));
        assert!(granted.remove(Capability::Network, "*:*").unwrap());
        assert!(!reaches("127.0.0.1:5432") && !reaches("[::1]:80"));
        assert!(granted.capabilities().is_empty());
    }

    #[test]
    fn what_is_no_pattern_changes_nothing() {
        let granted = granted(&["shop/cart"]);
        assert!(granted.add(Capability::Send, "shop").is_err());
        assert!(granted.remove(Capability::Send, "").is_err());
        assert!(!granted.add(Capability::Send, "shop/cart").unwrap());
        let alice = ComponentId::new("shop", "cart", "alice");
        assert!(granted.allow(&alice, Capability::Send, "shop/cart/bob"));
        assert_eq!(granted.capabilities().send, ["shop/cart"]);
    }
}
