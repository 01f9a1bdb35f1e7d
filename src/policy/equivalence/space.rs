//! The space of requests that two documents tell apart, with every statement as a region of it.

use std::collections::{BTreeMap, BTreeSet};

use super::principals::{Callers, Reading};
use super::region::{Layout, Region};
use super::witness::{Answer, Witness};
use crate::policy::canonical::{Atom, Canonical, CanonicalStatement, Value};
use crate::policy::cells::{
    Budget, Cells, KeyCells, Matching, OverBudget, State, TextCell, Universe, ValueCells, partition,
};
use crate::policy::condition::{Operator, OperatorKind};
use crate::policy::document::{Effect, Selection};
use crate::policy::keys::{key_type, may_hold_many};
use crate::policy::pattern::Pattern;

const ACTION: usize = 0;
const RESOURCE: usize = 1;
const PRINCIPAL: usize = 2;

/// The keys that a request without MFA lacks, or of which the first may be `false`.
pub(super) const MFA_KEYS: [&str; 2] = ["aws:multifactorauthpresent", "aws:multifactorauthage"];

/// Holds the cells of every dimension.
pub(super) struct Space<'a> {
    actions: Actions<'a>,
    resources: Resources,
    callers: Callers,
    keys: BTreeMap<&'a str, (usize, KeyCells)>,
    pub(super) layout: Layout,
}

/// Holds the statements of a document as regions.
#[derive(Debug, Clone, Default)]
pub(super) struct Regions {
    pub(super) allow: Vec<Region>,
    pub(super) deny: Vec<Region>,
}

