//! `breakglass apply`: carries out a plan, a saved one or one made and shown on the spot.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{DEFAULT_TTL, compare_live, read_plan};
use crate::apply::{ApplyOptions, ApplyOutcome, ApplyReport, Canary, apply};
use crate::cli::args::{CompareArgs, GlobalArgs, unit_filter};
use crate::cli::clock::now;
use crate::cli::connect::{Connection, block_on, lock, stop_on_interrupt};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{confirmed, deliver, expect_terminal, open, print, say};
use crate::cli::progress;
use crate::plan::{Entry, Gate, Kind, Plan, Staleness, check_fresh};
use crate::report::{Format, render_apply, render_plan};
use crate::spec;
use crate::state::Address;
use clap::Args;

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ApplyArgs {
    /// A plan that `plan --out` saved; without it, a plan is made, shown and asked about.
    plan: Option<PathBuf>,
    #[command(flatten)]
    compare: CompareArgs,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Only apply the plan with this digest: the one that was reviewed.
    #[arg(long, value_name = "sha256:…")]
    expect_digest: Option<String>,
    /// Let a safety gate through, by name.
    #[arg(long, value_name = "GATE", value_delimiter = ',')]
    allow: Vec<Gate>,
    /// Change the accounts below this OU first, by /Path/By/Name or id, and the others only when all of it succeeded;
    /// repeatable.
    #[arg(long, value_name = "OU")]
    canary: Vec<String>,
    /// How long what is to be written must keep still before the first write: another apply at work moves it.
    #[arg(long, value_name = "DURATION", default_value = "3s")]
    settle: spec::Duration,
    /// How long a plan made on the spot may wait for its answer.
    #[arg(long, value_name = "DURATION", default_value = DEFAULT_TTL)]
    ttl: spec::Duration,
}

pub(in crate::cli) fn run(args: &ApplyArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    open(&args.compare.output, "apply")?;
    block_on(async {
        let _lock = lock(args.compare.cloud.org.as_deref())?;
        let (connection, plan) = match &args.plan {
            Some(path) => saved(args, global, path).await?,
            None => fresh(args, global).await?,
        };
        check_fresh(&plan, now(), args.expect_digest.as_deref())?;
        check_gates(&plan, &args.allow, connection.cloud().caller())?;
        let canary = canary(args, &connection, &plan).await?;
        if args.plan.is_none()
            && plan.has_operations()
            && !args.yes
            && !confirmed("Apply these changes?")?
        {
            return Err(CliError::new(Exit::Error, "not applied"));
        }
        check_fresh(&plan, now(), None)?;
        let report = carry_out(args, global, &connection, &plan, canary).await?;
        // What was done matters more than where it could not be told.
        let told = deliver(&args.compare.output, global, |format, style| {
            render_apply(&report, format, style)
        });
        let told = connection
            .close(args.compare.cloud.org.as_deref())
            .and(told);
        match (exit(&report), told) {
            (exit, Ok(())) => Ok(exit),
            (Exit::Success, Err(error)) => Err(error),
            (exit, Err(error)) => {
                say(&error.render(global.color.colors_stderr()));
                Ok(exit)
            }
        }
    })
}

/// Opens the plan in a file; a spec that is given too must be the one it was made from.
async fn saved(
    args: &ApplyArgs,
    global: &GlobalArgs,
    path: &Path,
) -> Result<(Connection, Plan), CliError> {
    let plan = read_plan(path)?;
    if !args.compare.scope.filter()?.given.is_empty() {
        return Err(CliError::new(
            Exit::Usage,
            "a saved plan is applied as a whole; give the scope to `plan`",
        ));
    }
    if !args.compare.spec.files.is_empty() {
        let loaded = args.compare.spec.load(global)?;
        if loaded.digest != plan.spec_digest || plan.entry != Some(Entry::of(&loaded.spec)) {
            return Err(Staleness::Spec {
                found: plan.spec_digest,
                expected: loaded.digest,
            }
            .into());
        }
    }
    // Before anything is opened: an old plan needs no credentials to be refused.
    check_fresh(&plan, now(), args.expect_digest.as_deref())?;
    let entry = plan.entry.clone().unwrap_or_default();
    let connection = Connection::open(&args.compare.cloud, &entry).await?;
    Ok((connection, plan))
}

