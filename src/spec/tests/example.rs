//! The contract's example, and what belongs to every spec: digest, merging, schema, values that print back.

use serde_json::{Value, json};

use super::*;

#[test]
fn the_contracts_example_loads_without_a_word() {
    let loaded = load_text(EXAMPLE).unwrap_or_else(|error| panic!("{}", error.render(false)));
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let spec = &loaded.spec;
    assert_eq!(
        spec.organization.member_role.apply,
        "OrganizationAccountAccessRole"
    );
    assert_eq!(spec.users().len(), 2);
    let [user, _] = spec.users() else { panic!() };
    assert_eq!(
        user.custodians.as_ref().unwrap().password.recipients.len(),
        1
    );
    assert_eq!(
        user.mfa.as_ref().unwrap().kinds,
        [MfaKind::Fido2, MfaKind::HardwareTotp]
    );
    let [role] = spec.roles() else { panic!() };
    assert_eq!(role.mfa.max_age, Some(Duration::from_seconds(43_200)));
    assert_eq!(role.trusted[1], Trusted::User("bg-bob".to_owned()));
    assert_eq!(role.permissions.permissions_boundary, None);
    assert_eq!(role.must_allow[0].resource, None);
    assert_eq!(
        role.must_allow[1].context["aws:RequestedRegion"].0,
        ["eu-west-1"]
    );
    assert_eq!(spec.safety.max_removals.get(), 25);
    assert_eq!(spec.ignore[0].expires.to_string(), "2027-01-31");
    let (aws, path) = ("aws".parse().unwrap(), &spec.defaults.path);
    let text = |at: &str| loaded.documents.text(at, &aws, path);
    assert!(
        text("policies.break-glass-baseline")
            .unwrap()
            .starts_with("{\"Version\"")
    );
    let tamper = text("roles[0].permissions.inline_policies.deny-tamper").unwrap();
    assert!(
        tamper.contains("/break-glass/") && !tamper.contains("{partition}"),
        "{tamper}"
    );
    assert_eq!(text("policies.other"), None);
}

#[test]
fn what_is_not_said_is_as_the_contract_says() {
    let text =
        format!("{SMALL}roles: [{{ name: R, trusted: [\"arn:aws:iam::222233334444:user/x\"] }}]");
    let spec = load_text(&text).unwrap().spec;
    assert!(spec.users.is_none() && spec.policies.is_none() && spec.guardrails.is_none());
    assert_eq!(spec.organization.member_role, MemberRole::default());
    assert_eq!(spec.defaults.path.as_str(), "/break-glass/");
    assert_eq!(
        (spec.safety.max_removals.get(), spec.safety.min_users),
        (25, 2)
    );
    let [role] = spec.roles() else { panic!() };
    assert_eq!(role.accounts.include, ["*".parse().unwrap()]);
    assert!(role.mfa.required && role.mfa.max_age.is_none());
    assert_eq!(role.max_session.to_string(), "1h");
}

#[test]
fn places_are_found_by_symbolic_path() {
    let loaded = load_text(EXAMPLE).unwrap();
    let line = |path: &str| {
        let location = loaded.sources.location_of(path).unwrap();
        (location.line, location.column)
    };
    let number = |text: &str| {
        EXAMPLE
            .lines()
            .position(|line| line.contains(text))
            .unwrap()
            + 1
    };
    assert_eq!(line("roles[0].trusted[1]"), (number("trusted:"), 32));
    assert_eq!(line("roles[0].trusted[7]"), (number("trusted:"), 5));
    assert_eq!(line("roles[0]"), (number("name: BreakGlassAdmin"), 5));
    assert_eq!(
        line("policies.break-glass-baseline"),
        (number("break-glass-baseline: {"), 3)
    );
    assert_eq!(
        line("policies.break-glass-baseline.path"),
        (number("break-glass-baseline: {"), 3)
    );
    assert_eq!(
        line("users[0].custodians.token"),
        (number("token: \"operations safe\""), 14)
    );
    assert_eq!(line("nowhere"), (1, 1));
    assert_eq!(entry("a", "b.c\"d"), "a[\"b.c\\\"d\"]");
}

