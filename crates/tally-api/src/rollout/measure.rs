//! What is measured for gates and targets.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp, civil::Date};
use tally_ingest::edge::Problem;
use tally_store::{
    ReconciliationSummary, catalog,
    rollout::{BillSeen, CostCenterUse, teams_of},
};
use tally_types::{
    Exact,
    spec::{RolloutStage, TargetMeasure, TargetScope},
};
use tally_warehouse::{
    Dimension, Field, Filter, FilterOp, Grain, Measure, NamedRange, Query, QueryResult, Range,
};

use crate::{
    catalog::{
        governance::team_use,
        numbers::{GROUPS_MAX, Row, question, rows, total},
    },
    query::ask,
    state::Api,
    store_problem::problem,
};

/// The newest of each provider counts: of them all, so many are looked at.
const BILLS_MAX: u32 = 500;
const WEEK_S: i64 = 7 * 24 * 3_600;

/// The date in the company's zone.
pub(super) fn today(api: &Api) -> Date {
    api.state.clock.now().to_zoned(api.state.store.snapshot().organization.zone()).date()
}

pub(super) async fn answer(api: &Api, asked: Query) -> Result<QueryResult, Problem> {
    let now = api.state.clock.now();
    ask(api, move |warehouse| warehouse.query(&asked, now)).await
}

/// What each cost center used, for how long, and how ready its teams are.
pub(super) async fn cost_centers(api: &Api) -> Result<BTreeMap<String, CostCenterUse>, Problem> {
    let fields = [Field::CostCenter, Field::Workload, Field::Provider];
    let range = Range::Named(NamedRange::Last30Days);
    let spent = answer(api, question(vec![Measure::SpendUsd], &fields, range)).await?;
    let mut used: BTreeMap<String, CostCenterUse> = BTreeMap::new();
    for row in rows(&spent) {
        let Some(name) = row.text("cost_center") else { continue };
        let spend = row.money("spend_usd").unwrap_or_default();
        let one = used.entry(name).or_default();
        one.used.spend_usd = one.used.spend_usd + spend;
        if row.text("workload").is_some() {
            one.used.tagged_usd = one.used.tagged_usd + spend;
        }
        if let Some(provider) = row.text("provider") {
            let sum = one.providers.entry(provider).or_default();
            *sum = *sum + spend;
        }
    }
    for (name, weeks) in weeks(api).await? {
        used.entry(name).or_default().weeks = weeks;
    }
    let teams = team_use(api).await?;
    let (snapshot, now) = (api.state.store.snapshot(), api.state.clock.now());
    for name in snapshot.cost_centers.keys() {
        let ready = teams_of(&snapshot, name).into_iter().map(|team| {
            let spent = teams.get(team.as_str()).copied().unwrap_or_default();
            catalog::readiness(&snapshot, &team, spent, now)
        });
        used.entry(name.to_string()).or_default().teams = ready.collect();
    }
    Ok(used)
}

/// Whole weeks since the week of the first call, as far back as any gate asks.
async fn weeks(api: &Api) -> Result<BTreeMap<String, u32>, Problem> {
    let snapshot = api.state.store.snapshot();
    let rules = &snapshot.organization.rollout;
    let asked = [RolloutStage::Showback, RolloutStage::Chargeback]
        .into_iter()
        .filter_map(|stage| rules.before(stage).data_weeks);
    let back = i64::from(asked.max().unwrap_or(0)) + 1;
    let now = api.state.clock.now();
    let from = today(api)
        .saturating_sub(Span::new().weeks(back))
        .to_zoned(snapshot.organization.zone())
        .map_err(|error| Problem::internal("a week", &error))?
        .timestamp();
    let mut asked = Query::new(vec![Measure::Calls], Range::Between { from, to: now });
    asked.dimensions = vec![Dimension::Field(Field::CostCenter)];
    asked.grain = Some(Grain::Week);
    asked.limit = Some(GROUPS_MAX);
    let found = answer(api, asked).await?;
    let mut weeks: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows(&found) {
        if row.count("calls") == 0 {
            continue;
        }
        let (Some(name), Some(start)) = (row.text("cost_center"), row.time("time")) else {
            continue;
        };
        let since = (now.as_second() - start.as_second()) / WEEK_S;
        let known = weeks.entry(name).or_default();
        *known = (*known).max(u32::try_from(since).unwrap_or(0));
    }
    Ok(weeks)
}

