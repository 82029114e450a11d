//! What a grant is for: patterns of actors, topics, names, folders and endpoints.

// Layer 1: Standard library imports
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

// Layer 2: Third-party crate imports
use globset::Glob;
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::topic::check_pattern;
use crate::core::security::address::is_public;
use crate::core::security::capability::Form;
use crate::security::wildcard::{Separator, Wildcard};

/// The most bytes of a pattern.
pub const MAX_PATTERN_BYTES: usize = 512;

/// The word for the actor itself.
const OWN: &str = "self";

/// A pattern of the resources of a capability, in the form that the capability has.
///
/// ```
/// use airssys_wasm::core::security::capability::Form;
/// use airssys_wasm::security::pattern::Pattern;
///
/// let carts = Pattern::parse(Form::Actor, "shop/cart")?;
/// assert!(carts.matches("shop/cart/alice"));
/// assert!(!carts.matches("shop/stock/main"));
/// assert!(Pattern::parse(Form::Actor, "shop/*")?.covers(&carts));
/// # Ok::<(), airssys_wasm::security::pattern::InvalidPattern>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Everything that there is of the form.
    Any,
    /// The actor that asks.
    Own,
    /// Texts in which `*` stands for any characters, but for `/` where that separates.
    Glob(Wildcard),
    /// A topic with wildcards.
    Topic,
    /// A folder and everything below it.
    Folder,
    /// A host, and a port or all of them.
    Endpoint { host: Wildcard, port: Option<u16> },
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is no pattern of {expected}: {why}")]
pub struct InvalidPattern {
    text: String,
    expected: &'static str,
    why: String,
}

