//! Statements: a cost center's month, and what teams are shown of it, out of rows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{
    CostCenterName, Environment, PicoUsdSum, ProviderName, TeamName, Timestamp, WorkloadName,
    spec::{PeriodComment, StatementSeal},
};
use tally_warehouse::{Field, Filter, FilterOp};

use crate::{Billed, ChargeLine, ChargeRow, Month, Payment, advice::Observed};

/// How far a statement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatementState {
    /// Computed of what is there now.
    Draft,
    /// Its owner looks at it.
    Review,
    /// Sealed.
    Closed,
}

/// Sums of a statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StatementTotals")]
pub struct Totals {
    /// Calls.
    pub calls: u64,
    /// Of them, those without a known price: they cost nothing here until they have one.
    pub unpriced_calls: u64,
    /// What was metered, at list price.
    pub list_usd: PicoUsdSum,
    /// What the rate card adds to that or takes off: rates, idle capacity, shared cost,
    /// rounding.
    pub rate_difference_usd: PicoUsdSum,
    /// Both together: charged, subsidised and unallocated.
    pub amount_usd: PicoUsdSum,
    /// What the cost center pays.
    pub charged_usd: PicoUsdSum,
    /// What the central budget pays.
    pub subsidised_usd: PicoUsdSum,
    /// What nobody pays yet.
    pub unallocated_usd: PicoUsdSum,
    /// Of the amount, what corrects closed months.
    pub corrections_usd: PicoUsdSum,
}

/// Some of a statement that belongs together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatementLine {
    /// What it is for.
    pub line: ChargeLine,
    /// What a rate card calls it, where it is no usage.
    pub name: Option<String>,
    /// Whose people called.
    pub team: Option<TeamName>,
    /// For which work.
    pub workload: Option<WorkloadName>,
    /// Production or experimentation.
    pub environment: Option<Environment>,
    /// Who served.
    pub provider: Option<ProviderName>,
    /// The model that served.
    pub model: Option<String>,
    /// Covered by a subscription.
    pub subscription: bool,
    /// The closed month that it corrects.
    pub corrects: Option<String>,
    /// The adjustment of a reconciliation that it is.
    #[serde(default)]
    pub adjustment: Option<String>,
    /// It is what a provider's bill has beyond the calls: an aggregate, never a call.
    #[serde(default)]
    pub aggregate: bool,
    /// Calls.
    pub calls: u64,
    /// Tokens of all kinds.
    pub tokens: u64,
    /// At list price; null where no list has a price.
    pub list_usd: Option<PicoUsdSum>,
    /// At the internal rate.
    pub amount_usd: PicoUsdSum,
    /// Who pays it.
    pub payment: Payment,
    /// How many of what, at which amount.
    pub meters: Vec<MeterSum>,
    /// The filters, of `GET /api/v1/events`, that lead to its calls; null where it has none.
    pub calls_filter: Option<CallsFilter>,
}

/// One meter of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MeterSum {
    /// What was counted.
    pub meter: String,
    /// How many of it.
    pub quantity: u64,
    /// At the internal rate.
    pub amount_usd: PicoUsdSum,
}

/// What leads from a line to its calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallsFilter {
    /// From this time…
    pub from: Timestamp,
    /// …to this one.
    pub to: Timestamp,
    /// Filters as in queries.
    pub filters: Vec<Filter>,
}

/// A statement without its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementHead {
    /// How it is asked for: the month and the cost center, or `-` where none answers for it.
    pub name: String,
    /// The month.
    #[schemars(with = "String")]
    pub period: Month,
    /// Whose it is; null is what no cost center answers for.
    pub cost_center: Option<CostCenterName>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// How far it has come.
    pub state: StatementState,
    /// How the cost center is charged on the month's last day, in a word.
    pub chargeback: Option<String>,
    /// The rate card; null is the list price.
    pub rate_card: Option<String>,
    /// Its sums.
    pub totals: Totals,
    /// What it asks for.
    pub billed: Billed,
    /// Disputes that are not settled.
    pub open_disputes: usize,
    /// What a closed one can be held against.
    pub seal: Option<StatementSeal>,
}

/// A cost center's month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// Whose, of when, and its sums.
    #[serde(flatten)]
    pub head: StatementHead,
    /// What it is made of, the dearest first.
    pub lines: Vec<StatementLine>,
    /// What to do about it.
    pub advice: Vec<String>,
    /// What has to be known to read it.
    pub notes: Vec<String>,
    /// What was said about it.
    pub comments: Vec<PeriodComment>,
}

/// What a team is shown of a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Showback {
    /// The month.
    #[schemars(with = "String")]
    pub period: Month,
    /// The team; null is calls of no known team.
    pub team: Option<TeamName>,
    /// How far its statements have come.
    pub state: StatementState,
    /// Its sums.
    pub totals: Totals,
    /// What they are made of, the dearest first.
    pub lines: Vec<StatementLine>,
    /// What to do about it.
    pub advice: Vec<String>,
}

/// Rows on their way to a statement.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    totals: Totals,
    lines: BTreeMap<String, StatementLine>,
    observed: Observed,
}

/// What rows of one line have in common.
pub(crate) fn line_key(row: &ChargeRow) -> String {
    format!(
        "{:?}|{}|{}|{}|{}|{}|{}|{}|{}|{}",
        row.line,
        row.corrects.as_deref().unwrap_or_default(),
        row.team.as_ref().map_or("", |name| name.as_str()),
        row.workload.as_ref().map_or("", |name| name.as_str()),
        row.environment.map_or("", Environment::as_str),
        row.provider.as_ref().map_or("", |name| name.as_str()),
        row.model.as_deref().unwrap_or_default(),
        row.subscription,
        name_of(row).unwrap_or_default(),
        row.adjustment.as_deref().unwrap_or_default(),
    )
}

