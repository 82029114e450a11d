//! The policy of a running system.

// Layer 1: Standard library imports
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

// Layer 2: Third-party crate imports
use arc_swap::ArcSwapOption;

// Layer 3: Internal module imports
use crate::security::policy::action::PolicyAction;
use crate::security::policy::denied::DeniedByRule;
use crate::security::policy::memo::{Decided, Memo};
use crate::security::policy::minute::Minute;
use crate::security::policy::rule_set::Policy;

/// The policy of a running system, if it has one, replaced while the system runs.
///
/// A check costs one load if there is no policy, and a look into a table if the question was
/// decided before; only else is the policy evaluated. Two threads with the same new question
/// may both evaluate it, and come to the same.
#[derive(Debug, Default)]
pub struct Gate {
    /// Whether there is a policy, which is ten times as quick to see as the policy.
    is_set: AtomicBool,
    current: ArcSwapOption<Enforced>,
    /// How many policies there were. Held by who replaces one, so that the two above agree.
    generations: Mutex<u64>,
}

/// A policy that counts.
#[derive(Debug)]
struct Enforced {
    generation: u64,
    policy: Policy,
}

impl Gate {
    /// The gate of a system with this policy, or with none.
    pub fn new(policy: Option<Policy>) -> Self {
        let gate = Self::default();
        gate.replace(policy);
        gate
    }

    /// Puts another policy, or none, in the place of the one that counts. Checks that begin
    /// after this see it, and nothing that was decided before counts any more.
    pub fn replace(&self, policy: Option<Policy>) {
        let held = self.generations.lock();
        let mut generations = held.unwrap_or_else(PoisonError::into_inner);
        // Never a number twice, so that no memo mistakes one policy for another.
        *generations += 1;
        let generation = *generations;
        let enforced = policy.map(|policy| Arc::new(Enforced { generation, policy }));
        let is_set = enforced.is_some();
        self.current.store(enforced);
        self.is_set.store(is_set, Ordering::Release);
    }

