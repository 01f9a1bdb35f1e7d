//! What an apply does not do unless it is let through by name, and what it never does.

use aws_sdk_iam::Client;
use aws_sdk_iam::error::ProvideErrorMetadata as _;
use breakglass::plan::Plan;
use breakglass::state::OWNERSHIP_TAG;
use serde_json::Value;

use crate::backend::TRUST;
use crate::harness::{EMERGENCY, Emulator, MANAGEMENT, PROD_PAY, Run, SAND, changes};
use crate::{applied_small_organization, small_organization, spec_without_passwords};

const ADMIN: &str = "BreakGlassAdmin";
const READ: &str = "BreakGlassRead";

/// Every class of gates.
const CLASSES: [&str; 6] = [
    "removals", "widen", "drop-mfa", "adopt", "foreign", "lockout",
];

/// Expects these gates to stop an apply, whether it has a saved plan or makes one, and whatever else is let through.
#[track_caller]
pub fn expect_stopped(emulator: &Emulator, allowed: &[&str], gates: &[&str]) {
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    emulator.forget_calls();
    let others = CLASSES.into_iter().filter(|class| !gates.contains(class));
    let others = others.collect::<Vec<_>>().join(",");
    for apply in [
        &["apply", "plan.json"][..],
        &["apply", "--yes"],
        &["apply", "plan.json", "--allow", &others],
    ] {
        let run = emulator.run(&[apply, allowed].concat()).expect(5);
        let (_, told) = run.stderr.split_once("nothing was written\n").unwrap();
        let (told, hint) = told.split_once("\n  hint: ").unwrap();
        let gates_told = told.lines().map(|line| line.trim_start().split(':').next());
        let mut told: Vec<&str> = gates_told.flatten().collect();
        told.sort_unstable();
        assert_eq!(told, gates, "{run:?}");
        let names = gates.join(",");
        assert_eq!(
            hint.trim_end(),
            format!("if that is meant, apply with --allow {names}")
        );
    }
    assert_eq!(emulator.writes(), []);
}

/// Writes the spec with one part of it in other words.
fn rewrite(emulator: &Emulator, from: &str, to: &str) {
    let spec = spec_without_passwords();
    assert!(spec.contains(from));
    emulator.write("breakglass.yaml", &spec.replace(from, to));
}

fn without_read() -> String {
    let spec = spec_without_passwords();
    spec.split_once("  - name: BreakGlassRead")
        .unwrap()
        .0
        .to_owned()
}

async fn make_role(iam: &Client, name: &str) {
    let role = iam.create_role().role_name(name);
    let role = role.assume_role_policy_document(TRUST);
    role.send().await.unwrap();
}

/// Finds what became of one change.
fn result<'a>(report: &'a Value, address: &str) -> &'a Value {
    let mut results = report["results"].as_array().unwrap().iter();
    results.find(|result| result["address"] == address).unwrap()
}