#[test]
fn keys_with_dots_keep_their_places() {
    let text = format!("{SMALL}policies:\n  a.b[0]: {{ library: nothing }}\n");
    assert!(
        told(&text)[2].starts_with("error 5:22 "),
        "{:?}",
        told(&text)
    );
}

#[test]
fn the_digest_is_that_of_the_meaning() {
    let digest = |files: &[(&str, &str)]| {
        load_all(files)
            .unwrap_or_else(|error| panic!("{}", error.render(false)))
            .digest
    };
    let whole = digest(&[("a.yaml", EXAMPLE)]);
    assert!(whole.starts_with("sha256:") && whole.len() == 71, "{whole}");
    let without_comments: String = EXAMPLE
        .lines()
        .map(|line| line.split(" #").next().unwrap().trim_end().to_owned() + "\n")
        .collect();
    assert_eq!(digest(&[("a.yaml", &without_comments)]), whole);
    let swapped = EXAMPLE.replace(
        "{ at_least: 2, kinds: [fido2, hardware_totp],",
        "{ kinds: [fido2, hardware_totp], at_least: 2,",
    );
    assert_ne!(swapped, EXAMPLE);
    assert_eq!(digest(&[("a.yaml", &swapped)]), whole);
    let explicit = EXAMPLE.replace("    max_session: 1h\n", "    max_session: 60m\n");
    assert_eq!(digest(&[("a.yaml", &explicit)]), whole);
    let (head, tail) = EXAMPLE.split_at(EXAMPLE.find("roles:\n").unwrap());
    assert_eq!(digest(&[("a.yaml", head), ("b.yaml", tail)]), whole);
    assert_eq!(digest(&[("b.yaml", tail), ("a.yaml", head)]), whole);
    let on_one_line = BASELINE.replace('\n', " ");
    let inline = EXAMPLE.replace(
        "{ file: policies/break-glass-baseline.json }",
        &format!("{{ document: {on_one_line} }}"),
    );
    assert_eq!(digest(&[("a.yaml", &inline)]), whole);
    let longer = EXAMPLE.replace("    max_session: 1h\n", "    max_session: 2h\n");
    assert_ne!(digest(&[("a.yaml", &longer)]), whole);
    let other_text = inline.replace("organizations:List*", "organizations:ListRoots");
    assert_ne!(digest(&[("a.yaml", &other_text)]), whole);
    let absent = SMALL.to_owned();
    let empty = format!("{SMALL}roles: []");
    assert_ne!(digest(&[("a", &absent)]), digest(&[("a", &empty)]));
}

#[test]
fn users_in_two_files_have_one_digest_whatever_the_order() {
    let user = |name: &str| {
        format!("users: [{{ name: {name}, custodians: {{ password: a, token: b }} }}]")
    };
    let (a, b) = (
        format!("{SMALL}{}", user("ann")),
        format!("version: 1\n{}", user("ben")),
    );
    let one = load_all(&[("a", &a), ("b", &b)]).unwrap();
    let two = load_all(&[("b", &b), ("a", &a)]).unwrap();
    assert_eq!(one.spec.users().len(), 2);
    assert_eq!(one.digest, two.digest);
    assert_eq!(one.sources.location_of("users[1].name").unwrap().file, "b");
}

#[test]
fn what_is_written_reads_back() {
    let spec = load_text(EXAMPLE).unwrap().spec;
    let text = serde_json::to_string_pretty(&spec).unwrap();
    let again = load_text(&text)
        .unwrap_or_else(|error| panic!("{}", error.render(false)))
        .spec;
    assert_eq!(
        serde_json::to_value(&again).unwrap(),
        serde_json::to_value(&spec).unwrap()
    );
    let written = serde_json::to_value(&spec).unwrap();
    assert_eq!(
        written["users"][0]["custodians"]["token"],
        json!("operations safe")
    );
    assert_eq!(
        written["roles"][0]["must_allow"][0],
        json!("organizations:UpdatePolicy")
    );
    assert_eq!(written["safety"]["max_removals"], json!("25%"));
}

