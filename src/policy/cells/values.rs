//! The values that the tests on one condition key, or on the resource, tell apart.

use std::collections::{BTreeMap, BTreeSet};

use super::language::{Matching, Universe, partition};
use super::ordered::{Place, Range, at, places, ranges};
use super::{Budget, Cells, OverBudget};
use crate::policy::canonical::{Atom, Value};
use crate::policy::condition::{Family, OperatorKind};
use crate::policy::keys::KeyType;
use crate::policy::pattern::{Pattern, Syntax};
use crate::policy::value::{Decimal, Instant, Network};

/// Bounds how many cells the values of a key may have.
const MAX_CELLS: usize = 4_096;

/// Holds the kinds of single values: what every test on the key says of each.
#[derive(Debug)]
pub(in crate::policy) struct ValueCells {
    tests: Tests,
    cells: Vec<ValueCell>,
}

/// Numbers the tests on the values of one key.
#[derive(Debug, Default)]
struct Tests {
    texts: BTreeMap<(Matching, Pattern), usize>,
    numbers: Vec<Decimal>,
    dates: Vec<Instant>,
    networks: BTreeSet<Network>,
    free: BTreeMap<Free, usize>,
}

/// Is a kind of value; it has a place in an order only where a test asks for one.
#[derive(Debug, Clone)]
struct ValueCell {
    /// The text patterns that match.
    texts: Cells,
    number: Option<Place>,
    date: Option<Place>,
    address: Option<Range>,
    /// The free tests that pass.
    free: Cells,
    example: String,
}

/// Is a test of which is known at most when it surely fails: one with a variable, or with a value of the wrong form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Free {
    family: Family,
    matching: Matching,
    /// The value; `None` for an empty list.
    value: Option<Value>,
}

impl Free {
    /// The pattern with its variables, where it is one.
    fn pattern(&self) -> Option<&Pattern> {
        match (&self.value, self.family) {
            (Some(Value::Text(pattern)), Family::String) => Some(pattern),
            (Some(Value::Text(pattern)), Family::Arn) => Some(pattern).filter(|p| p.is_arn()),
            _ => None,
        }
    }

    /// Tells whether this test surely passes where another one does.
    fn follows_from(&self, other: &Self) -> bool {
        match (self.pattern(), other.pattern()) {
            (Some(own), Some(other_pattern)) if self.matching == other.matching => {
                match self.matching {
                    Matching::Arn => own.covers_arn(other_pattern),
                    _ => own.covers(other_pattern),
                }
            }
            _ => false,
        }
    }
}

/// Bounds the tests of one value that may pass or fail freely.
const MAX_FREE: usize = 8;

