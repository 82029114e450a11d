//! What a policy can speak of, as a Cedar schema.

// Layer 1: Standard library imports
use std::collections::HashSet;
use std::fmt::Write;
use std::str::FromStr;

// Layer 2: Third-party crate imports
use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, Schema};

// Layer 3: Internal module imports
use crate::core::security::capability::{Capability, Form};
use crate::security::policy::action::PolicyAction;

/// The entities that do not depend on capabilities, and the context.
const FIXED: &str = "\
// What a policy of airssys speaks of. `airssys policy schema` prints this.

// namespace/name: the first part of a component's name.
entity Namespace;

// Who asks: a component in one of its versions, such as Component::\"shop/cart\".
entity Component in [Namespace] {
  namespace: String,
  name: String,
  // What the version calls itself, or the beginning of its digest.
  version: String,
  // Of its bytes: sha256:...
  digest: String,
  // The name of the trusted key that signed it; absent if none did.
  signer?: String,
};

// The system that a component is started in, by its name.
entity System;

// When, in UTC and to the minute.
type Time = {
  now: datetime,
  // 0 to 23.
  hour: Long,
  // 0 to 59.
  minute: Long,
  // 1, a Monday, to 7, a Sunday.
  weekday: Long,
};
";

/// The group of all uses of capabilities.
const USE: &str = "use";

/// A group's name, what it is for, and what is in it.
type Group = (&'static str, &'static str, fn(Capability) -> bool);

/// Groups of actions within [`USE`].
const GROUPS: [Group; 2] = [
    ("messaging", "What reaches other actors.", is_messaging),
    (
        "outside",
        "What reaches out of the system, through WASI.",
        is_outside,
    ),
];

fn is_messaging(capability: Capability) -> bool {
    matches!(
        capability,
        Capability::Send
            | Capability::Call
            | Capability::Timers
            | Capability::Publish
            | Capability::Subscribe
    )
}

fn is_outside(capability: Capability) -> bool {
    matches!(
        capability,
        Capability::Env | Capability::ReadFiles | Capability::WriteFiles | Capability::Network
    )
}

/// All forms of resources.
pub(crate) const FORMS: [Form; 6] = [
    Form::Actor,
    Form::Component,
    Form::Topic,
    Form::Name,
    Form::Folder,
    Form::Endpoint,
];

/// The type of the resources of a form, and its declaration.
fn declared(form: Form) -> (&'static str, &'static str) {
    match form {
        Form::Actor => (
            "Actor",
            "// An actor, such as Actor::\"shop/stock/main\".\n\
             entity Actor in [Component, Namespace] {\n  \
               namespace: String,\n  name: String,\n  instance: String,\n};\n",
        ),
        Form::Component => (
            "Peer",
            "// A component that another one learns of, such as Peer::\"shop/stock\".\n\
             entity Peer in [Component, Namespace] {\n  \
               namespace: String,\n  name: String,\n};\n",
        ),
        Form::Topic => (
            "Topic",
            "// A topic, such as Topic::\"orders.new\"; for `subscribe`, a pattern of topics.\n\
             entity Topic {\n  text: String,\n};\n",
        ),
        Form::Name => (
            "Name",
            "// A key of the configuration, a secret, a clock or a variable.\n\
             entity Name {\n  text: String,\n};\n",
        ),
        Form::Folder => (
            "Folder",
            "// A folder as the component sees it, within those above it: \
             Folder::\"/data\".\n\
             entity Folder in [Folder] {\n  path: String,\n};\n",
        ),
        Form::Endpoint => (
            "Endpoint",
            "// A host and a port, such as Endpoint::\"api.example.com:443\". The host is in \
             small\n// letters; `ip` is there if it is an address.\n\
             entity Endpoint {\n  host: String,\n  port: Long,\n  ip?: ipaddr,\n};\n",
        ),
    }
}

/// The schema as text, in Cedar's own language for schemas.
///
/// It is made from [`Capability::ALL`] and the [forms](Form) of the capabilities, and a
/// policy is checked against it.
pub fn schema_text() -> String {
    let mut text = String::from(FIXED);
    for form in FORMS {
        text.push('\n');
        text.push_str(declared(form).1);
    }
    let _ = write!(text, "\n// Every use of a capability.\naction {USE};\n");
    for (group, why, _) in GROUPS {
        let _ = write!(text, "// {why}\naction {group} in [{USE}];\n");
    }
    for action in PolicyAction::all() {
        let (groups, resource) = match action {
            PolicyAction::Use(capability) => (groups_of(capability), type_of(capability.form())),
            PolicyAction::Start => (String::new(), "System"),
        };
        if action == PolicyAction::Start {
            text.push_str(
                "\n// A version of a component begins to run, or is put in another's place.",
            );
        }
        let _ = write!(
            text,
            "\naction {action}{groups} appliesTo {{\n  \
               principal: Component,\n  resource: {resource},\n  context: Time,\n}};\n"
        );
    }
    text
}

