//! FOCUS: the open format for cost and usage (<https://focus.finops.org>), versions 1.2 and 1.4.
//!
//! [`write()`] turns [`ChargeRow`]s into a file as they come: what it holds in memory does not
//! grow with how many there are. docs/focus.md says what each column holds, and why.
//!
//! Invariants:
//! - Every unit price × its quantity is its cost, exactly; no number is ever a float.
//! - The sum of `BilledCost` of an `InvoiceId` is what that statement charges.
//! - Units follow the meter, currencies and names the [`Issuer`]: nothing is a constant.

mod charge;
mod column;
mod csv;
mod decimal;
mod issuer;
mod parquet;
mod record;
mod unit;

#[cfg(test)]
mod tests;

use std::io;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::PicoUsdSum;

pub use issuer::{ExchangeRate, InvoiceOf, Issuer};

use crate::ChargeRow;
use charge::Sheet;
use record::Record;

/// Why a row could not be had.
pub type RowError = Box<dyn std::error::Error + Send + Sync>;

/// Rows as they come, each of which may fail: a statement's, or a whole month's.
pub trait ChargeRows: Iterator<Item = Result<ChargeRow, RowError>> {}

impl<I: Iterator<Item = Result<ChargeRow, RowError>>> ChargeRows for I {}

/// A version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FocusVersion")]
pub enum Version {
    /// May 2025; the one that the official validator knows.
    #[serde(rename = "1.2")]
    V1_2,
    /// June 2026.
    #[serde(rename = "1.4")]
    V1_4,
}

/// How the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FocusFormat")]
pub enum Format {
    /// Text, RFC 4180.
    Csv,
    /// Columns; decimals are `DECIMAL(38, n)`.
    Parquet,
}

/// How many rows a file got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Charges that were read.
    pub charges: u64,
    /// Rows that came of them.
    pub rows: u64,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum FocusError {
    /// A charge could not be read.
    #[error("a charge cannot be read: {0}")]
    Rows(#[source] RowError),
    /// An amount has no exact decimal of 38 digits.
    #[error("the charge for {meter} on {date} has an amount of more than 38 digits")]
    TooLarge {
        /// Of which meter.
        meter: String,
        /// Of which day.
        date: Date,
    },
    /// What is paid is not what is charged.
    #[error("the charge for {meter} on {date} is {amount} USD, but {paid} USD of it are paid for")]
    Unbalanced {
        /// Of which meter.
        meter: String,
        /// Of which day.
        date: Date,
        /// The charge.
        amount: PicoUsdSum,
        /// Its parts together.
        paid: PicoUsdSum,
    },
    /// A day has no midnight in the statement's time zone.
    #[error("{0} is no day of the organisation's time zone: {1}")]
    Day(Date, #[source] jiff::Error),
    /// The file cannot be written.
    #[error("the export cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The file's columns cannot be written.
    #[error("the Parquet file cannot be written: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}

/// Writes charges as a FOCUS file, each as soon as it is read.
///
/// # Errors
/// When a charge cannot be read, has an amount that no decimal holds, or `out` fails. What
/// was written by then is no whole file.
pub fn write<W: io::Write + Send>(
    rows: impl ChargeRows,
    issuer: &Issuer,
    version: Version,
    format: Format,
    out: W,
) -> Result<Written, FocusError> {
    match format {
        Format::Csv => pour(rows, issuer, csv::CsvFile::begin(version, out)?),
        Format::Parquet => pour(rows, issuer, parquet::ParquetFile::begin(version, issuer, out)?),
    }
}

/// A file that rows are added to.
trait File {
    fn add(&mut self, record: Record) -> Result<(), FocusError>;
    fn finish(self) -> Result<(), FocusError>;
}

fn pour(
    rows: impl ChargeRows,
    issuer: &Issuer,
    mut file: impl File,
) -> Result<Written, FocusError> {
    let sheet = Sheet::new(issuer)?;
    let mut written = Written::default();
    for row in rows {
        let row = row.map_err(FocusError::Rows)?;
        written.charges += 1;
        for record in sheet.records(&row)? {
            file.add(record)?;
            written.rows += 1;
        }
    }
    file.finish()?;
    Ok(written)
}

// === impl Version ===

impl Version {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_4 => "1.4",
        }
    }

    /// The names of its columns, in their order.
    pub fn columns(self) -> impl Iterator<Item = &'static str> {
        column::of(self).map(column::Column::name)
    }
}

impl std::str::FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::V1_2, Self::V1_4].into_iter().find(|version| version.as_str() == text).ok_or_else(
            || format!("`{text}` is no version of FOCUS that Tally writes; expected 1.2 or 1.4"),
        )
    }
}
