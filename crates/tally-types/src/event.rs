//! The usage event: one metered attempt of one AI call.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CallId, CostCenterName, DataClass, Environment, EventId, Fingerprint, KeyName, PersonName,
    PicoUsd, ProviderName, ServiceTier, Severity, TeamName, TemplateName, Tier, Tokens,
    WorkloadClass, WorkloadName, vocabulary::vocabulary,
};

vocabulary! {
    /// Where an event was seen.
    Source {
        /// It passed through the gateway.
        Gateway = "gateway",
        /// OpenTelemetry.
        Otlp = "otlp",
        /// A coding agent's transcript.
        Transcript = "transcript",
        /// A posted event or an imported file.
        Import = "import",
        /// A provider's usage report.
        Report = "report",
        /// Made by the demo.
        Simulated = "simulated",
    }

    /// How an attempt ended.
    CallStatus {
        /// Answered whole.
        Ok = "ok",
        /// The provider refused or failed.
        Error = "error",
        /// Tally refused: never sent to a provider.
        Refused = "refused",
        /// The client went away in the middle.
        Aborted = "aborted",
        /// The provider's answer broke off.
        Cut = "cut",
        /// The provider did not answer in time.
        Timeout = "timeout",
        /// Tally stopped in the middle; settled at the estimate.
        Interrupted = "interrupted",
    }

    /// Whether the provider counted the tokens or Tally did.
    CountQuality {
        /// By the provider.
        Reported = "reported",
        /// By Tally.
        Estimated = "estimated",
    }

    /// Why another model served than was asked for.
    FallbackReason {
        /// The first choice failed.
        Error = "error",
        /// A budget degraded the call.
        Budget = "budget",
        /// A policy rerouted or degraded the call.
        Policy = "policy",
    }

    /// What policies did about a call, from the mildest to the strictest.
    PolicyDecision {
        /// Recorded it.
        Log = "log",
        /// Replaced data before the prompt left.
        Redact = "redact",
        /// Had a cheaper model serve.
        Degrade = "degrade",
        /// Had another provider serve.
        Reroute = "reroute",
        /// Refused it until someone approves an exception.
        Review = "review",
        /// Refused it.
        Deny = "deny",
    }
}

/// Something besides tokens and tier that multiplies or adds to a price, as the
/// provider reports it, such as `speed:fast` or `inference_geo:us`.
pub type BillingModifier = String;

/// The tag of a call whose key was suspended at once, with the rule that did it.
pub const CONTAINED_TAG: &str = "tally.contained";

/// One metered attempt of one call: who, for which work, what, at what cost.
///
/// Who, team, cost center and price are recorded as they were at the time of
/// the call. `None` means not known (shown as `unattributed`), never a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageEvent {
    /// Its id; an amendment keeps it.
    pub event_id: EventId,
    /// Raised by each amendment; the highest counts.
    #[serde(default)]
    pub revision: u32,
    /// Shared by all attempts of one call.
    pub call_id: CallId,
    /// When the attempt began.
    pub time: Timestamp,
    /// Where it was seen.
    pub source: Source,

    /// Who called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// Their team then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// Their team's department then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<CostCenterName>,
    /// The virtual key used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyName>,

    /// For which registered app or workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    /// The workload's class then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_class: Option<WorkloadClass>,
    /// The application that called, as it named itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The whole user agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Production or experimentation.
    pub environment: Environment,
    /// What kind of task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// Which task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// Which session of an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What the company hopes to gain, from the tag `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_tag: Option<String>,
    /// Free tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The prompt template used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateName>,
    /// Of the request, where it belongs to a task: the same request again has the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_fingerprint: Option<Fingerprint>,

    /// Who served it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// What was asked for: `chat`, `embeddings`, `messages`…
    pub operation: String,
    /// The family of the model served, such as `claude-opus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_family: Option<String>,
    /// The model the client named.
    pub model_requested: String,
    /// The model that served, as Tally names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_served: Option<String>,
    /// The model that served, as the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_reported: Option<String>,
    /// The tier of the model served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The provider's processing tier.
    pub service_tier: ServiceTier,
    /// What else the price depends on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub billing_modifiers: Vec<BillingModifier>,
    /// Billed uses of the provider's own tools, such as `web_search`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tool_requests: BTreeMap<String, u64>,
    /// The provider's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_request_id: Option<String>,
    /// The provider's id of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_response_id: Option<String>,

    /// Tokens by kind.
    pub tokens: Tokens,
    /// Who counted them.
    pub counts: CountQuality,
    /// From the first byte in to the last byte out, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// From the first byte in to the first byte of the answer, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_us: Option<u64>,
    /// Whether the answer was streamed.
    #[serde(default)]
    pub streamed: bool,
    /// How it ended.
    pub status: CallStatus,
    /// The status the client saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// What went wrong, as a short code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Attempts before this one that were not billed.
    #[serde(default)]
    pub retries: u16,
    /// Why another model served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<FallbackReason>,
    /// How sensitive the prompt was.
    pub data_class: DataClass,
    /// How many of each kind were redacted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redactions: BTreeMap<String, u32>,
    /// The policies' rules that acted, as `policy/rule`; the one that decided comes first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Rules in shadow mode that would have acted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadow_rules: Vec<String>,
    /// The strictest thing that policies did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_decision: Option<PolicyDecision>,
    /// The worst severity of the rules that acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_severity: Option<Severity>,

    /// Cost at list price; `None` means the price is unknown, never that it was free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_list_usd: Option<PicoUsd>,
    /// Cost at the internal rate; `None` as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_internal_usd: Option<PicoUsd>,
    /// Which price list and date priced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_version: Option<String>,
    /// Why the price is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced_reason: Option<String>,
    /// Covered by a subscription: metered at list price, not billed per call.
    #[serde(default)]
    pub subscription: bool,
}

