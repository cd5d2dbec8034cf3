//! The warehouse: one writer, several readers, one file.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use duckdb::{Config, Connection};
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard, RwLock};
use tally_types::{NodeId, Record, Source, TimeZone, Weekday};

use crate::{
    error::{QueryError, WarehouseError},
    ledger,
    query::{self, Query, QueryResult},
    rollup, schema,
    store::{self, WriteReport},
    zone::Calendar,
};

/// How large the write-ahead log grows before it is moved into the file.
const CHECKPOINT_THRESHOLD: &str = "128MiB";
/// Idle readers kept for the next query.
const IDLE_READERS: usize = 8;

/// How the warehouse uses the machine and reads the calendar.
#[derive(Debug, Clone)]
pub struct Options {
    /// What DuckDB may use, in bytes; beyond it, it spills to disk.
    pub memory_limit_bytes: u64,
    /// How many threads DuckDB may use.
    pub threads: usize,
    /// The organisation's time zone.
    pub time_zone: TimeZone,
    /// The organisation's first day of the week.
    pub week_starts: Weekday,
}

/// Usage events and outcomes on DuckDB. Methods block; call them off the async runtime.
pub struct Warehouse {
    writer: Mutex<Connection>,
    /// New readers are cloned from this one, so that they never wait for the writer.
    template: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    calendar: RwLock<Calendar>,
    simulated: AtomicBool,
    cache: query::Cache,
}

impl std::fmt::Debug for Warehouse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Warehouse").finish_non_exhaustive()
    }
}

// === impl Warehouse ===

impl Warehouse {
    /// Opens the file, creating it when there is none. When the time zone is
    /// another than at the last time, [`Self::compact`] builds the rollups by local day anew.
    ///
    /// # Errors
    /// When the file was written by a newer Tally, is locked by another process,
    /// or DuckDB cannot read it.
    pub fn open(path: &Path, options: &Options) -> Result<Self, WarehouseError> {
        let config = config(Config::default(), options)?;
        Self::with(Connection::open_with_flags(path, config)?, options)
    }

