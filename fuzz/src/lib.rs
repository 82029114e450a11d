//! Arbitrary bytes for everything in `airssys-wasm` that reads what others wrote.
//!
//! What is done with the bytes is in `targets/`, which knows nothing of libFuzzer: the ordinary
//! tests include it by path and feed it every file of `corpus/`.

// Layer 1: Standard library imports
use std::backtrace::Backtrace;
use std::panic::{catch_unwind, resume_unwind, set_hook};
use std::sync::{Mutex, Once, PoisonError};

// Layer 3: Internal module imports
use targets::target::Target;

mod targets;

/// The last panic. The library catches those of the engine under its tables, which are not
/// to end the program as libFuzzer's own hook does.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Feeds bytes to a target.
///
/// # Panics
///
/// When there is no such target, and when something is found.
pub fn run(target: &str, bytes: &[u8]) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        set_hook(Box::new(|panic| {
            let told = format!("{panic}\n{}", Backtrace::capture());
            *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = told;
        }));
    });
    let found = Target::ALL.iter().find(|it| it.name == target);
    let found = found.expect("a target of this name");
    if let Err(panic) = catch_unwind(|| (found.run)(bytes)) {
        eprintln!("{}", PANIC.lock().unwrap_or_else(PoisonError::into_inner));
        resume_unwind(panic);
    }
}