/// Says what one value of a test asks of a value of the key.
enum Ask<'a> {
    Text(Matching, &'a Pattern),
    Number(&'a Decimal),
    Date(&'a Instant),
    Network(&'a Network),
    Truth(bool),
    Free(Free),
}

/// Says what a test asks, value by value.
fn asks(atom: &Atom) -> Vec<Ask<'_>> {
    let kind = atom.operator.kind;
    let matching = match kind {
        OperatorKind::StringEqualsIgnoreCase | OperatorKind::StringNotEqualsIgnoreCase => {
            Matching::IgnoreCase
        }
        _ if kind.family() == Family::Arn => Matching::Arn,
        _ => Matching::Plain,
    };
    let free = |value: Option<&Value>| {
        Ask::Free(Free {
            family: kind.family(),
            matching,
            value: value.cloned(),
        })
    };
    if atom.values.is_empty() {
        return vec![free(None)];
    }
    atom.values
        .iter()
        .map(|value| match value {
            Value::Text(pattern)
                if !pattern.has_variable()
                    && match kind.family() {
                        Family::String | Family::Binary => true,
                        // Whether a shorter one matches anything is not documented.
                        Family::Arn => pattern.is_arn(),
                        _ => false,
                    } =>
            {
                Ask::Text(matching, pattern)
            }
            Value::Text(_) => free(Some(value)),
            Value::Number(number) => Ask::Number(number),
            Value::Date(date) => Ask::Date(date),
            Value::Network(network) => Ask::Network(network),
            Value::Bool(truth) => Ask::Truth(*truth),
        })
        .collect()
}

impl Tests {
    fn of(known: Option<KeyType>, atoms: &BTreeSet<&Atom>) -> Self {
        let mut tests = Self::default();
        let mut numbers = Vec::new();
        let mut dates = BTreeSet::new();
        let testing = |atom: &&&Atom| atom.operator.kind != OperatorKind::Null;
        for ask in atoms.iter().filter(testing).flat_map(|atom| asks(atom)) {
            match ask {
                Ask::Text(matching, pattern) => tests.add_text(matching, pattern.clone()),
                Ask::Truth(truth) => tests.add_text(Matching::IgnoreCase, word(truth)),
                Ask::Number(number) => numbers.push(number.clone()),
                Ask::Date(date) => {
                    dates.insert(date.clone());
                }
                Ask::Network(network) => {
                    tests.networks.insert(*network);
                }
                Ask::Free(free) => {
                    // What the variables may stand for bounds what the test can match.
                    if let Some(pattern) = free.pattern() {
                        tests.add_text(free.matching, pattern.widened());
                    }
                    let next = tests.free.len();
                    tests.free.entry(free).or_insert(next);
                }
            }
        }
        numbers.sort_by(Decimal::compare);
        numbers.dedup();
        tests.numbers = numbers;
        tests.dates = dates.into_iter().collect();
        if known == Some(KeyType::Bool) {
            tests.add_text(Matching::IgnoreCase, word(true));
            tests.add_text(Matching::IgnoreCase, word(false));
        }
        tests
    }

    fn add_text(&mut self, matching: Matching, pattern: Pattern) {
        let next = self.texts.len();
        self.texts.entry((matching, pattern)).or_insert(next);
    }

    /// The patterns, each at its number.
    fn patterns(&self) -> Vec<(Matching, &Pattern)> {
        let mut patterns: Vec<_> = self.texts.iter().collect();
        patterns.sort_by_key(|(_, number)| **number);
        let patterns = patterns.into_iter();
        patterns
            .map(|((matching, pattern), _)| (*matching, pattern))
            .collect()
    }

    /// Numbers what a test asks.
    fn question(&self, atom: &Atom) -> Question {
        let mut question = Question {
            kind: atom.operator.kind,
            texts: Cells::of(self.texts.len(), |_| false),
            free: Cells::of(self.free.len(), |_| false),
            numbers: Vec::new(),
            dates: Vec::new(),
            networks: Vec::new(),
        };
        let text = |matching, pattern: Pattern| self.texts.get(&(matching, pattern)).copied();
        for ask in asks(atom) {
            match ask {
                Ask::Text(matching, pattern) => {
                    question.texts.extend(text(matching, pattern.clone()));
                }
                Ask::Truth(truth) => {
                    question
                        .texts
                        .extend(text(Matching::IgnoreCase, word(truth)));
                }
                Ask::Number(number) => question.numbers.extend(
                    self.numbers
                        .binary_search_by(|other| other.compare(number))
                        .ok(),
                ),
                Ask::Date(date) => question.dates.extend(self.dates.binary_search(date).ok()),
                Ask::Network(network) => question.networks.push(*network),
                Ask::Free(free) => question.free.extend(self.free.get(&free).copied()),
            }
        }
        question
    }

    /// The combinations of free tests that may pass for values which these text patterns match.
    fn free_choices(&self, texts: &Cells) -> Result<Vec<Cells>, OverBudget> {
        let possible: Vec<(&Free, usize)> = self
            .free
            .iter()
            .filter(|(free, _)| {
                free.pattern().is_none_or(|pattern| {
                    let widened = self.texts.get(&(free.matching, pattern.widened()));
                    widened.is_some_and(|number| texts.contains(*number))
                })
            })
            .map(|(free, number)| (free, *number))
            .collect();
        if possible.len() > MAX_FREE {
            return Err(OverBudget);
        }
        let choices = 0..1usize << possible.len();
        Ok(choices
            .map(|choice| {
                let chosen = possible.iter().enumerate();
                let chosen = chosen.filter(|(bit, _)| choice >> bit & 1 == 1);
                chosen
                    .map(|(_, (free, number))| (*free, *number))
                    .collect::<Vec<_>>()
            })
            .filter(|chosen| {
                // A test that follows from one that passes passes too.
                possible.iter().all(|(free, number)| {
                    chosen.iter().any(|(_, other)| other == number)
                        || !chosen.iter().any(|(other, _)| free.follows_from(other))
                })
            })
            .map(|chosen| {
                Cells::of(self.free.len(), |number| {
                    chosen.iter().any(|(_, other)| *other == number)
                })
            })
            .collect())
    }
}

/// Holds what the values of one test ask, by the numbers of the tests; one yes is enough.
struct Question {
    kind: OperatorKind,
    texts: Cells,
    free: Cells,
    numbers: Vec<usize>,
    dates: Vec<usize>,
    networks: Vec<Network>,
}

impl Question {
    fn matches(&self, cell: &ValueCell) -> bool {
        let in_order = |place: Option<Place>, thresholds: &[usize]| {
            let mut thresholds = thresholds.iter();
            place.is_some_and(|place| {
                thresholds.any(|threshold| in_order(place, *threshold, self.kind))
            })
        };
        let mut networks = self.networks.iter();
        cell.texts.intersects(&self.texts)
            || cell.free.intersects(&self.free)
            || in_order(cell.number, &self.numbers)
            || in_order(cell.date, &self.dates)
            || cell
                .address
                .is_some_and(|range| networks.any(|network| range.lies_in(network)))
    }
}

/// Tells how a place stands to a threshold.
fn in_order(place: Place, threshold: usize, kind: OperatorKind) -> bool {
    let order = place.cmp(&at(threshold));
    match kind {
        OperatorKind::NumericLessThan | OperatorKind::DateLessThan => order.is_lt(),
        OperatorKind::NumericLessThanEquals | OperatorKind::DateLessThanEquals => order.is_le(),
        OperatorKind::NumericGreaterThan | OperatorKind::DateGreaterThan => order.is_gt(),
        OperatorKind::NumericGreaterThanEquals | OperatorKind::DateGreaterThanEquals => {
            order.is_ge()
        }
        _ => order.is_eq(),
    }
}

impl ValueCells {
    /// Finds the cells from all the tests; of a known type there are no other values.
    pub(in crate::policy) fn of(
        known: Option<KeyType>,
        atoms: &BTreeSet<&Atom>,
        budget: &mut Budget,
    ) -> Result<Self, OverBudget> {
        let tests = Tests::of(known, atoms);
        let numbers = places(&tests.numbers, Decimal::between).ok_or(OverBudget)?;
        let numbers = slots(
            numbers,
            tests.numbers.is_empty(),
            known == Some(KeyType::Numeric),
        );
        let dates = places(&tests.dates, |low, high| {
            Some(Instant::between(low, high)?.to_string())
        });
        let dates = slots(
            dates.ok_or(OverBudget)?,
            tests.dates.is_empty(),
            known == Some(KeyType::Date),
        );
        let addresses = slots(
            ranges(&tests.networks),
            tests.networks.is_empty(),
            known == Some(KeyType::IpAddress),
        );
        let words = [true, false].map(|truth| {
            tests
                .texts
                .get(&(Matching::IgnoreCase, word(truth)))
                .copied()
        });
        let mut cells = Vec::new();
        for (texts, text) in partition(&tests.patterns(), Universe::Texts, budget)? {
            let is_word = || words.iter().flatten().any(|word| texts.contains(*word));
            if known == Some(KeyType::Bool) && !is_word() {
                continue;
            }
            let choices = tests.free_choices(&texts)?;
            for (number, number_text) in &numbers {
                for (date, date_text) in &dates {
                    for (address, address_text) in &addresses {
                        let example = [address_text, date_text, number_text];
                        let example = example.into_iter().flatten().next().unwrap_or(&text);
                        budget.spend(choices.len())?;
                        cells.extend(choices.iter().map(|free| ValueCell {
                            texts: texts.clone(),
                            number: *number,
                            date: *date,
                            address: *address,
                            free: free.clone(),
                            example: example.clone(),
                        }));
                        if cells.len() > MAX_CELLS {
                            return Err(OverBudget);
                        }
                    }
                }
            }
        }
        Ok(Self { tests, cells })
    }

    /// Tells whether all tests are understood, so that every value of a cell passes the same ones.
    pub(in crate::policy) fn are_exact(&self) -> bool {
        self.tests.free.is_empty()
    }

    /// How many cells there are.
    pub(in crate::policy) fn count(&self) -> usize {
        self.cells.len()
    }

    /// The cells whose values match one of the values of a test, its negation left aside.
    pub(in crate::policy) fn matching(&self, atom: &Atom) -> Cells {
        let question = self.tests.question(atom);
        Cells::of(self.cells.len(), |cell| {
            let cell = self.cells.get(cell);
            cell.is_some_and(|cell| question.matches(cell))
        })
    }

    /// Values of variables with which the example of a cell passes the tests with variables that it shall pass.
    ///
    /// `None` where none are found.
    pub(in crate::policy) fn variables(&self, cell: usize) -> Option<BTreeMap<String, String>> {
        let cell = self.cells.get(cell)?;
        let mut variables = BTreeMap::new();
        for (free, number) in &self.tests.free {
            if cell.free.contains(*number) {
                for (key, value) in free.pattern()?.solve(&cell.example)? {
                    if variables
                        .insert(key, value.clone())
                        .is_some_and(|known| known != value)
                    {
                        return None;
                    }
                }
            }
        }
        Some(variables)
    }

    /// A value of a cell.
    pub(in crate::policy) fn example(&self, cell: usize) -> Option<&str> {
        self.cells.get(cell).map(|cell| cell.example.as_str())
    }
}

/// Puts the places of one order beside "no such value", which a key of that type does not know.
fn slots<P>(
    places: Vec<(P, String)>,
    unused: bool,
    typed: bool,
) -> Vec<(Option<P>, Option<String>)> {
    if unused {
        return vec![(None, None)];
    }
    let places = places
        .into_iter()
        .map(|(place, example)| (Some(place), Some(example)));
    let none = (!typed).then_some((None, None));
    places.chain(none).collect()
}

fn word(truth: bool) -> Pattern {
    let text = if truth { "true" } else { "false" };
    Pattern::new(
        text,
        Syntax {
            wildcards: false,
            variables: false,
            fold_case: true,
        },
    )
}
