//! Providers' bills against what was metered.

use std::sync::Arc;

use axum::{Extension, Json, body::Body, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tally_gateway::DataPlane;
use tally_ingest::edge::{self, Problem};
use tally_ledger::{
    focus::RowError,
    reconcile::{self, Bill, BillFormat, Metered, ModelNames, Reconciliation},
};
use tally_types::{ProviderName, TimeZone};
use tally_warehouse::Warehouse;

use crate::{
    access::FINANCE,
    caller::Caller,
    exports::{Days, MeteredDays},
    operation::{Access, Operation},
    query::turn,
    state::Api,
};

/// A year of a large company's bill is some megabytes.
const BODY_BYTES_MAX: usize = 32 << 20;
/// A quarter, and some days.
const DAYS_MAX: i32 = 100;

/// A provider's bill.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProviderBill")]
struct BillOf {
    /// The provider, as Tally names it.
    provider: ProviderName,
    /// What the bill is written in.
    format: BillFormat,
    /// The bill itself: the report's JSON as it came, or the CSV.
    text: String,
}

pub(crate) fn operations() -> Vec<Operation> {
    let example = json!({
        "provider": "anthropic", "format": "csv",
        "text": "date,model,meter,quantity,cost,currency\n2026-10-31,claude-opus-4-8,output,1000000,25.00,USD\n",
    });
    vec![
        Operation::post("reconcile", "/api/v1/reconciliations", Access::Roles(FINANCE), compare)
            .about(
                "finance",
                "Hold a bill against what was metered",
                "Every difference by day (UTC), model and meter, why it is there, and the adjustment that would settle it. Nothing is stored or posted.",
            )
            .body::<BillOf>(example)
            .reply::<Reconciliation>("The differences.")
            .asks(),
    ]
}

/// `POST /api/v1/reconciliations`
async fn compare(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Reconciliation>, Problem> {
    let asked: BillOf = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let plane = Arc::clone(&caller.plane);
    if !plane.snapshot().providers.contains_key(&asked.provider) {
        let detail = format!("there is no provider `{}`", asked.provider);
        return Err(refused(detail).with_next_step("`tally get providers` lists them"));
    }
    let bill = reconcile::read(asked.format, &asked.provider, &asked.text)
        .map_err(|error| refused(error.to_string()))?;
    let (first, last) = bill.days;
    if (last - first).get_days() >= DAYS_MAX {
        let detail = format!("the bill is of {first} to {last}; expected at most {DAYS_MAX} days");
        return Err(refused(detail).with_next_step("compare it month by month"));
    }
    let warehouse = api.state.warehouse.require()?;
    let turn = turn(&api).await?;
    let compared = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        reconciled(&bill, warehouse, plane)
    });
    let failed = |error: &dyn std::fmt::Display| Problem::internal("the comparison", error);
    let compared = compared.await.map_err(|error| failed(&error))?;
    compared.map(Json).map_err(|error| failed(&error))
}

fn refused(detail: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bill_invalid", detail)
}

fn reconciled(
    bill: &Bill,
    warehouse: Arc<Warehouse>,
    plane: Arc<DataPlane>,
) -> Result<Reconciliation, RowError> {
    let mut names = names(&plane, &bill.provider);
    let (first, last) = bill.days;
    let mut rows =
        MeteredDays::new(warehouse, plane, Days::new(first, last.tomorrow()?, TimeZone::UTC));
    let mut metered = Metered::default();
    for row in &mut rows {
        let row = row?;
        if row.provider.as_ref() == Some(&bill.provider) {
            metered.add(&row);
        }
    }
    for (reported, served) in rows.into_names() {
        names.entry(reported).or_insert(served);
    }
    Ok(reconcile::compare(bill, &metered, &names))
}

/// The models that the provider serves, by its name for them and by Tally's.
fn names(plane: &DataPlane, provider: &ProviderName) -> ModelNames {
    let mut names = ModelNames::new();
    for (model, spec) in &plane.snapshot().models {
        for route in spec.all_routes().into_iter().filter(|route| route.provider == *provider) {
            let upstream = route.upstream_name.unwrap_or_else(|| model.to_string());
            names.insert(upstream, model.to_string());
            names.insert(model.to_string(), model.to_string());
        }
    }
    names
}