/// The type of the resources of a form.
pub(crate) fn type_of(form: Form) -> &'static str {
    declared(form).0
}

/// ` in […]`, with the innermost groups that a capability is in.
fn groups_of(capability: Capability) -> String {
    let within = GROUPS.iter().filter(|(_, _, has)| has(capability));
    let names: Vec<&str> = within.map(|(name, _, _)| *name).collect();
    match names.as_slice() {
        [] => format!(" in [{USE}]"),
        names => format!(" in [{}]", names.join(", ")),
    }
}

/// The schema and the names of its types, read once for each policy.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    pub(crate) schema: Schema,
    component: EntityTypeName,
    namespace: EntityTypeName,
    system: EntityTypeName,
    action: EntityTypeName,
    /// In the order of [`FORMS`].
    forms: Vec<EntityTypeName>,
}

impl Vocabulary {
    /// Reads the schema.
    ///
    /// # Errors
    ///
    /// When this release has written one that cannot be read, which its tests exclude.
    pub(crate) fn new() -> Result<Self, String> {
        let name =
            |name: &str| EntityTypeName::from_str(name).map_err(|e: ParseErrors| e.to_string());
        let (schema, _warnings) =
            Schema::from_cedarschema_str(&schema_text()).map_err(|e| e.to_string())?;
        let forms: Result<_, String> = FORMS.iter().map(|form| name(type_of(*form))).collect();
        Ok(Self {
            schema,
            component: name("Component")?,
            namespace: name("Namespace")?,
            system: name("System")?,
            action: name("Action")?,
            forms: forms?,
        })
    }

    pub(crate) fn component(&self, text: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.component.clone(), EntityId::new(text))
    }

    pub(crate) fn namespace(&self, text: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.namespace.clone(), EntityId::new(text))
    }

    pub(crate) fn system(&self, text: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.system.clone(), EntityId::new(text))
    }

    pub(crate) fn action(&self, action: PolicyAction) -> EntityUid {
        self.action_uid(action.name())
    }

    /// An action with the groups that it is in.
    pub(crate) fn action_in_groups(&self, action: PolicyAction) -> Entity {
        let mut groups = HashSet::new();
        if let PolicyAction::Use(capability) = action {
            let within = GROUPS.iter().filter(|(_, _, has)| has(capability));
            groups.extend(within.map(|(name, _, _)| self.action_uid(name)));
            groups.insert(self.action_uid(USE));
        }
        Entity::new_no_attrs(self.action(action), groups)
    }

    fn action_uid(&self, name: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.action.clone(), EntityId::new(name))
    }

    /// A resource of a form.
    pub(crate) fn resource(&self, form: Form, text: &str) -> EntityUid {
        let name = self.forms[form as usize].clone();
        EntityUid::from_type_name_and_id(name, EntityId::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cedar_reads_it_without_a_warning() {
        let text = schema_text();
        let (_, warnings) = Schema::from_cedarschema_str(&text).unwrap();
        let warnings: Vec<String> = warnings.map(|it| it.to_string()).collect();
        assert!(warnings.is_empty(), "{warnings:?}\n{text}");
    }

    #[test]
    fn every_action_is_there_with_its_resource() {
        let words = Vocabulary::new().unwrap();
        let entities = words.schema.action_entities().unwrap();
        let uses = EntityUid::from_type_name_and_id(words.action.clone(), EntityId::new(USE));
        for action in PolicyAction::all() {
            let uid = words.action(action);
            let resources = words.schema.resources_for_action(&uid).unwrap();
            let resources: Vec<String> = resources.map(ToString::to_string).collect();
            match action {
                PolicyAction::Use(capability) => {
                    assert_eq!(resources, [type_of(capability.form())]);
                    assert!(entities.is_ancestor_of(&uses, &uid), "{action}");
                    let above: HashSet<_> = entities.ancestors(&uid).unwrap().cloned().collect();
                    let given = words.action_in_groups(action).into_inner().2;
                    assert_eq!(given, above, "{action}");
                }
                PolicyAction::Start => {
                    assert_eq!(resources, ["System"]);
                    assert!(!entities.is_ancestor_of(&uses, &uid));
                }
            }
        }
    }

    #[test]
    fn forms_stand_at_their_places() {
        for (index, form) in FORMS.into_iter().enumerate() {
            assert_eq!(form as usize, index);
        }
        for capability in Capability::ALL {
            assert!(FORMS.contains(&capability.form()));
        }
    }

    #[test]
    fn no_group_bears_the_name_of_an_action() {
        for group in GROUPS.iter().map(|it| it.0).chain([USE]) {
            assert!(group.parse::<PolicyAction>().is_err(), "{group}");
        }
    }
}
