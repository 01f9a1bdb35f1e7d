//! A stand-in for GitHub's REST API: as much of it as the action calls, in the shapes that GitHub documents.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Whom the token that workflows are given belongs to.
pub const BOT: &str = "github-actions[bot]";
pub const REPOSITORY: &str = "acme/access";
/// Stands in for the workflow's token.
pub const TOKEN: &str = "ghs_standin";

/// What one call is answered with instead.
#[derive(Debug, Clone)]
pub struct Fault {
    pub call: &'static str,
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    /// Whether the call does its work all the same.
    pub works: bool,
}

/// What the repository holds.
#[derive(Debug, Default)]
pub struct State {
    pub comments: Vec<Value>,
    pub issues: Vec<Value>,
    pub statuses: Vec<Value>,
    pub pulls: Vec<Value>,
    /// Files outside of the API, by path.
    pub files: Vec<(String, Vec<u8>)>,
    pub faults: VecDeque<Fault>,
    /// Whether the token only reads, as that of a fork does.
    pub read_only: bool,
    /// The calls, such as `GET /issues/7/comments`.
    pub calls: Vec<String>,
    next: u64,
    clock: u64,
}

impl State {
    /// Leaves a comment of somebody on an issue or a pull request.
    pub fn comment(&mut self, number: u64, login: &str, body: &str) -> Value {
        let id = self.id();
        let url = format!("https://github.example/{REPOSITORY}/issues/{number}#issuecomment-{id}");
        let comment = json!({ "id": id, "number": number, "user": { "login": login }, "body": body, "html_url": url });
        self.comments.push(comment.clone());
        comment
    }

    /// Leaves a status of somebody on a commit.
    pub fn status(&mut self, sha: &str, login: &str, content: &Value) -> Value {
        let at = self.now();
        let mut status = content.clone();
        status["sha"] = sha.into();
        status["creator"] = json!({ "login": login });
        status["created_at"] = at.into();
        status["url"] = format!("https://api.github.example/statuses/{sha}").into();
        self.statuses.push(status.clone());
        status
    }

    /// Opens an issue of somebody.
    pub fn issue(&mut self, login: &str, content: &Value) -> Value {
        let number = self.id();
        let labels: Vec<Value> = content["labels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| json!({ "name": name }))
            .collect();
        let issue = json!({
            "number": number, "state": "open", "user": { "login": login }, "title": content["title"],
            "body": content["body"], "labels": labels,
            "html_url": format!("https://github.example/{REPOSITORY}/issues/{number}"),
        });
        self.issues.push(issue.clone());
        issue
    }

    /// Merges a pull request as a commit.
    pub fn merge(&mut self, number: u64, head: &str, merged_as: &str) {
        let at = self.now();
        self.pulls.push(json!({
            "number": number, "head": { "sha": head }, "base": { "ref": "main" },
            "merged_at": at, "merge_commit_sha": merged_as,
        }));
    }

    pub fn comments_of(&self, number: u64) -> Vec<&Value> {
        self.comments
            .iter()
            .filter(|comment| comment["number"] == number)
            .collect()
    }

    fn id(&mut self) -> u64 {
        self.next += 1;
        100 + self.next
    }

    /// A time later than all before.
    fn now(&mut self) -> String {
        self.clock += 1;
        format!(
            "2026-11-25T10:{:02}:{:02}Z",
            self.clock / 60,
            self.clock % 60
        )
    }

    fn answer(&mut self, method: &str, path: &str, query: &str, body: &Value) -> (u16, Value) {
        if self.read_only && method != "GET" {
            return (
                403,
                json!({ "message": "Resource not accessible by integration" }),
            );
        }
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["issues", number, "comments"]) => {
                let number: u64 = number.parse().unwrap();
                page(
                    self.comments_of(number).into_iter().cloned().collect(),
                    query,
                )
            }
            ("POST", ["issues", number, "comments"]) => (
                201,
                self.comment(number.parse().unwrap(), BOT, body["body"].as_str().unwrap()),
            ),
            ("PATCH", ["issues", "comments", id]) => {
                let id: u64 = id.parse().unwrap();
                let comment = self
                    .comments
                    .iter_mut()
                    .find(|comment| comment["id"] == id)
                    .unwrap();
                comment["body"] = body["body"].clone();
                (200, comment.clone())
            }
            ("GET", ["issues"]) => {
                let label = query_value(query, "labels");
                let labelled = |issue: &&Value| {
                    issue["labels"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .any(|own| own["name"] == label)
                };
                page(
                    self.issues.iter().rev().filter(labelled).cloned().collect(),
                    query,
                )
            }
            ("POST", ["issues"]) => (201, self.issue(BOT, body)),
            ("PATCH", ["issues", number]) => {
                let number: u64 = number.parse().unwrap();
                let issue = self
                    .issues
                    .iter_mut()
                    .find(|issue| issue["number"] == number)
                    .unwrap();
                for (name, value) in body.as_object().unwrap() {
                    issue[name.as_str()] = value.clone();
                }
                (200, issue.clone())
            }
            ("POST", ["statuses", sha]) => (201, self.status(sha, BOT, body)),
            ("GET", ["commits", sha, "statuses"]) => page(
                self.statuses
                    .iter()
                    .rev()
                    .filter(|status| status["sha"] == *sha)
                    .cloned()
                    .collect(),
                query,
            ),
            ("GET", ["commits", sha, "pulls"]) => page(
                self.pulls
                    .iter()
                    .filter(|pull| pull["merge_commit_sha"] == *sha)
                    .cloned()
                    .collect(),
                query,
            ),
            ("GET", ["pulls", number]) => {
                let number: u64 = number.parse().unwrap();
                match self.pulls.iter().find(|pull| pull["number"] == number) {
                    Some(pull) => (200, pull.clone()),
                    None => (404, json!({ "message": "Not Found" })),
                }
            }
            _ => (404, json!({ "message": "Not Found" })),
        }
    }
}

