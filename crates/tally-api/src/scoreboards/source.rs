//! What standings are computed of: tasks, people, what was shared, how rules were kept to.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tally_insight::{
    score::{
        BoardOf, ComparedType, Compliance, ComplianceFacts, Directory, Explanation, Facts,
        Knowledge, PastSeason, Rules, Scores, Season, SeasonTasks, Standings,
    },
    share::Samples,
};
use tally_store::Snapshot;
use tally_types::{
    Name, PersonName, PicoUsdSum, TeamName, TimeZone, Timestamp,
    spec::{Competitors, GrantState, ScoringFormulaSpec},
};
use tally_warehouse::{
    Dimension, Field, Filter, FilterOp, Measure, Query, QueryError, Range, Warehouse,
};

use super::{knowledge, seasons::Span};
use crate::catalog::numbers::{GROUPS_MAX, question, rows};

pub(super) type Failed = QueryError;

/// Seasons before that improvement looks at.
const PASTS: usize = 3;
/// Seasons of which it is kept what is left of them.
const PASTS_KEPT: usize = 12;
/// Outcomes and bills of what is over come late: so long it is not looked at again.
pub(super) const PAST_NS: u64 = 600 * 1_000_000_000;

/// A season, scored.
pub(crate) struct Scored(Scores);

/// What is left of seasons that are over, for those that are held against them.
#[derive(Default)]
pub(super) struct Pasts(Vec<KeptPast>);

/// It depends on all of this, and on what comes late.
struct KeptPast {
    season: Season,
    formula: ScoringFormulaSpec,
    zone: TimeZone,
    directory: Arc<Directory>,
    at_ns: u64,
    past: Arc<PastSeason>,
}

/// How far a computation is.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// The season.
    pub(super) season: String,
    /// What is done, of `steps`.
    pub(super) done: usize,
    pub(super) steps: usize,
    /// What is being done.
    pub(super) doing: String,
}

/// Where a season's scores come from.
pub(super) struct Source<'a> {
    pub(super) warehouse: &'a Warehouse,
    pub(super) snapshot: &'a Snapshot,
    pub(super) span: &'a Span,
    pub(super) progress: &'a Mutex<Option<Progress>>,
}

/// A season's tasks, with all that scores them.
pub(super) struct Gathered {
    tasks: SeasonTasks,
    pasts: Vec<Arc<PastSeason>>,
    rules: Rules,
}

// === impl Scored ===

impl Scored {
    pub(super) const fn standings(&self) -> &Standings {
        self.0.standings()
    }

    pub(super) fn explain(&self, of: Competitors, name: &Name) -> Option<Explanation> {
        self.0.explain(of, name.as_str())
    }

    pub(super) fn compared_types(&self, of: Competitors) -> Vec<ComparedType> {
        self.0.compared_types(of)
    }

    pub(super) fn board_of_type(
        &self,
        of: Competitors,
        task_type: Option<&str>,
    ) -> Option<BoardOf> {
        self.0.board_of_type(of, task_type)
    }

    /// How many tasks are in memory.
    pub(super) fn tasks_count(&self) -> usize {
        self.0.tasks_count()
    }
}

/// Every formula; the one that Tally comes with where there is none of that name.
pub(super) fn formulas(snapshot: &Snapshot) -> Vec<(Name, ScoringFormulaSpec)> {
    let kept = snapshot.scoring_formulas.iter().map(|(name, spec)| (name.clone(), spec.clone()));
    let standard: Option<Name> = ScoringFormulaSpec::STANDARD.parse().ok();
    let standard = standard.filter(|name| !snapshot.scoring_formulas.contains_key(name));
    kept.chain(standard.map(|name| (name, ScoringFormulaSpec::default()))).collect()
}

// === impl Source ===

