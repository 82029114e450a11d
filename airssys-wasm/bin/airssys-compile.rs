//! `airssys-compile`: compiles one component for a host that started it, within limits.
//!
//! It reads what it is to do, and the component, from standard input. A host names it by
//! [`SystemBuilder::compiler`](airssys_wasm::system::builder::SystemBuilder::compiler).

use std::process::ExitCode;

use airssys_wasm::runtime::compiler::worker;

fn main() -> ExitCode {
    worker::run()
}
