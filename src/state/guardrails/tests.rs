use super::*;
use crate::org::tests::sample;

const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
const DENY_RESOURCES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;

const FULL_SCP: &str = "p-FullAWSAccess";
const FULL_RCP: &str = "p-RCPFullAWSAccess";

/// The guardrails of an organization where only what AWS attaches is attached, to every node of [`sample`].
fn guardrails() -> Guardrails {
    let organization = sample();
    let accounts = organization.accounts.keys().map(ToString::to_string);
    let units = organization.units.keys().cloned();
    let targets: BTreeSet<String> = accounts.chain(units).chain(["r-root".to_owned()]).collect();
    let full = |name: &str, kind| GuardrailPolicy {
        name: name.to_owned(),
        description: String::new(),
        kind,
        aws_managed: true,
        document: PolicyText::new("{}"),
        tags: Tags::new(),
        targets: targets.clone(),
    };
    let policies = [
        (FULL_SCP, full("FullAWSAccess", GuardrailKind::Scp)),
        (FULL_RCP, full("RCPFullAWSAccess", GuardrailKind::Rcp)),
    ];
    Guardrails {
        enabled: GuardrailKind::ALL.into(),
        policies: policies.map(|(id, policy)| (id.to_owned(), policy)).into(),
    }
}

fn create(kind: GuardrailKind, name: &str) -> GuardrailOperation {
    GuardrailOperation::CreatePolicy {
        name: name.to_owned(),
        description: "why".to_owned(),
        kind,
        document: PolicyText::new(match kind {
            GuardrailKind::Scp => DENY,
            GuardrailKind::Rcp => DENY_RESOURCES,
        }),
        tags: Tags::from([("owner".to_owned(), "security".to_owned())]),
    }
}

fn update(id: &str, document: &str) -> GuardrailOperation {
    GuardrailOperation::UpdatePolicy {
        policy: PolicyReference::Id(id.to_owned()),
        document: PolicyText::new(document),
    }
}

fn delete(id: &str) -> GuardrailOperation {
    GuardrailOperation::DeletePolicy {
        policy: PolicyReference::Id(id.to_owned()),
    }
}

fn attach(kind: GuardrailKind, name: &str, target: &str) -> GuardrailOperation {
    GuardrailOperation::Attach {
        policy: PolicyReference::Named {
            kind,
            name: name.to_owned(),
        },
        target: target.to_owned(),
    }
}

fn detach(policy: &str, target: &str) -> GuardrailOperation {
    GuardrailOperation::Detach {
        policy: PolicyReference::Id(policy.to_owned()),
        target: target.to_owned(),
    }
}

#[track_caller]
fn expect_refused(guardrails: &Guardrails, operation: &GuardrailOperation, code: &str) {
    let mut changed = guardrails.clone();
    let refused = changed.apply(operation).unwrap_err().to_string();
    assert!(refused.starts_with(&format!("{code}: ")), "{refused}");
    assert_eq!(changed, *guardrails, "{operation:?}");
}

#[test]
fn a_policy_is_made_attached_changed_and_removed() {
    let before = guardrails();
    let mut guardrails = before.clone();
    for kind in GuardrailKind::ALL {
        guardrails.apply(&create(kind, "deny")).unwrap();
        let (id, policy) = guardrails.named(kind, "deny").unwrap();
        let id = id.to_owned();
        assert!(id.starts_with("p-") && id.len() == 12, "{id}");
        assert!(policy.targets.is_empty() && !policy.aws_managed);
        guardrails.apply(&attach(kind, "deny", "r-root")).unwrap();
        let by_id = GuardrailOperation::Attach {
            policy: PolicyReference::Id(id.clone()),
            target: "333333333333".to_owned(),
        };
        guardrails.apply(&by_id).unwrap();
        let tag = GuardrailOperation::Tag {
            policy: PolicyReference::Id(id.clone()),
            tags: Tags::from([("tier".to_owned(), "1".to_owned())]),
        };
        let untag = GuardrailOperation::Untag {
            policy: PolicyReference::Id(id.clone()),
            keys: BTreeSet::from(["owner".to_owned(), "none".to_owned()]),
        };
        guardrails.apply(&tag).unwrap();
        guardrails.apply(&untag).unwrap();
        let document = match kind {
            GuardrailKind::Scp => DENY.replace("s3", "ec2"),
            GuardrailKind::Rcp => DENY_RESOURCES.replace("s3", "kms"),
        };
        guardrails.apply(&update(&id, &document)).unwrap();
        let expected = GuardrailPolicy {
            name: "deny".to_owned(),
            description: "why".to_owned(),
            kind,
            aws_managed: false,
            document: PolicyText::new(document),
            tags: Tags::from([("tier".to_owned(), "1".to_owned())]),
            targets: BTreeSet::from(["r-root".to_owned(), "333333333333".to_owned()]),
        };
        assert_eq!(guardrails.policies[&id], expected);
        expect_refused(&guardrails, &delete(&id), "PolicyInUseException");
        for target in ["r-root", "333333333333"] {
            guardrails.apply(&detach(&id, target)).unwrap();
        }
        guardrails.apply(&delete(&id)).unwrap();
    }
    assert_eq!(guardrails, before);
}

#[test]
fn an_id_in_use_is_not_given_again() {
    let mut guardrails = guardrails();
    let create = create(GuardrailKind::Scp, "deny");
    guardrails.apply(&create).unwrap();
    let renamed = guardrails.named(GuardrailKind::Scp, "deny").unwrap();
    let id = renamed.0.to_owned();
    guardrails.policies.get_mut(&id).unwrap().name = "other".to_owned();
    guardrails.apply(&create).unwrap();
    assert_eq!(guardrails.policies.len(), 4);
}

