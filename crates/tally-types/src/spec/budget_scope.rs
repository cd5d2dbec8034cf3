//! Which usage counts against a budget.

use crate::{Name, Role, UsageEvent, spec::BudgetScope, spec::Each};

// === impl BudgetScope ===

impl BudgetScope {
    /// Whether an event of an organisation counts, called by someone with these roles.
    /// Every field given must be the event's; `each` needs the event to have one.
    pub fn holds(&self, event: &UsageEvent, organization: Option<&Name>, roles: &[Role]) -> bool {
        let has_each = match self.each {
            Some(Each::Person) => event.person.is_some(),
            Some(Each::Team) => event.team.is_some(),
            Some(Each::Workload) => event.workload.is_some(),
            None => true,
        };
        let model = |wanted: &str| event.model_served.as_deref() == Some(wanted);
        has_each
            && fits(self.organization.as_ref(), organization)
            && fits(self.department.as_ref(), event.department.as_ref())
            && fits(self.cost_center.as_ref(), event.cost_center.as_ref())
            && fits(self.team.as_ref(), event.team.as_ref())
            && fits(self.person.as_ref(), event.person.as_ref())
            && self.role.is_none_or(|role| roles.contains(&role))
            && fits(self.workload.as_ref(), event.workload.as_ref())
            && fits(self.workload_class.as_ref(), event.workload_class.as_ref())
            && fits(self.key.as_ref(), event.key.as_ref())
            && fits(self.environment.as_ref(), Some(&event.environment))
            && fits(self.tier.as_ref(), event.tier.as_ref())
            && self.model.as_ref().is_none_or(|wanted| model(wanted.as_str()))
            && fits(self.provider.as_ref(), event.provider.as_ref())
            && fits(self.task_type.as_ref(), event.task_type.as_ref())
    }
}

fn fits<T: PartialEq>(wanted: Option<&T>, actual: Option<&T>) -> bool {
    wanted.is_none() || wanted == actual
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{CallId, EventId, Source, Timestamp};

    #[test]
    fn every_field_given_must_be_the_events() {
        let id = Uuid::from_u128(1);
        let time = Timestamp::UNIX_EPOCH;
        let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
        event.team = Some("support".parse().unwrap());
        event.person = Some("ada".parse().unwrap());
        event.model_served = Some("gpt-5".to_owned());
        let acme: Name = "acme".parse().unwrap();
        let holds = |scope: serde_json::Value| {
            let scope: BudgetScope = serde_json::from_value(scope).unwrap();
            scope.holds(&event, Some(&acme), &[Role::Developer])
        };
        for scope in [
            json!({}),
            json!({ "organization": "acme" }),
            json!({ "team": "support", "environment": "experimentation" }),
            json!({ "each": "person", "role": "developer", "model": "gpt-5" }),
        ] {
            assert!(holds(scope.clone()), "{scope}");
        }
        for scope in [
            json!({ "organization": "other" }),
            json!({ "team": "search" }),
            json!({ "team": "support", "environment": "production" }),
            json!({ "each": "workload" }),
            json!({ "role": "admin" }),
            json!({ "tier": "frontier" }),
            json!({ "cost_center": "cc" }),
        ] {
            assert!(!holds(scope.clone()), "{scope}");
        }
    }
}
