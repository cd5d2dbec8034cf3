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
        Kind::Adjustment => "5f0c8d2be1a94c37-2",
        Kind::Rollout => "cc-100-support",
        Kind::Sprint => "2026-11",
        Kind::QuarterlyReview => "2026-Q4",
        Kind::ScoreboardChoice => "ada",
        Kind::ScoringFormula => "standard",
        Kind::Template => "ticket-summary",
        Kind::Story => "shorter-history",
        Kind::Contribution => "refunds-made-up",
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
        Kind::Adjustment => json!({
            "reconciliation": "5f0c8d2be1a94c37", "number": 2, "provider": "anthropic",
            "date": "2026-10-03", "variance": "missing_traffic", "amount_usd": "42",
            "aggregate": [
                { "model": "claude-opus-4-8", "meter": "output", "quantity": 1_680_000, "usd": "42" },
            ],
            "gap_usd": "42", "cost_center": "cc-100-support", "state": "approved",
            "decided_by": "lin", "decided_at": "2026-11-02T09:12:00Z",
            "reason": "The batch host called around the gateway that day",
        }),
        Kind::Rollout => json!({
            "stage": "showback",
            "steps": [{
                "from": "inventory", "to": "showback", "at": "2026-11-02T09:12:00Z", "by": "lin",
                "gates": [{
                    "gate": "attributed", "ok": true, "measured": "93", "asked": "50",
                    "detail": "93 % of the spend of 30 days is for a workload",
                }],
            }],
        }),
        Kind::Sprint => json!({
            "state": "open",
            "targets": [{
                "number": 1, "scope": { "workload": "support-copilot" },
                "measure": "cost_per_successful_task_usd", "baseline": "0.08",
                "baseline_from": "2026-10-01T00:00:00Z", "baseline_until": "2026-11-01T00:00:00Z",
                "target": "0.06", "owner": "grace", "note": "Shorter history",
                "by": "lin", "at": "2026-11-02T09:12:00Z",
            }],
        }),
        Kind::ScoringFormula => json!({
            "from": "2027-01-01", "reason": "What is shared counts more than before",
            "weights": { "efficiency": 0.4, "improvement": 0.2, "knowledge": 0.4 },
        }),
        Kind::QuarterlyReview => json!({
            "state": "open",
            "decisions": [{
                "number": 1, "subject": "rate_cards", "about": "rates-2027",
                "text": "The markup stays at 4.5 %", "owner": "lin", "due": "2026-12-15",
                "by": "lin", "at": "2026-11-20T09:12:00Z",
            }],
        }),
        Kind::ScoreboardChoice => json!({
            "shown": "pseudonym", "pseudonym": "Amber Heron", "at": "2026-11-20T09:12:00Z",
        }),
        Kind::Template => json!({
            "about": {
                "title": "Summary of a ticket", "purpose": "Says what a customer wants, in a line",
                "task_type": "summarise", "data_class": "internal", "model": "claude-haiku-4-5",
            },
            "owner": "ada", "team": "support", "state": "active",
            "versions": [{
                "number": 1,
                "text": {
                    "user": "What does the customer want? {{ticket}}",
                    "variables": [{ "name": "ticket", "description": "The ticket" }],
                },
                "by": "ada", "at": "2026-11-20T09:12:00Z",
                "review": { "state": "approved", "by": "lin", "at": "2026-11-20T10:00:00Z" },
            }],
        }),
        Kind::Story => json!({
            "author": "ada", "team": "support", "at": "2026-11-20T09:12:00Z",
            "claim": {
                "title": "Shorter history", "changed": "Only the last four turns are sent",
                "subject": { "workload": "support-copilot" }, "comparison": {},
                "before": { "from": "2026-10-01T00:00:00Z", "until": "2026-10-15T00:00:00Z" },
                "after": { "from": "2026-10-15T00:00:00Z", "until": "2026-10-29T00:00:00Z" },
            },
            "result": {
                "at": "2026-11-20T09:12:00Z", "verdict": "confirmed", "ground": "saved",
                "net": { "value": 0.78, "low": 0.71, "high": 0.86 }, "saved_usd": "41.2",
                "subject_before": { "tasks": 212, "cost_usd": "190", "reported": 212, "succeeded": 180 },
                "subject_after": { "tasks": 208, "cost_usd": "146", "reported": 208, "succeeded": 181 },
                "comparison_before": { "tasks": 900, "cost_usd": "700", "reported": 850, "succeeded": 700 },
                "comparison_after": { "tasks": 910, "cost_usd": "706", "reported": 870, "succeeded": 720 },
            },
        }),
        Kind::Contribution => json!({
            "author": "ada", "at": "2026-11-20T09:12:00Z",
            "shared": {
                "kind": "failure_case", "title": "A refund that nobody promised",
                "text": "Without articles in the prompt the model promised money back.",
            },
            "state": "confirmed", "decided_by": "lin", "decided_at": "2026-11-20T10:00:00Z",
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
