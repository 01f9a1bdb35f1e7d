//! CloudTrail's event history of an account in one Region, asked by one attribute at a time.

use std::time::Duration;

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_cloudtrail::{Client, primitives::DateTime};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::Aws;
use super::error::{Failure, failed};
use super::guardrails::Pace;
use super::session::{Purpose, Sessions};
use crate::audit::{Attribute, Question};
use crate::cloud::CloudError;
use crate::ids::AccountId;

/// How many requests an account and Region answers in a second. Source: CloudTrail API reference, LookupEvents.
const RATE: u32 = 2;

/// Asks for events; requests are spaced out as CloudTrail wants them, so one asker serves an account and Region.
#[derive(Debug)]
pub struct HistoryReader<'a> {
    sessions: &'a Sessions,
    account: &'a AccountId,
    region: &'a str,
    client: Client,
    pace: Pace,
    since: Timestamp,
    until: Timestamp,
}

impl Aws {
    /// Makes the asker of an account and Region, for the events of a time span.
    #[must_use]
    pub fn history<'a>(
        &'a self,
        account: &'a AccountId,
        region: &'a str,
        since: Timestamp,
        until: Timestamp,
    ) -> HistoryReader<'a> {
        HistoryReader {
            sessions: &self.sessions,
            account,
            region,
            client: client(&self.sessions, account, region),
            pace: Pace::new(RATE, Duration::from_secs(1) / RATE),
            since,
            until,
        }
    }
}

fn client(sessions: &Sessions, account: &AccountId, region: &str) -> Client {
    sessions.region(account, Purpose::Plan, region).cloudtrail()
}

impl HistoryReader<'_> {
    /// Gives every event that a question finds, each as the JSON that a log file would hold.
    ///
    /// # Errors
    /// When a page can't be read; the events of the pages before it have been given.
    pub async fn ask(
        &mut self,
        question: &Question,
        mut event: impl FnMut(&str),
    ) -> Result<(), CloudError> {
        let call = "cloudtrail:LookupEvents";
        let attribute = LookupAttribute::builder()
            .attribute_key(match question.attribute {
                Attribute::EventName => LookupAttributeKey::EventName,
                Attribute::Username => LookupAttributeKey::Username,
                Attribute::ResourceName => LookupAttributeKey::ResourceName,
            })
            .attribute_value(&question.value)
            .build()
            .map_err(|error| CloudError::from(Failure::new(call, &error.to_string())))?;
        let mut token: Option<String> = None;
        let mut entered_anew = false;
        loop {
            let wait = self.pace.next(Instant::now());
            sleep(wait).await;
            let page = self
                .client
                .lookup_events()
                .lookup_attributes(attribute.clone())
                .start_time(DateTime::from_secs(self.since.as_second()))
                .end_time(DateTime::from_secs(self.until.as_second()))
                .max_results(50)
                .set_next_token(token.clone())
                .send()
                .await
                .map_err(failed(call));
            let page = match page {
                // As everywhere in an account, once: a session may end sooner than it was told to.
                Err(failure)
                    if !entered_anew
                        && failure.is_expired()
                        && self.sessions.leave(self.account, Purpose::Plan) =>
                {
                    self.client = client(self.sessions, self.account, self.region);
                    entered_anew = true;
                    continue;
                }
                page => page?,
            };
            entered_anew = false;
            for found in page.events() {
                if let Some(text) = found.cloud_trail_event() {
                    event(text);
                }
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }
}
