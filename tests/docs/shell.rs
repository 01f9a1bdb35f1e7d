//! What a shell is offered, asked the way its script asks.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{BINARY, Sandbox};

impl Sandbox {
    /// Runs a script of Bash in the copy of the example; `None` where there is no Bash.
    fn bash(&self, script: &str) -> Option<String> {
        let folder = Path::new(BINARY).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-c", script])
            .current_dir(self.acme())
            .env_clear()
            .env("PATH", path)
            .output()
            .ok()?;
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(told, "", "{script}");
        Some(String::from_utf8(output.stdout).unwrap())
    }

    /// What Bash offers for the last of the words.
    fn offered(&self, words: &[&str]) -> Option<Vec<String>> {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let (last, number) = (quoted.last().unwrap(), quoted.len() - 1);
        let before = &quoted[number - 1];
        let words = quoted.join(" ");
        let script = format!(
            "source <(breakglass completions bash)\nCOMP_WORDS=({words}); COMP_CWORD={number}; COMP_TYPE=9\n\
             _clap_complete_breakglass breakglass {last} {before}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        let lines = self.bash(&script)?;
        Some(lines.lines().map(str::to_owned).collect())
    }
}

#[test]
fn bash_is_offered_the_names_at_hand() {
    let sandbox = Sandbox::new();
    let org = ["breakglass", "drift", "--org", "org.json"];
    for (words, expected) in [
        (&["breakglass", "snap"][..], &["snapshot"][..]),
        (&["breakglass", "schema", "alerts"], &["alerts-test"]),
        (
            &["breakglass", "credentials", "issue", "bg-a"],
            &["bg-alice"],
        ),
        (&["breakglass", "close", "INC-2"], &["INC-2041"]),
        (
            &["breakglass", "apply", "--allow", "removals,dr"],
            &["removals,drop-mfa"],
        ),
        (&["breakglass", "show", "quiet."], &["quiet.json"]),
        (
            &["breakglass", "drift", "--resource", "iam_r"],
            &["iam_role/"],
        ),
        (
            &["breakglass", "drift", "--resource", "iam_role/BreakGlassN"],
            &["iam_role/BreakGlassNetwork"],
        ),
        (&["breakglass", "drift", "--ou", "/W"], &["/Workloads/Prod"]),
        (&["breakglass", "drift", "--account", "web"], &[""]),
        (
            &[&org[..], &["--account", "web"]].concat()[..],
            &["web-dev", "web-prod"],
        ),
        (
            &[&org[..], &["--account", "20000000000"]].concat()[..],
            &[
                "200000000001",
                "200000000002",
                "200000000003",
                "200000000004",
                "200000000005",
                "200000000006",
                "200000000007",
                "200000000008",
                "200000000009",
            ],
        ),
        (
            &[&org[..], &["--exclude-ou", "/Workloads/"]].concat()[..],
            &["/Workloads/NonProd", "/Workloads/Prod"],
        ),
        (
            &["breakglass", "policy", "library", "reader-m"],
            &["reader-management", "reader-member"],
        ),
        // Nothing is told of what can't be read.
        (
            &[
                "breakglass",
                "drift",
                "--spec",
                "no.yaml",
                "--org",
                "no.json",
                "--account",
                "w",
            ],
            &[""],
        ),
        (
            &[
                "breakglass",
                "credentials",
                "issue",
                "--spec",
                "plan.sarif",
                "bg",
            ],
            &[""],
        ),
    ] {
        let Some(offered) = sandbox.offered(words) else {
            return;
        };
        assert_eq!(offered, expected, "{words:?}");
    }
}

#[test]
fn a_name_is_no_command_in_bash() {
    let sandbox = Sandbox::new();
    let org = sandbox.acme().join("org.json");
    let text = fs::read_to_string(&org).unwrap();
    let named = text.replace("\"web-prod\"", "\"web $(touch x)\"");
    assert_ne!(named, text);
    fs::write(&org, named).unwrap();
    let words = [
        "breakglass",
        "drift",
        "--org",
        "org.json",
        "--account",
        "web",
    ];
    if let Some(offered) = sandbox.offered(&words) {
        assert_eq!(offered, ["web\\ \\$\\(touch\\ x\\)", "web-dev"]);
    }
}

#[test]
fn the_variable_alone_changes_nothing() {
    let sandbox = Sandbox::new();
    let output = Command::new(BINARY)
        .arg("validate")
        .current_dir(sandbox.acme())
        .env("BREAKGLASS_COMPLETE", "bash")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("valid: "));
}
