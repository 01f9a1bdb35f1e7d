//! The Python of the tests.

use std::path::{Path, PathBuf};

/// The one that has what the tests require, which `make test` installs.
pub fn python() -> PathBuf {
    std::env::var_os("BREAKGLASS_TEST_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python"),
        PathBuf::from,
    )
}
