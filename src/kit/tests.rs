use std::collections::BTreeMap;

use super::*;
use crate::ids::AccountId;
use crate::org::{Account, AccountState};
use crate::spec::load_texts;

const SPEC: &str = r#"
version: 1
organization: { id: o-exampleorg1, regions: [eu-west-1, ap-south-1] }
emergency_account: "222222222222"
users:
  - { name: bg-alice, custodians: { password: "<script>alert(1)</script> | a", token: b }, mfa: { at_least: 2, kinds: [fido2, hardware_totp] } }
  - { name: bg-bob, custodians: { password: c, token: d }, access_keys: vaulted }
  - { name: bg-eve, custodians: { password: e, token: f }, console: false }
roles:
  - { name: Admin, failure_mode: identity_provider_down, trusted: ["user:bg-alice", "user:bg-bob"], mfa: { required: true, max_age: 12h } }
  - { name: Named, failure_mode: some_day, trusted: ["user:bg-bob", "arn:aws:iam::999999999999:role/Ops"], incident: { session_name: "INC-*" }, accounts: { include: [emergency] } }
  - { name: Other, path: /break-glass/eu/, trusted: ["user:bg-bob"], accounts: { include: [management] } }
"#;

fn runbook(partition: &str, format: KitFormat) -> String {
    let none = |_: &str, _: &str| Err("no files".to_owned());
    let loaded = load_texts(vec![("breakglass.yaml".to_owned(), SPEC.to_owned())], &none)
        .unwrap_or_else(|error| panic!("{}", error.render(false)));
    let account = |name: &str, state| Account {
        name: name.to_owned(),
        state,
        parent: "r-1".to_owned(),
        tags: None,
    };
    let id = |digit: &str| -> AccountId { digit.repeat(12).parse().unwrap() };
    let organization = Organization {
        id: "o-exampleorg1".to_owned(),
        partition: partition.parse().unwrap(),
        management_account: id("1"),
        units: BTreeMap::new(),
        accounts: BTreeMap::from([
            (id("1"), account("management", AccountState::Active)),
            (id("2"), account("emergency", AccountState::Active)),
            (
                id("3"),
                account("<b>bold</b> & `ticks`", AccountState::Active),
            ),
            (id("4"), account("gone", AccountState::Suspended)),
        ]),
    };
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    kit(
        &loaded,
        &resolver,
        &organization,
        Timestamp::UNIX_EPOCH,
        format,
    )
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = runbook("aws", KitFormat::Html);
    for foreign in [
        "<script", "<img", "<link", "<iframe", " src=", "url(", "@import", "<b>",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; | a"));
    assert!(page.contains("&lt;b&gt;bold&lt;/b&gt; &amp; `ticks`"));
    assert_eq!(page, runbook("aws", KitFormat::Html));
}

#[test]
fn names_are_no_markup_in_markdown_either() {
    let page = runbook("aws", KitFormat::Markdown);
    assert!(
        page.contains("`<b>bold</b>`")
            && page.matches("<b>").count() == page.matches("`<b>").count()
    );
    let rows = page.lines().filter(|line| line.starts_with('|'));
    for row in rows {
        let outside_of_code = row.split("<code>").count() == row.split("</code>").count();
        assert!(outside_of_code && row.ends_with('|'), "{row}");
    }
}

#[test]
fn every_format_tells_who_where_and_how() {
    for format in [KitFormat::Html, KitFormat::Markdown] {
        let page = runbook("aws", format).replace("&amp;", "&");
        for expected in [
            "1970-01-01T00:00:00Z",
            "https://222222222222.signin.aws.amazon.com/console?region=eu-west-1",
            "https://222222222222.signin.aws.amazon.com/console?region=ap-south-1",
            "https://signin.aws.amazon.com/switchrole?account=333333333333&roleName=break-glass/Admin",
            "The identity provider is down",
            "Some day",
            "Anything else",
            "FIDO key or token with codes",
            "INC-*",
            "arn:aws:iam::999999999999:role/Ops",
            "break-glass/eu/Other",
            "none: no console",
            "breakglass close INCIDENT",
        ] {
            assert!(page.contains(expected), "{expected}");
        }
        for absent in [
            "gone",
            "444444444444",
            "roleName=break-glass/Named",
            "gives-up/Long\"",
        ] {
            assert!(!page.contains(absent), "{absent}");
        }
    }
}

#[test]
fn each_partition_has_its_own_addresses() {
    for (partition, sign_in, switch) in [
        (
            "aws-us-gov",
            "https://222222222222.signin.amazonaws-us-gov.com/console?region=eu-west-1",
            "https://signin.amazonaws-us-gov.com/switchrole?account=ACCOUNT&roleName=break-glass/Admin",
        ),
        (
            "aws-cn",
            "https://222222222222.signin.amazonaws.cn/console?region=eu-west-1",
            "https://signin.amazonaws.cn/switchrole?account=ACCOUNT&roleName=break-glass/Admin",
        ),
    ] {
        let page = runbook(partition, KitFormat::Markdown);
        assert!(page.contains(sign_in) && page.contains(switch));
        assert!(page.contains(&format!("arn:{partition}:iam::ACCOUNT:role/ROLE")));
        assert!(!page.contains("aws.amazon.com"));
    }
    let page = runbook("aws-iso", KitFormat::Markdown);
    assert!(!page.contains("https://"), "no address that nobody knows");
}
