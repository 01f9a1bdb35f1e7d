//! Any text is a spec or refused with places; what is done with it stands in `targets.rs`.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    targets::spec(input);
});
