//! Months of statements: how far each has come, and what it comes to.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_ledger::{Ledger, LedgerError, Month, StatementState};
use tally_store::Snapshot;
use tally_types::{
    CostCenterName, PicoUsdSum, Timestamp,
    spec::{CommentState, PeriodSeal, PeriodSpec, StatementSeal},
};
use tally_warehouse::{Field, Filter, FilterOp, Grain, Measure, Query as Asked, Range};

use super::{books, owns, this_month};
use crate::{
    caller::Caller,
    catalog::numbers::{question, rows},
    params,
    query::ask,
    scope::Scope,
    state::Api,
};

/// So many months are looked back for calls; a closed one is listed however old it is.
const MONTHS_BACK: usize = 24;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MonthsQuery {
    /// Only what is about this cost center.
    cost_center: Option<String>,
}

/// Months of statements.
#[derive(Serialize, JsonSchema)]
pub(super) struct StatementMonths {
    /// The newest first.
    items: Vec<StatementMonth>,
}

/// How far a month has come.
#[derive(Serialize, JsonSchema)]
struct StatementMonth {
    /// Such as `2026-10`.
    period: String,
    state: StatementState,
    /// Whether its last day has gone.
    is_over: bool,
    /// Why it cannot be closed now; null where it can.
    not_closable: Option<String>,
    /// What was metered in it at list price, as far as is known now.
    metered_usd: PicoUsdSum,
    /// How many calls that were.
    calls: u64,
    /// Disputes that are not settled.
    open_disputes: usize,
    /// What was sealed; null until it is closed.
    sealed: Option<SealedMonth>,
}

/// The sums of sealed statements.
#[derive(Serialize, JsonSchema)]
struct SealedMonth {
    by: String,
    at: Timestamp,
    statements: usize,
    list_usd: PicoUsdSum,
    amount_usd: PicoUsdSum,
    charged_usd: PicoUsdSum,
    subsidised_usd: PicoUsdSum,
    unallocated_usd: PicoUsdSum,
}

/// Whose statements are looked at.
#[derive(Clone)]
enum Whose {
    Everyones,
    These(Vec<CostCenterName>),
}

/// `GET /api/v1/statement-months`
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<MonthsQuery>, QueryRejection>,
) -> Result<Json<StatementMonths>, Problem> {
    let asked = params::query(query)?.cost_center;
    let whose = whose(&scope, &caller, params::parsed("cost_center", asked.as_deref())?)?;
    let now = api.state.clock.now();
    let this = this_month(&api);
    let mut used = metered(&api, &whose, this, now).await?;
    let items = books(&api, move |ledger| {
        let known = ledger.snapshot.periods.keys().filter_map(|name| name.as_str().parse().ok());
        for month in known.chain([this]) {
            used.entry(month).or_default();
        }
        used.into_iter()
            .rev()
            .map(|(month, used)| written(ledger, &whose, month, used, now))
            .collect()
    });
    Ok(Json(StatementMonths { items: items.await? }))
}

fn whose(scope: &Scope, caller: &Caller, asked: Option<CostCenterName>) -> Result<Whose, Problem> {
    let is_for_all = *scope == Scope::All;
    match asked {
        Some(name) if is_for_all || owns(caller, &name) => Ok(Whose::These(vec![name])),
        Some(name) => {
            let detail = format!("`{name}` is not your cost center");
            Err(Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
                .with_next_step("its owner, FinOps, an admin or an auditor sees its months"))
        }
        None if is_for_all => Ok(Whose::Everyones),
        None => Ok(Whose::These(caller.own_cost_centers())),
    }
}

/// What was metered, month by month: one question to the metrics layer.
async fn metered(
    api: &Api,
    whose: &Whose,
    this: Month,
    now: Timestamp,
) -> Result<BTreeMap<Month, (PicoUsdSum, u64)>, Problem> {
    let mut filters = Vec::new();
    if let Whose::These(names) = whose {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        filters.push(Filter {
            dimension: Field::CostCenter.into(),
            op: FilterOp::In,
            values: names.iter().map(ToString::to_string).collect(),
        });
    }
    let zone = api.state.store.snapshot().organization.zone();
    let odd = |error: jiff::Error| Problem::internal("a month", &error);
    let mut first = this;
    for _ in 0..MONTHS_BACK {
        first = first.previous().map_err(odd)?;
    }
    let from = first.bounds(&zone).map_err(odd)?.0;
    let range = Range::Between { from, to: now };
    let asked = Asked {
        filters,
        grain: Some(Grain::Month),
        ..question(vec![Measure::SpendUsd, Measure::Calls], &[], range)
    };
    let answer = ask(api, move |warehouse| warehouse.query(&asked, now)).await?;
    let month = |at: Timestamp| Month::of(at.to_zoned(zone.clone()).date());
    let of = |row: crate::catalog::numbers::Row<'_>| {
        let used = (row.money("spend_usd").unwrap_or_default(), row.count("calls"));
        Some((month(row.time("time")?), used))
    };
    Ok(rows(&answer).filter_map(of).filter(|(_, (_, calls))| *calls > 0).collect())
}

fn written(
    ledger: &Ledger<'_>,
    whose: &Whose,
    month: Month,
    (metered_usd, calls): (PicoUsdSum, u64),
    now: Timestamp,
) -> Result<StatementMonth, LedgerError> {
    let period = ledger.snapshot.periods.get(month.to_string().as_str());
    Ok(StatementMonth {
        period: month.to_string(),
        state: ledger.state(month),
        is_over: is_over(ledger.snapshot, month, now)?,
        not_closable: ledger.may_close(month, now).err().map(|why| why.to_string()),
        metered_usd,
        calls,
        open_disputes: period.map_or(0, |period| whose.open_disputes(period)),
        sealed: period.and_then(|period| whose.sealed(period.seal.as_ref()?)),
    })
}

fn is_over(snapshot: &Snapshot, month: Month, now: Timestamp) -> Result<bool, LedgerError> {
    Ok(month.bounds(&snapshot.organization.zone())?.1 <= now)
}

// === impl Whose ===

impl Whose {
    fn has(&self, cost_center: Option<&CostCenterName>) -> bool {
        match self {
            Self::Everyones => true,
            Self::These(names) => cost_center.is_some_and(|name| names.contains(name)),
        }
    }

    fn open_disputes(&self, period: &PeriodSpec) -> usize {
        let open = period.comments.iter().filter(|it| it.state != CommentState::Settled);
        open.filter(|it| self.has(Some(&it.cost_center))).count()
    }

    fn sealed(&self, seal: &PeriodSeal) -> Option<SealedMonth> {
        let of = |it: &&StatementSeal| self.has(it.cost_center.as_ref());
        let mine: Vec<&StatementSeal> = seal.statements.iter().filter(of).collect();
        let sum = |amount: fn(&StatementSeal) -> PicoUsdSum| {
            mine.iter().fold(PicoUsdSum::default(), |sum, it| sum + amount(it))
        };
        (!mine.is_empty()).then(|| SealedMonth {
            by: seal.by.clone(),
            at: seal.at,
            statements: mine.len(),
            list_usd: sum(|it| it.list_usd),
            amount_usd: sum(|it| it.amount_usd),
            charged_usd: sum(|it| it.charged_usd),
            subsidised_usd: sum(|it| it.subsidised_usd),
            unallocated_usd: sum(|it| it.unallocated_usd),
        })
    }
}
