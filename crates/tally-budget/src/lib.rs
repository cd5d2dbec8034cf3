//! Budgets as a pure state machine under an injected clock: what a call may cost at worst is
//! reserved before it leaves, settled to what it cost, and given back when it cost nothing.
//!
//! [`Budgets`] holds every counter. A call asks with [`Budgets::reserve`]; what the journal
//! commits reaches [`Budgets::commit`], so that calls, imports and recovered calls are counted
//! in one place and one order. [`definition`] says what a budget means, [`index`] finds those
//! that apply, [`counter`] keeps one window, [`verdict`] is what a call is told.
//!
//! [`Rates`] are apart: how fast calls may come.
//!
//! Invariants:
//! - Under a ceiling (a stage with `deny`), settled + reserved never passes it by a
//!   reservation; elsewhere no undegraded call reserves past 100 %.
//! - A reservation holds in all its counters or in none, and ends: settled, released or expired.
//! - A stage is reached by what was settled, never by what is merely reserved: many calls at
//!   once ring no alarm of their own.
//! - Nothing here reads a clock or does I/O.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod admit;
mod budgets;
mod checkpoint;
mod commit;
mod counter;
mod definition;
mod index;
pub mod leases;
mod rates;
mod recount;
mod report;
mod settled;
mod state;
mod verdict;
mod view;

pub use budgets::{Budgets, Hold};
pub use checkpoint::{Checkpoint, SavedCounter};
pub use definition::{Definitions, RolesByName};
pub use rates::{Limit, Limited, Rates, Subject, Ticket};
pub use recount::{Recount, Used};
pub use verdict::{Ask, Demand, Less, Refused, RefusedBy, Standing, Verdict};