impl Source<'_> {
    /// Gathers a season's tasks until a moment; what is left of those before is kept and looked at again in time.
    pub(super) fn gather(
        &self,
        until: Timestamp,
        kept: &mut Pasts,
        at_ns: u64,
    ) -> Result<Gathered, Failed> {
        let rules = rules(self.snapshot, self.span)?;
        let zone = &rules.zone;
        let before = std::iter::successors(self.span.before(zone), |span| span.before(zone));
        let before: Vec<Season> = before.take(PASTS).map(|span| span.season).collect();
        kept.0.retain(|past| at_ns.saturating_sub(past.at_ns) < PAST_NS);
        // A season that is over is looked at because of what came late: so are those before it.
        let is_over = until >= self.span.season.until;
        let find = |season: &Season| kept.find(season, &rules).filter(|_| !is_over);
        let known: Vec<_> = before.iter().map(find).collect();
        let missing = known.iter().filter(|past| past.is_none()).count();
        // The tasks of each, then the scores.
        self.begin(missing + 2);
        let mut pasts = Vec::with_capacity(PASTS);
        for (season, known) in before.into_iter().zip(known) {
            let past = match known {
                Some(past) => past,
                None => {
                    let tasks = self.tasks(&season, season.until)?;
                    kept.keep(season, PastSeason::new(tasks, &rules), &rules, at_ns)
                }
            };
            pasts.push(past);
        }
        let tasks = self.tasks(&self.span.season, until)?;
        Ok(Gathered { tasks, pasts, rules })
    }

    fn tasks(&self, season: &Season, until: Timestamp) -> Result<SeasonTasks, Failed> {
        self.doing(format!("gathering the tasks of {}", season.name));
        let mut tasks = SeasonTasks::new(season.clone());
        self.warehouse.tasks(season.from, until, &mut |fact| tasks.take(&fact))?;
        self.done();
        Ok(tasks)
    }

    /// What the season was at a moment.
    pub(super) fn score_before(
        &self,
        gathered: &Gathered,
        moment: Timestamp,
    ) -> Result<Scored, Failed> {
        let Gathered { tasks, pasts, rules } = gathered;
        let then =
            Gathered { tasks: tasks.before(moment), pasts: pasts.clone(), rules: rules.clone() };
        self.score(then, moment)
    }

    /// Scores a season by what is known until a moment.
    pub(super) fn score(&self, gathered: Gathered, until: Timestamp) -> Result<Scored, Failed> {
        self.doing(format!("scoring {} tasks", gathered.tasks.count()));
        let Gathered { tasks, pasts, rules } = gathered;
        // Without a template there is nothing to measure.
        let samples = match self.snapshot.templates.is_empty() {
            true => Samples::default(),
            false => tasks.samples(),
        };
        let knowledge = knowledge::of(self.snapshot, &self.span.season, until, &samples);
        let facts = facts(self.warehouse, self.snapshot, self.span, until, knowledge)?;
        Ok(Scored(Scores::new(tasks, pasts, rules, facts)))
    }

    fn begin(&self, steps: usize) {
        let season = self.span.season.name.clone();
        let doing = "looking at what there is".to_owned();
        *self.progress.lock() = Some(Progress { season, done: 0, steps, doing });
    }

    fn doing(&self, what: String) {
        if let Some(progress) = self.progress.lock().as_mut() {
            progress.doing = what;
        }
    }

    fn done(&self) {
        if let Some(progress) = self.progress.lock().as_mut() {
            progress.done += 1;
        }
    }
}

// === impl Pasts ===

impl Pasts {
    fn find(&self, season: &Season, rules: &Rules) -> Option<Arc<PastSeason>> {
        let is_it = |past: &&KeptPast| {
            past.season == *season
                && past.formula == rules.formula
                && past.zone == rules.zone
                && past.directory == rules.directory
        };
        self.0.iter().find(is_it).map(|past| Arc::clone(&past.past))
    }

    fn keep(
        &mut self,
        season: Season,
        past: PastSeason,
        rules: &Rules,
        at_ns: u64,
    ) -> Arc<PastSeason> {
        // The oldest comes first; of what it depends on, the newest only.
        self.0.retain(|kept| kept.season != season || kept.formula != rules.formula);
        if self.0.len() >= PASTS_KEPT {
            self.0.remove(0);
        }
        let past = Arc::new(past);
        let (formula, zone) = (rules.formula.clone(), rules.zone.clone());
        let directory = Arc::clone(&rules.directory);
        let kept = Arc::clone(&past);
        self.0.push(KeptPast { season, formula, zone, directory, at_ns, past: kept });
        past
    }
}

/// The formula that held when the season began.
fn rules(snapshot: &Snapshot, span: &Span) -> Result<Rules, Failed> {
    let mut held: Vec<(Name, ScoringFormulaSpec)> =
        formulas(snapshot).into_iter().filter(|(_, spec)| spec.from <= span.first_day).collect();
    // Of two that begin on one day the name decides, so that it is always the same.
    held.sort_by(|(name, one), (other, two)| (one.from, name).cmp(&(two.from, other)));
    let (formula_name, formula) = match held.pop() {
        Some(newest) => newest,
        None => {
            let wrong = |_| QueryError::Invalid("the name of the standard formula".to_owned());
            (ScoringFormulaSpec::STANDARD.parse().map_err(wrong)?, ScoringFormulaSpec::default())
        }
    };
    let people = snapshot.people.iter();
    let teams = snapshot.teams.iter();
    let directory = Directory {
        people: people.map(|(name, spec)| (PersonName(name.clone()), spec.team.clone())).collect(),
        teams: teams
            .map(|(name, spec)| (TeamName(name.clone()), spec.department.clone()))
            .collect(),
    };
    let formula_name = formula_name.to_string();
    let zone = snapshot.organization.zone();
    Ok(Rules { formula_name, formula, zone, directory: Arc::new(directory) })
}

