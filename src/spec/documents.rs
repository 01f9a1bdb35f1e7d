//! The texts of the policies that a spec names: read, parsed strictly and minified.

use std::collections::BTreeMap;

use serde_json::Value;

use super::problem::Problem;
use super::source::{SourceMap, element, entry};
use super::types::{Source, Spec};
use crate::ids::{IamPath, Partition};
use crate::policy::{self, Document};

/// Reads a file that a spec file names: given the spec file's name and the relative path, the text or why there is none.
pub type ReadFile<'a> = dyn Fn(&str, &str) -> Result<String, String> + 'a;

/// Holds the text of every policy of a spec, by the path where the spec has it.
///
/// The paths are `policies.NAME`, `users[N].permissions.inline_policies.NAME` and the same for `roles`, as
/// [`entry`](super::entry) and [`element`](super::element) write them.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    texts: BTreeMap<String, Text>,
}

#[derive(Debug, Clone)]
enum Text {
    Fixed(String),
    Library(String),
}

impl Documents {
    /// The minified text of the policy at a path, as it is where it is used; `None` when the spec has none there.
    ///
    /// Only the policies that come with breakglass depend on the partition and the path of what is managed.
    #[must_use]
    pub fn text(&self, at: &str, partition: &Partition, path: &IamPath) -> Option<String> {
        match self.texts.get(at)? {
            Text::Fixed(text) => Some(text.clone()),
            Text::Library(name) => {
                let text = policy::library::render(name, partition, path)?;
                policy::parse(&text)
                    .ok()
                    .map(|document| policy::minified(&document))
            }
        }
    }

    /// The parsed document of the policy at a path, as it is in the commercial partition.
    pub(super) fn document(&self, at: &str, path: &IamPath) -> Option<Document> {
        policy::parse(&self.text(at, &Partition::commercial(), path)?).ok()
    }
}

/// Lists every place of a spec that holds a policy, with where its text comes from.
pub(super) fn sources(spec: &Spec) -> Vec<(String, Option<Source<'_>>)> {
    let mut sources: Vec<_> = spec
        .policies()
        .map(|(name, policy)| (entry("policies", name), policy.source()))
        .collect();
    let users = spec.users().iter().map(|user| &user.permissions);
    let roles = spec.roles().iter().map(|role| &role.permissions);
    for (section, list) in [
        ("users", users.collect::<Vec<_>>()),
        ("roles", roles.collect::<Vec<_>>()),
    ] {
        for (index, permissions) in list.into_iter().enumerate() {
            let parent = inline_path(section, index);
            let inline = permissions.inline_policies.iter();
            sources.extend(inline.map(|(name, policy)| (entry(&parent, name), policy.source())));
        }
    }
    sources
}

/// The path of the inline policies of a user or role.
pub(super) fn inline_path(section: &str, index: usize) -> String {
    element(section, index) + ".permissions.inline_policies"
}

/// Reads every policy of a spec; what can't be read or parsed is reported and left out.
pub(super) fn collect(
    spec: &Spec,
    sources_map: &mut SourceMap,
    read: &ReadFile<'_>,
    problems: &mut Vec<Problem>,
) -> Documents {
    let mut documents = Documents::default();
    for (path, source) in sources(spec) {
        let text = match source {
            None => {
                problems.push(
                    Problem::error(
                        path,
                        "a policy has exactly one of file, document and library",
                    )
                    .hint("keep one of the three keys"),
                );
                continue;
            }
            Some(Source::Library(name)) => library(&path, name),
            Some(Source::Document(value)) => inline(&path, value).map(Text::Fixed),
            Some(Source::File(file)) => from_file(&path, file, sources_map, read).map(Text::Fixed),
        };
        match text {
            Ok(text) => {
                documents.texts.insert(path, text);
            }
            Err(problem) => problems.push(problem),
        }
    }
    documents
}

fn library(path: &str, name: &str) -> Result<Text, Problem> {
    let known: Vec<&str> = policy::library::identity_names().collect();
    if known.contains(&name) {
        return Ok(Text::Library(name.to_owned()));
    }
    if policy::library::kind(name).is_some() {
        return Err(Problem::error(
            entry(path, "library"),
            format!(
                "{name} is a guardrail, which no user, role or customer managed policy can have"
            ),
        )
        .hint(format!("those that it can have are {}", known.join(", "))));
    }
    Err(Problem::error(
        entry(path, "library"),
        format!("the library has no policy {name:?}"),
    )
    .hint(super::validate::did_you_mean(name, known)))
}

fn from_file(
    path: &str,
    file: &str,
    sources: &mut SourceMap,
    read: &ReadFile<'_>,
) -> Result<String, Problem> {
    let at = entry(path, "file");
    let text = read_beside(&at, file, sources, read)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
    match policy::parse(&text) {
        Ok(document) => Ok(policy::minified(&document)),
        Err(error) => {
            let number = sources.add(file, text);
            let problem = match sources.place_at(number, error.line, error.column) {
                Some(place) => Problem::error(place, error.message).also(at, "named here"),
                None => Problem::error(at, format!("{file}: {error}")),
            };
            Err(problem)
        }
    }
}

/// Reads a file that the spec names at a path, relative to the spec file that says so.
pub(super) fn read_beside(
    at: &str,
    file: &str,
    sources: &SourceMap,
    read: &ReadFile<'_>,
) -> Result<String, Problem> {
    let place = sources.place_of(at);
    let spec_file = place
        .and_then(|place| sources.name(place.file))
        .unwrap_or_default();
    read(spec_file, file).map_err(|reason| {
        Problem::error(at, format!("{file:?} can't be read: {reason}"))
            .hint("the path is relative to the spec file, and stays inside its folder")
    })
}

/// Parses a document that stands in the spec itself.
///
/// It is written out with one value to a line, so that the line of a mistake tells which value it is in.
fn inline(path: &str, value: &Value) -> Result<String, Problem> {
    let mut spelled = Spelled::default();
    spelled.write(value, &entry(path, "document"));
    match policy::parse(&spelled.text) {
        Ok(document) => Ok(policy::minified(&document)),
        Err(error) => {
            let at = spelled
                .paths
                .get(error.line - 1)
                .map_or(path, String::as_str);
            Err(Problem::error(at, error.message))
        }
    }
}

#[derive(Default)]
struct Spelled {
    text: String,
    /// The path of the value on each line.
    paths: Vec<String>,
}

impl Spelled {
    fn line(&mut self, text: &str, path: &str) {
        self.text.push_str(text);
        self.text.push('\n');
        self.paths.push(path.to_owned());
    }

    fn write(&mut self, value: &Value, path: &str) {
        let comma = |index: usize| if index == 0 { "" } else { "," };
        match value {
            Value::Object(members) => {
                self.line("{", path);
                for (index, (key, value)) in members.iter().enumerate() {
                    let at = entry(path, key);
                    let key = Value::String(key.clone());
                    self.line(&format!("{}{key}:", comma(index)), &at);
                    self.write(value, &at);
                }
                self.line("}", path);
            }
            Value::Array(elements) => {
                self.line("[", path);
                for (index, value) in elements.iter().enumerate() {
                    let at = element(path, index);
                    self.line(comma(index), &at);
                    self.write(value, &at);
                }
                self.line("]", path);
            }
            scalar => self.line(&scalar.to_string(), path),
        }
    }
}
