//! The build script of the guests: 16 KiB of stack instead of the linker's 1 MiB.
//!
//! An instance's first memory is then one page or two instead of seventeen, which is
//! what starting an actor mostly costs and what an idle one mostly takes up. It is
//! enough for programs whose calls do not nest as deeply as their input does: serde_json
//! stops at 128 levels, and pulldown-cmark parses without recursion. The stack lies
//! below everything else, so that overflowing it traps.

fn main() {
    println!("cargo::rerun-if-changed=../small_stack.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").as_deref() == Ok("wasm") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=16384");
    }
}
