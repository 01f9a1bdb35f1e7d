//! YAML text to a tree of values that know where they are written.
//!
//! Built from the parser's events, so that what a common loader lets pass is refused: duplicate keys, aliases that grow
//! without bound, merge keys, tags, keys that are no text, and more than one document.

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::problem::Problem;
use super::scalar::{self, Plain};
use super::source::Place;

/// Bounds the values of a spec after its aliases are put in.
const MAX_NODES: usize = 100_000;
/// Bounds the bytes of text of a spec after its aliases are put in.
const MAX_TEXT: usize = 16 << 20;
/// Bounds how deeply values may be nested, so that whatever walks the tree may recurse.
const MAX_DEPTH: usize = 64;

/// Holds a value and the place where it is written. A clone is the same value: it shares its content and its id.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Tells the value from others; an alias has the id of what it stands for.
    pub id: u32,
    pub value: Value,
    pub place: Place,
    size: Size,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar {
        text: Arc<str>,
        /// Whether it is written without quotes, and so may be a number, a boolean or null.
        plain: bool,
    },
    Sequence(Arc<[Node]>),
    Mapping(Arc<[(Node, Node)]>),
}

/// Measures a value with everything in it.
#[derive(Debug, Clone, Copy)]
struct Size {
    nodes: usize,
    text: usize,
    depth: usize,
}

impl Node {
    /// The text of a scalar, whatever its type.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// Makes the value that joins those of several files.
    pub fn joined(id: u32, value: Value, place: Place) -> Self {
        let size = Size {
            nodes: 1,
            text: 0,
            depth: 1,
        };
        Self {
            id,
            value,
            place,
            size,
        }
    }
}

/// Builds the trees of the files of one spec, which share one budget.
#[derive(Debug, Default)]
pub(super) struct Builder {
    next_id: u32,
    nodes: usize,
    text: usize,
}

impl Builder {
    /// Gives out an id that no other value has.
    pub fn id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// Parses one file. Mistakes that leave the tree as it was meant are reported with it; `None` when there is no tree.
    pub fn parse(&mut self, file: usize, text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
        let mut reader = Reader {
            builder: self,
            offsets: Offsets::new(text),
            file,
            text,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            problems,
        };
        if let Err(problem) = reader.read() {
            reader.problems.push(problem);
            return None;
        }
        let root = reader.root.take();
        if root.is_none() {
            let place = Place {
                file,
                start: 0,
                end: 0,
            };
            problems.push(
                Problem::error(place, "the file is empty").hint(
                    "a spec begins with `version: 1`; `breakglass init` writes a commented one",
                ),
            );
        }
        root
    }

    fn charge(&mut self, size: Size, place: Place) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(size.nodes);
        self.text = self.text.saturating_add(size.text);
        if self.nodes <= MAX_NODES && self.text <= MAX_TEXT {
            return Ok(());
        }
        Err(Problem::error(
            place,
            format!("the spec holds more than {MAX_NODES} values or {} MiB of text once its aliases are put in", MAX_TEXT >> 20),
        )
        .hint("use fewer aliases (`*name`)"))
    }
}

/// Finds the byte of a character, which is how the parser counts.
struct Offsets {
    length: usize,
    /// The byte of each character; empty for ASCII, where they are the same.
    bytes: Vec<usize>,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(byte, _)| byte).collect()
        };
        Self {
            length: text.len(),
            bytes,
        }
    }

    fn byte(&self, character: usize) -> usize {
        if self.bytes.is_empty() {
            character.min(self.length)
        } else {
            self.bytes.get(character).copied().unwrap_or(self.length)
        }
    }
}

/// A collection whose end has not been read.
struct Open {
    anchor: usize,
    place: Place,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<(Node, Node)>,
        key: Option<Key>,
        /// Where each key was first written.
        keys: BTreeMap<Arc<str>, Place>,
    },
}

/// A key whose value has not been read.
struct Key {
    node: Node,
    /// Whether the entry will be part of the mapping.
    kept: bool,
}

