//! Any text is a document or an error with a place; what is a document reads back as itself.
#![no_main]

use breakglass::policy::{canonical_pretty, minified, parse, pretty};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(document) => {
            for text in [minified(&document), pretty(&document)] {
                assert_eq!(parse(&text).as_ref(), Ok(&document));
            }
            assert!(parse(&canonical_pretty(&document)).is_ok());
        }
        Err(error) => assert!(error.line >= 1 && error.column >= 1),
    }
});