impl Pattern {
    /// Reads a pattern of this form.
    ///
    /// # Errors
    ///
    /// When it is empty, longer than [`MAX_PATTERN_BYTES`], or has what no resource of the
    /// form can have.
    pub fn parse(form: Form, text: &str) -> Result<Self, InvalidPattern> {
        let kind = match text.len() {
            0 => Err("it is empty".to_owned()),
            1..=MAX_PATTERN_BYTES => parse_kind(form, text),
            _ => Err(format!("it is longer than {MAX_PATTERN_BYTES} bytes")),
        };
        kind.map(|kind| Self {
            text: text.to_owned(),
            kind,
        })
        .map_err(|why| InvalidPattern {
            text: text.chars().take(80).collect(),
            expected: expected(form),
            why,
        })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a resource of the pattern's form is meant. `self` means none: who asks is
    /// not known here.
    ///
    /// A topic may have wildcards itself, and is meant if all that it matches is. An
    /// endpoint whose port is `*` is meant if any port of it is.
    pub fn matches(&self, resource: &str) -> bool {
        match &self.kind {
            Kind::Any => true,
            Kind::Own => false,
            Kind::Glob(glob) => glob.matches(resource),
            Kind::Topic => covers_topic(&self.text, resource),
            Kind::Folder => is_below(&self.text, resource),
            Kind::Endpoint { host, port } => {
                let Some((asked, asked_port)) = resource.rsplit_once(':') else {
                    return false;
                };
                let is_meant = |port: &u16| asked_port == "*" || asked_port.parse() == Ok(*port);
                let is_right_kind = match is_address(host.as_str()) {
                    true => is_one_address(asked),
                    false => !leads_inside(asked),
                };
                port.as_ref().is_none_or(is_meant) && is_right_kind && host.matches(asked)
            }
        }
    }

    /// Whether all that `other`, a pattern of the same form, means is meant by this one too.
    /// It may say no where it is not sure.
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Any, _) | (Kind::Own, Kind::Own) => true,
            (Kind::Own, _) | (_, Kind::Any | Kind::Own) => false,
            (Kind::Glob(wide), Kind::Glob(narrow)) => wide.covers(narrow),
            (
                Kind::Endpoint { host, port },
                Kind::Endpoint {
                    host: other,
                    port: other_port,
                },
            ) => {
                let is_right_kind = match is_address(host.as_str()) {
                    true => is_address(other.as_str()),
                    false => !leads_inside(other.as_str()),
                };
                (port.is_none() || port == other_port) && is_right_kind && host.covers(other)
            }
            (Kind::Topic, Kind::Topic) => covers_topic(&self.text, &other.text),
            (Kind::Folder, Kind::Folder) => is_below(&self.text, &other.text),
            _ => false,
        }
    }

    /// Whether `granted`, a pattern of the same form, is taken back when this is: if it is
    /// covered, or if this is of every host, `*:443` or `*:*`, and the port is covered. Who
    /// grants every host grants no address of a private network; who takes it back leaves none.
    pub(crate) fn revokes(&self, granted: &Self) -> bool {
        let is_of_every_host = match (&self.kind, &granted.kind) {
            (
                Kind::Endpoint { host, port },
                Kind::Endpoint {
                    port: granted_port, ..
                },
            ) => host.as_str() == "*" && (port.is_none() || port == granted_port),
            _ => false,
        };
        is_of_every_host || self.covers(granted)
    }

    /// Whether it means everything.
    pub(crate) fn is_any(&self) -> bool {
        matches!(self.kind, Kind::Any)
    }

    /// Whether it means the actor that asks.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.kind, Kind::Own)
    }

    /// The one resource that it means, if it is one that can be looked up.
    pub(crate) fn as_literal(&self) -> Option<&str> {
        match &self.kind {
            Kind::Glob(glob) if glob.as_glob().is_none() => Some(glob.as_str()),
            Kind::Topic if !self.text.contains(['*', '>']) => Some(&self.text),
            _ => None,
        }
    }

    /// The glob that it is, if it is one that has to be tried.
    pub(crate) fn as_glob(&self) -> Option<&Glob> {
        match &self.kind {
            Kind::Glob(glob) => glob.as_glob(),
            _ => None,
        }
    }

    /// The component all of whose actors it means, if it is of that kind.
    pub(crate) fn as_component(&self) -> Option<&str> {
        match &self.kind {
            Kind::Glob(glob) => glob
                .as_str()
                .strip_suffix("/*")
                .filter(|component| component.contains('/') && !component.contains('*')),
            _ => None,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What stands behind "is no pattern of".
fn expected(form: Form) -> &'static str {
    match form {
        Form::Actor => "actors, such as shop/cart/alice, shop/cart, shop/*, * or self",
        Form::Component => "components, such as shop/cart, shop/* or *",
        Form::Topic => "topics, such as orders.eu.created, orders.* or orders.>",
        Form::Name => "names, such as api-key, api-* or *",
        Form::Folder => "folders, such as /data",
        Form::Endpoint => {
            "hosts and ports, such as api.example.com:443, *.example.com:443 or 10.0.0.7:*"
        }
    }
}

fn parse_kind(form: Form, text: &str) -> Result<Kind, String> {
    match form {
        Form::Topic => check_pattern(text)
            .map(|()| if text == ">" { Kind::Any } else { Kind::Topic })
            .map_err(|error| error.to_string()),
        Form::Folder => parse_folder(text),
        Form::Endpoint => parse_endpoint(text),
        Form::Actor | Form::Component | Form::Name if text == "*" => Ok(Kind::Any),
        Form::Actor if text == OWN => Ok(Kind::Own),
        Form::Actor => parse_address(text, 3),
        Form::Component => parse_address(text, 2),
        Form::Name if text.chars().any(char::is_control) => Err("it has control characters".into()),
        Form::Name => Wildcard::new(text.to_owned(), Separator::None).map(Kind::Glob),
    }
}

/// Reads parts joined by `/`; those that are left out at the end stand for all.
fn parse_address(text: &str, parts: usize) -> Result<Kind, String> {
    let given: Vec<&str> = text.split('/').collect();
    if given.len() < 2 || given.len() > parts {
        return Err(match given.len() {
            1 => format!("for all of a namespace write {text}/*"),
            found => format!("it has {found} parts, and {parts} are the most"),
        });
    }
    for part in &given {
        check_part(part)?;
    }
    let mut whole = text.to_owned();
    for _ in given.len()..parts {
        whole.push_str("/*");
    }
    Wildcard::new(whole, Separator::Slash).map(Kind::Glob)
}

fn check_part(part: &str) -> Result<(), String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.~*".contains(c);
    if part.is_empty() || part == "." || part == ".." {
        return Err("each part is a name, and neither empty nor made of dots".into());
    }
    match part.chars().find(|c| !is_allowed(*c)) {
        Some(wrong) => Err(format!(
            "names are made of a-z A-Z 0-9 - _ . ~ and `*`, and not of {wrong:?}"
        )),
        None => Ok(()),
    }
}

