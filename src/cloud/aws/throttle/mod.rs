//! Being throttled: calls that are one too many wait for their turn here, and neither the SDK nor anybody behind it
//! hears of it. What else goes wrong is left to the SDK's retries.
//!
//! Every kind of call has a [`Bucket`]: a service in an account and Region, or an action where a service throttles each
//! by itself. So what is throttled in one account holds up no other.

mod bucket;
mod rates;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use bucket::Bucket;

/// How often a call is made at most when every time it is throttled.
const ATTEMPTS: i32 = 20;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The codes of calls that are one too many.
pub(super) const THROTTLED: [&str; 8] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
];

/// An HTTP client for the calls in one account.
#[derive(Debug, Clone)]
pub(super) struct Throttle {
    connections: SharedHttpClient,
    buckets: Buckets,
}

impl Throttle {
    /// Makes calls over these connections, which other accounts may use too.
    pub(super) fn over(connections: SharedHttpClient) -> Self {
        Self {
            connections,
            buckets: Buckets::default(),
        }
    }
}

impl HttpClient for Throttle {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Waiting {
            connector: self.connections.http_connector(settings, components),
            buckets: self.buckets.clone(),
        })
    }
}

/// The buckets of an account, by kind of call.
#[derive(Debug, Clone, Default)]
struct Buckets(Arc<Mutex<HashMap<Kind, Bucket>>>);

impl Buckets {
    fn with<T>(&self, kind: &Kind, act: impl FnOnce(&mut Bucket, Instant) -> T) -> T {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets
            .entry(kind.clone())
            .or_insert_with(|| Bucket::new(rates::published(&kind.service, &kind.action)));
        act(bucket, Instant::now())
    }
}

/// What is throttled together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Kind {
    region: String,
    service: String,
    /// Empty for services that do not name it in a header.
    action: String,
}

impl Kind {
    /// Finds Region and service where the signature names them: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
    fn of(request: &HttpRequest) -> Self {
        let header = |name| request.headers().get(name).unwrap_or_default();
        let scope = header("authorization").split_once("Credential=");
        let mut scope = scope.map_or("", |(_, scope)| scope).split('/').skip(2);
        let mut next = || scope.next().unwrap_or_default().to_owned();
        let target = header("x-amz-target");
        Self {
            region: next(),
            service: next(),
            action: target.rsplit('.').next().unwrap_or_default().to_owned(),
        }
    }
}

/// Makes calls at their pace, and again while they are throttled.
#[derive(Debug)]
struct Waiting {
    connector: SharedHttpConnector,
    buckets: Buckets,
}

impl HttpConnector for Waiting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (connector, buckets) = (self.connector.clone(), self.buckets.clone());
        HttpConnectorFuture::new(paced(connector, buckets, request, sleep))
    }
}

async fn paced<F: Future<Output = ()>>(
    connector: SharedHttpConnector,
    buckets: Buckets,
    mut request: HttpRequest,
    sleep: impl Fn(Duration) -> F,
) -> Result<HttpResponse, ConnectorError> {
    let kind = Kind::of(&request);
    let mut attempts = 0;
    loop {
        sleep(buckets.with(&kind, Bucket::place)).await;
        let again = request.try_clone();
        let mut answer = connector.call(request).await?;
        attempts += 1;
        if !is_throttled(&mut answer).await? {
            buckets.with(&kind, Bucket::taken);
            return Ok(answer);
        }
        let hopeful = buckets.with(&kind, Bucket::refused);
        match again {
            Some(again) if hopeful && attempts < ATTEMPTS => request = again,
            _ => {
                answer.add_extension(GivenUp);
                return Ok(answer);
            }
        }
        sleep(backoff(attempts, fastrand::f64())).await;
    }
}

/// How long to wait after so many attempts: a part of what doubles each time, so that not all come back at once.
fn backoff(attempts: i32, part: f64) -> Duration {
    let doubled = FIRST_WAIT.as_secs_f64() * f64::from(attempts - 1).exp2();
    LONGEST_WAIT.mul_f64((doubled / LONGEST_WAIT.as_secs_f64()).min(1.0) * part)
}

