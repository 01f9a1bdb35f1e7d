//! `breakglass close`: what is done after an incident.

use std::time::Duration;

use clap::Args;

use crate::cli::args::{CloudArgs, GlobalArgs, OutputArgs, PasswordArgs, SpecArgs};
use crate::cli::clock::now;
use crate::cli::connect::{Connection, block_on, lock, stop_on_interrupt};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{confirmed, deliver, expect_terminal, open, say};
use crate::cli::progress;
use crate::cli::random::random;
use crate::close::{
    CLOSE_FORMAT, CloseOutcome, CloseReport, CloseRequest, ClosingRecord, Ending, Target, close,
    end_exceptions, open_exceptions, read_record, write_record,
};
use crate::collect::{CompareRequest, ScopeFilter, compare};
use crate::credentials::Store;
use crate::org::Organization;
use crate::plan::{Entry, Gate, Kind};
use crate::report::render_close;
use crate::resolve::{Resolver, needs_tags};
use crate::spec::{IncidentRecord, Loaded};

/// Arguments of `close`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CloseArgs {
    /// The incident's id, as the record of incidents has it.
    incident: String,
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    cloud: CloudArgs,
    #[command(flatten)]
    passwords: PasswordArgs,
    /// Let a safety gate through that guards an exception made for the incident; several with commas.
    #[arg(long, value_name = "GATE", value_delimiter = ',')]
    allow: Vec<Gate>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(in crate::cli) fn run(args: &CloseArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    let loaded = args.spec.load(global)?;
    let incident = incident(args, &loaded)?;
    if !args.passwords.yes {
        expect_terminal("give --yes")?;
    }
    open(&args.output, "close")?;
    block_on(async {
        let _lock = lock(args.cloud.org.as_deref())?;
        let connection = Connection::open(&args.cloud, &Entry::of(&loaded.spec)).await?;
        let closed = closed(args, global, &loaded, &incident, &connection).await;
        // What was done stays done, however it went on.
        let kept = connection.close(args.cloud.org.as_deref());
        let report = closed?;
        deliver(&args.output, global, |format, style| {
            render_close(&report, format, style)
        })?;
        kept?;
        Ok(match report.outcome {
            CloseOutcome::Closed => Exit::Success,
            CloseOutcome::Open => Exit::Differences,
            CloseOutcome::Incomplete => Exit::Incomplete,
            CloseOutcome::Partial => Exit::Partial,
        })
    })
}

fn incident(args: &CloseArgs, loaded: &Loaded) -> Result<IncidentRecord, CliError> {
    if loaded.spec.incidents.is_none() {
        let error = CliError::new(Exit::Usage, "the spec names no record of incidents");
        return Err(
            error.hinted("add incidents: { file: incidents.yaml }, a list of { id, opened, … }")
        );
    }
    let incidents = &loaded.records.incidents;
    let known: Vec<&str> = incidents.iter().map(|one| one.id.as_str()).collect();
    let found = incidents.iter().find(|one| one.id == args.incident);
    found.cloned().ok_or_else(|| {
        let message = format!("the record of incidents has no {:?}", args.incident);
        CliError::new(Exit::Usage, message).hinted(format!("it has: {}", known.join(", ")))
    })
}