fn parse_folder(text: &str) -> Result<Kind, String> {
    if text == "/" {
        return Ok(Kind::Any);
    }
    let Some(parts) = text.strip_prefix('/') else {
        return Err("it begins with a slash".into());
    };
    let is_bad = |part: &str| part.is_empty() || part == "." || part == "..";
    if parts.split('/').any(is_bad) || text.chars().any(char::is_control) {
        return Err("it is a path without `.`, `..`, empty parts or control characters".into());
    }
    Ok(Kind::Folder)
}

fn parse_endpoint(text: &str) -> Result<Kind, String> {
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err("a colon and a port, or `*` for all ports, come last".into());
    };
    let port = match port {
        "*" => None,
        port => match port.parse() {
            Ok(0) | Err(_) => return Err(format!("{port:?} is no port from 1 to 65535")),
            Ok(port) => Some(port),
        },
    };
    let host = Wildcard::new(canonical_host(host)?, Separator::None)?;
    Ok(Kind::Endpoint { host, port })
}

/// A host as it is compared: a name in small letters without a dot at its end, or an
/// address in its shortest form, in brackets if it is one of version 6.
fn canonical_host(host: &str) -> Result<String, String> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match (bare.unwrap_or(host).parse(), bare) {
        (Ok(IpAddr::V6(address)), Some(_)) => return Ok(format!("[{address}]")),
        (Ok(IpAddr::V4(address)), None) => return Ok(address.to_string()),
        (Ok(IpAddr::V6(_)), None) => return Err("an IPv6 address stands in brackets".into()),
        (_, Some(_)) => return Err("there is no IPv6 address in the brackets".into()),
        (Err(_), None) => {}
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.*".contains(c);
    match host.chars().find(|c| !is_allowed(*c)) {
        Some(wrong) => Err(format!("a host is not made of {wrong:?}")),
        None if host.is_empty() => Err("the host is missing".into()),
        None => Ok(host),
    }
}

/// Whether a host is one address, as it is written where it is asked for.
fn is_one_address(host: &str) -> bool {
    match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(bare) => bare.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<Ipv4Addr>().is_ok(),
    }
}

/// Whether a host is written as an address, or as several: `10.0.0.*`. A `*` of it stands for
/// more than digits, so that what it is compared with has to be an address as well.
fn is_address(host: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_digit() || b".*".contains(&b);
    host.starts_with('[') || (host.bytes().all(is_part) && host.bytes().any(|b| b.is_ascii_digit()))
}

/// Whether a host is an address of this machine or a private network, or may be one. Such
/// addresses are meant by those patterns alone that are written as addresses: who grants
/// `*:443` means the internet.
fn leads_inside(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .map_or_else(|_| is_address(host), |address| !is_public(address))
}

/// Whether all topics that `asked` means, which may have wildcards itself, are meant by
/// `granted`.
fn covers_topic(granted: &str, asked: &str) -> bool {
    let (mut granted, mut asked) = (granted.split('.'), asked.split('.'));
    loop {
        match (granted.next(), asked.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (_, Some(">")) | (None, _) | (_, None) => return false,
            (Some("*"), Some(_)) => {}
            (Some(granted), Some(asked)) if granted == asked => {}
            _ => return false,
        }
    }
}