/// Makes a plan and shows it.
async fn fresh(args: &ApplyArgs, global: &GlobalArgs) -> Result<(Connection, Plan), CliError> {
    if !args.yes {
        expect_terminal("give --yes, or apply a saved plan")?;
    }
    let (connection, plan) =
        compare_live(&args.compare, None, global, Kind::Plan, Some(args.ttl)).await?;
    let style = crate::cli::output::style(global);
    if args.compare.output.format == Format::Text {
        print(&render_plan(&plan, Format::Text, style))?;
    } else if !args.yes {
        // Whoever is asked must see what about; stdout is for the result.
        say(&render_plan(&plan, Format::Text, style));
    }
    Ok((connection, plan))
}

fn check_gates(plan: &Plan, allow: &[Gate], caller: Option<Address>) -> Result<(), CliError> {
    let allowed: BTreeSet<Gate> = allow.iter().copied().collect();
    let closed = plan.closed_gates(&allowed, caller.as_ref());
    if closed.is_empty() {
        return Ok(());
    }
    let mut message = "stopped by a safety gate; nothing was written".to_owned();
    for finding in &closed {
        const SHOWN: usize = 5;
        let mut places: Vec<String> = finding
            .addresses
            .iter()
            .take(SHOWN)
            .map(ToString::to_string)
            .collect();
        if finding.addresses.len() > SHOWN {
            places.push(format!("{} more", finding.addresses.len() - SHOWN));
        }
        message.push_str(&format!(
            "\n  {}: {} ({})",
            finding.gate,
            finding.reason,
            places.join(", ")
        ));
    }
    let names: BTreeSet<String> = closed
        .iter()
        .map(|finding| finding.gate.to_string())
        .collect();
    let names = names.into_iter().collect::<Vec<_>>().join(",");
    Err(CliError::new(Exit::Gate, message)
        .hinted(format!("if that is meant, apply with --allow {names}")))
}

/// Finds the accounts that come first.
async fn canary(
    args: &ApplyArgs,
    connection: &Connection,
    plan: &Plan,
) -> Result<Option<Canary>, CliError> {
    if args.canary.is_empty() {
        return Ok(None);
    }
    let filter = unit_filter("--canary", &args.canary)?;
    let cloud = connection.cloud();
    let expected = Some(plan.organization_id.as_str());
    let organization = cloud.organization(expected, false).await?;
    // A unit has nothing to do with which account is the emergency account.
    let accounts = filter.accounts(&organization, &organization.management_account);
    let accounts = accounts.map_err(|error| CliError::new(Exit::Usage, error.to_string()))?;
    Ok(Some(Canary {
        given: args.canary.clone(),
        accounts,
    }))
}

async fn carry_out(
    args: &ApplyArgs,
    global: &GlobalArgs,
    connection: &Connection,
    plan: &Plan,
    canary: Option<Canary>,
) -> Result<ApplyReport, CliError> {
    let cloud = connection.cloud();
    let partition = cloud.partition(&plan.organization_id).await?;
    let writes = plan
        .changes
        .iter()
        .filter(|change| !change.operations.is_empty());
    let writes = writes.count();
    let options = ApplyOptions {
        concurrency: usize::from(args.compare.cloud.concurrency),
        max_failures: args
            .compare
            .cloud
            .max_failures
            .map(|bound| bound.of(writes)),
        resumes: args.plan.is_some(),
        settle: match connection {
            Connection::Aws(_) => Duration::from_secs(args.settle.seconds()),
            // Its file is locked.
            Connection::Snapshot(_) => Duration::ZERO,
        },
        canary,
    };
    let bar = progress::bar(global, "applying changes");
    bar.set_length(writes as u64);
    let stop = stop_on_interrupt();
    let report = apply(
        plan,
        &partition,
        cloud,
        &options,
        &stop,
        &|result| {
            bar.inc(1);
            if let (true, Some(message)) = (global.verbose > 0, &result.message) {
                say(&crate::text::visible(&format!(
                    "{}: {message}",
                    result.address
                )));
            }
        },
        now,
    )
    .await;
    bar.finish_and_clear();
    Ok(report)
}

fn exit(report: &ApplyReport) -> Exit {
    match report.outcome {
        ApplyOutcome::Done => Exit::Success,
        ApplyOutcome::Stale => Exit::Stale,
        ApplyOutcome::Partial | ApplyOutcome::Interrupted => Exit::Partial,
        ApplyOutcome::Incomplete => Exit::Incomplete,
        ApplyOutcome::Blocked => Exit::Error,
    }
}
