//! The company as the documents that `tally apply` takes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde::Serialize;
use tally_store::documents::{Document, Format, parse_documents};
use tally_types::{
    DataClass, Date, Dialect, Environment, Kind, PicoUsd, Tier, Weekday, WorkloadClass,
    WorkloadName,
    spec::{
        AccessRule, Chargeback, ChargebackModel, ChargebackRule, CostCenterSpec, Criticality,
        Fallback, Funding, IdleSplit, KeySecret, KeySpec, ModelSpec, NegotiatedRate,
        OrganizationSpec, PeopleShown, PersonSpec, ProviderSpec, ProviderTimeouts, RateCardSpec,
        ReservedCapacity, Rounding, Scoreboards, SecretSource, SharedCost, SharedSplit, TeamSpec,
        TierRationale, WorkloadSlo, WorkloadSpec, WorkloadState,
    },
};

use super::{
    ANTHROPIC, Company, MODELS, ModelPlan, NAME, OPENAI, Person, Workload, ZONE, budgets,
    teams::COST_CENTERS,
};

/// The example company, whose policies this one has, too.
const EXAMPLE: &str = include_str!("../../../demo/company.yaml");
/// The key of where it is kept what came of people's tasks.
pub(crate) const TRACKER: &str = "tracker";
/// How long a subsidy lasts, in months from the start of the demo.
const SUBSIDY_MONTHS: i32 = 9;

/// What is reserved at the provider, and what the platform costs, for each person a month.
const RESERVED_USD: usize = 8;
const PLATFORM_USD: usize = 4;
/// Was shown what it cost until the month before last, and pays since.
const LATELY_CHARGED: &str = "cc-300-customer-care";
/// Is shown what it costs, and pays from next month on.
const SOON_CHARGED: &str = "cc-400-sales";

/// Everything that is applied. `sim` is where the providers stand, such as
/// `http://127.0.0.1:9090`; `today` is the company's date.
///
/// # Errors
/// When a spec cannot be written down; a test makes sure that all can.
pub(crate) fn documents(
    company: &Company,
    sim: &str,
    today: Date,
) -> anyhow::Result<Vec<Document>> {
    let mut written = Written::default();
    let organization = OrganizationSpec {
        time_zone: ZONE.to_owned(),
        currency: "USD".to_owned(),
        week_starts: Weekday::Monday,
        fiscal_year_starts: 1,
        scoreboards: Scoreboards { people: PeopleShown::Pseudonym, ..Scoreboards::default() },
        ..OrganizationSpec::default()
    };
    written.add(Kind::Organization, NAME, &organization)?;
    providers(&mut written, sim)?;
    for plan in MODELS {
        written.add(Kind::Model, plan.name, &model(plan)?)?;
    }
    cost_centers(&mut written, company, today)?;
    teams_and_people(&mut written, company)?;
    for workload in &company.workloads {
        written.add(
            Kind::Workload,
            workload.name.as_str(),
            &workload_spec(company, workload, today)?,
        )?;
    }
    keys(&mut written, company)?;
    for (name, budget) in budgets::budgets(company)? {
        written.add(Kind::Budget, &name, &budget)?;
    }
    written.documents.extend(policies()?);
    Ok(written.documents)
}

#[derive(Default)]
struct Written {
    documents: Vec<Document>,
}

impl Written {
    fn add<S: Serialize>(&mut self, kind: Kind, name: &str, spec: &S) -> anyhow::Result<()> {
        self.documents.push(Document::new(kind, name.parse()?, serde_json::to_value(spec)?));
        Ok(())
    }
}

