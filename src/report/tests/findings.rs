//! The formats that show findings one by one, against what their readers demand.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};
use serde_json::{Value, json};

use super::super::{Format, Style, fixture, render_apply, render_close, render_plan};
use super::super::{render_usage, render_verification};
use crate::audit::Audit;
use crate::close::CloseReport;
use crate::plan::{Kind, Plan};
use crate::verify::Verification;

pub(super) fn rendered(plan: &Plan, format: Format) -> String {
    render_plan(plan, format, Style::default())
}

/// A report of drift with something ignored and something in sync.
fn drift() -> Plan {
    let mut plan = fixture::report(Kind::Drift);
    fixture::ignore(&mut plan, "tags.owner");
    plan.in_sync = vec!["222200000001/iam_user/bg-fine".parse().unwrap()];
    plan
}

fn verification() -> Verification {
    let result = |verdict: &str, findings: Value| {
        json!({
            "address": "111122223333/iam_role/BreakGlassAdmin", "account": "111122223333", "account_name": "prod",
            "role": "BreakGlassAdmin", "source": { "file": "breakglass.yaml", "line": 12 }, "verdict": verdict,
            "proofs": [{ "obligation": "assume", "verdict": verdict, "findings": findings }],
        })
    };
    serde_json::from_value(json!({
        "format_version": "1.0", "kind": "verify", "organization_id": "o-x", "outcome": "findings",
        "spec_digest": "sha256:00", "spec_file": "spec/main.yaml", "created_at": "2026-01-01T00:00:00Z",
        "scope": { "partial": false },
        "summary": { "accounts": 1, "unreadable": 1, "proven": 1, "blocked": 1, "open": 0, "not_proven": 0,
            "missing": 0, "uncovered": 1, "situations": 2 },
        "notes": [],
        "results": [
            result("blocked", json!([{ "verdict": "blocked", "message": "an SCP [denies](it)" }])),
            result("proven", json!([])),
        ],
        "coverage": [{ "address": "111122223333/iam_role/BreakGlassAdmin", "account": "111122223333",
            "account_name": "prod", "role": "BreakGlassAdmin", "verdict": "blocked" }],
        "exempt": [{ "account": "222222222222", "account_name": "sandbox", "reason": "throw-away" }],
        "unreadable": [{ "account": "333333333333", "account_name": "lost", "error": "AccessDenied" }],
        "guardrails_unknown": "AccessDenied",
        "skipped": [],
    }))
    .unwrap()
}

fn audit() -> Audit {
    let one = |id: &str| {
        json!({
            "id": id, "principal": { "kind": "user", "account": "333300000000", "name": "bg-alice" }, "who": "bg-alice",
            "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T01:00:00Z", "mfa": "yes", "addresses": [],
            "agents": [], "regions": [], "entries": 1, "calls": 1, "writes": 0, "failed": 0, "actions": [],
        })
    };
    serde_json::from_value(json!({
        "format_version": "1.0", "kind": "usage", "organization_id": "o-x", "outcome": "incomplete",
        "spec_digest": "sha256:00", "created_at": "2026-01-01T00:00:00Z",
        "source": { "files": { "files": 1, "skipped": 0 } },
        "summary": { "records": 2, "uses": 2, "matched": 1, "refused": 0, "findings": 1 },
        "notes": ["a note"],
        "findings": [{ "code": "no_incident", "severity": "high", "at": "2026-01-01T00:00:00Z", "use": "u1",
            "account": "333300000000", "message": "bg-alice was used without an incident" }],
        "uses": [one("u1"), one("u2")],
        "tampering": [],
        "unreadable": [{ "source": "logs/x.json", "error": "not JSON" }],
    }))
    .unwrap()
}

pub(super) fn closing() -> CloseReport {
    let step = |status: &str| {
        json!({ "step": "password", "account": "333300000000", "account_name": "emergency", "name": status,
            "status": status })
    };
    let mut report: CloseReport = serde_json::from_value(json!({
        "format_version": "1.0", "kind": "close", "organization_id": "o-x", "incident": "INC-1",
        "created_at": "2026-01-01T00:00:00Z", "outcome": "partial",
        "steps": [step("failed"), step("done"), step("manual")],
        "exceptions": [{ "id": "lock", "source": { "file": "breakglass.yaml", "line": 3 } }],
    }))
    .unwrap();
    report.drift = Some(drift());
    report
}

/// Every kind of report in a format.
pub(super) fn all(format: Format) -> Vec<String> {
    let style = Style::default();
    vec![
        rendered(&drift(), format),
        rendered(&fixture::report(Kind::Plan), format),
        rendered(&fixture::in_sync(Kind::Drift), format),
        render_apply(&fixture::applied(), format, style),
        render_verification(&verification(), format, style),
        render_usage(&audit(), format, style),
        render_close(&closing(), format, style),
    ]
}

