//! The command as a program among others: pipes, terminals, files, and what must never be in them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Emulator, Run};
use crate::python::python;
use crate::{applied_small_organization, drift, small_organization, spec_without_passwords};

const ESCAPE: char = '\u{1b}';

/// Runs a shell command at a terminal, with the environment of [`Emulator::command`] and what is typed.
///
/// What the terminal shows is its stdout; `breakglass` is the command.
fn at_a_terminal(
    emulator: &Emulator,
    line: &str,
    environment: &[(&str, &str)],
    typed: &str,
) -> Run {
    let spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(['sh', '-c', sys.argv[1]])))";
    let breakglass = emulator.command(&[]);
    let program = breakglass.get_program().to_str().unwrap();
    let mut terminal = Command::new(python());
    let variables = breakglass.get_envs();
    terminal
        .args(["-c", spawn, &line.replace("breakglass", program)])
        .current_dir(emulator.path(""))
        .env_clear()
        .envs(variables.filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TERM", "xterm-256color")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut terminal = terminal.spawn().unwrap();
    let mut keyboard = terminal.stdin.take().unwrap();
    keyboard.write_all(typed.as_bytes()).unwrap();
    let run = Run::of(terminal.wait_with_output().unwrap());
    drop(keyboard);
    run
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let emulator = small_organization();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    for (arguments, code) in [
        (&["plan", "--format", "json"][..], 0),
        (&["drift"], 2),
        (&["show", "plan.json"], 0),
        (&["validate"], 0),
        (&["apply", "--yes"], 0),
        (&["import"], 0),
        (&["schema", "spec"], 0),
        (&["completions", "bash"], 0),
        (&["--help"], 0),
    ] {
        let mut command = emulator.command(arguments);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut command = command.spawn().unwrap();
        drop(command.stdout.take());
        let run = Run::of(command.wait_with_output().unwrap());
        assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{arguments:?}");
    }
    let mut head = Command::new("sh");
    let plan = emulator.command(&[]);
    let program = plan.get_program().to_str().unwrap();
    let line = format!("{program} show plan.json --format json | head -n 1");
    let head = head.args(["-c", &line]).current_dir(emulator.path(""));
    let run = Run::of(head.output().unwrap()).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("{\n", ""));
}

#[tokio::test]
async fn one_read_is_told_in_many_files() {
    let emulator = applied_small_organization();
    drift::tamper_in_the_small(&emulator).await;
    emulator.forget_calls();
    let reports = [
        "json=a.json",
        "markdown=b.md",
        "text=c.txt",
        "step-summary=d.md",
        "sarif=e.sarif",
        "junit=f.xml",
        "github=g.txt",
        "ndjson=h.ndjson",
        "html=i.html",
    ];
    let reports = reports.map(|report| ["--report", report]).concat();
    let run = emulator.run(&[&["drift"], &reports[..]].concat()).expect(2);
    let calls = emulator.calls();
    let reads = calls
        .iter()
        .filter(|call| call.action == "GetAccountAuthorizationDetails");
    assert_eq!(reads.count(), 4);
    let json: Value = serde_json::from_str(&emulator.read("a.json")).unwrap();
    assert_eq!(
        (&json["kind"], &json["summary"]["delete"]),
        (&json!("drift"), &json!(1))
    );
    let markdown = emulator.read("b.md");
    assert!(
        markdown.starts_with("<!-- breakglass drift ") && markdown.contains("OldBreakGlass"),
        "{markdown}"
    );
    for report in ["d.md", "e.sarif", "f.xml", "g.txt", "h.ndjson", "i.html"] {
        assert!(emulator.read(report).contains("OldBreakGlass"), "{report}");
    }
    assert_eq!(emulator.read("c.txt"), run.stdout);
    assert!(!run.stdout.contains(ESCAPE) && !markdown.contains(ESCAPE));

    let run = emulator
        .run(&["drift", "--report", "json=nowhere/a.json"])
        .expect(1);
    assert!(
        run.stderr
            .starts_with("error: failed to write nowhere/a.json"),
        "{run:?}"
    );
}

#[test]
fn colours_are_for_terminals_and_whoever_asks() {
    let emulator = small_organization();
    let piped = |arguments: &[&str]| emulator.run(arguments).expect(2).stdout;
    assert!(!piped(&["drift"]).contains(ESCAPE));
    assert!(piped(&["drift", "--color", "always"]).contains(ESCAPE));

    let shown = |line: &str, environment: &[(&str, &str)]| {
        let run = at_a_terminal(&emulator, line, environment, "").expect(2);
        assert!(run.stdout.contains("BreakGlassAdmin"), "{run:?}");
        run.stdout.contains(ESCAPE)
    };
    let plain = "breakglass drift --no-progress";
    assert!(shown(plain, &[]));
    assert!(!shown(plain, &[("NO_COLOR", "1")]));
    assert!(!shown(plain, &[("TERM", "dumb")]));
    assert!(!shown(&format!("{plain} --color never"), &[]));
    assert!(shown(
        &format!("{plain} --color always"),
        &[("NO_COLOR", "1")]
    ));
}

