//! Wording that every format shares: verdicts, counts, and what a change is called on either side.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum as _;

use super::document::also_trusted;
use crate::plan::{Action, Cause, Change, Cosmetic, Gate, IgnoreRule, Kind, Outcome, Plan, Risk};
use crate::policy::Access;

/// Counts things, such as `1 account` or `2 accounts`.
pub(super) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// Joins names, and says how many there are more.
pub(super) fn and_more(names: &[String], more: usize) -> String {
    let names = names.join(", ");
    if more == 0 {
        names
    } else {
        format!("{names} and {more} more")
    }
}

/// Joins the first few names, and says how many there are more.
pub(super) fn few(names: &[String], shown: usize) -> String {
    let first: Vec<String> = names.iter().take(shown).cloned().collect();
    and_more(&first, names.len().saturating_sub(shown))
}

/// Says how live state stands to the spec, in a line.
pub(super) fn verdict(plan: &Plan) -> String {
    let accounts = &plan.summary.accounts;
    match plan.outcome {
        Outcome::InSync => {
            let are = if accounts.selected == 1 { "is" } else { "are" };
            let accounts = count(accounts.selected, "account");
            let ignored = ignored_count(plan);
            format!("in sync: {accounts} {are} as the spec says · {ignored}")
        }
        Outcome::Differences => format!("{} · {}", headline(plan), ignored_count(plan)),
        Outcome::Incomplete => format!(
            "incomplete: {} of {} could not be read, so nothing is known of {}; unreadable is not in sync",
            accounts.unreadable,
            count(accounts.selected, "account"),
            if accounts.unreadable == 1 {
                "it"
            } else {
                "them"
            },
        ),
    }
}

/// Says how many differences ignore rules leave alone, none too: whoever reads a verdict knows what it is without.
fn ignored_count(plan: &Plan) -> String {
    let ignored = plan.summary.ignored;
    let critical = plan.ignored.iter();
    let critical = critical.filter(|change| change.risk == Risk::Critical);
    match critical.count() {
        0 => format!("{ignored} ignored"),
        critical => format!("{ignored} ignored, {critical} of them critical"),
    }
}

/// Says how many accounts differ.
pub(super) fn headline(plan: &Plan) -> String {
    let accounts = &plan.summary.accounts;
    format!(
        "{} of {} {}",
        accounts.different,
        count(accounts.selected, "account"),
        match (plan.kind, accounts.different) {
            (Kind::Plan, 1) => "differs",
            (Kind::Plan, _) => "differ",
            (Kind::Drift, 1) => "differs from the spec",
            (Kind::Drift, _) => "differ from the spec",
        }
    )
}

/// Says in a few words what the reader is to do, for a title.
pub(super) fn conclusion(plan: &Plan) -> &'static str {
    match (plan.outcome, plan.kind) {
        (Outcome::InSync, _) => "in sync",
        (Outcome::Incomplete, _) => "incomplete",
        (Outcome::Differences, Kind::Plan) => "review needed",
        (Outcome::Differences, Kind::Drift) => "live differs from the spec",
    }
}

/// Tells whether a change is a critical one by which more is allowed than somebody agreed to: by the spec that is to be
/// applied, or by what drift found live.
pub(super) fn is_opening(kind: Kind, change: &Change) -> bool {
    let opens = match kind {
        Kind::Plan => matches!(change.access, Access::Broader | Access::Both),
        Kind::Drift => matches!(change.access, Access::Narrower | Access::Both),
    };
    opens && change.risk == Risk::Critical
}

/// Says what shows a danger best.
pub(super) fn danger(kind: Kind, change: &Change) -> String {
    let why = witnesses(change).next().or(change.reason.as_deref());
    let access = access(kind, change.access);
    let newcomers = newcomers(kind, change);
    let newcomers = newcomers.as_deref();
    let said: Vec<&str> = newcomers.into_iter().chain(why).chain(access).collect();
    if said.is_empty() {
        action(kind, change.action).to_owned()
    } else {
        said.join("; ")
    }
}

/// Says whom a role would trust that live does not, or for drift whom live trusts that the spec does not.
fn newcomers(kind: Kind, change: &Change) -> Option<String> {
    if change.action != Action::Update {
        return None;
    }
    let mut fields = change.fields.iter();
    let trust = fields.find(|field| field.path == "trust_policy")?;
    match kind {
        Kind::Plan => Some(format!(
            "also trusts {}",
            also_trusted(&trust.spec, &trust.live)?
        )),
        Kind::Drift => Some(format!(
            "live also trusts {}",
            also_trusted(&trust.live, &trust.spec)?
        )),
    }
}

