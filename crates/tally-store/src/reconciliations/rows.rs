//! Reconciliations as they stand in their table.

use sqlx::{AnyConnection, Row as _, any::AnyRow};
use tally_types::Timestamp;

use super::{KeptReconciliation, ReconciliationSummary};
use crate::{
    StoreError,
    database::{self, backend},
};

pub(super) const COLUMNS: &str = "id, provider, first_day, last_day, format, billed_usd, \
                                  metered_usd, variances, imported_by, imported_ms";

pub(super) async fn write(
    connection: &mut AnyConnection,
    kept: &KeptReconciliation,
) -> Result<(), StoreError> {
    let it = &kept.summary;
    sqlx::query(
        "insert into reconciliation (id, provider, first_day, last_day, format, billed_usd, \
         metered_usd, variances, imported_by, imported_ms, bill, found) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(&it.id)
    .bind(it.provider.as_str())
    .bind(it.from.to_string())
    .bind(it.to.to_string())
    .bind(&it.format)
    .bind(it.billed_usd.map(|amount| amount.to_string()))
    .bind(it.metered_usd.to_string())
    .bind(i64::try_from(it.variances).unwrap_or(i64::MAX))
    .bind(&it.imported_by)
    .bind(it.imported_at.as_millisecond())
    .bind(kept.bill.to_string())
    .bind(kept.found.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn read(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<KeptReconciliation>, StoreError> {
    let sql = format!("select {COLUMNS}, bill, found from reconciliation where id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(connection).await?;
    row.map(|row| {
        let (bill, found) = (database::parsed(&row, "bill")?, database::parsed(&row, "found")?);
        Ok(KeptReconciliation { summary: summary(&row)?, bill, found })
    })
    .transpose()
}

pub(super) fn summary(row: &AnyRow) -> Result<ReconciliationSummary, StoreError> {
    let (variances, at): (i64, i64) = (row.try_get("variances")?, row.try_get("imported_ms")?);
    let billed: Option<String> = row.try_get("billed_usd")?;
    Ok(ReconciliationSummary {
        id: row.try_get("id")?,
        provider: database::parsed(row, "provider")?,
        from: database::parsed(row, "first_day")?,
        to: database::parsed(row, "last_day")?,
        format: row.try_get("format")?,
        billed_usd: billed.map(|text| text.parse()).transpose().map_err(backend)?,
        metered_usd: database::parsed(row, "metered_usd")?,
        variances: u64::try_from(variances).unwrap_or_default(),
        imported_by: row.try_get("imported_by")?,
        imported_at: Timestamp::from_millisecond(at).map_err(backend)?,
    })
}
