//! The models the company has approved, and how they behave.

use tally_types::Tier;

/// A model and its temper.
#[derive(Debug)]
pub(crate) struct ModelPlan {
    pub(crate) name: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) tier: Tier,
    pub(crate) cheaper: Option<&'static str>,
    /// Median time to the first token, in milliseconds.
    pub(crate) first_token_ms: f64,
    /// Median speed of the output.
    pub(crate) tokens_per_second: f64,
    /// The part of the output that is reasoning.
    pub(crate) reasoning: f64,
}

const fn model(
    (name, provider): (&'static str, &'static str),
    tier: Tier,
    cheaper: Option<&'static str>,
    (first_token_ms, tokens_per_second): (f64, f64),
    reasoning: f64,
) -> ModelPlan {
    ModelPlan { name, provider, tier, cheaper, first_token_ms, tokens_per_second, reasoning }
}

pub(crate) const ANTHROPIC: &str = "anthropic";
pub(crate) const OPENAI: &str = "openai";

/// So new that no price list holds it: its calls have no known price.
pub(crate) const PREVIEW: &str = "gpt-6-preview";

/// Every model; each one's cheaper model stands after it.
pub(crate) const MODELS: &[ModelPlan] = &[
    model(
        ("claude-opus-4-8", ANTHROPIC),
        Tier::Frontier,
        Some("claude-sonnet-4-6"),
        (1_450.0, 62.0),
        0.35,
    ),
    model(
        ("claude-sonnet-4-6", ANTHROPIC),
        Tier::Standard,
        Some("claude-haiku-4-5"),
        (820.0, 88.0),
        0.2,
    ),
    model(("claude-haiku-4-5", ANTHROPIC), Tier::Economy, None, (380.0, 165.0), 0.0),
    model((PREVIEW, OPENAI), Tier::Frontier, Some("gpt-5.5"), (2_100.0, 48.0), 0.5),
    model(("gpt-5.5", OPENAI), Tier::Frontier, Some("gpt-5"), (1_700.0, 70.0), 0.45),
    model(("gpt-5", OPENAI), Tier::Standard, Some("gpt-5-mini"), (950.0, 95.0), 0.3),
    model(("gpt-5.3-codex", OPENAI), Tier::Standard, Some("gpt-5-mini"), (900.0, 105.0), 0.3),
    model(("gpt-5-mini", OPENAI), Tier::Economy, Some("gpt-5-nano"), (430.0, 150.0), 0.1),
    model(("gpt-5-nano", OPENAI), Tier::Economy, None, (290.0, 210.0), 0.0),
    model(("text-embedding-3-large", OPENAI), Tier::Standard, None, (140.0, 1_000.0), 0.0),
    model(("text-embedding-3-small", OPENAI), Tier::Economy, None, (95.0, 1_000.0), 0.0),
];

/// The model of this name.
pub(crate) fn find(name: &str) -> Option<&'static ModelPlan> {
    MODELS.iter().find(|model| model.name == name)
}
