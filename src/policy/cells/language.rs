//! Pattern languages: which combinations of wildcard patterns one text can match, each with a text that does.
//!
//! No catalogue of actions or resources is needed: the texts are split into cells by the patterns in use, and two texts
//! of one cell are told apart by none of them.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use super::{Budget, Cells, OverBudget};
use crate::policy::pattern::{Pattern, Token};

/// Says how a pattern is matched against a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::policy) enum Matching {
    /// Character by character; `*` crosses everything.
    Plain,
    /// Like [`Self::Plain`], ASCII letters in either case.
    IgnoreCase,
    /// The six segments of an ARN one by one: only in the last may a wildcard stand for a colon.
    Arn,
    /// Like [`Self::Plain`], but no wildcard stands for a colon.
    NoColon,
}

/// Is a cell of a family: the patterns that match its texts, and one of those texts.
pub(in crate::policy) type TextCell = (Cells, String);

/// Bounds how many cells a family of patterns may have.
const MAX_CELLS: usize = 2_048;

/// Says which texts are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Universe {
    /// All there are.
    Texts,
    /// Those of the form `service:operation`.
    Actions,
}

impl Universe {
    fn contains(self, text: &str) -> bool {
        match self {
            Self::Texts => true,
            Self::Actions => text.split_once(':').is_some_and(|(service, operation)| {
                !service.is_empty() && !operation.is_empty() && !operation.contains(':')
            }),
        }
    }
}

/// Splits the texts of a universe by a family of patterns. A variable in a pattern stands for any text.
///
/// # Errors
/// [`OverBudget`] when the patterns overlap in more ways than can be followed.
pub(in crate::policy) fn partition(
    patterns: &[(Matching, &Pattern)],
    universe: Universe,
    budget: &mut Budget,
) -> Result<Vec<TextCell>, OverBudget> {
    budget.spend(patterns.len() * patterns.len())?;
    if let Some(cells) = nested(patterns, universe) {
        return Ok(cells);
    }
    match universe {
        Universe::Texts => Automaton::new(patterns, universe).partition(budget),
        Universe::Actions => {
            let form = Pattern::action_form();
            let mut all = patterns.to_vec();
            all.push((Matching::NoColon, &form));
            let cells = Automaton::new(&all, universe).partition(budget)?;
            let actions = cells
                .into_iter()
                .filter(|(cell, _)| cell.contains(patterns.len()));
            Ok(actions.collect())
        }
    }
}

/// Splits texts where every pattern is plain and at most ends in `*`: any two are then nested or apart.
fn nested(patterns: &[(Matching, &Pattern)], universe: Universe) -> Option<Vec<TextCell>> {
    let mut prefixes = Vec::with_capacity(patterns.len());
    for (matching, pattern) in patterns {
        let (prefix, open) = pattern.as_prefix()?;
        let is_plain = match matching {
            Matching::Plain => true,
            // Behind the fifth colon, segments are matched like any text.
            Matching::Arn => prefix.matches(':').count() >= 5,
            Matching::IgnoreCase | Matching::NoColon => false,
        };
        if !is_plain {
            return None;
        }
        prefixes.push((prefix, open));
    }
    let matches = |text: &str| {
        Cells::of(prefixes.len(), |index| {
            prefixes.get(index).is_some_and(|(prefix, open)| {
                if *open {
                    text.starts_with(prefix.as_str())
                } else {
                    text == prefix
                }
            })
        })
    };
    let mut cells: BTreeMap<Cells, String> = BTreeMap::new();
    let everything = (String::new(), true);
    for (prefix, open) in prefixes.iter().chain([&everything]) {
        let mut text = prefix.clone();
        if *open {
            let filler = other_than(prefix, &prefixes, universe)?;
            text.push_str(&filler);
            if universe == Universe::Actions && !prefix.contains(':') {
                text.push(':');
                text.push_str(&filler);
            }
        }
        if universe.contains(&text) {
            cells.entry(matches(&text)).or_insert(text);
        }
    }
    Some(cells.into_iter().collect())
}

