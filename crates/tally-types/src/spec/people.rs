//! Organisation, cost centers, teams and people.

use jiff::{civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CostCenterName, FieldError, Kind, PersonName, Reference, Role, TeamName, Tier, Weekday,
    resource::KindSpec,
    spec::{AccessRule, RateLimit, Retention},
    vocabulary::vocabulary,
};

/// The company: the time zone and calendar that windows and charts use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSpec {
    /// IANA time zone, such as `Europe/Berlin`.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Currency of statements; metering is in USD.
    #[serde(default = "usd")]
    pub currency: String,
    /// First day of the week.
    #[serde(default = "monday")]
    pub week_starts: Weekday,
    /// The month, 1 to 12, that the fiscal year begins with; quarters and years of budgets
    /// follow it.
    #[serde(default = "january", skip_serializing_if = "is_january")]
    pub fiscal_year_starts: i8,
    /// Tiers whose models may be used only by who was given access, or by a workload that
    /// was approved for the tier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers_on_request: Vec<Tier>,
    /// Whether people make keys of their own, or ask for them first.
    #[serde(default, skip_serializing_if = "AccessRule::is_open")]
    pub own_keys: AccessRule,
    /// How long it is known who called, and whether prompts are kept, by class of data.
    #[serde(default, skip_serializing_if = "Retention::is_default")]
    pub retention: Retention,
}

vocabulary! {
    /// What a cost center pays for.
    ChargebackModel {
        /// Paid centrally, within a guarded budget, until a date.
        Subsidy = "subsidy",
        /// Shown, not charged.
        Showback = "showback",
        /// Production is charged.
        Production = "production",
        /// Production is charged, experimentation is paid centrally up to a quota.
        Hybrid = "hybrid",
        /// A quota, then throttling.
        Quota = "quota",
    }
}

/// How a cost center is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chargeback {
    /// The model.
    pub model: ChargebackModel,
    /// The sunset date of a subsidy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
}

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostCenterSpec {
    /// Who answers for it.
    pub owner: PersonName,
    /// How it is charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chargeback: Option<Chargeback>,
}

/// People who work together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamSpec {
    /// Who approves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<PersonName>,
    /// Department, a plain word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Who pays for calls that no workload explains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<CostCenterName>,
}

/// A human.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonSpec {
    /// How people call them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Where mail reaches them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// What they may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Who may approve in their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegate: Option<PersonName>,
    /// How fast calls of their keys may come, all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn usd() -> String {
    "USD".to_owned()
}

const fn monday() -> Weekday {
    Weekday::Monday
}

const fn january() -> i8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_january(month: &i8) -> bool {
    *month == january()
}

// === impl OrganizationSpec ===

impl Default for OrganizationSpec {
    fn default() -> Self {
        Self {
            time_zone: utc(),
            currency: usd(),
            week_starts: monday(),
            fiscal_year_starts: january(),
            tiers_on_request: Vec::new(),
            own_keys: AccessRule::Open,
            retention: Retention::default(),
        }
    }
}

impl OrganizationSpec {
    /// The time zone; UTC for a name that this system's database does not hold.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

impl KindSpec for OrganizationSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if TimeZone::get(&self.time_zone).is_err() {
            let message =
                format!("`{}` is not an IANA time zone such as `Europe/Berlin`", self.time_zone);
            errors.push(FieldError::new("time_zone", message));
        }
        if !(1..=12).contains(&self.fiscal_year_starts) {
            errors.push(FieldError::new("fiscal_year_starts", "expected a month from 1 to 12"));
        }
        let is_code =
            self.currency.len() == 3 && self.currency.chars().all(|c| c.is_ascii_uppercase());
        if !is_code {
            errors.push(FieldError::new("currency", "expected an ISO 4217 code such as `USD`"));
        }
        self.retention.check(errors);
    }
}

impl KindSpec for CostCenterSpec {
    fn references(&self, references: &mut Vec<Reference>) {
        references.push(Reference::new("owner", Kind::Person, &self.owner.0));
    }
}

impl KindSpec for TeamSpec {
    fn references(&self, references: &mut Vec<Reference>) {
        if let Some(manager) = &self.manager {
            references.push(Reference::new("manager", Kind::Person, &manager.0));
        }
        if let Some(cost_center) = &self.cost_center {
            references.push(Reference::new("cost_center", Kind::CostCenter, &cost_center.0));
        }
    }
}

impl KindSpec for PersonSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        let plausible = |email: &String| {
            email
                .split_once('@')
                .is_some_and(|(local, host)| !local.is_empty() && host.contains('.'))
        };
        RateLimit::check(self.rate_limit.as_ref(), errors);
        if self.email.as_ref().is_some_and(|email| !plausible(email)) {
            errors.push(FieldError::new("email", "expected an address such as `ada@acme.test`"));
        }
    }

    fn references(&self, references: &mut Vec<Reference>) {
        if let Some(team) = &self.team {
            references.push(Reference::new("team", Kind::Team, &team.0));
        }
        if let Some(delegate) = &self.delegate {
            references.push(Reference::new("delegate", Kind::Person, &delegate.0));
        }
    }
}
