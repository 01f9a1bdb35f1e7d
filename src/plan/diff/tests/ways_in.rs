//! Ways in that live alone has: what is told of those that rest on what they should survive, or that are dead.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{have_role, only_change, role, trust, want_role};
use crate::state::{Paths, PolicyText};

#[test]
fn a_way_in_that_only_live_has_is_told_by_what_is_wrong_with_it() {
    let saml = "arn:aws:iam::111122223333:saml-provider/okta";
    let centre =
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_01";
    let cases = [
        (
            json!({ "AWS": "AIDAEXAMPLEEXAMPLE123" }),
            "dangling: AIDAEXAMPLEEXAMPLE123 is the id of a user that was deleted",
        ),
        (
            json!({ "AWS": "AROAEXAMPLEEXAMPLE123" }),
            "is the id of a role that was deleted",
        ),
        (
            json!({ "Federated": saml }),
            "relies on the SAML provider arn:aws:iam::111122223333:saml-provider/okta, so it is not sure to survive identity_provider_down",
        ),
        (json!({ "AWS": centre }), "relies on IAM Identity Center"),
        (
            json!({ "AWS": "arn:aws:iam::111122223333:role/ci" }),
            "it is a chained hop",
        ),
    ];
    let mut desired = want_role(role());
    desired.paths = Paths {
        failure_modes: BTreeMap::from([("Admin".to_owned(), "identity_provider_down".to_owned())]),
        fido_only: BTreeSet::new(),
    };
    for (principal, expected) in cases {
        let chained = principal["AWS"]
            .as_str()
            .is_some_and(|arn| arn.contains(":role/"));
        for mfa in [false, true] {
            let mut statement =
                json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
            if mfa {
                statement["Condition"] =
                    json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
            }
            let text = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
            let live = crate::state::Role {
                trust_policy: PolicyText::new(text),
                ..role()
            };
            let change = only_change(&desired, &have_role("Admin", live));
            let reason = change.reason.unwrap_or_default();
            assert!(reason.contains(expected), "{reason}");
            assert_eq!(reason.contains("a dead path"), mfa && chained, "{reason}");
        }
    }
    let other_user = crate::state::Role {
        trust_policy: trust("bob", true),
        ..role()
    };
    assert_eq!(
        only_change(&desired, &have_role("Admin", other_user)).reason,
        None
    );
}

#[test]
fn source_identity_is_a_dead_path_for_those_who_have_fido_only() {
    let spec = role();
    let mut document: serde_json::Value = serde_json::from_str(spec.trust_policy.as_str()).unwrap();
    document["Statement"][0]["Condition"]["StringLike"] = json!({ "sts:SourceIdentity": "*" });
    let live = crate::state::Role {
        trust_policy: PolicyText::new(document.to_string()),
        ..role()
    };
    let trusted = document["Statement"][0]["Principal"]["AWS"]
        .as_str()
        .unwrap();
    for (fido_only, told) in [
        (BTreeSet::new(), false),
        (BTreeSet::from([trusted.parse().unwrap()]), true),
    ] {
        let mut desired = want_role(spec.clone());
        desired.paths.fido_only = fido_only;
        let change = only_change(&desired, &have_role("Admin", live.clone()));
        let reason = change.reason.unwrap_or_default();
        assert_eq!(reason.contains("dead path for alice"), told, "{reason}");
    }
}

#[test]
fn a_path_is_dead_when_every_statement_that_names_whoever_takes_it_asks_too_much() {
    let alice = "arn:aws:iam::111122223333:user/break-glass/alice";
    let ci = "arn:aws:iam::111122223333:role/ci";
    let allow = |principal: &str, condition: serde_json::Value| json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole", "Condition": condition });
    let mfa = || json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    let named = || json!({ "StringLike": { "sts:SourceIdentity": "*" } });
    let mut spec = role();
    spec.trust_policy = PolicyText::new(
        json!({ "Version": "2012-10-17", "Statement": [allow(alice, mfa())] }).to_string(),
    );
    let mut desired = want_role(spec);
    desired.paths.fido_only = BTreeSet::from([alice.parse().unwrap()]);
    for (statements, dead_hop, dead_user) in [
        (vec![allow(alice, mfa()), allow(ci, mfa())], true, false),
        (vec![allow(alice, json!({})), allow(ci, mfa())], true, false),
        (vec![allow(ci, json!({})), allow(ci, mfa())], false, false),
        (vec![allow(alice, mfa()), allow(ci, named())], false, false),
        (vec![allow(alice, named()), allow(ci, mfa())], true, true),
        (
            vec![allow(alice, named()), allow(alice, mfa())],
            false,
            false,
        ),
        (
            vec![allow(alice, named()), allow("*", named())],
            false,
            true,
        ),
    ] {
        let document = json!({ "Version": "2012-10-17", "Statement": statements });
        let live = crate::state::Role {
            trust_policy: PolicyText::new(document.to_string()),
            ..role()
        };
        let change = only_change(&desired, &have_role("Admin", live));
        let reason = change.reason.unwrap_or_default();
        let told =
            ["a dead path, because", "a dead path for alice"].map(|text| reason.contains(text));
        assert_eq!(told, [dead_hop, dead_user], "{document} {reason}");
    }
}