#[test]
fn many_removals_and_a_last_path_are_let_through_by_name_only() {
    let emulator = applied_small_organization();
    emulator.write("breakglass.yaml", &without_read());
    expect_stopped(&emulator, &[], &["lockout", "removals"]);
    expect_stopped(&emulator, &["--allow", "removals"], &["lockout"]);
    expect_stopped(&emulator, &["--allow", "lockout"], &["removals"]);
    let allow = ["apply", "--yes", "--allow", "removals,lockout"];
    emulator.run(&allow).expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn mfa_is_dropped_by_name_only() {
    let emulator = applied_small_organization();
    rewrite(
        &emulator,
        "mfa: { required: true, max_age: 12h }",
        "mfa: { required: false }",
    );
    expect_stopped(&emulator, &[], &["drop-mfa"]);
    emulator
        .run(&["apply", "--yes", "--allow", "drop-mfa"])
        .expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[tokio::test]
async fn a_user_too_many_goes_by_name_only_and_with_everything_it_has() {
    let emulator = applied_small_organization();
    let iam = emulator.iam("emergency").await;
    let bob = "bg-bob";
    let profile = iam.create_login_profile().user_name(bob);
    profile.password("Secret-0123456789").send().await.unwrap();
    let key = iam.create_access_key().user_name(bob);
    key.send().await.unwrap();
    let device = iam.enable_mfa_device().user_name(bob);
    let device = device.serial_number("GAHT12345678");
    let device = device.authentication_code1("123456");
    let device = device.authentication_code2("654321");
    device.send().await.unwrap();

    let spec = spec_without_passwords();
    let (before, rest) = spec.split_once("  - name: bg-bob").unwrap();
    let (_, after) = rest.split_once("policies:").unwrap();
    let spec = format!("{before}policies:{after}").replace(", \"user:bg-bob\"", "");
    emulator.write("breakglass.yaml", &spec);
    expect_stopped(&emulator, &[], &["lockout"]);
    emulator
        .run(&["apply", "--yes", "--allow", "lockout"])
        .expect(0);
    let gone = iam.get_user().user_name(bob).send().await.unwrap_err();
    assert_eq!(gone.code(), Some("NoSuchEntity"));
    emulator.run(&["drift"]).expect(0);
}

/// Makes a role that trusts the management account, below the path of what is managed.
async fn make_managed_role(iam: &Client, name: &str) {
    let role = iam.create_role().role_name(name).path("/break-glass/");
    let role = role.assume_role_policy_document(TRUST);
    role.send().await.unwrap();
}

#[tokio::test]
async fn the_role_that_this_tool_runs_as_goes_by_name_only() {
    let emulator = applied_small_organization();
    make_managed_role(&emulator.iam("management").await, "Deployer").await;
    let role = format!("arn:aws:iam::{MANAGEMENT}:role/break-glass/Deployer");
    let keys = emulator.assume(&role).await;
    let run = |arguments: &[&str]| {
        let mut command = emulator.command(arguments);
        let command = command
            .env("AWS_ACCESS_KEY_ID", keys.access_key_id())
            .env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key())
            .env("AWS_SESSION_TOKEN", keys.session_token());
        Run::of(command.output().unwrap())
    };
    emulator.forget_calls();
    for allowed in [
        &[][..],
        &["--allow", "removals,widen,drop-mfa,adopt,foreign"],
    ] {
        let run = run(&[&["apply", "--yes"], allowed].concat()).expect(5);
        let told = format!("lockout: this tool itself runs as it ({MANAGEMENT}/iam_role/Deployer)");
        assert!(run.stderr.contains(&told), "{run:?}");
    }
    // Whoever made the plan was not the one who applies it.
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let allowed = "removals,widen,drop-mfa,adopt,foreign";
    let refused = run(&["apply", "plan.json", "--allow", allowed]).expect(5);
    assert!(refused.stderr.contains("runs as it"), "{refused:?}");
    assert_eq!(emulator.writes(), []);
    // Whoever runs as somebody else may take it away.
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn the_role_that_accounts_are_entered_by_changes_by_name_only() {
    let emulator = small_organization();
    let role = r#"
  - name: OrganizationAccountAccessRole
    path: /
    accounts: { include: [emergency] }
    trusted: ["user:bg-alice"]
    permissions: { managed_policies: ["arn:aws:iam::aws:policy/AdministratorAccess"] }
"#;
    emulator.write(
        "breakglass.yaml",
        &format!("{}{role}", spec_without_passwords()),
    );
    expect_stopped(&emulator, &[], &["adopt", "lockout"]);
    expect_stopped(&emulator, &["--allow", "adopt"], &["lockout"]);
    let run = emulator
        .run(&["apply", "plan.json", "--allow", "adopt"])
        .expect(5);
    let told = format!("tool enters accounts ({EMERGENCY}/iam_role/OrganizationAccountAccessRole)");
    assert!(run.stderr.contains(&told), "{run:?}");
    // Whoever takes the gates out of a saved plan, and digests it anew, does not get through.
    let mut plan: Plan = serde_json::from_str(&emulator.read("plan.json")).unwrap();
    plan.gates.clear();
    plan.digest = plan.compute_digest();
    emulator.write("plan.json", &serde_json::to_string(&plan).unwrap());
    let run = emulator.run(&["apply", "plan.json"]).expect(5);
    assert!(run.stderr.contains(&told), "{run:?}");
    assert!(run.stderr.contains("--allow adopt,lockout"), "{run:?}");
}

#[tokio::test]
async fn what_is_in_the_way_is_told_and_left_alone() {
    let emulator = small_organization();
    let iam = emulator.iam("prod-pay").await;
    make_role(&iam, ADMIN).await;
    expect_stopped(&emulator, &[], &["adopt"]);
    let (code, report) = emulator.json(&["apply", "--yes", "--allow", "adopt"]);
    assert_eq!((code, &report["outcome"]), (1, &"blocked".into()));
    let address = format!("{PROD_PAY}/iam_role/{ADMIN}");
    let blocked = result(&report, &address);
    assert_eq!(blocked["status"], "blocked");
    let message = blocked["message"].as_str().unwrap();
    assert!(
        message.contains("give it `path: /` in the spec"),
        "{message}"
    );
    let others = report["results"].as_array().unwrap().len() - 1;
    assert_eq!(report["summary"]["done"], others);

    let role = iam.get_role().role_name(ADMIN).send().await.unwrap();
    let role = role.role.unwrap();
    assert_eq!((role.path(), role.tags().len()), ("/", 0));
    let attached = iam.list_attached_role_policies().role_name(ADMIN);
    let attached = attached.send().await.unwrap();
    assert_eq!(attached.attached_policies().len(), 0);
    let inline = iam.list_role_policies().role_name(ADMIN);
    assert_eq!(inline.send().await.unwrap().policy_names().len(), 0);
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!(code, 2);
    let [left] = &changes(&drift)[..] else {
        panic!("{drift}")
    };
    assert!(left.starts_with(&address), "{left}");
}

#[tokio::test]
async fn what_is_where_the_spec_wants_it_is_adopted_by_name_only() {
    let emulator = small_organization();
    let iam = emulator.iam("prod-pay").await;
    make_role(&iam, ADMIN).await;
    let name = "  - name: BreakGlassAdmin\n";
    rewrite(&emulator, name, &format!("{name}    path: /\n"));
    expect_stopped(&emulator, &[], &["adopt"]);
    emulator
        .run(&["apply", "--yes", "--allow", "adopt"])
        .expect(0);
    emulator.run(&["drift"]).expect(0);
    let role = iam.get_role().role_name(ADMIN).send().await.unwrap();
    let role = role.role.unwrap();
    assert_eq!(role.path(), "/");
    let owned = role.tags().iter().any(|tag| tag.key() == OWNERSHIP_TAG);
    assert!(owned);
}

#[tokio::test]
async fn a_policy_that_an_unmanaged_role_uses_stays_and_is_told() {
    let emulator = applied_small_organization();
    let iam = emulator.iam("sand").await;
    make_role(&iam, "ci").await;
    let limit = format!("arn:aws:iam::{SAND}:policy/break-glass/break-glass-limit");
    let attach = iam.attach_role_policy().role_name("ci");
    attach.policy_arn(&limit).send().await.unwrap();

    emulator.write("breakglass.yaml", &without_read());
    let allow = ["--allow", "removals,lockout"];
    let (code, report) = emulator.json(&[&["apply", "--yes"], &allow[..]].concat());
    assert_eq!((code, &report["outcome"]), (1, &"blocked".into()));
    let address = format!("{SAND}/iam_policy/break-glass-limit");
    let blocked = result(&report, &address);
    assert_eq!(blocked["status"], "blocked");
    let message = blocked["message"].as_str().unwrap();
    assert!(message.contains("role/ci uses it"), "{message}");
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!(code, 2);
    let [left] = &changes(&drift)[..] else {
        panic!("{drift}")
    };
    assert!(left.starts_with(&address), "{left}");
    let attached = iam.list_attached_role_policies().role_name("ci");
    let attached = attached.send().await.unwrap();
    assert_eq!(attached.attached_policies()[0].policy_arn(), Some(&*limit));
}

#[tokio::test]
async fn a_policy_that_came_into_use_after_the_plan_stays() {
    let emulator = applied_small_organization();
    emulator.write("breakglass.yaml", &without_read());
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let iam = emulator.iam("sand").await;
    make_role(&iam, "ci").await;
    let limit = format!("arn:aws:iam::{SAND}:policy/break-glass/break-glass-limit");
    let attach = iam.attach_role_policy().role_name("ci");
    attach.policy_arn(&limit).send().await.unwrap();

    let (code, report) = emulator.json(&["apply", "plan.json", "--allow", "removals,lockout"]);
    assert_eq!((code, &report["outcome"]), (6, &"partial".into()));
    let failed = result(&report, &format!("{SAND}/iam_policy/break-glass-limit"));
    let message = failed["message"].as_str().unwrap();
    assert!(
        message.starts_with("iam:DeletePolicy: DeleteConflict: "),
        "{message}"
    );
    let others = report["results"].as_array().unwrap().len() - 1;
    assert_eq!(report["summary"]["done"], others);
    let attached = iam.list_attached_role_policies().role_name("ci");
    let attached = attached.send().await.unwrap();
    assert_eq!(attached.attached_policies().len(), 1);
    let read = iam.get_role().role_name(READ).send().await.unwrap_err();
    assert_eq!(read.code(), Some("NoSuchEntity"));
    let home = emulator.iam("emergency").await;
    let users = home.list_users().send().await.unwrap();
    assert_eq!(users.users().len(), 2, "the users of {EMERGENCY} stay");
}
