//! Emergency access to AWS, as code, proven before the emergency.
//!
//! Data flows one way:
//!
//! ```text
//! spec files ──load──▶ Spec ───resolve───▶ Desired ─┐
//!                       ▲  (needs the org tree)     ├─diff─▶ Plan ──apply──▶ Outcome
//!  Cloud ────collect──▶ Inventory per account ──────┘         └─────▶ report (text, markdown, json)
//!                         └──▶ verify (proofs) ──▶ Verification ──▶ report
//!  CloudTrail ─────────▶ audit (uses × incidents) ──▶ Audit ─────▶ report
//! ```
//!
//! The rooms, each of which imports only from those below it:
//!
//! - `cli`: arguments and one file per command, which wires the edge to the core
//! - [`kit`]: the runbook to print
//! - [`report`]: pure functions from a value to text
//! - [`apply`]: carries out a plan, re-checking each change just before it is written
//! - [`close`]: what is done after an incident
//! - [`credentials`]: passwords, made, sealed to their custodians and set
//! - [`merge`]: reports of shards, put together
//! - [`collect`]: reads accounts side by side and compares each with what the spec wants
//! - [`import`]: live state to a spec, the way back
//! - [`starter`]: a first spec, asked for and written with comments
//! - [`audit`]: uses of break-glass from CloudTrail's records, and what is wrong with them
//! - [`verify`]: proofs, on live state, that the roles work and are closed to everyone else
//! - [`resolve`]: what a spec means for each account
//! - [`plan`]: the difference as data, its order, gates and saved form
//! - [`cloud`]: the edge: AWS, or a snapshot file
//! - [`spec`]: the spec as written, with its sources and every offline check
//! - [`state`]: resources, desired and live state, operations and their model
//! - [`org`]: the organization's tree and selectors
//! - [`policy`]: the IAM policy language
//! - [`files`], [`ids`], [`text`]: whole files, checked identifiers, text for people

pub mod apply;
pub mod audit;
pub mod cli;
pub mod close;
pub mod cloud;
pub mod collect;
pub mod credentials;
pub mod files;
mod glob;
pub mod ids;
pub mod import;
pub mod kit;
pub mod merge;
pub mod org;
pub mod plan;
pub mod policy;
pub mod report;
pub mod resolve;
pub mod spec;
pub mod starter;
pub mod state;
pub mod text;
pub mod verify;
