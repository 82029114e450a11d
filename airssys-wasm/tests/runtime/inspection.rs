//! Looking at components without running them.

// Layer 3: Internal module imports
use airssys_wasm::core::component::digest::Digest;
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::runtime::inspection::{Inspection, Interface};

use crate::support::guest;

#[test]
fn a_guest_shows_what_it_imports_and_what_it_could_use() {
    let bytes = guest("relay");
    let relay = Inspection::of(&bytes).unwrap();
    assert_eq!(relay.digest, Digest::of(&bytes));
    assert_eq!(relay.bytes, bytes.len() as u64);
    assert_eq!(relay.handler.as_deref(), Some("0.1.0"));
    assert_eq!(relay.fault, None);

    let find = |all: &[Interface], name: &str| {
        let found = all.iter().find(|interface| interface.name.contains(name));
        found.unwrap_or_else(|| panic!("{name}")).functions.clone()
    };
    assert!(find(&relay.imports, "messaging").contains(&"send-after".to_owned()));
    assert_eq!(find(&relay.exports, "handler"), ["handle-message"]);

    assert_eq!(relay.needs, None);
    let may_use: Vec<Capability> = relay.may_use.iter().map(|it| it.capability).collect();
    for capability in [
        Capability::Send,
        Capability::Call,
        Capability::Publish,
        Capability::Timers,
    ] {
        assert!(may_use.contains(&capability), "{capability} in {may_use:?}");
    }
    let json = serde_json::to_value(&relay).unwrap();
    assert!(json["digest"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn the_harmless_could_use_nothing() {
    for name in ["echo", "markdown", "counter", "reverse"] {
        assert_eq!(Inspection::of(&guest(name)).unwrap().may_use, [], "{name}");
    }
}

#[test]
fn what_is_malformed_is_refused_with_the_place() {
    let mut bytes = guest("echo");
    bytes.truncate(bytes.len() / 2);
    for bytes in [&bytes[..], b"", b"\0asm\x0d\0\x01\0garbage", &[0xff; 100]] {
        let error = Inspection::of(bytes).unwrap_err();
        assert!(
            matches!(&error, WasmError::InstantiationFailed(why) if why.contains("offset")),
            "{error}"
        );
    }
}
