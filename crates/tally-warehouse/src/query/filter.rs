//! Which calls count.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dimension, FILTERS_MAX, invalid, result::UNATTRIBUTED};
use crate::error::QueryError;

/// One condition on a dimension. The value `unattributed` stands for "not known".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// What to look at.
    pub dimension: Dimension,
    /// How to compare.
    pub op: FilterOp,
    /// With what: one for `eq`, `ne`, `prefix`; any number for `in`, `not_in`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilterOp {
    /// Is this value.
    Eq,
    /// Is another value, or not known.
    Ne,
    /// Is one of these.
    In,
    /// Is none of these, or not known.
    NotIn,
    /// Is not known.
    IsNull,
    /// Is known.
    IsNotNull,
    /// Begins with this text.
    Prefix,
}

/// Checks that each filter has as many values as its operator takes.
///
/// # Errors
/// With a sentence on what is wrong.
pub fn validate(filters: &[Filter]) -> Result<(), QueryError> {
    if filters.len() > FILTERS_MAX {
        return invalid(format!(
            "a query takes up to {FILTERS_MAX} filters, got {}",
            filters.len()
        ));
    }
    for filter in filters {
        let (count, name) = (filter.values.len(), &filter.dimension);
        let expected = match filter.op {
            FilterOp::Eq | FilterOp::Ne | FilterOp::Prefix if count != 1 => "exactly one value",
            FilterOp::In | FilterOp::NotIn if count == 0 || count > FILTERS_MAX => {
                "1 to 1,000 values"
            }
            FilterOp::IsNull | FilterOp::IsNotNull if count != 0 => "no values",
            _ => continue,
        };
        return invalid(format!("the filter on `{name}` takes {expected}, got {count}"));
    }
    Ok(())
}

/// SQL of all filters, `true` without any; values are pushed as parameters.
pub(crate) fn where_sql(filters: &[Filter], parameters: &mut Vec<String>) -> String {
    let conditions: Vec<_> = filters.iter().map(|filter| filter.sql(parameters)).collect();
    if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") }
}

// === impl Filter ===

impl Filter {
    /// Is exactly this value.
    pub fn eq(dimension: impl Into<Dimension>, value: impl Into<String>) -> Self {
        Self { dimension: dimension.into(), op: FilterOp::Eq, values: vec![value.into()] }
    }

    fn sql(&self, parameters: &mut Vec<String>) -> String {
        match self.op {
            FilterOp::Eq | FilterOp::In => self.membership(parameters, true),
            FilterOp::Ne | FilterOp::NotIn => self.membership(parameters, false),
            FilterOp::IsNull => format!("{} IS NULL", self.dimension.sql(parameters)),
            FilterOp::IsNotNull => format!("{} IS NOT NULL", self.dimension.sql(parameters)),
            FilterOp::Prefix => {
                let column = self.dimension.sql(parameters);
                parameters.extend(self.values.iter().cloned());
                format!("starts_with({column}, ?::VARCHAR)")
            }
        }
    }

    /// SQL: whether the value is among those given. (`coalesce` would be shorter, but
    /// DuckDB then no longer looks values up, and takes ten times as long.)
    fn membership(&self, parameters: &mut Vec<String>, expected: bool) -> String {
        let (unknown, known): (Vec<_>, Vec<_>) =
            self.values.iter().partition(|value| *value == UNATTRIBUTED);
        let mut sql = None;
        if !known.is_empty() {
            let column = self.dimension.sql(parameters);
            parameters.extend(known.iter().map(|value| (*value).clone()));
            sql = Some(match known.len() {
                1 => format!("{column} {} ?::VARCHAR", if expected { "=" } else { "<>" }),
                count => {
                    let not = if expected { "" } else { "NOT " };
                    format!("{column} {not}IN ({})", vec!["?::VARCHAR"; count].join(", "))
                }
            });
        }
        let (joint, test) = match (expected, unknown.is_empty()) {
            (true, true) => return sql.unwrap_or_else(|| "false".to_owned()),
            (true, false) | (false, true) => ("OR", "IS NULL"),
            (false, false) => ("AND", "IS NOT NULL"),
        };
        let null = format!("{} {test}", self.dimension.sql(parameters));
        sql.map_or(null.clone(), |sql| format!("({sql} {joint} {null})"))
    }
}
