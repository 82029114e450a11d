//! A call of a plugin in Extism.

// Layer 2: Third-party crate imports
use extism::{Manifest, Plugin, Wasm};

// Layer 3: Internal module imports
use crate::PAYLOAD_BYTES;
use crate::measure::{Outcome, Plan, Spread, alone, batches};

pub(crate) fn measure(plan: Plan) -> Outcome<Spread> {
    let module = wat::parse_str(include_str!("echo.wat"))?;
    let mut plugin = Plugin::new(Manifest::new([Wasm::data(module)]), [], false)?;
    let payload = vec![b'x'; PAYLOAD_BYTES];
    let call = || {
        let reply: &[u8] = plugin.call("echo", &payload[..])?;
        if reply.len() == PAYLOAD_BYTES {
            Ok(())
        } else {
            Err(format!("{} bytes came back", reply.len()).into())
        }
    };
    alone(plan, batches(plan, call)?)
}
