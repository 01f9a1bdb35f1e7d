//! What AWS documents of the global condition keys.

/// Names the type of a condition key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyType {
    /// `true` or `false`.
    Bool,
    /// A number.
    Numeric,
    /// A point in time.
    Date,
    /// An IPv4 or IPv6 address.
    IpAddress,
}

/// The type of a condition key, given in lower case; `None` for text, and for keys that are not known.
///
/// Source: IAM User Guide, "AWS global condition context keys".
pub(super) fn key_type(key: &str) -> Option<KeyType> {
    Some(match key {
        "aws:multifactorauthpresent"
        | "aws:principalisawsservice"
        | "aws:securetransport"
        | "aws:viaawsservice" => KeyType::Bool,
        "aws:multifactorauthage" => KeyType::Numeric,
        "aws:currenttime" | "aws:tokenissuetime" => KeyType::Date,
        "aws:sourceip" | "aws:vpcsourceip" => KeyType::IpAddress,
        _ => return None,
    })
}
