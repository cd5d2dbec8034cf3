//! Budgets as a pure state machine.
