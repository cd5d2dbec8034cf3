//! Closing a month, and holding it against its seal.
//!
//! The warehouse is written first, in batches; the month counts as closed only once the
//! store holds its seal. A crash in between leaves what the next attempt forgets.

use std::{
    collections::BTreeMap,
    mem,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use sha2::{Digest as _, Sha256};
use tally_types::{
    CostCenterName, Timestamp,
    spec::{SealedAdjustment, StatementSeal},
};
use tally_warehouse::{KeptRows, Posting, Warehouse};

use super::{Closing, Ledger, Verified, read};
use crate::{ChargeRow, LedgerError, Made, Month, StatementHead, StatementState, Totals};

/// So many postings are written in one transaction: what fills a group of rows goes into
/// DuckDB's file at once, less goes through its log first.
const POSTINGS: usize = 122_880;
/// So many bytes of rows are kept in one piece.
const PIECE_BYTES: usize = 256 << 10;
/// What is said of a month whose writer has gone.
const STOPPED: &str = "the month could not be written: try again";
/// What a month makes goes to the writer by so much…
const BATCH: usize = 4_096;
/// …and so many batches wait there; who makes them waits then.
const BATCHES_AHEAD_MAX: usize = 8;

/// A statement's seal as it grows.
#[derive(Default)]
struct Growing {
    hash: Sha256,
    rows: u64,
    totals: Totals,
}

/// The statements of a month by their cost centers.
type Seals = BTreeMap<Option<CostCenterName>, Growing>;

/// Seals and writes what a month makes.
struct Sealing<'a> {
    warehouse: &'a Warehouse,
    month: Month,
    /// What the next transaction writes.
    postings: Vec<Posting>,
    pieces: Vec<KeptRows>,
    /// The piece that still grows.
    piece: Option<KeptRows>,
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
        self.warehouse.forget_unsealed(month.number())?;
        let (sender, batches) = sync_channel(BATCHES_AHEAD_MAX);
        let warehouse = self.warehouse;
        // What is made is sealed and written while the next is made.
        let (adjustments, sealed) = thread::scope(|scope| {
            let writing = scope.spawn(move || Sealing::new(warehouse, month).all(&batches));
            let made = self.made(month, &sender);
            drop(sender);
            // Why nothing more was taken comes before that nothing more was taken.
            let sealed = writing.join().map_err(|_| LedgerError::Refused(STOPPED.to_owned()))??;
            Ok::<_, LedgerError>((made?, sealed))
        })?;
        let seal = |(name, growing): (Option<CostCenterName>, Growing)| {
            // What stands above the rows is sealed, too: cards and owners change later.
            let head = self.head(month, name.as_ref().map(ToString::to_string), growing.totals);
            growing.finish(name, head)
        };
        let statements = sealed.seals.into_iter().map(seal).collect();
        Ok(Closing { postings: sealed.posted, statements, adjustments })
    }

    fn made(
        &self,
        month: Month,
        writer: &SyncSender<Vec<Made>>,
    ) -> Result<Vec<SealedAdjustment>, LedgerError> {
        let stopped = |_| LedgerError::Refused(STOPPED.to_owned());
        let mut batch = Vec::with_capacity(BATCH);
        let adjustments = self.compute(month, self.rates(), true, &mut |made| {
            batch.push(made);
            if batch.len() < BATCH {
                return Ok(());
            }
            writer.send(mem::replace(&mut batch, Vec::with_capacity(BATCH))).map_err(stopped)
        })?;
        writer.send(batch).map_err(stopped)?;
        Ok(adjustments)
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
        let mut kept = Seals::new();
        self.warehouse.kept_rows(month.number(), None, &mut |name, json| {
            let row = read::row(month, json)?;
            // A row that lies in another's statement is in neither's seal.
            let is_own = |center: &CostCenterName| Some(center.as_str()) == name;
            let center = row.cost_center.clone().filter(is_own);
            kept.entry(center).or_default().add(&row, json);
            Ok::<_, LedgerError>(())
        })?;
        // The head is that of the seal itself; rows and sums are what is held against it.
        let kept: BTreeMap<Option<CostCenterName>, StatementSeal> = kept
            .into_iter()
            .map(|(name, growing)| {
                let head = self.head(month, name.as_ref().map(ToString::to_string), growing.totals);
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

// === impl Sealing ===

impl<'a> Sealing<'a> {
    fn new(warehouse: &'a Warehouse, month: Month) -> Self {
        let (postings, pieces, piece, posted, seals) = Default::default();
        Self { warehouse, month, postings, pieces, piece, posted, seals }
    }

    /// Takes what comes until nobody can send any more.
    fn all(mut self, batches: &Receiver<Vec<Made>>) -> Result<Self, LedgerError> {
        batches.iter().flatten().try_for_each(|made| self.take(made))?;
        self.pieces.extend(self.piece.take());
        self.write()?;
        Ok(self)
    }

    fn take(&mut self, made: Made) -> Result<(), LedgerError> {
        match made {
            Made::Row(row) => return self.row(&row),
            Made::Posting(posting) if posting.is_balanced() => self.postings.push(posting),
            Made::Posting(_) => {
                let what = format!("a posting of {}", self.month);
                return Err(LedgerError::Unreadable(what, "it does not balance".to_owned()));
            }
        }
        if self.postings.len() < POSTINGS { Ok(()) } else { self.write() }
    }

    fn row(&mut self, row: &ChargeRow) -> Result<(), LedgerError> {
        let json = serde_json::to_string(row).map_err(|error| {
            LedgerError::Unreadable(format!("a row of {}", self.month), error.to_string())
        })?;
        let seal = self.seals.entry(row.cost_center.clone()).or_default();
        let number = seal.rows;
        seal.add(row, &json);
        let fits = |piece: &KeptRows| {
            piece.cost_center == row.cost_center && piece.lines.len() < PIECE_BYTES
        };
        if !self.piece.as_ref().is_some_and(fits) {
            self.pieces.extend(self.piece.take());
        }
        let cost_center = &row.cost_center;
        let piece = self.piece.get_or_insert_with(|| KeptRows {
            cost_center: cost_center.clone(),
            number,
            lines: String::with_capacity(PIECE_BYTES + json.len()),
        });
        piece.lines.push_str(&json);
        piece.lines.push('\n');
        Ok(())
    }

    fn write(&mut self) -> Result<(), LedgerError> {
        self.warehouse.post(self.month.number(), &self.postings, &self.pieces)?;
        self.posted += self.postings.len() as u64;
        self.postings.clear();
        self.pieces.clear();
        Ok(())
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

    fn finish(self, name: Option<CostCenterName>, head: StatementHead) -> StatementSeal {
        StatementSeal {
            owner: head.owner,
            chargeback: head.chargeback,
            rate_card: head.rate_card,
            currency: head.billed.currency,
            per_usd: head.billed.per_usd,
            per_usd_since: head.billed.per_usd_since,
            billed: head.billed.charged,
            cost_center: name,
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
