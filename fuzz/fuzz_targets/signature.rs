//! `signature`, run by libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| airssys_fuzz::run("signature", bytes));
