//! What a check for drift costs over thousands of accounts: `cargo bench --bench fleet`.
//!
//! It runs the program itself against an endpoint of its own on the loopback, where nothing differs from the spec, and
//! prints a table of calls, time, processor time and memory. After `--`, these change the endpoint:
//! `--accounts 10,100,1000,10000`, `--latency 40` (milliseconds a call), `--listing-rate 8` (pages of accounts a second,
//! after a burst of 12), `--throttled 30` (percent of the calls) and `--failing 5` (percent that end in a 500, a closed
//! connection, half an answer or one that can't be parsed, in turn). `--concurrency` is passed on to the program.

// It measures time, and ends when something is not as it has to be.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use breakglass::ids::AccountId;
use breakglass::org::{Account, AccountState, Organization};
use breakglass::resolve::Resolver;
use breakglass::spec::load_texts;
use breakglass::state::Role;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tokio::net::TcpListener;

const MANAGEMENT: usize = 0;
const EMERGENCY: usize = 1;
/// How many accounts Organizations lists on a page.
const PAGE: usize = 20;

const SPEC: &str = r#"
version: 1
organization: { id: o-exampleorg1 }
emergency_account: "100000000001"
roles:
  - name: BreakGlassAdmin
    trusted: ["arn:aws:iam::100000000001:user/break-glass/alice"]
    permissions: { managed_policies: ["arn:aws:iam::aws:policy/AdministratorAccess"] }
  - name: BreakGlassRead
    trusted: ["arn:aws:iam::100000000001:user/break-glass/alice"]
    permissions: { managed_policies: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] }
"#;

/// What the endpoint is like.
#[derive(Debug, Clone)]
struct Settings {
    sizes: Vec<usize>,
    latency: Duration,
    listing_rate: f64,
    throttled: u64,
    failing: u64,
    /// None for the program's own.
    concurrency: Option<usize>,
}

/// How many accounts the program works on at once by itself.
const CONCURRENCY: usize = 64;

impl Settings {
    fn from_arguments() -> Self {
        let mut settings = Self {
            sizes: vec![10, 100, 1_000, 10_000],
            latency: Duration::from_millis(40),
            listing_rate: 8.0,
            throttled: 0,
            failing: 0,
            concurrency: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().expect("a value");
            match name.as_str() {
                // Cargo passes that itself.
                "--bench" => {}
                "--accounts" => {
                    let sizes = value();
                    let sizes = sizes.split(',').map(|size| size.parse().expect("a number"));
                    settings.sizes = sizes.collect();
                }
                "--latency" => {
                    settings.latency = Duration::from_millis(value().parse().expect("a number"));
                }
                "--listing-rate" => settings.listing_rate = value().parse().expect("a number"),
                "--throttled" => settings.throttled = value().parse().expect("a percentage"),
                "--failing" => settings.failing = value().parse().expect("a percentage"),
                "--concurrency" => {
                    settings.concurrency = Some(value().parse().expect("a number"));
                }
                other => panic!("unknown option {other}"),
            }
        }
        settings
    }
}

fn id(number: usize) -> String {
    format!("{:012}", 100_000_000_000 + number)
}

/// The roles that the spec wants in an account; they are the same in all.
fn roles() -> BTreeMap<String, Role> {
    let none = |_: &str, _: &str| Err("no files".to_owned());
    let files = vec![("breakglass.yaml".to_owned(), SPEC.to_owned())];
    let loaded = load_texts(files, &none).expect("a spec");
    let emergency: AccountId = id(EMERGENCY).parse().expect("an id");
    let account = Account {
        name: "emergency".to_owned(),
        state: AccountState::Active,
        parent: "r-root".to_owned(),
        tags: None,
    };
    let organization = Organization {
        id: "o-exampleorg1".to_owned(),
        partition: "aws".parse().expect("a partition"),
        management_account: id(MANAGEMENT).parse().expect("an id"),
        units: BTreeMap::new(),
        accounts: BTreeMap::from([(emergency.clone(), account)]),
    };
    let (resolver, _) = Resolver::new(&loaded, &organization).expect("a spec for it");
    let desired = resolver.desired(&emergency).roles.expect("roles");
    let roles = desired.into_iter();
    roles.map(|(name, wanted)| (name, wanted.value)).collect()
}

