//! Randomness: the one place where it comes in.

use std::io;

/// Fills a buffer with random bytes of the operating system.
pub(super) fn random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::from)
}
