//! A company that a seed and a number of people decide: everything but the time.

mod budgets;
mod documents;
mod models;
mod names;
mod people;
mod teams;
mod workload_plan;
mod workloads;

use std::collections::BTreeMap;

use anyhow::Context;
use jiff::civil::Weekday;
use tally_types::{
    CostCenterName, Date, KeyName, ModelName, ProviderName, Tier, TimeZone, WorkloadName,
    spec::{AccessRule, ModelSpec},
};

pub(crate) use documents::{
    TRACKER, documents, secret_of_person, secret_of_tracker, secret_of_workload, to_yaml, variables,
};
pub(crate) use models::{ANTHROPIC, MODELS, ModelPlan, OPENAI, PREVIEW};
pub(crate) use people::{PERSONAS, Person, Team};
pub(crate) use teams::Trade;
pub(crate) use workload_plan::{Rhythm, Shape, WorkloadPlan, Worth};
pub(crate) use workloads::{BLOATED, CODING, READING, SWITCHED};

/// The company's name.
pub(crate) const NAME: &str = "acme";
/// Where it keeps its calendar.
pub(crate) const ZONE: &str = "Europe/Berlin";

/// Its time zone.
pub(crate) fn zone() -> TimeZone {
    TimeZone::get(ZONE).unwrap_or(TimeZone::UTC)
}

/// German holidays that fall on the same day every year, and the days between the years.
const HOLIDAYS: &[(i8, i8)] =
    &[(1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26), (12, 29), (12, 30), (12, 31)];

/// Whether offices are open.
pub(crate) fn is_working(date: Date) -> bool {
    let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    !weekend && !HOLIDAYS.contains(&(date.month(), date.day()))
}

/// A company.
#[derive(Debug)]
pub(crate) struct Company {
    pub(crate) teams: Vec<Team>,
    pub(crate) people: Vec<Person>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) models: BTreeMap<&'static str, Model>,
}

/// A registered workload.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: WorkloadName,
    pub(crate) plan: &'static WorkloadPlan,
    /// The owner's place in the list of people.
    pub(crate) owner: usize,
    /// The owner's team's place in the list of teams.
    pub(crate) team: usize,
    pub(crate) cost_center: CostCenterName,
}

/// A registered model.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: ModelName,
    pub(crate) plan: &'static ModelPlan,
    pub(crate) provider: ProviderName,
    pub(crate) family: String,
}

// === impl Company ===

impl Company {
    /// The company of a seed.
    ///
    /// # Errors
    /// When a planned name is no name; a test makes sure that all are.
    pub(crate) fn new(seed: u64, people: usize) -> anyhow::Result<Self> {
        let (teams, people) = people::staff(seed, people)?;
        let workloads = workloads::all()
            .enumerate()
            .map(|(index, plan)| register(index, plan, &teams))
            .collect::<anyhow::Result<_>>()?;
        let models = MODELS
            .iter()
            .map(|plan| Ok((plan.name, Model::new(plan)?)))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { teams, people, workloads, models })
    }

    pub(crate) fn model(&self, name: &str) -> Option<&Model> {
        self.models.get(name)
    }

    /// The team that a person is in.
    pub(crate) fn team_of(&self, person: &Person) -> Option<&Team> {
        self.teams.get(person.team)
    }
}

/// The manager of the planned team owns it; else that of a team of the same trade,
/// else that of any.
fn register(index: usize, plan: &'static WorkloadPlan, teams: &[Team]) -> anyhow::Result<Workload> {
    let trade = teams::TEAMS.iter().find(|team| team.name == plan.team).map(|team| team.trade);
    let team = teams
        .iter()
        .position(|team| team.plan.name == plan.team)
        .or_else(|| teams.iter().position(|team| Some(team.plan.trade) == trade))
        .unwrap_or(index % teams.len().max(1));
    let owning = teams.get(team).context("a company needs a team")?;
    Ok(Workload {
        name: plan.name.parse()?,
        plan,
        owner: owning.manager,
        team,
        cost_center: owning.plan.cost_center.parse()?,
    })
}

// === impl Workload ===

impl Workload {
    /// The key of a workload that runs by itself; people use theirs for the others.
    pub(crate) fn key(&self) -> Option<KeyName> {
        if self.plan.rhythm == Rhythm::People {
            return None;
        }
        format!("{}-prod", self.name).parse().ok()
    }

    /// How often people of a trade use it on a working day.
    pub(crate) fn uses_by(&self, trade: Trade) -> f64 {
        let uses = self.plan.users.iter().find(|(user, _)| *user == trade);
        uses.map_or(0.0, |(_, times)| *times)
    }
}

// === impl Model ===

impl Model {
    fn new(plan: &'static ModelPlan) -> anyhow::Result<Self> {
        let spec = ModelSpec {
            provider: Some(plan.provider.parse()?),
            routes: Vec::new(),
            tier: plan.tier,
            cheaper: plan.cheaper.map(str::parse).transpose()?,
            aliases: Vec::new(),
            family: None,
            capabilities: None,
            context_tokens: None,
            output_tokens: None,
            rate_limit: None,
            access: AccessRule::Open,
        };
        Ok(Self {
            name: plan.name.parse()?,
            plan,
            provider: plan.provider.parse()?,
            family: spec.family_of(plan.name),
        })
    }

    pub(crate) fn tier(&self) -> Tier {
        self.plan.tier
    }

    /// Whether it turns text into numbers.
    pub(crate) fn embeds(&self) -> bool {
        self.plan.name.starts_with("text-embedding")
    }
}

// === impl Person ===

impl Person {
    /// The key on the person's laptop.
    pub(crate) fn key(&self) -> Option<KeyName> {
        format!("{}-laptop", self.name).parse().ok()
    }
}
