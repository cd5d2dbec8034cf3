//! Price lists indexed by provider and model.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tally_types::{
    Date, TimeZone, Timestamp,
    spec::{PriceEntry, PriceListSpec},
};

use crate::{
    gap::Gap,
    rates::{Card, HouseRates, Rates},
    sheet::Sheet,
    shipped::{SHIPPED_LIST, ShippedError, shipped},
};

/// Every price known, by provider, model and day. Immutable: built whole from
/// the lists and swapped whole when they change.
#[derive(Debug, Clone, Default)]
pub struct PriceCatalog {
    /// By provider, then model: where in `models`. Two levels, so that a lookup
    /// with borrowed names allocates nothing.
    index: HashMap<Box<str>, HashMap<Box<str>, usize>>,
    /// In order of provider and model; each with its entries, the one that
    /// counts first on a day before those it hides.
    models: Vec<Box<[Listed]>>,
    /// What the house makes of list prices.
    house: Option<HouseRates>,
}

/// A price and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The price as the list states it.
    pub entry: &'a PriceEntry,
    /// The list's name.
    pub list: &'a str,
    /// The version that goes on events: `<list>@<as_of>`, then `/<from>` when
    /// the entry begins on a day.
    pub version: &'a Arc<str>,
}

/// One entry of one list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) entry: PriceEntry,
    pub(crate) sheet: Sheet,
    pub(crate) version: Arc<str>,
    pub(crate) list: Arc<str>,
    precedence: i32,
    as_of: Date,
}

// === impl PriceCatalog ===

impl PriceCatalog {
    /// From price lists by name.
    ///
    /// Of several entries that price a model on the same day, the list with the
    /// higher precedence counts, then the later `as_of`, then the later `from`,
    /// then the list whose name sorts first, then the entry that stands first.
    /// An entry counts whole: what it leaves out is not taken from one it hides.
    pub fn build<'a>(lists: impl IntoIterator<Item = (&'a str, &'a PriceListSpec)>) -> Self {
        let mut by_model: BTreeMap<(&str, &str), Vec<Listed>> = BTreeMap::new();
        for (name, list) in lists {
            let name: Arc<str> = name.into();
            let version: Arc<str> = format!("{name}@{}", list.as_of).into();
            for entry in &list.entries {
                let listed = Listed::new(&name, &version, list, entry);
                by_model.entry((&entry.provider, &entry.model)).or_default().push(listed);
            }
        }
        let mut catalog = Self::default();
        for ((provider, model), mut entries) in by_model {
            entries.sort_by(|a, b| a.rank().cmp(&b.rank()));
            let position = catalog.models.len();
            catalog.index.entry(provider.into()).or_default().insert(model.into(), position);
            catalog.models.push(entries.into());
        }
        catalog
    }

    /// The shipped list, named [`SHIPPED_LIST`], and others.
    ///
    /// # Errors
    /// When the shipped list cannot be read; a test makes sure it can.
    pub fn with_shipped<'a>(
        others: impl IntoIterator<Item = (&'a str, &'a PriceListSpec)>,
    ) -> Result<Self, ShippedError> {
        let shipped = shipped()?;
        Ok(Self::build(std::iter::once((SHIPPED_LIST, shipped)).chain(others)))
    }

    /// With the house's rate cards, whose days are those of a zone: events have an internal cost by
    /// them.
    #[must_use]
    pub fn with_rates(self, rates: &Rates<'_>, zone: TimeZone) -> Self {
        Self { house: Some(HouseRates::new(rates, zone)), ..self }
    }

    /// The rate card that holds at a time.
    pub(crate) fn card_at(&self, time: Timestamp) -> Option<Card<'_>> {
        self.house.as_ref()?.at(time)
    }

    /// The price that counts for a model at a time (by its day in UTC).
    pub fn find(&self, provider: &str, model: &str, at: Timestamp) -> Option<Found<'_>> {
        self.listed(provider, model, at).ok().map(Listed::found)
    }

    /// Every price that counts at a time, in order of provider and model.
    pub fn entries(&self, at: Timestamp) -> impl Iterator<Item = Found<'_>> {
        let day = utc_day(at);
        self.models
            .iter()
            .filter_map(move |entries| entries.iter().find(|listed| listed.holds_on(day)))
            .map(Listed::found)
    }

    pub(crate) fn listed(
        &self,
        provider: &str,
        model: &str,
        at: Timestamp,
    ) -> Result<&Listed, Gap<'static>> {
        let position = self.index.get(provider).and_then(|models| models.get(model));
        let entries = position.and_then(|position| self.models.get(*position)).ok_or(Gap::Model)?;
        let day = utc_day(at);
        entries.iter().find(|listed| listed.holds_on(day)).ok_or(Gap::Day(day))
    }
}

fn utc_day(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

// === impl Listed ===

impl Listed {
    fn new(name: &Arc<str>, version: &Arc<str>, list: &PriceListSpec, entry: &PriceEntry) -> Self {
        Self {
            entry: entry.clone(),
            sheet: Sheet::new(&entry.rates),
            version: match entry.from {
                Some(from) => format!("{version}/{from}").into(),
                None => Arc::clone(version),
            },
            list: Arc::clone(name),
            precedence: list.precedence,
            as_of: list.as_of,
        }
    }

    /// Sorts what counts first to the front.
    fn rank(&self) -> impl Ord + '_ {
        let newest_first = Reverse((self.precedence, self.as_of, self.entry.from));
        (newest_first, &self.list)
    }

    fn holds_on(&self, day: Date) -> bool {
        self.entry.from.is_none_or(|from| from <= day)
            && self.entry.until.is_none_or(|until| day < until)
    }

    fn found(&self) -> Found<'_> {
        Found { entry: &self.entry, list: &self.list, version: &self.version }
    }
}
