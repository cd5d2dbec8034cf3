//! Pages of resources.

use tally_types::{Name, Resource};

/// Which resources of a kind to list, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Only names after this one: the [`Page::next`] of the page before.
    pub after: Option<Name>,
    /// At most so many, 1 to 1,000; 0 stands for 100.
    pub limit: u32,
    /// Only names that start with this.
    pub prefix: String,
}

/// Some resources of a list.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Page {
    /// The resources, by name.
    pub items: Vec<Resource>,
    /// Where the next page starts after; none when this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Name>,
}
