//! Budgets: for the company, its cost centers, its teams and each person.

use std::collections::BTreeMap;

use anyhow::Context;
use tally_types::{
    CalendarUnit, Environment, PersonName, PicoUsdSum, Window,
    spec::{
        BudgetLimit, BudgetScope, BudgetSpec, BudgetStage, Counted, Each, StageDegrade, StageRole,
    },
};

use super::{Company, NAME, Trade, teams::COST_CENTERS};

const MONTH: Window = Window::Calendar(CalendarUnit::Month);
const PERSON_DAY_TOKENS: u64 = 20_000_000;

/// Every budget by its name.
///
/// # Errors
/// When a planned name is no name; a test makes sure that all are.
pub(crate) fn budgets(company: &Company) -> anyhow::Result<Vec<(String, BudgetSpec)>> {
    let finops = company.people.iter().find(|person| person.name.as_str() == "jonas.weber");
    let finops = &finops.context("a company needs a controller")?.name;
    let mut budgets = Vec::new();
    let whole = BudgetScope { organization: Some(NAME.parse()?), ..BudgetScope::default() };
    let total = company.teams.iter().enumerate().map(|(index, _)| team_usd(company, index)).sum();
    budgets.push((format!("{NAME}-month"), monthly(finops, whole, total)));
    for plan in COST_CENTERS {
        let mut paying = company
            .teams
            .iter()
            .enumerate()
            .filter(|(_, team)| team.plan.cost_center == plan.name)
            .peekable();
        let Some((_, first)) = paying.peek() else { continue };
        let owner = &company.people.get(first.manager).context("a team needs a manager")?.name;
        let usd = paying.map(|(index, _)| team_usd(company, index)).sum();
        let scope = BudgetScope { cost_center: Some(plan.name.parse()?), ..BudgetScope::default() };
        budgets.push((format!("{}-month", plan.name), monthly(owner, scope, usd)));
    }
    for (index, team) in company.teams.iter().enumerate() {
        let owner = &company.people.get(team.manager).context("a team needs a manager")?.name;
        let scope = BudgetScope { team: Some(team.name.clone()), ..BudgetScope::default() };
        let spec = monthly(owner, scope, team_usd(company, index));
        budgets.push((format!("{}-month", team.name), spec));
    }
    budgets.push(("each-person-day".to_owned(), each_person(finops)));
    Ok(budgets)
}

/// In US dollars, by what the people of the trade use and what the team's workloads need.
fn team_usd(company: &Company, index: usize) -> u64 {
    let people = company.people.iter().filter(|person| person.team == index).count();
    let trade = company.teams.get(index).map(|team| team.plan.trade);
    let per_person = match trade {
        Some(Trade::Engineering) => 60,
        Some(Trade::Data) => 45,
        Some(Trade::Legal) => 30,
        _ => 15,
    };
    let workloads = company.workloads.iter().filter(|workload| workload.team == index).count();
    let count = |count: usize| u64::try_from(count).unwrap_or(0);
    (count(people) * per_person + count(workloads) * 25).next_multiple_of(50)
}

fn monthly(owner: &PersonName, scope: BudgetScope, usd: u64) -> BudgetSpec {
    let pico = i128::from(usd) * 1_000_000_000_000;
    let stage = |at| BudgetStage {
        at,
        notify: Vec::new(),
        approval: Vec::new(),
        pending: None,
        degrade: None,
        deny: false,
    };
    BudgetSpec {
        owner: owner.clone(),
        scope,
        limit: BudgetLimit::Usd(PicoUsdSum::from_pico(pico)),
        window: MONTH,
        stages: vec![
            BudgetStage { notify: vec![StageRole::Owner], ..stage(70) },
            BudgetStage {
                approval: vec![StageRole::WorkloadOwner, StageRole::Finops],
                ..stage(80)
            },
            BudgetStage { notify: vec![StageRole::Manager, StageRole::Finops], ..stage(90) },
            BudgetStage { degrade: Some(cheaper(None)), ..stage(100) },
        ],
        count: Counted::Uncached,
        environment_limits: BTreeMap::new(),
        carry_over: false,
        approvers: vec![StageRole::Owner],
        escalate_after_hours: 24,
        emergency: false,
    }
}

fn cheaper(max_context_tokens: Option<u64>) -> StageDegrade {
    StageDegrade { to: Some("cheaper".to_owned()), max_context_tokens, ..StageDegrade::default() }
}

fn each_person(owner: &PersonName) -> BudgetSpec {
    let scope = BudgetScope {
        each: Some(Each::Person),
        environment: Some(Environment::Experimentation),
        ..BudgetScope::default()
    };
    let told = monthly(owner, scope, 1);
    let stages = told
        .stages
        .into_iter()
        .filter_map(|stage| match stage.at {
            70 => Some(BudgetStage { notify: vec![StageRole::Person], ..stage }),
            100 => Some(BudgetStage { degrade: Some(cheaper(Some(32_000))), ..stage }),
            _ => None,
        })
        .collect();
    BudgetSpec {
        limit: BudgetLimit::Tokens(PERSON_DAY_TOKENS),
        window: Window::Calendar(CalendarUnit::Day),
        stages,
        ..told
    }
}
