//! Rows of closed statements that an earlier build kept one by one.

#![allow(clippy::unwrap_used)]

mod common;

use duckdb::Connection;
use tally_warehouse::{KeptRows, Warehouse, WarehouseError};

fn open(path: &std::path::Path) -> Warehouse {
    Warehouse::open(path, &common::options("UTC")).unwrap()
}

fn kept(warehouse: &Warehouse, center: Option<&str>) -> Vec<(Option<String>, String)> {
    let mut kept = Vec::new();
    warehouse
        .kept_rows(202_610, center, &mut |name, json| {
            kept.push((name.map(str::to_owned), json.to_owned()));
            Ok::<_, WarehouseError>(())
        })
        .unwrap();
    kept
}

#[test]
fn rows_of_an_earlier_build_are_read_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.duckdb");
    drop(open(&path));
    {
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                r#"CREATE TABLE statement_rows (period UINTEGER NOT NULL, cost_center VARCHAR,
                     number UBIGINT NOT NULL, json VARCHAR NOT NULL);
                   INSERT INTO statement_rows
                     SELECT 202610, 'cc-a', 2500 - 1 - i, '{"row":' || (2500 - 1 - i) || '}'
                     FROM range(2500) t(i);
                   INSERT INTO statement_rows VALUES (202610, NULL, 0, '{"row":"nobody''s"}'),
                     (202609, 'cc-a', 0, '{"row":"of the month before"}');"#,
            )
            .unwrap();
    }
    let warehouse = open(&path);
    let of_a: Vec<_> =
        (0..2_500).map(|row| (Some("cc-a".to_owned()), format!("{{\"row\":{row}}}"))).collect();
    let of_nobody = vec![(None, r#"{"row":"nobody's"}"#.to_owned())];
    assert_eq!(kept(&warehouse, Some("cc-a")), of_a);
    assert_eq!(kept(&warehouse, Some("")), of_nobody);
    assert_eq!(kept(&warehouse, None), [of_a, of_nobody].concat());

    // Opened again, nothing is done twice, and what is closed now comes behind.
    drop(warehouse);
    let warehouse = open(&path);
    let more = KeptRows { cost_center: None, number: 1, lines: "{}\n{\"b\":\"ü\"}\n".to_owned() };
    warehouse.post(202_610, &[], &[more]).unwrap();
    let rows: Vec<String> = kept(&warehouse, Some("")).into_iter().map(|(_, json)| json).collect();
    assert_eq!(rows, [r#"{"row":"nobody's"}"#, "{}", r#"{"b":"ü"}"#]);
    assert_eq!(kept(&warehouse, Some("cc-a")).len(), 2_500);
}
