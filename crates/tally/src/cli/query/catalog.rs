//! `tally query --list`: what can be asked for.

use serde::Deserialize;
use tally_warehouse::query::Unit;

use crate::cli::{client::Client, output, table::Table};

/// Every measure and dimension.
#[derive(Debug, Deserialize)]
struct Catalog {
    measures: Vec<MeasureInfo>,
    dimensions: Vec<DimensionInfo>,
}

#[derive(Debug, Deserialize)]
struct MeasureInfo {
    name: String,
    unit: Unit,
    description: String,
}

#[derive(Debug, Deserialize)]
struct DimensionInfo {
    name: String,
    description: String,
    #[serde(default)]
    fast: bool,
}

/// Shows the catalog of the running Tally.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(super) async fn run(client: &Client, json: bool) -> anyhow::Result<()> {
    let body: serde_json::Value = client.get(&["api", "v1", "query", "catalog"], &[]).await?;
    if json {
        return output::json(&body);
    }
    output::out(&render(&serde_json::from_value(body)?))
}

fn render(catalog: &Catalog) -> String {
    let mut measures = Table::of_text(&["Measure", "Unit", "Definition"]);
    for measure in &catalog.measures {
        measures.row([&measure.name, unit(measure.unit), &measure.description]);
    }
    let mut dimensions = Table::of_text(&["Dimension", "Over months", "Meaning"]);
    for dimension in &catalog.dimensions {
        let speed = if dimension.fast { "fast" } else { "slower" };
        dimensions.row([&dimension.name, speed, &dimension.description]);
    }
    format!("{}\n\n{}", measures.render(), dimensions.render())
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Usd => "USD",
        Unit::Tokens => "tokens",
        Unit::Count => "count",
        Unit::Ratio => "share",
        Unit::Milliseconds => "ms",
        Unit::Number => "number",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_metrics_layer_says_of_itself_is_readable() {
        let said = json!({
            "measures": tally_warehouse::measures(),
            "dimensions": tally_warehouse::dimensions(),
        });
        let text = render(&serde_json::from_value(said).unwrap());
        let line = text.lines().find(|line| line.starts_with("spend_usd ")).unwrap();
        assert!(line.contains("USD") && line.contains("list price"), "{line}");
        assert!(text.contains("\ntag:<name>"), "{text}");
    }
}