fn providers(written: &mut Written, sim: &str) -> anyhow::Result<()> {
    let provider =
        |dialect, base_url, key: &str, data_classes, zero_retention, retries_max| ProviderSpec {
            dialect,
            base_url,
            api_key: Some(SecretSource::Env(key.to_owned())),
            data_classes,
            zero_retention,
            prices: None,
            timeouts: ProviderTimeouts::default(),
            retries_max,
        };
    let open = vec![DataClass::Public, DataClass::Internal, DataClass::Confidential];
    let all = DataClass::ALL.to_vec();
    // One falls over to a cheaper model at once, the other tries again first.
    let anthropic = provider(Dialect::Anthropic, sim.to_owned(), "ANTHROPIC_API_KEY", all, true, 0);
    let openai = provider(Dialect::OpenAi, format!("{sim}/v1"), "OPENAI_API_KEY", open, false, 2);
    written.add(Kind::Provider, ANTHROPIC, &anthropic)?;
    written.add(Kind::Provider, OPENAI, &openai)
}

fn model(plan: &ModelPlan) -> anyhow::Result<ModelSpec> {
    Ok(ModelSpec {
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
    })
}

/// Those that a team belongs to; the manager of the first such team owns it.
fn cost_centers(written: &mut Written, company: &Company, today: Date) -> anyhow::Result<()> {
    for plan in COST_CENTERS {
        let Some(team) = company.teams.iter().find(|team| team.plan.cost_center == plan.name)
        else {
            continue;
        };
        let manager = company.people.get(team.manager).context("a team needs a manager")?;
        let until = match plan.chargeback {
            ChargebackModel::Subsidy => {
                let months = jiff::Span::new().try_months(SUBSIDY_MONTHS)?;
                Some(today.checked_add(months)?.last_of_month())
            }
            _ => None,
        };
        let chargeback = Chargeback {
            until,
            quota_usd: quota(plan.chargeback)?,
            ..Chargeback::of(plan.chargeback)
        };
        let chargeback = match plan.name {
            LATELY_CHARGED => after_showback(chargeback, month(today, -1)?),
            SOON_CHARGED => {
                after_showback(Chargeback::of(ChargebackModel::Production), month(today, 1)?)
            }
            _ => chargeback,
        };
        let spec = CostCenterSpec { owner: manager.name.clone(), chargeback: Some(chargeback) };
        written.add(Kind::CostCenter, plan.name, &spec)?;
    }
    rate_card(written, company, today)
}

/// Was shown what it cost before it pays.
fn after_showback(then: Chargeback, from: Date) -> Chargeback {
    let before = ChargebackRule {
        model: ChargebackModel::Showback,
        from: None,
        until: None,
        quota_usd: None,
    };
    Chargeback { from: Some(from), history: vec![before], ..then }
}

/// The first day of a month so many months from today's.
fn month(today: Date, months: i32) -> anyhow::Result<Date> {
    Ok(today.first_of_month().checked_add(jiff::Span::new().try_months(months)?)?)
}

/// What experiments may cost a month centrally, and what those with a quota pay at most.
fn quota(model: ChargebackModel) -> anyhow::Result<Option<PicoUsd>> {
    Ok(match model {
        ChargebackModel::Hybrid => Some("150".parse()?),
        ChargebackModel::Quota => Some("250".parse()?),
        _ => None,
    })
}

/// One for the whole history, and the one that follows it.
fn rate_card(written: &mut Written, company: &Company, today: Date) -> anyhow::Result<()> {
    let of_everyone = |usd: usize| (usd * company.people.len()).to_string().parse();
    let card = RateCardSpec {
        from: month(today, -12)?,
        until: None,
        markup_percent: "4".parse()?,
        negotiated: vec![NegotiatedRate {
            cost_center: None,
            provider: Some(ANTHROPIC.parse()?),
            model: None,
            meter: None,
            usd_per_million: None,
            markup_percent: Some("-6".parse()?),
        }],
        reserved: vec![ReservedCapacity {
            name: "committed throughput".to_owned(),
            monthly_usd: of_everyone(RESERVED_USD)?,
            provider: Some(OPENAI.parse()?),
            models: Vec::new(),
            owner: None,
            idle: IdleSplit::Proportional,
        }],
        shared: vec![SharedCost {
            name: "AI platform".to_owned(),
            monthly_usd: of_everyone(PLATFORM_USD)?,
            split: SharedSplit::Even,
            fixed: BTreeMap::new(),
        }],
        rounding: Rounding::default(),
        currency: None,
        exchange_rates: Vec::new(),
    };
    written.add(Kind::RateCard, "rates", &card)?;
    let next =
        RateCardSpec { from: month(today, 2)?, markup_percent: "5.5".parse()?, ..card.clone() };
    written.add(Kind::RateCard, "rates-next", &next)
}

