//! Any line is answered, as a decision or as an error.
#![no_main]

use breakglass::policy::evaluate::wire::evaluate_json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let _ = evaluate_json(line);
});
