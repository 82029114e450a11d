//! What a new version of a component changes, and what it asks for beyond the old one.

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::security::capabilities::Capabilities;
use crate::core::security::capability::Capability;
use crate::runtime::inspection::{Inspection, Interface};
use crate::runtime::uses::Use;
use crate::security::pattern::Pattern;

/// How a new version of a component differs from the old one.
///
/// ```
/// use airssys_wasm::runtime::difference::Difference;
/// use airssys_wasm::runtime::inspection::Inspection;
///
/// let old = Inspection::of(&std::fs::read("../guests/bin/modest.wasm")?)?;
/// let new = Inspection::of(&std::fs::read("../guests/bin/modest-v2.wasm")?)?;
/// let difference = Difference::between(&old, &new);
/// assert!(difference.asks_for_more());
/// assert_eq!(difference.needs[0].pattern, "news.>");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The old version.
    pub old: Side,
    /// The new version.
    pub new: Side,
    /// What it says it needs otherwise than the old one, by capability. Nothing if the new
    /// one does not say what it needs.
    pub needs: Vec<NeedChange>,
    /// What its imports could use and those of the old one could not.
    pub may_newly_use: Vec<Use>,
    /// Changes of what it imports.
    pub imports: InterfaceChange,
    /// Changes of what it exports.
    pub exports: InterfaceChange,
}

/// One of the two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The digest of the bytes.
    pub digest: Digest,
    /// The number of bytes.
    pub bytes: u64,
    /// The version of the `handler` interface that it exports.
    pub handler: Option<String>,
    /// Whether it says what it needs.
    pub declares_needs: bool,
}

/// Something that is needed in one of the versions and not, or not so, in the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NeedChange {
    /// The capability.
    pub capability: Capability,
    /// For what, in the version that goes further.
    pub pattern: String,
    /// How it changed.
    #[serde(flatten)]
    pub change: Change,
}

/// How a need changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The new version needs it, and the old one nothing of it.
    Added,
    /// The new version needs it, and the old one only a part of it.
    Widened {
        /// What the old one needs of it.
        from: Vec<String>,
    },
    /// The old version needs it, and the new one only a part of it.
    Narrowed {
        /// What the new one needs of it.
        to: Vec<String>,
    },
    /// The old version needs it, and the new one nothing of it.
    Removed,
}

/// Interfaces, each with the functions of it that only one of the versions has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InterfaceChange {
    /// What only the new version has.
    pub added: Vec<Interface>,
    /// What only the old version has.
    pub removed: Vec<Interface>,
}

impl Difference {
    /// Compares two versions. Takes time by the product of the numbers of their patterns,
    /// of which a component has at most a thousand.
    pub fn between(old: &Inspection, new: &Inspection) -> Self {
        let had = |it: &&Use| old.may_use.iter().any(|o| o.capability == it.capability);
        let newly = new.may_use.iter().filter(|it| !had(it));
        Self {
            old: Side::of(old),
            new: Side::of(new),
            needs: new.needs.as_ref().map_or_else(Vec::new, |needs| {
                changes(&asked(old.needs.as_ref()), &asked(Some(needs)))
            }),
            may_newly_use: newly.cloned().collect(),
            imports: InterfaceChange::between(&old.imports, &new.imports),
            exports: InterfaceChange::between(&old.exports, &new.exports),
        }
    }

    /// Whether the new version says no more what it needs, as the old one did: it may then
    /// do whatever is granted.
    pub fn stops_declaring(&self) -> bool {
        self.old.declares_needs && !self.new.declares_needs
    }

    /// Whether somebody should look at the new version before it runs in place of the old
    /// one: it needs what the old one does not; or says no more what it needs; or does not
    /// say it, and imports what can use capabilities that the old one could not.
    pub fn asks_for_more(&self) -> bool {
        self.needs.iter().any(|it| it.change.is_more())
            || self.stops_declaring()
            || (!self.new.declares_needs && !self.may_newly_use.is_empty())
    }
}