// === impl UsageEvent ===

impl UsageEvent {
    /// An event with nothing known but its ids, time, model and where it was seen.
    pub fn new(event_id: EventId, call_id: CallId, time: Timestamp, source: Source) -> Self {
        Self {
            event_id,
            revision: 0,
            call_id,
            time,
            source,
            person: None,
            team: None,
            department: None,
            cost_center: None,
            key: None,
            workload: None,
            workload_class: None,
            application: None,
            user_agent: None,
            environment: Environment::Experimentation,
            task_type: None,
            task_id: None,
            session: None,
            value_tag: None,
            tags: BTreeMap::new(),
            template: None,
            prompt_fingerprint: None,
            provider: None,
            operation: String::new(),
            model_family: None,
            model_requested: String::new(),
            model_served: None,
            model_reported: None,
            tier: None,
            service_tier: ServiceTier::Standard,
            billing_modifiers: Vec::new(),
            tool_requests: BTreeMap::new(),
            provider_request_id: None,
            provider_response_id: None,
            tokens: Tokens::default(),
            counts: CountQuality::Estimated,
            latency_us: None,
            first_token_us: None,
            streamed: false,
            status: CallStatus::Ok,
            http_status: None,
            error_code: None,
            retries: 0,
            fallback: None,
            data_class: DataClass::Internal,
            redactions: BTreeMap::new(),
            rules: Vec::new(),
            shadow_rules: Vec::new(),
            policy_decision: None,
            policy_severity: None,
            cost_list_usd: None,
            cost_internal_usd: None,
            price_version: None,
            unpriced_reason: None,
            subscription: false,
        }
    }

    /// Whether it belongs into the feed of violations: a rule refused, moved or lessened the
    /// call, or a severe one was met.
    pub fn is_violation(&self) -> bool {
        self.policy_decision.is_some_and(|decision| decision >= PolicyDecision::Degrade)
            || self.policy_severity == Some(Severity::Severe)
    }

    /// The rule that had the key suspended for this call, as `policy/rule`. Only the gateway
    /// says so: what others report suspends nobody's key.
    pub fn contained_by(&self) -> Option<&str> {
        let rule = self.tags.get(CONTAINED_TAG).filter(|_| self.source == Source::Gateway)?;
        self.rules.contains(rule).then_some(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_event_survives_json_and_stays_small() {
        let id = Uuid::from_u128(7);
        let event =
            UsageEvent::new(EventId(id), CallId(id), Timestamp::UNIX_EPOCH, Source::Gateway);
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<UsageEvent>(&json).unwrap(), event);
        // Rows so fat that a few million fill a disk are a known failure of others.
        assert!(json.len() < 512, "{} bytes", json.len());
    }
}
