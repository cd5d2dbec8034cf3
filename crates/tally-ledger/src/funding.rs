//! Who pays: chargeback models. `docs/chargeback.md` has the table.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tally_types::{
    CostCenterName, Environment,
    spec::{ChargebackModel, ChargebackRule, CostCenterSpec},
};

/// Who pays for something. Quotas are picodollars a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Funding {
    /// The cost center.
    Charged,
    /// The central budget.
    Central,
    /// Nobody yet.
    Nobody,
    /// The central budget up to so much a month, then the cost center.
    CentralUpTo(i128),
    /// The cost center up to so much a month, then the central budget.
    ChargedUpTo(i128),
}

/// What was charged and paid centrally for the calls of a cost center's month so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spending {
    /// What the cost center was charged, in picodollars.
    pub charged: i128,
    /// What the central budget paid, in picodollars.
    pub central: i128,
}

/// Spending by month and cost center.
#[derive(Debug, Clone, Default)]
pub struct Funds(BTreeMap<(u32, CostCenterName), Spending>);

/// How an amount is divided, in picodollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shares {
    /// The cost center's.
    pub charged: i128,
    /// The central budget's.
    pub central: i128,
    /// Nobody's yet.
    pub unallocated: i128,
}

/// Who pays for a call of a cost center. One that is unknown, or gone, or has no rule for the
/// day, pays nothing: that is nobody's until somebody decides.
pub fn of_call(center: Option<&CostCenterSpec>, environment: Environment, day: Date) -> Funding {
    let is_production = environment == Environment::Production;
    let Some(rule) = rule_on(center, day) else { return Funding::Nobody };
    let quota = rule.quota_usd.map(|quota| i128::from(quota.pico()));
    match rule.model {
        ChargebackModel::Subsidy if rule.until.is_some_and(|until| until < day) => Funding::Charged,
        ChargebackModel::Subsidy => quota.map_or(Funding::Central, Funding::CentralUpTo),
        ChargebackModel::Showback => Funding::Central,
        ChargebackModel::Production | ChargebackModel::Hybrid if is_production => Funding::Charged,
        ChargebackModel::Production => Funding::Central,
        ChargebackModel::Hybrid => quota.map_or(Funding::Central, Funding::CentralUpTo),
        ChargebackModel::Quota => quota.map_or(Funding::Charged, Funding::ChargedUpTo),
    }
}

/// Who pays for a cost center's share of what is no call; no quota counts it.
pub fn of_overhead(center: Option<&CostCenterSpec>, day: Date) -> Funding {
    match of_call(center, Environment::Production, day) {
        Funding::CentralUpTo(_) => Funding::Central,
        Funding::ChargedUpTo(_) => Funding::Charged,
        other => other,
    }
}

fn rule_on(center: Option<&CostCenterSpec>, day: Date) -> Option<ChargebackRule> {
    center?.chargeback.as_ref()?.on(day)
}

// === impl Funding ===

impl Funding {
    /// Divides an amount by what was spent before.
    pub fn shares(self, amount: i128, before: Spending) -> Shares {
        let left = |quota: i128, used: i128| (quota - used).clamp(0, amount.max(0));
        let (charged, central) = match self {
            Self::Nobody => return Shares { unallocated: amount, ..Shares::default() },
            Self::Charged => (amount, 0),
            Self::Central => (0, amount),
            Self::CentralUpTo(quota) => {
                let central = left(quota, before.central);
                (amount - central, central)
            }
            Self::ChargedUpTo(quota) => {
                let charged = left(quota, before.charged);
                (charged, amount - charged)
            }
        };
        Shares { charged, central, unallocated: 0 }
    }
}

// === impl Funds ===

impl Funds {
    /// What a cost center spent in a month so far.
    pub fn of(&self, month: u32, center: &CostCenterName) -> Spending {
        self.0.get(&(month, center.clone())).copied().unwrap_or_default()
    }

    /// Counts what was spent; what is taken back is negative.
    pub fn spend(&mut self, month: u32, center: &CostCenterName, charged: i128, central: i128) {
        let spent = self.0.entry((month, center.clone())).or_default();
        spent.charged += charged;
        spent.central += central;
    }
}

#[cfg(test)]
mod tests {
    use Environment::{Experimentation, Production};

    use super::*;

    fn center(chargeback: serde_json::Value) -> CostCenterSpec {
        let json = serde_json::json!({ "owner": "ada", "chargeback": chargeback });
        serde_json::from_value(json).unwrap()
    }

    /// Charged, central and unallocated of 100 in each environment; 30 of each spent before.
    fn paid(chargeback: serde_json::Value, day: &str) -> [(i128, i128, i128); 2] {
        let center = center(chargeback);
        [Production, Experimentation].map(|environment| {
            let funding = of_call(Some(&center), environment, day.parse().unwrap());
            let before = Spending { charged: 30, central: 30 };
            let Shares { charged, central, unallocated } = funding.shares(100, before);
            (charged, central, unallocated)
        })
    }

    const DAY: &str = "2026-10-15";
    const QUOTA: &str = "0.00000000008";

    /// The table of `docs/chargeback.md`.
    #[test]
    fn each_model_bills_whom_the_table_says() {
        let json = |text: &str| serde_json::from_str(&text.replace('\'', "\"")).unwrap();
        let (charged, central) = ((100, 0, 0), (0, 100, 0));
        for (chargeback, expected) in [
            ("{'model':'subsidy'}", [central, central]),
            ("{'model':'subsidy','until':'2026-10-15'}", [central, central]),
            ("{'model':'subsidy','until':'2026-10-14'}", [charged, charged]),
            ("{'model':'subsidy','quota_usd':'QUOTA'}", [(50, 50, 0), (50, 50, 0)]),
            ("{'model':'showback'}", [central, central]),
            ("{'model':'production'}", [charged, central]),
            ("{'model':'hybrid'}", [charged, central]),
            ("{'model':'hybrid','quota_usd':'QUOTA'}", [charged, (50, 50, 0)]),
            ("{'model':'quota'}", [charged, charged]),
            ("{'model':'quota','quota_usd':'QUOTA'}", [(50, 50, 0), (50, 50, 0)]),
            ("{'model':'hybrid','from':'2026-11-01'}", [(0, 0, 100), (0, 0, 100)]),
        ] {
            assert_eq!(
                paid(json(&chargeback.replace("QUOTA", QUOTA)), DAY),
                expected,
                "{chargeback}"
            );
        }
    }

    #[test]
    fn the_rule_of_the_day_holds() {
        let chargeback = serde_json::json!({
            "model": "production", "from": "2026-10-10",
            "history": [{ "model": "showback" }],
        });
        assert_eq!(paid(chargeback.clone(), "2026-10-09")[0], (0, 100, 0));
        assert_eq!(paid(chargeback, "2026-10-10")[0], (100, 0, 0));
    }

    #[test]
    fn without_a_cost_center_or_a_rule_nobody_pays() {
        let day = DAY.parse().unwrap();
        assert_eq!(of_call(None, Production, day), Funding::Nobody);
        let silent = CostCenterSpec { owner: "ada".parse().unwrap(), chargeback: None };
        assert_eq!(of_call(Some(&silent), Production, day), Funding::Nobody);
    }
}