#[test]
fn progress_is_shown_at_a_terminal_and_never_on_stdout() {
    let emulator = small_organization();
    for (command, shown) in [
        ("drift --format json", "reading accounts "),
        ("plan --format json", "reading accounts "),
        ("apply --yes --format json", "applying changes "),
        ("import", "reading accounts "),
    ] {
        let line = format!("breakglass {command} > out");
        let run = at_a_terminal(&emulator, &line, &[], "");
        assert!(run.stdout.contains(shown), "{command}: {run:?}");
        let out = emulator.read("out");
        assert!(
            !out.contains(ESCAPE) && !out.contains(shown),
            "{command}: {out}"
        );
        if command.contains("json") {
            serde_json::from_str::<Value>(&out).unwrap();
        }
    }
    let line = "breakglass drift --no-progress > out";
    let run = at_a_terminal(&emulator, line, &[], "").expect(0);
    assert_eq!(run.stdout, "");
    let piped = emulator.run(&["drift"]).expect(0);
    assert_eq!(piped.stderr, "");
}

#[test]
fn an_apply_asks_and_only_yes_is_yes() {
    let emulator = small_organization();
    for answer in ["no", "y", ""] {
        let typed = format!("{answer}\n");
        let run = at_a_terminal(&emulator, "breakglass apply", &[], &typed).expect(1);
        assert!(run.stdout.contains("Only `yes` does: "), "{run:?}");
        assert!(run.stdout.contains("not applied"), "{run:?}");
    }
    let run = emulator.run(&["apply"]).expect(64);
    assert!(
        run.stderr.contains("there is no terminal to ask at"),
        "{run:?}"
    );
    assert_eq!(emulator.writes(), []);
    at_a_terminal(&emulator, "breakglass apply", &[], "yes\n").expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[tokio::test]
async fn no_secret_is_in_any_file_report_or_log() {
    let emulator = applied_small_organization();
    let spec = spec_without_passwords().replace("access_keys: vaulted", "access_keys: forbidden");
    emulator.write("breakglass.yaml", &spec);
    let iam = emulator.iam("emergency").await;
    let password = "Str0ng-and-secret-Passw0rd";
    let profile = iam.create_login_profile().user_name("bg-alice");
    profile.password(password).send().await.unwrap();
    let key = iam.create_access_key().user_name("bg-alice");
    let key = key.send().await.unwrap().access_key.unwrap();
    let own = "the-secret-of-the-caller";
    let secrets = [password, key.secret_access_key(), own];

    let mut told = Vec::new();
    for arguments in [
        &["snapshot", "--out", "org.json", "-vv"][..],
        &[
            "plan",
            "--out",
            "plan.json",
            "-vv",
            "--report",
            "markdown=plan.md",
        ],
        &["drift", "--format", "json", "-vv"],
        &["import", "--out", "imported.yaml", "-vv"],
        &["apply", "--yes", "-vv", "--report", "json=apply.json"],
    ] {
        let mut command = emulator.command(arguments);
        let command = command.env("AWS_SECRET_ACCESS_KEY", own);
        let run = Run::of(command.output().unwrap());
        assert!([0, 2].contains(&run.code), "{run:?}");
        told.extend([run.stdout, run.stderr]);
    }
    // What may be known of the key is there, so the rest could be.
    for file in ["org.json", "plan.json"] {
        assert!(emulator.read(file).contains(key.access_key_id()), "{file}");
    }
    let files = [
        "org.json",
        "plan.json",
        "plan.md",
        "imported.yaml",
        "apply.json",
    ];
    told.extend(files.map(|file| emulator.read(file)));
    for secret in secrets {
        assert!(told.iter().all(|text| !text.contains(secret)), "{secret}");
    }
}

#[test]
fn a_starter_spec_is_valid_and_can_be_applied() {
    let emulator = Emulator::small();
    emulator.run(&["init", "--out", "plain.yaml"]).expect(0);
    emulator
        .run(&["validate", "--spec", "plain.yaml"])
        .expect(0);
    let (organization, emergency) = (&*emulator.organization_id, emulator.account("emergency"));
    let init = [
        "init",
        "--organization-id",
        organization,
        "--emergency-account",
        emergency,
    ];
    emulator.run(&init).expect(0);
    let written = emulator.read("breakglass.yaml");
    let valid = emulator.run(&["validate"]).expect(0);
    assert!(valid.stdout.contains(organization), "{valid:?}");
    assert_eq!(valid.stderr, "", "a starter spec has nothing to warn of");

    let again = emulator.run(&["init"]).expect(1);
    assert!(
        again.stderr.contains("hint: name another file with --out"),
        "{again:?}"
    );
    assert_eq!(emulator.read("breakglass.yaml"), written);

    emulator.run(&["apply", "--yes"]).expect(0);
    crate::expect_in_sync(&emulator);
}

#[test]
fn an_interview_writes_a_spec_or_nothing() {
    let emulator = Emulator::small();
    let ask =
        |typed: &str| at_a_terminal(&emulator, "breakglass init --out asked.yaml", &[], typed);
    for (typed, told) in [
        (
            "o-acme1example\n\u{4}",
            "the answers ended before the questions",
        ),
        (
            &*format!("o-acme1example\n222233334444\n{}no\n", "\n".repeat(9)),
            "nothing was written",
        ),
    ] {
        let run = ask(typed).expect(1);
        assert!(run.stdout.contains(told), "{run:?}");
        assert!(!emulator.path("asked.yaml").exists());
    }
    let run = ask(&format!(
        "acme\no-acme1example\n222233334444\n{}",
        "\n".repeat(10)
    ))
    .expect(0);
    assert!(run.stdout.contains("wrote asked.yaml"), "{run:?}");
    let valid = emulator
        .run(&["validate", "--spec", "asked.yaml"])
        .expect(0);
    assert!(
        valid.stdout.contains("o-acme1example, 2 users, 2 roles"),
        "{valid:?}"
    );
    assert_eq!(valid.stderr, "", "an interview has nothing to warn of");
}
