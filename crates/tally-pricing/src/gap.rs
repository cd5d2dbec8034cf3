//! What is missing from a price.

use tally_types::{Date, ServiceTier};

/// Why a call has no known price. Borrowed, so that asking costs nothing when
/// nobody reads the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Gap<'a> {
    #[error("no price list has the model")]
    Model,
    #[error("no price of it holds on {0}")]
    Day(Date),
    #[error("no price at service tier `{0}`")]
    Tier(ServiceTier),
    #[error("no price at service tier `{tier}` for {input} input tokens")]
    Step { tier: ServiceTier, input: u64 },
    #[error("no price for {kind} tokens at service tier `{tier}`")]
    Kind { kind: &'static str, tier: ServiceTier },
    #[error("no fee for the tool `{0}`")]
    Tool(&'a str),
    #[error("no price for `{0}`")]
    Modifier(&'a str),
    #[error("the fee per request is negative")]
    NegativeFee,
    #[error("the cost is larger than can be kept")]
    Overflow,
}
