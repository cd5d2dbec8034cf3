//! What templates and stories did, asked of the warehouse.

use axum::{Extension, Json, extract::State};
use jiff::{SignedDuration, Timestamp};
use tally_ingest::edge::Problem;
use tally_insight::share::{Measured, Samples, StoryMeasure};
use tally_types::{
    Kind, PersonName,
    spec::{StoryClaim, StoryResult},
};

use super::Shared;
use crate::{params::PathParams, query::ask, state::Api, store_problem::problem};

/// What is older says little about how people work today.
const LOOKED_AT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// `GET /api/v1/templates/{name}/effect`
pub(super) async fn effect(
    State(api): Shared,
    Extension(path): Extension<PathParams>,
) -> Result<Json<Measured>, Problem> {
    let name = path.name()?;
    api.state.store.require(Kind::Template, &name).await.map_err(problem)?;
    let owner = api.state.store.snapshot().templates.get(&name).map(|spec| spec.owner.clone());
    let Some(owner) = owner else {
        return Err(Problem::bad_request("template_new", "the template is new; ask again"));
    };
    let now = api.state.clock.now();
    let from = now.checked_sub(LOOKED_AT).unwrap_or(Timestamp::UNIX_EPOCH);
    let measured = ask(&api, move |warehouse| {
        let mut samples = Samples::default();
        warehouse.tasks(from, now, &mut |task| samples.take(&task))?;
        Ok(samples.measured(name.as_str(), &owner))
    });
    Ok(Json(measured.await?))
}

/// What becomes of a claim now.
pub(super) async fn story(
    api: &Api,
    claim: StoryClaim,
    author: PersonName,
) -> Result<StoryResult, Problem> {
    let now = api.state.clock.now();
    ask(api, move |warehouse| {
        let mut measure = StoryMeasure::new(&claim, &author);
        for window in [claim.before, claim.after] {
            warehouse.tasks(window.from, window.until, &mut |task| measure.take(&task))?;
        }
        Ok(measure.result(now))
    })
    .await
}
