//! The names that a policy calls components, actors and other things by.

// Layer 1: Standard library imports
use std::ops::Range;

// Layer 2: Third-party crate imports
use cedar_policy::{EntityUid, PolicySet};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::security::policy::resource::of_form;
use crate::security::policy::rule_set::number_of;
use crate::security::policy::schema::{FORMS, Vocabulary, type_of};

/// Checks that each name of a component, an actor, a folder or an endpoint can be one. Cedar
/// takes any text, and a rule about `Component::"shop"` would never apply.
///
/// `places` are those of the rules in `text`, as Cedar numbers them.
///
/// # Errors
///
/// The place of the first that cannot, and in words why.
pub(crate) fn check_names(
    words: &Vocabulary,
    set: &PolicySet,
    text: &str,
    places: &[Range<usize>],
) -> Result<(), (Range<usize>, String)> {
    for policy in set.policies() {
        let place = number_of(policy.id()).and_then(|number| places.get(number));
        let place = place.cloned().unwrap_or_default();
        for uid in policy.entity_literals() {
            check(words, &uid).map_err(|why| (place_of(&uid, text, place.clone()), why))?;
        }
    }
    Ok(())
}

fn check(words: &Vocabulary, uid: &EntityUid) -> Result<(), String> {
    let (kind, id) = (uid.type_name().to_string(), uid.id().unescaped());
    let address = match kind.as_str() {
        "Component" => Some(format!("{id}/a")),
        "Namespace" => Some(format!("{id}/a/a")),
        _ => None,
    };
    if let Some(address) = address {
        let actor = address.parse::<ComponentId>();
        return actor.map(drop).map_err(|_| match kind.as_str() {
            "Namespace" => format!("{id:?} is no namespace: that is the first part of a name"),
            _ => format!("{id:?} is no component: write namespace/name"),
        });
    }
    let Some(form) = FORMS.into_iter().find(|form| type_of(*form) == kind) else {
        return Ok(());
    };
    let meant = of_form(words, form, id)?.uid();
    if meant != *uid {
        return Err(format!("it is always written {meant}"));
    }
    Ok(())
}

/// Where an entity stands in a rule, or the beginning of the rule.
fn place_of(uid: &EntityUid, text: &str, rule: Range<usize>) -> Range<usize> {
    let quoted = format!("\"{}\"", uid.id().unescaped());
    let within = text.get(rule.clone()).unwrap_or_default();
    match within.find(&quoted) {
        Some(at) => rule.start + at..rule.start + at + quoted.len(),
        None => rule,
    }
}
