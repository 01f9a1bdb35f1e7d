//! How long the proofs of an organization take: `cargo bench --bench verify`.

use std::collections::BTreeMap;
use std::hint::black_box;

use breakglass::ids::AccountId;
use breakglass::org::Organization;
use breakglass::spec::{Loaded, load_texts};
use breakglass::state::{Guardrails, Inventory};
use breakglass::verify::{Prover, Setting, Verdict};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

const ACCOUNTS: usize = 2_000;
const UNITS: usize = 20;
const GUARDRAILS: usize = 60;
const EMERGENCY: &str = "100000000000";

const SPEC: &str = r#"
version: 1
organization: { id: o-exampleorg1, regions: [eu-central-1, eu-west-1] }
emergency_account: "100000000000"
users:
  - { name: alice, custodians: { password: a, token: b } }
  - { name: bob, custodians: { password: c, token: d } }
roles:
  - name: Admin
    trusted: ["user:alice", "user:bob"]
    must_allow: ["ec2:*", "iam:UpdateAssumeRolePolicy", "s3:GetObject"]
    must_deny: ["cloudtrail:StopLogging"]
  - { name: Network, trusted: ["user:alice", "user:bob"], must_allow: ["ec2:CreateRoute"] }
  - { name: Read, trusted: ["user:alice", "user:bob"] }
"#;

fn document(statements: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn id(number: usize) -> String {
    format!("{:012}", 100_000_000_000 + number)
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

fn organization() -> Option<Organization> {
    let units: serde_json::Map<String, Value> = (0..UNITS)
        .map(|n| {
            (
                format!("ou-root-{n:08}"),
                json!({ "name": format!("unit-{n}"), "parent": "r-root" }),
            )
        })
        .collect();
    let accounts: serde_json::Map<String, Value> = (0..ACCOUNTS)
        .map(|n| {
            let parent = format!("ou-root-{:08}", n % UNITS);
            (
                id(n),
                json!({ "name": format!("account-{n}"), "state": "active", "parent": parent }),
            )
        })
        .collect();
    read(json!({
        "id": "o-exampleorg1", "partition": "aws", "management_account": id(1),
        "units": units, "accounts": accounts,
    }))
}

/// Region locks, quarantines with exemptions and denied services, spread over root and units.
fn guardrails(organization: &Organization) -> Option<Guardrails> {
    let mut nodes: Vec<String> = organization.units.keys().cloned().collect();
    nodes.push("r-root".to_owned());
    let all: Vec<String> = nodes
        .iter()
        .cloned()
        .chain(organization.accounts.keys().map(ToString::to_string))
        .collect();
    let mut policies = serde_json::Map::new();
    let allow = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]);
    policies.insert(
        "p-full".to_owned(),
        json!({ "name": "FullAWSAccess", "kind": "scp", "targets": all, "document": document(allow) }),
    );
    let exempt = json!([
        "arn:aws:iam::*:role/break-glass/*",
        "arn:aws:iam::*:user/break-glass/*"
    ]);
    for n in 0..GUARDRAILS {
        let statement = match n % 3 {
            0 => json!({
                "Sid": "Region", "Effect": "Deny", "NotAction": ["iam:*", "sts:*", "route53:*"], "Resource": "*",
                "Condition": {
                    "StringNotEquals": { "aws:RequestedRegion": ["eu-central-1", "eu-west-1"] },
                    "ArnNotLike": { "aws:PrincipalArn": exempt },
                },
            }),
            1 => json!({
                "Sid": "Services", "Effect": "Deny",
                "Action": [format!("ec2:Create{n}*"), format!("s3:Put{n}*"), "cloudtrail:Stop*"],
                "Resource": [format!("arn:aws:s3:::bucket-{n}/*"), "arn:aws:ec2:*:*:instance/*", "arn:aws:cloudtrail:*"],
                "Condition": { "ArnNotLike": { "aws:PrincipalArn": exempt } },
            }),
            _ => json!({
                "Sid": "Tags", "Effect": "Deny", "Action": ["ec2:RunInstances", "s3:Delete*"], "Resource": "*",
                "Condition": {
                    "Null": { format!("aws:RequestTag/key-{n}"): "true" },
                    "ArnNotLike": { "aws:PrincipalArn": exempt },
                },
            }),
        };
        let rcp = n % 12 == 11;
        let mut statement = statement;
        if rcp {
            statement = json!({
                "Sid": "Organization", "Effect": "Deny", "Principal": "*", "Action": ["sts:AssumeRole", "s3:*"],
                "Resource": "*",
                "Condition": {
                    "StringNotEqualsIfExists": { "aws:PrincipalOrgID": "o-exampleorg1" },
                    "BoolIfExists": { "aws:PrincipalIsAWSService": "false" },
                },
            });
        }
        let target = nodes.get(n % nodes.len());
        policies.insert(
            format!("p-{n}"),
            json!({
                "name": format!("guardrail-{n}"), "kind": if rcp { "rcp" } else { "scp" },
                "targets": [target], "document": document(json!([statement])),
            }),
        );
    }
    read(json!({ "enabled": ["scp", "rcp"], "policies": policies }))
}

