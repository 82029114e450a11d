//! Hostile components, written as WebAssembly text.

// Layer 2: Third-party crate imports
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

// Layer 3: Internal module imports
pub(crate) use crate::asking::bytes as guest;

/// What is exported as the handler.
const HANDLE: &str = r#"(func (export "airssys:actor/handler@0.1.0#handle-message")
    (param $sender i32) (param $sender-bytes i32) (param $kind i32) (param $kind-bytes i32)
    (param $correlation i64) (param $payload i32) (param $payload-bytes i32) (result i32)"#;

/// The contract of guests.
pub(crate) fn contract() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (contract, _) = resolve.push_dir("../wit").expect("the guest contract");
    (resolve, contract)
}

/// Makes an actor out of a core module in text form that exports `handler`, and these
/// interfaces of the contract besides.
pub(crate) fn actor(wat: &str, exports: &[&str]) -> Vec<u8> {
    let (mut resolve, _) = contract();
    let with_wasi = wat.contains("(import \"wasi:");
    if with_wasi {
        let wasi = resolve.push_dir("../guests/outsider/wit");
        wasi.expect("WASI");
    }
    let mut world = String::from("package test:guest;\nworld guest {\n");
    world += "include airssys:actor/actor@0.1.0;\n";
    for interface in exports {
        world += &format!("export airssys:actor/{interface}@0.1.0;\n");
    }
    if with_wasi {
        world += WASI;
    }
    world += "}";
    let package = resolve.push_str("guest.wit", &world).expect("wit");
    let world = resolve.select_world(&[package], Some("guest"));
    let mut module = wat::parse_str(wat).unwrap_or_else(|e| panic!("{e}"));
    let world = world.expect("a world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    let encoder = ComponentEncoder::default().validate(true).module(&module);
    encoder
        .and_then(|mut encoder| encoder.encode())
        .unwrap_or_else(|e| panic!("{e:#}"))
}

/// What of WASI a hostile text may import.
const WASI: &str = "
import wasi:cli/stdout@0.2.12;
import wasi:io/poll@0.2.12;
import wasi:clocks/monotonic-clock@0.2.12;
import wasi:random/random@0.2.12;
";

/// A module that handles messages by `body`, and has these fields besides.
///
/// The host writes whatever it hands over at 1024, over what was there; nobody reads it.
pub(crate) fn module(fields: &str, body: &str) -> String {
    module_with("(i32.const 1024)", fields, body)
}

/// The same with a `cabi_realloc` of one's own.
pub(crate) fn module_with(realloc: &str, fields: &str, body: &str) -> String {
    let memory = if fields.contains("(export \"memory\")") {
        ""
    } else {
        "(memory (export \"memory\") 2)"
    };
    // Imports come first in a module.
    format!(
        "(module {fields}
  {memory}
  (func $realloc (export \"cabi_realloc\")
    (param $old i32) (param $old-bytes i32) (param $align i32) (param $bytes i32) (result i32)
    {realloc})
  {HANDLE}
    {body}))"
    )
}

/// An actor that handles messages by `body`, and has these fields besides.
pub(crate) fn handling(fields: &str, body: &str) -> Vec<u8> {
    actor(&module(fields, body), &[])
}

/// The same where a custom section makes it another version.
pub(crate) fn marked(mut bytes: Vec<u8>, mark: &str) -> Vec<u8> {
    let text = u8::try_from(mark.len()).expect("a short mark");
    bytes.extend([0, text + 1, text]);
    bytes.extend(mark.as_bytes());
    bytes
}
