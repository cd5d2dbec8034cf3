//! Guardrails: which rules a call matches and what follows, and what must not leave in a
//! prompt. Pure: no I/O, no clock.

pub mod redact;
pub mod rules;
