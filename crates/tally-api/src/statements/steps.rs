//! What is done to a month of statements.

use std::sync::Arc;

use axum::{Extension, Json, body::Body, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_ledger::{Month, Showback, Statement, StatementState};
use tally_store::{NewComment, SaidAbout, Snapshot, StatementNotice, StoreError};
use tally_types::{
    CostCenterName, Name, Resource,
    spec::{CommentKind, PeriodSeal},
};

use super::{BODY_BYTES_MAX, author, books, month, owns, read::summary};
use crate::{caller::Caller, params::PathParams, scope::Scope, state::Api, store_problem::problem};

/// Something said about a statement.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StatementComment")]
pub(super) struct CommentBody {
    /// About whose.
    cost_center: CostCenterName,
    /// A remark or a dispute.
    kind: CommentKind,
    /// In 1 to 2,000 characters.
    text: String,
}

/// An answer to a comment.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CommentAnswer")]
pub(super) struct AnswerBody {
    /// The comment's number.
    comment: u32,
    /// In 1 to 2,000 characters.
    text: String,
}

/// The end of a dispute.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DisputeSettlement")]
pub(super) struct SettleBody {
    /// The comment's number.
    comment: u32,
    /// A last word.
    #[serde(default)]
    text: Option<String>,
}

/// Who does something to which month.
type Done = (Extension<PathParams>, Extension<Scope>, Extension<Caller>);

/// `POST /api/v1/periods/{name}/review`
pub(super) async fn review(
    State(api): State<Arc<Api>>,
    (Extension(path), _, Extension(caller)): Done,
) -> Result<Json<Resource>, Problem> {
    let (name, period) = named(&path)?;
    let opened = api.state.store.open_review(&caller.actor(), &author(&caller), name).await;
    let opened = opened.map_err(refused)?;
    tell(&api, period, StatementState::Review).await;
    Ok(Json(opened))
}

/// `POST /api/v1/periods/{name}/close`
pub(super) async fn close(
    State(api): State<Arc<Api>>,
    (Extension(path), _, Extension(caller)): Done,
) -> Result<Json<Resource>, Problem> {
    let (name, period) = named(&path)?;
    // Whoever goes away leaves the closing to go on to its end.
    let task = {
        let api = Arc::clone(&api);
        tokio::spawn(async move {
            let _one_at_a_time = api.closing.lock().await;
            let at = api.state.clock.now();
            let closing = books(&api, move |ledger| ledger.close(period, at)).await?;
            let seal = PeriodSeal {
                by: author(&caller),
                at,
                postings: closing.postings,
                statements: closing.statements,
                adjustments: closing.adjustments,
            };
            api.state.store.close_period(&caller.actor(), name, seal).await.map_err(refused)
        })
    };
    let closed = task.await.map_err(|error| Problem::internal("the closing", &error))??;
    tell(&api, period, StatementState::Closed).await;
    Ok(Json(closed))
}

/// `POST /api/v1/periods/{name}/comments`
pub(super) async fn comment(
    State(api): State<Arc<Api>>,
    (Extension(path), Extension(scope), Extension(caller)): Done,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, _) = named(&path)?;
    let body: CommentBody = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let CommentBody { cost_center, kind, text } = body;
    if scope != Scope::All && !owns(&caller, &cost_center) {
        let detail = format!("`{cost_center}` is not your cost center");
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_own", detail)
            .with_next_step("its owner, FinOps or an admin comments on its statement"));
    }
    let comment = NewComment { cost_center, kind, text };
    let said = api.state.store.comment(&caller.actor(), &author(&caller), name, comment).await;
    let mut said = said.map_err(refused)?;
    if scope != Scope::All {
        hide_others(&mut said, &caller);
    }
    Ok(Json(said))
}

/// `POST /api/v1/periods/{name}/answer`
pub(super) async fn answer(
    State(api): State<Arc<Api>>,
    (Extension(path), _, Extension(caller)): Done,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let body: AnswerBody = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    say(&api, &path, &caller, body.comment, SaidAbout::Answer(body.text)).await
}

