//! Handing a notice on: to an SNS topic, or to a web address, signed.
//!
//! A web address gets a POST with these headers:
//!
//! - `X-Breakglass-Delivery`: the notice's id, the same in every attempt and for the same findings
//! - `X-Breakglass-Timestamp`: when sending began, in seconds since 1970
//! - `X-Breakglass-Signature`: `v1=` and, in hexadecimal, the HMAC-SHA256 of `TIMESTAMP.BODY` under the shared key

use std::time::Duration;

use aws_sdk_sns::config::Region;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::time::{sleep, timeout};

use super::error::failed;
use super::{config, http};
use crate::audit::{Notice, hex};
use crate::cloud::{CloudError, ErrorKind};
use crate::ids::Arn;

/// How long each attempt waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The waits between attempts.
const WAITS: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Publishes a notice to an SNS topic, in the topic's Region, with the credentials of the environment.
///
/// # Errors
/// When SNS refuses it, or can't be reached.
pub async fn publish(
    topic: &Arn,
    notice: &Notice,
    endpoint_url: Option<&str>,
) -> Result<(), CloudError> {
    let call = "sns:Publish";
    let region = topic.as_str().split(':').nth(3).unwrap_or_default();
    let sdk = config::load(endpoint_url).await;
    let config = aws_sdk_sns::config::Builder::from(&sdk).region(Region::new(region.to_owned()));
    aws_sdk_sns::Client::from_conf(config.build())
        .publish()
        .topic_arn(topic.as_str())
        .subject(notice.subject())
        .message(notice.body())
        .send()
        .await
        .map_err(failed(call))?;
    Ok(())
}

/// Posts a notice to a web address; `seconds` is the time since 1970.
///
/// What the receiver or the network fails at is tried again, what the receiver refuses is not.
///
/// # Errors
/// When it is refused, or every attempt failed.
pub async fn post(
    url: &str,
    key: Option<&str>,
    notice: &Notice,
    seconds: i64,
) -> Result<(), CloudError> {
    let body = notice.body();
    let signature = key.map(|key| sign(key, seconds, &body));
    let mut waits = WAITS.iter();
    loop {
        let answer = attempt(url, notice, seconds, signature.as_deref(), &body).await;
        let (retry, why) = match answer {
            Ok(200..=299) => return Ok(()),
            Ok(status) => {
                let retry = matches!(status, 408 | 429 | 500..=599);
                (retry, format!("it answered with HTTP {status}"))
            }
            Err(error) => (true, error),
        };
        match waits.next().filter(|_| retry) {
            Some(wait) => sleep(*wait).await,
            None => {
                let host = http::endpoint(url);
                let message = format!("{host}: {why}");
                return Err(CloudError::new(ErrorKind::Network, "the webhook", message));
            }
        }
    }
}

async fn attempt(
    url: &str,
    notice: &Notice,
    seconds: i64,
    signature: Option<&str>,
    body: &str,
) -> Result<u16, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("the request can't be made: {error}");
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST").map_err(|error| wrong(&error))?;
    request.set_uri(url).map_err(|error| wrong(&error))?;
    let headers = request.headers_mut();
    headers.insert("content-type", "application/json");
    headers.insert("content-length", body.len().to_string());
    headers.insert("x-breakglass-delivery", notice.id.clone());
    headers.insert("x-breakglass-timestamp", seconds.to_string());
    if let Some(signature) = signature {
        headers.insert("x-breakglass-signature", signature.to_owned());
    }
    match timeout(PATIENCE, http::connector().call(request)).await {
        Err(_) => Err("no answer in time".to_owned()),
        Ok(Err(error)) => Err(super::error::chain(&error)),
        Ok(Ok(answer)) => Ok(answer.status().as_u16()),
    }
}

fn sign(key: &str, seconds: i64, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{seconds}.{body}").as_bytes());
    format!("v1={}", hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;
    use crate::audit::{AuditOutcome, AuditSummary};

    fn notice() -> Notice {
        Notice {
            format_version: "1.0".to_owned(),
            kind: "usage_notice".to_owned(),
            id: "abc".to_owned(),
            organization_id: "o-exampleorg1".to_owned(),
            outcome: AuditOutcome::Findings,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            summary: AuditSummary::default(),
            findings: Vec::new(),
            findings_left_out: 0,
            uses: Vec::new(),
            uses_left_out: 0,
            unreadable: Vec::new(),
            unreadable_left_out: 0,
        }
    }

    /// Answers one request with each of these statuses, and gives the requests.
    fn receiver(statuses: &'static [&'static str]) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!(
            "http://{}/hook?token=hunter2",
            listener.local_addr().unwrap()
        );
        let server = thread::spawn(move || {
            let answer = |status: &&str| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = String::new();
                let mut buffer = [0; 4096];
                while !request.ends_with('}') {
                    let length = stream.read(&mut buffer).unwrap();
                    request.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
                }
                let head = "Content-Length: 0\r\nConnection: close";
                write!(stream, "HTTP/1.1 {status}\r\n{head}\r\n\r\n").unwrap();
                request
            };
            statuses.iter().map(answer).collect()
        });
        (url, server)
    }

    #[tokio::test]
    async fn what_the_receiver_fails_at_is_sent_again_signed_the_same() {
        let (url, server) = receiver(&["503 Unavailable", "200 OK"]);
        post(&url, Some("key"), &notice(), 1_700_000_000)
            .await
            .unwrap();
        let requests = server.join().unwrap();
        assert_eq!(requests[0], requests[1]);
        let request = requests[0].to_ascii_lowercase();
        let (_, body) = requests[0].split_once("\r\n\r\n").unwrap();
        assert_eq!(body, notice().body());
        assert!(request.starts_with("post /hook?token=hunter2 http/1.1\r\n"));
        for line in [
            "content-type: application/json".to_owned(),
            "x-breakglass-delivery: abc".to_owned(),
            "x-breakglass-timestamp: 1700000000".to_owned(),
            format!(
                "x-breakglass-signature: {}",
                sign("key", 1_700_000_000, body)
            ),
        ] {
            assert!(
                request.contains(&format!("\r\n{line}\r\n")),
                "{line}: {request}"
            );
        }
    }

    #[tokio::test]
    async fn what_the_receiver_refuses_is_told_without_the_address() {
        let (url, server) = receiver(&["403 Forbidden"]);
        let error = post(&url, Some("s3cret"), &notice(), 0).await.unwrap_err();
        server.join().unwrap();
        let told = error.to_string();
        assert!(told.starts_with("the webhook: http://127.0.0.1:"), "{told}");
        assert!(told.ends_with("it answered with HTTP 403"), "{told}");
        assert!(!told.contains("hunter2") && !told.contains("s3cret"));
    }

    #[test]
    fn signatures_are_those_of_rfc_4231() {
        // Its second test case, of which the data begins with a time and a dot here.
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&mac.finalize().into_bytes()), expected);
        let mut mac = Hmac::<Sha256>::new_from_slice(b"key").unwrap();
        mac.update(b"7.body");
        let expected = format!("v1={}", hex(&mac.finalize().into_bytes()));
        assert_eq!(sign("key", 7, "body"), expected);
    }
}
