//! Which policies another tool keeps, and sets back when they are edited.

use crate::state::GuardrailPolicy;

/// Says where exceptions are set instead, if another tool keeps this policy.
///
/// Sources: AWS Control Tower User Guide, "Optional controls" (its policies are named `aws-guardrails-…`; a control's
/// `ExemptedPrincipalArns` parameter exempts principals); Landing Zone Accelerator, which names its own
/// `AWSAccelerator-…` and tags them `Accelerator`; CloudFormation User Guide, "Resource tags" (`aws:cloudformation:…`).
/// What Terraform makes carries such a tag by convention only.
pub(super) fn foreign(policy: &GuardrailPolicy) -> Option<String> {
    if policy.name.starts_with("aws-guardrails-") {
        return Some(
            "Control Tower keeps the policy and sets it back: name the principals in ExemptedPrincipalArns of its control instead"
                .to_owned(),
        );
    }
    let is_accelerators = |key: &String| key.eq_ignore_ascii_case("Accelerator");
    if policy.name.starts_with("AWSAccelerator-") || policy.tags.keys().any(is_accelerators) {
        return Some(
            "Landing Zone Accelerator keeps the policy and sets it back: edit the policy in its configuration instead"
                .to_owned(),
        );
    }
    if let Some(stack) = policy.tags.get("aws:cloudformation:stack-name") {
        return Some(format!(
            "the CloudFormation stack {stack} keeps the policy and may set it back: edit the policy in its template instead"
        ));
    }
    let tag = policy.tags.iter().find_map(|(key, value)| {
        let lower = key.to_ascii_lowercase();
        let names_tool = match lower.as_str() {
            "managed-by" | "managedby" | "managed_by" => {
                !value.to_ascii_lowercase().contains("breakglass")
            }
            "terraform" => !value.eq_ignore_ascii_case("false"),
            _ => false,
        };
        names_tool.then(|| format!("{key} = {value}"))
    })?;
    Some(format!(
        "another tool keeps the policy (its tag {tag}) and may set it back: make the exception there instead"
    ))
}
