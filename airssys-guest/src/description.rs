//! What a component says of itself.

// Layer 3: Internal module imports
use crate::bindings::exports::airssys::actor::metadata;

/// What a component says of itself, for people to read. The host trusts none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The component's name.
    pub name: String,
    /// Its version. The host passes it to [`Actor::migrate`] of a later version.
    ///
    /// [`Actor::migrate`]: crate::Actor::migrate
    pub version: String,
    /// What it does, in one line.
    pub summary: String,
}

impl From<Description> for metadata::Description {
    fn from(description: Description) -> Self {
        Self {
            name: description.name,
            version: description.version,
            summary: description.summary,
        }
    }
}
