//! Closing a month, and holding it against its seal.
//!
//! The warehouse is written first, in batches; the month counts as closed only once the
//! store holds its seal. A crash in between leaves what the next attempt forgets.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use sha2::{Digest as _, Sha256};
use tally_types::{
    CostCenterName, Timestamp,
    spec::{SealedAdjustment, StatementSeal},
};
use tally_warehouse::{KeptRow, Posting, Warehouse};

use super::{Closing, Ledger, Verified, read};
use crate::{ChargeRow, LedgerError, Made, Month, StatementHead, StatementState, Totals};

/// So many postings or rows are written in one transaction: what fills a group of rows goes
/// into DuckDB's file at once, less goes through its log first.
const BATCH: usize = 122_880;
/// What is said of a month whose writer has gone.
const STOPPED: &str = "the month could not be written: try again";
/// So many batches wait while one is written; who makes them waits then.
const BATCHES_AHEAD_MAX: usize = 1;

/// A statement's seal as it grows.
#[derive(Default)]
struct Growing {
    hash: Sha256,
    rows: u64,
    totals: Totals,
}

/// The statements of a month by their cost centers.
type Seals = BTreeMap<Option<String>, Growing>;

/// What is written at once.
#[derive(Default)]
struct Batch {
    postings: Vec<Posting>,
    rows: Vec<KeptRow>,
}

/// What a month makes on its way to the writer, with the seals that grow meanwhile.
struct Sealing {
    writer: SyncSender<Batch>,
    batch: Batch,
    posted: u64,
    seals: Seals,
}

// === impl Ledger ===

impl Ledger<'_> {
    /// Whether a month can be closed now; a month is closed once, when it is over, and after
    /// the one before it.
    ///
    /// # Errors
    /// `Refused`, with what is in the way.
    pub fn may_close(&self, month: Month, now: Timestamp) -> Result<(), LedgerError> {
        let refused = |why: String| Err(LedgerError::Refused(why));
        let (_, end) = month.bounds(&self.snapshot.organization.zone())?;
        if self.state(month) == StatementState::Closed {
            return refused(format!(
                "{month} is closed: what comes now is corrected in the next month"
            ));
        }
        if now < end {
            return refused(format!("{month} is not over: it can be closed from {end} on"));
        }
        if let Some((_, last)) = self.closed()
            && last.next()? != month
        {
            let next = last.next()?;
            return refused(format!("months are closed in their order: the next one is {next}"));
        }
        let open = self.period(month).map_or(0, tally_types::spec::PeriodSpec::open_disputes);
        if open > 0 {
            return refused(match open {
                1 => "1 dispute is not settled: settle it first".to_owned(),
                open => format!("{open} disputes are not settled: settle them first"),
            });
        }
        Ok(())
    }

    /// Computes a month and writes its postings and rows. It is closed once the seal that
    /// this gives is in the store.
    ///
    /// # Errors
    /// As [`may_close`](Self::may_close); the warehouse failed.
    pub fn close(&self, month: Month, now: Timestamp) -> Result<Closing, LedgerError> {
        self.may_close(month, now)?;
        let period = month.number();
        self.warehouse.forget_unsealed(period)?;
        let (sender, batches) = sync_channel(BATCHES_AHEAD_MAX);
        let warehouse = self.warehouse;
        // A batch is written while the next one is made.
        let made = thread::scope(|scope| {
            let writing = scope.spawn(move || write(warehouse, period, &batches));
            let made = self.made(month, sender);
            // Why nothing more was taken comes before that nothing more was taken.
            writing.join().map_err(|_| LedgerError::Refused(STOPPED.to_owned()))??;
            made
        });
        let (posted, seals, adjustments) = made?;
        let seal = |(name, growing): (Option<String>, Growing)| {
            // What stands above the rows is sealed, too: cards and owners change later.
            let head = self.head(month, name.clone(), growing.totals);
            growing.finish(name, head)
        };
        let statements = seals.into_iter().map(seal).collect();
        Ok(Closing { postings: posted, statements, adjustments })
    }

    fn made(
        &self,
        month: Month,
        writer: SyncSender<Batch>,
    ) -> Result<(u64, Seals, Vec<SealedAdjustment>), LedgerError> {
        let (batch, posted, seals) = Default::default();
        let mut sealing = Sealing { writer, batch, posted, seals };
        let mut take = |made| sealing.take(month, made);
        let adjustments = self.compute(month, self.rates(), true, &mut take)?;
        sealing.flush()?;
        // The writer ends when nobody can send to it any more.
        let Sealing { posted, seals, .. } = sealing;
        Ok((posted, seals, adjustments))
    }

    /// Holds what is kept of a closed month against its seal.
    ///
    /// # Errors
    /// `Refused` for a month that is not closed; the warehouse failed.
    pub fn verify(&self, month: Month) -> Result<Verified, LedgerError> {
        let Some(seal) = self.period(month).and_then(|period| period.seal.as_ref()) else {
            let why = format!("{month} is not closed, so there is no seal to hold it against");
            return Err(LedgerError::Refused(why));
        };
        let mut kept: BTreeMap<Option<String>, Growing> = BTreeMap::new();
        self.warehouse.kept_rows(month.number(), None, &mut |name, json| {
            let growing = kept.entry(name.map(str::to_owned)).or_default();
            growing.add(&read::row(month, json)?, json);
            Ok::<_, LedgerError>(())
        })?;
        // The head is that of the seal itself; rows and sums are what is held against it.
        let kept: BTreeMap<Option<CostCenterName>, StatementSeal> = kept
            .into_iter()
            .map(|(name, growing)| {
                let head = self.head(month, name.clone(), growing.totals);
                growing.finish(name, head)
            })
            .map(|seal| (seal.cost_center.clone(), seal))
            .collect();
        let mut differences = Vec::new();
        for sealed in &seal.statements {
            let name = name_of(sealed);
            match kept.get(&sealed.cost_center) {
                None => differences.push(format!("{name}: its rows are gone")),
                Some(found) if found.sha256 != sealed.sha256 => {
                    differences.push(format!("{name}: its rows are not those that were sealed"));
                }
                Some(found) if found != sealed => {
                    differences.push(format!("{name}: its sums are not those that were sealed"));
                }
                Some(_) => {}
            }
        }
        let is_sealed = |name: &Option<CostCenterName>| {
            seal.statements.iter().any(|it| it.cost_center == *name)
        };
        for (_, unsealed) in kept.iter().filter(|(name, _)| !is_sealed(name)) {
            differences.push(format!("{}: it was not sealed", name_of(unsealed)));
        }
        let posted = self.warehouse.posted_sum(month.number())?;
        let sum = |of: fn(&StatementSeal) -> i128| seal.statements.iter().map(of).sum::<i128>();
        if posted.postings != seal.postings
            || posted.list != sum(|it| it.list_usd.pico())
            || posted.amount != sum(|it| it.amount_usd.pico())
            || posted.charged != sum(|it| it.charged_usd.pico())
            || posted.subsidised != sum(|it| it.subsidised_usd.pico())
            || posted.unallocated != sum(|it| it.unallocated_usd.pico())
        {
            differences.push("the postings do not add up to the statements".to_owned());
        }
        Ok(Verified { period: month, statements: seal.statements.len(), differences })
    }
}

