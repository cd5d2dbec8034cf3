//! Stages that budgets reached: kept once each, with who was told and what was opened.

use serde::Serialize;
use serde_json::json;
use sqlx::{AnyConnection, Row as _};
use tally_types::{
    BudgetName, Name, PersonName, StageReached,
    spec::{BudgetStage, StageRole},
};

use super::{Notice, next_sequence, publish};
use crate::{
    Snapshot, Store, StoreError,
    approvals::moment,
    database,
    grants::{self, About, behind},
};

/// A stage that was reached, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct StageEvent {
    /// Its id.
    pub id: String,
    /// The approval that it opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Name>,
    /// What was reached.
    #[serde(flatten)]
    pub reached: StageReached,
}

/// Some events of a budget, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct StageEventsPage {
    /// The events.
    pub items: Vec<StageEvent>,
    /// The `after` of the next page; null on the last one.
    pub next: Option<String>,
}

/// Stages that budgets reached; see [`Store::stage_events`].
#[derive(Debug, Clone)]
pub struct StageEvents {
    store: Store,
}

// === impl StageEvents ===

impl StageEvents {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps a stage that was reached, opens its approval and tells people; once, however
    /// often it is told. Says whether it was new.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn keep(&self, reached: &StageReached) -> Result<bool, StoreError> {
        if self.is_kept(reached).await? {
            return Ok(false);
        }
        let (snapshot, now) = (self.store.snapshot(), self.store.now());
        let notices = vec![notice(&snapshot, reached)];
        let kept = match grants::pass_stage(&snapshot, reached, now) {
            Some(grant) => {
                self.store.grants().open_stage(&snapshot, grant, reached.clone(), notices).await
            }
            None => self.keep_only(reached.clone(), notices).await,
        };
        match kept {
            Ok(()) => Ok(true),
            // Another process was faster.
            Err(_) if self.is_kept(reached).await? => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A page of the events of a budget.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn list(
        &self,
        budget: &BudgetName,
        each: Option<&str>,
        limit: u32,
        after: Option<i64>,
    ) -> Result<StageEventsPage, StoreError> {
        let rows = sqlx::query(
            "select sequence, reached, grant_name from stage_event where budget = $1 \
             and ($2 = '' or each_of = $2) and sequence < $3 order by sequence desc limit $4",
        )
        .bind(budget.as_str())
        .bind(each.unwrap_or_default())
        .bind(after.unwrap_or(i64::MAX))
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *self.store.database().connection().await?)
        .await?;
        let event = |row: &sqlx::any::AnyRow| {
            let text: String = row.try_get("reached")?;
            let grant: Option<String> = row.try_get("grant_name")?;
            Ok(StageEvent {
                id: row.try_get::<i64, _>("sequence")?.to_string(),
                grant: grant.and_then(|name| name.parse().ok()),
                reached: serde_json::from_str(&text).map_err(database::backend)?,
            })
        };
        let mut items: Vec<StageEvent> =
            rows.iter().map(event).collect::<Result<_, StoreError>>()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|item| item.id.clone());
        Ok(StageEventsPage { items, next })
    }

    async fn is_kept(&self, reached: &StageReached) -> Result<bool, StoreError> {
        let sql = "select 1 from stage_event where event_key = $1";
        let mut connection = self.store.database().connection().await?;
        let row = sqlx::query(sql).bind(key(reached)).fetch_optional(&mut *connection).await?;
        Ok(row.is_some())
    }

    /// A stage that opens nothing changes no resource.
    async fn keep_only(
        &self,
        reached: StageReached,
        notices: Vec<Notice>,
    ) -> Result<(), StoreError> {
        let store = self.store.clone();
        let kept = tokio::spawn(async move {
            let mut change = store.begin_change().await?;
            keep_stage(change.connection(), &reached, None).await?;
            publish(&mut change, store.channels(), &notices).await?;
            change.commit().await
        });
        let interrupted =
            |error| StoreError::Backend(format!("the change was interrupted: {error}"));
        kept.await.map_err(interrupted)?
    }
}

