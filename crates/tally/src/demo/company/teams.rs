//! The departments, their teams and who pays for them.

use tally_types::spec::ChargebackModel;

/// What a team does all day, and so how it uses AI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trade {
    Engineering,
    Data,
    Product,
    Support,
    Sales,
    Marketing,
    Finance,
    Legal,
    Operations,
}

/// A team as it could be.
#[derive(Debug)]
pub(crate) struct TeamPlan {
    pub(crate) name: &'static str,
    pub(crate) department: &'static str,
    pub(crate) cost_center: &'static str,
    pub(crate) trade: Trade,
}

/// A cost center as it could be.
#[derive(Debug)]
pub(crate) struct CostCenterPlan {
    pub(crate) name: &'static str,
    pub(crate) chargeback: ChargebackModel,
}

const fn team(
    name: &'static str,
    department: &'static str,
    cost_center: &'static str,
    trade: Trade,
) -> TeamPlan {
    TeamPlan { name, department, cost_center, trade }
}

/// Every team there can be; a small company has only the first ones, so the first
/// ones are of many departments.
pub(crate) const TEAMS: &[TeamPlan] = &[
    team("platform", "engineering", "cc-100-platform", Trade::Engineering),
    team("support-emea", "customer-care", "cc-300-customer-care", Trade::Support),
    team("controlling", "finance-and-legal", "cc-500-finance", Trade::Finance),
    team("checkout", "engineering", "cc-110-shop", Trade::Engineering),
    team("sales-dach", "sales", "cc-400-sales", Trade::Sales),
    team("data-platform", "data", "cc-200-data", Trade::Data),
    team("content", "marketing", "cc-450-marketing", Trade::Marketing),
    team("product-management", "product", "cc-120-product", Trade::Product),
    team("logistics", "operations", "cc-600-operations", Trade::Operations),
    team("payments", "engineering", "cc-110-shop", Trade::Engineering),
    team("legal", "finance-and-legal", "cc-550-legal", Trade::Legal),
    team("search", "engineering", "cc-110-shop", Trade::Engineering),
    team("support-americas", "customer-care", "cc-300-customer-care", Trade::Support),
    team("mobile", "engineering", "cc-110-shop", Trade::Engineering),
    team("machine-learning", "data", "cc-200-data", Trade::Data),
    team("security", "operations", "cc-700-it", Trade::Engineering),
    team("sales-nordics", "sales", "cc-400-sales", Trade::Sales),
    team("storefront", "engineering", "cc-110-shop", Trade::Engineering),
    team("growth", "marketing", "cc-450-marketing", Trade::Marketing),
    team("people", "operations", "cc-650-people", Trade::Operations),
    team("innovation-lab", "data", "cc-900-innovation", Trade::Data),
    team("site-reliability", "engineering", "cc-100-platform", Trade::Engineering),
    team("accounting", "finance-and-legal", "cc-500-finance", Trade::Finance),
    team("design", "product", "cc-120-product", Trade::Product),
    team("support-apac", "customer-care", "cc-300-customer-care", Trade::Support),
    team("identity", "engineering", "cc-100-platform", Trade::Engineering),
    team("it-service", "operations", "cc-700-it", Trade::Operations),
    team("presales", "sales", "cc-400-sales", Trade::Sales),
    team("analytics", "data", "cc-200-data", Trade::Data),
    team("fulfilment", "engineering", "cc-110-shop", Trade::Engineering),
    team("customer-success", "customer-care", "cc-300-customer-care", Trade::Support),
    team("procurement", "finance-and-legal", "cc-500-finance", Trade::Finance),
    team("user-research", "product", "cc-120-product", Trade::Product),
    team("brand", "marketing", "cc-450-marketing", Trade::Marketing),
    team("sales-uk", "sales", "cc-400-sales", Trade::Sales),
    team("developer-experience", "engineering", "cc-100-platform", Trade::Engineering),
];

/// Every cost center there can be, each charged in its own way.
pub(crate) const COST_CENTERS: &[CostCenterPlan] = &[
    CostCenterPlan { name: "cc-100-platform", chargeback: ChargebackModel::Production },
    CostCenterPlan { name: "cc-110-shop", chargeback: ChargebackModel::Hybrid },
    CostCenterPlan { name: "cc-120-product", chargeback: ChargebackModel::Showback },
    CostCenterPlan { name: "cc-200-data", chargeback: ChargebackModel::Hybrid },
    CostCenterPlan { name: "cc-300-customer-care", chargeback: ChargebackModel::Production },
    CostCenterPlan { name: "cc-400-sales", chargeback: ChargebackModel::Showback },
    CostCenterPlan { name: "cc-450-marketing", chargeback: ChargebackModel::Quota },
    CostCenterPlan { name: "cc-500-finance", chargeback: ChargebackModel::Production },
    CostCenterPlan { name: "cc-550-legal", chargeback: ChargebackModel::Hybrid },
    CostCenterPlan { name: "cc-600-operations", chargeback: ChargebackModel::Showback },
    CostCenterPlan { name: "cc-650-people", chargeback: ChargebackModel::Showback },
    CostCenterPlan { name: "cc-700-it", chargeback: ChargebackModel::Quota },
    CostCenterPlan { name: "cc-900-innovation", chargeback: ChargebackModel::Subsidy },
];