/// Reads a SARIF log, and checks it against the schema of OASIS and what GitHub demands beyond that.
pub(super) fn sarif(text: &str) -> Value {
    let schema: Value = serde_json::from_str(include_str!("sarif-2.1.0.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let log: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let mut known = BTreeSet::new();
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let fingerprint = &result["partialFingerprints"]["primaryLocationLineHash"];
        assert!(
            known.insert(fingerprint.as_str().unwrap().to_owned()),
            "{result}"
        );
    }
    log
}

#[test]
fn sarif_keeps_to_its_schema_whatever_is_reported() {
    let logs: Vec<Value> = all(Format::Sarif).iter().map(|text| sarif(text)).collect();
    let counts: Vec<usize> = logs
        .iter()
        .map(|log| log["runs"][0]["results"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [15, 14, 0, 5, 4, 2, 18]);
    let complete: Vec<bool> = logs
        .iter()
        .map(|log| {
            log["runs"][0]["invocations"][0]["executionSuccessful"]
                .as_bool()
                .unwrap()
        })
        .collect();
    assert_eq!(complete, [false, false, true, false, false, false, false]);
    let place = |log: usize, rule: &str| {
        let results = logs[log]["runs"][0]["results"].as_array().unwrap();
        let result = results
            .iter()
            .find(|result| result["ruleId"] == rule)
            .unwrap();
        result["locations"][0]["physicalLocation"].clone()
    };
    let at = |file: &str, line: usize| json!({ "artifactLocation": { "uri": file, "uriBaseId": "%SRCROOT%" }, "region": { "startLine": line } });
    assert_eq!(place(0, "missing"), at("breakglass.yaml", 42));
    assert_eq!(place(4, "verify/blocked"), at("breakglass.yaml", 12));
    assert_eq!(place(4, "unreadable"), at("spec/main.yaml", 1));
}

#[test]
fn a_result_knows_its_account_and_stays_the_same_when_the_spec_moves() {
    let mut moved = drift();
    for change in &mut moved.changes {
        if let Some(source) = &mut change.source {
            source.line += 7;
        }
    }
    let identities = |plan: &Plan| -> Vec<Value> {
        let log = sarif(&rendered(plan, Format::Sarif));
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results
            .iter()
            .map(|result| {
                json!([
                    result["partialFingerprints"],
                    result["properties"]["account"]
                ])
            })
            .collect()
    };
    assert_eq!(identities(&drift()), identities(&moved));
    let log = sarif(&rendered(&drift(), Format::Sarif));
    let results = log["runs"][0]["results"].as_array().unwrap().clone();
    insta::assert_snapshot!(format!("{:#}", results[0]), @r#"
    {
      "ruleId": "changed",
      "level": "error",
      "message": {
        "text": "iam_role BreakGlassAdmin in prod-pay (111122223333): differs: trust_policy, max_session: 12h → 1h, tags.owner; live allows more than the spec; for example, assuming the role without MFA: allowed by the live policy, not by the spec"
      },
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "breakglass.yaml",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "startLine": 28
            }
          },
          "logicalLocations": [
            {
              "fullyQualifiedName": "111122223333/iam_role/BreakGlassAdmin",
              "kind": "resource"
            }
          ]
        }
      ],
      "partialFingerprints": {
        "primaryLocationLineHash": "08350c8d80e40d5ed0585826ab3a854cdb6eb10465d1f65ff533dba5c03c7118:1",
        "breakglassAddress/v1": "08350c8d80e40d5ed0585826ab3a854cdb6eb10465d1f65ff533dba5c03c7118"
      },
      "properties": {
        "account": "111122223333",
        "accountName": "prod-pay",
        "address": "111122223333/iam_role/BreakGlassAdmin",
        "risk": "critical",
        "access": "narrower",
        "action": "update",
        "fields": [
          "trust_policy",
          "max_session",
          "tags.owner"
        ]
      },
      "ruleIndex": 0
    }
    "#);
}