fn role_xml(name: &str, role: &Role, account: &str, listed: bool) -> String {
    let trust = utf8_percent_encode(role.trust_policy.as_str(), NON_ALPHANUMERIC);
    let path = &role.path;
    let mut xml = format!(
        "<member><RoleName>{name}</RoleName><Path>{path}</Path><RoleId>AROA{account}</RoleId>\
         <Arn>arn:aws:iam::{account}:role{path}{name}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument>"
    );
    if listed {
        let seconds = role.max_session;
        let _ = write!(xml, "<MaxSessionDuration>{seconds}</MaxSessionDuration>");
    } else {
        for policy in &role.managed_policies {
            let name = policy.name();
            let _ = write!(
                xml,
                "<AttachedManagedPolicies><member><PolicyName>{name}</PolicyName><PolicyArn>{policy}</PolicyArn></member></AttachedManagedPolicies>"
            );
        }
        xml.push_str("<Tags>");
        for (key, value) in &role.tags {
            let _ = write!(
                xml,
                "<member><Key>{key}</Key><Value>{value}</Value></member>"
            );
        }
        xml.push_str("</Tags>");
    }
    xml + "</member>"
}

/// Answers as AWS would, at its pace.
#[derive(Debug)]
struct Endpoint {
    settings: Settings,
    accounts: usize,
    details: String,
    listed: String,
    calls: AtomicU64,
    refused: AtomicU64,
    listing: Mutex<(f64, Instant)>,
}

/// What is sent for a call.
enum Answer {
    Whole(u16, String),
    /// So much of it, and then the connection is closed.
    Half(String),
    Nothing,
}

impl Endpoint {
    fn new(settings: &Settings, accounts: usize) -> Self {
        let roles = roles();
        let members = |listed| -> String {
            let roles = roles.iter();
            roles
                .map(|(name, role)| role_xml(name, role, "ACCOUNT", listed))
                .collect()
        };
        Self {
            settings: settings.clone(),
            accounts,
            details: members(false),
            listed: members(true),
            calls: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            listing: Mutex::new((12.0, Instant::now())),
        }
    }

    fn answer(&self, account: &str, action: &str, body: &str) -> Answer {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        // Spread evenly, and the same in every run.
        let dice = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) % 100;
        let throttled = dice < self.settings.throttled;
        let failing = !throttled && dice < self.settings.throttled + self.settings.failing;
        if throttled || failing {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        if throttled {
            return refusal(action, 400, "Throttling", "TooManyRequestsException");
        }
        if !failing {
            let (status, text) = self.right_answer(account, action, body);
            return Answer::Whole(status, text);
        }
        match self.refused.load(Ordering::Relaxed) % 4 {
            0 => refusal(action, 500, "ServiceFailure", "ServiceException"),
            1 => Answer::Nothing,
            2 => Answer::Half(self.right_answer(account, action, body).1),
            _ => Answer::Whole(200, "<html><body>not what was asked for".to_owned()),
        }
    }

