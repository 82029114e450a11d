//! Arbitrary bytes for everything in `airssys-wasm` that reads what others wrote.
//!
//! What is done with the bytes is in `targets/`, which knows nothing of libFuzzer: the ordinary
//! tests include it by path and feed it every file of `corpus/`.

// Layer 3: Internal module imports
use targets::target::Target;

mod targets;

/// Feeds bytes to a target.
///
/// # Panics
///
/// When there is no such target, and when something is found.
pub fn run(target: &str, bytes: &[u8]) {
    let found = Target::ALL.iter().find(|it| it.name == target);
    (found.expect("a target of this name").run)(bytes);
}
