//! What was granted to a component, compiled so that a check costs nanoseconds.

// Layer 2: Third-party crate imports
use globset::{Error as GlobError, GlobSet, GlobSetBuilder};
use hashbrown::HashSet;
use serde::Serialize;
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::security::capabilities::{Capabilities, MAX_PATTERNS};
use crate::core::security::capability::{Capability, Form};
use crate::security::pattern::{InvalidPattern, Pattern};

/// Capabilities whose patterns are compiled.
///
/// ```
/// use airssys_wasm::core::component::id::ComponentId;
/// use airssys_wasm::core::security::capabilities::Capabilities;
/// use airssys_wasm::core::security::capability::Capability;
/// use airssys_wasm::security::grants::Grants;
///
/// let grants = Grants::compile(&Capabilities {
///     send: vec!["shop/stock".into(), "self".into()],
///     ..Capabilities::default()
/// })?;
/// let alice = ComponentId::new("shop", "cart", "alice");
/// assert!(grants.allow(&alice, Capability::Send, "shop/stock/main"));
/// assert!(grants.allow(&alice, Capability::Send, "shop/cart/alice"));
/// assert!(!grants.allow(&alice, Capability::Send, "shop/cart/bob"));
/// # Ok::<(), airssys_wasm::security::grants::InvalidGrant>(())
/// ```
#[derive(Debug, Default)]
pub struct Grants {
    rules: [Rules; Capability::ALL.len()],
}

/// The patterns of one capability, those first that are found without trying each.
#[derive(Debug, Default)]
struct Rules {
    all: Vec<Pattern>,
    has_any: bool,
    has_own: bool,
    literals: HashSet<String>,
    components: HashSet<String>,
    globs: GlobSet,
    others: Vec<Pattern>,
}

/// A pattern that is none, and of which capability.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidGrant {
    /// A text is no pattern of the capability's form.
    #[error("`{capability}`: {source}")]
    Pattern {
        /// The capability.
        capability: Capability,
        /// Which of its patterns, from 0.
        index: usize,
        /// What is wrong with it.
        source: InvalidPattern,
    },
    /// The patterns of a capability are too large together.
    #[error("`{capability}`: {source}")]
    Globs {
        /// The capability.
        capability: Capability,
        /// Why.
        source: GlobError,
    },
    /// A capability has more patterns than one may have.
    #[error("`{0}` has more than {MAX_PATTERNS} patterns")]
    TooMany(Capability),
}

/// Something that a component needs and was not granted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Missing {
    /// The capability.
    pub capability: Capability,
    /// For what.
    pub pattern: String,
}

impl Grants {
    /// Compiles patterns.
    ///
    /// # Errors
    ///
    /// With the first that is none.
    pub fn compile(capabilities: &Capabilities) -> Result<Self, InvalidGrant> {
        let mut grants = Self::default();
        for capability in Capability::ALL {
            let patterns = capabilities.of(capability);
            if patterns.len() > MAX_PATTERNS {
                return Err(InvalidGrant::TooMany(capability));
            }
            let rules = &mut grants.rules[capability as usize];
            for (index, text) in patterns.iter().enumerate() {
                let pattern = Self::compile_one(capability, index, text)?;
                rules.add(capability.form(), pattern);
            }
            rules
                .compile_globs()
                .map_err(|source| InvalidGrant::Globs { capability, source })?;
        }
        Ok(grants)
    }

    /// Compiles one pattern, which stands at this place.
    pub(crate) fn compile_one(
        capability: Capability,
        index: usize,
        text: &str,
    ) -> Result<Pattern, InvalidGrant> {
        let pattern = Pattern::parse(capability.form(), text);
        pattern.map_err(|source| InvalidGrant::Pattern {
            capability,
            index,
            source,
        })
    }

    /// Whether an actor may use a capability for a resource, which has the capability's form.
    #[inline]
    pub fn allow(&self, actor: &ComponentId, capability: Capability, resource: &str) -> bool {
        let rules = &self.rules[capability as usize];
        (rules.has_own && actor.as_str() == resource) || self.allow_name(capability, resource)
    }

    /// The same for a resource that is no actor.
    #[inline]
    pub fn allow_name(&self, capability: Capability, resource: &str) -> bool {
        let rules = &self.rules[capability as usize];
        rules.has_any
            || rules.has_literal(resource)
            || rules.has_component(resource)
            || (!rules.globs.is_empty() && rules.globs.is_match(resource))
            || rules.others.iter().any(|other| other.matches(resource))
    }

    /// Whether a capability is granted for everything.
    pub fn allow_any(&self, capability: Capability) -> bool {
        self.rules[capability as usize].has_any
    }

    /// Whether all that a pattern means is granted.
    pub fn cover(&self, capability: Capability, pattern: &Pattern) -> bool {
        let rules = &self.rules[capability as usize];
        rules.all.iter().any(|granted| granted.covers(pattern))
    }

