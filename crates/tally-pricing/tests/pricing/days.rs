//! Which of several prices counts on a day.

use tally_pricing::{Price, PriceCatalog};
use tally_types::{
    Timestamp, Tokens,
    spec::{PriceEntry, RateSet},
};

use crate::support::{Call, entry, list, now, rate};

fn priced(usd_per_million: &str, from: Option<&str>, until: Option<&str>) -> PriceEntry {
    let set = RateSet { input: rate(usd_per_million), ..RateSet::default() };
    PriceEntry {
        from: from.map(|day| day.parse().unwrap()),
        until: until.map(|day| day.parse().unwrap()),
        ..entry("m", vec![set])
    }
}

fn at(catalog: &PriceCatalog, at: &str) -> Option<(String, String)> {
    let tokens = Tokens { input_uncached: 1_000_000, ..Tokens::default() };
    let call = Call { at: at.parse().unwrap(), ..Call::new("acme", "m", tokens) };
    match call.price(catalog) {
        Price::Known { cost, version } => Some((cost.to_string(), version.to_string())),
        Price::Unknown { .. } => None,
    }
}

fn known(cost: &str, version: &str) -> Option<(String, String)> {
    Some((cost.to_owned(), version.to_owned()))
}

#[test]
fn a_price_holds_from_its_first_day_to_the_day_before_its_end_in_utc() {
    let entries = vec![
        priced("1", None, Some("2026-01-01")),
        priced("2", Some("2026-01-01"), Some("2026-06-01")),
        priced("3", Some("2026-07-01"), None),
    ];
    let catalog = PriceCatalog::build([("acme-list", &list("2026-11-20", 0, entries))]);
    assert_eq!(at(&catalog, "1970-01-01T00:00:00Z"), known("1", "acme-list@2026-11-20"));
    assert_eq!(at(&catalog, "2025-12-31T23:59:59.999Z"), known("1", "acme-list@2026-11-20"));
    let second = known("2", "acme-list@2026-11-20/2026-01-01");
    assert_eq!(at(&catalog, "2026-01-01T00:00:00Z"), second);
    assert_eq!(at(&catalog, "2026-01-01T00:30:00+01:00"), known("1", "acme-list@2026-11-20"));
    assert_eq!(at(&catalog, "2026-05-31T23:59:59Z"), second);
    assert_eq!(at(&catalog, "2026-06-01T00:00:00Z"), None, "a gap between two prices");
    assert_eq!(at(&catalog, "2026-07-01T00:00:00Z"), known("3", "acme-list@2026-11-20/2026-07-01"));
    for edge in [Timestamp::MIN, Timestamp::MAX] {
        assert!(catalog.find("acme", "m", edge).is_some());
    }
}

#[test]
fn precedence_counts_before_as_of_before_from_before_the_name() {
    let winner = |lists: &[(&str, &str, i32, Option<&str>)]| {
        let lists: Vec<_> = lists
            .iter()
            .map(|(name, as_of, precedence, from)| {
                (*name, list(as_of, *precedence, vec![priced("1", *from, None)]))
            })
            .collect();
        let catalog = PriceCatalog::build(lists.iter().map(|(name, list)| (*name, list)));
        let found = catalog.find("acme", "m", now()).unwrap();
        assert_eq!(catalog.entries(now()).count(), 1);
        found.list.to_owned()
    };
    let old_but_chosen = ("chosen", "2020-01-01", 1, None);
    let newest = ("newest", "2026-11-20", 0, None);
    let older = ("older", "2026-11-19", 0, Some("2026-11-19"));
    assert_eq!(winner(&[newest, old_but_chosen, older]), "chosen");
    assert_eq!(winner(&[older, newest]), "newest");
    let dated = ("dated", "2026-11-20", 0, Some("2026-01-01"));
    assert_eq!(winner(&[newest, dated]), "dated");
    let twin = ("another", "2026-11-20", 0, None);
    assert_eq!(winner(&[newest, twin]), "another");
    assert_eq!(winner(&[twin, newest]), "another", "the order of the lists says nothing");
}

#[test]
fn a_hidden_price_counts_again_when_the_one_above_it_ends() {
    let above = list("2026-01-01", 5, vec![priced("1", Some("2026-02-01"), Some("2026-03-01"))]);
    let below = list("2026-01-01", 0, vec![priced("2", None, None)]);
    let catalog = PriceCatalog::build([("below", &below), ("above", &above)]);
    assert_eq!(at(&catalog, "2026-01-31T00:00:00Z"), known("2", "below@2026-01-01"));
    assert_eq!(at(&catalog, "2026-02-01T00:00:00Z"), known("1", "above@2026-01-01/2026-02-01"));
    assert_eq!(at(&catalog, "2026-03-01T00:00:00Z"), known("2", "below@2026-01-01"));
}

#[test]
fn an_entry_counts_whole() {
    let tokens = Tokens { output: 1, ..Tokens::default() };
    let above = list("2026-01-01", 1, vec![priced("1", None, None)]);
    let full = RateSet { input: rate("2"), output: rate("2"), ..RateSet::default() };
    let below = list("2026-01-01", 0, vec![entry("m", vec![full])]);
    let catalog = PriceCatalog::build([("below", &below), ("above", &above)]);
    let gap = Call::new("acme", "m", tokens).gap(&catalog);
    assert!(gap.contains("(above@2026-01-01): no price for output tokens"), "{gap}");
}
