//! What a call asks to have redacted: the one place where policy and redaction meet.

use std::collections::BTreeSet;

use tally_policy::redact::{DataKind, Pattern};

use crate::call::Call;

/// What is to be done to a call's prompt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) kinds: BTreeSet<DataKind>,
    /// All that policies define; those whose kinds are wanted are used.
    pub(crate) patterns: Vec<Pattern>,
    /// Whether the values are put back into the reply.
    pub(crate) restore: bool,
}

/// What the rules that hold for a call ask for.
pub(super) fn wanted(call: &Call) -> Option<Wanted> {
    let words = call.policed.redact.iter();
    // Words that are no kinds were refused when the policy was stored.
    let kinds: BTreeSet<DataKind> = words.filter_map(|word| word.parse().ok()).collect();
    (!kinds.is_empty()).then(|| Wanted {
        kinds,
        patterns: call.plane.policies.patterns.clone(),
        restore: call.policed.restore,
    })
}