    /// Opens a warehouse that ends with the process.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn open_in_memory(options: &Options) -> Result<Self, WarehouseError> {
        // Else every such warehouse spills into the same files of the working folder.
        let spilling = Config::default().with("temp_directory", spill_folder())?;
        let config = config(spilling, options)?;
        Self::with(Connection::open_in_memory_with_flags(config)?, options)
    }

    fn with(writer: Connection, options: &Options) -> Result<Self, WarehouseError> {
        let version = schema::prepare(&writer)?;
        ledger::prepare(&writer)?;
        let calendar =
            Calendar { zone: options.time_zone.clone(), week_starts: options.week_starts };
        let simulated = store::has_simulated(&writer)?;
        let warehouse = Self {
            simulated: AtomicBool::new(simulated),
            cache: query::Cache::default(),
            template: Mutex::new(writer.try_clone()?),
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
            calendar: RwLock::new(calendar.clone()),
        };
        warehouse.upgrade(version)?;
        warehouse.adopt_zone(&calendar)?;
        Ok(warehouse)
    }

    fn upgrade(&self, version: i64) -> Result<(), WarehouseError> {
        if version == schema::VERSION {
            return Ok(());
        }
        let known = schema::VERSION;
        tracing::info!("bringing the warehouse from schema version {version} to {known}");
        self.in_transaction(|connection, calendar| schema::upgrade(connection, calendar, version))?;
        tracing::info!("the warehouse has schema version {known}");
        Ok(())
    }

    /// The last sequence stored for a node; 0 before its first batch.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn last_sequence(&self, node: NodeId) -> Result<u64, WarehouseError> {
        self.read(|connection, _| store::last_sequence(connection, node))
    }

    /// Stores a batch in one transaction: everything or nothing. Sequences that
    /// were stored before are skipped; of the same id the highest revision is kept,
    /// whichever node it came from. An empty batch changes nothing.
    ///
    /// To load much, write batches of some 10,000 records ordered by time, then call
    /// [`Self::compact`]: a batch costs some milliseconds whatever is in it, and what
    /// a batch holds is in memory twice until it is committed.
    ///
    /// # Errors
    /// When DuckDB fails; nothing is stored then, and the batch can be sent again.
    pub fn write(
        &self,
        node: NodeId,
        batch: &[(u64, Record)],
    ) -> Result<WriteReport, WarehouseError> {
        let report = self.in_transaction(|connection, calendar| {
            store::write(connection, calendar, node, batch)
        })?;
        let made = |record: &Record| matches!(record, Record::Usage(event) if event.source == Source::Simulated);
        if batch.iter().any(|(_, record)| made(record)) {
            self.simulated.store(true, Ordering::Relaxed);
        }
        Ok(report)
    }

    /// Answers a query; `now` resolves named ranges.
    ///
    /// # Errors
    /// When the query is wrong, has too many groups, or DuckDB fails.
    pub fn query(&self, query: &Query, now: Timestamp) -> Result<QueryResult, QueryError> {
        self.answer(query, now, true)
    }

    /// Answers from the events alone, slowly: to check the rollups.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub fn query_events_only(
        &self,
        query: &Query,
        now: Timestamp,
    ) -> Result<QueryResult, QueryError> {
        self.answer(query, now, false)
    }

    fn answer(
        &self,
        query: &Query,
        now: Timestamp,
        rollups: bool,
    ) -> Result<QueryResult, QueryError> {
        self.read(|connection, calendar| {
            let cache = &self.cache;
            query::answer(&query::Context { connection, calendar, now, rollups, cache }, query)
        })
    }

    /// Whether any event was made by the demo, so that every number can be marked as such.
    pub fn has_simulated(&self) -> bool {
        self.simulated.load(Ordering::Relaxed)
    }

    /// Brings the rollups up to date with the quarter-hours and local days that
    /// ended by now, and with the beginning of the day that goes on; answers stay the same and get faster. Call it every minute or
    /// so. Writers get a turn between buckets. Returns how many stretches were built.
    ///
    /// # Errors
    /// When DuckDB fails; what was built before stays.
    pub fn compact(&self, now: Timestamp) -> Result<usize, WarehouseError> {
        let until = now.as_microsecond();
        let runs = self.read(|connection, _| rollup::dirty_runs(connection, until))?;
        for run in &runs {
            self.in_transaction(|connection, calendar| {
                rollup::compact_quarters(connection, calendar, *run)
            })?;
        }
        let days =
            self.read(|connection, calendar| rollup::closed_days(connection, calendar, now))?;
        for day in &days {
            self.in_transaction(|connection, calendar| {
                rollup::compact_day(connection, calendar, *day)
            })?;
        }
        let open = self.read(|connection, calendar| rollup::open_due(connection, calendar, now))?;
        if let Some(open) = open {
            self.in_transaction(|connection, calendar| {
                rollup::build_open(connection, calendar, open)
            })?;
        }
        Ok(runs.len() + days.len() + usize::from(open.is_some()))
    }

    /// Changes the organisation's calendar. The rollups by local day of another zone are built by [`Self::compact`], day
    /// by day, as all of them together need not fit in memory; answers are exact before, too.
    ///
    /// # Errors
    /// When DuckDB fails; nothing is changed then.
    pub fn set_time_zone(
        &self,
        time_zone: TimeZone,
        week_starts: Weekday,
    ) -> Result<(), WarehouseError> {
        self.adopt_zone(&Calendar { zone: time_zone, week_starts })
    }

    /// Moves everything written so far from the write-ahead log into the file.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn checkpoint(&self) -> Result<(), WarehouseError> {
        Ok(self.writer.lock().execute_batch("CHECKPOINT")?)
    }

    /// Switches to a calendar while no query runs, so that none reads days of another zone.
    fn adopt_zone(&self, calendar: &Calendar) -> Result<(), WarehouseError> {
        let writer = self.writer.lock();
        let mut current = self.calendar.write();
        let name = calendar.zone_name();
        if schema::read_meta(&writer, schema::ZONE_KEY)?.as_deref() != Some(&name) {
            let transaction = writer.unchecked_transaction()?;
            rollup::forget_days(&transaction, calendar)?;
            schema::write_meta(&transaction, schema::ZONE_KEY, &name)?;
            transaction.commit()?;
        }
        *current = calendar.clone();
        Ok(())
    }

    /// Runs on the writer, outside any transaction.
    pub(crate) fn on_writer<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, WarehouseError>,
    ) -> Result<T, WarehouseError> {
        work(&self.writer.lock())
    }

    /// Runs on the writer in a transaction that is rolled back on any error.
    pub(crate) fn in_transaction<T>(
        &self,
        work: impl FnOnce(&Connection, &Calendar) -> Result<T, WarehouseError>,
    ) -> Result<T, WarehouseError> {
        let writer: MutexGuard<'_, Connection> = self.writer.lock();
        // The writer's lock keeps the zone as it is; queries go on meanwhile.
        let calendar = self.calendar.read().clone();
        let transaction = writer.unchecked_transaction()?;
        let done = work(&transaction, &calendar)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Runs on a reader in a transaction, so that all parts of an answer see the same rows.
    pub(crate) fn read<T, E: From<duckdb::Error>>(
        &self,
        work: impl FnOnce(&Connection, &Calendar) -> Result<T, E>,
    ) -> Result<T, E> {
        let calendar = self.calendar.read();
        let idle = self.readers.lock().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.template.lock().try_clone()?,
        };
        let done = {
            let transaction = reader.unchecked_transaction()?;
            work(&transaction, &calendar)?
        };
        // A reader that failed is dropped on the way out: its state is not known.
        let mut idle = self.readers.lock();
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
        Ok(done)
    }
}

/// A folder of its own for each warehouse without a file; DuckDB makes it when it needs
/// it, and removes it.
fn spill_folder() -> String {
    static WAREHOUSES: AtomicU64 = AtomicU64::new(0);
    let number = WAREHOUSES.fetch_add(1, Ordering::Relaxed);
    let name = format!("tally-warehouse-{}-{number}", std::process::id());
    std::env::temp_dir().join(name).display().to_string()
}

/// Access to files is closed last: nothing can be set about them afterwards.
fn config(base: Config, options: &Options) -> Result<Config, duckdb::Error> {
    let threads = i64::try_from(options.threads.max(1)).unwrap_or(i64::MAX);
    base.max_memory(&format!("{}KiB", (options.memory_limit_bytes / 1024).max(1)))?
        .threads(threads)?
        .with("autoinstall_known_extensions", "false")?
        .with("autoload_known_extensions", "false")?
        .with("preserve_insertion_order", "false")?
        .with("checkpoint_threshold", CHECKPOINT_THRESHOLD)?
        .enable_external_access(false)
}
