//! The places for live actors: who has them, and who gets the next one.

// Layer 1: Standard library imports
use std::collections::VecDeque;

// Layer 2: Third-party crate imports
use hashbrown::HashMap;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;

/// One of so many places is kept for components that have few.
pub(crate) const KEPT: usize = 8;

/// Who wants a place.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) actor: ComponentId,
    /// Whether it always runs.
    pub(crate) always: bool,
}

/// Who has places, and who waits for one, to be called by a `C`.
#[derive(Debug)]
pub(crate) struct Places<C> {
    max: usize,
    taken: usize,
    /// How many components there are, at least one.
    components: usize,
    /// Those that always run.
    always: Party<C>,
    /// The others. A component that has no actor here is not among them.
    by_component: HashMap<String, Party<C>>,
    waiting: usize,
    /// How many have waited so far.
    tickets: u64,
}

/// Actors among whom places are given out in the order in which they came.
#[derive(Debug)]
pub(crate) struct Party<C> {
    taken: usize,
    waiting: VecDeque<Waiter<C>>,
}

#[derive(Debug)]
pub(crate) struct Waiter<C> {
    /// Those that came later have higher ones.
    ticket: u64,
    pub(crate) claim: Claim,
    pub(crate) call: C,
}

/// What is kept for components that have few places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    places: usize,
    /// How many of them one component has.
    pub(crate) part: usize,
}

/// Who may have a place at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vacancy {
    /// There is one for actors that always run.
    always: bool,
    /// There is one for all.
    common: bool,
    /// There is one for components with fewer places than this.
    below: usize,
}

impl<C> Default for Party<C> {
    fn default() -> Self {
        Self {
            taken: 0,
            waiting: VecDeque::new(),
        }
    }
}

impl<C> Places<C> {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            taken: 0,
            components: 1,
            always: Party::default(),
            by_component: HashMap::new(),
            waiting: 0,
            tickets: 0,
        }
    }

    /// So many components share the places.
    pub(crate) fn share_among(&mut self, components: usize) {
        self.components = components.max(1);
    }

    /// One component's even part of so many that are kept, at least one.
    pub(crate) fn part_of(&self, kept: usize) -> usize {
        (kept / self.components).max(1)
    }

    /// How many actors of a component wait, if it has its part of the kept places already; none
    /// of those that it may get count.
    pub(crate) fn waiting_beyond(&self, component: &str) -> usize {
        let part = self.kept().part;
        match self.by_component.get(component) {
            Some(own) if part > 0 && own.taken >= part => own.waiting.len(),
            _ => 0,
        }
    }

    /// The places that actors which always run leave.
    fn left_by_always(&self) -> usize {
        self.max.saturating_sub(self.always.taken)
    }

    pub(crate) fn taken_by(&self, component: &str) -> usize {
        self.by_component.get(component).map_or(0, |own| own.taken)
    }

    pub(crate) fn kept(&self) -> Kept {
        let most = self.left_by_always() / KEPT;
        if most == 0 || self.components < 2 {
            return Kept { places: 0, part: 0 };
        }
        let part = (most / self.components).max(1);
        let places = most.min(part.saturating_mul(self.components));
        Kept { places, part }
    }

    fn vacancy(&self) -> Vacancy {
        let is_any = self.taken < self.max;
        let kept = self.kept();
        let parties = self.by_component.values();
        let within: usize = parties.map(|own| own.taken.min(kept.part)).sum();
        // Where there are more components than kept places, some have their part elsewhere.
        let within = within.min(kept.places);
        let others = self.taken - self.always.taken - within;
        Vacancy {
            always: is_any,
            common: is_any && others < self.left_by_always().saturating_sub(kept.places),
            below: match is_any && within < kept.places {
                true => kept.part,
                false => 0,
            },
        }
    }

    /// Takes a place where there are so many that nobody has to be counted.
    pub(crate) fn take_if_ample(&mut self, claim: &Claim) -> bool {
        let is_ample = self.taken + self.left_by_always() / KEPT < self.max;
        if is_ample {
            self.enter(claim);
        }
        is_ample
    }

    /// Takes a place, if the claim may have one.
    pub(crate) fn take(&mut self, claim: &Claim) -> bool {
        let own = self.taken_by(claim.actor.component());
        let is_free = self.vacancy().is_for(claim, own);
        if is_free {
            self.enter(claim);
        }
        is_free
    }

    pub(crate) fn wait(&mut self, claim: Claim, call: C) {
        self.tickets += 1;
        self.waiting += 1;
        let ticket = self.tickets;
        let party = self.party(&claim);
        party.waiting.push_back(Waiter {
            ticket,
            claim,
            call,
        });
    }

    /// Gives places to those that wait and may have one: to whoever waits for longest first.
    pub(crate) fn call(&mut self, is_gone: impl Fn(&C) -> bool) -> Vec<Waiter<C>> {
        let mut called = Vec::new();
        while let Some(waiter) = self.next() {
            if is_gone(&waiter.call) {
                self.forget(&waiter.claim);
            } else {
                self.enter(&waiter.claim);
                called.push(waiter);
            }
        }
        called
    }

    fn next(&mut self) -> Option<Waiter<C>> {
        if self.waiting == 0 {
            return None;
        }
        let vacancy = self.vacancy();
        let parties = self.by_component.values().chain([&self.always]);
        let heads = parties.filter_map(|party| Some((party.waiting.front()?, party.taken)));
        let (first, _) = heads
            .filter(|(head, taken)| vacancy.is_for(&head.claim, *taken))
            .min_by_key(|(head, _)| head.ticket)?;
        let claim = first.claim.clone();
        self.waiting -= 1;
        self.party(&claim).waiting.pop_front()
    }

    fn enter(&mut self, claim: &Claim) {
        self.taken += 1;
        self.party(claim).taken += 1;
    }

    pub(crate) fn leave(&mut self, claim: &Claim) {
        self.taken -= 1;
        self.party(claim).taken -= 1;
        self.forget(claim);
    }

    /// Keeps nothing of a component that has no actors here.
    fn forget(&mut self, claim: &Claim) {
        let component = claim.actor.component();
        let own = self.by_component.get(component);
        if own.is_some_and(|own| own.taken == 0 && own.waiting.is_empty()) {
            self.by_component.remove(component);
        }
    }

    fn party(&mut self, claim: &Claim) -> &mut Party<C> {
        if claim.always {
            return &mut self.always;
        }
        let component = claim.actor.component();
        self.by_component.entry_ref(component).or_default()
    }
}

