//! SCPs and RCPs, as the AWS backend reads them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{PolicyType, Tag};
use breakglass::cloud::{Cloud as _, ErrorKind, SNAPSHOT_FORMAT, read_snapshot};
use breakglass::state::{GuardrailKind, GuardrailPolicy, Guardrails, PolicyText, Reading, Tags};
use serde_json::{Value, json};

use crate::backend::{CREDENTIALS, isolated, tags};
use crate::harness::{EMERGENCY, Emulator, MANAGEMENT, PROD_PAY};
use crate::small_organization;

pub const FULL_SCP: &str = "p-FullAWSAccess";
pub const FULL_RCP: &str = "p-RCPFullAWSAccess";
pub const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
pub const DENY_RESOURCES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;

/// Both kinds, three levels of units, and more accounts than a page has.
fn description(policy_types: &[&str]) -> Value {
    let many = (0..30).map(|number| json!({ "name": format!("sand-{number}"), "ou": "/Sandbox" }));
    let named = [
        json!({ "name": "prod-pay", "ou": "/Workloads/Prod/Payments", "id": PROD_PAY }),
        json!({ "name": "emergency", "id": EMERGENCY }),
        json!({ "name": "old", "suspended": true }),
    ];
    json!({
        "ous": ["/Workloads/Prod/Payments", "/Sandbox"],
        "accounts": many.chain(named).collect::<Vec<_>>(),
        "policy_types": policy_types,
    })
}

pub const BOTH: [&str; 2] = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"];

impl Emulator {
    /// A client for Organizations, to change things behind the tool's back.
    pub fn organizations(&self) -> Client {
        let config = aws_sdk_organizations::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.url)
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .build();
        Client::from_conf(config)
    }

    /// How often each call to Organizations was made since the last time this was asked.
    pub fn take_counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.take_calls() {
            let (_, name) = call.split_once("organizations:").unwrap();
            *counts.entry(name.to_owned()).or_default() += 1;
        }
        counts
    }
}

/// Makes a policy, attaches it, and gives its id.
pub async fn furnish(
    client: &Client,
    kind: GuardrailKind,
    name: &str,
    tags: &Tags,
    targets: &[&str],
) -> String {
    let (policy_type, document) = match kind {
        GuardrailKind::Scp => (PolicyType::ServiceControlPolicy, DENY),
        GuardrailKind::Rcp => (PolicyType::ResourceControlPolicy, DENY_RESOURCES),
    };
    let tags = tags.iter();
    let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build().unwrap());
    let made = client
        .create_policy()
        .name(name)
        .description(format!("{name} of the organization"))
        .r#type(policy_type)
        // As somebody would write it by hand.
        .content(document.replace("\":", "\": "))
        .set_tags(Some(tags.collect()))
        .send()
        .await
        .unwrap();
    let id = made.policy.unwrap().policy_summary.unwrap().id.unwrap();
    for target in targets {
        let attach = client.attach_policy().policy_id(&id).target_id(*target);
        attach.send().await.unwrap();
    }
    id
}

/// The ids of the root and of the units by their paths, from the top.
struct Nodes {
    root: String,
    units: BTreeMap<String, String>,
    everything: BTreeSet<String>,
}

async fn nodes(emulator: &Emulator) -> Nodes {
    let aws = emulator.connect().await;
    let organization = aws.organization(None, false).await.unwrap();
    let root = organization.root().unwrap().to_owned();
    let units = organization.units.keys();
    let units: BTreeMap<_, _> = units
        .map(|id| (organization.unit_path(id), id.clone()))
        .collect();
    let accounts = organization.accounts.keys().map(ToString::to_string);
    let everything = accounts.chain(units.values().cloned());
    Nodes {
        everything: everything.chain([root.clone()]).collect(),
        root,
        units,
    }
}

