//! The servers of a test run: `server.py`, handed from test to test.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::python::python;

/// Names the server that a test in a process of its own is given.
pub const GIVEN: &str = "BREAKGLASS_TEST_SERVER";

/// A running server, which ends with the process that started it.
pub struct Server {
    /// None for a given one.
    process: Option<Child>,
    pub url: String,
}

/// Those that no test has at the moment: starting one takes longer than many a test.
static IDLE: Mutex<Vec<Server>> = Mutex::new(Vec::new());

impl Server {
    /// Takes a server that nobody else has until it is given back. It holds whatever its last user left.
    pub fn take() -> Self {
        if let Ok(url) = std::env::var(GIVEN) {
            return Self { process: None, url };
        }
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(Self::start)
    }

    /// Gives it back, for another test to take.
    pub fn give_back(self) {
        if self.process.is_some() {
            let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(self);
        }
    }

    /// Ends it.
    pub fn end(self) {
        if let Some(mut process) = self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn start() -> Self {
        let python = python();
        let mut process = Command::new(&python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator/server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "the emulator can't be started with {}: {error}; run `make test`, which installs it",
                    python.display()
                )
            });
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the emulator did not start: {line:?}"));
        Self {
            process: Some(process),
            url: ready["url"].as_str().unwrap().to_owned(),
        }
    }
}
