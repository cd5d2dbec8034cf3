//! Scores a company that stands in a file, for whoever computes the same in another way: `standings COMPANY.json` prints
//! its boards as JSON. `tests/insight` holds them against its own.
#![allow(clippy::print_stdout, reason = "an example prints what it finds")]

use std::{collections::BTreeMap, fs::File, io::BufReader, sync::Arc};

use serde::{Deserialize, Serialize};
use tally_insight::score::{
    Compliance, ComplianceFacts, ConfirmedContribution, ConfirmedStory, Directory, Facts,
    Knowledge, KnownTemplate, PastSeason, Rules, Scores, Season, SeasonTasks, Standings,
    TemplateEffect,
};
use tally_types::{
    Fingerprint, Name, PersonName, PicoUsd, PicoUsdSum, Reporter, TaskFact, TaskOutcome,
    TaskResult, TeamName, TemplateName, Tier, TimeZone, Timestamp, WorkloadName,
    spec::{Competitors, ContributionKind, ScoringFormulaSpec},
};

#[derive(Deserialize)]
struct Company {
    formula: ScoringFormulaSpec,
    zone: String,
    people: BTreeMap<PersonName, Option<TeamName>>,
    teams: BTreeMap<TeamName, Option<String>>,
    /// The one that is scored, then those before it.
    seasons: Vec<Tasks>,
    templates: Vec<Template>,
    stories: Vec<Story>,
    contributions: Vec<Contribution>,
    compliance_of_people: BTreeMap<PersonName, Kept>,
    compliance_of_teams: BTreeMap<TeamName, Kept>,
    spend: BTreeMap<TeamName, PicoUsdSum>,
}

#[derive(Deserialize)]
struct Tasks {
    season: Season,
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    workload: Option<WorkloadName>,
    task_id: String,
    task_type: Option<String>,
    person: Option<PersonName>,
    team: Option<TeamName>,
    first_call: Timestamp,
    cost: Option<PicoUsdSum>,
    prompt_tokens: u64,
    cache_read_tokens: u64,
    tier: Option<Tier>,
    template: Option<TemplateName>,
    fingerprint: Option<Fingerprint>,
    result: Option<TaskResult>,
    quality_bp: Option<u16>,
    value: Option<PicoUsd>,
    reported_by: Option<Reporter>,
}

#[derive(Deserialize)]
struct Template {
    name: TemplateName,
    owner: PersonName,
    effect: TemplateEffect,
    cost_ratio: Option<f64>,
}

#[derive(Deserialize)]
struct Story {
    name: Name,
    author: PersonName,
}

#[derive(Deserialize)]
struct Contribution {
    name: Name,
    kind: ContributionKind,
    by: PersonName,
    mentored: Option<PersonName>,
}

#[derive(Deserialize)]
struct Kept {
    violations: u64,
    unregistered: PicoUsdSum,
    expired_exceptions: Vec<Name>,
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    standings: &'a Standings,
    by_type: Vec<serde_json::Value>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("expected the path of a company")?;
    let company: Company = serde_json::from_reader(BufReader::new(File::open(path)?))?;
    let rules = Rules {
        formula_name: "of the file".to_owned(),
        formula: company.formula,
        zone: TimeZone::get(&company.zone)?,
        directory: Arc::new(Directory { people: company.people, teams: company.teams }),
    };
    let facts = Facts {
        knowledge: Knowledge {
            templates: company.templates.into_iter().map(Template::known).collect(),
            stories: company.stories.into_iter().map(Story::known).collect(),
            contributions: company.contributions.into_iter().map(Contribution::known).collect(),
        },
        compliance: Compliance {
            people: kept(company.compliance_of_people),
            teams: kept(company.compliance_of_teams),
        },
        spend: company.spend,
    };
    let mut seasons = company.seasons.into_iter().map(Tasks::gathered);
    let scored = seasons.next().ok_or("expected a season")?;
    let pasts = seasons.map(|tasks| Arc::new(PastSeason::new(tasks, &rules))).collect();
    let scores = Scores::new(scored, pasts, rules, facts);
    let found = Found { standings: scores.standings(), by_type: by_type(&scores) };
    println!("{}", serde_json::to_string(&found)?);
    Ok(())
}

/// The boards of each type that is compared.
fn by_type(scores: &Scores) -> Vec<serde_json::Value> {
    let mut boards = Vec::new();
    for of in [Competitors::People, Competitors::Teams] {
        for one in scores.compared_types(of) {
            let board = scores.board_of_type(of, one.task_type.as_deref());
            boards.push(serde_json::json!({ "of": of, "type": one, "board": board }));
        }
    }
    boards
}

fn kept<N: Ord>(all: BTreeMap<N, Kept>) -> BTreeMap<N, ComplianceFacts> {
    let known = |(name, kept): (N, Kept)| {
        let Kept { violations, unregistered, expired_exceptions } = kept;
        (name, ComplianceFacts { violations, unregistered, expired_exceptions })
    };
    all.into_iter().map(known).collect()
}

// === impl Tasks ===

impl Tasks {
    fn gathered(self) -> SeasonTasks {
        let mut gathered = SeasonTasks::new(self.season);
        for task in self.tasks {
            gathered.take(&task.fact());
        }
        gathered
    }
}

// === impl Task ===

impl Task {
    fn fact(self) -> TaskFact {
        TaskFact {
            task_key: 0,
            workload: self.workload,
            task_id: self.task_id,
            task_type: self.task_type,
            person: self.person,
            team: self.team,
            department: None,
            first_call: self.first_call,
            calls: 1,
            cost: self.cost,
            tokens: self.prompt_tokens,
            prompt_tokens: self.prompt_tokens,
            cache_read_tokens: self.cache_read_tokens,
            latency_us: None,
            tier: self.tier,
            template: self.template,
            prompt_fingerprint: self.fingerprint,
            outcome: self.result.map(|result| TaskOutcome {
                result,
                escalated: false,
                quality_bp: self.quality_bp,
                value: self.value,
                reported_by: self.reported_by,
            }),
        }
    }
}

// === impl Template ===

impl Template {
    fn known(self) -> KnownTemplate {
        let Self { name, owner, effect, cost_ratio } = self;
        KnownTemplate { name, owner, team: None, effect, cost_ratio }
    }
}

// === impl Story ===

impl Story {
    fn known(self) -> ConfirmedStory {
        ConfirmedStory { name: self.name, author: self.author }
    }
}

// === impl Contribution ===

impl Contribution {
    fn known(self) -> ConfirmedContribution {
        let Self { name, kind, by, mentored } = self;
        ConfirmedContribution { name, kind, by, mentored }
    }
}
