//! Who has a role, and who may speak in whose place.

use tally_types::{
    PersonName, Role,
    spec::{GrantNeed, StageRole},
};

use crate::Snapshot;

/// Everyone with a role, by name.
pub(crate) fn with_role(snapshot: &Snapshot, role: Role) -> Vec<PersonName> {
    let has = snapshot.people.iter().filter(|(_, person)| person.roles.contains(&role));
    has.map(|(name, _)| PersonName(name.clone())).collect()
}

/// Whether a person has one of these roles now.
pub(crate) fn has_role(snapshot: &Snapshot, person: &PersonName, roles: &[Role]) -> bool {
    let spec = snapshot.people.get(person.as_str());
    spec.is_some_and(|spec| spec.roles.iter().any(|role| roles.contains(role)))
}

/// In whose place a person decides on a need: their own, somebody's whose delegate they
/// are, or nobody's, as it is not theirs.
pub(crate) fn place(
    snapshot: &Snapshot,
    need: &GrantNeed,
    person: &PersonName,
) -> Option<Option<PersonName>> {
    let still_has = |name: &PersonName| match need.role {
        // Kept names grow old; these two roles are a matter of now.
        StageRole::Security => has_role(snapshot, name, &[Role::Security, Role::Admin]),
        StageRole::Finops => has_role(snapshot, name, &[Role::Finops, Role::Admin]),
        _ => snapshot.people.contains_key(name.as_str()),
    };
    if need.people.contains(person) && still_has(person) {
        return Some(None);
    }
    let absent = need.people.iter().find(|name| {
        let spec = snapshot.people.get(name.as_str());
        still_has(name) && spec.is_some_and(|spec| spec.delegate.as_ref() == Some(person))
    });
    absent.map(|name| Some(name.clone()))
}

/// Those who can be asked about a need, delegates included.
pub(crate) fn askable(snapshot: &Snapshot, need: &GrantNeed) -> Vec<PersonName> {
    let delegate = |name: &PersonName| snapshot.people.get(name.as_str())?.delegate.clone();
    let mut all: Vec<PersonName> = need
        .people
        .iter()
        .flat_map(|name| [Some(name.clone()), delegate(name)])
        .flatten()
        .collect();
    all.sort();
    all.dedup();
    all
}