fn facts(
    warehouse: &Warehouse,
    snapshot: &Snapshot,
    span: &Span,
    until: Timestamp,
    knowledge: Knowledge,
) -> Result<Facts, Failed> {
    let season = Asked { warehouse, from: span.season.from, until };
    let spend = season.by(Measure::SpendUsd, Field::Team, None)?;
    Ok(Facts {
        knowledge,
        compliance: compliance(&season, snapshot)?,
        spend: named(spend.into_iter().map(|(name, (_, money))| (name, money)), TeamName),
    })
}

fn compliance(season: &Asked<'_>, snapshot: &Snapshot) -> Result<Compliance, Failed> {
    let mut compliance = Compliance {
        people: named(season.facts(Field::Person)?, PersonName),
        teams: named(season.facts(Field::Team)?, TeamName),
    };
    for (name, exception) in &snapshot.exceptions {
        let held = matches!(exception.state, GrantState::Approved | GrantState::Expired);
        let was_approved = !exception.decisions.is_empty();
        let ran_out = exception.until >= season.from && exception.until < season.until;
        if !(held && was_approved && ran_out) {
            continue;
        }
        let person = &exception.requested_by;
        let own = compliance.people.entry(person.clone()).or_default();
        own.expired_exceptions.push(name.clone());
        let team = snapshot.people.get(person.as_str()).and_then(|person| person.team.clone());
        if let Some(team) = team {
            compliance.teams.entry(team).or_default().expired_exceptions.push(name.clone());
        }
    }
    Ok(compliance)
}

/// Questions to the metrics layer about a season, as far as it is looked at.
struct Asked<'a> {
    warehouse: &'a Warehouse,
    from: Timestamp,
    until: Timestamp,
}

type Found = BTreeMap<String, (u64, PicoUsdSum)>;

// === impl Asked ===

impl Asked<'_> {
    /// A count and money by each value of a dimension, page by page: companies are large.
    fn by(&self, measure: Measure, field: Field, filter: Option<Filter>) -> Result<Found, Failed> {
        let mut found = Found::new();
        let range = Range::Between { from: self.from, to: self.until };
        if self.from >= self.until {
            return Ok(found);
        }
        let mut asked = Query {
            filters: filter.into_iter().collect(),
            ..question(vec![measure], &[field], range)
        };
        loop {
            let answer = self.warehouse.query(&asked, self.until)?;
            for row in rows(&answer) {
                let Some(name) = row.text(field.name()) else { continue };
                let money = row.money(measure.name()).unwrap_or_default();
                found.insert(name, (row.count(measure.name()), money));
            }
            if answer.rows.len() < GROUPS_MAX {
                return Ok(found);
            }
            asked.offset += GROUPS_MAX;
        }
    }

    /// Violations and unregistered spend.
    fn facts(&self, field: Field) -> Result<BTreeMap<String, ComplianceFacts>, Failed> {
        let violations = Filter::eq(Field::Violation, "true");
        let unregistered = Filter {
            dimension: Dimension::Field(Field::Workload),
            op: FilterOp::IsNull,
            values: Vec::new(),
        };
        let mut facts: BTreeMap<String, ComplianceFacts> = BTreeMap::new();
        for (name, (count, _)) in self.by(Measure::PolicyViolations, field, Some(violations))? {
            facts.entry(name).or_default().violations = count;
        }
        for (name, (_, money)) in self.by(Measure::SpendUsd, field, Some(unregistered))? {
            facts.entry(name).or_default().unregistered = money;
        }
        Ok(facts)
    }
}

/// Keyed by names; what is no name belongs to nobody.
fn named<K: Ord, V>(
    found: impl IntoIterator<Item = (String, V)>,
    name: impl Fn(Name) -> K,
) -> BTreeMap<K, V> {
    let found = found.into_iter();
    found.filter_map(|(text, value)| Some((name(text.parse().ok()?), value))).collect()
}
