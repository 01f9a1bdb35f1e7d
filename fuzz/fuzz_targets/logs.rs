//! Any bytes are a log file, or one that can't be read; what is done with it stands in `targets.rs`.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    targets::logs(input);
});
