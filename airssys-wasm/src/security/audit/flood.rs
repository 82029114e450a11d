//! How a flood of denials becomes few entries.

// Layer 1: Standard library imports
use std::collections::HashMap;

// Layer 3: Internal module imports
use crate::core::security::audit::{Action, AuditEntry, Decision};
use crate::security::audit::attempt::Attempt;

/// How many components are told apart at once. Those beyond are counted together.
pub(crate) const MAX_COMPONENTS: usize = 1_024;

/// How long denials are counted before they become an entry.
pub(crate) const PERIOD_MS: u64 = 1_000;

/// Lets some denials of each component through in a second, and counts those beyond, by
/// what was wanted. What was counted becomes one entry for each when the second is over.
///
/// It knows no clock: the times that are passed in may begin anywhere, and do not go
/// backwards.
#[derive(Debug)]
pub(crate) struct Flood {
    per_s: u32,
    components: HashMap<Box<str>, Window>,
    /// All components that there was no room for.
    crowd: Window,
    /// When room was last looked for.
    tidied_ms: u64,
}

/// A second of one component.
#[derive(Debug, Default)]
struct Window {
    began_ms: u64,
    singly: u32,
    counted: Vec<Counted>,
}

/// Denials that were only counted.
#[derive(Debug)]
struct Counted {
    action: Action,
    count: u64,
    /// When the last of them was, in milliseconds since 1970.
    at_ms: u64,
}

/// What becomes of a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It becomes an entry.
    Singly,
    /// It is counted.
    Counted,
    /// It is counted, and nothing of its component was before.
    FirstCounted,
}

impl Flood {
    /// Lets so many denials of one component through in a second.
    pub(crate) fn new(per_s: u32) -> Self {
        Self {
            per_s,
            components: HashMap::new(),
            crowd: Window::default(),
            tidied_ms: 0,
        }
    }

    /// Decides about a denial.
    pub(crate) fn admit(&mut self, denial: &Attempt<'_>, now_ms: u64) -> Verdict {
        if let Some(window) = self.components.get_mut(denial.component) {
            return window.admit(denial, self.per_s, now_ms);
        }
        if self.components.len() >= MAX_COMPONENTS {
            self.make_room(now_ms);
        }
        if self.components.len() >= MAX_COMPONENTS {
            return self.crowd.count(denial);
        }
        let window = self.components.entry(denial.component.into());
        let window = window.or_insert(Window {
            began_ms: now_ms,
            ..Window::default()
        });
        window.admit(denial, self.per_s, now_ms)
    }

    /// The entries for what was counted, where its second is over.
    pub(crate) fn due(&mut self, now_ms: u64) -> Vec<AuditEntry> {
        let mut entries = Vec::new();
        self.components.retain(|component, window| {
            let is_over = window.is_over(now_ms);
            if is_over {
                window.tell(component, &mut entries);
            }
            !is_over
        });
        self.crowd.tell("", &mut entries);
        entries
    }

    /// The entries for all that was counted.
    pub(crate) fn rest(&mut self) -> Vec<AuditEntry> {
        self.due(u64::MAX)
    }

    /// Whether anything was counted and is no entry yet.
    pub(crate) fn is_counting(&self) -> bool {
        let mut windows = self.components.values();
        !self.crowd.counted.is_empty() || windows.any(|window| !window.counted.is_empty())
    }

    /// Forgets components whose second is over and of which nothing was counted. Not at every
    /// denial, since it looks at all of them.
    fn make_room(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.tidied_ms) >= PERIOD_MS {
            self.tidied_ms = now_ms;
            self.components
                .retain(|_, window| !(window.is_over(now_ms) && window.counted.is_empty()));
        }
    }
}