/// Furnishes an organization with policies at every level, and gives what shall be read.
async fn furnished(emulator: &Emulator) -> Guardrails {
    let client = emulator.organizations();
    let nodes = nodes(emulator).await;
    let unit = |path: &str| nodes.units[path].as_str();
    let (scp, rcp) = (GuardrailKind::Scp, GuardrailKind::Rcp);
    let payments = unit("/Workloads/Prod/Payments");
    let owned = tags(&[("owner", "security é"), ("breakglass:managed", "true")]);
    let stack = tags(&[("aws:cloudformation:stack-name", "s")]);
    let planned: [(GuardrailKind, &str, Tags, Vec<&str>); 6] = [
        (scp, "deny-leave", owned.clone(), vec![&nodes.root]),
        (scp, "deny-regions", Tags::new(), vec![unit("/Workloads")]),
        (scp, "deny-keys", owned.clone(), vec![payments, PROD_PAY]),
        (scp, "spare", stack, vec![]),
        (rcp, "deny-outsiders", owned, vec![unit("/Workloads/Prod")]),
        (rcp, "deny-keys", Tags::new(), vec![EMERGENCY]),
    ];
    let mut expected = Guardrails {
        enabled: GuardrailKind::ALL.into(),
        policies: BTreeMap::new(),
    };
    for (kind, name, tags, targets) in planned {
        let id = furnish(&client, kind, name, &tags, &targets).await;
        let policy = GuardrailPolicy {
            name: name.to_owned(),
            description: format!("{name} of the organization"),
            kind,
            aws_managed: false,
            document: PolicyText::new(match kind {
                GuardrailKind::Scp => DENY,
                GuardrailKind::Rcp => DENY_RESOURCES,
            }),
            tags,
            targets: targets.into_iter().map(str::to_owned).collect(),
        };
        expected.policies.insert(id, policy);
    }
    let full_scp = DENY.replace("Deny", "Allow").replace("s3:*", "*");
    let full_rcp = DENY_RESOURCES.replace("Deny", "Allow").replace("s3:*", "*");
    for (id, kind, name, description, document) in [
        (
            FULL_SCP,
            scp,
            "FullAWSAccess",
            "Allows access to every operation",
            full_scp,
        ),
        (
            FULL_RCP,
            rcp,
            "RCPFullAWSAccess",
            "Allows access to every resource",
            full_rcp,
        ),
    ] {
        let policy = GuardrailPolicy {
            name: name.to_owned(),
            description: description.to_owned(),
            kind,
            aws_managed: true,
            document: PolicyText::new(document),
            tags: Tags::new(),
            targets: nodes.everything.clone(),
        };
        expected.policies.insert(id.to_owned(), policy);
    }
    expected
}

#[test]
fn they_are_read_back_exactly_in_calls_per_policy() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::start(&description(&BOTH));
        let expected = furnished(&emulator).await;
        let aws = emulator.connect().await;
        emulator.forget_calls();
        assert_eq!(aws.guardrails().await.as_ref(), Ok(&expected));
        // Of the 8 policies, the two that are attached to all 39 nodes take a second page.
        let counts = [
            ("DescribePolicy", 8),
            ("ListPolicies", 2),
            ("ListRoots", 1),
            ("ListTagsForResource", 6),
            ("ListTargetsForPolicy", 10),
        ];
        let counts = counts.map(|(call, count)| (call.to_owned(), count));
        assert_eq!(emulator.take_counts(), BTreeMap::from(counts));

        let organization = aws.organization(None, false).await.unwrap();
        let names = |node: &str, kind| -> Vec<Vec<String>> {
            let levels = expected.levels(&organization, node, kind).unwrap();
            let levels = levels.iter().map(|level| {
                let own = level.policies.values().filter(|policy| !policy.aws_managed);
                own.map(|policy| policy.name.clone()).collect()
            });
            levels.collect()
        };
        assert_eq!(
            names(PROD_PAY, GuardrailKind::Scp),
            [
                vec!["deny-leave"],
                vec!["deny-regions"],
                vec![],
                vec!["deny-keys"],
                vec!["deny-keys"]
            ]
        );
        assert_eq!(
            names(EMERGENCY, GuardrailKind::Rcp),
            [vec![], vec!["deny-keys"]]
        );

        emulator.settings(json!({ "page_size": 1, "empty_pages": true }));
        assert_eq!(aws.guardrails().await.as_ref(), Ok(&expected));
    });
}

#[test]
fn a_kind_that_is_not_enabled_costs_no_call() {
    isolated(CREDENTIALS, async || {
        let mut emulator = Emulator::start(&description(&["SERVICE_CONTROL_POLICY"]));
        let aws = emulator.connect().await;
        emulator.forget_calls();
        let read = aws.guardrails().await.unwrap();
        assert_eq!(read.enabled, BTreeSet::from([GuardrailKind::Scp]));
        assert_eq!(read.policies.keys().collect::<Vec<_>>(), [FULL_SCP]);
        let calls = emulator.calls();
        let others = calls.iter().filter(|call| call.params["Filter"] == BOTH[1]);
        assert_eq!(others.count(), 0);

        emulator.seed(&description(&[]));
        assert_eq!(aws.guardrails().await, Ok(Guardrails::default()));
        let asked = format!("{MANAGEMENT} organizations:ListRoots");
        assert_eq!(emulator.take_calls(), [asked]);
    });
}

#[test]
fn what_can_not_be_read_in_part_is_not_read_at_all() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::start(&description(&BOTH));
        let expected = furnished(&emulator).await;
        let aws = emulator.connect().await;
        for call in [
            "ListRoots",
            "ListPolicies",
            "DescribePolicy",
            "ListTargetsForPolicy",
            "ListTagsForResource",
        ] {
            let call = format!("organizations:{call}");
            emulator.faults(json!([{ "kind": "access_denied", "action": call }]));
            let error = aws.guardrails().await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::AccessDenied);
            assert_eq!(error.call, call);
        }
        // One policy out of many is enough, and a page that gets lost is asked for again.
        let one = expected
            .named(GuardrailKind::Rcp, "deny-outsiders")
            .unwrap();
        let params = json!({ "PolicyId": one.0 });
        let call = "organizations:DescribePolicy";
        emulator.faults(json!([{ "kind": "access_denied", "action": call, "params": params }]));
        assert!(aws.guardrails().await.is_err());
        let lost = ["drop", "half_body", "error500"].map(|kind| {
            json!({ "kind": kind, "action": "organizations:ListTargetsForPolicy", "times": 1 })
        });
        emulator.faults(json!(lost));
        assert_eq!(aws.guardrails().await.as_ref(), Ok(&expected));
        assert_eq!(emulator.fired(), [1, 1, 1]);
    });
}

