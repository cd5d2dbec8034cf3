//! The templates that come with Tally: answers that stay with what is known.

use serde::Deserialize;
use tally_types::{
    Name,
    spec::{TemplateAbout, TemplateText},
};

use crate::{StoreError, database::backend};

const STARTER: &str = include_str!("starter.yaml");

/// A template that comes with Tally, or stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StarterTemplate {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub about: TemplateAbout,
    /// Its text.
    pub text: TemplateText,
}

/// The templates that come with Tally.
///
/// # Errors
/// Never, as a test holds.
pub fn starter() -> Result<Vec<StarterTemplate>, StoreError> {
    serde_saphyr::from_str(STARTER).map_err(backend)
}

#[cfg(test)]
mod tests {
    use tally_types::{Kind, Spec};

    use super::*;

    #[test]
    fn what_is_shipped_is_valid() {
        let all = starter().unwrap();
        assert!(all.len() >= 10, "{}", all.len());
        for StarterTemplate { name, about, text } in all {
            let version = serde_json::json!({
                "number": 1, "text": text, "by": "ada", "at": "2026-11-20T09:00:00Z",
                "review": { "state": "approved" },
            });
            let spec = serde_json::json!({
                "about": about, "owner": "ada", "state": "active", "versions": [version],
            });
            Spec::parse(Kind::Template, &spec).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
