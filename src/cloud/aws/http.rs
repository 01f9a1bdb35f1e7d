//! One HTTP client for every service and account, so that connections are reused.
//!
//! It takes proxies from the environment (`HTTPS_PROXY`, `NO_PROXY`, …), reads every answer to its end, and adds to a
//! failure the endpoint that could not be reached, which the SDK leaves out.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sts::config::SharedAsyncSleep;
use aws_smithy_http_client::{Connector, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::time::timeout;

use super::answer::Asked;

/// How long an answer may take from its head to its end: none is larger than some megabytes.
const LONGEST_BODY: Duration = Duration::from_secs(30);

/// Makes the client.
pub(super) fn client() -> SharedHttpClient {
    SharedHttpClient::new(Pool::default())
}

/// The connect and the read timeout, all that connectors differ in.
type Timeouts = (Option<Duration>, Option<Duration>);

/// Keeps one connector, with its connections, for each pair of timeouts.
#[derive(Debug, Default)]
struct Pool {
    connectors: Mutex<HashMap<Timeouts, SharedHttpConnector>>,
}

impl HttpClient for Pool {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        self.connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(timeouts)
            .or_insert_with(|| connect(settings, components.sleep_impl()))
            .clone()
    }
}

/// Makes a connector for requests that are none of AWS's; how long to wait is left to the caller.
pub(super) fn connector() -> SharedHttpConnector {
    connect(&HttpConnectorSettings::default(), None)
}

fn connect(
    settings: &HttpConnectorSettings,
    sleep: Option<SharedAsyncSleep>,
) -> SharedHttpConnector {
    let mut builder = Connector::builder()
        .connector_settings(settings.clone())
        .proxy_config(ProxyConfig::from_env());
    builder.set_sleep_impl(sleep);
    let connector = builder
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::AwsLc,
        ))
        .build();
    SharedHttpConnector::new(Whole(SharedHttpConnector::new(connector)))
}

/// Passes requests on, gives answers as a whole, and names the endpoint in what goes wrong.
#[derive(Debug)]
struct Whole(SharedHttpConnector);

impl HttpConnector for Whole {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let endpoint = endpoint(request.uri());
        let asked = Asked::by(&request);
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            let answer = answer.map_err(|error| at_endpoint(error, "no answer", &endpoint))?;
            let whole = whole(answer, &asked, LONGEST_BODY).await;
            whole.map_err(|error| at_endpoint(error, "no whole answer", &endpoint))
        })
    }
}

/// Reads an answer to its end, and refuses one that never ends, or says less than it should.
async fn whole(
    mut answer: HttpResponse,
    asked: &Asked,
    longest: Duration,
) -> Result<HttpResponse, ConnectorError> {
    let body = ByteStream::new(answer.take_body()).collect();
    let body = timeout(longest, body).await.map_err(|_| {
        let seconds = longest.as_secs();
        ConnectorError::timeout(format!("the answer did not end within {seconds} s").into())
    })?;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?;
    let body = body.into_bytes();
    if answer.status().is_success() {
        let sound = asked.check(&body);
        sound.map_err(|error| ConnectorError::io(error.into()))?;
    }
    *answer.body_mut() = SdkBody::from(body);
    Ok(answer)
}

/// The scheme, host and port of a URI: no user, password, path or query, which may hold secrets.
pub(super) fn endpoint(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("https", uri));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

/// Puts what there is not, and the endpoint, around an error's source; its kind and connection decide about retries, so
/// they stay.
fn at_endpoint(error: ConnectorError, lacking: &'static str, endpoint: &str) -> ConnectorError {
    let (timeout, io, user, other) = (
        error.is_timeout(),
        error.is_io(),
        error.is_user(),
        error.as_other(),
    );
    let connection = error.connection_metadata().cloned();
    let source = BoxError::from(AtEndpoint {
        lacking,
        endpoint: endpoint.to_owned(),
        source: error.into_source(),
    });
    let named = if timeout {
        ConnectorError::timeout(source)
    } else if io {
        ConnectorError::io(source)
    } else if user {
        ConnectorError::user(source)
    } else {
        ConnectorError::other(source, other)
    };
    match connection {
        Some(connection) => named.with_connection(connection),
        None => named,
    }
}

/// Says which endpoint a failure is about.
#[derive(Debug)]
pub(super) struct AtEndpoint {
    lacking: &'static str,
    endpoint: String,
    source: BoxError,
}

impl fmt::Display for AtEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", self.lacking, self.endpoint)
    }
}

impl std::error::Error for AtEndpoint {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use futures_util::stream;
    use http_body_util::StreamBody;

    use super::*;

    #[tokio::test]
    async fn an_answer_that_never_ends_is_given_up_on_whatever_its_status() {
        for status in [200, 400, 500] {
            // The first bytes come, and then no others.
            let parts = stream::once(async { Ok(hyper::body::Frame::data("<Err".into())) });
            let never = stream::pending::<Result<_, std::io::Error>>();
            let body = StreamBody::new(futures_util::StreamExt::chain(parts, never));
            let status = StatusCode::try_from(status).unwrap();
            let answer = HttpResponse::new(status, SdkBody::from_body_1_x(body));
            let short = Duration::from_millis(10);
            let error = whole(answer, &Asked::default(), short).await.unwrap_err();
            assert!(error.is_timeout(), "{error:?}");
        }
        let answer = HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from("all"));
        let answer = whole(answer, &Asked::default(), LONGEST_BODY)
            .await
            .unwrap();
        assert_eq!(answer.body().bytes(), Some(&b"all"[..]));
    }

    #[test]
    fn endpoints_are_named_without_credentials_path_or_query() {
        for (uri, expected) in [
            ("https://iam.amazonaws.com/", "https://iam.amazonaws.com"),
            (
                "http://user:secret@proxy.example:8080/a@b?Token=x",
                "http://proxy.example:8080",
            ),
            ("http://[::1]:4566", "http://[::1]:4566"),
        ] {
            assert_eq!(endpoint(uri), expected);
        }
    }
}
