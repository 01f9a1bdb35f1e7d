//! Several spec files to one: lists are joined, mappings united key by key, and nothing may be said twice.

use std::collections::BTreeMap;

use super::node::{Builder, Node, Value};
use super::problem::Problem;

/// Joins the trees of the files, in the order in which they were named.
pub(super) fn merge(
    roots: Vec<Node>,
    builder: &mut Builder,
    problems: &mut Vec<Problem>,
) -> Option<Node> {
    let before = problems.len();
    let place = roots.first()?.place;
    let mut merged = Entries::default();
    for root in roots {
        let Value::Mapping(entries) = &root.value else {
            problems.push(
                Problem::error(root.place, "a spec is a mapping of sections")
                    .hint("it begins with `version: 1`; `breakglass init` writes a commented one"),
            );
            continue;
        };
        for (key, value) in entries.iter() {
            merged.add(key, value, builder, problems);
        }
    }
    (problems.len() == before)
        .then(|| Node::joined(builder.id(), Value::Mapping(merged.entries.into()), place))
}

#[derive(Default)]
struct Entries {
    entries: Vec<(Node, Node)>,
    /// Where each key is in `entries`.
    index: BTreeMap<String, usize>,
}

impl Entries {
    fn add(
        &mut self,
        key: &Node,
        value: &Node,
        builder: &mut Builder,
        problems: &mut Vec<Problem>,
    ) {
        let name = key.as_text().unwrap_or_default();
        let known = self
            .index
            .get(name)
            .and_then(|index| self.entries.get_mut(*index));
        let Some((first_key, first)) = known else {
            self.index.insert(name.to_owned(), self.entries.len());
            self.entries.push((key.clone(), value.clone()));
            return;
        };
        let twice = |key: &Node, first: &Node, problems: &mut Vec<Problem>| {
            let name = key.as_text().unwrap_or_default();
            problems.push(
                Problem::error(key.place, format!("the key {name:?} is given in two files"))
                    .also(first.place, "first given here"),
            );
        };
        let joined = match (&first.value, &value.value) {
            (Value::Sequence(ours), Value::Sequence(theirs)) => {
                Value::Sequence(ours.iter().chain(theirs.iter()).cloned().collect())
            }
            (Value::Mapping(ours), Value::Mapping(theirs)) => {
                let known: BTreeMap<_, _> =
                    ours.iter().map(|(key, _)| (key.as_text(), key)).collect();
                let mut both = ours.to_vec();
                for (key, value) in theirs.iter() {
                    match known.get(&key.as_text()) {
                        Some(first) => twice(key, first, problems),
                        None => both.push((key.clone(), value.clone())),
                    }
                }
                Value::Mapping(both.into())
            }
            (Value::Scalar { text: ours, .. }, Value::Scalar { text: theirs, .. })
                if name == "version" && ours == theirs =>
            {
                return;
            }
            _ => {
                twice(key, first_key, problems);
                return;
            }
        };
        *first = Node::joined(builder.id(), joined, first.place);
    }
}
