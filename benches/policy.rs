//! How long the policy engines take: `cargo bench --bench policy`.

use std::hint::black_box;

use breakglass::policy::evaluate::wire;
use breakglass::policy::{compare_line, parse};
use criterion::{Criterion, criterion_group, criterion_main};

/// Writes a pair of documents as a line.
fn pair(old: &str, new: &str) -> String {
    format!(r#"{{"id":1,"old":{old},"new":{new}}}"#)
}

fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn trust(condition: &str) -> String {
    document(&format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":["arn:aws:iam::222233334444:user/break-glass/bg-alice",
        "arn:aws:iam::222233334444:user/break-glass/bg-bob"]}},"Action":"sts:AssumeRole"{condition}}}"#
    ))
}

/// A Deny of all but some actions and roles, as guardrails have it.
fn region_lock(roles: usize) -> String {
    let roles: Vec<String> = (0..roles)
        .map(|n| format!(r#""arn:aws:iam::{n:012}:role/break-glass/BreakGlassAdmin""#))
        .collect();
    document(&format!(
        r#"{{"Sid":"Region","Effect":"Deny","NotAction":["iam:*","sts:*","organizations:*","support:*"],"Resource":"*",
        "Condition":{{"StringNotEquals":{{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}},
        "ArnNotLike":{{"aws:PrincipalArn":[{}]}}}}}}"#,
        roles.join(",")
    ))
}

/// Hundreds of patterns with wildcards inside, which overlap in every way.
fn overlapping(count: usize) -> String {
    let letters = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
    let patterns: Vec<String> = (0..count)
        .map(|n| format!(r#""s3:*{}{}*""#, letters(n), letters(n / 26)))
        .collect();
    document(&format!(
        r#"{{"Effect":"Deny","Action":[{}],"Resource":"*"}}"#,
        patterns.join(",")
    ))
}

fn compare(criterion: &mut Criterion) {
    let mfa = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThanEquals":{"aws:MultiFactorAuthAge":"43200"}}"#;
    let cases = [
        (
            "the same, respelt",
            pair(&trust(mfa), &trust(&mfa.replace("\"true\"", "[true]"))),
        ),
        ("MFA lost", pair(&trust(mfa), &trust(""))),
        ("one more exemption", pair(&region_lock(3), &region_lock(4))),
        ("100 exemptions", pair(&region_lock(99), &region_lock(100))),
        (
            "given up at the bound",
            pair(&overlapping(400), &overlapping(399)),
        ),
    ];
    for (name, line) in &cases {
        criterion.bench_function(&format!("diff/{name}"), |bencher| {
            bencher.iter(|| compare_line(black_box(line)));
        });
    }
}

fn evaluate(criterion: &mut Criterion) {
    let allow = document(
        r#"{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"},
        {"Effect":"Deny","Action":"s3:GetObjectAcl","Resource":"*"}"#,
    );
    let full = document(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let simple = format!(
        r#"{{"id":1,"principal":"arn:aws:iam::111122223333:user/ops","action":"s3:GetObject",
        "resource":"arn:aws:s3:::bucket/key","resource_account":"111122223333",
        "context":{{"aws:SourceIp":"10.0.0.1","aws:SecureTransport":"true","aws:RequestedRegion":"eu-west-1"}},
        "identity_policies":[{allow}],"service_control_policies":[[{full}]]}}"#
    )
    .replace('\n', " ");
    let unknown = simple
        .replace("\"eu-west-1\"", "null")
        .replace(&full, &region_lock(3));
    for (name, line) in [("simple", &simple), ("an unknown key", &unknown)] {
        criterion.bench_function(&format!("evaluate/{name}"), |bencher| {
            bencher.iter(|| wire::evaluate_json(black_box(line)));
        });
    }
}

fn read(criterion: &mut Criterion) {
    let text = region_lock(100);
    criterion.bench_function("parse/100 exemptions", |bencher| {
        bencher.iter(|| parse(black_box(&text)));
    });
}

criterion_group!(benches, read, compare, evaluate);
criterion_main!(benches);
