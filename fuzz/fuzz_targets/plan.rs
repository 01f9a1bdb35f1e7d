//! Any text is a plan or none; one that was edited is shown and carried out; what is done with it stands in `targets.rs`.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    targets::plan(input);
});