    /// What of the `needs` of a component, `namespace/name`, is not granted. Who may do
    /// something for all actors of the component may do it for the actor itself.
    pub fn missing(&self, needs: &Self, component: &str) -> Vec<Missing> {
        let everyone = Pattern::parse(Form::Actor, component).ok();
        let covers_own = |capability, pattern: &Pattern| {
            let everyone = everyone.as_ref().filter(|_| pattern.is_own());
            everyone.is_some_and(|everyone| self.cover(capability, everyone))
        };
        let mut missing = Vec::new();
        for capability in Capability::ALL {
            let needed = &needs.rules[capability as usize].all;
            let lacks = |pattern: &&Pattern| {
                !self.cover(capability, pattern) && !covers_own(capability, pattern)
            };
            missing.extend(needed.iter().filter(lacks).map(|pattern| Missing {
                capability,
                pattern: pattern.as_str().to_owned(),
            }));
        }
        missing
    }
}

impl Rules {
    fn add(&mut self, form: Form, pattern: Pattern) {
        self.has_any |= pattern.is_any();
        self.has_own |= pattern.is_own();
        if let Some(literal) = pattern.as_literal() {
            self.literals.insert(literal.to_owned());
        } else if let Some(component) = pattern.as_component().filter(|_| form == Form::Actor) {
            self.components.insert(component.to_owned());
        } else if !pattern.is_any() && !pattern.is_own() && pattern.as_glob().is_none() {
            self.others.push(pattern.clone());
        }
        self.all.push(pattern);
    }

    /// Puts the globs that are left together, so that all are tried at once.
    fn compile_globs(&mut self) -> Result<(), GlobError> {
        let is_looked_up = |pattern: &&Pattern| {
            pattern.as_literal().is_some()
                || pattern
                    .as_component()
                    .is_some_and(|component| self.components.contains(component))
        };
        let left = self.all.iter().filter(|it| !is_looked_up(it));
        let mut globs = GlobSetBuilder::new();
        for glob in left.filter_map(Pattern::as_glob) {
            globs.add(glob.clone());
        }
        self.globs = globs.build()?;
        Ok(())
    }

    #[inline]
    fn has_literal(&self, resource: &str) -> bool {
        !self.literals.is_empty() && self.literals.contains(resource)
    }

    #[inline]
    fn has_component(&self, resource: &str) -> bool {
        !self.components.is_empty()
            && resource
                .rsplit_once('/')
                .is_some_and(|(component, _)| self.components.contains(component))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sends(patterns: &[&str]) -> Capabilities {
        Capabilities {
            send: patterns.iter().map(|&pattern| pattern.into()).collect(),
            ..Capabilities::default()
        }
    }

    fn alice() -> ComponentId {
        ComponentId::new("shop", "cart", "alice")
    }

    #[test]
    fn nothing_is_granted_by_itself() {
        let grants = Grants::default();
        for capability in Capability::ALL {
            assert!(!grants.allow(&alice(), capability, alice().as_str()));
        }
    }

    #[test]
    fn one_capability_is_not_another() {
        let grants = Grants::compile(&sends(&["*"])).unwrap();
        assert!(grants.allow(&alice(), Capability::Send, "a/b/c"));
        assert!(!grants.allow(&alice(), Capability::Call, "a/b/c"));
    }

    #[test]
    fn what_is_missing_is_listed() {
        let grants = Grants::compile(&sends(&["shop/stock", "self"])).unwrap();
        let needs = Capabilities {
            publish: vec!["orders.new".into()],
            ..sends(&["shop/stock/main", "self", "shop/*"])
        };
        let missing = grants.missing(&Grants::compile(&needs).unwrap(), "shop/cart");
        let listed: Vec<_> = missing
            .iter()
            .map(|it| (it.capability, it.pattern.as_str()))
            .collect();
        assert_eq!(
            listed,
            [
                (Capability::Send, "shop/*"),
                (Capability::Publish, "orders.new")
            ]
        );
    }

    #[test]
    fn all_actors_of_a_component_are_the_actor_itself_too() {
        let needs = Grants::compile(&sends(&["self"])).unwrap();
        for (granted, is_met) in [("shop/cart", true), ("shop/*", true), ("shop/desk", false)] {
            let grants = Grants::compile(&sends(&[granted])).unwrap();
            assert_eq!(
                grants.missing(&needs, "shop/cart").is_empty(),
                is_met,
                "{granted}"
            );
        }
    }

    #[test]
    fn a_bad_pattern_is_named() {
        let error = Grants::compile(&sends(&["shop/cart", "shop"])).unwrap_err();
        let InvalidGrant::Pattern {
            capability, index, ..
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!((*capability, *index), (Capability::Send, 1));
        let many = vec!["*"; MAX_PATTERNS + 1];
        assert!(Grants::compile(&sends(&many)).is_err());
    }

    proptest! {
        /// However patterns are sorted to be found quickly, together they mean what each
        /// means.
        #[test]
        fn they_mean_what_each_means(
            patterns in proptest::collection::vec(
                prop_oneof!["[ab]/[ab]", "[ab]/[ab]/[ab]", "[ab]/\\*", "[ab]/\\*/[ab]", "\\*", "self"],
                0..5,
            ),
            resource in "[ab]/[ab]/[ab]",
        ) {
            let texts: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let actor: ComponentId = "a/b/a".parse().unwrap();
            let grants = Grants::compile(&sends(&texts)).unwrap();
            let expected = texts.iter().any(|text| {
                let pattern = Pattern::parse(Form::Actor, text).unwrap();
                pattern.matches(&resource) || (*text == "self" && resource == actor.as_str())
            });
            prop_assert_eq!(grants.allow(&actor, Capability::Send, &resource), expected);
        }
    }
}