/// Lists the counts that belong behind [`headline`].
pub(super) fn counts(plan: &Plan) -> Vec<String> {
    let summary = &plan.summary;
    let mut counts = Vec::new();
    let mut add = |number: usize, what: &str| {
        if number > 0 {
            counts.push(format!("{number} {what}"));
        }
    };
    match plan.kind {
        Kind::Plan => {}
        Kind::Drift => {
            add(summary.delete, "extra");
            add(summary.update, "changed");
            add(summary.create, "missing");
        }
    }
    add(summary.manual, "manual");
    let blocked = plan
        .changes
        .iter()
        .filter(|change| change.blocked.is_some());
    add(blocked.count(), "blocked");
    let accounts = &summary.accounts;
    add(accounts.in_sync, "in sync");
    add(accounts.unreadable, "unreadable");
    add(plan.skipped.len(), "inactive");
    add(plan.cosmetic.len(), "cosmetic");
    counts.push(ignored_count(plan));
    if plan.kind == Kind::Plan {
        counts.insert(
            0,
            format!(
                "+{} ~{} −{}",
                summary.create, summary.update, summary.delete
            ),
        );
    }
    counts
}

/// The requests that show a change, each once; what is made or deleted shows itself.
pub(super) fn witnesses(change: &Change) -> impl Iterator<Item = &str> {
    let fields = change.fields.iter();
    let mut witnesses: Vec<&str> = Vec::new();
    if change.action == Action::Update {
        for witness in fields.filter_map(|field| field.witness.as_deref()) {
            if !witnesses.contains(&witness) {
                witnesses.push(witness);
            }
        }
    }
    witnesses.into_iter()
}

/// Lists what differs only in names without effect, each resource once with the number of its accounts.
pub(super) fn cosmetic(plan: &Plan) -> Vec<String> {
    let mut accounts: BTreeMap<_, usize> = BTreeMap::new();
    for Cosmetic { address, fields } in &plan.cosmetic {
        let key = (address.resource_type, &address.name, fields);
        *accounts.entry(key).or_default() += 1;
    }
    accounts
        .into_iter()
        .map(|((resource_type, name, fields), number)| {
            let accounts = count(number, "account");
            format!(
                "{resource_type} {name} in {accounts}: {}",
                fields.join(", ")
            )
        })
        .collect()
}

/// Says which options left something out; `None` when nothing was.
pub(super) fn scope(plan: &Plan) -> Option<String> {
    plan.scope.partial.then(|| {
        format!(
            "only a part of the organization was looked at: {}",
            plan.scope.options()
        )
    })
}

/// Says which side of a difference is which.
pub(super) fn legend(kind: Kind) -> &'static str {
    match kind {
        Kind::Plan => "live → spec; in lists and documents - is live only, + is the spec only",
        Kind::Drift => "live → spec; - and − is what only live has, + what only the spec has",
    }
}

/// The sign of a change: `+`, `~`, `−`, or `!` for what only a person can do.
pub(super) fn symbol(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Update => '~',
        Action::Delete => '−',
        Action::Manual => '!',
    }
}

/// Names what is changed, such as `iam_role BreakGlassAdmin`.
pub(super) fn title(change: &Change) -> String {
    format!("{} {}", change.resource_type, change.name)
}

/// Says what becomes of a resource, or how live state stands to the spec.
pub(super) fn action(kind: Kind, action: Action) -> &'static str {
    match (kind, action) {
        (Kind::Plan, Action::Create) => "new",
        (Kind::Plan, Action::Update) => "changed",
        (Kind::Plan, Action::Delete) => "deleted",
        (Kind::Drift, Action::Create) => "missing: only the spec has it",
        (Kind::Drift, Action::Update) => "differs",
        (Kind::Drift, Action::Delete) => "extra: only live has it",
        (_, Action::Manual) => "by hand",
    }
}

/// Names a risk.
pub(super) fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
        Risk::Critical => "critical",
    }
}

/// Says how access goes; `None` when it stays.
pub(super) fn access(kind: Kind, access: Access) -> Option<&'static str> {
    match (kind, access) {
        (_, Access::None) => None,
        (Kind::Plan, Access::Broader) => Some("broader access"),
        (Kind::Plan, Access::Narrower) => Some("narrower access"),
        (Kind::Plan, Access::Both) => Some("broader and narrower access"),
        // A change is told towards the spec; drift is told of what is there now.
        (Kind::Drift, Access::Broader) => Some("live allows less than the spec"),
        (Kind::Drift, Access::Narrower) => Some("live allows more than the spec"),
        (Kind::Drift, Access::Both) => Some("live allows other things than the spec"),
    }
}

/// Says how access goes, in a word for a row of a table.
pub(super) fn access_word(kind: Kind, access: Access) -> &'static str {
    match (kind, access) {
        (_, Access::None) => "–",
        (Kind::Plan, Access::Broader) => "broader",
        (Kind::Plan, Access::Narrower) => "narrower",
        (Kind::Plan, Access::Both) => "both",
        (Kind::Drift, Access::Broader) => "live less",
        (Kind::Drift, Access::Narrower) => "live more",
        (Kind::Drift, Access::Both) => "live other",
    }
}

/// Says from which side changes are told, and whether their causes are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// What is reported.
    pub(super) kind: Kind,
    causes: bool,
}

