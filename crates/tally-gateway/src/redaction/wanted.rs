//! What a call asks to have redacted: the one place where policy and redaction meet.

use std::collections::BTreeSet;

use tally_policy::redact::{DataKind, Pattern};
use tally_types::{
    DataClass,
    spec::{RuleEffect, RuleEffectMap},
};

use crate::call::Call;

/// What is to be done to a call's prompt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) kinds: BTreeSet<DataKind>,
    /// Those of the policies whose kinds are wanted.
    pub(crate) patterns: Vec<Pattern>,
    /// Whether the values are put back into the reply.
    pub(crate) restore: bool,
    /// Images cannot be searched: refuse calls that show any?
    pub(crate) refuse_images: bool,
    /// Neither can files.
    pub(crate) refuse_files: bool,
}

/// Until the policy room decides: rules that redact always, or for named data classes.
pub(super) fn wanted(call: &Call) -> Option<Wanted> {
    let mut kinds = BTreeSet::new();
    let rules = call.plane.snapshot().policies.values().flat_map(|policy| &policy.rules);
    for rule in rules {
        let RuleEffect::Map(RuleEffectMap::Redact(words)) = &rule.then else { continue };
        if applies(&rule.when, call.context.data_class()) {
            kinds.extend(words.iter().filter_map(|word| word.parse::<DataKind>().ok()));
        }
    }
    (!kinds.is_empty()).then(|| Wanted { kinds, restore: true, ..Wanted::default() })
}

fn applies(when: &str, class: DataClass) -> bool {
    let condition = when.trim();
    let names_class = condition.starts_with("data_class") && !condition.contains(['!', '&', '|']);
    condition == "true" || names_class && condition.contains(&format!("\"{class}\""))
}
