//! Spec files to a checked [`Spec`]; the only place here that touches the file system.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;

use super::documents::{self, Documents, ReadFile};
use super::drills::DrillRecord;
use super::incidents::{self, IncidentRecord};
use super::node::Builder;
use super::problem::{At, Problem, Severity};
use super::source::SourceMap;
use super::types::Spec;
use super::{decode, digest, merge, records, validate};

/// Bounds the size of a spec file and of every file it names.
const MAX_FILE: u64 = 4 << 20;

/// Holds a spec that was read and checked, with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The spec.
    pub spec: Spec,
    /// The texts of its policies.
    pub documents: Documents,
    /// The records that it names.
    pub records: Records,
    /// Where everything is written.
    pub sources: SourceMap,
    /// `sha256:…` over what the spec and its policies say, however they are laid out and split over files.
    pub digest: String,
    /// What may be meant as it is, but looks wrong.
    pub warnings: Vec<Problem>,
}

/// Holds the records of what happened, which lie beside a spec and are no part of what its digest is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// The incidents.
    pub incidents: Vec<IncidentRecord>,
    /// The drills that succeeded.
    pub drills: Vec<DrillRecord>,
}

impl Records {
    /// Notes that an incident is closed, unless that is known.
    pub fn close(&mut self, id: &str, at: Timestamp) {
        for incident in self
            .incidents
            .iter_mut()
            .filter(|incident| incident.id == id)
        {
            incident.closed.get_or_insert(at);
        }
    }

    fn read(
        spec: &Spec,
        sources: &mut SourceMap,
        read: &ReadFile<'_>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut found = Self::default();
        if let Some(section) = &spec.incidents {
            let entries = records::read("incidents", &section.file, sources, read, problems);
            incidents::check(spec, &entries, problems);
            found.incidents = entries.values;
        }
        if let Some(section) = &spec.drills {
            let entries = records::read("drills", &section.file, sources, read, problems);
            found.drills = entries.values;
        }
        found
    }
}

/// Reports everything that is wrong with a spec, warnings included.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the spec has {}", count(problems))]
pub struct LoadError {
    /// What is wrong, in the order of the files.
    pub problems: Vec<Problem>,
    /// The files that the problems are in.
    pub sources: SourceMap,
}

fn count(problems: &[Problem]) -> String {
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    match errors.count() {
        1 => "1 error".to_owned(),
        many => format!("{many} errors"),
    }
}

impl LoadError {
    /// Tells whether every error is within one section.
    pub(super) fn is_about(&self, section: &str) -> bool {
        let errors = self
            .problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error);
        errors
            .clone()
            .all(|problem| matches!(&problem.at, At::Path(path) if path.starts_with(section)))
    }

    /// Tells every problem as text for a person, with an empty line between two.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let texts = self
            .problems
            .iter()
            .map(|problem| problem.render(&self.sources, color));
        texts.collect::<Vec<_>>().join("\n\n")
    }
}

/// Reads and checks the files of a spec.
///
/// # Errors
/// [`LoadError`] with every problem, when at least one of them is an error.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, LoadError> {
    load_texts(read_files(paths)?, &read_beside)
}

/// Reads the file that a spec file names, if it is inside of the folder of the spec file.
///
/// # Errors
/// In words for a person.
pub fn read_beside(spec_file: &str, file: &str) -> Result<String, String> {
    read_inside(Path::new(spec_file), file)
}

/// Reads the texts of the files of a spec, with their names.
///
/// # Errors
/// [`LoadError`] with every file that can't be read.
pub fn read_files(paths: &[PathBuf]) -> Result<Vec<(String, String)>, LoadError> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        match read_bounded(path) {
            Ok(text) => files.push((name, text)),
            Err(reason) => {
                let problem =
                    Problem::error(At::Nowhere, format!("{name} can't be read: {reason}"));
                problems.push(
                    problem.hint(
                        "name the spec with --spec FILE, or write one with `breakglass init`",
                    ),
                );
            }
        }
    }
    if problems.is_empty() {
        return Ok(files);
    }
    Err(LoadError {
        problems,
        sources: SourceMap::default(),
    })
}

/// Checks the files of a spec, given by name and text; `read` reads the files that they name.
///
/// # Errors
/// [`LoadError`] with every problem, when at least one of them is an error.
pub fn load_texts(files: Vec<(String, String)>, read: &ReadFile<'_>) -> Result<Loaded, LoadError> {
    let mut sources = SourceMap::default();
    let mut problems = Vec::new();
    let checked = check(files, read, &mut sources, &mut problems);
    problems.sort_by_cached_key(|problem| problem.place(&sources));
    match checked {
        Some((spec, documents, records))
            if problems
                .iter()
                .all(|problem| problem.severity == Severity::Warning) =>
        {
            let digest = digest::digest(&spec, &documents);
            Ok(Loaded {
                spec,
                documents,
                records,
                sources,
                digest,
                warnings: problems,
            })
        }
        _ => Err(LoadError { problems, sources }),
    }
}

fn check(
    files: Vec<(String, String)>,
    read: &ReadFile<'_>,
    sources: &mut SourceMap,
    problems: &mut Vec<Problem>,
) -> Option<(Spec, Documents, Records)> {
    let mut builder = Builder::default();
    let mut roots = Vec::new();
    if files.is_empty() {
        problems.push(Problem::error(At::Nowhere, "no spec file is named"));
    }
    let count = files.len();
    for (name, text) in files {
        // A byte order mark is no part of the text, and would shift every place on the first line.
        let text = text
            .strip_prefix('\u{feff}')
            .map_or(text.clone(), str::to_owned);
        let file = sources.add(&name, text.clone());
        roots.extend(builder.parse(file, &text, problems));
    }
    if roots.len() < count {
        // What is missing in the one may be referred to in the other.
        return None;
    }
    let root = merge::merge(roots, &mut builder, problems)?;
    let spec: Option<Spec> = decode::decode(&root, problems);
    sources.set_root(root);
    let spec = spec?;
    let documents = documents::collect(&spec, sources, read, problems);
    let records = Records::read(&spec, sources, read, problems);
    validate::validate(&spec, &documents, problems);
    Some((spec, documents, records))
}

/// Reads a file that is no larger than a spec may be.
pub(crate) fn read_bounded(path: &Path) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("it is larger than {} MiB", MAX_FILE >> 20));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        format!("byte {valid} is not UTF-8")
    })
}

/// Reads a file that a spec file names, if it is inside of the folder of the spec file.
pub(crate) fn read_inside(spec_file: &Path, file: &str) -> Result<String, String> {
    const OUTSIDE: &str = "it is outside of the spec file's folder";
    let relative = Path::new(file);
    if !relative
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    {
        return Err(OUTSIDE.to_owned());
    }
    let folder = match spec_file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let inside = || -> io::Result<Option<PathBuf>> {
        let folder = folder.canonicalize()?;
        let path = folder.join(relative).canonicalize()?;
        Ok(path.starts_with(&folder).then_some(path))
    };
    let path = inside()
        .map_err(|error| error.to_string())?
        .ok_or_else(|| OUTSIDE.to_owned())?;
    // A pipe or a device could keep the reader waiting forever.
    if !path.is_file() {
        return Err("it is not a file".to_owned());
    }
    read_bounded(&path)
}
