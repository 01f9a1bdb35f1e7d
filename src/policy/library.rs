//! The policy documents that come with the tool.
//!
//! Some are what a spec gives users, roles and guardrails; the others are the permissions of whoever runs this tool. They
//! are templates: `{partition}` and `{path}` stand for where they are used; IAM's own `${…}` is left alone.

use super::lint::DocumentKind;
use super::pattern::literal;
use crate::ids::{IamPath, Partition};

const LIBRARY: [(&str, DocumentKind, &str); 4] = [
    (
        "break-glass-baseline",
        DocumentKind::Identity,
        include_str!("../../policies/break-glass-baseline.json"),
    ),
    (
        "break-glass-mfa",
        DocumentKind::Identity,
        include_str!("../../policies/break-glass-mfa.json"),
    ),
    (
        "break-glass-protection",
        DocumentKind::Scp,
        include_str!("../../policies/break-glass-protection.json"),
    ),
    (
        "deny-break-glass-tampering",
        DocumentKind::Identity,
        include_str!("../../policies/deny-break-glass-tampering.json"),
    ),
];

/// What the tool itself needs, by what it does (`reader` or `writer`) and the kind of the account it does it in.
///
/// What it calls is compared with these by the tests on the emulator.
const PERMISSIONS: [(&str, &str); 8] = [
    (
        "reader-alerts",
        include_str!("../../policies/permissions/reader-alerts.json"),
    ),
    (
        "reader-emergency",
        include_str!("../../policies/permissions/reader-emergency.json"),
    ),
    (
        "reader-management",
        include_str!("../../policies/permissions/reader-management.json"),
    ),
    (
        "reader-member",
        include_str!("../../policies/permissions/reader-member.json"),
    ),
    (
        "writer-alerts",
        include_str!("../../policies/permissions/writer-alerts.json"),
    ),
    (
        "writer-emergency",
        include_str!("../../policies/permissions/writer-emergency.json"),
    ),
    (
        "writer-management",
        include_str!("../../policies/permissions/writer-management.json"),
    ),
    (
        "writer-member",
        include_str!("../../policies/permissions/writer-member.json"),
    ),
];

/// Lists the names of the documents that say what whoever runs this tool needs, sorted.
pub fn permission_names() -> impl Iterator<Item = &'static str> {
    PERMISSIONS.iter().map(|(name, _)| *name)
}

/// Lists the names of the documents for users, roles and guardrails, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    LIBRARY.iter().map(|(name, _, _)| *name)
}

/// What a document for users, roles or guardrails is for; `None` when there is none of that name.
#[must_use]
pub fn kind(name: &str) -> Option<DocumentKind> {
    let (_, kind, _) = LIBRARY.iter().find(|(known, _, _)| *known == name)?;
    Some(*kind)
}

/// Lists the names of the documents that a user, a role or a customer managed policy can have, sorted.
pub fn identity_names() -> impl Iterator<Item = &'static str> {
    names().filter(|name| kind(name) == Some(DocumentKind::Identity))
}

/// Renders a document for a partition and the IAM path of what is managed; `None` when there is none of that name.
#[must_use]
pub fn render(name: &str, partition: &Partition, path: &IamPath) -> Option<String> {
    let library = LIBRARY.iter().map(|(known, _, text)| (*known, *text));
    let mut all = library.chain(PERMISSIONS);
    let (_, template) = all.find(|(known, _)| *known == name)?;
    let path = escaped(path.as_str());
    let mut text = String::with_capacity(template.len());
    // Split at `${` first, so that what IAM reads as a variable is never taken for a placeholder of ours.
    for (index, part) in template.split("${").enumerate() {
        let (variable, rest) = match index {
            0 => ("", part),
            _ => part.split_at(part.find('}').map_or(0, |end| end + 1)),
        };
        if index > 0 {
            text.push_str("${");
        }
        text.push_str(variable);
        let rest = rest.replace("{partition}", partition.as_str());
        text.push_str(&rest.replace("{path}", &path));
    }
    Some(text)
}