impl Window {
    fn is_over(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.began_ms) >= PERIOD_MS
    }

    fn admit(&mut self, denial: &Attempt<'_>, per_s: u32, now_ms: u64) -> Verdict {
        if self.is_over(now_ms) {
            // What was counted and not told yet is counted on.
            self.began_ms = now_ms;
            self.singly = 0;
        }
        if self.singly < per_s {
            self.singly += 1;
            return Verdict::Singly;
        }
        self.count(denial)
    }

    fn count(&mut self, denial: &Attempt<'_>) -> Verdict {
        let action = Action::Use(denial.capability);
        let is_first = self.counted.is_empty();
        match self.counted.iter_mut().find(|it| it.action == action) {
            Some(counted) => {
                counted.count = counted.count.saturating_add(1);
                counted.at_ms = counted.at_ms.max(denial.at_ms);
            }
            None => self.counted.push(Counted {
                action,
                count: 1,
                at_ms: denial.at_ms,
            }),
        }
        match is_first {
            true => Verdict::FirstCounted,
            false => Verdict::Counted,
        }
    }

    fn tell(&mut self, component: &str, entries: &mut Vec<AuditEntry>) {
        let why = match component {
            "" => {
                "denials of too many components at once, of which no more than the number is kept"
            }
            _ => "further denials within a second, of which no more than the number is kept",
        };
        let told = self.counted.drain(..).map(|counted| AuditEntry {
            component: component.to_owned(),
            why: why.to_owned(),
            count: counted.count,
            ..AuditEntry::new(counted.at_ms, counted.action, Decision::Denied)
        });
        entries.extend(told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::security::capability::Capability;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn denial(component: &str, capability: Capability) -> Attempt<'_> {
        Attempt {
            at_ms: 7,
            capability,
            component,
            actor: "a/b/c",
            resource: "x",
            why: &"not granted",
        }
    }

    #[test]
    fn a_million_denials_in_a_second_become_few_entries() {
        let mut flood = Flood::new(20);
        let mut singly = 0;
        for number in 0..1_000_000_u64 {
            let verdict = flood.admit(&denial("a/b", Capability::Send), number / 1_001);
            singly += u64::from(verdict == Verdict::Singly);
        }
        assert_eq!(singly, 20);
        assert!(flood.due(999).is_empty() && flood.is_counting());
        let entries = flood.due(1_000);
        assert_eq!(entries.len(), 1);
        assert_eq!(
            (entries[0].count, &entries[0].component[..]),
            (999_980, "a/b")
        );
        assert!(!flood.is_counting() && flood.rest().is_empty());
    }

    #[test]
    fn a_million_components_take_bounded_memory_and_none_is_forgotten() {
        let mut flood = Flood::new(1);
        let mut singly = 0;
        for number in 0..1_000_000 {
            let name = format!("a/{number}");
            let verdict = flood.admit(&denial(&name, Capability::Send), number / 1_000);
            singly += u64::from(verdict == Verdict::Singly);
            assert!(flood.components.len() <= MAX_COMPONENTS);
        }
        let counted: u64 = flood.rest().iter().map(|entry| entry.count).sum();
        assert_eq!(singly + counted, 1_000_000);
    }

    #[test]
    fn who_begins_anew_is_let_through_again() {
        let mut flood = Flood::new(1);
        let denial = denial("a/b", Capability::Send);
        assert_eq!(flood.admit(&denial, 5), Verdict::Singly);
        assert_eq!(flood.admit(&denial, 1_004), Verdict::FirstCounted);
        assert_eq!(flood.admit(&denial, 1_005), Verdict::Singly);
        assert_eq!(flood.admit(&denial, 1_006), Verdict::Counted);
        assert_eq!(flood.rest()[0].count, 2);
    }

    proptest! {
        #[test]
        fn every_denial_is_an_entry_or_counted(
            per_s in 1..5_u32,
            steps in prop::collection::vec((0..4_usize, 0..3_usize, 0..400_u64, any::<bool>()), 0..300),
        ) {
            let capabilities = [Capability::Send, Capability::Network, Capability::Env];
            let components = ["a/a", "a/b", "b/a", "b/b"];
            let (mut flood, mut now_ms) = (Flood::new(per_s), 0);
            let (mut wanted, mut told) = (BTreeMap::new(), BTreeMap::new());
            for (component, capability, later_ms, is_due) in steps {
                now_ms += later_ms;
                let key = (components[component].to_owned(), capabilities[capability]);
                let verdict = flood.admit(&denial(&key.0, key.1), now_ms);
                if verdict == Verdict::Singly {
                    *told.entry(key.clone()).or_insert(0) += 1;
                }
                *wanted.entry(key).or_insert(0) += 1;
                let entries = if is_due { flood.due(now_ms) } else { Vec::new() };
                add(&mut told, &entries);
            }
            add(&mut told, &flood.rest());
            prop_assert_eq!(wanted, told);
        }
    }

    fn add(told: &mut BTreeMap<(String, Capability), u64>, entries: &[AuditEntry]) {
        for entry in entries {
            let Action::Use(capability) = entry.action else {
                panic!("{entry:?}");
            };
            let key = (entry.component.clone(), capability);
            *told.entry(key).or_insert(0) += entry.count;
        }
    }
}
