//! What components say they need, from the guest's macro to the loader.

// Layer 3: Internal module imports
use airssys_guest::needs::Needs;
use airssys_wasm::core::runtime::errors::{ComponentFault, NeedsFault, WasmError};
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::runtime::inspection::Inspection;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::needs::parse;

use crate::support::{engine, guest};

/// One pattern for each capability; a new field without one does not compile.
const ALL: Needs = Needs {
    send: &["shop/send"],
    call: &["shop/call"],
    timers: &["self"],
    publish: &["orders.*.created"],
    subscribe: &["orders.>"],
    storage: &["shop/storage"],
    spawn: &["shop/spawn/*"],
    directory: &["shop/*"],
    config: &["a \"quoted\" key"],
    secrets: &["back\\slash"],
    clock: &["precise"],
    env: &["LANG"],
    read_files: &["/in"],
    write_files: &["/out"],
    network: &["[::1]:443"],
};

/// A component with one custom section more.
fn with_section(name: &str, section: &str) -> Vec<u8> {
    let mut bytes = guest(name);
    let of = "airssys:needs";
    let length = u8::try_from(1 + of.len() + section.len()).unwrap();
    assert!(length < 0x80, "a length of one byte");
    bytes.extend([0, length, u8::try_from(of.len()).unwrap()]);
    bytes.extend([of.as_bytes(), section.as_bytes()].concat());
    bytes
}

#[test]
fn guests_and_the_host_have_the_same_words() {
    let needs = parse(&ALL.json::<{ ALL.bytes() }>()).unwrap();
    for capability in Capability::ALL {
        assert_eq!(needs.of(capability).len(), 1, "{capability}");
    }
    assert_eq!(needs.config, ["a \"quoted\" key"]);
    assert_eq!(needs.secrets, ["back\\slash"]);
    let nothing = parse(&Needs::NONE.json::<{ Needs::NONE.bytes() }>());
    assert_eq!(nothing, Ok(Capabilities::default()));
}

#[test]
fn what_a_guest_says_survives_compiling_linking_and_encoding() {
    let needs = Inspection::of(&guest("modest-v2")).unwrap().needs;
    let expected = Capabilities {
        send: vec!["test/sink".into()],
        publish: vec!["news.>".into()],
        ..Capabilities::default()
    };
    assert_eq!(needs, Some(expected.clone()));
    let loader = ComponentLoader::new(engine());
    let compiled = loader.load_bytes(&guest("modest-v2")).unwrap();
    assert_eq!(compiled.outline().needs, Some(expected));
}

#[test]
fn a_component_whose_needs_cannot_be_read_is_not_loaded() {
    let loader = ComponentLoader::new(engine());
    for (bytes, is_expected) in [
        (
            with_section("echo", "{\"send\":[\"../x\"]}"),
            (|fault| matches!(fault, NeedsFault::Pattern(_))) as fn(&NeedsFault) -> bool,
        ),
        (with_section("echo", "{\"fly\":[]}"), |fault| {
            matches!(fault, NeedsFault::NotJson(_))
        }),
        (with_section("modest", "{}"), |fault| {
            matches!(fault, NeedsFault::Twice)
        }),
    ] {
        let Err(WasmError::InvalidComponent(ComponentFault::Needs(fault))) =
            loader.load_bytes(&bytes)
        else {
            panic!("it was loaded");
        };
        assert!(is_expected(&fault), "{fault}");
    }
    let again = with_section("modest", "{\"send\":[\"test/sink\"]}");
    assert!(loader.load_bytes(&again).is_ok());
}
