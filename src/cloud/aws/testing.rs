//! A stand-in for AWS in unit tests: a function that answers each call, and a record of the calls.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use percent_encoding::percent_decode_str;

use super::config;

/// One call: its action, and its parameters as text.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) action: String,
    parameters: BTreeMap<String, String>,
    /// The body of a call in JSON.
    pub(super) body: String,
}

impl Call {
    /// A parameter; empty when it was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }
}

/// The status and body of an answer.
pub(super) type Reply = (u16, String);

type Answering = dyn Fn(&Call) -> Reply + Send + Sync;

/// Answers calls by a function.
#[derive(Clone)]
pub(super) struct FakeAws {
    answer: Arc<Answering>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl FakeAws {
    pub(super) fn new(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            answer: Arc::new(answer),
            calls: Arc::default(),
        }
    }

    /// The configuration that makes clients call this, once for each call.
    pub(super) fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKID", "s3cret", None, None, "test",
            )))
            .build()
    }

    /// A client that makes each call once, throttled or not.
    pub(super) fn iam(&self) -> aws_sdk_iam::Client {
        let sdk = self.config();
        let mut config = config::iam(&sdk, config::throttle(&sdk));
        config.set_http_client(sdk.http_client());
        aws_sdk_iam::Client::from_conf(config.build())
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(super) fn actions(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.action).collect()
    }
}

impl fmt::Debug for FakeAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeAws")
    }
}

impl HttpConnector for FakeAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        let target = request.headers().get("x-amz-target");
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text)
                .decode_utf8()
                .unwrap()
                .into_owned()
        };
        let mut parameters: BTreeMap<String, String> = body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        let action = target.map_or_else(
            || parameters.remove("Action").unwrap_or_default(),
            |target| target.rsplit('.').next().unwrap().to_owned(),
        );
        let call = Call {
            action,
            parameters,
            body,
        };
        let (status, body) = (self.answer)(&call);
        self.calls.lock().unwrap().push(call);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            status.try_into().unwrap(),
            SdkBody::from(body),
        )))
    }
}

/// Wraps the result of an IAM or STS action in the XML around it.
pub(super) fn result(action: &str, content: &str) -> Reply {
    let body =
        format!("<{action}Response><{action}Result>{content}</{action}Result></{action}Response>");
    (200, body)
}

/// Refuses as IAM and STS do.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    );
    (status, body)
}
