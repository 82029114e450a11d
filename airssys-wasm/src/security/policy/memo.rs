//! What a policy has decided for one version of a component.

// Layer 1: Standard library imports
use std::hash::{Hash, Hasher};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use hashbrown::DefaultHashBuilder;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, OptionsBuilder, UnitWeighter};

// Layer 3: Internal module imports
use crate::core::security::principal::Principal;
use crate::security::policy::action::PolicyAction;
use crate::security::policy::denied::DeniedByRule;
use crate::security::policy::minute::Minute;
use crate::security::policy::resource::MAX_RESOURCE_BYTES;

/// The most decisions that are remembered of one version of a component.
pub const MAX_MEMOISED: usize = 4_096;

/// What a policy has decided for one version of a component, so that it is not asked again.
///
/// It belongs to that version: a new version begins with an empty one. What was decided by a
/// policy that has been replaced, or in a minute that has passed and by rules that look at
/// the time, is not found any more. Those least used are forgotten beyond [`MAX_MEMOISED`],
/// and resources that are too long for a policy are never remembered, so that it keeps 16 MiB
/// of them at most.
#[derive(Debug)]
pub struct Memo {
    principal: Principal,
    decisions: Cache<Question, Decided, UnitWeighter, DefaultHashBuilder>,
}

/// What was asked. Hashed and compared as [`Asked`].
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    action: PolicyAction,
    resource: Box<str>,
}

/// What is asked now.
struct Asked<'a> {
    action: PolicyAction,
    resource: &'a str,
}

/// What was decided, and how long that counts.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    /// Which policy decided it.
    pub(crate) generation: u64,
    /// The minute that it counts in, if the time plays a part.
    pub(crate) within: Option<Minute>,
    /// Nothing if it is allowed, so that to find that costs no count of references.
    pub(crate) denied: Option<Arc<DeniedByRule>>,
}

impl Memo {
    /// Nothing decided yet for a version of a component.
    pub fn new(principal: Principal) -> Self {
        // One piece: the tables of several would be of different sizes, and small.
        let options = OptionsBuilder::new()
            .estimated_items_capacity(MAX_MEMOISED)
            .weight_capacity(MAX_MEMOISED as u64)
            .build();
        let decisions = match options {
            Ok(options) => Cache::with_options(
                options,
                UnitWeighter,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            Err(_) => Cache::with(
                MAX_MEMOISED,
                MAX_MEMOISED as u64,
                UnitWeighter,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
        };
        Self {
            principal,
            decisions,
        }
    }

    /// Whose decisions these are.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// How many decisions are remembered, those counted that do not count any more.
    pub fn len(&self) -> usize {
        self.decisions.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty()
    }

    /// What the policy of this generation decided, if that counts in this minute.
    #[inline]
    pub(crate) fn find(
        &self,
        generation: u64,
        action: PolicyAction,
        resource: &str,
        now_ms: u64,
    ) -> Option<Decided> {
        if resource.len() > MAX_RESOURCE_BYTES {
            return None;
        }
        let found = self.decisions.get(&Asked { action, resource })?;
        let is_current = found.generation == generation
            && found
                .within
                .is_none_or(|minute| minute == Minute::of(now_ms));
        is_current.then_some(found)
    }

    /// Remembers a decision, but for one about a resource that is too long for any policy:
    /// that is decided at once, and a guest makes up as many of them as it likes.
    pub(crate) fn remember(&self, action: PolicyAction, resource: &str, decided: Decided) {
        if resource.len() > MAX_RESOURCE_BYTES {
            return;
        }
        let resource = resource.into();
        self.decisions
            .insert(Question { action, resource }, decided);
    }
}

impl Hash for Question {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.action, &*self.resource).hash(state);
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.action, self.resource).hash(state);
    }
}

impl Equivalent<Question> for Asked<'_> {
    fn equivalent(&self, question: &Question) -> bool {
        self.action == question.action && *self.resource == *question.resource
    }
}
