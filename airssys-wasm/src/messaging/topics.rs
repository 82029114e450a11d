//! Who has subscribed to what.

// Layer 1: Standard library imports
use std::collections::{BTreeSet, HashMap};
use std::str::Split;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::messaging::too_many::TooMany;

/// How many subscriptions there may be in total, if nothing else is said.
pub const MAX_SUBSCRIPTIONS: usize = 1_000_000;

/// How many words a pattern may have. It bounds the memory that one subscription takes
/// up, and how deep the tree of patterns grows. NATS gives the same advice.
pub const MAX_PATTERN_WORDS: usize = 16;

const ANY_WORD: &str = "*";
const ANY_REST: &str = ">";

/// The patterns that actors have subscribed to, as a tree of words.
///
/// In a pattern `*` stands for any one word, and `>` at the end for one or more. The
/// table trusts its callers to have
/// [checked](crate::core::component::topic::check_pattern) patterns and topics.
#[derive(Debug)]
pub struct Topics {
    root: Node,
    /// What each actor has subscribed to. No set is empty.
    patterns: HashMap<ComponentId, BTreeSet<Box<str>>>,
    subscriptions: usize,
    max: usize,
}

/// A place in the tree: what follows on the words that lead to it.
///
/// The wildcards are kept as words. No topic has such words, so they match nothing else.
#[derive(Debug, Default)]
struct Node {
    next: HashMap<Box<str>, Node>,
    /// Who has subscribed to the pattern that ends here.
    subscribers: BTreeSet<ComponentId>,
}

impl Default for Topics {
    fn default() -> Self {
        Self::new(MAX_SUBSCRIPTIONS)
    }
}

impl Topics {
    /// An empty table for at most `max` subscriptions.
    pub fn new(max: usize) -> Self {
        Self {
            root: Node::default(),
            patterns: HashMap::new(),
            subscriptions: 0,
            max,
        }
    }

    /// Subscribes an actor to a pattern. False if it was subscribed to it already.
    ///
    /// # Errors
    ///
    /// When the pattern has too many words, or the system has as many subscriptions as it
    /// may.
    pub fn subscribe(&mut self, pattern: &str, actor: &ComponentId) -> Result<bool, TooMany> {
        let theirs = self.patterns.get(actor);
        if theirs.is_some_and(|theirs| theirs.contains(pattern)) {
            return Ok(false);
        }
        self.admit(pattern)?;
        let theirs = self.patterns.entry(actor.clone()).or_default();
        theirs.insert(pattern.into());
        self.subscriptions += 1;
        let end = pattern.split('.').fold(&mut self.root, Node::step);
        end.subscribers.insert(actor.clone());
        Ok(true)
    }

    /// Ends an actor's subscription to a pattern. False if there was none.
    pub fn unsubscribe(&mut self, pattern: &str, actor: &ComponentId) -> bool {
        let Some(theirs) = self.patterns.get_mut(actor) else {
            return false;
        };
        if !theirs.remove(pattern) {
            return false;
        }
        if theirs.is_empty() {
            self.patterns.remove(actor);
        }
        self.subscriptions -= 1;
        self.root.remove(&mut pattern.split('.'), actor);
        true
    }

    /// Ends all subscriptions of an actor, and tells how many there were.
    pub fn forget(&mut self, actor: &ComponentId) -> usize {
        let theirs = self.patterns.remove(actor).unwrap_or_default();
        for pattern in &theirs {
            self.root.remove(&mut pattern.split('.'), actor);
        }
        self.subscriptions -= theirs.len();
        theirs.len()
    }

    /// The actors that a message on `topic` goes to, ordered by address. An actor of which
    /// several patterns match is there once.
    ///
    /// The cost follows the patterns that begin as the topic does, and the subscribers
    /// found. Patterns of other topics cost nothing.
    pub fn matching(&self, topic: &str) -> Vec<ComponentId> {
        let mut found = Vec::new();
        let mut reached = vec![&self.root];
        for word in topic.split('.') {
            for node in &reached {
                found.extend(node.after(ANY_REST).flat_map(|rest| &rest.subscribers));
            }
            reached = reached
                .into_iter()
                .flat_map(|node| node.after(word).chain(node.after(ANY_WORD)))
                .collect();
            if reached.is_empty() {
                break;
            }
        }
        found.extend(reached.into_iter().flat_map(|node| &node.subscribers));
        found.sort_unstable();
        found.dedup();
        found.into_iter().cloned().collect()
    }

