//! What a way into a role relies on beside IAM: it fails when that does.

use crate::ids::Arn;

/// Names what has to work for a principal to be able to assume a role.
///
/// Source: AWS Well-Architected, SEC03-BP03, and AWS Fault Isolation Boundaries, "Break glass".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reliance {
    /// A SAML identity provider.
    Saml,
    /// An OpenID Connect identity provider, as pipelines use.
    OpenIdConnect,
    /// IAM Identity Center.
    IdentityCenter,
    /// Another role, and with it whatever lets someone into that one, such as a pipeline or an identity provider.
    Role,
}

/// Finds what a principal of a trust policy relies on; `None` for a user, which relies on IAM alone.
#[must_use]
pub fn reliance(principal: &str) -> Option<Reliance> {
    let arn: Arn = principal.parse().ok()?;
    let resource = arn.resource();
    if resource.starts_with("saml-provider/") {
        Some(Reliance::Saml)
    } else if resource.starts_with("oidc-provider/") {
        Some(Reliance::OpenIdConnect)
    } else if !resource.starts_with("role/") && !resource.starts_with("assumed-role/") {
        None
    } else if resource.contains("AWSReservedSSO_") || resource.contains("/sso.amazonaws.com/") {
        Some(Reliance::IdentityCenter)
    } else {
        Some(Reliance::Role)
    }
}

impl Reliance {
    /// Tells whether the way in is by credentials of another role, which carry no MFA.
    #[must_use]
    pub fn is_chained(self) -> bool {
        match self {
            Self::IdentityCenter | Self::Role => true,
            Self::Saml | Self::OpenIdConnect => false,
        }
    }

    /// Says what a way in by this principal relies on, and which failure it is there to survive.
    #[must_use]
    pub fn words(self, principal: &str, failure_mode: Option<&str>) -> String {
        let relies = match self {
            Self::Saml => format!("it relies on the SAML provider {principal}"),
            Self::OpenIdConnect => format!("it relies on the OIDC provider {principal}"),
            Self::IdentityCenter => format!("it relies on IAM Identity Center ({principal})"),
            Self::Role => format!(
                "it is a chained hop: it relies on the role {principal} and on what lets someone into that, such as a \
                 pipeline or an identity provider"
            ),
        };
        match failure_mode {
            Some(mode) => format!("{relies}, so it is not sure to survive {mode}"),
            None => format!("{relies}, and fails with it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_relies_on_nothing_and_everything_else_on_something() {
        for (principal, expected) in [
            ("arn:aws:iam::222233334444:user/break-glass/bg-alice", None),
            ("AIDAEXAMPLE", None),
            (
                "arn:aws:iam::222233334444:saml-provider/okta",
                Some(Reliance::Saml),
            ),
            (
                "arn:aws-cn:iam::222233334444:oidc-provider/token.example.com",
                Some(Reliance::OpenIdConnect),
            ),
            (
                "arn:aws:iam::222233334444:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123",
                Some(Reliance::IdentityCenter),
            ),
            (
                "arn:aws:sts::222233334444:assumed-role/AWSReservedSSO_Admin_0123/ann",
                Some(Reliance::IdentityCenter),
            ),
            ("arn:aws:iam::222233334444:role/ci", Some(Reliance::Role)),
        ] {
            assert_eq!(reliance(principal), expected, "{principal}");
        }
    }
}