    fn right_answer(&self, account: &str, action: &str, body: &str) -> (u16, String) {
        let result = |content: &str| {
            let content = content.replace("ACCOUNT", account);
            let xml = format!(
                "<{action}Response><{action}Result>{content}</{action}Result></{action}Response>"
            );
            (200, xml)
        };
        match action {
            "GetCallerIdentity" => result(
                "<Arn>arn:aws:sts::ACCOUNT:assumed-role/Caller/bench</Arn><UserId>A:bench</UserId><Account>ACCOUNT</Account>",
            ),
            "AssumeRole" => {
                let arn = body
                    .split('&')
                    .find_map(|pair| pair.strip_prefix("RoleArn="));
                let arn = percent_decode_str(arn.expect("a role")).decode_utf8();
                let entered = arn
                    .expect("text")
                    .split(':')
                    .nth(4)
                    .expect("an account")
                    .to_owned();
                result(&format!(
                    "<Credentials><AccessKeyId>ASIA{entered}</AccessKeyId><SecretAccessKey>x</SecretAccessKey>\
                     <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
                ))
            }
            "GetAccountAuthorizationDetails" => result(&format!(
                "<RoleDetailList>{}</RoleDetailList><IsTruncated>false</IsTruncated>",
                self.details
            )),
            "ListRoles" => result(&format!(
                "<Roles>{}</Roles><IsTruncated>false</IsTruncated>",
                self.listed
            )),
            "DescribeOrganization" => (
                200,
                format!(
                    r#"{{"Organization":{{"Id":"o-exampleorg1","MasterAccountId":"{}"}}}}"#,
                    id(MANAGEMENT)
                ),
            ),
            "ListRoots" => (200, r#"{"Roots":[{"Id":"r-root"}]}"#.to_owned()),
            "ListOrganizationalUnitsForParent" => (200, r#"{"OrganizationalUnits":[]}"#.to_owned()),
            "ListAccounts" => self.page_of_accounts(body),
            other => panic!("{other}"),
        }
    }

    fn page_of_accounts(&self, body: &str) -> (u16, String) {
        if !self.take_page() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            let body = r#"{"__type":"TooManyRequestsException","Message":"slow down"}"#;
            return (400, body.to_owned());
        }
        let request: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let start = request["NextToken"].as_str().unwrap_or("0");
        let start: usize = start.parse().expect("a token");
        let end = (start + PAGE).min(self.accounts);
        let accounts = (start..end).map(|number| {
            let id = id(number);
            format!(
                r#"{{"Id":"{id}","Name":"account-{number}","State":"ACTIVE","Paths":["o-exampleorg1/r-root/{id}/"]}}"#
            )
        });
        let accounts: Vec<String> = accounts.collect();
        let next = if end < self.accounts {
            format!(r#","NextToken":"{end}""#)
        } else {
            String::new()
        };
        (
            200,
            format!(r#"{{"Accounts":[{}]{next}}}"#, accounts.join(",")),
        )
    }

    fn take_page(&self) -> bool {
        let mut bucket = self.listing.lock().expect("a bucket");
        let (tokens, since) = *bucket;
        let refilled = tokens + since.elapsed().as_secs_f64() * self.settings.listing_rate;
        let tokens = refilled.min(12.0);
        let taken = tokens >= 1.0;
        *bucket = (if taken { tokens - 1.0 } else { tokens }, Instant::now());
        taken
    }

    async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<BoxBody<Bytes, std::io::Error>>, std::io::Error> {
        let header = |name: &str| {
            let value = request.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let target = header("x-amz-target");
        let authorization = header("authorization");
        let account = authorization
            .split_once("Credential=ASIA")
            .and_then(|(_, rest)| rest.get(..12))
            .map_or_else(|| id(MANAGEMENT), str::to_owned);
        let body = request.into_body().collect().await.expect("a body");
        let body = String::from_utf8(body.to_bytes().to_vec()).expect("text");
        let action = match target.rsplit_once('.') {
            Some((_, action)) => action.to_owned(),
            None => {
                let action = body
                    .split('&')
                    .find_map(|pair| pair.strip_prefix("Action="));
                action.expect("an action").to_owned()
            }
        };
        let answer = self.answer(&account, &action, &body);
        tokio::time::sleep(self.settings.latency).await;
        let response = match answer {
            Answer::Whole(status, text) => {
                let body = Full::new(Bytes::from(text)).map_err(|never| match never {});
                Response::builder().status(status).body(body.boxed())
            }
            Answer::Half(mut text) => {
                let length = text.len();
                text.truncate(length / 2);
                let half = Frame::data(Bytes::from(text));
                let parts = [Ok(half), Err(ErrorKind::ConnectionReset.into())];
                let body = StreamBody::new(stream::iter(parts));
                let response = Response::builder().header("content-length", length);
                response.body(body.boxed())
            }
            Answer::Nothing => return Err(ErrorKind::ConnectionReset.into()),
        };
        Ok(response.expect("a response"))
    }
}

/// Refuses as IAM and STS do, or as Organizations does.
fn refusal(action: &str, status: u16, in_xml: &str, in_json: &str) -> Answer {
    let xml = matches!(
        action,
        "GetCallerIdentity" | "AssumeRole" | "GetAccountAuthorizationDetails" | "ListRoles"
    );
    let text = if xml {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{in_xml}</Code><Message>No</Message></Error></ErrorResponse>"
        )
    } else {
        format!(r#"{{"__type":"{in_json}","Message":"No"}}"#)
    };
    Answer::Whole(status, text)
}

/// What one run took.
struct Cost {
    wall: Duration,
    processor: Duration,
    peak: u64,
}

/// Runs the program to its end, and looks at what it uses on the way.
fn run(folder: &Path, url: &str, concurrency: Option<usize>) -> Cost {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_breakglass"))
        .args(["drift", "--no-progress", "--endpoint-url", url])
        .args(concurrency.map(|number| format!("--concurrency={number}")))
        .current_dir(folder)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "AKIDBENCH")
        .env("AWS_SECRET_ACCESS_KEY", "x")
        .env("AWS_REGION", "us-east-1")
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the program");
    let (mut processor, mut peak) = (Duration::ZERO, 0);
    let status = loop {
        // The last look before the end is at most a moment old.
        if let Some((used, highest)) = usage(child.id()) {
            (processor, peak) = (used, highest.max(peak));
        }
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let wall = began.elapsed();
    assert!(status.success(), "drift ended with {status}");
    Cost {
        wall,
        processor,
        peak,
    }
}

/// The processor time and the most memory in KiB that a process has used, as Linux tells.
fn usage(process: u32) -> Option<(Duration, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields = stat.rsplit_once(") ")?.1;
    let mut fields = fields.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()? + ticks()?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak = peak.trim().trim_end_matches(" kB").parse().ok()?;
    Some((Duration::from_millis(ticks * 10), peak))
}

fn main() {
    let settings = Settings::from_arguments();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("breakglass.yaml"), SPEC).expect("a spec");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    println!(
        "| accounts | calls | a bound | wall | wall / bound | CPU | CPU an account | peak memory | refused |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for &accounts in &settings.sizes {
        let endpoint = Arc::new(Endpoint::new(&settings, accounts));
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let served = Arc::clone(&endpoint);
        let serving = runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let served = Arc::clone(&served);
                let answer = service_fn(move |request| Arc::clone(&served).serve(request));
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), answer));
            }
        });
        let cost = run(folder.path(), &url, settings.concurrency);
        serving.abort();
        let calls = endpoint.calls.load(Ordering::Relaxed);
        let pages = accounts.div_ceil(PAGE);
        let latency = settings.latency.as_secs_f64();
        let listing = ((pages as f64 - 12.0) / settings.listing_rate).max(pages as f64 * latency);
        let reading = calls as f64 * latency / settings.concurrency.unwrap_or(CONCURRENCY) as f64;
        let bound = listing.max(reading);
        println!(
            "| {accounts} | {calls} | {bound:.1} s | {:.1} s | {:.2} | {:.1} s | {:.1} ms | {} MiB | {} |",
            cost.wall.as_secs_f64(),
            cost.wall.as_secs_f64() / bound,
            cost.processor.as_secs_f64(),
            cost.processor.as_secs_f64() * 1_000.0 / accounts as f64,
            cost.peak / 1024,
            endpoint.refused.load(Ordering::Relaxed),
        );
    }
}
