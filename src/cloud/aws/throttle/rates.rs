//! The rates that AWS publishes.

/// How many calls a second an action takes, where that is published; `action` is empty for services that do not name it
/// in a header, which are throttled as a whole.
///
/// Source: "Quotas and service limits for AWS Organizations", "IAM and AWS STS quotas" and "Quotas in AWS CloudTrail".
/// `ListTargetsForPolicy` is not in the first: it is taken to be as `ListPoliciesForTarget`.
pub(super) fn published(service: &str, action: &str) -> Option<f64> {
    match (service, action) {
        ("organizations", "ListAccounts") => Some(8.0),
        ("organizations", "DescribePolicy") => Some(2.0),
        ("organizations", "ListTargetsForPolicy" | "ListPoliciesForTarget" | "ListParents") => {
            Some(5.0)
        }
        ("sts", _) => Some(600.0),
        ("cloudtrail", "LookupEvents") => Some(2.0),
        _ => None,
    }
}
