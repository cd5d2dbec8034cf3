//! What only verbs change. A file that is silent on it keeps it; one that says otherwise about
//! a key's suspension is refused, as that would be a way around the audit trail's words.

use std::borrow::Cow;

use serde_json::Value;
use tally_types::Kind;

use crate::{Problem, ResourceId, StoreError, state::State};

/// How far a workload has come.
const OF_WORKLOADS: &[&str] = &["state"];
/// Whether a key is suspended, and how that ended.
pub(crate) const OF_KEYS: &[&str] = &["suspended", "reinstated"];

/// The spec with what it is silent on.
pub(crate) fn filled<'a>(state: &State, id: &ResourceId, spec: &'a Value) -> Cow<'a, Value> {
    let fields = match id.kind {
        Kind::Workload => OF_WORKLOADS,
        Kind::Key => OF_KEYS,
        _ => return Cow::Borrowed(spec),
    };
    let mut filled = Cow::Borrowed(spec);
    for field in fields {
        let kept = state.entries.get(id).and_then(|entry| entry.spec.get(field));
        if let (Some(kept), None | Some(Value::Null)) = (kept, spec.get(field))
            && let Some(fields) = filled.to_mut().as_object_mut()
        {
            fields.insert((*field).to_owned(), kept.clone());
        }
    }
    filled
}

/// What a spec says otherwise about a key's suspension.
pub(crate) fn contradiction(
    state: &State,
    id: &ResourceId,
    spec: &Value,
    origin: Option<&str>,
) -> Option<Problem> {
    let says = |of: Option<&Value>, field: &str| {
        of.and_then(|spec| spec.get(field)).filter(|value| !value.is_null()).cloned()
    };
    let kept = state.entries.get(id).map(|entry| &entry.spec);
    let is_other = |field: &&&str| says(Some(spec), field) != says(kept, field);
    let field = OF_KEYS.iter().filter(|_| id.kind == Kind::Key).find(is_other)?;
    Some(Problem {
        resource: id.clone(),
        origin: origin.map(str::to_owned),
        field: Some((*field).to_owned()),
        message: "expected nothing: it is said by `tally key suspend` and `tally key reinstate`"
            .to_owned(),
        suggestion: None,
    })
}

/// The spec of a key as it may be stored by other ways than the verbs.
pub(crate) fn checked<'a>(
    state: &State,
    id: &ResourceId,
    spec: &'a Value,
) -> Result<Cow<'a, Value>, StoreError> {
    if id.kind != Kind::Key {
        return Ok(Cow::Borrowed(spec));
    }
    let filled = filled(state, id, spec);
    match contradiction(state, id, &filled, None) {
        Some(problem) => Err(StoreError::Invalid(vec![problem])),
        None => Ok(filled),
    }
}