struct Reader<'a> {
    builder: &'a mut Builder,
    offsets: Offsets,
    file: usize,
    text: &'a str,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), Problem> {
        let mut parser = Parser::new_from_str(self.text);
        let mut documents = 0;
        while let Some(next) = parser.next_event() {
            let (event, span) = next.map_err(|error| {
                let start = self.offsets.byte(error.marker().index());
                let place = self.place(start, start);
                Problem::error(place, format!("this is not YAML: {}", error.info()))
            })?;
            let place = self.place_of(span);
            match event {
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(Problem::error(place, "a second document begins here")
                            .hint("put it into a file of its own and name both with --spec"));
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let as_text = self.check_tag(tag.as_deref(), place);
                    let plain = style == ScalarStyle::Plain && !as_text;
                    let size = Size {
                        nodes: 1,
                        text: text.len(),
                        depth: 1,
                    };
                    let text = Arc::from(text);
                    self.builder.charge(size, place)?;
                    let node = self.node(Value::Scalar { text, plain }, place, size);
                    self.close(node, anchor)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    self.start(anchor, tag.as_deref(), place, Content::Sequence(Vec::new()))?;
                }
                Event::MappingStart(anchor, tag) => {
                    let content = Content::Mapping {
                        entries: Vec::new(),
                        key: None,
                        keys: BTreeMap::new(),
                    };
                    self.start(anchor, tag.as_deref(), place, content)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end()?,
                Event::Alias(anchor) => {
                    let Some(node) = self.anchors.get(&anchor).cloned() else {
                        return Err(Problem::error(
                            place,
                            "the alias stands inside of what it stands for",
                        )
                        .hint("write the value out instead"));
                    };
                    self.builder.charge(node.size, place)?;
                    self.check_depth(node.size.depth, place)?;
                    self.close(node, 0)?;
                }
            }
        }
        Ok(())
    }

    fn place(&self, start: usize, end: usize) -> Place {
        Place {
            file: self.file,
            start,
            end: end.max(start),
        }
    }

    fn place_of(&self, span: Span) -> Place {
        self.place(
            self.offsets.byte(span.start.index()),
            self.offsets.byte(span.end.index()),
        )
    }

    fn node(&mut self, value: Value, place: Place, size: Size) -> Node {
        Node {
            id: self.builder.id(),
            value,
            place,
            size,
        }
    }

    /// Refuses tags, but for `!!str` on a scalar, which says what quotes say; tells whether that one is there.
    fn check_tag(&mut self, tag: Option<&Tag>, place: Place) -> bool {
        let Some(tag) = tag else {
            return false;
        };
        if tag.is_yaml_core_schema() && tag.suffix == "str" {
            return true;
        }
        self.problems.push(
            Problem::error(place, "tags have no meaning in a spec")
                .hint("leave the tag out; quote what must be text"),
        );
        false
    }

    fn check_depth(&self, more: usize, place: Place) -> Result<(), Problem> {
        if self.open.len() + more > MAX_DEPTH {
            return Err(Problem::error(
                place,
                format!("values are nested more than {MAX_DEPTH} deep"),
            ));
        }
        Ok(())
    }

    fn start(
        &mut self,
        anchor: usize,
        tag: Option<&Tag>,
        place: Place,
        content: Content,
    ) -> Result<(), Problem> {
        if self.check_tag(tag, place) {
            self.problems.push(Problem::error(
                place,
                "the tag !!str says text, but this is none",
            ));
        }
        self.check_depth(1, place)?;
        self.open.push(Open {
            anchor,
            place,
            content,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let (value, children): (Value, Vec<Node>) = match open.content {
            Content::Sequence(elements) => {
                let children = elements.clone();
                (Value::Sequence(elements.into()), children)
            }
            Content::Mapping { entries, .. } => {
                let children = entries
                    .iter()
                    .flat_map(|(key, value)| [key.clone(), value.clone()])
                    .collect();
                (Value::Mapping(entries.into()), children)
            }
        };
        let own = Size {
            nodes: 1,
            text: 0,
            depth: 1,
        };
        self.builder.charge(own, open.place)?;
        let size = children.iter().fold(own, |sum, child| Size {
            nodes: sum.nodes.saturating_add(child.size.nodes),
            text: sum.text.saturating_add(child.size.text),
            depth: sum.depth.max(child.size.depth + 1),
        });
        // A block collection begins where its first child does, but the parser gives its start no width.
        let first = children.first().map_or(open.place, |child| child.place);
        let place = if open.place.start == open.place.end && first.file == self.file {
            self.place(open.place.start, first.end)
        } else {
            open.place
        };
        let node = self.node(value, place, size);
        self.close(node, open.anchor)
    }

    /// Puts a finished value where it belongs.
    fn close(&mut self, mut node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::Sequence(elements)) => elements.push(node),
            Some(Content::Mapping { entries, key, keys }) => match key.take() {
                None => {
                    let kept = match check_key(&mut node, keys)? {
                        None => true,
                        Some(problem) => {
                            self.problems.push(problem);
                            // What a quoted key would mean is clear, the rest is left out.
                            keys.get(node.as_text().unwrap_or_default()) == Some(&node.place)
                        }
                    };
                    *key = Some(Key { node, kept });
                }
                Some(Key { node: key, kept }) => {
                    if node.place.start == node.place.end {
                        // A value that isn't there is best shown by its key.
                        node.place = key.place;
                    }
                    if kept {
                        entries.push((key, node));
                    }
                }
            },
        }
        Ok(())
    }
}

/// Finds what is wrong with a key, and remembers it; an error where the mapping can't be understood without it.
fn check_key(
    node: &mut Node,
    keys: &mut BTreeMap<Arc<str>, Place>,
) -> Result<Option<Problem>, Problem> {
    let place = node.place;
    let Value::Scalar { text, plain } = &mut node.value else {
        return Ok(Some(Problem::error(place, "a key must be text")));
    };
    if *plain && &**text == "<<" {
        return Err(
            Problem::error(place, "merge keys (`<<`) are not part of YAML 1.2")
                .hint("write the keys out, or use `defaults`"),
        );
    }
    if let Some(first) = keys.get(text) {
        return Ok(Some(
            Problem::error(place, format!("the key {text:?} is written twice"))
                .hint("keep one of them")
                .also(*first, "first written here"),
        ));
    }
    keys.insert(text.clone(), place);
    if *plain && scalar::plain(text) != Plain::Text {
        *plain = false;
        return Ok(Some(
            Problem::error(place, format!("the key {text} is not text"))
                .hint(format!("quote it: \"{text}\"")),
        ));
    }
    Ok(None)
}
