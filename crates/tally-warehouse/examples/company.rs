//! Fills a warehouse with a large company's seasons, for `tests/insight`:
//! `company WAREHOUSE ZONE PEOPLE OF_A_TEAM [FROM UNTIL EVENTS]…`
#![allow(clippy::unwrap_used, reason = "a preparation: it stops at the first error")]

use std::path::Path;

use tally_types::{TimeZone, Weekday};
use tally_warehouse::{
    Options, Warehouse,
    synthetic::{Seasons, Stretch, load_seasons},
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, zone, people, of_a_team, stretches @ ..] = arguments.as_slice() else {
        panic!("company WAREHOUSE ZONE PEOPLE OF_A_TEAM [FROM UNTIL EVENTS]…")
    };
    let stretch = |of: &[String]| Stretch {
        from: of[0].parse().unwrap(),
        until: of[1].parse().unwrap(),
        events: of[2].parse().unwrap(),
    };
    let wanted = Seasons {
        people: people.parse().unwrap(),
        of_a_team: of_a_team.parse().unwrap(),
        stretches: stretches.chunks_exact(3).map(stretch).collect(),
        seed: 7,
    };
    let options = Options {
        memory_limit_bytes: 4 << 30,
        threads: 2,
        time_zone: TimeZone::get(zone).unwrap(),
        week_starts: Weekday::Monday,
    };
    let warehouse = Warehouse::open(Path::new(path), &options).unwrap();
    load_seasons(&warehouse, &wanted).unwrap();
    warehouse.checkpoint().unwrap();
}