/// Checks JUnit XML as `junit-10.xsd` of Jenkins' xUnit plugin describes it, and that the counts are right.
pub(super) fn junit(text: &str) -> (usize, usize, usize, usize) {
    let document = Document::parse(text).unwrap();
    let root = document.root_element();
    check(
        root,
        "testsuites",
        &[],
        &["name", "time", "tests", "failures", "errors"],
    );
    let suites: Vec<Node<'_, '_>> = elements(root);
    assert_eq!(suites.len(), 1);
    let suite = suites[0];
    let optional = [
        "group",
        "time",
        "skipped",
        "timestamp",
        "hostname",
        "id",
        "package",
        "file",
        "log",
        "url",
    ];
    check(
        suite,
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &optional,
    );
    let mut counts = (0, 0, 0, 0);
    for element in elements(suite) {
        if element.tag_name().name() == "properties" {
            check(element, "properties", &[], &[]);
            for property in elements(element) {
                check(property, "property", &["name", "value"], &[]);
            }
            continue;
        }
        check(
            element,
            "testcase",
            &["name"],
            &["time", "classname", "group"],
        );
        counts.0 += 1;
        let outcomes = elements(element);
        assert!(outcomes.len() <= 1);
        for outcome in outcomes {
            let name = outcome.tag_name().name();
            check(outcome, name, &[], &["type", "message"]);
            match name {
                "failure" => counts.1 += 1,
                "error" => counts.2 += 1,
                "skipped" => counts.3 += 1,
                other => panic!("{other}"),
            }
        }
    }
    let said = |name: &str| suite.attribute(name).unwrap().parse::<usize>().unwrap();
    assert_eq!(
        counts,
        (
            said("tests"),
            said("failures"),
            said("errors"),
            said("skipped")
        )
    );
    counts
}

fn elements<'a, 'b>(node: Node<'a, 'b>) -> Vec<Node<'a, 'b>> {
    node.children().filter(Node::is_element).collect()
}

fn check(node: Node<'_, '_>, name: &str, required: &[&str], optional: &[&str]) {
    assert_eq!(node.tag_name().name(), name);
    let attributes: Vec<&str> = node
        .attributes()
        .map(|attribute| attribute.name())
        .collect();
    assert!(
        required.iter().all(|name| attributes.contains(name)),
        "{attributes:?}"
    );
    assert!(
        attributes
            .iter()
            .all(|name| required.contains(name) || optional.contains(name)),
        "{attributes:?}"
    );
}

#[test]
fn junit_keeps_to_its_schema_whatever_is_reported() {
    let counts: Vec<_> = all(Format::Junit).iter().map(|text| junit(text)).collect();
    assert_eq!(
        counts,
        [
            (16, 13, 1, 1),
            (14, 13, 1, 0),
            (1, 0, 0, 0),
            (14, 3, 1, 1),
            (6, 2, 2, 1),
            (3, 1, 1, 0),
            (20, 16, 1, 1),
        ]
    );
}

#[test]
fn a_case_is_an_account_and_a_resource() {
    let text = rendered(&drift(), Format::Junit);
    let document = Document::parse(&text).unwrap();
    let case = |name: &str| {
        let cases = document
            .descendants()
            .filter(|node| node.has_tag_name("testcase"));
        let case = cases
            .into_iter()
            .find(|case| case.attribute("name") == Some(name))
            .unwrap();
        let outcome = case.first_element_child();
        (
            case.attribute("classname").unwrap(),
            outcome.map(|outcome| outcome.tag_name().name()),
        )
    };
    assert_eq!(case("iam_user/bg-old"), ("333300000000", Some("failure")));
    assert_eq!(case("iam_user/bg-fine"), ("222200000001", None));
    assert_eq!(
        case("iam_role/BreakGlassIgnored"),
        ("111122223333", Some("skipped"))
    );
    assert_eq!(case("account"), ("444455556666", Some("error")));
}

#[test]
fn what_is_ignored_is_told_apart_from_what_is_not() {
    let mut plan = drift();
    let role = plan.changes[0].address.clone();
    plan.ignored[0].address = role.clone();
    let log = sarif(&rendered(&plan, Format::Sarif));
    let results = log["runs"][0]["results"].as_array().unwrap();
    let suppressed: Vec<&Value> = results
        .iter()
        .filter(|result| result.get("suppressions").is_some())
        .collect();
    let [result] = &suppressed[..] else {
        panic!("{suppressed:?}")
    };
    assert_eq!(result["level"], "note");
    assert_eq!(
        result["properties"]["address"],
        format!("{role}:tags.owner")
    );
    let suppression = &result["suppressions"][0];
    assert_eq!(suppression["kind"], "external");
    assert_eq!(
        suppression["justification"],
        "theirs (ops, until 2027-01-31)"
    );
    let place = &suppression["location"]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], 79);
    let junit = rendered(&plan, Format::Junit);
    assert!(junit.contains(":tags.owner\">"), "{junit}");
    let github = rendered(&plan, Format::Github);
    assert!(!github.contains("theirs"), "{github}");
}

/// Is a workflow command: its name, its properties and its message.
type Command = (String, Vec<(String, String)>, String);

