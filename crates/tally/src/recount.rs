//! Looks up what budgets do not know of their own past: a budget made today counts the whole
//! month, and the demo's history was never committed by this journal.

use anyhow::Context as _;
use tally_gateway::{BudgetRecount as Recount, BudgetUsed as Used};
use tally_types::{
    Environment, NodeId, Timestamp, Window,
    spec::{BudgetLimit, BudgetScope, Counted, Each},
};
use tally_warehouse::{
    Cell, Dimension, Field, Filter, Grain, Measure, Query, ROWS_MAX, Range, Warehouse,
};

use crate::serve::Parts;

/// What is used while a look-up runs may make it start over; so often at most in one go.
const TRIES_MAX: usize = 10;

/// Looks up the past of every budget that does not know it, as far as the warehouse does.
pub(crate) async fn recount(parts: &Parts) {
    let now = parts.clock.now();
    let recounts = parts.gateway.budgets().recounts(now);
    let Some(warehouse) = parts.warehouse.get().filter(|_| !recounts.is_empty()) else { return };
    let node = parts.journal.node();
    for recount in recounts {
        let warehouse = std::sync::Arc::clone(&warehouse);
        let asked = recount.clone();
        let found =
            tokio::task::spawn_blocking(move || look_up(&warehouse, node, &asked, now)).await;
        match found {
            Ok(Ok(Some((sequence, used)))) => {
                parts.gateway.budgets().recounted(&recount, sequence, &used, now);
                tracing::info!(budget = %recount.budget, counters = used.len(), "its past is known");
            }
            // Rows are on their way to the warehouse: the next look finds them there.
            Ok(Ok(None)) | Err(_) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, budget = %recount.budget, "its past is not known yet");
            }
        }
    }
}

/// What the warehouse holds, and up to which row of the journal.
fn look_up(
    warehouse: &Warehouse,
    node: NodeId,
    recount: &Recount,
    now: Timestamp,
) -> anyhow::Result<Option<(u64, Vec<Used>)>> {
    for _ in 0..TRIES_MAX {
        let before = warehouse.last_sequence(node)?;
        if before < recount.after {
            return Ok(None);
        }
        let used = ask(warehouse, recount, now)?;
        if warehouse.last_sequence(node)? == before {
            return Ok(Some((before, used)));
        }
    }
    Ok(None)
}

fn ask(warehouse: &Warehouse, recount: &Recount, now: Timestamp) -> anyhow::Result<Vec<Used>> {
    // No query tells who has which role: such a budget begins when it is made.
    if recount.spec.scope.role.is_some() {
        return Ok(Vec::new());
    }
    let is_rolling = matches!(recount.spec.window, Window::RollingHours(_));
    let mut used = Vec::new();
    loop {
        let mut query = query(recount, now, is_rolling);
        query.offset = used.len();
        let result = warehouse.query(&query, now)?;
        let parts = Columns::new(recount, is_rolling);
        for row in &result.rows {
            used.push(parts.read(row, recount).context("a row of another shape")?);
        }
        if !result.truncated || result.rows.is_empty() {
            return Ok(used);
        }
    }
}

fn query(recount: &Recount, now: Timestamp, is_rolling: bool) -> Query {
    let measure = match (recount.spec.limit, recount.spec.count) {
        (BudgetLimit::Usd(_), _) => Measure::SpendUsd,
        (BudgetLimit::Tokens(_), Counted::Uncached) => Measure::TokensBudgeted,
        (BudgetLimit::Tokens(_), Counted::All) => Measure::Tokens,
        (BudgetLimit::Requests(_), _) => Measure::Calls,
    };
    let each = recount.spec.scope.each.map(|each| match each {
        Each::Person => Field::Person,
        Each::Team => Field::Team,
        Each::Workload => Field::Workload,
    });
    let environment = (!recount.spec.environment_limits.is_empty()).then_some(Field::Environment);
    let mut filters = filters(&recount.spec.scope);
    if let Some(each) = each {
        filters.push(Filter {
            dimension: Dimension::Field(each),
            op: tally_warehouse::FilterOp::IsNotNull,
            values: Vec::new(),
        });
    }
    // Calls that begin in this very moment belong to the window, too.
    let to = now.checked_add(jiff::SignedDuration::from_secs(60)).unwrap_or(now);
    Query {
        measures: vec![measure],
        dimensions: each.into_iter().chain(environment).map(Dimension::Field).collect(),
        filters,
        range: Range::Between { from: recount.window_start, to },
        grain: is_rolling.then_some(Grain::QuarterHour),
        compare: None,
        order: Vec::new(),
        limit: Some(ROWS_MAX),
        offset: 0,
    }
}

fn filters(scope: &BudgetScope) -> Vec<Filter> {
    let fields = [
        (Field::Department, scope.department.clone()),
        (Field::CostCenter, scope.cost_center.as_ref().map(ToString::to_string)),
        (Field::Team, scope.team.as_ref().map(ToString::to_string)),
        (Field::Person, scope.person.as_ref().map(ToString::to_string)),
        (Field::Workload, scope.workload.as_ref().map(ToString::to_string)),
        (Field::WorkloadClass, scope.workload_class.map(|class| class.to_string())),
        (Field::Key, scope.key.as_ref().map(ToString::to_string)),
        (Field::Environment, scope.environment.map(|environment| environment.to_string())),
        (Field::Tier, scope.tier.map(|tier| tier.to_string())),
        (Field::Model, scope.model.as_ref().map(ToString::to_string)),
        (Field::Provider, scope.provider.as_ref().map(ToString::to_string)),
        (Field::TaskType, scope.task_type.clone()),
    ];
    let given = fields.into_iter().filter_map(|(field, value)| Some(Filter::eq(field, value?)));
    given.collect()
}

/// Where the parts of a row stand.
struct Columns {
    time: Option<usize>,
    each: Option<usize>,
    environment: Option<usize>,
    amount: usize,
}

// === impl Columns ===

impl Columns {
    fn new(recount: &Recount, is_rolling: bool) -> Self {
        let mut next = 0;
        let mut place = |is_there: bool| {
            is_there.then(|| {
                next += 1;
                next - 1
            })
        };
        let time = place(is_rolling);
        let each = place(recount.spec.scope.each.is_some());
        let environment = place(!recount.spec.environment_limits.is_empty());
        Self { time, each, environment, amount: next }
    }

    fn read(&self, row: &[Cell], recount: &Recount) -> Option<Used> {
        let text = |place: Option<usize>| match row.get(place?)? {
            Cell::Text(text) => Some(text.clone()),
            _ => None,
        };
        let environment: Option<Environment> =
            text(self.environment).and_then(|it| it.parse().ok());
        let time = match self.time.and_then(|place| row.get(place)) {
            Some(Cell::Time(time)) => *time,
            _ => recount.window_start,
        };
        let amount = match row.get(self.amount)? {
            Cell::Count(count) => *count,
            Cell::Money(amount) => amount.pico(),
            Cell::Null => 0,
            _ => return None,
        };
        let has_limit = |it: &Environment| recount.spec.environment_limits.contains_key(it);
        Some(Used {
            each: text(self.each),
            environment: environment.filter(has_limit),
            time,
            amount,
        })
    }
}