fn teams_and_people(written: &mut Written, company: &Company) -> anyhow::Result<()> {
    for team in &company.teams {
        let spec = TeamSpec {
            manager: company.people.get(team.manager).map(|person| person.name.clone()),
            department: Some(team.plan.department.to_owned()),
            cost_center: Some(team.plan.cost_center.parse()?),
        };
        written.add(Kind::Team, team.name.as_str(), &spec)?;
    }
    for person in &company.people {
        let spec = PersonSpec {
            display_name: Some(person.display_name.clone()),
            email: Some(format!("{}@{NAME}.test", person.name)),
            team: company.team_of(person).map(|team| team.name.clone()),
            roles: person.roles.clone(),
            ..PersonSpec::default()
        };
        written.add(Kind::Person, person.name.as_str(), &spec)?;
    }
    Ok(())
}

fn workload_spec(
    company: &Company,
    workload: &Workload,
    today: Date,
) -> anyhow::Result<WorkloadSpec> {
    let plan = workload.plan;
    let owner = company.people.get(workload.owner).context("a workload needs an owner")?;
    let in_production = plan.environment == Environment::Production;
    let initials: String = plan.name.split('-').filter_map(|word| word.chars().next()).collect();
    Ok(WorkloadSpec {
        purpose: Some(plan.purpose.to_owned()),
        owner: owner.name.clone(),
        cost_center: workload.cost_center.clone(),
        budget_code: in_production.then(|| {
            format!(
                "{}-{}",
                initials.to_uppercase(),
                workload.cost_center.as_str().get(3..6).unwrap_or("000")
            )
        }),
        environment: plan.environment,
        class: plan.class,
        tier: plan.tier(),
        data_class: plan.data_class,
        fallback: Some(Fallback { model: Some("cheaper".to_owned()), max_context_tokens: None }),
        slo: in_production.then_some(WorkloadSlo {
            latency_p95_ms: Some(plan.latency_p95_ms),
            cost_per_successful_task_usd: plan.target_usd.parse().ok(),
        }),
        degrade_opt_out: false,
        rate_limit: None,
        state: if in_production { WorkloadState::Approved } else { WorkloadState::Registered },
        // Trials are entered in a hurry: what is missing shows in the catalog.
        criticality: in_production.then_some(match plan.class {
            WorkloadClass::Critical => Criticality::Critical,
            WorkloadClass::Operational => Criticality::High,
            WorkloadClass::Exploration => Criticality::Low,
        }),
        funding: Some(if in_production { Funding::Charged } else { Funding::Subsidised }),
        tier_rationale: rationale(plan.tier(), in_production, today)?,
        vendor: None,
        monthly_cost_usd: None,
        metered: true,
        keep_prompts: false,
    })
}

/// Of the frontier tier, those in production are looked at in time.
fn rationale(
    tier: Tier,
    in_production: bool,
    today: Date,
) -> anyhow::Result<Option<TierRationale>> {
    if tier != Tier::Frontier {
        return Ok(None);
    }
    let days = if in_production { 75 } else { -12 };
    let reason = "The standard tier solved a fifth fewer tasks when it was compared".to_owned();
    let review_by = today.checked_add(jiff::Span::new().try_days(days)?)?;
    Ok(Some(TierRationale { reason, review_by }))
}

