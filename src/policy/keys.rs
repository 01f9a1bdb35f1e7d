//! What AWS documents of the global condition keys.
//!
//! Source of all: IAM User Guide, "AWS global condition context keys".

/// Names the type of a condition key's value; text has none here.
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
pub(super) fn key_type(key: &str) -> Option<KeyType> {
    Some(match key {
        "aws:assumedroot"
        | "aws:ismcpserviceaction"
        | "aws:multifactorauthpresent"
        | "aws:principalisawsservice"
        | "aws:securetransport"
        | "aws:viaawsservice" => KeyType::Bool,
        "aws:multifactorauthage" => KeyType::Numeric,
        "aws:currenttime" | "aws:tokenissuetime" => KeyType::Date,
        "aws:sourceip" | "aws:vpcsourceip" => KeyType::IpAddress,
        _ => return None,
    })
}

/// Tells whether a key, given in lower case, can have many values: global keys that are documented so, and every key of
/// a service.
pub(super) fn may_hold_many(key: &str) -> bool {
    match key.strip_prefix("aws:") {
        Some("tagkeys" | "calledvia" | "principalservicenameslist") => true,
        Some(name) => name.ends_with("orgpaths"),
        None => true,
    }
}
