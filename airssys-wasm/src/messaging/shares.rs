//! How a room that components fill together is shared.

// Layer 1: Standard library imports
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// What each component has in a room that all of them fill, and who has the most.
///
/// Whoever fills it has to make room first. So nobody can push out those who have less: with
/// `n` components in it, one that has less than an `n`th of what is in it loses nothing.
///
/// Things have numbers, of which the lowest is the oldest. Each operation costs the logarithm
/// of how many there are.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    of: HashMap<String, Share>,
    by_bytes: BTreeSet<Rank>,
    by_number: BTreeSet<Rank>,
}

/// What one component has: never nothing.
#[derive(Debug, Default)]
struct Share {
    numbers: BTreeSet<u64>,
    bytes: u64,
}

/// How much a component has, and its oldest thing, by which it is known. Of those with equally
/// much the one with the oldest is last.
type Rank = (u64, Reverse<u64>);

impl Shares {
    /// A component has one more thing, of this number and size.
    pub(crate) fn add(&mut self, component: &str, number: u64, bytes: u64) {
        self.change(component, |share| {
            share.numbers.insert(number);
            share.bytes += bytes;
        });
    }

    /// A component has this thing no more.
    pub(crate) fn remove(&mut self, component: &str, number: u64, bytes: u64) {
        self.change(component, |share| {
            share.numbers.remove(&number);
            share.bytes -= bytes;
        });
    }

    /// The oldest thing of the component that has the most bytes.
    pub(crate) fn oldest_of_largest(&self) -> Option<u64> {
        oldest_of_last(&self.by_bytes)
    }

    /// The oldest thing of the component that has the most things.
    pub(crate) fn oldest_of_most(&self) -> Option<u64> {
        oldest_of_last(&self.by_number)
    }

    fn change(&mut self, component: &str, change: impl FnOnce(&mut Share)) {
        let mut share = self.of.remove(component).unwrap_or_default();
        if let Some((bytes, number)) = share.ranks() {
            self.by_bytes.remove(&bytes);
            self.by_number.remove(&number);
        }
        change(&mut share);
        if let Some((bytes, number)) = share.ranks() {
            self.by_bytes.insert(bytes);
            self.by_number.insert(number);
            self.of.insert(component.to_owned(), share);
        }
    }
}

impl Share {
    /// Where it is among those that have bytes, and among those that have things.
    fn ranks(&self) -> Option<(Rank, Rank)> {
        let oldest = Reverse(*self.numbers.first()?);
        let number = self.numbers.len() as u64;
        Some(((self.bytes, oldest), (number, oldest)))
    }
}

fn oldest_of_last(ranks: &BTreeSet<Rank>) -> Option<u64> {
    ranks.last().map(|(_, Reverse(oldest))| *oldest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Looks at everything.
    fn naive(things: &[(usize, u64, u64)], amount: impl Fn(u64) -> u64) -> Option<u64> {
        let has = |component: usize| -> (u64, Reverse<u64>) {
            let own = things.iter().filter(|it| it.0 == component);
            let oldest = own.clone().map(|it| it.1).min().unwrap();
            (own.map(|it| amount(it.2)).sum(), Reverse(oldest))
        };
        let most = things.iter().map(|it| has(it.0)).max()?;
        Some(most.1.0)
    }

    proptest! {
        #[test]
        fn it_knows_who_has_the_most(
            steps in prop::collection::vec((0..4_usize, 0..9_u64, any::<prop::sample::Index>(), 0..3_u8), 0..80),
        ) {
            let names = ["a/a", "a/b", "b/a", "b/b"];
            let (mut shares, mut things) = (Shares::default(), Vec::<(usize, u64, u64)>::new());
            for (number, (component, bytes, which, removes)) in (1_u64..).zip(steps) {
                if removes == 0 && !things.is_empty() {
                    let (component, number, bytes) = things.remove(which.index(things.len()));
                    shares.remove(names[component], number, bytes);
                } else {
                    // Some come back to a place among the older ones.
                    let number = if removes == 1 { 1_000 - number } else { 1_000 + number };
                    shares.add(names[component], number, bytes);
                    things.push((component, number, bytes));
                }
                prop_assert_eq!(shares.oldest_of_largest(), naive(&things, |bytes| bytes));
                prop_assert_eq!(shares.oldest_of_most(), naive(&things, |_| 1));
            }
            for (component, number, bytes) in things {
                shares.remove(names[component], number, bytes);
            }
            prop_assert!(shares.of.is_empty());
            prop_assert!(shares.by_bytes.is_empty() && shares.by_number.is_empty());
        }
    }
}