#[test]
fn a_policy_that_is_deleted_meanwhile_is_gone() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::start(&description(&BOTH));
        let mut expected = furnished(&emulator).await;
        let aws = emulator.connect().await;
        let id = expected.named(GuardrailKind::Scp, "spare").unwrap().0;
        let id = id.to_owned();
        expected.policies.remove(&id);
        for (call, parameter, code) in [
            ("DescribePolicy", "PolicyId", "PolicyNotFoundException"),
            (
                "ListTargetsForPolicy",
                "PolicyId",
                "PolicyNotFoundException",
            ),
            (
                "ListTagsForResource",
                "ResourceId",
                "TargetNotFoundException",
            ),
        ] {
            emulator.faults(json!([{
                "kind": "error",
                "code": code,
                "action": format!("organizations:{call}"),
                "params": { parameter: id },
            }]));
            assert_eq!(aws.guardrails().await.as_ref(), Ok(&expected), "{call}");
            assert_eq!(emulator.fired(), [1]);
        }
    });
}

#[test]
fn a_service_that_throttles_is_read_at_its_own_pace() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::start(&description(&BOTH));
        let expected = furnished(&emulator).await;
        let aws = emulator.connect().await;
        emulator.settings(json!({ "page_size": 3 }));
        let throttled = |call: &str, per_second: usize, at_once: usize| {
            json!({
                "kind": "throttle",
                "action": format!("organizations:{call}"),
                "per_second": per_second,
                "after": at_once,
            })
        };
        emulator.faults(json!([
            throttled("DescribePolicy", 2, 2),
            throttled("ListTargetsForPolicy", 5, 8),
        ]));
        assert_eq!(aws.guardrails().await.as_ref(), Ok(&expected));
        // Those that were under way when the first one was refused, and hardly any after it.
        let refused = emulator.fired();
        let hardly_any = |refused: &u64| (1..=6).contains(refused);
        assert!(refused.iter().all(hardly_any), "{refused:?}");
    });
}

#[test]
fn a_service_that_only_throttles_is_given_up_on() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::start(&json!({ "policy_types": ["SERVICE_CONTROL_POLICY"] }));
        let aws = emulator.connect().await;
        let call = "organizations:DescribePolicy";
        emulator.faults(json!([{ "kind": "throttle", "action": call }]));
        let error = aws.guardrails().await.unwrap_err();
        assert_eq!(
            (error.kind, error.call.as_str()),
            (ErrorKind::Throttled, call)
        );
        // Waits are random, so it is twenty times or for twenty seconds.
        assert!((5..=20).contains(&emulator.fired()[0]));
    });
}

#[test]
fn a_snapshot_holds_them_or_says_why_not() {
    let emulator = small_organization();
    let read = |name: &str| read_snapshot(&emulator.path(name)).unwrap();
    emulator.run(&["snapshot", "--out", "whole.json"]).expect(0);
    let whole = read("whole.json");
    assert_eq!(whole.format_version, SNAPSHOT_FORMAT);
    let Some(Reading::Complete(guardrails)) = &whole.guardrails else {
        panic!("{:?}", whole.guardrails);
    };
    assert_eq!(guardrails.policies.len(), 1);

    let call = "organizations:DescribePolicy";
    emulator.faults(json!([{ "kind": "access_denied", "action": call }]));
    let run = emulator.run(&["snapshot", "--out", "part.json"]).expect(3);
    let told = "unreadable: guardrails: organizations:DescribePolicy: AccessDeniedException: ";
    assert!(run.stderr.contains(told), "{run:?}");
    let part = read("part.json");
    assert_eq!(part.accounts, whole.accounts);
    let Some(Reading::Unreadable { error }) = &part.guardrails else {
        panic!("{:?}", part.guardrails);
    };
    assert!(error.starts_with("organizations:DescribePolicy: AccessDeniedException: "));

    // A copy says the same, and so does one of a snapshot from before there were any.
    let copy = |from: &str, code| {
        let arguments = ["snapshot", "--org", from, "--out", "copy.json"];
        emulator.run(&arguments).expect(code);
        read("copy.json").guardrails
    };
    assert_eq!(copy("whole.json", 0), whole.guardrails);
    assert_eq!(copy("part.json", 3), part.guardrails);
    let mut older: Value = serde_json::from_str(&emulator.read("whole.json")).unwrap();
    older["format_version"] = "1.0".into();
    older.as_object_mut().unwrap().remove("guardrails");
    emulator.write("older.json", &older.to_string());
    assert_eq!(copy("older.json", 0), None);
}
