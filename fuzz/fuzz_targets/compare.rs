//! Two documents, parted by a line break, are compared without a panic and within the bound; each equals itself.
#![no_main]

use breakglass::policy::{compare_pair, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some((old, new)) = text.split_once('\n') else {
        return;
    };
    if let (Ok(old), Ok(new)) = (parse(old), parse(new)) {
        assert!(compare_pair(&old, &old).verdict.is_equal());
        let (there, back) = (compare_pair(&old, &new), compare_pair(&new, &old));
        assert_eq!(there.verdict.is_equal(), back.verdict.is_equal());
    }
});