impl Side {
    fn of(inspection: &Inspection) -> Self {
        Self {
            digest: inspection.digest,
            bytes: inspection.bytes,
            handler: inspection.handler.clone(),
            declares_needs: inspection.needs.is_some(),
        }
    }
}

impl Change {
    /// Whether the new version needs something that the old one does not.
    pub fn is_more(&self) -> bool {
        matches!(self, Self::Added | Self::Widened { .. })
    }
}

impl InterfaceChange {
    fn between(old: &[Interface], new: &[Interface]) -> Self {
        Self {
            added: beyond(old, new),
            removed: beyond(new, old),
        }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// What is in `these` and not in `those`.
fn beyond(those: &[Interface], these: &[Interface]) -> Vec<Interface> {
    let mut beyond = Vec::new();
    for interface in these {
        let Some(same) = those.iter().find(|it| it.name == interface.name) else {
            beyond.push(interface.clone());
            continue;
        };
        let mut functions = interface.functions.clone();
        functions.retain(|function| !same.functions.contains(function));
        if !functions.is_empty() {
            beyond.push(Interface {
                name: interface.name.clone(),
                functions,
            });
        }
    }
    beyond
}

/// One thing that a version needs.
struct Asked<'a> {
    capability: Capability,
    text: &'a str,
    /// None of a text that is no pattern, which an [`Inspection`] that was read never has.
    pattern: Option<Pattern>,
}

impl Asked<'_> {
    fn covers(&self, other: &Self) -> bool {
        self.capability == other.capability
            && match (&self.pattern, &other.pattern) {
                (Some(own), Some(other)) => own.covers(other),
                _ => self.text == other.text,
            }
    }
}

fn asked(needs: Option<&Capabilities>) -> Vec<Asked<'_>> {
    let Some(needs) = needs else {
        return Vec::new();
    };
    let each = needs.iter().map(|(capability, text)| Asked {
        capability,
        text,
        pattern: Pattern::parse(capability.form(), text).ok(),
    });
    each.collect()
}

fn changes(old: &[Asked<'_>], new: &[Asked<'_>]) -> Vec<NeedChange> {
    let more = uncovered(new, old, |from| match from.is_empty() {
        true => Change::Added,
        false => Change::Widened { from },
    });
    let less = uncovered(old, new, |to| match to.is_empty() {
        true => Change::Removed,
        false => Change::Narrowed { to },
    });
    let mut changes: Vec<NeedChange> = more.chain(less).collect();
    changes.sort_by_key(|it| it.capability);
    changes
}

