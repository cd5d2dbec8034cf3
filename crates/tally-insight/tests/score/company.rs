//! A company of 60 people in six teams and three departments, and what they do in a season.

use std::{collections::BTreeMap, sync::Arc};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use rand_distr::{Distribution as _, LogNormal};
use tally_insight::score::{
    BoardRow, ConfirmedContribution, Directory, Facts, KnownTemplate, PastSeason, Rules, Scores,
    Season, SeasonTasks, TemplateEffect,
};
use tally_types::{
    Fingerprint, PersonName, PicoUsd, PicoUsdSum, Reporter, TaskFact, TaskOutcome, TaskResult,
    TeamName, Tier, TimeZone, Timestamp,
    spec::{Board, Competitors, ContributionKind, ScoringFormulaSpec},
};

pub(crate) const PEOPLE: usize = 60;
const OF_A_TEAM: usize = 10;
const TYPES: [(Option<&str>, f64); 3] =
    [(Some("review"), 0.08), (Some("summary"), 0.01), (None, 0.03)];
const SEASONS: [&str; 3] = ["2026-11", "2026-10", "2026-09"];

/// Tasks of the season that is scored and of those before, with everything beside them.
#[derive(Debug, Clone)]
pub(crate) struct Company {
    pub(crate) tasks: Vec<TaskFact>,
    /// The newest first.
    pub(crate) pasts: Vec<Vec<TaskFact>>,
    pub(crate) facts: Facts,
    pub(crate) formula: ScoringFormulaSpec,
    pub(crate) next: u64,
}

pub(crate) fn person(number: usize) -> PersonName {
    format!("person-{number:02}").parse().map(PersonName).unwrap()
}

pub(crate) fn team_of(number: usize) -> TeamName {
    format!("team-{}", number / OF_A_TEAM).parse().map(TeamName).unwrap()
}

pub(crate) fn usd(amount: f64) -> PicoUsdSum {
    format!("{amount:.12}").parse().unwrap()
}

pub(crate) fn by_system() -> Option<Reporter> {
    Some(Reporter::Key("ci".parse().map(tally_types::KeyName).unwrap()))
}

pub(crate) fn by_person(number: usize) -> Option<Reporter> {
    Some(Reporter::Person(person(number)))
}

pub(crate) fn outcome(result: TaskResult, quality_bp: u16) -> TaskOutcome {
    TaskOutcome {
        result,
        escalated: false,
        quality_bp: Some(quality_bp),
        value: Some(PicoUsd::from_pico(1_000_000_000_000)),
        reported_by: by_system(),
    }
}

fn season(name: &str) -> Season {
    let (year, month) = name.split_once('-').unwrap();
    let month: u8 = month.parse().unwrap();
    let first = |month: u8| format!("{year}-{month:02}-01T00:00:00Z").parse().unwrap();
    Season { name: name.to_owned(), from: first(month), until: first(month + 1) }
}

// === impl Company ===