/// Finds what to put behind a prefix so that no pattern which continues the prefix matches.
fn other_than(prefix: &str, prefixes: &[(String, bool)], universe: Universe) -> Option<String> {
    const WORDS: [&str; 4] = ["anything", "other", "something", "example"];
    let next: BTreeSet<char> = prefixes
        .iter()
        .filter_map(|(other, _)| other.strip_prefix(prefix)?.chars().next())
        .collect();
    let is_free = |text: &str| !text.starts_with(|first| next.contains(&first));
    let words = WORDS.into_iter().map(str::to_owned);
    words
        .chain(fillers(universe).map(String::from))
        .find(|text| is_free(text))
}

/// Characters that stand for "any other", the most readable first; as actions match in either case, no upper case for
/// them. There is always one more.
fn fillers(universe: Universe) -> impl Iterator<Item = char> {
    let plain = "xyzabcdefghijklmnopqrstuvw0123456789-_./XYZABCDEFGHIJKLMNOPQRSTUVW".chars();
    let all = plain.chain(' '..='~').chain('\u{a1}'..);
    all.filter(move |filler| {
        universe == Universe::Texts || !(filler.is_uppercase() || *filler == ':')
    })
}

/// Is one step of an automaton: which characters it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Char(char),
    EitherCase(char),
    One { colon: bool },
    Any { colon: bool },
    Accept(usize),
}

/// Runs all patterns of a family side by side.
struct Automaton {
    universe: Universe,
    steps: Vec<Step>,
    /// The number of the pattern that each step belongs to.
    owners: Vec<usize>,
    starts: Vec<usize>,
}

/// Names the positions at which the patterns stand after some text, sorted.
type State = Vec<u32>;

impl Automaton {
    fn new(patterns: &[(Matching, &Pattern)], universe: Universe) -> Self {
        let mut automaton = Self {
            universe,
            steps: Vec::new(),
            owners: Vec::new(),
            starts: Vec::new(),
        };
        for (index, (matching, pattern)) in patterns.iter().enumerate() {
            automaton.starts.push(automaton.steps.len());
            automaton.steps.extend(steps(*matching, pattern));
            automaton.steps.push(Step::Accept(index));
            automaton.owners.resize(automaton.steps.len(), index);
        }
        automaton
    }

    fn step(&self, position: usize) -> Step {
        // Every position that is followed lies before the `Accept` of its pattern.
        let step = self.steps.get(position).copied();
        step.unwrap_or(Step::Accept(usize::MAX))
    }

    /// Adds a position, and those that a `*` reaches without a character.
    fn enter(&self, mut position: usize, state: &mut State) {
        loop {
            state.push(u32::try_from(position).unwrap_or(u32::MAX));
            if !matches!(self.step(position), Step::Any { .. }) {
                return;
            }
            position += 1;
        }
    }

    /// Sorts a state, and drops what lies before the last `*` that a pattern has reached: it can do no more than that.
    fn settle(&self, state: &mut State) {
        state.sort_unstable();
        state.dedup();
        let mut kept = usize::MAX;
        let mut owner = usize::MAX;
        let mut index = state.len();
        while index > 0 {
            index -= 1;
            let Some(position) = state.get(index).map(|position| *position as usize) else {
                return;
            };
            let this = self.owners.get(position).copied().unwrap_or(usize::MAX);
            if this != owner {
                owner = this;
                kept = usize::MAX;
            }
            if kept != usize::MAX {
                state.remove(index);
            } else if matches!(self.step(position), Step::Any { .. }) {
                kept = position;
            }
        }
    }

    fn advance(&self, state: &State, character: char) -> State {
        let mut next = Vec::with_capacity(state.len() + 2);
        for &position in state {
            let position = position as usize;
            match self.step(position) {
                Step::Char(own) if own == character => self.enter(position + 1, &mut next),
                Step::EitherCase(own) if own.eq_ignore_ascii_case(&character) => {
                    self.enter(position + 1, &mut next);
                }
                Step::One { colon } if colon || character != ':' => {
                    self.enter(position + 1, &mut next);
                }
                Step::Any { colon } if colon || character != ':' => {
                    self.enter(position, &mut next);
                }
                Step::Char(_)
                | Step::EitherCase(_)
                | Step::One { .. }
                | Step::Any { .. }
                | Step::Accept(_) => {}
            }
        }
        self.settle(&mut next);
        next
    }

