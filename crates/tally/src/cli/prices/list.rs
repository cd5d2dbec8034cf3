//! `tally prices list` and `tally prices show`.

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use tally_pricing::{Found, PriceCatalog, SHIPPED_LIST, shipped};
use tally_types::{Kind, Resource, spec::PriceEntry};

use super::{Client, Connection, entry, output};
use crate::cli::now;

/// Where prices are read from.
#[derive(Debug, Clone, clap::Args)]
struct From {
    /// Read the list that comes with this tally instead of asking a running one
    #[arg(long)]
    shipped: bool,
}

/// Arguments of `tally prices list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only of this provider, such as `anthropic`
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,

    /// Only models whose name contains this
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    #[command(flatten)]
    from: From,
}

/// Arguments of `tally prices show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The provider's name of the model
    model: String,

    /// Only of this provider
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,

    #[command(flatten)]
    from: From,
}

/// A price in force and where it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Listed {
    /// The list's name.
    pub list: String,
    /// The version that goes on events.
    pub version: String,
    /// The price.
    #[serde(flatten)]
    pub entry: PriceEntry,
}

/// Runs `tally prices list`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(super) async fn list(args: ListArgs, connection: &Connection) -> anyhow::Result<()> {
    let mut prices = read(&args.from, args.provider.as_deref(), None, connection).await?;
    if let Some(search) = args.search.map(|search| search.to_lowercase()) {
        prices.retain(|price| price.entry.model.to_lowercase().contains(&search));
    }
    if connection.json {
        return output::json(&prices);
    }
    output::out(&entry::table(&prices))
}

/// Runs `tally prices show`.
///
/// # Errors
/// Nobody prices the model, or Tally refuses or cannot be reached.
pub(super) async fn show(args: ShowArgs, connection: &Connection) -> anyhow::Result<()> {
    let (provider, model) = (args.provider.as_deref(), args.model.as_str());
    let prices = read(&args.from, provider, Some(model), connection).await?;
    if prices.is_empty() {
        return Err(anyhow!(
            "no price of `{model}` is known{}\nnext step: look for its name with `tally prices list --search {}`, or import a list that has it with `tally prices import`",
            provider.map(|provider| format!(" at `{provider}`")).unwrap_or_default(),
            model.split(['-', ':', '/']).next().unwrap_or(model),
        ));
    }
    if connection.json {
        return output::json(&prices);
    }
    let mut texts = Vec::new();
    for price in &prices {
        let source = source(&price.list, &args.from, connection).await?;
        texts.push(entry::details(price, source.as_deref()));
    }
    output::out(&texts.join("\n\n"))
}

async fn read(
    from: &From,
    provider: Option<&str>,
    model: Option<&str>,
    connection: &Connection,
) -> anyhow::Result<Vec<Listed>> {
    let mut prices = if from.shipped {
        shipped_prices()?
    } else {
        let query: Vec<(&str, &str)> = [("provider", provider), ("model", model)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        Client::new(connection)?.list(&["api", "v1", "prices"], &query).await?
    };
    // A running Tally answers with every model whose name begins so.
    prices.retain(|price| {
        provider.is_none_or(|provider| price.entry.provider == provider)
            && model.is_none_or(|model| price.entry.model == model)
    });
    Ok(prices)
}

/// Where a list's prices come from, in its author's words.
async fn source(
    list: &str,
    from: &From,
    connection: &Connection,
) -> anyhow::Result<Option<String>> {
    if list == SHIPPED_LIST {
        return Ok(Some(shipped()?.source.clone()));
    }
    if from.shipped {
        return Ok(None);
    }
    let path = ["api", "v1", Kind::PriceList.plural(), list];
    let resource: Resource = Client::new(connection)?.get(&path, &[]).await?;
    Ok(resource.spec.get("source").and_then(|source| source.as_str()).map(str::to_owned))
}

fn shipped_prices() -> anyhow::Result<Vec<Listed>> {
    let catalog = PriceCatalog::with_shipped(std::iter::empty())?;
    let listed = |found: Found<'_>| Listed {
        list: found.list.to_owned(),
        version: found.version.to_string(),
        entry: found.entry.clone(),
    };
    Ok(catalog.entries(now()).map(listed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_list_needs_no_server() {
        let prices = shipped_prices().unwrap();
        assert!(prices.iter().any(|price| price.entry.provider == "anthropic"));
        let text = entry::table(&prices);
        assert_eq!(text.lines().count(), prices.len() + 4, "a line each, headings and a footer");
    }
}