impl<'a> Space<'a> {
    /// Finds the cells for some documents.
    ///
    /// # Errors
    /// [`OverBudget`] when their patterns and tests overlap in too many ways.
    pub(super) fn of(documents: &[&'a Canonical], budget: &mut Budget) -> Result<Self, OverBudget> {
        let statements = || documents.iter().flat_map(|document| &document.statements);
        let actions = Actions::of(
            statements().map(|statement| statement.actions.list()),
            budget,
        )?;
        let resources = Resources::of(statements(), budget)?;
        let callers = Callers::of(
            statements().map(|statement| statement.principals.as_ref()),
            budget,
        )?;
        let mut tests: BTreeMap<&str, BTreeSet<&Atom>> = BTreeMap::new();
        for atom in statements().flat_map(|statement| &statement.atoms) {
            tests.entry(&atom.key).or_default().insert(atom);
        }
        let mut counts = vec![actions.cells.len(), resources.count(), callers.cells.len()];
        let mut keys = BTreeMap::new();
        for (key, atoms) in tests {
            // A key of a service is taken to have one value where no set operator says otherwise.
            let many = atoms.iter().any(|atom| atom.operator.qualifier.is_some())
                || (key.starts_with("aws:") && may_hold_many(key));
            let cells = KeyCells::of(key_type(key), many, &atoms, budget)?;
            keys.insert(key, (counts.len(), cells));
            counts.push(keys.get(key).map_or(0, |(_, cells)| cells.count()));
        }
        Ok(Self {
            actions,
            resources,
            callers,
            keys,
            layout: Layout::new(&counts),
        })
    }

    /// Turns the statements of one of the documents into regions.
    pub(super) fn regions(&self, document: &Canonical, reading: Reading) -> Regions {
        let mut regions = Regions::default();
        for statement in &document.statements {
            let region = self.region(statement, reading);
            if !self.layout.is_empty(&region) {
                match statement.effect {
                    Effect::Allow => regions.allow.push(region),
                    Effect::Deny => regions.deny.push(region),
                }
            }
        }
        regions
    }

    fn region(&self, statement: &CanonicalStatement, reading: Reading) -> Region {
        let mut region = self.layout.full();
        let mut restrict = |dimension, cells: Cells| {
            self.layout.restrict(&mut region, dimension, &cells);
        };
        restrict(ACTION, self.actions.matching(&statement.actions));
        restrict(RESOURCE, self.resources.matching(statement));
        restrict(
            PRINCIPAL,
            self.callers
                .matching(statement.principals.as_ref(), statement.effect, reading),
        );
        for atom in &statement.atoms {
            if let Some((dimension, cells)) = self.keys.get(atom.key.as_str()) {
                restrict(*dimension, cells.passing(atom));
            }
        }
        region
    }

    /// Tells whether a document tests for MFA.
    pub(super) fn tests_mfa(&self) -> bool {
        MFA_KEYS.iter().any(|key| self.keys.contains_key(key))
    }

    /// Keeps of what is allowed the requests without MFA: it is absent or `false`, and has no age.
    pub(super) fn without_mfa(&self, regions: &Regions) -> Regions {
        let mut kept = regions.clone();
        for (key, (dimension, cells)) in &self.keys {
            if !MFA_KEYS.contains(key) {
                continue;
            }
            let without = Cells::of(cells.count(), |cell| match cells.example(cell) {
                State::Absent => true,
                State::Values(values) => values.iter().all(|value| value == "false"),
            });
            for allow in &mut kept.allow {
                self.layout.restrict(allow, *dimension, &without);
            }
        }
        kept.allow.retain(|allow| !self.layout.is_empty(allow));
        kept
    }

    /// The numbers of all callers.
    pub(super) fn each_caller(&self) -> std::ops::Range<usize> {
        0..self.callers.cells.len()
    }

    /// Keeps of a region the requests of one caller.
    pub(super) fn keep_caller(&self, region: &mut Region, caller: usize) {
        let only = Cells::of(self.callers.cells.len(), |cell| cell == caller);
        self.layout.restrict(region, PRINCIPAL, &only);
    }

    /// Makes a request out of a region that is not empty: one cell of each dimension, and what both documents answer.
    pub(super) fn witness(&self, found: &Region, old: &Regions, new: &Regions) -> Option<Witness> {
        let mut point = found.clone();
        let mut choose = |dimension: usize| {
            let chosen = self.layout.cells(&point, dimension).first()?;
            let count = self.layout.count(dimension);
            let only = Cells::of(count, |cell| cell == chosen);
            self.layout.restrict(&mut point, dimension, &only);
            Some(chosen)
        };
        let (_, action) = self.actions.cells.get(choose(ACTION)?)?;
        let resource = choose(RESOURCE)?;
        let mut variables = self.resources.variables(resource).map(|found| vec![found]);
        let resource = self.resources.example(resource);
        let caller = self.callers.cells.get(choose(PRINCIPAL)?)?;
        let mut context = BTreeMap::new();
        let mut absent = BTreeSet::new();
        for (key, (dimension, cells)) in &self.keys {
            let cell = choose(*dimension)?;
            variables = variables
                .zip(cells.variables(cell))
                .map(|(mut all, found)| {
                    all.push(found);
                    all
                });
            match cells.example(cell) {
                State::Values(values) => {
                    context.insert((*key).to_owned(), values);
                }
                State::Absent if self.layout.is_full_in(found, *dimension) => {}
                State::Absent => {
                    absent.insert((*key).to_owned());
                }
            }
        }
        let exact = variables.is_some();
        for (key, value) in variables.into_iter().flatten().flatten() {
            context.entry(key).or_insert_with(|| vec![value]);
        }
        let answer = |regions: &Regions| {
            let within = |region: &Region| self.layout.intersection(region, &point).is_some();
            if regions.deny.iter().any(within) {
                Answer::Denied
            } else if regions.allow.iter().any(within) {
                Answer::Allowed
            } else {
                Answer::NotAllowed
            }
        };
        Some(Witness {
            principal: caller.witness(),
            backing: caller.backing(),
            action: action.clone(),
            any_action: self.layout.is_full_in(found, ACTION),
            resource,
            any_resource: self.layout.is_full_in(found, RESOURCE),
            old: answer(old),
            new: answer(new),
            context,
            absent,
            exact,
        })
    }

    /// Tells whether every test in the documents is understood.
    pub(super) fn is_exact(&self) -> bool {
        let mut keys = self.keys.values();
        self.resources.values.are_exact() && keys.all(|(_, cells)| cells.are_exact())
    }
}

/// Holds the cells of actions.
struct Actions<'a> {
    numbers: BTreeMap<&'a Pattern, usize>,
    cells: Vec<TextCell>,
}