/// Reads workflow commands back, as the runner does: the command, its properties and its message.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let unescaped = |text: &str| {
        text.replace("%2C", ",")
            .replace("%3A", ":")
            .replace("%0A", "\n")
            .replace("%0D", "\r")
            .replace("%25", "%")
    };
    text.lines()
        .map(|line| {
            let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            let (name, properties) = head.split_once(' ').unwrap();
            let properties = properties.split(',').map(|property| {
                let (key, value) = property.split_once('=').unwrap();
                (key.to_owned(), unescaped(value))
            });
            (name.to_owned(), properties.collect(), unescaped(message))
        })
        .collect()
}

#[test]
fn annotations_stay_within_the_limits_and_name_what_is_left_out() {
    let mut plan = drift();
    let changes = plan.changes.clone();
    plan.changes = (0..30)
        .flat_map(|number| {
            changes.iter().cloned().map(move |mut change| {
                change.address.name = format!("{}-{number:02}", change.name);
                change
            })
        })
        .collect();
    let text = rendered(&plan, Format::Github);
    let commands = commands(&text);
    for level in ["error", "warning", "notice"] {
        let own: Vec<_> = commands
            .iter()
            .filter(|(name, _, _)| name == level)
            .collect();
        assert!(own.len() <= 10, "{level}: {}", own.len());
    }
    let (_, _, last) = commands
        .iter()
        .rfind(|(name, _, _)| name == "error")
        .unwrap();
    assert!(
        last.contains("more not shown here") && last.contains("iam_"),
        "{last}"
    );
}

#[test]
fn annotations_say_the_same_of_many_accounts_once() {
    insta::assert_snapshot!(rendered(&drift(), Format::Github), @r#"
    ::error title=breakglass drift::incomplete: 1 of 12 accounts could not be read, so nothing is known of it; unreadable is not in sync
    ::error file=breakglass.yaml,line=28,title=iam_role BreakGlassAdmin::prod-pay (111122223333): differs: trust_policy, max_session: 12h → 1h, tags.owner; live allows more than the spec; for example, assuming the role without MFA: allowed by the live policy, not by the spec
    ::error file=breakglass.yaml,line=28,title=iam_policy break-glass-baseline::lab (222200000003): differs: path: / → /break-glass/, document; live allows other things than the spec; blocked: it lies at path / and IAM can't move a policy: keep that path in the spec, or detach and delete it by hand; it exists and is not managed: this adopts it
    ::error file=breakglass.yaml,line=28,title=iam_role BreakGlassAdmin::dev-a, dev-b and 6 more: differs: managed_policies −1 +1, inline_policies.leftover (only live); live allows more than the spec
    ::error title=iam_user bg-old::emergency (333300000000): extra: only live has it; live allows more than the spec; managed, but the spec does not ask for it in this account
    ::error title=account::legacy (444455556666): could not be read: AccessDenied: sts:AssumeRole on arn:aws:iam::444455556666:role/OrganizationAccountAccessRole
    ::warning file=breakglass.yaml,line=28,title=credential bg-alice::emergency (333300000000): by hand; it has no password yet: `breakglass credentials issue bg-alice` seals one to its custodian
    ::warning file=breakglass.yaml,line=42,title=iam_role BreakGlassAudit::tools (222200000008): missing: only the spec has it; live allows less than the spec
    "#);
    for text in all(Format::Github) {
        assert!(!commands(&text).is_empty());
    }
}

#[test]
fn lines_hold_all_that_the_value_holds() {
    let plan = drift();
    let text = rendered(&plan, Format::Ndjson);
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["type"], "version");
    assert_eq!(lines[0]["kind"], "drift");
    let mut whole = lines.last().unwrap().clone();
    assert_eq!(whole["type"], "outcome");
    whole.as_object_mut().unwrap().remove("type");
    for line in &lines[1..lines.len() - 1] {
        let mut element = line.clone();
        let members = element.as_object_mut().unwrap();
        let of_type = members.remove("type").unwrap();
        if let Some(own) = members.remove("resource_type") {
            members.insert("type".to_owned(), own);
        }
        let list = match of_type.as_str().unwrap() {
            "note" => {
                element = element["text"].clone();
                "notes"
            }
            "gate" => "gates",
            "change" => "changes",
            "in_sync" => {
                element = element["text"].clone();
                "in_sync"
            }
            other => other,
        }
        .to_owned();
        let list = whole
            .as_object_mut()
            .unwrap()
            .entry(list)
            .or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(element);
    }
    assert_eq!(serde_json::from_value::<Plan>(whole).unwrap(), plan);
    for text in all(Format::Ndjson) {
        let types: Vec<String> = text
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["type"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(
            (
                types.first().unwrap().as_str(),
                types.last().unwrap().as_str()
            ),
            ("version", "outcome")
        );
    }
}
