//! What `[defaults]` says, put under each component of a manifest.

// Layer 2: Third-party crate imports
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Puts what `[defaults]` says under each component, which wins key by key.
pub(crate) fn merge_defaults(manifest: &mut DeTable<'_>) {
    let defaults = manifest
        .get("defaults")
        .and_then(|defaults| defaults.get_ref().as_table());
    let Some(defaults) = defaults.cloned() else {
        return;
    };
    let Some(DeValue::Array(components)) = manifest.get_mut("component").map(Spanned::get_mut)
    else {
        return;
    };
    for component in components.iter_mut() {
        if let DeValue::Table(component) = component.get_mut() {
            merge(component, &defaults);
        }
    }
}

/// Adds to `table` what only `defaults` has, also inside tables that both have.
fn merge<'a>(table: &mut DeTable<'a>, defaults: &DeTable<'a>) {
    for (key, default) in defaults.iter() {
        match table.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut) {
            None => {
                table.insert(key.clone(), default.clone());
            }
            Some(DeValue::Table(own)) => {
                if let DeValue::Table(default) = default.get_ref() {
                    merge(own, default);
                }
            }
            Some(_) => {}
        }
    }
}
