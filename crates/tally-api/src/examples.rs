//! An example of each kind of resource, for the document and for people who read it.

use serde_json::{Value, json};
use tally_types::Kind;

/// A name that fits the kind.
pub(crate) const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Organization => "acme",
        Kind::Provider => "anthropic",
        Kind::Model => "claude-haiku-4-5",
        Kind::PriceList => "negotiated-2026",
        Kind::CostCenter => "cc-100-support",
        Kind::Team => "support",
        Kind::Person => "ada",
        Kind::Workload => "support-copilot",
        Kind::Key => "ada-laptop",
        Kind::Budget => "support-month",
        Kind::Grant => "support-month-2026-11-20-ada",
        Kind::Exception => "data-classes-restricted-needs-zero-retention-2026-11-20-ada",
        Kind::AccessRequest => "tier-frontier-2026-11-20-ada",
        Kind::Policy => "data-classes",
        Kind::Baseline => "support-copilot-2026-11-20",
        Kind::RateCard => "rates-2027",
        Kind::Period => "2026-10",
    }
}

/// A spec that is valid.
#[expect(clippy::too_many_lines, reason = "an example of each kind, one below the other")]
pub(crate) fn spec(kind: Kind) -> Value {
    match kind {
        Kind::Organization => json!({ "time_zone": "Europe/Berlin", "currency": "EUR" }),
        Kind::Provider => json!({
            "dialect": "anthropic", "base_url": "https://api.anthropic.com",
            "api_key": { "env": "ANTHROPIC_API_KEY" }, "data_classes": ["public", "internal"],
        }),
        Kind::Model => json!({ "provider": "anthropic", "tier": "economy" }),
        Kind::PriceList => json!({
            "source": "contract 4711", "as_of": "2026-11-01",
            "entries": [{
                "provider": "anthropic", "model": "claude-haiku-4-5", "from": "2026-11-01",
                "rates": [{ "input": "1", "output": "5" }],
            }],
        }),
        Kind::CostCenter => json!({ "owner": "ada", "chargeback": { "model": "hybrid" } }),
        Kind::Team => json!({ "manager": "ada", "department": "customer-care" }),
        Kind::Person => json!({
            "display_name": "Ada", "email": "ada@acme.test", "team": "support",
            "roles": ["developer"],
        }),
        Kind::Workload => json!({
            "purpose": "Drafts replies to customer tickets", "owner": "ada",
            "cost_center": "cc-100-support", "environment": "experimentation",
            "class": "exploration", "tier": "standard", "data_class": "internal",
            "fallback": { "model": "cheaper" },
        }),
        Kind::Key => json!({ "person": "ada", "scopes": ["gateway", "read"] }),
        Kind::Budget => json!({
            "owner": "ada", "scope": { "team": "support" }, "limit": { "usd": "2000" },
            "window": { "calendar": "month" },
            "stages": [{ "at": 70, "notify": ["owner"] }],
        }),
        Kind::Grant => json!({
            "counter": { "budget": "support-month" }, "ask": { "increase": { "usd": "250" } },
            "until": "2026-11-30T17:00:00Z", "reason": "Replies to the recall of model 7",
            "requested_by": "ada", "requested_at": "2026-11-20T09:12:00Z",
            "needs": [{ "role": "owner", "people": ["grace"] }], "state": "pending",
        }),
        Kind::Exception => json!({
            "rule": "data-classes/restricted-needs-zero-retention", "scope": { "person": "ada" },
            "reason": "The audit of 2026 needs it", "requested_by": "ada",
            "requested_at": "2026-11-20T09:12:00Z", "from": "2026-11-20T09:12:00Z",
            "until": "2026-12-18T17:00:00Z",
            "needs": [{ "role": "security", "people": ["sam"] }], "state": "pending",
        }),
        Kind::AccessRequest => json!({
            "what": { "tier": "frontier" }, "reason": "The pilot of the planner",
            "requested_by": "ada", "requested_at": "2026-11-20T09:12:00Z",
            "until": "2026-12-18T17:00:00Z",
            "needs": [{ "role": "finops", "people": ["lin"] }], "state": "pending",
        }),
        Kind::Baseline => json!({
            "workload": "support-copilot", "from": "2026-10-01T00:00:00Z",
            "until": "2026-11-01T00:00:00Z", "calls": 120_000, "tokens": 480_000_000,
            "spend_usd": "1840.5", "tasks": 31_000, "cost_per_successful_task_usd": "0.061",
            "signed_by": "ada", "signed_at": "2026-11-20T09:12:00Z",
        }),
        Kind::RateCard => json!({
            "from": "2027-01-01", "markup_percent": "4.5",
            "negotiated": [{
                "cost_center": "cc-100-support", "provider": "anthropic",
                "model": "claude-haiku-4-5", "meter": "output", "usd_per_million": "4.2",
            }],
            "reserved": [{
                "name": "committed throughput", "monthly_usd": "5000", "provider": "anthropic",
                "idle": "proportional",
            }],
            "shared": [{ "name": "gateway", "monthly_usd": "1200", "split": "even" }],
            "rounding": { "mode": "half_even", "per": "statement" },
        }),
        Kind::Period => json!({
            "state": "review", "opened_by": "lin", "opened_at": "2026-11-02T09:12:00Z",
            "comments": [{
                "number": 1, "cost_center": "cc-100-support", "kind": "dispute", "state": "open",
                "by": "grace", "at": "2026-11-03T08:01:00Z",
                "text": "The load test of 12 October belongs to the platform team",
            }],
        }),
        Kind::Policy => json!({
            "rules": [{
                "id": "restricted-needs-zero-retention",
                "when": "data_class == \"restricted\" && !provider.zero_retention",
                "then": "deny", "severity": "severe",
                "says": "Restricted data goes only to providers that keep nothing.",
            }],
        }),
    }
}

#[cfg(test)]
mod tests {
    use tally_types::Spec;

    use super::*;

    #[test]
    fn every_example_is_valid() {
        for kind in Kind::ALL {
            let mut spec = spec(*kind);
            if *kind == Kind::Key {
                // The secret is made by Tally.
                spec["secret"] = json!({ "env": "TALLY_KEY_ADA" });
            }
            Spec::parse(*kind, &spec).unwrap_or_else(|error| panic!("{kind}: {error}"));
        }
    }
}