/// Whether a path is that of a folder, or below it.
fn is_below(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(form: Form, text: &str) -> Pattern {
        Pattern::parse(form, text).unwrap()
    }

    #[test]
    fn a_pattern_means_what_its_form_says() {
        for (form, text, meant, not_meant) in [
            (Form::Actor, "*", "a/b/c", ""),
            (Form::Actor, "shop/*", "shop/cart/alice", "shoe/cart/alice"),
            (
                Form::Actor,
                "shop/cart",
                "shop/cart/alice",
                "shop/carts/alice",
            ),
            (
                Form::Actor,
                "shop/cart/a*",
                "shop/cart/alice",
                "shop/cart/bob",
            ),
            (
                Form::Actor,
                "shop/*/main",
                "shop/stock/main",
                "shop/stock/x",
            ),
            (Form::Component, "shop/*", "shop/cart", "pay/cart"),
            (Form::Component, "shop/cart", "shop/cart", "shop/cart2"),
            (Form::Topic, "orders.*", "orders.new", "orders.new.eu"),
            (Form::Topic, "orders.>", "orders.new.eu", "orders"),
            (Form::Topic, "orders.>", "orders.*.eu", ">"),
            (Form::Topic, "orders.*", "orders.*", "orders.>"),
            (Form::Name, "api-*", "api-key", "key"),
            (Form::Name, "a[b]?", "a[b]?", "ab"),
            (Form::Folder, "/data", "/data/a/b", "/database"),
            (
                Form::Endpoint,
                "a.example:443",
                "a.example:443",
                "a.example:80",
            ),
            (
                Form::Endpoint,
                "*.example:443",
                "x.a.example:443",
                "example:443",
            ),
            (Form::Endpoint, "10.0.0.7:*", "10.0.0.7:81", "10.0.0.8:81"),
            (Form::Endpoint, "[::1]:80", "[::1]:80", "[::2]:80"),
            (Form::Endpoint, "*:80", "a.example:80", "127.0.0.1:80"),
            (Form::Endpoint, "*:*", "1.1.1.1:80", "169.254.169.254:80"),
            (Form::Endpoint, "*.*:80", "1.1.1.1:80", "10.0.0.1:80"),
            (Form::Endpoint, "*:*", "[2606:4700::1]:80", "[::1]:80"),
            (Form::Endpoint, "10.0.*:80", "10.0.3.4:80", "10.1.3.4:80"),
            (Form::Endpoint, "*.1:80", "10.0.0.1:80", "10.0.0.2:80"),
            (
                Form::Endpoint,
                "10.0.0.*:5432",
                "10.0.0.7:5432",
                "10.0.0.evil.example:5432",
            ),
            (Form::Endpoint, "10.0.*:80", "10.0.3.4:80", "10.0.x:80"),
            (Form::Endpoint, "10.*:80", "10.0.3.4:80", "10.1:80"),
            (Form::Endpoint, "10.*:80", "10.0.3.4:80", "10.:80"),
            (Form::Endpoint, "*.1:80", "10.0.0.1:80", "evil.1:80"),
            (Form::Endpoint, "*1*:80", "10.0.0.1:80", "a1.example:80"),
            (
                Form::Endpoint,
                "A.Example.:80",
                "a.example:*",
                "b.example:*",
            ),
        ] {
            let pattern = pattern(form, text);
            assert!(pattern.matches(meant), "{text} {meant}");
            assert!(
                text == "*" || !pattern.matches(not_meant),
                "{text} {not_meant}"
            );
        }
    }

    #[test]
    fn what_no_resource_can_be_is_refused() {
        for (form, text) in [
            (Form::Actor, ""),
            (Form::Actor, "shop"),
            (Form::Actor, "shop//x"),
            (Form::Actor, "shop/../x"),
            (Form::Actor, "shop/./x"),
            (Form::Actor, "a/b/c/d"),
            (Form::Actor, "shop/**"),
            (Form::Actor, "shop/c\u{0430}rt"),
            (Form::Actor, "shop/cart\n"),
            (Form::Actor, "shop/{a,b}"),
            (Form::Component, "self"),
            (Form::Component, "a/b/c"),
            (Form::Topic, "orders."),
            (Form::Topic, "a.>.b"),
            (Form::Name, "a\0b"),
            (Form::Folder, "data"),
            (Form::Folder, "/data/../etc"),
            (Form::Folder, "/data/"),
            (Form::Endpoint, "example.com"),
            (Form::Endpoint, "example.com:0"),
            (Form::Endpoint, "example.com:65536"),
            (Form::Endpoint, "::1:80"),
            (Form::Endpoint, "[example]:80"),
            (Form::Endpoint, ":80"),
            (Form::Endpoint, "exa mple:80"),
        ] {
            assert!(Pattern::parse(form, text).is_err(), "{text:?}");
        }
        let long = "a".repeat(MAX_PATTERN_BYTES + 1);
        assert!(Pattern::parse(Form::Name, &long).is_err());
        let error = Pattern::parse(Form::Actor, "shop").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"shop\" is no pattern of actors, such as shop/cart/alice, shop/cart, shop/*, * or \
             self: for all of a namespace write shop/*"
        );
    }

    #[test]
    fn narrower_patterns_are_covered() {
        for (form, wide, narrow) in [
            (Form::Actor, "*", "self"),
            (Form::Actor, "self", "self"),
            (Form::Actor, "shop/*", "shop/cart"),
            (Form::Actor, "shop/cart", "shop/cart/a*"),
            (Form::Actor, "*/*/main", "shop/*/main"),
            (Form::Topic, "orders.>", "orders.*.eu"),
            (Form::Folder, "/data", "/data/in"),
            (Form::Endpoint, "*.example:*", "a.example:443"),
            (Form::Endpoint, "10.0.*:*", "10.0.0.*:443"),
            (Form::Endpoint, "10.0.*:443", "10.0.0.7:443"),
        ] {
            let (wide, narrow) = (pattern(form, wide), pattern(form, narrow));
            assert!(wide.covers(&narrow), "{wide} {narrow}");
            assert!(wide.as_str() == narrow.as_str() || !narrow.covers(&wide));
        }
        let cart = pattern(Form::Actor, "shop/cart");
        assert!(!cart.covers(&pattern(Form::Actor, "self")));
        for (addresses, name) in [
            ("10.0.0.*:5432", "10.0.0.evil.example:5432"),
            ("10.0.0.*:*", "10.0.0.*.example:*"),
            ("*.1:*", "evil.*.1:*"),
        ] {
            let addresses = pattern(Form::Endpoint, addresses);
            assert!(!addresses.covers(&pattern(Form::Endpoint, name)), "{name}");
        }
    }

    #[test]
    fn to_take_back_every_host_takes_back_addresses_too() {
        for (taken, granted, is_taken) in [
            ("*:*", "10.0.0.7:5432", true),
            ("*:*", "10.0.0.*:*", true),
            ("*:*", "[::1]:80", true),
            ("*:*", "a.example:443", true),
            ("*:443", "127.0.0.1:443", true),
            ("*:443", "127.0.0.1:80", false),
            ("*:443", "127.0.0.1:*", false),
            ("*.example:*", "a.example:443", true),
            ("*.*:*", "10.0.0.7:80", false),
            ("10.*:*", "10.0.0.7:80", true),
            ("10.*:*", "10.evil.example:80", false),
        ] {
            let taken = pattern(Form::Endpoint, taken);
            let granted = pattern(Form::Endpoint, granted);
            assert_eq!(taken.revokes(&granted), is_taken, "{taken} {granted}");
        }
        let every_host = pattern(Form::Endpoint, "*:*");
        assert!(!every_host.matches("10.0.0.7:5432"));
        assert!(!every_host.covers(&pattern(Form::Endpoint, "10.0.0.7:5432")));
    }

    fn part() -> impl Strategy<Value = String> {
        "[ab*]{1,4}".prop_filter("two stars", |part| !part.contains("**"))
    }

    fn address() -> impl Strategy<Value = String> {
        proptest::collection::vec(part(), 2..=3).prop_map(|parts| parts.join("/"))
    }

    fn topic() -> impl Strategy<Value = String> {
        let words = proptest::collection::vec("[ab*]", 1..4);
        (words, any::<bool>()).prop_map(|(mut words, rest)| {
            if rest {
                words.push(">".into());
            }
            words.join(".")
        })
    }

    /// Hosts of few parts, so that patterns often mean what is asked for: addresses, names
    /// that begin or end as addresses do, and names.
    fn asked_host() -> impl Strategy<Value = String> {
        prop_oneof![
            "(1|10|8)\\.[018]\\.[01]\\.[01]",
            "(1|10|8)(\\.(0|1|a|x)){1,4}",
            "[ab]\\.(a|1)",
            "\\[(2606:4700)?::1\\]",
        ]
    }

    /// Patterns of hosts like these.
    fn host() -> impl Strategy<Value = String> {
        let part = prop_oneof!["(1|10|8|0)", "[ab]", "\\*", "[01a]\\*"];
        let parts = proptest::collection::vec(part, 1..=5);
        prop_oneof![
            4 => parts.prop_map(|parts| parts.join(".")),
            2 => asked_host(),
        ]
    }

    fn port() -> impl Strategy<Value = &'static str> {
        prop_oneof![Just("*"), Just("80"), Just("443")]
    }

    fn endpoint() -> impl Strategy<Value = String> {
        (host(), port()).prop_map(|(host, port)| format!("{host}:{port}"))
    }

    proptest! {
        /// A pattern that is written as one of addresses means nothing else.
        #[test]
        fn addresses_are_no_names(pattern_text in endpoint(), host in asked_host()) {
            let pattern = pattern(Form::Endpoint, &pattern_text);
            let (of, _port) = pattern_text.rsplit_once(':').unwrap();
            let is_of_addresses =
                of.contains(|c: char| c.is_ascii_digit()) && !of.contains(['a', 'b', 'x']);
            if is_of_addresses && pattern.matches(&format!("{host}:80")) {
                let bare = host.trim_matches(['[', ']']);
                prop_assert!(bare.parse::<IpAddr>().is_ok(), "{} {}", pattern_text, host);
            }
        }

        /// What a covered pattern means is meant by the one that covers it, and to take that
        /// one back takes both.
        #[test]
        fn to_cover_endpoints_is_to_mean_as_much(
            wide in endpoint(),
            narrow in endpoint(),
            host in asked_host(),
            port in prop_oneof![Just("80"), Just("443"), Just("8080")],
        ) {
            let (wide, narrow) = (
                pattern(Form::Endpoint, &wide),
                pattern(Form::Endpoint, &narrow),
            );
            if wide.covers(&narrow) {
                let asked = format!("{host}:{port}");
                prop_assert!(wide.revokes(&narrow));
                prop_assert!(!narrow.matches(&asked) || wide.matches(&asked));
            }
        }

        /// What a covered pattern means is meant by the one that covers it.
        #[test]
        fn to_cover_is_to_mean_as_much(
            wide in address(),
            narrow in address(),
            actor in "[ab]{1,4}/[ab]{1,4}/[ab]{1,4}",
        ) {
            let (wide, narrow) = (pattern(Form::Actor, &wide), pattern(Form::Actor, &narrow));
            if wide.covers(&narrow) && narrow.matches(&actor) {
                prop_assert!(wide.matches(&actor));
            }
        }

        #[test]
        fn the_same_holds_for_topics(
            wide in topic(),
            narrow in topic(),
            asked in "[ab](\\.[ab]){0,3}",
        ) {
            let (wide, narrow) = (pattern(Form::Topic, &wide), pattern(Form::Topic, &narrow));
            if wide.covers(&narrow) && narrow.matches(&asked) {
                prop_assert!(wide.matches(&asked));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            for form in [
                Form::Actor, Form::Component, Form::Topic, Form::Name, Form::Folder, Form::Endpoint,
            ] {
                if let Ok(pattern) = Pattern::parse(form, &text) {
                    prop_assert!(pattern.is_any() || pattern.covers(&pattern));
                    pattern.matches(&text);
                }
            }
        }
    }
}
