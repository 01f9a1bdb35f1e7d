//! From the SDK's errors to [`CloudError`].

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::http::AtEndpoint;
use super::throttle::THROTTLED;
use crate::cloud::{CloudError, ErrorKind};

/// The longest message, in characters.
const MESSAGE_LIMIT: usize = 600;

/// Says what to do when there is nothing to sign a call with.
const NO_CREDENTIALS: &str = "no AWS credentials found: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in with `aws sso login`";

/// Reports a call that failed, together with the error code that decides what happens next.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    code: Option<String>,
    error: CloudError,
}

impl Failure {
    /// Reports a call that failed for another reason than AWS refusing it.
    pub(super) fn new(call: &str, message: &str) -> Self {
        Self {
            code: None,
            error: CloudError::new(ErrorKind::Service, call, tidy(message)),
        }
    }

    /// Tells whether AWS gave this error code.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Tells whether AWS refused a session because its time is over.
    pub(super) fn is_expired(&self) -> bool {
        self.has_code("ExpiredToken") || self.has_code("ExpiredTokenException")
    }

    /// What kind of failure it was.
    pub(super) fn kind(&self) -> ErrorKind {
        self.error.kind
    }

    /// Tells whether AWS may have done what it was asked for nevertheless: it gave no answer, or failed by itself.
    pub(super) fn leaves_open(&self) -> bool {
        let failing = ["InternalFailure", "ServiceFailure", "ServiceUnavailable"];
        self.error.kind == ErrorKind::Network || failing.iter().any(|code| self.has_code(code))
    }

    /// Reports it as one of several attempts, of which one was not answered.
    pub(super) fn unanswered(mut self) -> Self {
        if self.error.kind != ErrorKind::Network {
            self.error.kind = ErrorKind::Network;
            self = self.with_note("and an attempt before was not answered");
        }
        self
    }

    /// The message, with the code before it.
    pub(super) fn message(&self) -> &str {
        &self.error.message
    }

    /// Adds to the message what AWS does not say.
    pub(super) fn with_note(mut self, note: &str) -> Self {
        self.error.message.push_str(" (");
        self.error.message.push_str(&tidy(note));
        self.error.message.push(')');
        self
    }
}

impl From<Failure> for CloudError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// Gives the function that turns the error of a call such as `iam:GetRole` into a [`Failure`].
pub(super) fn failed<E>(call: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> Failure + Copy
where
    E: Error + ProvideErrorMetadata + 'static,
{
    move |error| {
        // What failed may be the AssumeRole in front of the call, which has been told already.
        if let Some(known) = find_source::<CloudError>(&error) {
            return Failure {
                code: None,
                error: known.clone(),
            };
        }
        let (kind, code, message) = classify(&error);
        Failure {
            code,
            error: CloudError::new(kind, call, tidy(&message)),
        }
    }
}

fn classify<E>(error: &SdkError<E, HttpResponse>) -> (ErrorKind, Option<String>, String)
where
    E: Error + ProvideErrorMetadata + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let meta = context.err().meta();
            match meta.code() {
                Some(code) => {
                    let message = service_message(code, meta.message().unwrap_or_default());
                    (kind_of(code), Some(code.to_owned()), message)
                }
                None => unreadable(context.raw().status().as_u16()),
            }
        }
        SdkError::ResponseError(context) => unreadable(context.raw().status().as_u16()),
        _ => match find_source::<CredentialsError>(error) {
            Some(CredentialsError::CredentialsNotLoaded(_)) => {
                (ErrorKind::Credentials, None, NO_CREDENTIALS.to_owned())
            }
            Some(credentials) => (
                ErrorKind::Credentials,
                None,
                format!(
                    "the AWS credentials can't be loaded: {}",
                    chain(credentials)
                ),
            ),
            None if matches!(error, SdkError::ConstructionFailure(_)) => {
                (ErrorKind::Service, None, chain(error))
            }
            None => {
                let endpoint = find_source::<AtEndpoint>(error);
                let message = endpoint.map_or_else(|| chain(error), |error| chain(error));
                (ErrorKind::Network, None, message)
            }
        },
    }
}

fn unreadable(status: u16) -> (ErrorKind, Option<String>, String) {
    let message =
        format!("the answer (HTTP {status}) is broken off, or is not one that AWS would give");
    (ErrorKind::Network, None, message)
}

/// Sorts error codes by what they mean to the user.
///
/// Source: "Common errors" in the IAM, STS and Organizations API references.
fn kind_of(code: &str) -> ErrorKind {
    match code {
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature" => ErrorKind::Credentials,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
            ErrorKind::AccessDenied
        }
        _ if THROTTLED.contains(&code) => ErrorKind::Throttled,
        _ => ErrorKind::Service,
    }
}

