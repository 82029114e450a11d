//! How a flood of denials becomes few entries.

// Layer 1: Standard library imports
use std::collections::HashMap;

// Layer 3: Internal module imports
use crate::core::security::audit::{Action, AuditEntry, Decision};
use crate::security::audit::attempt::Attempt;

/// How many components are told apart in an hour. Those beyond are counted together.
pub(crate) const MAX_COMPONENTS: usize = 4_096;

/// How long denials are counted before they become an entry.
pub(crate) const PERIOD_MS: u64 = 1_000;

/// The entries that one component is given in an hour: its denials singly, and what was
/// counted in a second. Beyond, its denials are only counted, and told once in
/// [`SPENT_PERIOD_MS`].
///
/// A thousand show well enough what somebody tries. What somebody tries beyond that must not
/// drive out what operators did: one component causes fewer than 1 200 lines in an hour,
/// however many of the 15 capabilities it is denied, which are hardly 2.5 MB. A log of the
/// default 128 MiB keeps the last two days of it, and the 4 096 entries of one in memory the
/// last three hours.
pub(crate) const ENTRIES_PER_HOUR: u32 = 1_000;

/// How long denials of a component that has spent its entries are counted before they become
/// an entry for each capability: three a minute at the most.
pub(crate) const SPENT_PERIOD_MS: u64 = 5 * 60 * 1_000;

/// After which time a component is given entries anew. Its hour begins with a denial.
const HOUR_MS: u64 = 60 * 60 * 1_000;

/// Lets some denials of each component through in a second and in an hour, and counts those
/// beyond, by what was wanted. What was counted becomes one entry for each when its period is
/// over.
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

/// A second and an hour of one component.
#[derive(Debug, Default)]
struct Window {
    second_ms: u64,
    /// How many were let through in the second.
    singly: u32,
    hour_ms: u64,
    /// How many entries there were in the hour.
    spent: u32,
    /// When the first of those was counted that are not told yet.
    counting_ms: u64,
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
            return self.crowd.count(denial, now_ms);
        }
        let window = self.components.entry(denial.component.into());
        let window = window.or_insert(Window {
            second_ms: now_ms,
            hour_ms: now_ms,
            ..Window::default()
        });
        window.admit(denial, self.per_s, now_ms)
    }

    /// The entries for what was counted, where its period is over.
    pub(crate) fn due(&mut self, now_ms: u64) -> Vec<AuditEntry> {
        let mut entries = Vec::new();
        self.components.retain(|component, window| {
            window.tell(component, now_ms, &mut entries);
            !window.is_forgotten(now_ms)
        });
        self.crowd.tell("", now_ms, &mut entries);
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

    /// Forgets components whose hour is over and of which nothing was counted. Not at every
    /// denial, since it looks at all of them.
    fn make_room(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.tidied_ms) >= PERIOD_MS {
            self.tidied_ms = now_ms;
            self.components
                .retain(|_, window| !window.is_forgotten(now_ms));
        }
    }
}

impl Window {
    /// Whether there is nothing to be known of it any more.
    fn is_forgotten(&self, now_ms: u64) -> bool {
        self.counted.is_empty() && now_ms.saturating_sub(self.hour_ms) >= HOUR_MS
    }

