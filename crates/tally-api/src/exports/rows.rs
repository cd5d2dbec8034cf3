//! Where the charges of a month come from.

use std::sync::mpsc::sync_channel;

use tally_ingest::edge::Problem;
use tally_ledger::{
    ChargeRow, Ledger, LedgerError, Month,
    focus::{ChargeRows, RowError},
};

use crate::{scoreboards::Individuals, state::Api};

/// Rows are handed over in batches of so many: each costs a turn of two threads.
const BATCH: usize = 256;
/// How many batches are read before they are written.
const BATCHES_AHEAD_MAX: usize = 4;

/// What is handed over at once.
type Batch = Vec<Result<ChargeRow, RowError>>;

/// The charges of a month's statements, as they are computed or were sealed, without the names
/// of teams that a reader may not see. They are read as the file is written, a few batches ahead
/// of it.
///
/// # Errors
/// 503 while the warehouse is not open.
pub(super) fn of_month(
    api: &Api,
    month: Month,
    individuals: Individuals,
) -> Result<impl ChargeRows + Send + 'static, Problem> {
    let (plane, snapshot) = (api.state.gateway.plane(), api.state.store.snapshot());
    let warehouse = api.state.warehouse.require()?;
    let (sender, receiver) = sync_channel::<Batch>(BATCHES_AHEAD_MAX);
    tokio::task::spawn_blocking(move || {
        let ledger = Ledger { snapshot: &snapshot, prices: plane.prices(), warehouse: &warehouse };
        let gone = |_| LedgerError::Refused("the reader has gone".to_owned());
        let mut batch = Batch::new();
        let read = ledger.rows(month, &mut |mut row| {
            individuals.hide_team(&mut row.team);
            batch.push(Ok(row));
            match batch.len() < BATCH {
                true => Ok(()),
                false => sender.send(std::mem::take(&mut batch)).map_err(gone),
            }
        });
        if let Err(error) = read {
            batch.push(Err(Box::new(error)));
        }
        let _ = sender.send(batch);
    });
    Ok(receiver.into_iter().flatten())
}