impl View {
    /// How a plan is told.
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            kind: plan.kind,
            causes: plan.base.is_some(),
        }
    }

    /// Says whether a change comes from the present change of the spec, where that is known.
    pub(super) fn cause(self, cause: Cause) -> Option<&'static str> {
        self.causes.then_some(match cause {
            Cause::Spec => "this change",
            Cause::Live => "already so",
        })
    }
}

/// Lists what is said of a change in short, beside its risk.
pub(super) fn facts(view: View, change: &Change) -> Vec<String> {
    let kind = view.kind;
    let drift = kind == Kind::Drift && change.action != Action::Manual;
    let words = [
        drift.then(|| action(kind, change.action)),
        access(kind, change.access),
        view.cause(change.cause),
    ];
    words
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .chain(source(change))
        .collect()
}

/// The place in the spec, such as `breakglass.yaml:42`.
pub(super) fn source(change: &Change) -> Option<String> {
    let origin = change.source.as_ref()?;
    Some(format!("{}:{}", origin.file, origin.line))
}

/// Says why a difference is left alone, by whose word and until when.
pub(super) fn rule_words(rule: &IgnoreRule) -> String {
    let owner = rule.owner.as_ref();
    let owner = owner.map_or_else(String::new, |owner| format!("{owner}, "));
    format!("{} ({owner}until {})", rule.reason, rule.expires)
}

/// Says of a difference that is left alone what it is, and by which rule.
pub(super) fn ignored(change: &Change) -> Vec<String> {
    let paths = change.fields.iter().map(|field| field.path.as_str());
    let paths = paths.collect::<Vec<_>>().join(", ");
    let fields = matches!(change.action, Action::Update | Action::Manual).then_some(paths);
    let risk = format!("{} risk", risk(change.risk));
    let rule = change.ignored_by.as_ref();
    let place = rule.and_then(|rule| rule.source.as_ref());
    let place = place.map(|place| format!("{}:{}", place.file, place.line));
    let said = fields.into_iter().chain([risk]);
    said.chain(rule.map(rule_words)).chain(place).collect()
}

/// Names a gate as `--allow` does.
fn gate_name(gate: Gate) -> String {
    gate.to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

/// Names a gate in a way that fits what is reported.
pub(super) fn gate_flag(kind: Kind, gate: Gate) -> String {
    match kind {
        Kind::Plan => format!("--allow {}", gate_name(gate)),
        Kind::Drift => gate_name(gate),
    }
}

/// Says what to add to an apply that gates would stop.
pub(super) fn gates_hint(plan: &Plan) -> Option<String> {
    let gates: BTreeSet<Gate> = plan.gates.iter().map(|finding| finding.gate).collect();
    let names: Vec<String> = gates.into_iter().map(gate_name).collect();
    (!names.is_empty()).then(|| {
        format!(
            "it stops at the gates above, unless --allow {} lets them through",
            names.join(",")
        )
    })
}

/// Heads the gates.
pub(super) fn gates_title(kind: Kind) -> &'static str {
    match kind {
        Kind::Plan => "An apply stops here, unless it is let through by name",
        Kind::Drift => "Putting this right would stop at a gate",
    }
}

/// Heads the changes that something keeps from being carried out.
pub(super) fn blocked_title(kind: Kind) -> &'static str {
    match kind {
        Kind::Plan => "Blocked: apply leaves these until a person mends what is in the way",
        Kind::Drift => "In the way: a person has to mend these first",
    }
}

/// Heads what only a person can do.
pub(super) const MANUAL_TITLE: &str = "By hand: only a person can do these";
/// Heads the changes.
pub(super) fn changes_title(kind: Kind) -> &'static str {
    match kind {
        Kind::Plan => "Changes",
        Kind::Drift => "Differences",
    }
}
/// Heads the accounts that could not be read.
pub(super) const UNREADABLE_TITLE: &str =
    "Unreadable: nothing is known of these accounts, they are not in sync";
/// Heads the accounts that are not active.
pub(super) const SKIPPED_TITLE: &str = "Inactive, so not looked at";
/// Heads what ignore rules cover.
pub(super) const IGNORED_TITLE: &str = "Ignored by rules of the spec";
/// Heads what differs only in names without effect.
pub(super) const COSMETIC_TITLE: &str =
    "Names without effect that differ (no difference; --strict makes them one)";
/// Heads the notes.
pub(super) const NOTES_TITLE: &str = "Notes";

/// The command that carries out exactly the plan of this digest.
pub(super) fn apply_command(plan: &Plan) -> Option<String> {
    (plan.kind == Kind::Plan && plan.has_operations() && plan.scope.shard.is_none())
        .then(|| format!("breakglass apply plan.json --expect-digest {}", plan.digest))
}

/// Says why there is no such command.
pub(super) fn no_apply(plan: &Plan) -> &'static str {
    if plan.scope.shard.is_some() {
        "to apply it, put the plans of all shards together with `breakglass merge`"
    } else {
        "nothing here is for apply to do"
    }
}
