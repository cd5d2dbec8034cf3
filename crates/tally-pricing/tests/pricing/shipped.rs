//! The shipped list is sound.

use serde_json::json;
use tally_pricing::{SHIPPED_LIST, import::render, shipped};
use tally_types::{Kind, spec::PriceListSpec};

use crate::support::{self, now};

#[test]
fn it_says_where_it_comes_from() {
    let list = shipped().unwrap();
    assert_eq!(list.source, "litellm 1.109.1, model_prices_and_context_window");
    assert_eq!(list.as_of.to_string(), "2026-11-20");
    assert_eq!(list.precedence, 0);
    let catalog = support::shipped();
    let found = catalog.find("anthropic", "claude-opus-4-8", now()).unwrap();
    assert_eq!((found.list, &**found.version), (SHIPPED_LIST, "shipped@2026-11-20"));
}

#[test]
fn it_is_a_valid_resource_and_as_the_renderer_writes_it() {
    let list = shipped().unwrap();
    let value = serde_json::to_value(list).unwrap();
    tally_types::Spec::parse(Kind::PriceList, &value).unwrap();
    let text = include_str!("../../prices/list.json");
    assert_eq!(render(list).unwrap(), text, "made by hand? the snapshot example makes it");
}

#[test]
fn its_entries_are_sorted_and_none_stands_twice() {
    let list = shipped().unwrap();
    let names: Vec<_> = list.entries.iter().map(|entry| (&entry.provider, &entry.model)).collect();
    assert!(names.is_sorted_by(|a, b| a < b));
    let catalog = support::shipped();
    let found: Vec<_> =
        catalog.entries(now()).map(|found| (&found.entry.provider, &found.entry.model)).collect();
    assert_eq!(found, names);
}

#[test]
fn an_empty_list_is_rendered_as_json_too() {
    let list: PriceListSpec =
        serde_json::from_value(json!({"source": "a\"b", "as_of": "2026-01-01", "entries": []}))
            .unwrap();
    assert_eq!(serde_json::from_str::<PriceListSpec>(&render(&list).unwrap()).unwrap(), list);
}