    /// Begins the second and the hour anew, if they are over.
    fn renew(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.second_ms) >= PERIOD_MS {
            self.second_ms = now_ms;
            self.singly = 0;
        }
        if now_ms.saturating_sub(self.hour_ms) >= HOUR_MS {
            self.hour_ms = now_ms;
            self.spent = 0;
        }
    }

    fn admit(&mut self, denial: &Attempt<'_>, per_s: u32, now_ms: u64) -> Verdict {
        self.renew(now_ms);
        if self.singly < per_s && self.spent < ENTRIES_PER_HOUR {
            self.singly += 1;
            self.spent += 1;
            return Verdict::Singly;
        }
        self.count(denial, now_ms)
    }

    fn count(&mut self, denial: &Attempt<'_>, now_ms: u64) -> Verdict {
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
            true => {
                self.counting_ms = now_ms;
                Verdict::FirstCounted
            }
            false => Verdict::Counted,
        }
    }

    /// Adds the entries for what was counted, if it is time.
    fn tell(&mut self, component: &str, now_ms: u64, entries: &mut Vec<AuditEntry>) {
        if self.counted.is_empty() {
            return;
        }
        let has_spent = self.spent >= ENTRIES_PER_HOUR;
        let period_ms = match has_spent {
            true => SPENT_PERIOD_MS,
            false => PERIOD_MS,
        };
        if now_ms.saturating_sub(self.counting_ms) < period_ms {
            return;
        }
        self.renew(now_ms);
        self.spent = self.spent.saturating_add(self.counted.len() as u32);
        let why = match (component, has_spent) {
            ("", _) => {
                "denials of too many components at once, of which no more than the number is kept"
            }
            (_, false) => {
                "further denials within a second, of which no more than the number is kept"
            }
            (_, true) => {
                "further denials of a component that is denied too much, of which no more than \
                 the number is kept for an hour"
            }
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

    /// Denials of each capability, at all times, as fast as they count, with somebody who asks
    /// for what is due all the time: the most entries that one component can cause.
    fn entries_in(hours: u64, per_s: u32) -> (u64, u64) {
        let mut flood = Flood::new(per_s);
        let (mut singly, mut lines, mut wanted) = (0, 0, 0);
        let mut told = BTreeMap::new();
        for now_ms in (0..hours * HOUR_MS).step_by(500) {
            // More than are let through, and then one of each.
            let send = [Capability::Send].into_iter().cycle().take(per_s as usize);
            for capability in send.chain(Capability::ALL) {
                wanted += 1;
                let verdict = flood.admit(&denial("a/b", capability), now_ms);
                singly += u64::from(verdict == Verdict::Singly);
            }
            let due = flood.due(now_ms);
            lines += due.len() as u64;
            add(&mut told, &due);
        }
        let rest = flood.rest();
        add(&mut told, &rest);
        assert_eq!(singly + told.values().sum::<u64>(), wanted);
        (singly, singly + lines)
    }

    #[test]
    fn a_component_causes_so_many_entries_in_an_hour_and_no_more() {
        for per_s in [1, 20, 100] {
            for hours in [1, 3] {
                let (singly, lines) = entries_in(hours, per_s);
                assert!(singly <= hours * u64::from(ENTRIES_PER_HOUR), "{singly}");
                assert!(
                    lines < hours * 1_200,
                    "{lines} in {hours} h, {per_s} a second"
                );
                assert!(
                    lines >= hours * 1_000,
                    "{lines} in {hours} h, {per_s} a second"
                );
            }
        }
    }

    #[test]
    fn who_has_spent_its_entries_is_counted_until_the_hour_is_over() {
        let mut flood = Flood::new(u32::MAX);
        let hostile = denial("a/b", Capability::Send);
        for _ in 0..ENTRIES_PER_HOUR {
            assert_eq!(flood.admit(&hostile, 0), Verdict::Singly);
        }
        assert_eq!(flood.admit(&hostile, 0), Verdict::FirstCounted);
        assert!(flood.due(SPENT_PERIOD_MS - 1).is_empty());
        assert_eq!(flood.admit(&hostile, SPENT_PERIOD_MS - 1), Verdict::Counted);
        let due = flood.due(SPENT_PERIOD_MS);
        assert_eq!((due.len(), due[0].count), (1, 2));
        // That there is nothing to tell of it makes nobody forget what it has spent.
        let other = denial("a/c", Capability::Send);
        assert_eq!(flood.admit(&other, HOUR_MS - 1), Verdict::Singly);
        assert_eq!(flood.admit(&hostile, HOUR_MS - 1), Verdict::FirstCounted);
        assert_eq!(flood.admit(&hostile, HOUR_MS), Verdict::Singly);
        assert_eq!(flood.rest()[0].count, 1);
    }

    #[test]
    fn what_is_counted_is_told_however_soon_the_next_denial_comes() {
        let mut flood = Flood::new(1);
        let mut told = 0;
        for now_ms in 0..10_000 {
            flood.admit(&denial("a/b", Capability::Send), now_ms);
            if now_ms % 1_000 == 999 {
                told += flood.due(now_ms).len();
            }
        }
        assert!(told >= 5, "{told}");
    }

    proptest! {
        #[test]
        fn every_denial_is_an_entry_or_counted(
            per_s in prop_oneof![1..5_u32, Just(u32::MAX)],
            scale in prop::sample::select(&[1, 1_000, 20_000][..]),
            steps in prop::collection::vec((0..4_usize, 0..3_usize, 0..400_u64, any::<bool>()), 0..300),
            burst in prop::sample::select(&[0, 1_500][..]),
        ) {
            let capabilities = [Capability::Send, Capability::Network, Capability::Env];
            let components = ["a/a", "a/b", "b/a", "b/b"];
            let (mut flood, mut now_ms) = (Flood::new(per_s), 0);
            let (mut wanted, mut told) = (BTreeMap::new(), BTreeMap::new());
            let burst = (0..burst).map(|_| (0, 0, 0, false));
            for (component, capability, later_ms, is_due) in burst.chain(steps) {
                now_ms += later_ms * scale;
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