/// Those of `these` that none of `those` covers, each as the change that it is by what it
/// covers of them.
fn uncovered<'a>(
    these: &'a [Asked<'a>],
    those: &'a [Asked<'a>],
    change: impl Fn(Vec<String>) -> Change + 'a,
) -> impl Iterator<Item = NeedChange> + 'a {
    let is_new = |this: &&Asked<'_>| !those.iter().any(|that| that.covers(this));
    these.iter().filter(is_new).map(move |this| {
        let covered = those.iter().filter(|that| this.covers(that));
        NeedChange {
            capability: this.capability,
            pattern: this.text.to_owned(),
            change: change(covered.map(|it| it.text.to_owned()).collect()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inspection(needs: Option<Capabilities>) -> Inspection {
        Inspection {
            digest: Digest::of(b""),
            bytes: 0,
            handler: None,
            imports: Vec::new(),
            exports: Vec::new(),
            needs,
            may_use: Vec::new(),
            fault: None,
        }
    }

    fn sends(patterns: &[&str]) -> Option<Capabilities> {
        Some(Capabilities {
            send: patterns.iter().map(|&it| it.into()).collect(),
            ..Capabilities::default()
        })
    }

    fn between(old: Option<Capabilities>, new: Option<Capabilities>) -> Difference {
        Difference::between(&inspection(old), &inspection(new))
    }

    fn texts(patterns: &[&str]) -> Vec<String> {
        patterns.iter().map(|&it| it.into()).collect()
    }

    #[test]
    fn a_need_is_added_widened_narrowed_or_removed() {
        let from = || texts(&["shop/stock", "shop/cart"]);
        for (old, new, pattern, change) in [
            (&["self"][..], &["self", "a/b"][..], "a/b", Change::Added),
            (&["self", "a/b"], &["self"], "a/b", Change::Removed),
            (
                &["shop/stock", "shop/cart"],
                &["shop/*"],
                "shop/*",
                Change::Widened { from: from() },
            ),
            (
                &["shop/*"],
                &["shop/stock", "shop/cart"],
                "shop/*",
                Change::Narrowed { to: from() },
            ),
        ] {
            let difference = between(sends(old), sends(new));
            assert_eq!(
                difference.asks_for_more(),
                change.is_more(),
                "{old:?} {new:?}"
            );
            let expected = NeedChange {
                capability: Capability::Send,
                pattern: pattern.into(),
                change,
            };
            assert_eq!(difference.needs, [expected]);
        }
        let publishes = Some(Capabilities {
            publish: texts(&["shop.stock"]),
            ..Capabilities::default()
        });
        let both = between(sends(&["a/b"]), publishes).needs;
        assert_eq!(both.len(), 2, "{both:?}");
    }

    #[test]
    fn silence_is_more_than_words() {
        let silent = between(sends(&["a/b"]), None);
        assert!(silent.stops_declaring() && silent.asks_for_more());
        assert_eq!(silent.needs, []);
        assert!(!between(None, None).asks_for_more());
        assert!(!between(None, sends(&[])).asks_for_more());
        assert!(between(None, sends(&["a/b"])).asks_for_more());
    }

    #[test]
    fn what_a_silent_one_could_newly_use_counts() {
        let mut new = inspection(None);
        new.may_use.push(Use {
            capability: Capability::Network,
            because: texts(&["wasi:http/outgoing-handler@0.2.3#handle"]),
        });
        assert!(Difference::between(&inspection(None), &new).asks_for_more());
        assert!(!Difference::between(&new, &new).asks_for_more());
        new.needs = sends(&[]);
        let difference = Difference::between(&inspection(sends(&[])), &new);
        assert_eq!(difference.may_newly_use.len(), 1);
        assert!(
            !difference.asks_for_more(),
            "it may not use what it does not ask for"
        );
    }

    #[test]
    fn interfaces_are_compared_by_their_functions() {
        let interface = |name: &str, functions: &[&str]| Interface {
            name: name.into(),
            functions: texts(functions),
        };
        let old = [interface("a", &["x", "y"]), interface("b", &["z"])];
        let new = [interface("a", &["y", "w"]), interface("c", &[])];
        let change = InterfaceChange::between(&old, &new);
        assert_eq!(change.added, [interface("a", &["w"]), interface("c", &[])]);
        assert_eq!(
            change.removed,
            [interface("a", &["x"]), interface("b", &["z"])]
        );
        assert!(InterfaceChange::between(&old, &old).is_empty());
    }

    proptest! {
        /// Whatever was granted for the old version is enough for a new one that does not
        /// ask for more.
        #[test]
        fn no_more_means_that_the_old_grants_do(
            old in proptest::collection::vec("[ab]/[ab*]", 0..4),
            new in proptest::collection::vec("[ab]/[ab*]", 0..4),
        ) {
            let capabilities = |send: &Vec<String>| Capabilities {
                send: send.clone(),
                ..Capabilities::default()
            };
            let (old, new) = (capabilities(&old), capabilities(&new));
            let grants = |it| crate::security::grants::Grants::compile(it).unwrap();
            let missing = grants(&old).missing(&grants(&new), "test/it");
            let difference = between(Some(old), Some(new));
            prop_assert_eq!(difference.asks_for_more(), !missing.is_empty());
        }
    }
}