#[test]
fn what_organizations_refuses_is_refused() {
    let mut guardrails = guardrails();
    let (scp, rcp) = (GuardrailKind::Scp, GuardrailKind::Rcp);
    guardrails.apply(&create(scp, "deny")).unwrap();
    guardrails.apply(&attach(scp, "deny", "r-root")).unwrap();
    let id = guardrails.named(scp, "deny").unwrap().0.to_owned();
    let too_large = |resource: &str| DENY.replace("\"*\"", &format!("{resource:?}"));
    let arn = |limit: usize| format!("arn:{}", "x".repeat(limit - DENY.len() - 3));
    for (operation, code) in [
        (create(scp, "deny"), "DuplicatePolicyException"),
        (
            attach(scp, "deny", "r-root"),
            "DuplicatePolicyAttachmentException",
        ),
        (attach(scp, "none", "r-root"), "PolicyNotFoundException"),
        (attach(rcp, "deny", "r-root"), "PolicyNotFoundException"),
        (detach(&id, "ou-root-prod"), "PolicyNotAttachedException"),
        (
            detach(FULL_SCP, "ou-root-prod"),
            "ConstraintViolationException",
        ),
        (detach(FULL_RCP, "ou-root-prod"), "InvalidInputException"),
        (delete(FULL_SCP), "InvalidInputException"),
        (delete("p-none"), "PolicyNotFoundException"),
        (update(FULL_SCP, DENY), "InvalidInputException"),
        (update("p-none", DENY), "PolicyNotFoundException"),
        (
            update(&id, &too_large(&arn(10_241))),
            "ConstraintViolationException",
        ),
        (update(&id, "no JSON"), "MalformedPolicyDocumentException"),
        (
            update(&id, DENY_RESOURCES),
            "MalformedPolicyDocumentException",
        ),
    ] {
        expect_refused(&guardrails, &operation, code);
    }
    let just_right = update(&id, &too_large(&arn(10_240)));
    guardrails.apply(&just_right).unwrap();
    // A name is taken among its own kind only, and the root has another SCP to lose this one.
    guardrails.apply(&create(rcp, "deny")).unwrap();
    guardrails.apply(&detach(FULL_SCP, "r-root")).unwrap();
}

#[test]
fn a_node_has_so_many_policies_of_a_kind_and_no_more() {
    for (kind, limit) in [(GuardrailKind::Scp, 10), (GuardrailKind::Rcp, 5)] {
        let mut guardrails = guardrails();
        for number in 1..limit {
            let name = number.to_string();
            guardrails.apply(&create(kind, &name)).unwrap();
            guardrails.apply(&attach(kind, &name, "r-root")).unwrap();
        }
        guardrails.apply(&create(kind, "more")).unwrap();
        let more = attach(kind, "more", "r-root");
        expect_refused(&guardrails, &more, "ConstraintViolationException");
        let elsewhere = attach(kind, "more", "ou-root-prod");
        guardrails.apply(&elsewhere).unwrap();
    }
}

#[test]
fn a_kind_that_is_not_enabled_takes_nothing() {
    let mut guardrails = guardrails();
    guardrails.enabled.remove(&GuardrailKind::Rcp);
    let create = create(GuardrailKind::Rcp, "deny");
    expect_refused(&guardrails, &create, "PolicyTypeNotEnabledException");
}

#[test]
fn the_levels_of_an_account_begin_at_the_root() {
    let organization = sample();
    let mut guardrails = guardrails();
    let scp = GuardrailKind::Scp;
    for (name, target) in [
        ("on-root", "r-root"),
        ("on-unit", "ou-root-prod"),
        ("on-account", "333333333333"),
        ("elsewhere", "ou-root-sand"),
    ] {
        guardrails.apply(&create(scp, name)).unwrap();
        guardrails.apply(&attach(scp, name, target)).unwrap();
    }
    let told = |node: &str, kind| {
        let levels = guardrails.levels(&organization, node, kind)?;
        let levels = levels.into_iter().map(|level| {
            let mut names: Vec<_> = level.policies.values().map(|policy| &policy.name).collect();
            names.sort();
            format!("{} {names:?}", level.node)
        });
        Some(levels.collect::<Vec<_>>())
    };
    assert_eq!(
        told("333333333333", scp).unwrap(),
        [
            r#"r-root ["FullAWSAccess", "on-root"]"#,
            r#"ou-root-work ["FullAWSAccess"]"#,
            r#"ou-root-prod ["FullAWSAccess", "on-unit"]"#,
            r#"333333333333 ["FullAWSAccess", "on-account"]"#,
        ]
    );
    assert_eq!(
        told("ou-root-sand", GuardrailKind::Rcp).unwrap(),
        [
            r#"r-root ["RCPFullAWSAccess"]"#,
            r#"ou-root-sand ["RCPFullAWSAccess"]"#,
        ]
    );
    assert_eq!(told("r-root", scp).unwrap().len(), 1);
    assert_eq!(told("999999999999", scp), None);
}

#[test]
fn what_a_file_holds_is_what_was_written() {
    let mut guardrails = guardrails();
    for kind in GuardrailKind::ALL {
        guardrails.apply(&create(kind, "deny")).unwrap();
    }
    let json = serde_json::to_string(&guardrails).unwrap();
    assert_eq!(
        serde_json::from_str::<Guardrails>(&json).unwrap(),
        guardrails
    );
    let operation = attach(GuardrailKind::Rcp, "deny", "r-root");
    let json = serde_json::to_value(&operation).unwrap();
    let expected = serde_json::json!({ "attach": {
        "policy": { "named": { "kind": "rcp", "name": "deny" } },
        "target": "r-root",
    } });
    assert_eq!(json, expected);
}
