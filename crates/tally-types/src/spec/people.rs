//! Organisation, cost centers, teams and people.

use jiff::{civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CostCenterName, FieldError, Kind, PersonName, PicoUsd, Reference, Role, TeamName, Tier,
    Weekday,
    resource::KindSpec,
    spec::{AccessRule, RateLimit, Retention, RolloutRules, Scoreboards},
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
    /// What has to be measured before a cost center is shown what it uses, and is charged.
    #[serde(default, skip_serializing_if = "RolloutRules::is_default")]
    pub rollout: RolloutRules,
    /// Who sees whom on scoreboards, and how long a season is.
    #[serde(default, skip_serializing_if = "Scoreboards::is_default")]
    pub scoreboards: Scoreboards,
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
        /// Charged up to a quota; what throttled calls spend beyond it is paid centrally.
        Quota = "quota",
    }
}

/// How a cost center is charged from one day on; `docs/chargeback.md` says who pays what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargebackRule {
    /// The model.
    pub model: ChargebackModel,
    /// The first day it holds; since ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// The last day of a subsidy; charged afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// Each month's quota at the internal rate: what is paid centrally of a subsidy, or of a
    /// hybrid's experimentation; what is charged at most by a quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_usd: Option<PicoUsd>,
}

/// How a cost center is charged, and was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chargeback {
    /// The model.
    pub model: ChargebackModel,
    /// The first day it holds; since ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// The last day of a subsidy; charged afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// Each month's quota at the internal rate: what is paid centrally of a subsidy, or of a
    /// hybrid's experimentation; what is charged at most by a quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_usd: Option<PicoUsd>,
    /// What held before, the oldest first; each until the next begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<ChargebackRule>,
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
            rollout: RolloutRules::default(),
            scoreboards: Scoreboards::default(),
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
        self.rollout.check(errors);
        self.scoreboards.check(errors);
    }
}

// === impl ChargebackRule ===

impl ChargebackRule {
    /// Whether whoever uses something in production pays for it on that day.
    pub fn charges_on(&self, day: Date) -> bool {
        match self.model {
            ChargebackModel::Production | ChargebackModel::Hybrid | ChargebackModel::Quota => true,
            ChargebackModel::Subsidy => self.until.is_some_and(|until| until < day),
            ChargebackModel::Showback => false,
        }
    }
}

// === impl Chargeback ===

impl Chargeback {
    /// A model that holds since ever.
    pub const fn of(model: ChargebackModel) -> Self {
        Self { model, from: None, until: None, quota_usd: None, history: Vec::new() }
    }

    /// What holds on a day; none before the first rule.
    pub fn on(&self, day: Date) -> Option<ChargebackRule> {
        let Self { model, from, until, quota_usd, .. } = *self;
        let newest = ChargebackRule { model, from, until, quota_usd };
        let holds = |rule: &&ChargebackRule| rule.from.is_none_or(|from| from <= day);
        std::iter::once(&newest).chain(self.history.iter().rev()).find(holds).cloned()
    }

    /// What holds on a day or, where it begins later, from its first day on; none without a
    /// model.
    pub fn on_or_after(&self, day: Date) -> Option<ChargebackRule> {
        self.on(day.max(self.from.unwrap_or(day)))
    }

    fn check(&self, errors: &mut Vec<FieldError>) {
        let quotas = self.history.iter().map(|rule| rule.quota_usd).chain([self.quota_usd]);
        if quotas.flatten().any(|quota| quota < PicoUsd::ZERO) {
            errors.push(FieldError::new("chargeback.quota_usd", "expected zero or more"));
        }
        let days = self.history.iter().map(|rule| rule.from).chain([self.from]);
        let days: Vec<_> = days.collect();
        for (index, pair) in days.windows(2).enumerate() {
            // Without a first day the later one would hold since ever, and hide the other.
            if let [before, after] = pair
                && (after.is_none() || before >= after)
            {
                let message = "expected a `from` before that of the rule that follows it";
                errors.push(FieldError::new(format!("chargeback.history[{index}]"), message));
            }
        }
    }
}

impl KindSpec for CostCenterSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if let Some(chargeback) = &self.chargeback {
            chargeback.check(errors);
        }
    }

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
