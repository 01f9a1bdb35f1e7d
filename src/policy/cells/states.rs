//! The states of one condition key that the tests on it tell apart: absent, a value, or a set of values.

use std::collections::{BTreeMap, BTreeSet};

use super::values::ValueCells;
use super::{Budget, Cells, OverBudget};
use crate::policy::canonical::{Atom, Value};
use crate::policy::condition::{Family, OperatorKind, Qualifier};
use crate::policy::keys::KeyType;

/// Bounds how many kinds of sets of values a key may have.
const MAX_SETS: usize = 2_048;

/// Holds the cells of a condition key: its absence, and each kind of value (or set of values) it can have.
#[derive(Debug)]
pub(in crate::policy) struct KeyCells {
    values: ValueCells,
    states: States,
}

/// Says what a cell of the key stands for.
#[derive(Debug)]
enum States {
    /// Cell 0 is the absent key, cell `n + 1` the value cell `n`.
    Single,
    /// Cell 0 is the absent key; each further one is a kind of set of values, which says for every test whether it
    /// passes, and of which value cells an example is made.
    Sets {
        tests: BTreeMap<SetTest, usize>,
        sets: Vec<(Cells, Vec<usize>)>,
    },
}

/// Asks of a set of values whether all, or any, lie in some cells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct SetTest {
    all: bool,
    pass: Cells,
}

/// Shows what a cell stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) enum State {
    Absent,
    Values(Vec<String>),
}

impl KeyCells {
    /// Finds the cells of a key from all the tests on it; `many` says that the key may have many values.
    pub(in crate::policy) fn of(
        known: Option<KeyType>,
        many: bool,
        atoms: &BTreeSet<&Atom>,
        budget: &mut Budget,
    ) -> Result<Self, OverBudget> {
        // What AWS reads into a `Null` of something else than true and false is not documented.
        let is_read = |value: &Value| matches!(value, Value::Bool(_));
        let mut nulls = atoms
            .iter()
            .filter(|atom| atom.operator.kind == OperatorKind::Null);
        if !nulls.all(|atom| !atom.values.is_empty() && atom.values.iter().all(is_read)) {
            return Err(OverBudget);
        }
        let known = known.or_else(|| tested_type(atoms));
        let values = ValueCells::of(known, atoms, budget)?;
        let states = if many {
            let mut tests = BTreeMap::new();
            for atom in atoms
                .iter()
                .filter(|atom| atom.operator.kind != OperatorKind::Null)
            {
                let next = tests.len();
                tests.entry(set_test(atom, &values)).or_insert(next);
            }
            let sets = sets(&tests, values.count(), budget)?;
            States::Sets { tests, sets }
        } else {
            States::Single
        };
        Ok(Self { values, states })
    }

    /// Tells whether all tests are understood, so that everything a cell stands for passes the same ones.
    pub(in crate::policy) fn are_exact(&self) -> bool {
        self.values.are_exact()
    }

    /// How many cells there are.
    pub(in crate::policy) fn count(&self) -> usize {
        1 + match &self.states {
            States::Single => self.values.count(),
            States::Sets { sets, .. } => sets.len(),
        }
    }

    /// The cells in which a test passes.
    pub(in crate::policy) fn passing(&self, atom: &Atom) -> Cells {
        let operator = atom.operator;
        if operator.kind == OperatorKind::Null {
            return self.null(atom);
        }
        let absent = operator.passes_absent();
        match &self.states {
            States::Single => {
                let pass = set_test(atom, &self.values).pass;
                Cells::of(self.count(), |cell| match cell.checked_sub(1) {
                    None => absent,
                    Some(value) => pass.contains(value),
                })
            }
            States::Sets { tests, sets } => {
                let number = tests.get(&set_test(atom, &self.values)).copied();
                Cells::of(self.count(), |cell| match cell.checked_sub(1) {
                    None => absent,
                    Some(set) => sets
                        .get(set)
                        .zip(number)
                        .is_some_and(|((answers, _), number)| answers.contains(number)),
                })
            }
        }
    }

    fn null(&self, atom: &Atom) -> Cells {
        // With a set prefix the answer is fixed, whatever the key: AWS's policy checks say so.
        let fixed = match atom.operator.qualifier {
            Some(Qualifier::ForAllValues) => Some(true),
            Some(Qualifier::ForAnyValue) => Some(false),
            None => None,
        };
        let asks = |wanted: bool| atom.values.contains(&Value::Bool(wanted));
        Cells::of(self.count(), |cell| {
            fixed.unwrap_or_else(|| if cell == 0 { asks(true) } else { asks(false) })
        })
    }