/// One for each workload that runs by itself, and one for each person, bound to the
/// workloads that the person's team uses.
fn keys(written: &mut Written, company: &Company) -> anyhow::Result<()> {
    let mut bound: BTreeMap<usize, Vec<WorkloadName>> = BTreeMap::new();
    for (index, team) in company.teams.iter().enumerate() {
        let used = company.workloads.iter().filter(|used| used.uses_by(team.plan.trade) > 0.0);
        bound.insert(index, used.map(|workload| workload.name.clone()).collect());
    }
    let key = |secret: String| KeySpec {
        person: None,
        workload: None,
        workloads: Vec::new(),
        roles: Vec::new(),
        scopes: Vec::new(),
        secret: KeySecret::Env { env: secret },
        expires_at: None,
        revoked: false,
        suspended: None,
        reinstated: None,
        rate_limit: None,
    };
    for workload in &company.workloads {
        if let (Some(name), Some(secret)) = (workload.key(), secret_of_workload(workload)) {
            let spec = KeySpec { workload: Some(workload.name.clone()), ..key(secret) };
            written.add(Kind::Key, name.as_str(), &spec)?;
        }
    }
    // It tells what came of everybody's tasks; whose word for their own would count for nothing.
    let all: Vec<_> = company.workloads.iter().map(|workload| workload.name.clone()).collect();
    let spec =
        KeySpec { workload: all.first().cloned(), workloads: all, ..key(secret_of_tracker()) };
    written.add(Kind::Key, TRACKER, &spec)?;
    for person in &company.people {
        let Some(name) = person.key() else { continue };
        let spec = KeySpec {
            person: Some(person.name.clone()),
            workloads: bound.get(&person.team).cloned().unwrap_or_default(),
            ..key(secret_of_person(person))
        };
        written.add(Kind::Key, name.as_str(), &spec)?;
    }
    Ok(())
}

/// The variable that holds a person's key.
pub(crate) fn secret_of_person(person: &Person) -> String {
    variable(person.name.as_str())
}

/// The variable that holds the key of the system that people's tasks are kept in.
pub(crate) fn secret_of_tracker() -> String {
    variable(TRACKER)
}

/// The variable that holds a workload's key; none when people use it with theirs.
pub(crate) fn secret_of_workload(workload: &Workload) -> Option<String> {
    workload.key().map(|_| variable(workload.name.as_str()))
}

fn variable(name: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("TALLY_KEY_{}", name.chars().map(word).collect::<String>())
}

fn policies() -> anyhow::Result<Vec<Document>> {
    let example = parse_documents("company.yaml", EXAMPLE, Format::Yaml)
        .map_err(|errors| anyhow::anyhow!("the example company: {errors:?}"))?;
    let policies = example.into_iter().filter(|document| document.kind == Kind::Policy);
    Ok(policies.map(|policy| Document::new(policy.kind, policy.name, policy.spec)).collect())
}

/// The variables that the documents name, whose values the demo makes up.
pub(crate) fn variables(company: &Company) -> BTreeSet<String> {
    let people = company.people.iter().map(secret_of_person).chain([secret_of_tracker()]);
    let workloads = company.workloads.iter().filter_map(secret_of_workload);
    let providers = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"].map(str::to_owned);
    people.chain(workloads).chain(providers).collect()
}

/// The documents as one file of YAML.
///
/// # Errors
/// When a spec cannot be written down.
pub(crate) fn to_yaml(documents: &[Document]) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Shown<'a> {
        kind: Kind,
        name: &'a str,
        spec: &'a serde_json::Value,
    }
    let mut text = String::from("# The demo's company; written anew at every start.\n");
    for document in documents {
        let Document { kind, name, spec, .. } = document;
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(&Shown { kind: *kind, name: name.as_str(), spec })?);
    }
    Ok(text)
}
