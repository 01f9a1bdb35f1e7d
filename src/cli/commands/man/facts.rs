//! What the manual pages say beside the arguments.

use crate::cli::exit::Exit::{
    self, Differences, Error, Gate, Incomplete, Partial, Spec, Stale, Success, Usage,
};

/// Holds what the page of a command says.
pub(super) struct Facts {
    /// The command's whole name.
    pub(super) command: &'static str,
    /// How it may end.
    pub(super) exits: &'static [Exit],
    /// Commands to start from, each with what it does.
    pub(super) examples: &'static [(&'static str, &'static str)],
    /// The pages to go on with, without `breakglass-` before them.
    pub(super) see: &'static [&'static str],
}

/// Environment variables of every command.
pub(super) const ENVIRONMENT: [(&str, &str); 2] = [
    ("NO_COLOR", "When set and not empty, no colours are used."),
    (
        "BREAKGLASS_LOG",
        "A filter for the log on stderr, such as debug.",
    ),
];

/// Environment variables of commands that work on AWS.
pub(super) const AWS_ENVIRONMENT: [(&str, &str); 6] = [
    (
        "AWS_PROFILE",
        "The profile whose credentials are used; every other source of the AWS CLI works too.",
    ),
    (
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
        "Credentials, where no profile is used.",
    ),
    (
        "AWS_REGION",
        "The Region of global calls, us-east-1 unless set.",
    ),
    (
        "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SERVICE",
        "Where calls are sent instead, all of them or those of a service.",
    ),
    (
        "HTTPS_PROXY, NO_PROXY",
        "The proxy, and what is called past it.",
    ),
    (
        "AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE",
        "Where profiles are, when not in ~/.aws.",
    ),
];

/// Files that commands with a spec work on.
pub(super) const FILES: [(&str, &str); 3] = [
    ("breakglass.yaml", "The spec, unless --spec names another."),
    (
        "breakglass.schema.json",
        "Its JSON Schema, which init writes beside it for editors.",
    ),
    (
        "credentials/",
        "Sealed passwords and the records beside them, unless --out names another folder.",
    ),
];

/// The ends of commands that look at live state.
const LOOKING: &[Exit] = &[Success, Error, Differences, Incomplete, Stale, Usage, Spec];
/// The ends of commands that work on files.
const PLAIN: &[Exit] = &[Success, Error, Usage];