    /// Values of variables with which the example of a cell passes the tests with variables that it shall pass.
    ///
    /// `None` where none are found, or where the cell stands for a set of values.
    pub(in crate::policy) fn variables(&self, cell: usize) -> Option<BTreeMap<String, String>> {
        match (&self.states, cell.checked_sub(1)) {
            (_, None) => Some(BTreeMap::new()),
            _ if self.are_exact() => Some(BTreeMap::new()),
            (States::Single, Some(value)) => self.values.variables(value),
            (States::Sets { .. }, Some(_)) => None,
        }
    }

    /// Shows what a cell stands for.
    pub(in crate::policy) fn example(&self, cell: usize) -> State {
        let Some(index) = cell.checked_sub(1) else {
            return State::Absent;
        };
        let text = |value: &usize| self.values.example(*value).map(str::to_owned);
        State::Values(match &self.states {
            States::Single => text(&index).into_iter().collect(),
            States::Sets { sets, .. } => sets
                .get(index)
                .map(|(_, values)| values.iter().filter_map(text).collect())
                .unwrap_or_default(),
        })
    }
}

/// The type of a key that all tests on its values agree on.
///
/// AWS gives each key one type, and its policy checks call an operator of another one a mistake.
fn tested_type(atoms: &BTreeSet<&Atom>) -> Option<KeyType> {
    let valued = atoms
        .iter()
        .filter(|atom| atom.operator.kind != OperatorKind::Null);
    let mut types = valued.map(|atom| match atom.operator.kind.family() {
        Family::Bool => Some(KeyType::Bool),
        Family::Numeric => Some(KeyType::Numeric),
        Family::Date => Some(KeyType::Date),
        Family::IpAddress => Some(KeyType::IpAddress),
        Family::String | Family::Binary | Family::Arn => None,
    });
    let first = types.next()?;
    first.filter(|first| types.all(|other| other == Some(*first)))
}

fn set_test(atom: &Atom, values: &ValueCells) -> SetTest {
    let negated = atom.operator.kind.is_negated();
    let matching = values.matching(atom);
    SetTest {
        all: match atom.operator.qualifier {
            Some(Qualifier::ForAllValues) => true,
            Some(Qualifier::ForAnyValue) => false,
            None => negated,
        },
        pass: Cells::of(values.count(), |cell| matching.contains(cell) != negated),
    }
}

/// Finds each combination of answers that some set of values gives, with the value cells of one such set.
fn sets(
    tests: &BTreeMap<SetTest, usize>,
    values: usize,
    budget: &mut Budget,
) -> Result<Vec<(Cells, Vec<usize>)>, OverBudget> {
    /// Is a partial answer: the values that may occur, and the sets of which some value must.
    struct Partial {
        answers: Vec<usize>,
        allowed: Cells,
        required: Vec<Cells>,
    }
    let everything = Cells::of(values, |_| true);
    let mut partials = vec![Partial {
        answers: Vec::new(),
        allowed: everything.clone(),
        required: vec![everything.clone()],
    }];
    for (test, number) in tests {
        let mut fail = everything.clone();
        fail.remove(&test.pass);
        let mut next = Vec::new();
        for partial in partials {
            for answer in [false, true] {
                budget.spend(1 + partial.required.len())?;
                let mut answers = partial.answers.clone();
                if answer {
                    answers.push(*number);
                }
                let (mut allowed, mut required) =
                    (partial.allowed.clone(), partial.required.clone());
                match (test.all, answer) {
                    (true, true) => allowed.intersect(&test.pass),
                    (false, false) => allowed.intersect(&fail),
                    (true, false) => required.push(fail.clone()),
                    (false, true) => required.push(test.pass.clone()),
                }
                if required
                    .iter()
                    .all(|required| required.intersects(&allowed))
                {
                    next.push(Partial {
                        answers,
                        allowed,
                        required,
                    });
                }
            }
        }
        if next.len() > MAX_SETS {
            return Err(OverBudget);
        }
        partials = next;
    }
    let mut found = Vec::new();
    for Partial {
        answers,
        allowed,
        required,
    } in partials
    {
        let mut example = BTreeSet::new();
        // The first requirement, that there is a value, is met by whatever meets another.
        let skipped = usize::from(required.len() > 1);
        for required in required.iter().skip(skipped) {
            let mut cells = required.clone();
            cells.intersect(&allowed);
            example.extend(cells.first());
        }
        found.push((
            Cells::of(tests.len(), |number| answers.contains(&number)),
            example.into_iter().collect(),
        ));
    }
    Ok(found)
}
