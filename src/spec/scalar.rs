//! What a scalar without quotes is: YAML 1.2's core schema.

/// Tells what a plain scalar stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    /// A whole number that fits.
    Integer(i128),
    /// Any other number.
    Number,
    Text,
}

/// Resolves a plain scalar. Source: YAML 1.2.2, section 10.3.2.
pub(super) fn plain(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Plain::Number,
        _ => {}
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            return i128::from_str_radix(digits, radix).map_or(Plain::Number, Plain::Integer);
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Plain::Number;
    }
    if is_digits(unsigned) {
        return text.parse().map_or(Plain::Number, Plain::Integer);
    }
    if is_decimal(unsigned) {
        return Plain::Number;
    }
    Plain::Text
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Matches `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let mantissa = match fraction {
        None => is_digits(whole),
        Some(fraction) if whole.is_empty() => is_digits(fraction),
        Some(fraction) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
    };
    mantissa
        && exponent
            .is_none_or(|exponent| is_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let cases = [
            ("", Plain::Null),
            ("~", Plain::Null),
            ("nULL", Plain::Text),
            ("True", Plain::Bool(true)),
            ("yes", Plain::Text),
            ("off", Plain::Text),
            ("012", Plain::Integer(12)),
            ("+7", Plain::Integer(7)),
            ("0x1F", Plain::Integer(31)),
            ("0o17", Plain::Integer(15)),
            ("0o18", Plain::Text),
            ("-", Plain::Text),
            ("1_000", Plain::Text),
            ("1.", Plain::Number),
            (".5", Plain::Number),
            (".", Plain::Text),
            ("1e3", Plain::Number),
            ("1e", Plain::Text),
            ("e3", Plain::Text),
            ("-.inf", Plain::Number),
            ("2012-10-17", Plain::Text),
            ("12h", Plain::Text),
            ("25%", Plain::Text),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }
}