/// What the pages of all commands say that do something themselves.
pub(super) const FACTS: [Facts; 25] = [
    Facts {
        command: "breakglass",
        exits: &Exit::ALL,
        examples: &[
            ("breakglass init", "Writes a first spec, by questions."),
            (
                "breakglass plan --out plan.json",
                "Shows what an apply would do, and saves it.",
            ),
            (
                "breakglass apply plan.json --expect-digest sha256:0123abcd",
                "Applies what was reviewed, and nothing else.",
            ),
            (
                "breakglass verify",
                "Proves that it works, and for nobody else.",
            ),
            (
                "breakglass drift --org org.json",
                "Compares a snapshot with the spec: no credentials, no network.",
            ),
        ],
        see: &[],
    },
    Facts {
        command: "breakglass init",
        exits: &[Success, Error, Usage, Spec],
        examples: &[
            (
                "breakglass init",
                "Asks for what a spec needs, and writes breakglass.yaml.",
            ),
            (
                "breakglass init --organization-id o-exampleorg1 --emergency-account 222233334444 --user bg-alice --user bg-bob --yes",
                "Writes it without a question.",
            ),
        ],
        see: &["validate", "import"],
    },
    Facts {
        command: "breakglass validate",
        exits: &[Success, Usage, Spec],
        examples: &[(
            "breakglass validate --spec users.yaml --spec roles.yaml",
            "Checks a spec in two files.",
        )],
        see: &["init", "plan"],
    },
    Facts {
        command: "breakglass plan",
        exits: LOOKING,
        examples: &[
            (
                "breakglass plan --out plan.json",
                "Shows what an apply would do, and saves it.",
            ),
            (
                "breakglass plan --org org.json --account web-prod",
                "Plans for one account of a snapshot.",
            ),
        ],
        see: &["apply", "show"],
    },
    Facts {
        command: "breakglass show",
        exits: PLAIN,
        examples: &[(
            "breakglass show plan.json --format markdown",
            "Prints a saved plan as Markdown.",
        )],
        see: &["plan", "verify", "usage"],
    },
    Facts {
        command: "breakglass merge",
        exits: &[Success, Error, Differences, Incomplete, Stale, Usage],
        examples: &[(
            "breakglass merge one.json two.json --out plan.json",
            "Puts the plans of two shards together.",
        )],
        see: &["plan", "drift", "verify", "snapshot"],
    },
    Facts {
        command: "breakglass apply",
        exits: &[
            Success, Error, Incomplete, Stale, Gate, Partial, Usage, Spec,
        ],
        examples: &[
            (
                "breakglass apply plan.json --expect-digest sha256:0123abcd",
                "Applies the plan that was reviewed, and no other.",
            ),
            (
                "breakglass apply --org org.json --yes",
                "Rehearses an apply on a snapshot.",
            ),
        ],
        see: &["plan", "verify"],
    },
    Facts {
        command: "breakglass drift",
        exits: LOOKING,
        examples: &[(
            "breakglass drift --report markdown=drift.md --report json=drift.json",
            "Compares once and reports twice.",
        )],
        see: &["plan", "verify"],
    },
    Facts {
        command: "breakglass verify",
        exits: LOOKING,
        examples: &[(
            "breakglass verify --after plan.json",
            "Proves the state that a plan leads to.",
        )],
        see: &["drift", "policy-evaluate"],
    },
    Facts {
        command: "breakglass usage",
        exits: LOOKING,
        examples: &[
            (
                "breakglass usage --since 7d",
                "Tells the uses of the last week, by CloudTrail's event history.",
            ),
            (
                "breakglass usage --log logs --org org.json",
                "Tells those in a folder of log files.",
            ),
        ],
        see: &["close", "alerts-test"],
    },
    Facts {
        command: "breakglass credentials issue",
        exits: &[Success, Error, Stale, Partial, Usage, Spec],
        examples: &[(
            "breakglass credentials issue bg-alice",
            "Sets a new password and seals it to its custodian.",
        )],
        see: &["close", "kit"],
    },
    Facts {
        command: "breakglass close",
        exits: &[
            Success,
            Error,
            Differences,
            Incomplete,
            Stale,
            Partial,
            Usage,
            Spec,
        ],
        examples: &[(
            "breakglass close INC-42",
            "Sets new passwords and ends sessions after an incident.",
        )],
        see: &["usage", "credentials-issue"],
    },
    Facts {
        command: "breakglass kit",
        exits: &[Success, Error, Stale, Usage, Spec],
        examples: &[(
            "breakglass kit --out kit.html",
            "Writes the runbook that is printed for the safe.",
        )],
        see: &["credentials-issue"],
    },
    Facts {
        command: "breakglass alerts test",
        exits: LOOKING,
        examples: &[(
            "breakglass alerts test --ou /Workloads --wait 10m",
            "Sends a drill event in the accounts below an OU.",
        )],
        see: &["usage", "plan"],
    },
    Facts {
        command: "breakglass snapshot",
        exits: &[Success, Error, Incomplete, Stale, Usage, Spec],
        examples: &[(
            "breakglass snapshot --out org.json",
            "Records live state for --org.",
        )],
        see: &["plan", "import"],
    },
    Facts {
        command: "breakglass ignore add",
        exits: &[Success, Error, Usage, Spec],
        examples: &[(
            "breakglass ignore add '*/iam_role/*:tags.team' --reason hand-over --owner platform --expires 90d",
            "Leaves a tag alone for ninety days.",
        )],
        see: &["ignore-list", "drift"],
    },
    Facts {
        command: "breakglass ignore list",
        exits: &[Success, Error, Usage, Spec],
        examples: &[(
            "breakglass ignore list",
            "Says which rules are in force, near their end, or past it.",
        )],
        see: &["ignore-add", "ignore-prune"],
    },
    Facts {
        command: "breakglass ignore prune",
        exits: &[Success, Error, Usage, Spec],
        examples: &[(
            "breakglass ignore prune --unused drift.json",
            "Takes out the rules that have expired, and those that left nothing alone.",
        )],
        see: &["ignore-list", "drift"],
    },
    Facts {
        command: "breakglass import",
        exits: LOOKING,
        examples: &[(
            "breakglass import --out breakglass.yaml",
            "Writes a spec from what is there.",
        )],
        see: &["init", "drift"],
    },
    Facts {
        command: "breakglass policy diff",
        exits: &[Success, Error, Differences, Usage],
        examples: &[(
            "breakglass policy diff old.json new.json",
            "Says which way access goes.",
        )],
        see: &["policy-evaluate"],
    },
    Facts {
        command: "breakglass policy evaluate",
        exits: &[Success, Error, Incomplete, Usage],
        examples: &[(
            "breakglass policy evaluate request.json",
            "Decides a request, and says by what.",
        )],
        see: &["policy-diff", "verify"],
    },
    Facts {
        command: "breakglass policy library",
        exits: PLAIN,
        examples: &[(
            "breakglass policy library reader-management",
            "Prints what whoever runs plan and drift needs in the management account.",
        )],
        see: &["policy-diff"],
    },
    Facts {
        command: "breakglass schema",
        exits: PLAIN,
        examples: &[(
            "breakglass schema spec > breakglass.schema.json",
            "Writes the schema that editors complete a spec by.",
        )],
        see: &["init", "validate"],
    },
    Facts {
        command: "breakglass completions",
        exits: PLAIN,
        examples: &[(
            "breakglass completions zsh > breakglass.zsh",
            "Writes the completions of Zsh, to source after compinit.",
        )],
        see: &["man"],
    },
    Facts {
        command: "breakglass man",
        exits: PLAIN,
        examples: &[
            (
                "breakglass man > breakglass.1",
                "Writes the first page alone.",
            ),
            (
                "breakglass man --out man1",
                "Writes the pages of all commands.",
            ),
        ],
        see: &["completions"],
    },
];