    /// Whether there is a policy.
    #[inline]
    pub fn has_policy(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// Looks at the policy, if there is one.
    pub fn inspect<T>(&self, look: impl FnOnce(&Policy) -> T) -> Option<T> {
        let current = self.current.load_full();
        current.map(|enforced| look(&enforced.policy))
    }

    /// Whether the policy allows the memo's component something. Without a policy it does.
    ///
    /// `now_ms` is the time of day in milliseconds since 1970, asked for only where there is a
    /// policy. About 30 ns if it was decided before; if not, some tens of microseconds and about
    /// one more for each rule.
    ///
    /// # Errors
    ///
    /// With the rules that forbid it, or none if nothing permits it.
    #[inline]
    pub fn check(
        &self,
        memo: &Memo,
        action: impl Into<PolicyAction>,
        resource: &str,
        now_ms: impl FnOnce() -> u64,
    ) -> Result<(), Arc<DeniedByRule>> {
        if !self.has_policy() {
            return Ok(());
        }
        let current = self.current.load();
        let Some(enforced) = current.as_deref() else {
            return Ok(());
        };
        let (action, now_ms) = (action.into(), now_ms());
        let found = memo.find(enforced.generation, action, resource, now_ms);
        let decided = match found {
            Some(decided) => decided,
            None => enforced.decide(memo, action, resource, now_ms),
        };
        decided.denied.map_or(Ok(()), Err)
    }
}

impl Enforced {
    #[cold]
    fn decide(&self, memo: &Memo, action: PolicyAction, resource: &str, now_ms: u64) -> Decided {
        let verdict = self
            .policy
            .decide(memo.principal(), action, resource, now_ms);
        let denied = DeniedByRule::from_verdict(verdict).err();
        let looks_at_time = self.policy.looks_at_time();
        let decided = Decided {
            generation: self.generation,
            within: looks_at_time.then(|| Minute::of(now_ms)),
            denied: denied.map(Arc::new),
        };
        memo.remember(action, resource, decided.clone());
        decided
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::security::capability::Capability;
    use crate::core::security::principal::Principal;
    use crate::security::policy::memo::MAX_MEMOISED;
    use crate::security::policy::resource::MAX_RESOURCE_BYTES;
    use proptest::prelude::*;

    const MINUTE_MS: u64 = 60_000;

    fn policy(text: &str) -> Policy {
        Policy::parse(text, "policy.cedar").unwrap()
    }

    fn memo(version: &str) -> Memo {
        Memo::new(Principal {
            component: "shop/cart".into(),
            version: version.into(),
            digest: "sha256:0".into(),
            signer: None,
        })
    }

    fn allows(gate: &Gate, memo: &Memo, resource: &str, now_ms: u64) -> bool {
        gate.check(memo, Capability::Publish, resource, || now_ms)
            .is_ok()
    }

    #[test]
    fn without_a_policy_all_is_allowed_and_nothing_remembered() {
        let (gate, memo) = (Gate::default(), memo("1"));
        assert!(!gate.has_policy());
        assert!(allows(&gate, &memo, "a", 0));
        assert!(memo.is_empty());
    }

    #[test]
    fn a_new_policy_counts_at_once() {
        let (gate, memo) = (Gate::default(), memo("1"));
        let permits = "permit (principal, action, resource);";
        let forbids = "forbid (principal, action, resource);";
        for (text, is_allowed) in [(permits, true), (forbids, false), (permits, true)] {
            gate.replace(Some(policy(text)));
            assert_eq!(allows(&gate, &memo, "a", 0), is_allowed);
            assert_eq!(allows(&gate, &memo, "a", 0), is_allowed);
        }
        assert_eq!(memo.len(), 1);
        gate.replace(None);
        assert!(allows(&gate, &memo, "a", 0));
    }

    #[test]
    fn a_denial_is_remembered_with_its_rules() {
        let gate = Gate::new(Some(policy(
            "@id(\"quiet\")\nforbid (principal, action == Action::\"publish\", resource);",
        )));
        let memo = memo("1");
        let denied = gate
            .check(&memo, Capability::Publish, "a", || 0)
            .unwrap_err();
        assert_eq!(denied.rules[0].name, "quiet");
        let again = gate
            .check(&memo, Capability::Publish, "a", || 0)
            .unwrap_err();
        assert!(Arc::ptr_eq(&denied, &again));
        let other = gate
            .check(&memo, Capability::Subscribe, "a", || 0)
            .unwrap_err();
        assert_eq!(other.to_string(), "no rule of the policy permits it");
    }

    #[test]
    fn what_hangs_on_the_time_counts_for_its_minute() {
        let gate = Gate::new(Some(policy(
            "permit (principal, action, resource) when { context.minute < 2 };",
        )));
        let memo = memo("1");
        assert!(allows(&gate, &memo, "a", 2 * MINUTE_MS - 1));
        assert!(!allows(&gate, &memo, "a", 2 * MINUTE_MS));
        // A clock may be set back.
        assert!(allows(&gate, &memo, "a", 2 * MINUTE_MS - 1));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let gate = Gate::new(Some(policy("permit (principal, action, resource);")));
        let memo = memo("1");
        for number in 0..MAX_MEMOISED * 2 {
            let decided = Decided {
                generation: 0,
                within: None,
                denied: None,
            };
            memo.remember(PolicyAction::Start, &number.to_string(), decided);
        }
        assert!(memo.len() <= MAX_MEMOISED);
        assert!(allows(&gate, &memo, "a", 0));
    }

    #[test]
    fn what_is_too_long_for_a_policy_is_not_remembered() {
        let gate = Gate::new(Some(policy("permit (principal, action, resource);")));
        let memo = memo("1");
        let long = "a".repeat(MAX_RESOURCE_BYTES + 1);
        for _ in 0..2 {
            assert!(!allows(&gate, &memo, &long, 0));
            assert!(memo.is_empty());
        }
        assert!(allows(&gate, &memo, &long[1..], 0));
        assert_eq!(memo.len(), 1);
    }

    /// What may happen between two checks.
    #[derive(Debug, Clone)]
    enum Step {
        Replace(Option<usize>),
        Pass(u64),
        Check {
            version: usize,
            action: usize,
            resource: usize,
        },
    }

    const POLICIES: [&str; 4] = [
        "permit (principal, action, resource);",
        "permit (principal, action == Action::\"publish\", resource) when { resource.text like \"a*\" };",
        "permit (principal, action, resource) when { context.minute != 1 };",
        "permit (principal, action, resource);\nforbid (principal, action, resource) when { principal.version like \"2*\" };",
    ];
    const VERSIONS: [&str; 3] = ["1.0", "2.0", "2.1"];
    const RESOURCES: [&str; 3] = ["a", "ab", "b"];
    const ACTIONS: [PolicyAction; 3] = [
        PolicyAction::Use(Capability::Publish),
        PolicyAction::Use(Capability::Subscribe),
        PolicyAction::Start,
    ];

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            1 => proptest::option::of(0..POLICIES.len()).prop_map(Step::Replace),
            2 => (0..90_000_u64).prop_map(Step::Pass),
            8 => (0..VERSIONS.len(), 0..ACTIONS.len(), 0..RESOURCES.len()).prop_map(
                |(version, action, resource)| Step::Check { version, action, resource }
            ),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever was remembered, a check says what the policy says now.
        #[test]
        fn memory_changes_no_decision(steps in proptest::collection::vec(step(), 1..60)) {
            let gate = Gate::default();
            let memos = VERSIONS.map(memo);
            let (mut current, mut now_ms) = (None, 0);
            for step in steps {
                match step {
                    Step::Pass(ms) => now_ms += ms,
                    Step::Replace(chosen) => {
                        gate.replace(chosen.map(|index| policy(POLICIES[index])));
                        current = chosen.map(|index| policy(POLICIES[index]));
                    }
                    Step::Check { version, action, resource } => {
                        let (memo, action) = (&memos[version], ACTIONS[action]);
                        let resource = RESOURCES[resource];
                        let checked = gate.check(memo, action, resource, || now_ms);
                        let direct = current.as_ref().map_or(Ok(()), |policy: &Policy| {
                            let asked = policy.decide(memo.principal(), action, resource, now_ms);
                            DeniedByRule::from_verdict(asked)
                        });
                        prop_assert_eq!(checked.map_err(|denied| (*denied).clone()), direct);
                    }
                }
            }
        }
    }
}