fn query_value<'a>(query: &'a str, name: &str) -> &'a str {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(key, _)| *key == name)
        .map_or("", |(_, value)| value)
}

fn page(items: Vec<Value>, query: &str) -> (u16, Value) {
    let number = |name| query_value(query, name).parse::<usize>().unwrap();
    let size = number("per_page");
    assert!(size <= 100, "GitHub gives no more than a hundred");
    (
        200,
        items
            .into_iter()
            .skip((number("page") - 1) * size)
            .take(size)
            .collect(),
    )
}

/// The running stand-in; it ends with the test's process.
pub struct Hub {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Hub {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (send, receive) = std::sync::mpsc::channel();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                send.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let shared = Arc::clone(&shared);
                    let service = service_fn(move |request| serve(Arc::clone(&shared), request));
                    tokio::spawn(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service),
                    );
                }
            });
        });
        Self {
            url: format!("http://{}", receive.recv().unwrap()),
            state,
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

async fn serve(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let token = request
        .headers()
        .get("authorization")
        .map(|value| value.to_str().unwrap().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut state = state.lock().unwrap();
    let Some(path) = path.strip_prefix(&format!("/repos/{REPOSITORY}")) else {
        assert_eq!(token, None, "the token is for the API alone");
        let file = state.files.iter().find(|(name, _)| *name == path);
        let (status, content) =
            file.map_or((404, Vec::new()), |(_, content)| (200, content.clone()));
        return Ok(Response::builder()
            .status(status)
            .body(content.into())
            .unwrap());
    };
    assert_eq!(token.unwrap(), format!("Bearer {TOKEN}"));
    let call = format!("{method} {path}");
    state.calls.push(call.clone());
    let fault = state
        .faults
        .iter()
        .position(|fault| call.starts_with(fault.call));
    let fault = fault.and_then(|index| state.faults.remove(index));
    if let Some(fault) = fault {
        if fault.works {
            state.answer(&method, path, &query, &body);
        }
        let mut response = Response::builder().status(fault.status);
        for (name, value) in fault.headers {
            response = response.header(name, value);
        }
        return Ok(response
            .body(Full::from("{\"message\":\"a fault\"}"))
            .unwrap());
    }
    let (status, answer) = state.answer(&method, path, &query, &body);
    Ok(Response::builder()
        .status(status)
        .body(answer.to_string().into())
        .unwrap())
}
