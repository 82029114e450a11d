//! The memory that instances may have: each system, each component, each instance.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

// Layer 3: Internal module imports
use crate::core::limits::{Limit, LimitExceeded};

/// One of so many parts of a system's memory is kept for components that have little.
const KEPT: u64 = 8;

/// What all instances of a system have of the machine's memory, and may have.
///
/// An eighth of it is parted evenly among the components: what is a component's part nobody
/// else takes, and the rest is for all. Where there is one component, nothing is kept.
#[derive(Debug)]
pub struct SystemMemory {
    allowed: u64,
    used: AtomicU64,
    components: AtomicU64,
}

/// What all instances of a component have together, and may have.
#[derive(Debug)]
pub struct ComponentMemory {
    system: Arc<SystemMemory>,
    allowed: u64,
    used: AtomicU64,
    /// What the largest instance so far had.
    largest: AtomicU64,
}

/// What one instance has. It is given back by being dropped.
#[derive(Debug, Default)]
pub struct Held {
    /// Who else counts it, if anybody does.
    component: Option<Arc<ComponentMemory>>,
    bytes: u64,
}

/// Of whose memory little is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// The component's own.
    OfComponent,
    /// The system's, and the component has more than its part.
    OfSystem,
}

impl SystemMemory {
    /// So many bytes for all instances of a system.
    pub fn new(allowed: u64) -> Arc<Self> {
        Arc::new(Self {
            allowed,
            used: AtomicU64::new(0),
            components: AtomicU64::new(0),
        })
    }

    /// What all instances have.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// What is parted among so many components.
    fn kept(&self, components: u64) -> u64 {
        match components {
            0 | 1 => 0,
            _ => self.allowed / KEPT,
        }
    }

    /// What each component has to itself.
    fn part(&self) -> u64 {
        let components = self.components.load(Ordering::Relaxed);
        self.kept(components) / components.max(1)
    }

    /// What is for all.
    fn common(&self) -> u64 {
        self.allowed - self.kept(self.components.load(Ordering::Relaxed))
    }
}

impl ComponentMemory {
    /// So many bytes, of a system's, for all instances of a component.
    pub fn new(system: Arc<SystemMemory>, allowed: u64) -> Arc<Self> {
        system.components.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            system,
            allowed,
            used: AtomicU64::new(0),
            largest: AtomicU64::new(0),
        })
    }

    /// As much as is asked for.
    pub fn unbounded() -> Arc<Self> {
        Self::new(SystemMemory::new(u64::MAX), u64::MAX)
    }

    /// What all instances of the component have.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether the component has more than its part of the system's memory, so that others gain
    /// some when one of its instances leaves.
    pub fn is_beyond_part(&self) -> bool {
        self.used() > self.system.part()
    }

    /// Whether less is left than an eighth of what there may be, or than the largest instance so
    /// far had.
    pub fn shortage(&self) -> Option<Shortage> {
        let largest = self.largest.load(Ordering::Relaxed);
        let is_short = |used: u64, allowed: u64| {
            let left = allowed.saturating_sub(used);
            left < largest.max(allowed / KEPT)
        };
        if is_short(self.used(), self.allowed) {
            return Some(Shortage::OfComponent);
        }
        let has_part = self.used().saturating_add(largest) <= self.system.part();
        let is_short = !has_part && is_short(self.system.used(), self.system.common());
        is_short.then_some(Shortage::OfSystem)
    }

    /// Refuses an instance as large as the largest so far, if there is no room for one.
    ///
    /// # Errors
    ///
    /// With the component's limit, or the system's.
    pub fn admit_one(&self) -> Result<(), LimitExceeded> {
        self.admit(self.largest.load(Ordering::Relaxed))
    }

    /// Refuses an instance that would have so many bytes more, if there are not as many.
    ///
    /// # Errors
    ///
    /// With the component's limit, or the system's.
    pub fn admit(&self, more: u64) -> Result<(), LimitExceeded> {
        self.check(
            self.used().saturating_add(more),
            self.system.used().saturating_add(more),
        )
    }

    fn check(&self, own: u64, all: u64) -> Result<(), LimitExceeded> {
        LimitExceeded::check(Limit::TotalMemoryBytes, self.allowed, own)?;
        if own <= self.system.part() {
            return Ok(());
        }
        LimitExceeded::check(Limit::MaxMemoryBytes, self.system.common(), all)
    }

    /// Returns what the component and the system have then.
    fn add(&self, more: u64) -> (u64, u64) {
        let own = self.used.fetch_add(more, Ordering::Relaxed);
        let all = self.system.used.fetch_add(more, Ordering::Relaxed);
        (own.saturating_add(more), all.saturating_add(more))
    }

    fn give_back(&self, less: u64) {
        self.used.fetch_sub(less, Ordering::Relaxed);
        self.system.used.fetch_sub(less, Ordering::Relaxed);
    }
}