fn inventory(account: &str) -> Option<Inventory> {
    let trusted: Vec<String> = ["alice", "bob"]
        .iter()
        .map(|name| format!("arn:aws:iam::{EMERGENCY}:user/break-glass/{name}"))
        .collect();
    let trust = document(json!([{
        "Effect": "Allow", "Principal": { "AWS": trusted }, "Action": "sts:AssumeRole",
        "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } },
    }]));
    let keep = document(json!([{
        "Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*",
    }]));
    let own = document(json!([{
        "Effect": "Deny", "Action": "iam:*", "Resource": format!("arn:aws:iam::{account}:role/untouchable"),
    }]));
    let role = json!({
        "path": "/break-glass/", "trust_policy": trust, "max_session": 3600,
        "managed_policies": ["arn:aws:iam::aws:policy/AdministratorAccess"],
        "inline_policies": { "keep": keep, "own": own },
    });
    let user = json!({
        "path": "/break-glass/",
        "inline_policies": {
            "assume": document(json!([{ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*" }])),
        },
    });
    let users = if account == EMERGENCY {
        json!({ "alice": user, "bob": user })
    } else {
        json!({})
    };
    read(json!({
        "users": users,
        "roles": { "Admin": role, "Network": role, "Read": role },
    }))
}

fn whole_organization(criterion: &mut Criterion) {
    let none = |_: &str, _: &str| Err("no files".to_owned());
    let files = vec![("breakglass.yaml".to_owned(), SPEC.to_owned())];
    let loaded: Option<Loaded> = load_texts(files, &none).ok();
    let organization = organization();
    let (Some(loaded), Some(organization)) = (loaded, organization) else {
        return;
    };
    let guardrails = guardrails(&organization);
    let accounts: BTreeMap<AccountId, Inventory> = organization
        .accounts
        .keys()
        .filter_map(|id| Some((id.clone(), inventory(id.as_str())?)))
        .collect();
    let emergency = accounts.get(&loaded.spec.emergency_account);
    let (Some(guardrails), Some(emergency)) = (guardrails, emergency) else {
        return;
    };
    let prove = || {
        let mut prover = Prover::new(Setting {
            organization: &organization,
            spec: &loaded.spec,
            guardrails: Ok(&guardrails),
            now: jiff::Timestamp::UNIX_EPOCH,
            emergency: Ok(emergency),
        });
        let mut proven = 0;
        for (id, live) in &accounts {
            let results = prover.prove(id, Ok(live), &[0, 1, 2]);
            let good = results.iter().filter(|one| one.verdict == Verdict::Proven);
            proven += good.count();
        }
        (proven, prover.situations())
    };
    let (proven, situations) = prove();
    let mut group = criterion.benchmark_group("verify");
    group.sample_size(10);
    group.bench_function(
        format!("{ACCOUNTS} accounts, {GUARDRAILS} guardrails, 3 roles: {proven} proven in {situations} situations"),
        |bencher| bencher.iter(|| black_box(prove())),
    );
    group.finish();
}

criterion_group!(benches, whole_organization);
criterion_main!(benches);