    /// The patterns that an actor has subscribed to, in alphabetical order.
    pub fn subscriptions_of(&self, actor: &ComponentId) -> impl Iterator<Item = &str> {
        let theirs = self.patterns.get(actor);
        theirs.into_iter().flatten().map(AsRef::as_ref)
    }

    /// How many patterns an actor has subscribed to; `None` if `pattern` is one of them.
    pub fn len_without(&self, actor: &ComponentId, pattern: &str) -> Option<usize> {
        match self.patterns.get(actor) {
            None => Some(0),
            Some(theirs) => (!theirs.contains(pattern)).then_some(theirs.len()),
        }
    }

    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.subscriptions
    }

    /// Whether there are no subscriptions.
    pub fn is_empty(&self) -> bool {
        self.subscriptions == 0
    }

    fn admit(&self, pattern: &str) -> Result<(), TooMany> {
        if pattern.split('.').nth(MAX_PATTERN_WORDS).is_some() {
            let allowed = MAX_PATTERN_WORDS;
            return Err(TooMany::Words { allowed });
        }
        if self.subscriptions >= self.max {
            return Err(TooMany::InTotal { allowed: self.max });
        }
        Ok(())
    }
}

impl Node {
    /// Goes on by one word, where nobody may have gone before.
    fn step(&mut self, word: &str) -> &mut Self {
        self.next.entry(word.into()).or_default()
    }

