//! Resources, their versions and the audit trail; accounts of people.
//!
//! [`documents`] reads files into [`Document`](documents::Document)s with errors that
//! name file, line and field; [`Store`] keeps resources in a database, each change in one
//! transaction with its audit entry; [`Snapshot`] is what the data plane reads.
//! [`accounts`] holds how people come in, beside the resources; [`approvals`] who asked for
//! what and who decided, of [`grants`], [`exceptions`] and [`access`]; [`catalog`] what is
//! known of workloads, and what a governance meeting talks about; [`rollout`] how far cost
//! centers have come, sprints and quarterly reviews; [`sharing`] templates, savings stories
//! and what else people share; [`log`] what was done, provably; [`notices`] what people were told; [`Idempotency`] keeps the
//! replies to requests that may be repeated.
//!
//! Invariants: every stored spec has its kind's shape and every reference in it has a
//! target; exactly one audit entry per changed resource; the published snapshot is the
//! state after the last commit of this process.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod access;
pub mod accounts;
mod apply;
pub mod approvals;
mod audit;
pub mod catalog;
mod change;
mod check;
mod database;
mod diff;
pub mod documents;
mod error;
pub mod exceptions;
mod formulas;
pub mod grants;
mod idempotency;
mod kept;
mod list;
pub mod log;
pub mod notices;
mod periods;
mod reconciliations;
mod records;
pub mod rollout;
mod rules;
mod scoreboards;
pub mod sharing;
mod snapshot;
mod state;
mod store;
mod suggest;
mod suspension;
mod violations;

pub use accounts::{AccountError, Accounts};
pub use apply::{ApplyOptions, ApplyReport, Change, ChangeAction};
pub use audit::{AuditAction, AuditEntry, AuditFilter};
pub use database::sqlite_url;
pub use diff::FieldDiff;
pub use error::{Problem, ResourceId, StoreError};
pub use idempotency::{Begun, Idempotency, Kept, REPLY_BYTES_MAX, Ticket};
pub use list::{ListOptions, Page};
pub use periods::{NewComment, SaidAbout, StatementNotice};
pub use reconciliations::{
    KeptReconciliation, NewReconciliation, ReconciliationSummary, Reconciliations, Ruling,
};
pub use scoreboards::is_taken;
pub use snapshot::{Snapshot, SnapshotError};
pub use store::Store;
pub use violations::{Acknowledgement, Acknowledgements};
