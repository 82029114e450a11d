//! The resource of a question, as a policy sees it.

// Layer 1: Standard library imports
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

// Layer 2: Third-party crate imports
use cedar_policy::{Entity, EntityUid, RestrictedExpression};

// Layer 3: Internal module imports
use crate::core::component::id::{ComponentId, InvalidId};
use crate::core::security::capability::{Capability, Form};
use crate::security::policy::action::PolicyAction;
use crate::security::policy::schema::Vocabulary;

/// The longest resource that a policy is asked about, in bytes.
pub(crate) const MAX_RESOURCE_BYTES: usize = 4_096;
/// The port of an endpoint whose name is only looked up: no connection leads there.
const LOOKUP_PORT: u16 = 0;
/// The deepest folder that a policy is asked about, in folders above it.
pub(crate) const MAX_FOLDERS: usize = 64;

type Attributes = Vec<(&'static str, RestrictedExpression)>;

/// A resource as Cedar has it. An endpoint whose port is `*` is a name that is looked up, before
/// anybody knows which port is meant. Its port is 0, and who connects is asked about again.
///
/// # Errors
///
/// In words, when the text is none of the action's form. A policy cannot decide about it.
pub(crate) fn describe(
    words: &Vocabulary,
    action: PolicyAction,
    text: &str,
) -> Result<Entity, String> {
    if text.len() > MAX_RESOURCE_BYTES {
        let length = text.len();
        return Err(format!(
            "a resource has at most {MAX_RESOURCE_BYTES} bytes; this one has {length}"
        ));
    }
    match action {
        PolicyAction::Start => entity(words.system(text), Vec::new(), Vec::new()),
        PolicyAction::Use(Capability::Network) => match text.strip_suffix(":*") {
            Some(host) => endpoint(words, &format!("{host}:{LOOKUP_PORT}")),
            None => endpoint(words, text),
        },
        PolicyAction::Use(capability) => of_form(words, capability.form(), text),
    }
}

/// A resource of a form.
///
/// # Errors
///
/// In words, when the text is none.
pub(crate) fn of_form(words: &Vocabulary, form: Form, text: &str) -> Result<Entity, String> {
    match form {
        Form::Actor => actor(words, text),
        Form::Component => peer(words, text),
        Form::Folder => folder(words, text),
        Form::Endpoint => endpoint(words, text),
        Form::Topic | Form::Name => {
            let uid = words.resource(form, text);
            entity(uid, vec![("text", string(text))], Vec::new())
        }
    }
}

fn actor(words: &Vocabulary, text: &str) -> Result<Entity, String> {
    let id: ComponentId = text
        .parse()
        .map_err(|e: InvalidId| format!("{text:?}: {e}"))?;
    let attributes = vec![
        ("namespace", string(id.namespace())),
        ("name", string(id.name())),
        ("instance", string(id.instance())),
    ];
    let parents = [
        words.component(id.component()),
        words.namespace(id.namespace()),
    ];
    entity(words.resource(Form::Actor, text), attributes, parents)
}

fn peer(words: &Vocabulary, text: &str) -> Result<Entity, String> {
    // The rules stand with the address; any good instance completes one.
    let id: ComponentId = format!("{text}/a")
        .parse()
        .map_err(|_| format!("{text:?} is no namespace/name of a component"))?;
    let attributes = vec![
        ("namespace", string(id.namespace())),
        ("name", string(id.name())),
    ];
    let parents = [words.component(text), words.namespace(id.namespace())];
    entity(words.resource(Form::Component, text), attributes, parents)
}

fn folder(words: &Vocabulary, text: &str) -> Result<Entity, String> {
    let names = text.split('/').filter(|name| !name.is_empty());
    let mut above = Vec::new();
    let mut path = String::new();
    if text.starts_with('/') {
        path.push('/');
    }
    for name in names {
        if matches!(name, "." | "..") {
            return Err(format!("{text:?} is no plain path: it has `{name}`"));
        }
        if !path.is_empty() {
            above.push(words.resource(Form::Folder, &path));
        }
        if !path.is_empty() && path != "/" {
            path.push('/');
        }
        path.push_str(name);
    }
    if above.len() > MAX_FOLDERS {
        return Err(format!("a folder is at most {MAX_FOLDERS} folders deep"));
    }
    let attributes = vec![("path", string(&path))];
    entity(words.resource(Form::Folder, &path), attributes, above)
}

fn endpoint(words: &Vocabulary, text: &str) -> Result<Entity, String> {
    let no_endpoint = || format!("{text:?} is no host:port");
    let (host, port) = text.rsplit_once(':').ok_or_else(no_endpoint)?;
    let port: u16 = port.parse().map_err(|_| no_endpoint())?;
    let bracketed = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    // As names are compared: without regard to case, and to the dot of the root.
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let ip: Option<IpAddr> = bracketed.unwrap_or(&host).parse().ok();
    if host.is_empty() || (host.contains(':') && (bracketed.is_none() || ip.is_none())) {
        return Err(no_endpoint());
    }
    // An IPv4 address within an IPv6 one is that machine all the same.
    let ip = ip.map(|ip| ip.to_canonical());
    let host = match ip {
        Some(IpAddr::V6(ip)) => format!("[{ip}]"),
        Some(IpAddr::V4(ip)) => ip.to_string(),
        None => host,
    };
    let mut attributes = vec![
        ("host", string(&host)),
        ("port", RestrictedExpression::new_long(port.into())),
    ];
    if let Some(ip) = ip {
        attributes.push(("ip", RestrictedExpression::new_ip(ip.to_string())));
    }
    let uid = words.resource(Form::Endpoint, &format!("{host}:{port}"));
    entity(uid, attributes, Vec::new())
}

/// An entity of Cedar's.
pub(crate) fn entity(
    uid: EntityUid,
    attributes: Attributes,
    parents: impl IntoIterator<Item = EntityUid>,
) -> Result<Entity, String> {
    let attributes: HashMap<_, _> = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let parents: HashSet<_> = parents.into_iter().collect();
    Entity::new(uid, attributes, parents).map_err(|e| e.to_string())
}

/// A text as Cedar has it.
pub(crate) fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cedar_policy::Entities;

    fn described(capability: Capability, text: &str) -> Result<String, String> {
        let words = Vocabulary::new().unwrap();
        let entity = describe(&words, capability.into(), text)?;
        let uid = entity.uid();
        let checked = Entities::from_entities([entity], Some(&words.schema)).unwrap();
        drop(checked);
        Ok(uid.to_string())
    }

    #[test]
    fn each_form_fits_the_schema() {
        for (capability, text, uid) in [
            (
                Capability::Send,
                "shop/cart/alice",
                "Actor::\"shop/cart/alice\"",
            ),
            (Capability::Directory, "shop/cart", "Peer::\"shop/cart\""),
            (Capability::Publish, "orders.new", "Topic::\"orders.new\""),
            (Capability::Secrets, "key", "Name::\"key\""),
            (Capability::ReadFiles, "/data//a/", "Folder::\"/data/a\""),
            (Capability::ReadFiles, "/", "Folder::\"/\""),
            (Capability::ReadFiles, "data/a", "Folder::\"data/a\""),
            (
                Capability::Network,
                "API.example.com.:443",
                "Endpoint::\"api.example.com:443\"",
            ),
            (
                Capability::Network,
                "10.0.0.7:80",
                "Endpoint::\"10.0.0.7:80\"",
            ),
            (
                Capability::Network,
                "API.example.com:*",
                "Endpoint::\"api.example.com:0\"",
            ),
            (Capability::Network, "[0:0::1]:80", "Endpoint::\"[::1]:80\""),
            (
                Capability::Network,
                "[::ffff:10.0.0.7]:80",
                "Endpoint::\"10.0.0.7:80\"",
            ),
        ] {
            assert_eq!(described(capability, text), Ok(uid.to_owned()));
        }
    }

    #[test]
    fn what_is_of_another_form_is_refused() {
        let deep = "/a".repeat(MAX_FOLDERS + 2);
        let long = "a".repeat(MAX_RESOURCE_BYTES + 1);
        for (capability, text) in [
            (Capability::Send, "shop/cart"),
            (Capability::Send, "shop/../x"),
            (Capability::Send, "ѕhop/cart/main"),
            (Capability::Directory, "shop"),
            (Capability::Directory, "shop/cart/a"),
            (Capability::ReadFiles, "/data/../etc"),
            (Capability::ReadFiles, deep.as_str()),
            (Capability::Network, "example.com"),
            (Capability::Network, "example.com:70000"),
            (Capability::Network, "::1:80"),
            (Capability::Network, "::1:*"),
            (Capability::Network, ":*"),
            (Capability::Network, "*"),
            (Capability::Network, "[x:y]:80"),
            (Capability::Network, ":80"),
            (Capability::Publish, long.as_str()),
        ] {
            assert!(described(capability, text).is_err(), "{text}");
        }
    }
}