#[cfg(test)]
impl<C> Places<C> {
    /// Whether nobody has a place, nor is remembered.
    pub(crate) fn is_empty(&self) -> bool {
        self.taken == 0 && self.by_component.is_empty()
    }
}

impl Vacancy {
    /// Whether there is a place for an actor whose component has so many.
    fn is_for(self, claim: &Claim, taken: usize) -> bool {
        match claim.always {
            true => self.always,
            false => self.common || taken < self.below,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const ALWAYS: usize = 9;

    /// An actor of a component by its number; the last one stands for those that always run.
    fn claim(component: usize) -> Claim {
        Claim {
            actor: ComponentId::new("a", component.to_string(), "x"),
            always: component == ALWAYS,
        }
    }

    fn take(places: &mut Places<usize>, component: usize, times: usize) -> usize {
        (0..times)
            .take_while(|_| places.take(&claim(component)))
            .count()
    }

    fn shared(max: usize, components: usize) -> Places<usize> {
        let mut places = Places::new(max);
        places.components = components;
        places
    }

    #[test]
    fn what_is_a_components_part_nobody_else_takes() {
        for (max, components, first, second) in [
            (64, 2, 60, 4),
            (64, 3, 60, 2),
            (64, 8, 57, 1),
            (64, 100, 57, 1),
            (2_048, 4, 1_856, 64),
            (16, 2, 15, 1),
            // One is kept, for whoever comes first.
            (8, 2, 8, 0),
            // None is kept.
            (64, 1, 64, 0),
            (7, 2, 7, 0),
            (1, 2, 1, 0),
        ] {
            let mut places = shared(max, components);
            let taken = take(&mut places, 0, usize::MAX);
            let others = take(&mut places, 1, usize::MAX);
            assert_eq!((taken, others), (first, second), "{max} {components}");
        }
    }

    #[test]
    fn actors_that_always_run_have_all_places_and_a_part_is_one_of_what_they_leave() {
        let mut places = shared(100, 2);
        assert_eq!(take(&mut places, ALWAYS, 95), 95);
        assert_eq!(take(&mut places, 0, 9), 5, "fewer than eight are left");
        assert_eq!(take(&mut places, ALWAYS, 1), 0);

        let mut places = shared(100, 2);
        assert_eq!(take(&mut places, 0, 100), 94);
        assert_eq!(take(&mut places, ALWAYS, 100), 6);
    }

    #[test]
    fn who_waits_for_longest_comes_first_among_those_that_may() {
        let mut places = shared(16, 2);
        assert_eq!(take(&mut places, 0, 100), 15);
        places.wait(claim(0), 1);
        assert!(places.take(&claim(1)));
        places.wait(claim(1), 2);
        places.wait(claim(0), 3);
        let mut calls = |leaving: usize, gone: usize| {
            places.leave(&claim(leaving));
            let called = places.call(|call| *call == gone);
            called.iter().map(|it| it.call).collect::<Vec<_>>()
        };
        assert_eq!(calls(1, 0), [2], "the part of the second is its own");
        assert_eq!(calls(0, 1), [3], "the first has ceased to wait");
        assert_eq!(calls(0, 0), Vec::<usize>::new());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Ask(usize),
        Leave(usize),
        Components(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let component = || prop_oneof![8 => 0_usize..5, 1 => Just(ALWAYS)];
        let step = prop_oneof![
            8 => component().prop_map(Step::Ask),
            5 => component().prop_map(Step::Leave),
            1 => (5_usize..30).prop_map(Step::Components),
        ];
        proptest::collection::vec(step, 0..200)
    }

    /// The rule as it is told: how many of the common places are taken, and who has a part.
    fn may_enter(live: &BTreeMap<usize, usize>, max: usize, components: usize, who: usize) -> bool {
        let of = |it: usize| live.get(&it).copied().unwrap_or_default();
        if live.values().sum::<usize>() >= max {
            return false;
        }
        let eighth = (max - of(ALWAYS)) / 8;
        let part = match eighth {
            0 => 0,
            _ => (eighth / components).max(1),
        };
        let kept = eighth.min(part * components);
        let (mut within, mut common) = (0, 0);
        for component in 0..ALWAYS {
            let own = of(component).min(part).min(kept - within);
            within += own;
            common += of(component) - own;
        }
        who == ALWAYS
            || (of(who) < part && within < kept)
            || common < (max - of(ALWAYS)).saturating_sub(kept)
    }

    proptest! {
        #[test]
        fn places_are_given_out_as_the_rule_says(max in 1_usize..40, steps in steps()) {
            let mut places = shared(max, 5);
            let mut live: BTreeMap<usize, usize> = BTreeMap::new();
            let mut waiting: Vec<(usize, usize)> = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Ask(who) => {
                        let may = may_enter(&live, max, places.components, who);
                        let was_ample = places.take_if_ample(&claim(who));
                        prop_assert!(may || !was_ample);
                        prop_assert_eq!(was_ample || places.take(&claim(who)), may);
                        if may {
                            *live.entry(who).or_default() += 1;
                        } else {
                            places.wait(claim(who), number);
                            waiting.push((number, who));
                        }
                    }
                    Step::Leave(who) => {
                        let Some(own) = live.get_mut(&who).filter(|own| **own > 0) else {
                            continue;
                        };
                        *own -= 1;
                        places.leave(&claim(who));
                    }
                    Step::Components(components) => places.components = components,
                }
                let called = places.call(|_| false);
                let mut expected = Vec::new();
                while let Some(next) = waiting
                    .iter()
                    .position(|(_, who)| may_enter(&live, max, places.components, *who))
                {
                    let (number, who) = waiting.remove(next);
                    *live.entry(who).or_default() += 1;
                    expected.push(number);
                }
                let called: Vec<usize> = called.iter().map(|it| it.call).collect();
                prop_assert_eq!(called, expected);
                prop_assert_eq!(places.waiting, waiting.len());
                prop_assert_eq!(places.taken, live.values().sum::<usize>());
            }
        }
    }
}
