//! Guardrails: which rules a call matches and what follows, and what must not leave in a
//! prompt. Pure: no I/O, no clock.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod redact;
pub mod rules;
