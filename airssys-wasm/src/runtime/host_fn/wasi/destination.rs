//! Where a guest wants to go: hosts and ports as it writes them.

// Layer 1: Standard library imports
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::runtime::host_fn::wasi::peers::endpoint;

/// The most bytes of a name, by RFC 1035.
const MAX_NAME_BYTES: usize = 253;

/// A host, in the form in which grants name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostName {
    /// An address. One of version 4 that is written as one of version 6 is one of version 4.
    Address(IpAddr),
    /// A name, in small letters and without a dot at its end.
    Name(Arc<str>),
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) host: HostName,
    pub(crate) port: u16,
}

/// Reads a host: an address, in brackets or not, or a name of ASCII letters, digits, `-`,
/// `_` and dots. Letters of other alphabets are written in Punycode.
pub(crate) fn parse_host(text: &str) -> Option<HostName> {
    let bracketed = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if let Some(bracketed) = bracketed {
        let ip: Ipv6Addr = bracketed.parse().ok()?;
        return Some(HostName::Address(IpAddr::V6(ip).to_canonical()));
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(HostName::Address(ip.to_canonical()));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let is_name = name.len() <= MAX_NAME_BYTES && name.split('.').all(is_label);
    is_name.then(|| HostName::Name(name.to_ascii_lowercase().into()))
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostName::Address(ip) => f.write_str(&endpoint(*ip, self.port)),
            HostName::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let host = parse_host(text)?;
        Some(Destination { host, port: 80 }.to_string())
    }

    #[test]
    fn a_host_has_one_form() {
        for (text, form) in [
            ("Example.COM", "example.com:80"),
            ("example.com.", "example.com:80"),
            ("my_host-1", "my_host-1:80"),
            ("127.0.0.1", "127.0.0.1:80"),
            ("[::1]", "[::1]:80"),
            ("0:0::1", "[::1]:80"),
            ("[::ffff:10.0.0.1]", "10.0.0.1:80"),
            ("::ffff:7f00:1", "127.0.0.1:80"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(form), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "a.".repeat(127) + "a";
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a b",
            "a/b",
            "a:80",
            "user@a",
            "ex\u{430}mple.com",
            "[127.0.0.1]",
            "[::1",
            "a\0b",
            &long,
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
