//! Fills a warehouse with a large company's seasons, for `tests/insight`:
//! `company WAREHOUSE ZONE PEOPLE OF_A_TEAM [FROM UNTIL EVENTS]…`
use std::{error::Error, path::Path};

use tally_types::{TimeZone, Weekday};
use tally_warehouse::{
    Options, Warehouse,
    synthetic::{Seasons, Stretch, load_seasons},
};

const USAGE: &str = "company WAREHOUSE ZONE PEOPLE OF_A_TEAM [FROM UNTIL EVENTS]…";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, zone, people, of_a_team, stretches @ ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let wanted = Seasons {
        people: people.parse()?,
        of_a_team: of_a_team.parse()?,
        stretches: stretches.chunks(3).map(stretch).collect::<Result<_, _>>()?,
        seed: 7,
    };
    let options = Options {
        memory_limit_bytes: 4 << 30,
        threads: 2,
        time_zone: TimeZone::get(zone)?,
        week_starts: Weekday::Monday,
    };
    let warehouse = Warehouse::open(Path::new(path), &options)?;
    load_seasons(&warehouse, &wanted)?;
    warehouse.checkpoint()?;
    Ok(())
}

fn stretch(of: &[String]) -> Result<Stretch, Box<dyn Error>> {
    let [from, until, events] = of else { return Err(USAGE.into()) };
    Ok(Stretch { from: from.parse()?, until: until.parse()?, events: events.parse()? })
}