#[test]
fn durations_print_their_shortest_form() {
    for (text, seconds, printed) in [
        ("1h", 3_600, "1h"),
        ("60m", 3_600, "1h"),
        ("90d", 7_776_000, "90d"),
        ("24h", 86_400, "1d"),
        ("90s", 90, "90s"),
        ("0d", 0, "0s"),
    ] {
        let duration: Duration = text.parse().unwrap();
        assert_eq!(
            (duration.seconds(), duration.to_string().as_str()),
            (seconds, printed)
        );
    }
    for wrong in [
        "",
        "h",
        "1",
        "1 h",
        "1.5h",
        "-1h",
        "1w",
        "1H",
        "99999999999999999999d",
        "300000000000000000d",
    ] {
        assert!(wrong.parse::<Duration>().is_err(), "{wrong}");
    }
    for wrong in ["", "%", "101%", "2.5%", "+5%", "25"] {
        assert!(wrong.parse::<Percent>().is_err(), "{wrong}");
    }
}

/// Reads a text as JSON would be read, without the types.
fn instance(text: &str) -> Value {
    let mut problems = Vec::new();
    let root = node::Builder::default()
        .parse(0, text, &mut problems)
        .unwrap();
    decode::decode(&root, &mut problems).unwrap()
}

#[test]
fn the_schema_takes_the_example_and_nothing_wrong() {
    let schema = json_schema();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["additionalProperties"], json!(false));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let example = instance(EXAMPLE);
    let errors: Vec<String> = validator
        .iter_errors(&example)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let as_written_back = serde_json::to_value(load_text(EXAMPLE).unwrap().spec).unwrap();
    assert!(validator.is_valid(&as_written_back));
    let mut written = example.clone();
    written["organization"]["member_role"] = json!({ "plan": "R", "apply": "W" });
    written["roles"][0]["permissions"]["permissions_boundary"] = Value::Null;
    assert!(validator.is_valid(&written));

    let wrongs: [(&str, Value); 15] = [
        ("/policies/break-glass-baseline/library", json!("x")),
        ("/version", json!(2)),
        ("/version", json!("1")),
        ("/emergency_account", json!(222233334444_u64)),
        ("/organization/id", json!("exampleorg1")),
        ("/organization/overrides", json!({ "12": {} })),
        ("/users/0/consol", json!(true)),
        ("/users/0/mfa", Value::Null),
        ("/users/0/access_keys", json!("some")),
        ("/users/0/custodians/token", json!({ "nam": "x" })),
        ("/roles/0/max_session", json!("1 hour")),
        ("/roles/0/trusted", json!(["bg-alice"])),
        ("/safety/max_removals", json!(25)),
        ("/ignore/0/expires", json!("soon")),
        ("/alerts/notify", json!([{ "mail": "x" }])),
    ];
    for (pointer, value) in wrongs {
        let mut wrong = example.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        wrong.pointer_mut(parent).unwrap()[key] = value;
        assert!(!validator.is_valid(&wrong), "{pointer}");
    }
}

#[test]
fn every_property_of_the_schema_is_described() {
    fn visit(value: &Value, path: &str) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                let text = property.get("description").and_then(Value::as_str);
                assert!(
                    text.is_some_and(|text| !text.is_empty()),
                    "{path}.{name} has no description"
                );
            }
        }
        match value {
            Value::Object(members) => members
                .iter()
                .for_each(|(key, value)| visit(value, &format!("{path}.{key}"))),
            Value::Array(elements) => elements.iter().for_each(|value| visit(value, path)),
            _ => {}
        }
    }
    visit(&json_schema(), "");
}
