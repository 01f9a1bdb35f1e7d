//! Policy documents as IAM's answers hold them.

use percent_encoding::percent_decode_str;

use crate::state::PolicyText;

/// Decodes a policy document, which is percent-encoded (RFC 3986) in most answers and raw in some.
///
/// Text that decodes to no UTF-8 is kept as it came: it will fail to parse, and be shown as what it is.
pub(super) fn decode(text: &str) -> PolicyText {
    if text.trim_start().starts_with('{') {
        return PolicyText::new(text);
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => PolicyText::new(decoded),
        Err(_) => PolicyText::new(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_documents_are_decoded_and_raw_ones_are_not() {
        for (text, expected) in [
            ("%7B%22Sid%22%3A%22a%20b%2Bc%22%7D", r#"{"Sid":"a b+c"}"#),
            ("%7b+%c3%a9%7d", "{+é}"),
            (r#"{"Sid":"100%25"}"#, r#"{"Sid":"100%25"}"#),
            (" \n{\"Sid\":\"%41\"}", " \n{\"Sid\":\"%41\"}"),
            ("%7B%FF%7D", "%7B%FF%7D"),
            ("", ""),
        ] {
            assert_eq!(decode(text).as_str(), expected);
        }
    }
}
