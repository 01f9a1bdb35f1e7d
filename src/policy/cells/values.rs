//! The values that the tests on one condition key, or on the resource, tell apart.

use std::collections::{BTreeMap, BTreeSet};

use super::language::{Matching, Universe, partition};
use super::ordered::{Place, Range, at, places, ranges};
use super::{Budget, Cells, OverBudget};
use crate::policy::canonical::{Atom, Value};
use crate::policy::condition::{Family, OperatorKind};
use crate::policy::keys::KeyType;
use crate::policy::pattern::{Pattern, Syntax, Token};
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
    comparison: OperatorKind,
    /// The value; `None` for an empty list.
    value: Option<Value>,
}

impl Free {
    fn matching(&self) -> Matching {
        matching(self.comparison)
    }

    /// A pattern without variables that matches whenever the test passes; `None` where none is known.
    ///
    /// The value of a variable may hold colons, so that it can't be told in which segment of an ARN it ends.
    fn bound(&self) -> Option<Pattern> {
        match (&self.value, self.comparison.family()) {
            (Some(Value::Text(pattern)), Family::String) => Some(pattern.widened()),
            (Some(Value::Text(pattern)), Family::Arn) => {
                let segments = pattern.segments();
                let (last, first) = segments.split_last()?;
                let is_bound = first.len() == 5 && !last.is_empty();
                let has_variable = |segment: &&&[Token]| {
                    segment
                        .iter()
                        .any(|token| matches!(token, Token::Variable(_)))
                };
                let is_bound = is_bound && !first.iter().any(|segment| has_variable(&segment));
                is_bound.then(|| pattern.widened())
            }
            _ => None,
        }
    }

    fn pattern(&self) -> Option<&Pattern> {
        match &self.value {
            Some(Value::Text(pattern)) => Some(pattern),
            _ => None,
        }
    }

    /// Tells whether this test surely passes where another one does.
    fn follows_from(&self, other: &Self) -> bool {
        let is_text = |free: &Self| free.comparison.family() == Family::String;
        let both = self.pattern().zip(other.pattern());
        is_text(self)
            && self.comparison == other.comparison
            && both.is_some_and(|(own, other)| own.covers(other))
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

/// How the values of an operator are matched as text.
fn matching(kind: OperatorKind) -> Matching {
    match kind {
        OperatorKind::StringEqualsIgnoreCase | OperatorKind::StringNotEqualsIgnoreCase => {
            Matching::IgnoreCase
        }
        _ if kind.family() == Family::Arn => Matching::Arn,
        _ => Matching::Plain,
    }
}

/// The operator that compares values as this one does, without its negation.
fn comparison(kind: OperatorKind) -> OperatorKind {
    use OperatorKind as Kind;
    match kind {
        Kind::StringEquals | Kind::StringNotEquals | Kind::StringNotLike => Kind::StringLike,
        Kind::StringNotEqualsIgnoreCase => Kind::StringEqualsIgnoreCase,
        Kind::NumericNotEquals => Kind::NumericEquals,
        Kind::DateNotEquals => Kind::DateEquals,
        Kind::NotIpAddress => Kind::IpAddress,
        Kind::ArnEquals | Kind::ArnNotEquals | Kind::ArnNotLike => Kind::ArnLike,
        kind => kind,
    }
}

/// Says what a test asks, value by value.
fn asks(atom: &Atom) -> Vec<Ask<'_>> {
    let kind = atom.operator.kind;
    let free = |value: Option<&Value>| {
        Ask::Free(Free {
            comparison: comparison(kind),
            value: value.cloned(),
        })
    };
    if atom.values.is_empty() {
        return vec![free(None)];
    }
    let is_text = |pattern: &Pattern| match kind.family() {
        Family::String => !pattern.has_variable(),
        // Whether one with fewer segments matches anything is not documented.
        Family::Arn => !pattern.has_variable() && pattern.is_arn(),
        _ => false,
    };
    atom.values
        .iter()
        .map(|value| match value {
            Value::Text(pattern) if is_text(pattern) => Ask::Text(matching(kind), pattern),
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
                    if let Some(bound) = free.bound() {
                        tests.add_text(free.matching(), bound);
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
    fn free_choices(
        &self,
        texts: &Cells,
        implied: &[Cells],
        budget: &mut Budget,
    ) -> Result<Vec<Cells>, OverBudget> {
        let none = || Cells::of(self.free.len(), |_| false);
        let mut possible = none();
        for (free, number) in &self.free {
            let may_pass = free.bound().is_none_or(|bound| {
                let bound = self.texts.get(&(free.matching(), bound));
                bound.is_some_and(|number| texts.contains(*number))
            });
            possible.extend(may_pass.then_some(*number));
        }
        let numbers: Vec<usize> = (0..self.free.len())
            .filter(|number| possible.contains(*number))
            .collect();
        if numbers.len() > MAX_FREE {
            return Err(OverBudget);
        }
        budget.spend((numbers.len() + 1) << numbers.len())?;
        let choices = (0..1usize << numbers.len()).map(|choice| {
            let mut chosen = none();
            let members = numbers.iter().enumerate();
            chosen.extend(
                members
                    .filter(|(bit, _)| choice >> bit & 1 == 1)
                    .map(|(_, number)| *number),
            );
            chosen
        });
        // A test that follows from one that passes passes too.
        let is_closed = |chosen: &Cells| {
            let mut passing = numbers.iter().filter(|number| chosen.contains(**number));
            passing.all(|number| {
                implied.get(*number).is_none_or(|implied| {
                    let mut missing = implied.clone();
                    missing.intersect(&possible);
                    missing.remove(chosen);
                    missing.is_empty()
                })
            })
        };
        Ok(choices.filter(is_closed).collect())
    }

    /// For each free test, the free tests that surely pass where it does.
    fn implications(&self, budget: &mut Budget) -> Result<Vec<Cells>, OverBudget> {
        let mut by_number: Vec<(&Free, usize)> = self
            .free
            .iter()
            .map(|(free, number)| (free, *number))
            .collect();
        by_number.sort_by_key(|(_, number)| *number);
        let length = |free: &Free| free.pattern().map_or(1, |pattern| pattern.tokens().len());
        let total: usize = by_number.iter().map(|(free, _)| length(free)).sum();
        // Each pair of patterns is compared token by token.
        budget.spend(total.saturating_mul(total) / 8)?;
        let implied = by_number.iter().map(|(other, _)| {
            Cells::of(by_number.len(), |number| {
                let free = by_number.get(number);
                free.is_some_and(|(free, _)| free.follows_from(other))
            })
        });
        Ok(implied.collect())
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
        let implied = tests.implications(budget)?;
        let mut cells = Vec::new();
        for (texts, text) in partition(&tests.patterns(), Universe::Texts, budget)? {
            let is_word = || words.iter().flatten().any(|word| texts.contains(*word));
            if known == Some(KeyType::Bool) && !is_word() {
                continue;
            }
            let choices = tests.free_choices(&texts, &implied, budget)?;
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

    /// Tells whether all tests are understood and of one type, so that every value of a cell passes the same ones, and
    /// there is one in each cell.
    pub(in crate::policy) fn are_exact(&self) -> bool {
        let Tests {
            texts,
            numbers,
            dates,
            networks,
            free,
        } = &self.tests;
        let types = [
            !texts.is_empty(),
            !numbers.is_empty(),
            !dates.is_empty(),
            !networks.is_empty(),
        ];
        free.is_empty() && types.iter().filter(|used| **used).count() <= 1
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
                let solution = free.pattern()?.solve(&cell.example)?;
                for (key, value) in solution {
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