    fn after(&self, word: &str) -> impl Iterator<Item = &Self> + use<'_> {
        self.next.get(word).into_iter()
    }

    /// Removes a subscriber, and every place on the way that has become empty. It goes
    /// no deeper than [`MAX_PATTERN_WORDS`].
    fn remove(&mut self, words: &mut Split<'_, char>, actor: &ComponentId) {
        let Some(word) = words.next() else {
            self.subscribers.remove(actor);
            return;
        };
        let Some(next) = self.next.get_mut(word) else {
            return;
        };
        next.remove(words, actor);
        if next.next.is_empty() && next.subscribers.is_empty() {
            self.next.remove(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::topic::{check_pattern, check_topic};
    use proptest::prelude::*;

    const MAX_IN_TOTAL: usize = 10;

    #[derive(Debug, Clone)]
    enum Step {
        Subscribe(String, u8),
        Unsubscribe(String, u8),
        Forget(u8),
    }

    fn pattern() -> impl Strategy<Value = String> {
        "([ab*]\\.){0,3}[ab*>]"
    }

    fn topic() -> impl Strategy<Value = String> {
        "([abc]\\.){0,4}[abc]"
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (pattern(), 0_u8..4).prop_map(|(p, a)| Step::Subscribe(p, a)),
            3 => (pattern(), 0_u8..4).prop_map(|(p, a)| Step::Unsubscribe(p, a)),
            1 => (0_u8..4).prop_map(Step::Forget),
        ]
    }

    fn actor(number: u8) -> ComponentId {
        ComponentId::new("test", "reader", number.to_string())
    }

    fn matches(pattern: &[&str], topic: &[&str]) -> bool {
        match (pattern, topic) {
            ([], []) => true,
            ([">"], [_, ..]) => true,
            (["*", pattern @ ..], [_, topic @ ..]) => matches(pattern, topic),
            ([p, pattern @ ..], [t, topic @ ..]) => p == t && matches(pattern, topic),
            _ => false,
        }
    }

    fn words(text: &str) -> Vec<&str> {
        text.split('.').collect()
    }

    proptest! {
        /// A list of patterns, each tried against the topic, finds the same actors.
        #[test]
        fn behaves_like_a_list_of_patterns(
            steps in prop::collection::vec(step(), 0..60),
            topics in prop::collection::vec(topic(), 1..6),
        ) {
            let mut table = Topics::new(MAX_IN_TOTAL);
            let mut model: BTreeSet<(ComponentId, String)> = BTreeSet::new();
            for step in steps {
                match step {
                    Step::Subscribe(pattern, number) => {
                        let reader = actor(number);
                        let theirs = model.iter().filter(|(a, _)| *a == reader).count();
                        let has_it = model.contains(&(reader.clone(), pattern.clone()));
                        let expected = (!has_it).then_some(theirs);
                        prop_assert_eq!(table.len_without(&reader, &pattern), expected);
                        let entry = (reader.clone(), pattern.clone());
                        let expected = if model.contains(&entry) {
                            Ok(false)
                        } else if model.len() == MAX_IN_TOTAL {
                            Err(TooMany::InTotal { allowed: MAX_IN_TOTAL })
                        } else {
                            Ok(model.insert(entry))
                        };
                        prop_assert_eq!(table.subscribe(&pattern, &reader), expected);
                    }
                    Step::Unsubscribe(pattern, number) => {
                        let expected = model.remove(&(actor(number), pattern.clone()));
                        prop_assert_eq!(table.unsubscribe(&pattern, &actor(number)), expected);
                    }
                    Step::Forget(number) => {
                        let before = model.len();
                        model.retain(|(reader, _)| *reader != actor(number));
                        prop_assert_eq!(table.forget(&actor(number)), before - model.len());
                    }
                }
                prop_assert_eq!(table.len(), model.len());
                for topic in &topics {
                    let expected: BTreeSet<ComponentId> = model
                        .iter()
                        .filter(|(_, pattern)| matches(&words(pattern), &words(topic)))
                        .map(|(reader, _)| reader.clone())
                        .collect();
                    prop_assert_eq!(table.matching(topic), Vec::from_iter(expected));
                }
            }
            for number in 0..4 {
                let expected: Vec<&str> = model
                    .iter()
                    .filter(|(reader, _)| *reader == actor(number))
                    .map(|(_, pattern)| pattern.as_str())
                    .collect();
                let listed: Vec<_> = table.subscriptions_of(&actor(number)).map(str::to_owned).collect();
                prop_assert_eq!(listed, expected);
                table.forget(&actor(number));
            }
            // Nothing is left of what has gone.
            prop_assert!(table.is_empty() && table.patterns.is_empty());
            prop_assert!(table.root.next.is_empty() && table.root.subscribers.is_empty());
        }

        #[test]
        fn the_patterns_and_topics_tried_here_are_well_formed(p in pattern(), t in topic()) {
            prop_assert_eq!(check_pattern(&p), Ok(()));
            prop_assert_eq!(check_topic(&t), Ok(()));
        }
    }

    #[test]
    fn wildcards_are_those_of_nats() {
        for (pattern, topic, expected) in [
            ("orders.eu", "orders.eu", true),
            ("orders.eu", "orders.eu.created", false),
            ("orders.*", "orders.eu", true),
            ("orders.*", "orders", false),
            ("orders.*", "orders.eu.created", false),
            ("*.eu.*", "orders.eu.created", true),
            ("orders.>", "orders.eu", true),
            ("orders.>", "orders.eu.created", true),
            ("orders.>", "orders", false),
            (">", "orders", true),
            ("*.>", "orders", false),
            ("*.>", "orders.eu", true),
        ] {
            let mut table = Topics::default();
            assert_eq!(table.subscribe(pattern, &actor(1)), Ok(true));
            let found = !table.matching(topic).is_empty();
            assert_eq!(found, expected, "{pattern} {topic}");
        }
    }

    #[test]
    fn a_pattern_of_too_many_words_is_refused() {
        let mut table = Topics::default();
        let longest = vec!["a"; MAX_PATTERN_WORDS].join(".");
        assert_eq!(table.subscribe(&longest, &actor(1)), Ok(true));
        let longer = format!("{longest}.a");
        let refused = Err(TooMany::Words {
            allowed: MAX_PATTERN_WORDS,
        });
        assert_eq!(table.subscribe(&longer, &actor(1)), refused);
        assert_eq!(table.matching(&longer), []);
        assert_eq!(table.len(), 1);
    }
}