/// Tells one from another: a stage is reached once per window, limit and kind.
fn key(reached: &StageReached) -> String {
    let StageReached { counter, window_start, stage, round, exhausted_at, .. } = reached;
    let each = counter.each.as_deref().unwrap_or_default();
    let environment = counter.environment.map_or("", |environment| environment.as_str());
    let kind = if exhausted_at.is_some() { "ahead" } else { "reached" };
    format!("{}|{each}|{environment}|{window_start}|{}|{round}|{kind}", counter.budget, stage.at)
}

/// Writes the event; fails when it is there.
pub(crate) async fn keep_stage(
    connection: &mut AnyConnection,
    reached: &StageReached,
    grant: Option<&Name>,
) -> Result<(), StoreError> {
    let sql = "select coalesce(max(sequence), 0) from stage_event";
    let sequence = next_sequence(connection, sql).await?;
    let text = serde_json::to_string(reached).map_err(database::backend)?;
    sqlx::query(
        "insert into stage_event (sequence, event_key, budget, each_of, reached, grant_name) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(sequence)
    .bind(key(reached))
    .bind(reached.counter.budget.as_str())
    .bind(reached.counter.each.as_deref().unwrap_or_default())
    .bind(text)
    .bind(grant.map(Name::as_str))
    .execute(connection)
    .await?;
    Ok(())
}

/// What the people of the stage are told; the owner, where it names nobody.
fn notice(snapshot: &Snapshot, reached: &StageReached) -> Notice {
    let stage = &reached.stage;
    let about = About {
        counter: &reached.counter,
        person: reached.person.as_ref(),
        workload: reached.top_workload.as_ref().or(reached.workload.as_ref()),
    };
    let owner = [StageRole::Owner];
    // Approvers are told by the approval itself; that calls are served less or refused
    // is the owner's to know.
    let roles = match (stage.notify.as_slice(), stage.approval.is_empty()) {
        (_, false) => &[],
        ([], true) => owner.as_slice(),
        (roles, true) => roles,
    };
    let mut people: Vec<PersonName> =
        roles.iter().flat_map(|role| behind(snapshot, *role, about)).collect();
    people.sort();
    people.dedup();
    Notice {
        key: format!("stage:{}", key(reached)),
        topic: if reached.exhausted_at.is_some() { "budget.ahead" } else { "budget.stage" }
            .to_owned(),
        people,
        to_webhooks: stage.notify.contains(&StageRole::Webhook),
        title: title(snapshot, reached),
        body: body(snapshot, reached),
        link: grants::counter_link(&reached.counter),
        data: json!({ "reached": reached }),
    }
}

fn title(snapshot: &Snapshot, reached: &StageReached) -> String {
    let counter = grants::counter_name(&reached.counter);
    match reached.exhausted_at {
        Some(then) => {
            let then = moment(snapshot, then);
            format!("At this pace, {counter} is used up on {then}")
        }
        None => format!("{counter} has reached {} %", reached.stage.at),
    }
}

fn body(snapshot: &Snapshot, reached: &StageReached) -> String {
    format!(
        "{} of {} are used; the window ends on {}. {}",
        grants::amount(reached.settled),
        grants::amount(reached.limit),
        moment(snapshot, reached.window_end),
        consequence(&reached.stage, reached.exhausted_at.is_some())
    )
}

fn consequence(stage: &BudgetStage, is_ahead: bool) -> &'static str {
    if is_ahead {
        return "Nothing happens yet; a temporary increase can be asked for on the budget's page.";
    }
    if stage.deny {
        return "Further calls are refused until the window ends or more is granted.";
    }
    if stage.degrade.is_some() {
        return "Further calls are served less: a cheaper model or a smaller context.";
    }
    if stage.approval.is_empty() {
        return "Calls go on.";
    }
    "Its approvers are asked whether it may go on."
}