impl Company {
    /// Everybody does two types of tasks, 30 of each; the first of a team vouches for the tasks without a type, a
    /// system for the others. People differ in what they spend.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let skills: Vec<f64> = {
            let spread = LogNormal::new(0.0, 0.4).unwrap();
            (0..PEOPLE).map(|_| spread.sample(&mut random)).collect()
        };
        let mut company = Self {
            tasks: Vec::new(),
            pasts: Vec::new(),
            facts: Facts::default(),
            formula: ScoringFormulaSpec::default(),
            next: 0,
        };
        for season in SEASONS {
            let tasks = company.season_of(season, &skills, &mut random);
            match season == SEASONS[0] {
                true => company.tasks = tasks,
                false => company.pasts.push(tasks),
            }
        }
        let spend = (0..PEOPLE).step_by(OF_A_TEAM).map(|number| (team_of(number), usd(40.0)));
        company.facts.spend = spend.collect();
        // Some share already, so that there are ranks to lose and to win.
        for number in (0..PEOPLE).step_by(7) {
            company.contribution(ContributionKind::Evaluation, number, None);
        }
        company
    }

    fn season_of(&mut self, season: &str, skills: &[f64], random: &mut StdRng) -> Vec<TaskFact> {
        let spread = LogNormal::new(0.0, 0.3).unwrap();
        let mut tasks = Vec::new();
        for (number, skill) in skills.iter().enumerate() {
            for of_type in [number % 3, (number + 1) % 3] {
                let (task_type, base) = TYPES[of_type];
                for index in 0..30 {
                    let day = 1 + index % 15;
                    let cost = base * skill * spread.sample(random);
                    let mut task = self.fact(season, number, task_type, cost, day);
                    let result = match random.random_bool(0.85) {
                        true => TaskResult::Succeeded,
                        false => TaskResult::Failed,
                    };
                    let mut came = outcome(result, random.random_range(7_000..9_500));
                    let lead = number / OF_A_TEAM * OF_A_TEAM;
                    if task_type.is_none() && lead != number {
                        came.reported_by = by_person(lead);
                    }
                    task.outcome = Some(came);
                    tasks.push(task);
                }
            }
        }
        tasks
    }

    fn fact(
        &mut self,
        season: &str,
        number: usize,
        task_type: Option<&str>,
        cost: f64,
        day: u32,
    ) -> TaskFact {
        self.next += 1;
        let minute = self.next % 60;
        let first_call: Timestamp =
            format!("{season}-{day:02}T09:{minute:02}:00Z").parse().unwrap();
        TaskFact {
            task_key: self.next,
            workload: None,
            task_id: format!("task-{}", self.next),
            task_type: task_type.map(str::to_owned),
            person: Some(person(number)),
            team: Some(team_of(number)),
            department: None,
            first_call,
            calls: 2,
            cost: Some(usd(cost)),
            tokens: 1_000,
            prompt_tokens: 800,
            cache_read_tokens: 100,
            latency_us: Some(1_000_000),
            tier: Some(Tier::Standard),
            template: None,
            prompt_fingerprint: Some(Fingerprint::new(self.next)),
            outcome: None,
        }
    }

    /// Another task this season, without an outcome.
    pub(crate) fn add(
        &mut self,
        number: usize,
        task_type: Option<&str>,
        cost: f64,
        day: u32,
    ) -> &mut TaskFact {
        let task = self.fact(SEASONS[0], number, task_type, cost, day);
        self.tasks.push(task);
        self.tasks.last_mut().unwrap()
    }

    /// One of the types that somebody does.
    pub(crate) fn type_of(number: usize) -> Option<&'static str> {
        TYPES[number % 3].0
    }

    pub(crate) fn own(&mut self, number: usize) -> impl Iterator<Item = &mut TaskFact> {
        self.tasks.iter_mut().filter(move |task| task.person == Some(person(number)))
    }

    pub(crate) fn template(&mut self, name: &str, owner: usize, effect: TemplateEffect) {
        let name = name.parse().map(tally_types::TemplateName).unwrap();
        let cost_ratio = (effect == TemplateEffect::Saves).then_some(0.8);
        let template = KnownTemplate { name, owner: person(owner), team: None, effect, cost_ratio };
        self.facts.knowledge.templates.push(template);
    }

    /// Somebody does so many of their tasks with a template.
    pub(crate) fn uses(&mut self, number: usize, template: &str, tasks: usize) {
        let template = template.parse().map(tally_types::TemplateName).unwrap();
        let free = self.own(number).filter(|task| task.template.is_none());
        for task in free.take(tasks) {
            task.template = Some(template.clone());
        }
    }

    pub(crate) fn contribution(
        &mut self,
        kind: ContributionKind,
        by: usize,
        mentored: Option<usize>,
    ) {
        let contributions = &mut self.facts.knowledge.contributions;
        let name = format!("contribution-{:03}", contributions.len()).parse().unwrap();
        let (by, mentored) = (person(by), mentored.map(person));
        contributions.push(ConfirmedContribution { name, kind, by, mentored });
    }

    fn directory() -> Directory {
        let people = (0..PEOPLE).map(|number| (person(number), Some(team_of(number)))).collect();
        let teams = (0..PEOPLE).step_by(OF_A_TEAM).map(|number| {
            (team_of(number), Some(format!("department-{}", number / OF_A_TEAM / 2)))
        });
        Directory { people, teams: teams.collect::<BTreeMap<_, _>>() }
    }

    pub(crate) fn scores(&self) -> Scores {
        let rules = Rules {
            formula_name: ScoringFormulaSpec::STANDARD.to_owned(),
            formula: self.formula.clone(),
            zone: TimeZone::UTC,
            directory: Arc::new(Self::directory()),
        };
        let gathered = |name: &str, tasks: &[TaskFact]| {
            let mut gathered = SeasonTasks::new(season(name));
            tasks.iter().for_each(|task| gathered.take(task));
            gathered
        };
        let pasts = SEASONS[1..].iter().zip(&self.pasts);
        let pasts =
            pasts.map(|(name, tasks)| Arc::new(PastSeason::new(gathered(name, tasks), &rules)));
        let pasts = pasts.collect();
        Scores::new(gathered(SEASONS[0], &self.tasks), pasts, rules, self.facts.clone())
    }
}

/// Somebody's row.
pub(crate) fn row(scores: &Scores, of: Competitors, board: Board, name: &str) -> BoardRow {
    scores.standings().board(of, board).unwrap().row(name).unwrap().clone()
}

/// Ranks on every board of a person and of their team; the last place is without a rank.
pub(crate) fn ranks(scores: &Scores, number: usize) -> Vec<(Competitors, Board, u32)> {
    let mut all = Vec::new();
    for (of, boards, name) in [
        (Competitors::People, &scores.standings().people, person(number).0),
        (Competitors::Teams, &scores.standings().teams, team_of(number).0),
    ] {
        for board in boards {
            let rank = board.row(name.as_str()).and_then(|row| row.rank).unwrap_or(u32::MAX);
            all.push((of, board.board, rank));
        }
    }
    all
}
