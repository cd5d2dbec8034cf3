//! Who the caller is, and what they may do.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{CostCenterName, KeyName, Name, PersonName, Role, TeamName, Timestamp, Weekday};

use crate::{
    access::{READERS, decide},
    caller::{Caller, Credential},
    operation::{Access, Operation},
    scope::Scope,
    sign_in::SignedIn,
    state::Api,
};

/// Who calls, what they see, and what they may do.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Me {
    /// The person; none for a key that is no person's.
    person: Option<MyPerson>,
    /// The key, unless the caller is signed in.
    key: Option<KeyName>,
    roles: Vec<Role>,
    /// Whose usage the caller sees; none sees none.
    sees: Option<Scope>,
    /// The cost centers that the caller answers for.
    cost_centers: Vec<CostCenterName>,
    /// What the header `x-tally-csrf` must hold when something is changed by a session.
    csrf_token: Option<String>,
    session: Option<MySession>,
    /// The ids of the operations that the caller may use.
    operations: Vec<String>,
    organization: MyOrganization,
    /// Whether there is simulated usage, as in the demo.
    simulated: bool,
    /// Of Tally.
    version: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MyPerson {
    name: PersonName,
    display_name: Option<String>,
    email: Option<String>,
    team: Option<TeamName>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MySession {
    #[schemars(with = "String")]
    id: uuid::Uuid,
    created: Timestamp,
    expires: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MyOrganization {
    name: Option<Name>,
    /// IANA name of the zone that days and weeks are counted in.
    time_zone: String,
    currency: String,
    week_starts: Weekday,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("me", "/api/v1/me", Access::SignedIn, me)
            .about("me", "Who I am", "Roles, what I see, and the operations I may use.")
            .reply::<Me>("The caller."),
    ]
}

async fn me(State(api): State<Arc<Api>>, Extension(caller): Extension<Caller>) -> Json<Me> {
    Json(of(&api, &caller))
}

/// The caller who has just signed in.
pub(crate) fn of_session(api: &Api, session: SignedIn) -> Json<Me> {
    Json(of(api, &Caller::of_session(session, api.state.gateway.plane())))
}

fn of(api: &Api, caller: &Caller) -> Me {
    let snapshot = caller.plane.snapshot();
    let person = caller.person.as_ref().map(|name| {
        let spec = snapshot.people.get(name.as_str());
        MyPerson {
            name: name.clone(),
            display_name: spec.and_then(|spec| spec.display_name.clone()),
            email: spec.and_then(|spec| spec.email.clone()),
            team: spec.and_then(|spec| spec.team.clone()),
        }
    });
    let (key, session) = match &caller.credential {
        Credential::Key(identity) => (Some(identity.key.clone()), None),
        Credential::Session(session) => (None, Some(session)),
    };
    let may = |operation: &&Operation| {
        caller.require(operation.scope()).is_ok() && decide(operation.access, caller).is_ok()
    };
    let organization = &snapshot.organization;
    Me {
        person,
        key,
        roles: caller.roles.clone(),
        sees: decide(Access::Usage(READERS), caller).ok(),
        cost_centers: caller.own_cost_centers(),
        csrf_token: session.map(|session| session.csrf_token.clone()),
        session: session.map(|session| MySession {
            id: session.id,
            created: session.created,
            expires: session.expires,
        }),
        operations: api.operations().filter(may).map(|operation| operation.id.clone()).collect(),
        organization: MyOrganization {
            name: snapshot.organization_name.clone(),
            time_zone: organization.time_zone.clone(),
            currency: organization.currency.clone(),
            week_starts: organization.week_starts,
        },
        simulated: api.state.warehouse.get().is_some_and(|warehouse| warehouse.has_simulated()),
        version: env!("CARGO_PKG_VERSION"),
    }
}
