//! Properties that hold for every state and every spec, not only for those somebody thought of.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod generate;
mod guardrails;
mod import;
mod plan;
