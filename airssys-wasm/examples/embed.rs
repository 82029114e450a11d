//! The smallest host: load a component and send it messages.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

// Layer 1: Standard library imports
use std::error::Error;
use std::fs;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::runtime::engine::WasmtimeEngine;

fn main() -> Result<(), Box<dyn Error>> {
    let component = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/bin/counter.wasm");
    let engine = WasmtimeEngine::new()?;
    let counter = ComponentId::new("demo", "counter", "one");
    let handle = engine.load_component(&counter, &fs::read(component)?)?;

    let me = ComponentId::new("airssys", "program", "main");
    for (kind, payload) in [("add", "3"), ("add-then-trap", "100"), ("get", "")] {
        let payload = MessagePayload::new(payload);
        let message = ComponentMessage::new(me.clone(), counter.clone(), kind.to_owned(), payload);
        match engine.call_handle_message(&handle, &message) {
            Ok(reply) => println!("{kind}: {:?}", reply.unwrap_or_default().as_bytes()),
            Err(error) => println!("{kind}: {error}"),
        }
    }
    Ok(())
}
