//! What standings are computed of: tasks, people, what was shared, how rules were kept to.

use std::collections::BTreeMap;

use tally_insight::{
    score::{
        Compliance, ComplianceFacts, Directory, Explanation, Facts, Knowledge, PastSeason, Rules,
        Scores, Season, SeasonTasks, Standings,
    },
    share::Samples,
};
use tally_store::Snapshot;
use tally_types::{
    Name, PersonName, PicoUsdSum, TeamName, Timestamp,
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

/// A season, scored.
pub(crate) struct Scored(Scores);

// === impl Scored ===

impl Scored {
    pub(super) const fn standings(&self) -> &Standings {
        self.0.standings()
    }

    pub(super) fn explain(&self, of: Competitors, name: &Name) -> Option<Explanation> {
        self.0.explain(of, name.as_str())
    }
}

/// Every formula; the one that Tally comes with where there is none of that name.
pub(super) fn formulas(snapshot: &Snapshot) -> Vec<(Name, ScoringFormulaSpec)> {
    let kept = snapshot.scoring_formulas.iter().map(|(name, spec)| (name.clone(), spec.clone()));
    let standard: Option<Name> = ScoringFormulaSpec::STANDARD.parse().ok();
    let standard = standard.filter(|name| !snapshot.scoring_formulas.contains_key(name));
    kept.chain(standard.map(|name| (name, ScoringFormulaSpec::default()))).collect()
}

/// Scores a season by what is known until a moment.
pub(super) fn score(
    warehouse: &Warehouse,
    snapshot: &Snapshot,
    span: &Span,
    until: Timestamp,
) -> Result<Scored, Failed> {
    let rules = rules(snapshot, span)?;
    let zone = snapshot.organization.zone();
    let before = std::iter::successors(span.before(&zone), |span| span.before(&zone));
    let mut pasts = Vec::with_capacity(PASTS);
    for past in before.take(PASTS) {
        let tasks = tasks(warehouse, &past.season, past.season.until)?;
        pasts.push(PastSeason::new(tasks, &rules));
    }
    let mut tasks = SeasonTasks::new(span.season.clone());
    let mut samples = Samples::default();
    let has_templates = !snapshot.templates.is_empty();
    warehouse.tasks(span.season.from, until, &mut |fact| {
        if has_templates {
            samples.take(&fact);
        }
        tasks.take(&fact);
    })?;
    let knowledge = knowledge::of(snapshot, &span.season, until, &samples);
    let facts = facts(warehouse, snapshot, span, until, knowledge)?;
    Ok(Scored(Scores::new(tasks, pasts, rules, facts)))
}

fn tasks(warehouse: &Warehouse, season: &Season, until: Timestamp) -> Result<SeasonTasks, Failed> {
    let mut tasks = SeasonTasks::new(season.clone());
    warehouse.tasks(season.from, until, &mut |fact| tasks.take(&fact))?;
    Ok(tasks)
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
    Ok(Rules { formula_name, formula, zone: snapshot.organization.zone(), directory })
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