/// Writes a path so that it means itself inside a JSON string of a policy, whatever characters IAM allows in it.
fn escaped(path: &str) -> String {
    literal(path).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Effect, Limits, Resources, Selection, iam_size, lint, minified, parse};

    fn render_at(name: &str, partition: &str, path: &str) -> String {
        render(name, &partition.parse().unwrap(), &path.parse().unwrap()).unwrap()
    }

    #[test]
    fn every_document_parses_and_is_accepted_as_what_it_is_for() {
        let sorted: Vec<_> = names().collect();
        assert!(sorted.is_sorted());
        for name in names() {
            for (partition, path) in [
                ("aws", "/break-glass/"),
                ("aws-us-gov", "/"),
                ("aws-cn", "/a\"\\*?${x}{partition}/"),
            ] {
                let document = parse(&render_at(name, partition, path)).unwrap();
                assert_eq!(lint(&document, kind(name).unwrap()), [""; 0], "{name}");
            }
        }
        let missing = render("no-such", &Partition::commercial(), &"/".parse().unwrap());
        assert_eq!(missing, None);
        assert_eq!(kind("no-such"), None);
        let scps = names().filter(|name| identity_names().all(|identity| identity != *name));
        assert_eq!(scps.collect::<Vec<_>>(), ["break-glass-protection"]);
    }

    #[test]
    fn permissions_fit_a_managed_policy_and_keep_to_the_partition_and_path() {
        assert!(permission_names().collect::<Vec<_>>().is_sorted());
        for name in permission_names() {
            let text = render_at(name, "aws-cn", "/emergency/");
            assert!(!text.contains("arn:aws:") && !text.contains("{partition}"));
            assert!(!text.contains("/break-glass/") && !text.contains("{path}"));
            let document = parse(&text).unwrap();
            assert_eq!(lint(&document, DocumentKind::Identity), [""; 0], "{name}");
            let size = iam_size(&minified(&document));
            assert!(size < Limits::DOCUMENTED.managed_policy, "{name}: {size}");
        }
    }

    #[test]
    fn placeholders_are_filled_and_variables_kept() {
        let text = render_at("break-glass-mfa", "aws-cn", "/break-glass/");
        assert!(text.contains("\"arn:aws-cn:iam::*:user/break-glass/${aws:username}\""));
        for name in names() {
            let text = render_at(name, "aws-cn", "/break-glass/");
            assert!(!text.contains("{partition}") && !text.contains("{path}"));
            assert!(!text.contains("arn:aws:"), "{name}");
        }
        let odd = render_at("deny-break-glass-tampering", "aws", "/a*\"/");
        let document = parse(&odd).unwrap();
        let role = "arn:aws:iam::*:role/a${*}\"/*".to_owned();
        let resources = document.statements[0].resources.as_ref().unwrap();
        assert!(resources.list().contains(&role), "{resources:?}");
    }

    #[test]
    fn the_mfa_policy_leaves_room_for_another_inline_policy() {
        let document = parse(&render_at("break-glass-mfa", "aws", "/break-glass/")).unwrap();
        let size = iam_size(&minified(&document));
        assert!(size < 1_300, "{size}");
        assert!(size < Limits::DOCUMENTED.user_inline_total);
    }

    #[test]
    fn the_mfa_policy_denies_all_but_enrolment_without_mfa() {
        let document = parse(&render_at("break-glass-mfa", "aws", "/break-glass/")).unwrap();
        let denies: Vec<_> = document
            .statements
            .iter()
            .filter(|statement| statement.effect == Effect::Deny)
            .collect();
        let [deny] = denies.as_slice() else {
            panic!("one Deny");
        };
        assert_eq!(deny.resources, Some(Resources::Only(vec!["*".to_owned()])));
        assert_eq!(deny.conditions[0].operator.to_string(), "BoolIfExists");
        let Selection::Except(exempt) = &deny.actions else {
            panic!("NotAction");
        };
        for action in exempt {
            assert!(
                !action.contains('*') && !action.contains("Delete"),
                "{action}"
            );
            assert_ne!(action, "iam:DeactivateMFADevice");
        }
    }

    #[test]
    fn the_baseline_denies_nothing_and_only_reads() {
        let document = parse(&render_at("break-glass-baseline", "aws", "/break-glass/")).unwrap();
        let size = iam_size(&minified(&document));
        assert!(size < Limits::DOCUMENTED.managed_policy, "{size}");
        for statement in &document.statements {
            assert_eq!(statement.effect, Effect::Allow);
            for action in statement.actions.list() {
                let (_, verb) = action.split_once(':').unwrap();
                let reads = [
                    "BatchGet",
                    "Describe",
                    "FilterLogEvents",
                    "Generate",
                    "Get",
                    "List",
                    "Lookup",
                    "Simulate",
                    "StartQuery",
                    "StopQuery",
                ];
                assert!(reads.iter().any(|read| verb.starts_with(read)), "{action}");
            }
        }
    }
}
