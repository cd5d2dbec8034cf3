//! The price list that comes with Tally.

use std::sync::LazyLock;

use tally_types::spec::PriceListSpec;

/// The name of the shipped list, as it stands in price versions.
pub const SHIPPED_LIST: &str = "shipped";

/// The shipped list cannot be read: the build is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the shipped price list cannot be read: {0}")]
pub struct ShippedError(String);

static LIST: LazyLock<Result<PriceListSpec, ShippedError>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../prices/list.json"))
        .map_err(|error| ShippedError(error.to_string()))
});

/// The shipped list: OpenAI, Anthropic and Gemini, with its source and day. Read
/// once.
///
/// It is made by the `snapshot` example of this crate.
///
/// # Errors
/// When the build is broken; a test makes sure it is not.
pub fn shipped() -> Result<&'static PriceListSpec, ShippedError> {
    LIST.as_ref().map_err(Clone::clone)
}
