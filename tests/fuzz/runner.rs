//! Runs a target on changed inputs: an input with a new kind of outcome is kept, and changed further.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use crate::mutate::{Random, mutated};
use crate::targets::Target;

/// No input takes longer than this, on any machine and however busy it is.
const BOUND: Duration = Duration::from_secs(20);
/// How many inputs are kept; when there are more, a new one takes the place of any that was found.
const KEPT: usize = 4_000;
/// How many runs there are where nobody asks for more: some seconds.
const FEW: usize = 150;

/// What a run is doing, for the watchdog.
type UnderWay = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

/// Changes the seeds so often, and fails on a panic and on an input that takes too long.
pub fn run(name: &str, target: Target, seeds: Vec<Vec<u8>>) {
    let runs = number("BREAKGLASS_FUZZ_RUNS").map_or(FEW, |runs| usize::try_from(runs).unwrap());
    let seed = number("BREAKGLASS_FUZZ_SEED").unwrap_or(1);
    let under_way = UnderWay::default();
    watch(name, &under_way);
    let mut random = Random::new(seed);
    let mut outcomes = BTreeSet::new();
    let (first, mut inputs) = (seeds.len(), seeds);
    let mut slowest = (Duration::ZERO, 0);
    let began = Instant::now();
    for number in 0..first + runs {
        let input = match inputs.get(number).filter(|_| number < first) {
            Some(seed) => seed.clone(),
            None => {
                let (one, other) = (chosen(&mut random, &inputs), chosen(&mut random, &inputs));
                mutated(&mut random, one, other)
            }
        };
        *under_way.lock().unwrap() = Some((Instant::now(), input.clone()));
        let started = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| target(&input)));
        let took = started.elapsed();
        *under_way.lock().unwrap() = None;
        let Ok(outcome) = outcome else {
            panic!("it panics on {}", saved(name, &input).display());
        };
        assert!(
            took < BOUND,
            "it takes {took:?} on {}",
            saved(name, &input).display()
        );
        if took > slowest.0 {
            slowest = (took, input.len());
        }
        if outcomes.insert(kind_of(&outcome)) && number >= first {
            if inputs.len() < KEPT {
                inputs.push(input);
            } else {
                let found = first + random.below(KEPT - first);
                inputs[found] = input;
            }
        }
    }
    println!(
        "{name}: {runs} runs from seed {seed} in {:.0} s, {first} inputs given, {} kept, {} kinds of outcomes, the slowest \
         input took {:.1} ms ({} bytes)",
        began.elapsed().as_secs_f64(),
        inputs.len() - first,
        outcomes.len(),
        slowest.0.as_secs_f64() * 1e3,
        slowest.1,
    );
}

/// Chooses the smaller of two: they are as good, and quicker.
fn chosen<'a>(random: &mut Random, inputs: &'a [Vec<u8>]) -> &'a [u8] {
    let two = [random.pick(inputs), random.pick(inputs)];
    two.into_iter()
        .flatten()
        .min_by_key(|input| input.len())
        .unwrap()
}

/// What an outcome says, whatever names and numbers it says it of: its first words outside of quotes.
fn kind_of(outcome: &str) -> u64 {
    const WORDS: usize = 40;
    let mut hasher = DefaultHasher::new();
    let plain = outcome.split(['"', '`', '\'']).step_by(2);
    let words = plain.flat_map(|part| part.split(|letter: char| !letter.is_ascii_alphabetic()));
    for word in words.filter(|word| word.len() > 1).take(WORDS) {
        word.hash(&mut hasher);
    }
    hasher.finish()
}

fn saved(name: &str, input: &[u8]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    let path = folder.join(format!("{name}-{:016x}", hasher.finish()));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, input))
        .unwrap();
    path
}

/// Ends the process when an input never ends.
fn watch(name: &str, under_way: &UnderWay) {
    let (name, under_way) = (name.to_owned(), Arc::downgrade(under_way));
    thread::spawn(move || {
        while let Some(under_way) = under_way.upgrade() {
            let stuck = under_way
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            drop(under_way);
            if let Some((_, input)) = stuck.filter(|(since, _)| since.elapsed() > 2 * BOUND) {
                eprintln!("{name}: it hangs on {}", saved(&name, &input).display());
                process::abort();
            }
            thread::sleep(Duration::from_millis(500));
        }
    });
}
