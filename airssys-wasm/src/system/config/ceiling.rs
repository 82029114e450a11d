//! The operator's ceiling over what is written down in a manifest.

// Layer 2: Third-party crate imports
use serde_json::Value;

// Layer 3: Internal module imports
use crate::core::limits::{Limit, LimitExceeded};
use crate::system::config::problem::{ConfigError, Part, Problem, Step};

/// Refuses what components ask for above the ceiling, also where they would have as much by
/// default. `manifest` has the defaults under each component.
///
/// # Errors
///
/// With the first limit that is above it.
pub(crate) fn check_ceiling(manifest: &Value) -> Result<(), ConfigError> {
    let ceiling = manifest.pointer("/system/ceiling");
    let components = manifest.get("component").and_then(Value::as_array);
    for (index, component) in components.into_iter().flatten().enumerate() {
        let limits = component.get("limits").and_then(Value::as_object);
        for (name, asked) in limits.into_iter().flatten() {
            let allowed = ceiling.and_then(|ceiling| ceiling.get(name)?.as_u64());
            let (Some(limit), Some(allowed), Some(asked)) =
                (Limit::named(name), allowed, asked.as_u64())
            else {
                continue;
            };
            LimitExceeded::check(limit, allowed, asked).map_err(|exceeded| ConfigError {
                path: vec![
                    Step::Key("component".into()),
                    Step::Item(index),
                    Step::Key("limits".into()),
                    Step::Key(name.clone()),
                ],
                part: Part::Value,
                problem: Problem::AboveCeiling(exceeded),
            })?;
        }
    }
    Ok(())
}