    /// The characters that a state tells apart, and one that stands for all others.
    fn alphabet(&self, state: &State) -> Vec<char> {
        let mut alphabet = Vec::new();
        for &position in state {
            match self.step(position as usize) {
                Step::Char(own) => alphabet.push(own),
                Step::EitherCase(own) => {
                    alphabet.extend([own.to_ascii_lowercase(), own.to_ascii_uppercase()]);
                }
                Step::One { colon: false } | Step::Any { colon: false } => alphabet.push(':'),
                Step::One { colon: true } | Step::Any { colon: true } | Step::Accept(_) => {}
            }
        }
        let other = fillers(self.universe).find(|filler| !alphabet.contains(filler));
        // What the patterns name comes last, so that a text is as plain as can be.
        alphabet.sort_unstable();
        alphabet.dedup();
        alphabet.extend(other);
        alphabet.reverse();
        alphabet
    }

    fn accepted(&self, state: &State, patterns: usize) -> Cells {
        let accepts: Vec<usize> = state
            .iter()
            .filter_map(|position| match self.step(*position as usize) {
                Step::Accept(pattern) => Some(pattern),
                _ => None,
            })
            .collect();
        Cells::of(patterns, |pattern| accepts.contains(&pattern))
    }

    /// Visits every state, nearest first, and collects what the patterns say in it.
    fn partition(&self, budget: &mut Budget) -> Result<Vec<TextCell>, OverBudget> {
        let patterns = self.owners.last().map_or(0, |last| last + 1);
        let mut start = State::new();
        for &position in &self.starts {
            self.enter(position, &mut start);
        }
        self.settle(&mut start);
        let mut seen = HashSet::new();
        // The states in the order of their discovery, with how each was reached.
        let mut found: Vec<(State, usize, Option<char>)> = vec![(start.clone(), 0, None)];
        seen.insert(start);
        let mut queue = VecDeque::from([0]);
        let mut cells: BTreeMap<Cells, usize> = BTreeMap::new();
        while let Some(index) = queue.pop_front() {
            let Some((state, _, _)) = found.get(index) else {
                break;
            };
            let state = state.clone();
            budget.spend(1 + state.len())?;
            cells
                .entry(self.accepted(&state, patterns))
                .or_insert(index);
            if cells.len() > MAX_CELLS {
                return Err(OverBudget);
            }
            for character in self.alphabet(&state) {
                budget.spend(1 + state.len())?;
                let next = self.advance(&state, character);
                if seen.insert(next.clone()) {
                    queue.push_back(found.len());
                    found.push((next, index, Some(character)));
                }
            }
        }
        let text = |mut index: usize| {
            let mut characters = Vec::new();
            while let Some((_, parent, Some(character))) = found.get(index) {
                characters.push(*character);
                index = *parent;
            }
            characters.iter().rev().collect::<String>()
        };
        Ok(cells
            .into_iter()
            .map(|(cell, index)| (cell, text(index)))
            .collect())
    }
}

/// Writes the steps of a pattern.
fn steps(matching: Matching, pattern: &Pattern) -> impl Iterator<Item = Step> {
    let mut colons = 0;
    pattern.tokens().iter().map(move |token| {
        let colon = match matching {
            Matching::Plain | Matching::IgnoreCase => true,
            Matching::Arn => colons >= 5,
            Matching::NoColon => false,
        };
        match token {
            Token::Literal(character) => {
                colons += usize::from(*character == ':');
                if matching == Matching::IgnoreCase && character.is_ascii_alphabetic() {
                    Step::EitherCase(*character)
                } else {
                    Step::Char(*character)
                }
            }
            Token::One => Step::One { colon },
            Token::Any | Token::Variable(_) => Step::Any { colon },
        }
    })
}
