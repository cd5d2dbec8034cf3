//! How one appears on scoreboards oneself.

use std::sync::Arc;

use axum::{Extension, Json, body::Body, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::{self, Problem};
use tally_store::{Snapshot, StoreError};
use tally_types::{
    PersonName, Timestamp,
    spec::{PeopleShown, ShownAs},
};

use crate::{approvals::person, caller::Caller, state::Api, store_problem::problem};

const BODY_BYTES_MAX: usize = 4 << 10;

/// How the caller wants to appear.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewScoreboardChoice")]
pub(super) struct NewChoice {
    /// By name, by a pseudonym, or not at all.
    shown: ShownAs,
    /// With `pseudonym`: 3 to 40 letters, digits, spaces and hyphens, nobody's name and nobody
    /// else's pseudonym.
    #[serde(default)]
    pseudonym: Option<String>,
}

/// How the caller appears on scoreboards.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MyScoreboardChoice")]
pub(super) struct Choice {
    /// How it is now, by one's own choice or by what holds for who chose nothing.
    shown: ShownAs,
    /// The pseudonym, where one was chosen.
    pseudonym: Option<String>,
    /// When it was chosen; null for who chose nothing.
    chosen_at: Option<Timestamp>,
    /// What holds for people who chose nothing.
    by_default: PeopleShown,
    /// Pseudonyms that are free.
    proposals: Vec<String>,
    /// In works-council mode, how many people have to be behind a number.
    minimum_group: u32,
    /// Whether there are boards of people.
    has_people: bool,
}

/// `GET /api/v1/me/scoreboard-choice`
pub(super) async fn get(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Choice>, Problem> {
    let me = person(&caller)?;
    Ok(Json(choice(&api, &api.state.store.snapshot(), me)))
}

/// `PUT /api/v1/me/scoreboard-choice`
pub(super) async fn put(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Choice>, Problem> {
    let me = person(&caller)?;
    let new: NewChoice = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let now = api.state.clock.now();
    let store = &api.state.store;
    let chosen = (new.shown, new.pseudonym);
    let done = store.choose_appearance(&caller.actor(), me, chosen, now).await;
    done.map_err(|error| match error {
        StoreError::Argument(why) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "choice_invalid", why)
                .with_next_step("`GET /api/v1/me/scoreboard-choice` proposes some that are free")
        }
        other => problem(other),
    })?;
    api.state.scores.changed();
    Ok(Json(choice(&api, &store.snapshot(), me)))
}

fn choice(api: &Api, snapshot: &Snapshot, me: &PersonName) -> Choice {
    let rules = &snapshot.organization.scoreboards;
    let chosen = snapshot.scoreboard_choices.get(me.as_str());
    Choice {
        shown: super::privacy::shown_as(snapshot, me),
        pseudonym: chosen.and_then(|choice| choice.pseudonym.clone()),
        chosen_at: chosen.map(|choice| choice.at),
        by_default: rules.people,
        proposals: api.state.scores.pseudonyms().proposals(snapshot, me),
        minimum_group: rules.minimum_group,
        has_people: rules.people != PeopleShown::Off,
    }
}