/// What a rate card calls a row that is no call.
fn name_of(row: &ChargeRow) -> Option<&str> {
    let is_named =
        matches!(row.line, ChargeLine::Idle | ChargeLine::Shared | ChargeLine::Adjustment);
    Some(row.meter.as_str()).filter(|_| is_named)
}

// === impl Gathering ===

impl Gathering {
    /// Adds a row.
    pub(crate) fn add(&mut self, row: &ChargeRow) {
        self.totals.add(row);
        self.observed.add(row);
        let line = self.lines.entry(line_key(row)).or_insert_with(|| StatementLine::of(row));
        line.add(row);
    }

    /// The sums, the lines with the dearest first, and advice. `bounds` are those of the
    /// month, for the way to the calls.
    pub(crate) fn finish(
        self,
        bounds: Option<(Timestamp, Timestamp)>,
    ) -> (Totals, Vec<StatementLine>, Vec<String>) {
        let mut lines: Vec<StatementLine> = self.lines.into_values().collect();
        for line in &mut lines {
            line.calls_filter = bounds.and_then(|bounds| line.way(bounds));
        }
        lines.sort_by_key(|line| std::cmp::Reverse(line.amount_usd.pico().abs()));
        (self.totals, lines, self.observed.advice())
    }
}

// === impl Totals ===

impl Totals {
    /// Adds a row.
    pub fn add(&mut self, row: &ChargeRow) {
        let sum = |to: &mut PicoUsdSum, more: PicoUsdSum| *to = *to + more;
        self.calls += row.calls;
        if row.list_usd.is_none() {
            self.unpriced_calls += row.calls;
        }
        let list = row.list_usd.unwrap_or_default();
        sum(&mut self.list_usd, list);
        let difference = PicoUsdSum::from_pico(row.amount_usd.pico() - list.pico());
        sum(&mut self.rate_difference_usd, difference);
        sum(&mut self.amount_usd, row.amount_usd);
        sum(&mut self.charged_usd, row.payment.charged_usd);
        sum(&mut self.subsidised_usd, row.payment.subsidised_usd);
        sum(&mut self.unallocated_usd, row.payment.unallocated_usd);
        if row.line == ChargeLine::Correction {
            sum(&mut self.corrections_usd, row.amount_usd);
        }
    }

    /// Whether what was metered and the rates' difference are what somebody pays, to the
    /// picodollar.
    pub fn is_balanced(&self) -> bool {
        let paid = self.charged_usd + self.subsidised_usd + self.unallocated_usd;
        self.list_usd + self.rate_difference_usd == self.amount_usd && paid == self.amount_usd
    }
}

// === impl StatementLine ===

impl StatementLine {
    fn of(row: &ChargeRow) -> Self {
        Self {
            line: row.line,
            name: name_of(row).map(str::to_owned),
            team: row.team.clone(),
            workload: row.workload.clone(),
            environment: row.environment,
            provider: row.provider.clone(),
            model: row.model.clone(),
            subscription: row.subscription,
            corrects: row.corrects.clone(),
            adjustment: row.adjustment.clone(),
            aggregate: row.aggregate,
            calls: 0,
            tokens: 0,
            list_usd: None,
            amount_usd: PicoUsdSum::default(),
            payment: Payment::default(),
            meters: Vec::new(),
            calls_filter: None,
        }
    }

    fn add(&mut self, row: &ChargeRow) {
        let sum = |to: &mut PicoUsdSum, more: PicoUsdSum| *to = *to + more;
        self.calls += row.calls;
        self.tokens += if is_token_meter(&row.meter) { row.quantity } else { 0 };
        if let Some(list) = row.list_usd {
            sum(self.list_usd.get_or_insert_default(), list);
        }
        sum(&mut self.amount_usd, row.amount_usd);
        sum(&mut self.payment.charged_usd, row.payment.charged_usd);
        sum(&mut self.payment.subsidised_usd, row.payment.subsidised_usd);
        sum(&mut self.payment.unallocated_usd, row.payment.unallocated_usd);
        if row.quantity == 0 {
            return;
        }
        match self.meters.iter_mut().find(|sum| sum.meter == row.meter) {
            Some(meter) => {
                meter.quantity += row.quantity;
                sum(&mut meter.amount_usd, row.amount_usd);
            }
            None => self.meters.push(MeterSum {
                meter: row.meter.clone(),
                quantity: row.quantity,
                amount_usd: row.amount_usd,
            }),
        }
    }

    /// The way to its calls, of a line that has some in the month itself.
    fn way(&self, (from, to): (Timestamp, Timestamp)) -> Option<CallsFilter> {
        if self.line != ChargeLine::Usage {
            return None;
        }
        let filter = |field: Field, value: Option<&str>| match value {
            Some(value) => Filter::eq(field, value),
            None => Filter { dimension: field.into(), op: FilterOp::IsNull, values: Vec::new() },
        };
        let mut filters = vec![
            filter(Field::Team, self.team.as_ref().map(|name| name.as_str())),
            filter(Field::Workload, self.workload.as_ref().map(|name| name.as_str())),
            filter(Field::Provider, self.provider.as_ref().map(|name| name.as_str())),
        ];
        filters.extend(self.environment.map(|it| Filter::eq(Field::Environment, it.as_str())));
        filters.extend(self.model.as_deref().map(|model| Filter::eq(Field::Model, model)));
        Some(CallsFilter { from, to, filters })
    }
}

pub(crate) fn is_token_meter(meter: &str) -> bool {
    const METERS: [&str; 6] =
        ["input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"];
    METERS.contains(&meter)
}