impl<'a> Actions<'a> {
    fn of(
        lists: impl Iterator<Item = &'a BTreeSet<Pattern>>,
        budget: &mut Budget,
    ) -> Result<Self, OverBudget> {
        let mut numbers = BTreeMap::new();
        let mut patterns = Vec::new();
        for pattern in lists.flatten() {
            numbers.entry(pattern).or_insert_with(|| {
                patterns.push((Matching::Plain, pattern));
                patterns.len() - 1
            });
        }
        Ok(Self {
            numbers,
            cells: partition(&patterns, Universe::Actions, budget)?,
        })
    }

    fn matching(&self, selection: &Selection<BTreeSet<Pattern>>) -> Cells {
        let mut named = Cells::of(self.numbers.len(), |_| false);
        let list = selection.list().iter();
        named.extend(list.filter_map(|pattern| self.numbers.get(pattern).copied()));
        // An empty list matches nothing, and an empty `NotAction` would match everything: AWS refuses both.
        Cells::of(self.cells.len(), |cell| {
            let cell = self.cells.get(cell);
            cell.is_some_and(|(matched, _)| matched.intersects(&named) != selection.is_negated())
        })
    }
}

/// Holds the cells of resources. Behind the others comes one for statements that name none, as those of trust policies.
struct Resources {
    values: ValueCells,
    some_name_none: bool,
}

impl Resources {
    fn of<'a>(
        statements: impl Iterator<Item = &'a CanonicalStatement>,
        budget: &mut Budget,
    ) -> Result<Self, OverBudget> {
        let mut tests = BTreeSet::new();
        let mut some_name_none = false;
        for statement in statements {
            match resource_test(statement) {
                Some(test) => {
                    tests.insert(test);
                }
                None => some_name_none = true,
            }
        }
        Ok(Self {
            values: ValueCells::of(None, &tests.iter().collect(), budget)?,
            some_name_none,
        })
    }

    fn count(&self) -> usize {
        self.values.count() + usize::from(self.some_name_none)
    }

    fn matching(&self, statement: &CanonicalStatement) -> Cells {
        let Some(test) = resource_test(statement) else {
            return Cells::of(self.count(), |cell| cell == self.values.count());
        };
        let matching = self.values.matching(&test);
        let negated = test.operator.kind.is_negated();
        Cells::of(self.count(), |cell| {
            cell < self.values.count() && matching.contains(cell) != negated
        })
    }

    fn variables(&self, cell: usize) -> Option<BTreeMap<String, String>> {
        if cell < self.values.count() {
            self.values.variables(cell)
        } else {
            Some(BTreeMap::new())
        }
    }

    fn example(&self, cell: usize) -> Option<String> {
        self.values.example(cell).map(str::to_owned)
    }
}

/// Reads `Resource` and `NotResource` as a test of one text.
fn resource_test(statement: &CanonicalStatement) -> Option<Atom> {
    let resources = statement.resources.as_ref()?;
    Some(Atom {
        operator: Operator {
            qualifier: None,
            kind: if resources.is_negated() {
                OperatorKind::StringNotLike
            } else {
                OperatorKind::StringLike
            },
            if_exists: false,
        },
        key: String::new(),
        values: resources.list().iter().cloned().map(Value::Text).collect(),
    })
}
