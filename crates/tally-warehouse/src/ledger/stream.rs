//! Calls out of the warehouse one by one, without holding them all.

use std::{collections::HashMap, str::FromStr};

use duckdb::{
    Connection,
    arrow::array::{
        Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, UInt32Array,
        UInt64Array,
    },
};
use serde::de::DeserializeOwned;
use tally_types::{CallId, Environment, PicoUsd, Source, Timestamp, Tokens, UsageEvent};

use super::id_of;
use crate::error::WarehouseError;

/// The columns in the order in which `Columns::event` reads them.
const COLUMNS: &str = "event_id::VARCHAR, revision, time_us, cost_center, team, workload, \
     workload_class, environment, key, provider, model_served, model_requested, model_reported, \
     model_family, tier, service_tier, billing_modifiers, tool_requests, input_uncached, \
     cache_read, cache_write_5m, cache_write_1h, output, reasoning, cost_list_usd, price_version, \
     subscription";

/// Names seen before, so that a million calls share the text of one name.
pub(crate) struct Known<T>(HashMap<String, T>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone + FromStr> Known<T> {
    pub(crate) fn get(&mut self, text: Option<&str>) -> Result<Option<T>, WarehouseError> {
        let Some(text) = text else { return Ok(None) };
        if let Some(known) = self.0.get(text) {
            return Ok(Some(known.clone()));
        }
        let parsed: T =
            text.parse().map_err(|_| WarehouseError::Corrupt(format!("`{text}` of an event")))?;
        self.0.insert(text.to_owned(), parsed.clone());
        Ok(Some(parsed))
    }
}

#[derive(Default)]
struct Names {
    cost_centers: Known<tally_types::CostCenterName>,
    teams: Known<tally_types::TeamName>,
    workloads: Known<tally_types::WorkloadName>,
    classes: Known<tally_types::WorkloadClass>,
    environments: Known<Environment>,
    keys: Known<tally_types::KeyName>,
    providers: Known<tally_types::ProviderName>,
    tiers: Known<tally_types::Tier>,
    service_tiers: Known<tally_types::ServiceTier>,
}

/// Hands over the calls that match a condition (of integers only), cost center by cost center
/// and in the order of their time.
pub(super) fn stream<E: From<WarehouseError>>(
    connection: &Connection,
    condition: &str,
    take: &mut dyn FnMut(&UsageEvent) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |error: duckdb::Error| E::from(WarehouseError::from(error));
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE status <> 'refused' AND {condition} \
         ORDER BY cost_center NULLS LAST, time_us, event_id"
    );
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    let mut names = Names::default();
    for batch in statement.stream_arrow([]).map_err(failed)? {
        let columns = Columns::of(&batch)?;
        for index in 0..batch.num_rows() {
            take(&columns.event(index, &mut names)?)?;
        }
    }
    Ok(())
}

/// A batch's columns with their types.
struct Columns<'a> {
    /// By column; none where it is no text.
    texts: Vec<Option<&'a StringArray>>,
    revision: &'a UInt32Array,
    time: &'a Int64Array,
    tokens: [&'a UInt64Array; 6],
    cost: &'a Int64Array,
    subscription: &'a BooleanArray,
}

// === impl Columns ===

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, WarehouseError> {
        let text = |column: &'a ArrayRef| column.as_any().downcast_ref::<StringArray>();
        Ok(Self {
            texts: batch.columns().iter().map(text).collect(),
            revision: typed(batch, 1)?,
            time: typed(batch, 2)?,
            tokens: [
                typed(batch, 18)?,
                typed(batch, 19)?,
                typed(batch, 20)?,
                typed(batch, 21)?,
                typed(batch, 22)?,
                typed(batch, 23)?,
            ],
            cost: typed(batch, 24)?,
            subscription: typed(batch, 26)?,
        })
    }

    fn text(&self, column: usize, row: usize) -> Option<&'a str> {
        let texts = self.texts.get(column).copied().flatten()?;
        (!texts.is_null(row)).then(|| texts.value(row))
    }

    fn json<T: DeserializeOwned + Default>(
        &self,
        column: usize,
        row: usize,
    ) -> Result<T, WarehouseError> {
        self.text(column, row).map_or_else(
            || Ok(T::default()),
            |text| {
                serde_json::from_str(text)
                    .map_err(|error| WarehouseError::Corrupt(format!("an event: {error}")))
            },
        )
    }

    fn event(&self, row: usize, names: &mut Names) -> Result<UsageEvent, WarehouseError> {
        let id = id_of(self.text(0, row).unwrap_or_default())?;
        let time = Timestamp::from_microsecond(self.time.value(row))?;
        // The source is not asked for: nothing of the ledger depends on it.
        let mut event = UsageEvent::new(id, CallId(id.0), time, Source::Import);
        event.revision = self.revision.value(row);
        event.cost_center = names.cost_centers.get(self.text(3, row))?;
        event.team = names.teams.get(self.text(4, row))?;
        event.workload = names.workloads.get(self.text(5, row))?;
        event.workload_class = names.classes.get(self.text(6, row))?;
        event.environment = names
            .environments
            .get(self.text(7, row))?
            .ok_or_else(|| WarehouseError::Corrupt("an event has no environment".to_owned()))?;
        event.key = names.keys.get(self.text(8, row))?;
        event.provider = names.providers.get(self.text(9, row))?;
        event.model_served = self.text(10, row).map(str::to_owned);
        self.text(11, row).unwrap_or_default().clone_into(&mut event.model_requested);
        event.model_reported = self.text(12, row).map(str::to_owned);
        event.model_family = self.text(13, row).map(str::to_owned);
        event.tier = names.tiers.get(self.text(14, row))?;
        event.service_tier = names.service_tiers.get(self.text(15, row))?.unwrap_or_default();
        event.billing_modifiers = self.json(16, row)?;
        event.tool_requests = self.json(17, row)?;
        let [input_uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning] =
            self.tokens.map(|column| column.value(row));
        event.tokens = Tokens {
            input_uncached,
            cache_read,
            cache_write_5m,
            cache_write_1h,
            output,
            reasoning,
        };
        event.cost_list_usd =
            (!self.cost.is_null(row)).then(|| PicoUsd::from_pico(self.cost.value(row)));
        event.price_version = self.text(25, row).map(str::to_owned);
        event.subscription = self.subscription.value(row);
        Ok(event)
    }
}

pub(crate) fn typed<T: 'static>(batch: &RecordBatch, index: usize) -> Result<&T, WarehouseError> {
    let column = batch.columns().get(index).and_then(|column| column.as_any().downcast_ref());
    column.ok_or_else(|| WarehouseError::Corrupt(format!("column {index} has another type")))
}