fn name_of(seal: &StatementSeal) -> String {
    seal.cost_center.as_ref().map_or_else(|| "without cost center".to_owned(), ToString::to_string)
}

fn write(warehouse: &Warehouse, period: u32, batches: &Receiver<Batch>) -> Result<(), LedgerError> {
    let post = |batch: Batch| warehouse.post(period, &batch.postings, &batch.rows);
    Ok(batches.iter().try_for_each(post)?)
}

// === impl Sealing ===

impl Sealing {
    fn take(&mut self, month: Month, made: Made) -> Result<(), LedgerError> {
        match made {
            Made::Posting(posting) => {
                if !posting.is_balanced() {
                    let what = format!("a posting of {month}");
                    return Err(LedgerError::Unreadable(what, "it does not balance".to_owned()));
                }
                self.batch.postings.push(posting);
            }
            Made::Row(row) => {
                let json = serde_json::to_string(&row).map_err(|error| {
                    LedgerError::Unreadable(format!("a row of {month}"), error.to_string())
                })?;
                let cost_center = row.cost_center.as_ref().map(ToString::to_string);
                let seal = self.seals.entry(cost_center.clone()).or_default();
                let number = seal.rows;
                seal.add(&row, &json);
                self.batch.rows.push(KeptRow { cost_center, number, json });
            }
        }
        if self.batch.postings.len() >= BATCH || self.batch.rows.len() >= BATCH {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LedgerError> {
        let batch = std::mem::take(&mut self.batch);
        self.posted += batch.postings.len() as u64;
        self.writer.send(batch).map_err(|_| LedgerError::Refused(STOPPED.to_owned()))
    }
}

// === impl Growing ===

impl Growing {
    fn add(&mut self, row: &ChargeRow, json: &str) {
        self.hash.update(json.as_bytes());
        self.hash.update(b"\n");
        self.rows += 1;
        self.totals.add(row);
    }

    fn finish(self, name: Option<String>, head: StatementHead) -> StatementSeal {
        StatementSeal {
            owner: head.owner,
            chargeback: head.chargeback,
            rate_card: head.rate_card,
            currency: head.billed.currency,
            per_usd: head.billed.per_usd,
            per_usd_since: head.billed.per_usd_since,
            billed: head.billed.charged,
            cost_center: name.and_then(|name| name.parse().ok()),
            sha256: hex::encode(self.hash.finalize()),
            rows: self.rows,
            list_usd: self.totals.list_usd,
            amount_usd: self.totals.amount_usd,
            charged_usd: self.totals.charged_usd,
            subsidised_usd: self.totals.subsidised_usd,
            unallocated_usd: self.totals.unallocated_usd,
        }
    }
}