fn service_message(code: &str, message: &str) -> String {
    let refused_time = ["Signature expired", "Signature not yet current"];
    match code {
        // Before the code tells of a wrong secret: a clock that goes wrong is answered with the same codes.
        _ if refused_time.iter().any(|start| message.starts_with(start)) => {
            format!("{code}: AWS tells another time than this machine; set its clock")
        }
        "RequestExpired" | "RequestTimeTooSkewed" => {
            format!("{code}: {message}; is this machine's clock right?")
        }
        // AWS goes on to quote the request as it was signed, session token included.
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
            format!(
                "{code}: the request was not signed with the secret that belongs to the access key"
            )
        }
        "ExpiredToken" | "ExpiredTokenException" => {
            format!("{code}: {message}; renew the credentials, for example with `aws sso login`")
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" => {
            format!("{code}: {message} Check AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_REGION")
        }
        _ if message.is_empty() => code.to_owned(),
        _ => format!("{code}: {message}"),
    }
}

/// Iterates over an error and what is behind it.
fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        (**error).source()
    })
}

/// Looks for an error of one type behind another.
fn find_source<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    sources(error).find_map(|error| error.downcast_ref::<T>())
}

/// Writes an error and its sources, without those that only repeat.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for error in sources(error) {
        let part = error.to_string();
        if text.is_empty() {
            text = part;
        } else if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
    }
    text
}

/// Makes one bounded line of a text: what AWS or a broken endpoint says may hold anything.
fn tidy(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    match line.char_indices().nth(MESSAGE_LIMIT) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
impl Failure {
    /// What AWS answers when it refuses.
    pub(super) fn refused(code: &str, message: &str) -> Self {
        Self {
            code: Some(code.to_owned()),
            error: CloudError::new(kind_of(code), "iam:Test", service_message(code, message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::aws::testing::{FakeAws, Reply, refusal};

    async fn fail(reply: Reply) -> CloudError {
        let aws = FakeAws::new(move |_| reply.clone());
        let answer = aws.iam().get_role().role_name("x").send().await;
        answer.map_err(failed("iam:GetRole")).unwrap_err().into()
    }

    #[tokio::test]
    async fn error_codes_tell_the_kind() {
        for (code, kind) in [
            ("AccessDenied", ErrorKind::AccessDenied),
            ("ExpiredToken", ErrorKind::Credentials),
            ("InvalidClientTokenId", ErrorKind::Credentials),
            ("Throttling", ErrorKind::Throttled),
            ("MalformedPolicyDocument", ErrorKind::Service),
        ] {
            let error = fail(refusal(400, code, "What is wrong.")).await;
            assert_eq!(error.kind, kind);
            let start = format!("iam:GetRole: {code}: What is wrong.");
            assert!(error.to_string().starts_with(&start), "{error}");
        }
    }

    #[tokio::test]
    async fn messages_are_one_bounded_line_without_secrets() {
        let long = "word\u{9b}31m\r\n".repeat(500);
        let error = fail(refusal(400, "Odd", &long)).await;
        assert!(error.message.starts_with("Odd: word 31m word 31m"));
        assert_eq!(error.message.chars().count(), MESSAGE_LIMIT + 1);

        let signed = "should have been 'POST x-amz-security-token:s3cret'";
        let error = fail(refusal(403, "SignatureDoesNotMatch", signed)).await;
        assert!(!error.message.contains("s3cret"), "{error}");
    }

    #[tokio::test]
    async fn a_clock_that_goes_wrong_is_not_told_as_a_wrong_secret() {
        for message in [
            "Signature expired: 20261125T000000Z is now earlier than 20261125T001000Z",
            "Signature not yet current: 20261125T010000Z is still later than 20261125T001500Z",
        ] {
            for code in ["SignatureDoesNotMatch", "InvalidSignatureException"] {
                let error = fail(refusal(403, code, message)).await;
                assert_eq!(error.kind, ErrorKind::Credentials);
                assert!(error.message.ends_with("set its clock"), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn answers_that_are_not_from_aws_are_told_as_such() {
        for reply in [
            (200, "<html><body>a proxy's page".to_owned()),
            (502, "<html><body>Bad Gateway</body></html>".to_owned()),
            (200, "<GetRoleResponse><GetRoleResult><Role><Pa".to_owned()),
        ] {
            let status = reply.0;
            let error = fail(reply).await;
            assert_eq!(error.kind, ErrorKind::Network, "{error}");
            assert!(error.message.contains(&format!("HTTP {status}")), "{error}");
        }
    }

    #[tokio::test]
    async fn the_absence_of_credentials_says_what_to_do() {
        let config = FakeAws::new(|_| unreachable!()).config();
        let missing = CredentialsError::not_loaded_no_source();
        let provider = aws_credential_types::credential_fn::provide_credentials_fn(move || {
            let missing = CredentialsError::not_loaded(missing.to_string());
            async { Err(missing) }
        });
        let config = aws_sdk_iam::config::Builder::from(&config)
            .credentials_provider(provider)
            .build();
        let client = aws_sdk_iam::Client::from_conf(config);
        let answer = client.get_role().role_name("x").send().await;
        let error: CloudError = answer.map_err(failed("iam:GetRole")).unwrap_err().into();
        assert_eq!(error.kind, ErrorKind::Credentials);
        assert_eq!(error.message, NO_CREDENTIALS);
    }
}
