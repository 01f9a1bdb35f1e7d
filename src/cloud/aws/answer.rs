//! Refuses answers that would be taken for less than there is.
//!
//! To the SDK an empty answer in JSON is a listing of nothing. It takes a page that names no other for the last, whatever
//! else it says, and one that leads back to itself either for the last, too, or asks for it for ever.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// Says what a request asks for, as far as its answer must fit it.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Whether there is something to answer, in JSON.
    reads: bool,
    /// The page, by what AWS calls a marker or a token; none for the first, and for what is no listing.
    page: Option<String>,
}

impl Asked {
    /// Finds what a request asks for.
    pub(super) fn by(request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let action = target.rsplit('.').next().unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        Self {
            reads: ["List", "Describe", "Get", "Lookup"]
                .iter()
                .any(|verb| action.starts_with(verb)),
            page: std::str::from_utf8(body).ok().and_then(asked_page),
        }
    }

    /// Checks the answer of a call that worked.
    pub(super) fn check(&self, answer: &[u8]) -> Result<(), &'static str> {
        if self.reads && answer.trim_ascii().is_empty() {
            return Err("the answer is empty");
        }
        let Ok(body) = std::str::from_utf8(answer) else {
            return Ok(());
        };
        let next = if body.starts_with('{') {
            // It is only looked for where there is something to compare it with.
            self.page.as_ref().and_then(|_| in_json(body))
        } else {
            in_xml(body, "Marker").or_else(|| in_xml(body, "NextToken"))
        };
        if next.is_none() && body.contains("<IsTruncated>true</IsTruncated>") {
            return Err("the answer says that there is more, and not where");
        }
        if next.is_some() && next == self.page {
            return Err("the answer leads back to the page that was asked for");
        }
        Ok(())
    }
}

fn asked_page(body: &str) -> Option<String> {
    if body.starts_with('{') {
        return in_json(body);
    }
    let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    let (_, token) = pairs.find(|(name, _)| ["Marker", "NextToken"].contains(name))?;
    let token = token.replace('+', " ");
    let token = percent_decode_str(&token).decode_utf8().ok()?;
    (!token.is_empty()).then(|| token.into_owned())
}

fn in_json(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Listing {
        #[serde(rename = "NextToken", alias = "nextToken")]
        token: Option<String>,
    }
    let token = serde_json::from_str::<Listing>(body).ok()?.token?;
    (!token.is_empty()).then_some(token)
}

fn in_xml(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (token, _) = rest.split_once("</")?;
    (!token.is_empty()).then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn an_answer_to_a_read_is_not_empty() {
        for (action, refused) in [
            ("ListAccounts", true),
            ("GetPolicy", true),
            ("TagResource", false),
        ] {
            let mut request = HttpRequest::new(SdkBody::from("{}"));
            let target = format!("Service.{action}");
            request.headers_mut().insert("x-amz-target", target);
            let asked = Asked::by(&request);
            assert_eq!(asked.check(b" \n").is_err(), refused, "{action}");
            assert_eq!(asked.check(b"{}"), Ok(()));
        }
        assert_eq!(Asked::by(&HttpRequest::empty()).check(b""), Ok(()));
    }

    #[test]
    fn a_page_that_leads_nowhere_is_refused_in_xml_and_in_json() {
        let again = "leads back to the page";
        let nowhere = "more, and not where";
        for (asked, answer, expected) in [
            (
                "Action=ListRoles&Marker=a%2Fb%3D",
                "<Marker>a/b=</Marker>",
                again,
            ),
            ("NextToken=a&Action=L", "<NextToken>a</NextToken>", again),
            (
                r#"{"NextToken":"a"}"#,
                r#"{"Accounts":[],"NextToken":"a"}"#,
                again,
            ),
            (r#"{"nextToken":"a"}"#, r#"{"nextToken":"a"}"#, again),
            (
                "Action=ListRoles",
                "<IsTruncated>true</IsTruncated>",
                nowhere,
            ),
            (
                "Action=L&Marker=a",
                "<IsTruncated>true</IsTruncated><Marker></Marker>",
                nowhere,
            ),
            (
                "Action=L&Marker=a",
                "<IsTruncated>true</IsTruncated><Marker>b</Marker>",
                "",
            ),
            ("Action=L&Marker=a", "<IsTruncated>false</IsTruncated>", ""),
            ("Action=L", "<Marker>a</Marker>", ""),
            (r#"{"NextToken":"a"}"#, r#"{"NextToken":"b"}"#, ""),
            (r#"{"NextToken":"a"}"#, r#"{"NextToken":null}"#, ""),
            (r#"{"NextToken":"a"}"#, "{}", ""),
            ("{}", r#"{"NextToken":"a"}"#, ""),
            ("", "", ""),
        ] {
            let request = HttpRequest::new(SdkBody::from(asked));
            let told = Asked::by(&request).check(answer.as_bytes());
            let told = told.err().unwrap_or_default();
            assert!(told.contains(expected), "{asked} {answer}: {told}");
            assert_eq!(told.is_empty(), expected.is_empty(), "{asked} {answer}");
        }
    }
}