/// The bills that were held against what was metered, the newest first.
///
/// Reports of usage alone ask for no money, and so are no bill.
pub(super) async fn bills(api: &Api) -> Result<Vec<BillSeen>, Problem> {
    let kept = api.state.store.reconciliations().list(None, BILLS_MAX).await.map_err(problem)?;
    let seen = kept.into_iter().filter_map(|kept| {
        let ReconciliationSummary { provider, from, to, billed_usd, metered_usd, .. } = kept;
        let provider = provider.to_string();
        Some(BillSeen { provider, from, to, billed_usd: billed_usd?, metered_usd })
    });
    Ok(seen.collect())
}

/// What a target is about, over a range; none where nothing is there to measure.
pub(super) async fn value(
    api: &Api,
    scope: &TargetScope,
    measure: TargetMeasure,
    (from, to): (Timestamp, Timestamp),
) -> Result<Option<Exact>, Problem> {
    let measures = match measure {
        TargetMeasure::Spend | TargetMeasure::Unattributed => vec![Measure::SpendUsd],
        TargetMeasure::CostPerTask => vec![Measure::CostPerSuccessfulTaskUsd],
        TargetMeasure::TokensPerTask => vec![Measure::TokensPerSuccessfulTask],
        TargetMeasure::Uncached => PROMPT_TOKENS.to_vec(),
    };
    let mut asked = Query::new(measures, Range::Between { from, to });
    let fields = [
        (Field::CostCenter, scope.cost_center.as_ref().map(|name| name.as_str())),
        (Field::Team, scope.team.as_ref().map(|name| name.as_str())),
        (Field::Workload, scope.workload.as_ref().map(|name| name.as_str())),
    ];
    let named = fields.into_iter().filter_map(|(field, name)| Some(Filter::eq(field, name?)));
    asked.filters.extend(named);
    if measure == TargetMeasure::Unattributed {
        let dimension = Dimension::Field(Field::Workload);
        asked.filters.push(Filter { dimension, op: FilterOp::IsNull, values: Vec::new() });
    }
    let found = answer(api, asked).await?;
    let all = total(&found);
    let money = |name: &str| all.money(name).map(|money| Exact::from_pico(money.pico()));
    Ok(match measure {
        TargetMeasure::Spend | TargetMeasure::Unattributed => money("spend_usd"),
        TargetMeasure::CostPerTask => money("cost_per_successful_task_usd"),
        TargetMeasure::TokensPerTask => {
            // Two decimals of a mean say all that there is to say.
            all.number("tokens_per_successful_task").and_then(|it| format!("{it:.2}").parse().ok())
        }
        TargetMeasure::Uncached => uncached(&all).1,
    })
}

/// Prompt tokens by who served them.
pub(super) const PROMPT_TOKENS: [Measure; 4] = [
    Measure::TokensInputUncached,
    Measure::TokensCacheWrite5m,
    Measure::TokensCacheWrite1h,
    Measure::TokensCacheRead,
];

/// Prompt tokens that no cache served, and their share of all in percent, to two decimals.
pub(super) fn uncached(row: &Row<'_>) -> (u64, Option<Exact>) {
    let [fresh, short, long, read] = PROMPT_TOKENS.map(|measure| row.count(measure.name()));
    let tokens = fresh + short + long;
    let hundredths = (i128::from(tokens) * 10_000).checked_div(i128::from(tokens + read));
    (tokens, hundredths.map(|it| Exact::from_pico(it * (Exact::ONE / 100))))
}
