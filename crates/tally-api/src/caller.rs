//! Who calls: a key, or a person who is signed in.

use std::sync::Arc;

use http::StatusCode;
use tally_gateway::{DataPlane, Identity, require_scope};
use tally_ingest::edge::{self, Problem};
use tally_types::{CostCenterName, KeyScope, PersonName, Role, TeamName};

use crate::sign_in::SignedIn;

/// In a filter this stands for "not known"; a person or team of that name would see it all.
const UNATTRIBUTED: &str = "unattributed";

/// What a caller showed to be let in.
#[derive(Clone)]
pub(crate) enum Credential {
    /// A virtual key.
    Key(Arc<Identity>),
    /// The cookie of a session.
    Session(SignedIn),
}

/// Who calls, and the resources as they were when the call came in.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) person: Option<PersonName>,
    pub(crate) roles: Vec<Role>,
    pub(crate) credential: Credential,
    pub(crate) plane: Arc<DataPlane>,
}

// === impl Caller ===

impl Caller {
    pub(crate) fn of_key(caller: edge::Caller) -> Self {
        Self {
            person: caller.identity.person.clone(),
            roles: caller.identity.roles.clone(),
            credential: Credential::Key(caller.identity),
            plane: caller.plane,
        }
    }

    pub(crate) fn of_session(session: SignedIn, plane: Arc<DataPlane>) -> Self {
        let person = plane.snapshot().people.get(session.person.as_str());
        Self {
            roles: person.map(|person| person.roles.clone()).unwrap_or_default(),
            person: Some(session.person.clone()),
            credential: Credential::Session(session),
            plane,
        }
    }

    /// Who is named in the audit trail: `Person/ada`, `Person/ada via Key/ada-laptop`, `Key/ci`.
    pub(crate) fn actor(&self) -> String {
        match (&self.credential, &self.person) {
            (Credential::Session(session), _) => format!("Person/{}", session.person),
            (Credential::Key(key), Some(person)) => format!("Person/{person} via Key/{}", key.key),
            (Credential::Key(key), None) => format!("Key/{}", key.key),
        }
    }

    /// Whether the caller has one of these roles.
    pub(crate) fn has_any(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    /// Refuses a key that may not be used for this; a session may.
    pub(crate) fn require(&self, scope: KeyScope) -> Result<(), Problem> {
        match &self.credential {
            Credential::Key(identity) => Ok(require_scope(identity, scope)?),
            Credential::Session(_) => Ok(()),
        }
    }

    /// The session of the caller.
    ///
    /// # Errors
    /// 403 for a key.
    pub(crate) fn session(&self) -> Result<&SignedIn, Problem> {
        match &self.credential {
            Credential::Session(session) => Ok(session),
            Credential::Key(_) => {
                let detail = "this is for people who are signed in; a key was sent";
                Err(Problem::new(StatusCode::FORBIDDEN, "session_needed", detail)
                    .with_next_step("sign in by the browser"))
            }
        }
    }

    /// The person, unless the name is one that filters read as "not known".
    pub(crate) fn own(&self) -> Option<&PersonName> {
        self.person.as_ref().filter(|person| person.as_str() != UNATTRIBUTED)
    }

    /// The cost centers that the caller answers for.
    pub(crate) fn own_cost_centers(&self) -> Vec<CostCenterName> {
        let Some(person) = self.own() else { return Vec::new() };
        let all = self.plane.snapshot().cost_centers.iter();
        let own = all.filter(|(_, spec)| spec.owner == *person);
        own.map(|(name, _)| CostCenterName(name.clone())).collect()
    }

    /// The teams that the caller manages.
    pub(crate) fn managed_teams(&self) -> Vec<TeamName> {
        let Some(person) = &self.person else { return Vec::new() };
        let teams = self.plane.snapshot().teams.iter();
        teams
            .filter(|(name, team)| {
                team.manager.as_ref() == Some(person) && name.as_str() != UNATTRIBUTED
            })
            .map(|(name, _)| TeamName(name.clone()))
            .collect()
    }
}
