//! Runs what CI systems are given: the GitHub action by its `action.yml`, as a runner would, against an API of its own on
//! the loopback; the pre-commit hook; and checks of workflows and examples. It needs `python3`, `bash` and `git`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can't go on panics"
)]

mod apply;
mod files;
mod hub;
mod install;
mod issue;
mod plan;
mod runner;