async fn closed(
    args: &CloseArgs,
    global: &GlobalArgs,
    loaded: &Loaded,
    incident: &IncidentRecord,
    connection: &Connection,
) -> Result<CloseReport, CliError> {
    let color = global.color.colors_stderr();
    let cloud = connection.cloud();
    let spec = &loaded.spec;
    let scope = scope(incident, loaded);
    let with_tags = needs_tags(spec) || scope.needs_tags();
    let expected = Some(spec.organization.id.as_str());
    let organization = cloud.organization(expected, with_tags).await?;
    let (resolver, _) = Resolver::new(loaded, &organization)
        .map_err(|problems| CliError::problems(&problems, &loaded.sources, color))?;
    let target = Target::of(incident, loaded, &resolver, &organization)
        .map_err(|message| CliError::new(Exit::Spec, message))?;
    let store = Store::open(&args.passwords.out, args.cloud.org.is_some())?;
    let mut record = begin(args, loaded, &organization, &target, &store).await?;
    let stop = stop_on_interrupt();
    let request = CloseRequest {
        loaded,
        organization: &organization,
        target: &target,
        store: &store,
        concurrency: usize::from(args.cloud.concurrency),
        stop: &stop,
    };
    let (mut steps, cutoff) = close(cloud, &request, &mut record, &mut random, now)
        .await
        .map_err(|message| CliError::new(Exit::Partial, message))?;
    // From here on the incident is closed, whether or not its record says so yet.
    let exceptions = open_exceptions(loaded, &incident.id);
    let mut over = loaded.clone();
    over.records.close(&incident.id, now());
    let compared = compare_request(args, scope);
    let ending = Ending {
        loaded: &over,
        organization: &organization,
        incident: &incident.id,
        allow: args.allow.iter().copied().collect(),
        stop: &stop,
    };
    let bar = progress::bar(global, "reading accounts");
    let shown = progress::told(&bar, &args.output);
    let looking = async {
        steps.extend(end_exceptions(cloud, &ending, compared.clone(), now).await?);
        compare(cloud, &over, &compared, &shown).await
    };
    let looked = looking.await;
    bar.finish_and_clear();
    // What was done is told, whatever comes of looking at the rest.
    let (drift, unread) = match looked {
        Ok(drift) => (Some(drift), None),
        Err(error) => {
            let error = CliError::collect(error, &loaded.sources, false);
            (None, Some(error.render(false)))
        }
    };
    Ok(CloseReport {
        format_version: CLOSE_FORMAT.to_owned(),
        kind: "close".to_owned(),
        organization_id: organization.id.clone(),
        incident: incident.id.clone(),
        created_at: now(),
        outcome: CloseReport::judge(&steps, &exceptions, drift.as_ref()),
        cutoff: Some(cutoff),
        steps,
        exceptions,
        drift,
        unread,
    })
}

/// Finds how far an earlier run came, asks, and records that this one begins.
async fn begin(
    args: &CloseArgs,
    loaded: &Loaded,
    organization: &Organization,
    target: &Target,
    store: &Store,
) -> Result<ClosingRecord, CliError> {
    let failed = |message: String| CliError::new(Exit::Error, message);
    let spec = &loaded.spec;
    let users = target
        .users
        .iter()
        .filter_map(|number| spec.users().get(*number));
    let mut newest = None;
    for user in users.clone() {
        let record = store.record(&spec.emergency_account, &user.name)?;
        newest = newest.max(record.issued.as_ref().map(|issued| issued.at));
        for leftover in store.leftovers(&record)? {
            say(&leftover.message(&user.name));
        }
    }
    let known = read_record(store, &organization.id, &args.incident).map_err(failed)?;
    if let Some(known) = &known {
        say(&format!(
            "going on with what was begun at {}",
            known.began_at
        ));
    }
    let users: Vec<&str> = users.map(|user| user.name.as_str()).collect();
    let question = format!(
        "Set new passwords of {}, and end their sessions and those of the incident's roles in {} accounts?",
        if users.is_empty() {
            "nobody".to_owned()
        } else {
            users.join(", ")
        },
        target.roles.len()
    );
    if !args.passwords.yes && !confirmed(&question)? {
        return Err(failed("nothing was changed".to_owned()));
    }
    // Times are whole seconds: a password of this very second would pass for one that was set since.
    if known.is_none() && newest == Some(now()) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let record =
        known.unwrap_or_else(|| ClosingRecord::new(&organization.id, &args.incident, now()));
    write_record(store, &record).map_err(failed)?;
    Ok(record)
}

/// Chooses what is compared: the accounts of the incident, and those of the users and the guardrails.
fn scope(incident: &IncidentRecord, loaded: &Loaded) -> ScopeFilter {
    let Some(accounts) = &incident.accounts else {
        return ScopeFilter::default();
    };
    let own = [loaded.spec.emergency_account.as_str(), "management"];
    let own = own.into_iter().filter_map(|text| text.parse().ok());
    ScopeFilter {
        include: accounts
            .iter()
            .filter_map(|account| account.as_str().parse().ok())
            .chain(own)
            .collect(),
        given: vec![format!("incident {}", incident.id)],
        ..ScopeFilter::default()
    }
}

fn compare_request(args: &CloseArgs, filter: ScopeFilter) -> CompareRequest {
    CompareRequest {
        kind: Kind::Drift,
        filter,
        concurrency: usize::from(args.cloud.concurrency),
        max_failures: args.cloud.max_failures,
        strict: false,
        now: now(),
        expires_at: None,
        base: None,
    }
}