/// Tells whether a call was one too many; the answer can be read by others afterwards.
async fn is_throttled(answer: &mut HttpResponse) -> Result<bool, ConnectorError> {
    if answer.status().is_success() {
        return Ok(false);
    }
    let body = ByteStream::new(answer.take_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?;
    let body = body.into_bytes();
    let throttled = answer.status().as_u16() == 429
        || code(&body).is_some_and(|code| THROTTLED.contains(&code.as_str()));
    *answer.body_mut() = SdkBody::from(body);
    Ok(throttled)
}

/// The error code in an answer, in XML or in JSON.
fn code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(rename = "__type")]
        code: String,
    }
    let text = std::str::from_utf8(body).ok()?;
    if let Some((_, code)) = text.split_once("<Code>") {
        return code.split_once("</Code>").map(|(code, _)| code.to_owned());
    }
    let Refusal { code } = serde_json::from_str(text).ok()?;
    code.rsplit('#').next().map(str::to_owned)
}

/// Marks the answer to a call that was throttled until it was given up on.
#[derive(Debug, Clone)]
struct GivenUp;

/// Keeps the SDK from trying again what was given up on here.
#[derive(Debug)]
pub(super) struct LeavesThrottling;

impl ClassifyRetry for LeavesThrottling {
    fn name(&self) -> &'static str {
        "LeavesThrottling"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let answer = context.response();
        match answer.and_then(|answer| answer.extension::<GivenUp>()) {
            Some(GivenUp) => RetryAction::RetryForbidden,
            None => RetryAction::NoActionIndicated,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::cloud::aws::testing::{FakeAws, Reply, refusal, result};

    #[test]
    fn waits_double_up_to_the_longest_and_a_part_of_each_is_taken() {
        for (attempts, part, expected) in [
            (1, 1.0, 100),
            (2, 1.0, 200),
            (3, 0.5, 200),
            (5, 1.0, 1_600),
            (6, 0.25, 500),
            (20, 1.0, 2_000),
            (20, 0.0, 0),
        ] {
            assert_eq!(backoff(attempts, part).as_millis(), expected, "{attempts}");
        }
    }

    #[test]
    fn kinds_are_told_apart_by_signature_and_target() {
        let mut request = HttpRequest::empty();
        assert_eq!(Kind::of(&request), Kind::default());
        let signature = "AWS4-HMAC-SHA256 Credential=AKID/20261125/us-east-1/organizations/aws4_request, SignedHeaders=host";
        request.headers_mut().insert("authorization", signature);
        let target = "AWSOrganizationsV20161128.ListAccounts";
        request.headers_mut().insert("x-amz-target", target);
        let kind = Kind::of(&request);
        let told = [&*kind.region, &kind.service, &kind.action];
        assert_eq!(told, ["us-east-1", "organizations", "ListAccounts"]);
        assert_eq!(rates::published(&kind.service, &kind.action), Some(8.0));
    }

    #[test]
    fn codes_are_found_in_xml_and_json() {
        for (body, expected) in [
            (
                "<E><Error><Code>Throttling</Code></Error></E>",
                "Throttling",
            ),
            (r#"{"__type":"a.b#SlowDown","Message":"x"}"#, "SlowDown"),
            (r#"{"__type":"SlowDown"}"#, "SlowDown"),
            (r#"{"Message":"SlowDown"}"#, ""),
            ("<html>", ""),
        ] {
            assert_eq!(
                code(body.as_bytes()).unwrap_or_default(),
                expected,
                "{body}"
            );
        }
    }

    /// Makes a call of which the first attempts are answered otherwise; gives the status, whether it was given up on, and
    /// the attempts.
    async fn call(otherwise: usize, reply: Reply) -> (u16, bool, usize) {
        let left = AtomicUsize::new(otherwise);
        let aws = FakeAws::new(move |call| {
            let before = left.load(Ordering::Relaxed);
            left.store(before.saturating_sub(1), Ordering::Relaxed);
            match before {
                0 => result(&call.action, ""),
                _ => reply.clone(),
            }
        });
        let connector = SharedHttpConnector::new(aws.clone());
        let request = HttpRequest::new(SdkBody::from("Action=ListRoles"));
        let answer = paced(connector, Buckets::default(), request, |_| ready(())).await;
        let answer = answer.unwrap();
        assert!(answer.body().bytes().is_some(), "it can be read");
        let given_up = answer.extension::<GivenUp>().is_some();
        (answer.status().as_u16(), given_up, aws.calls().len())
    }

    #[tokio::test]
    async fn what_is_throttled_is_made_again_for_a_while_and_nothing_else_is() {
        let throttled = || refusal(400, "Throttling", "Rate exceeded");
        assert_eq!(call(19, throttled()).await, (200, false, 20));
        assert_eq!(call(1_000, throttled()).await, (400, true, 20));
        assert_eq!(call(3, (429, String::new())).await, (200, false, 4));
        for status in [400, 500, 503] {
            let other = refusal(status, "LimitExceeded", "x");
            assert_eq!(call(1, other).await, (status, false, 1));
        }
    }
}
