//! Rules: conditions over what is known of a call, and the decision that follows.
//!
//! [`RuleSet::compile`] makes the policies ready; [`RuleSet::decide`] says what becomes of a
//! call, [`RuleSet::explain`] why. [`check()`] finds what is wrong with a policy before it runs.
//!
//! All matching rules apply: deny > review > reroute > degrade; redactions add up; severity
//! only classifies; `allow` is recorded and overrides nothing.

mod act;
mod check;
mod condition;
mod decision;
mod explain;
mod fast;
mod index;
mod question;
mod rule;
mod set;
mod starter;
mod typing;
mod variables;

#[cfg(test)]
mod tests;

pub use act::Act;
pub use check::{RuleProblem, check};
pub use decision::{Decision, Matched, RuleError, Waived, Waiver};
pub use explain::{Explanation, Overridden, RuleExplanation, Standing};
pub use question::{PolicyAnswer, PolicyQuestion};
pub use set::{Ask, RuleSet};
pub use starter::{STARTER, StarterFile};
pub use tally_types::spec::PolicyCall;
