//! Filters on events that are still in memory, as the live feed needs them.

use tally_types::UsageEvent;

use super::{Dimension, Field, Filter, FilterOp, result::UNATTRIBUTED};

// === impl Filter ===

impl Filter {
    /// Whether an event is among those that a query with this filter counts.
    pub fn matches(&self, event: &UsageEvent) -> bool {
        let value = value(&self.dimension, event);
        match self.op {
            FilterOp::Eq | FilterOp::In => self.holds(value),
            FilterOp::Ne | FilterOp::NotIn => !self.holds(value),
            FilterOp::IsNull => value.is_none(),
            FilterOp::IsNotNull => value.is_some(),
            FilterOp::Prefix => {
                let prefix = self.values.first();
                value.zip(prefix).is_some_and(|(value, prefix)| value.starts_with(prefix.as_str()))
            }
        }
    }

    fn holds(&self, value: Option<&str>) -> bool {
        let is_one = |known: &str| {
            self.values.iter().any(|wanted| wanted == known && wanted != UNATTRIBUTED)
        };
        value.map_or_else(|| self.values.iter().any(|wanted| wanted == UNATTRIBUTED), is_one)
    }
}

/// The value of a dimension, as its column holds it.
fn value<'a>(dimension: &Dimension, event: &'a UsageEvent) -> Option<&'a str> {
    match dimension {
        Dimension::Field(field) => field_value(*field, event),
        Dimension::Tag(name) => event.tags.get(name).map(String::as_str),
    }
}

fn field_value(field: Field, event: &UsageEvent) -> Option<&str> {
    match field {
        Field::Person => event.person.as_ref().map(|name| name.as_str()),
        Field::Team => event.team.as_ref().map(|name| name.as_str()),
        Field::Department => event.department.as_deref(),
        Field::CostCenter => event.cost_center.as_ref().map(|name| name.as_str()),
        Field::Key => event.key.as_ref().map(|name| name.as_str()),
        Field::Workload => event.workload.as_ref().map(|name| name.as_str()),
        Field::WorkloadClass => event.workload_class.map(|class| class.as_str()),
        Field::Application => event.application.as_deref(),
        Field::UserAgent => event.user_agent.as_deref(),
        Field::Environment => Some(event.environment.as_str()),
        Field::TaskType => event.task_type.as_deref(),
        Field::TaskId => event.task_id.as_deref(),
        Field::Session => event.session.as_deref(),
        Field::ValueTag => event.value_tag.as_deref(),
        Field::Template => event.template.as_ref().map(|name| name.as_str()),
        Field::Provider => event.provider.as_ref().map(|name| name.as_str()),
        Field::Model => event.model_served.as_deref(),
        Field::ModelRequested => Some(&event.model_requested),
        Field::ModelReported => event.model_reported.as_deref(),
        Field::ModelFamily => event.model_family.as_deref(),
        Field::Tier => event.tier.map(|tier| tier.as_str()),
        Field::ServiceTier => Some(event.service_tier.as_str()),
        Field::DataClass => Some(event.data_class.as_str()),
        Field::Source => Some(event.source.as_str()),
        Field::Status => Some(event.status.as_str()),
        Field::Counts => Some(event.counts.as_str()),
        Field::Operation => Some(&event.operation),
        Field::Fallback => event.fallback.map(|reason| reason.as_str()),
        Field::ErrorCode => event.error_code.as_deref(),
        Field::Streamed => Some(if event.streamed { "true" } else { "false" }),
        Field::Rule => event.rules.first().map(String::as_str),
        Field::PolicyDecision => event.policy_decision.map(|decision| decision.as_str()),
        Field::PolicySeverity => event.policy_severity.map(|severity| severity.as_str()),
        Field::Violation => Some(if event.is_violation() { "true" } else { "false" }),
        Field::PriceVersion => event.price_version.as_deref(),
    }
}
