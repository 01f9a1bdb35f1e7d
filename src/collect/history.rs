//! The audit of the event history: every account and Region is asked for what concerns break-glass, then for more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::reader::not_read;
use super::usage::{Found, UsageRequest, finish, watch};
use super::{CollectError, Progress};
use crate::audit::{
    Audit, Gatherer, HistoryPlace, Question, RecordSource, Trace, UnreadableSource, Watch,
    classify, first_questions, second_questions,
};
use crate::cloud::{Cloud as _, aws::Aws};
use crate::ids::AccountId;
use crate::org::Organization;
use crate::spec::Loaded;

/// The Regions that every account of the commercial partition has enabled. Source: AWS General Reference, "Regions".
const ENABLED: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Where a sign-in at the global endpoint may be recorded. Source: CloudTrail user guide, "sign-in events".
const SIGN_IN: [&str; 4] = ["us-east-1", "us-east-2", "eu-north-1", "ap-southeast-2"];

/// Audits the event history of every active account in a time span, which is that of the request.
///
/// # Errors
/// When the organization itself can't be read. An account or Region that can't be read is no error: it is in the audit.
pub async fn audit_history(
    aws: &Aws,
    loaded: &Loaded,
    request: &UsageRequest,
    (since, until): (Timestamp, Timestamp),
    progress: &Progress<'_>,
) -> Result<Audit, CollectError> {
    let spec = &loaded.spec;
    let organization = aws.organization(Some(&spec.organization.id), false).await?;
    let watch = watch(spec, &request.deployers);
    let (global, sign_in, regions) = regions(&organization, spec.organization.regions.as_deref());
    let mut gatherer = Gatherer::new(Some(since), Some(until));
    let mut round = Round {
        aws,
        watch: &watch,
        span: (since, until),
        request,
        unreadable: BTreeMap::new(),
        records: 0,
    };
    let mut asked: BTreeMap<(AccountId, String), BTreeSet<Question>> = BTreeMap::new();
    for (account, _) in organization.active_accounts() {
        let emergency = *account == spec.emergency_account;
        let everywhere = regions
            .iter()
            .chain(sign_in.iter().filter(|_| emergency))
            .collect::<BTreeSet<_>>();
        for region in everywhere {
            let place = HistoryPlace {
                account,
                partition: &organization.partition,
                management: *account == organization.management_account,
                global: *region == global,
            };
            asked.insert(
                (account.clone(), region.clone()),
                first_questions(&watch, place),
            );
        }
    }
    round.ask(&asked, &mut gatherer, progress).await;
    // What was found may lead to sessions of other roles, so that there is more to ask, until there is not.
    loop {
        let mut more: BTreeMap<(AccountId, String), BTreeSet<Question>> = BTreeMap::new();
        for (account, question) in second_questions(&gatherer) {
            for region in &regions {
                let place = (account.clone(), region.clone());
                // An account that is not of this organization has no history to ask.
                if let Some(before) = asked.get_mut(&place)
                    && before.insert(question.clone())
                {
                    more.entry(place).or_default().insert(question.clone());
                }
            }
        }
        if more.is_empty() {
            break;
        }
        round.ask(&more, &mut gatherer, progress).await;
    }
    let found = Found {
        source: RecordSource::EventHistory {
            accounts: organization.active_accounts().count() as u64,
            regions: regions.iter().cloned().collect(),
        },
        records: round.records,
        unreadable: round
            .unreadable
            .into_iter()
            .map(|(source, error)| UnreadableSource { source, error })
            .collect(),
        notes: vec![
            "the event history does not tell of refused attempts by others than break-glass users; log files do"
                .to_owned(),
        ],
    };
    Ok(finish(
        loaded,
        Some(&organization),
        request,
        gatherer,
        found,
    ))
}

/// The Region of global services, those where sign-ins may be recorded, and those to look at.
fn regions(
    organization: &Organization,
    spec: Option<&[String]>,
) -> (String, BTreeSet<String>, BTreeSet<String>) {
    let (global, sign_in, enabled): (&str, &[&str], &[&str]) = match organization.partition.as_str()
    {
        "aws-cn" => (
            "cn-north-1",
            &["cn-north-1"],
            &["cn-north-1", "cn-northwest-1"],
        ),
        "aws-us-gov" => (
            "us-gov-west-1",
            &["us-gov-west-1"],
            &["us-gov-east-1", "us-gov-west-1"],
        ),
        _ => ("us-east-1", &SIGN_IN, &ENABLED),
    };
    let owned = |regions: &[&str]| -> BTreeSet<String> {
        regions.iter().map(|region| (*region).to_owned()).collect()
    };
    let mut regions = match spec {
        Some(regions) => regions.iter().cloned().collect(),
        None => owned(enabled),
    };
    regions.insert(global.to_owned());
    (global.to_owned(), owned(sign_in), regions)
}

/// Asks many accounts and Regions at a time.
struct Round<'a> {
    aws: &'a Aws,
    watch: &'a Watch,
    span: (Timestamp, Timestamp),
    request: &'a UsageRequest,
    unreadable: BTreeMap<String, String>,
    records: u64,
}

impl Round<'_> {
    async fn ask(
        &mut self,
        questions: &BTreeMap<(AccountId, String), BTreeSet<Question>>,
        gatherer: &mut Gatherer,
        progress: &Progress<'_>,
    ) {
        let all = questions.len();
        let most = self.request.max_failures.map(|bound| bound.of(all));
        let failures = AtomicUsize::new(0);
        let (aws, watch, (since, until)) = (self.aws, self.watch, self.span);
        let failures = &failures;
        let askings = questions
            .iter()
            .map(|((account, region), questions)| async move {
                let mut answer = Answer::default();
                let mut reader = aws.history(account, region, since, until);
                for question in questions {
                    let failed = failures.load(Ordering::Relaxed);
                    let asked = if most.is_some_and(|most| failed > most) {
                        Err(not_read(failed))
                    } else {
                        reader
                            .ask(question, |event| answer.take(event, watch))
                            .await
                    };
                    if let Err(error) = asked {
                        failures.fetch_add(1, Ordering::Relaxed);
                        answer.error = Some(error.to_string());
                        break;
                    }
                }
                (format!("{account} {region}"), answer)
            });
        let mut answers = stream::iter(askings).buffer_unordered(self.request.concurrency);
        let mut done = 0;
        while let Some((place, answer)) = answers.next().await {
            let Answer {
                traces,
                records,
                error,
            } = answer;
            self.records += records;
            for trace in traces {
                gatherer.add(trace);
            }
            if let Some(error) = error {
                self.unreadable.insert(place, error);
            }
            done += 1;
            progress(done, all);
        }
    }
}

/// What one account and Region answered.
#[derive(Default)]
struct Answer {
    traces: Vec<Trace>,
    records: u64,
    error: Option<String>,
}

impl Answer {
    fn take(&mut self, event: &str, watch: &Watch) {
        self.records += 1;
        match classify(event.as_bytes(), watch) {
            Ok(trace) => self.traces.extend(trace),
            Err(error) => self.error = Some(error),
        }
    }
}