impl Drop for ComponentMemory {
    fn drop(&mut self) {
        self.system.components.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Held {
    /// Nothing yet, for an instance of a component. Without one, nobody else counts it.
    pub fn of(component: Option<Arc<ComponentMemory>>) -> Self {
        Self {
            component,
            bytes: 0,
        }
    }

    /// What the instance has.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes so many bytes more.
    ///
    /// # Errors
    ///
    /// With the limit that is in the way; nothing is taken then.
    pub fn grow(&mut self, more: u64) -> Result<(), LimitExceeded> {
        if let Some(component) = &self.component {
            let (own, all) = component.add(more);
            component
                .check(own, all)
                .inspect_err(|_| component.give_back(more))?;
            let bytes = self.bytes + more;
            component.largest.fetch_max(bytes, Ordering::Relaxed);
        }
        self.bytes += more;
        Ok(())
    }

    /// Takes note of what is there, whether it may be or not.
    #[inline]
    pub fn set(&mut self, bytes: u64) {
        // Most turns change nothing, and then what others count stays where it is.
        if bytes == self.bytes {
            return;
        }
        if let Some(component) = &self.component {
            match bytes.checked_sub(self.bytes) {
                Some(more) => drop(component.add(more)),
                None => component.give_back(self.bytes - bytes),
            }
        }
        self.bytes = bytes;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn held(component: &Arc<ComponentMemory>) -> Held {
        Held::of(Some(Arc::clone(component)))
    }

    #[test]
    fn all_instances_of_a_component_have_so_much_together() {
        let component = ComponentMemory::new(SystemMemory::new(u64::MAX), 100);
        let (mut one, mut other) = (held(&component), held(&component));
        assert_eq!(component.shortage(), None);
        assert_eq!(one.grow(60), Ok(()));
        let exceeded = LimitExceeded::beyond(Limit::TotalMemoryBytes, 100);
        assert_eq!(other.grow(41), Err(exceeded));
        assert_eq!(other.grow(40), Ok(()));
        assert_eq!(component.shortage(), Some(Shortage::OfComponent));
        assert_eq!(component.admit(1), Err(exceeded));
        drop(one);
        assert_eq!((component.used(), component.admit(60)), (40, Ok(())));
        assert_eq!(component.shortage(), None);
    }

    #[test]
    fn memory_is_short_when_the_largest_instance_has_no_room_for_another() {
        let component = ComponentMemory::new(SystemMemory::new(u64::MAX), 100);
        let mut one = held(&component);
        assert_eq!(one.grow(40), Ok(()));
        assert_eq!(
            (component.shortage(), component.admit_one()),
            (None, Ok(()))
        );
        let mut other = held(&component);
        assert_eq!(other.grow(21), Ok(()));
        assert_eq!(component.shortage(), Some(Shortage::OfComponent));
        assert!(component.admit_one().is_err());
        drop(one);
        assert_eq!(
            (component.shortage(), component.admit_one()),
            (None, Ok(()))
        );
    }

    #[test]
    fn what_is_there_counts_although_it_is_too_much() {
        let component = ComponentMemory::new(SystemMemory::new(u64::MAX), 100);
        let mut state = held(&component);
        state.set(150);
        assert!(held(&component).grow(1).is_err());
        state.set(99);
        assert!(held(&component).grow(1).is_ok());
    }

    #[test]
    fn a_component_has_its_part_when_others_have_taken_the_rest() {
        let system = SystemMemory::new(1_600);
        let greedy = ComponentMemory::new(Arc::clone(&system), u64::MAX);
        let modest = ComponentMemory::new(Arc::clone(&system), u64::MAX);
        let mut all = held(&greedy);
        let exceeded = LimitExceeded::beyond(Limit::MaxMemoryBytes, 1_400);
        assert_eq!(all.grow(1_401), Err(exceeded));
        assert_eq!(all.grow(1_400), Ok(()));
        assert_eq!(greedy.shortage(), Some(Shortage::OfSystem));
        assert_eq!(modest.shortage(), None);
        let mut part = held(&modest);
        assert_eq!(part.grow(100), Ok(()));
        assert!(part.grow(1).is_err());
        drop((greedy, all));
        assert_eq!(part.grow(1_500), Ok(()), "alone, it may have everything");
    }

    proptest! {
        /// Whoever takes and gives back, no more is ever taken than there is, and nothing is
        /// left in the end.
        #[test]
        fn no_more_is_taken_than_there_is(
            steps in prop::collection::vec((0_usize..6, 0_u64..400, any::<bool>()), 1..100),
        ) {
            let system = SystemMemory::new(1_000);
            let components: Vec<_> = (0..3)
                .map(|_| ComponentMemory::new(Arc::clone(&system), 700))
                .collect();
            let mut all: Vec<_> = (0..6).map(|number| held(&components[number % 3])).collect();
            for (number, bytes, is_growing) in steps {
                if is_growing {
                    let before = all[number].bytes();
                    let grown = all[number].grow(bytes);
                    let expected = before + if grown.is_ok() { bytes } else { 0 };
                    prop_assert_eq!(all[number].bytes(), expected);
                } else {
                    let kept = all[number].bytes().min(bytes);
                    all[number].set(kept);
                }
                let sum: u64 = all.iter().map(Held::bytes).sum();
                prop_assert_eq!(system.used(), sum);
                prop_assert!(sum <= 1_000);
                prop_assert!(components.iter().all(|it| it.used() <= 700));
            }
            drop(all);
            prop_assert_eq!(system.used(), 0);
        }
    }
}