/// `POST /api/v1/periods/{name}/settle`
pub(super) async fn settle(
    State(api): State<Arc<Api>>,
    (Extension(path), _, Extension(caller)): Done,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let body: SettleBody = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    say(&api, &path, &caller, body.comment, SaidAbout::Settle(body.text)).await
}

async fn say(
    api: &Api,
    path: &PathParams,
    caller: &Caller,
    number: u32,
    said: SaidAbout,
) -> Result<Json<Resource>, Problem> {
    let (name, _) = named(path)?;
    let (actor, by) = (caller.actor(), author(caller));
    let said = api.state.store.say_about(&actor, &by, name, number, said).await;
    said.map(Json).map_err(refused)
}

fn named(path: &PathParams) -> Result<(Name, Month), Problem> {
    let name = path.name()?;
    let period = month(name.as_str())?;
    Ok((name, period))
}

/// What stands in the way of a step is a conflict with what is there.
fn refused(error: StoreError) -> Problem {
    match error {
        StoreError::Argument(why) => Problem::new(StatusCode::CONFLICT, "period_refused", why)
            .with_next_step("`GET /api/v1/statements?period=…` says how far a month has come"),
        other => problem(other),
    }
}

/// Owners see what was said about their own statements only.
fn hide_others(period: &mut Resource, caller: &Caller) {
    let comments = period.spec.get_mut("comments").and_then(serde_json::Value::as_array_mut);
    if let Some(comments) = comments {
        comments.retain(|comment| {
            let name = comment.get("cost_center").and_then(serde_json::Value::as_str);
            let name: Option<CostCenterName> = name.and_then(|name| name.parse().ok());
            name.is_some_and(|name| owns(caller, &name))
        });
    }
}

/// Tells owners of their statements, and managers what their teams are shown. The step is done
/// by then: what fails here is for the log.
async fn tell(api: &Api, period: Month, state: StatementState) {
    let found = books(api, move |ledger| {
        Ok((ledger.statements(period)?, ledger.showback(period, &|team| team.is_some())?))
    });
    let (statements, teams) = match found.await {
        Ok(found) => found,
        Err(problem) => {
            tracing::warn!(%period, "nobody is told of statements: {}", problem.detail);
            return;
        }
    };
    let snapshot = api.state.store.snapshot();
    let mut told: Vec<StatementNotice> =
        statements.iter().filter_map(|it| to_owner(&snapshot, period, state, it)).collect();
    told.extend(teams.iter().filter_map(|it| to_manager(&snapshot, period, state, it)));
    if let Err(error) = api.state.store.tell_of_statements(told).await {
        tracing::warn!(%period, %error, "nobody is told of statements");
    }
}

/// In a word for programs and in one for people.
const fn words(state: StatementState) -> (&'static str, &'static str) {
    match state {
        StatementState::Closed => ("closed", "is closed"),
        StatementState::Draft | StatementState::Review => ("review", "is open for review"),
    }
}

fn to_owner(
    snapshot: &Snapshot,
    period: Month,
    state: StatementState,
    statement: &Statement,
) -> Option<StatementNotice> {
    let cost_center = statement.head.cost_center.as_ref()?;
    let spec = snapshot.cost_centers.get(cost_center.as_str())?;
    let (state, says) = words(state);
    Some(StatementNotice {
        name: statement.head.name.clone(),
        state,
        owner: spec.owner.clone(),
        link: None,
        title: format!("The statement of {cost_center} for {period} {says}"),
        body: summary(&statement.head.totals, &statement.advice),
        data: json!({
            "statement": statement.head.name, "charged_usd": statement.head.totals.charged_usd,
        }),
    })
}

fn to_manager(
    snapshot: &Snapshot,
    period: Month,
    state: StatementState,
    shown: &Showback,
) -> Option<StatementNotice> {
    let team = shown.team.as_ref()?;
    let manager = snapshot.teams.get(team.as_str())?.manager.clone()?;
    let (state, _) = words(state);
    Some(StatementNotice {
        name: format!("{period}:team:{team}"),
        state,
        owner: manager,
        link: Some(format!("/statements?period={period}&team={team}")),
        title: format!("What {team} used in {period}"),
        body: summary(&shown.totals, &shown.advice),
        data: json!({ "period": period.to_string(), "team": team, "list_usd": shown.totals.list_usd }),
    })
}
