//! From the tasks of a season to its boards.

use std::{collections::HashMap, sync::Arc};

use tally_types::{
    Name, PersonName, PicoUsdSum, TeamName,
    spec::{Badge, Board, Competitors, Title},
};

use crate::score::{
    board::{BoardOf, BoardRow, ComparedType, Parts, Season, Standings, Unranked, Volume},
    explanation::KnowledgePart,
    input::{ComplianceFacts, Facts, Rules},
    knowledge::{Shared, shared},
    measure::{Measure, rounded},
    past::PastSeason,
    settle::{Settled, Who},
    tasks::SeasonTasks,
    titles,
};

/// The scores of a season, with all that explains them.
#[derive(Debug)]
pub struct Scores {
    pub(super) settled: Settled,
    pub(super) pasts: Vec<Arc<PastSeason>>,
    pub(super) rules: Rules,
    pub(super) facts: Facts,
    pub(super) shared: Shared,
    pub(super) scored: Vec<Scored>,
    standings: Standings,
}

/// One person or team.
#[derive(Debug, Clone)]
pub(super) struct Scored {
    pub(super) who: Who,
    pub(super) name: Name,
    pub(super) parts: Parts,
    /// Points of knowledge.
    pub(super) points: f64,
    /// Counting tasks of compared types.
    compared: u64,
    titles: Vec<Title>,
}

/// A score on one board, or why there is no rank.
struct Entry<'a> {
    scored: &'a Scored,
    score: Option<f64>,
    unranked: Option<Unranked>,
    parts: Parts,
    volume: Volume,
}

// === impl Scores ===

impl Scores {
    /// Scores a season. Seasons before it come the newest first, at most three.
    pub fn new(
        mut tasks: SeasonTasks,
        pasts: Vec<Arc<PastSeason>>,
        rules: Rules,
        facts: Facts,
    ) -> Self {
        introduce(&mut tasks, &rules, &facts);
        let settled = Settled::new(tasks, &rules);
        let shared = shared(&settled.known, &rules, &facts.knowledge);
        let season = settled.known.season.clone();
        let standings = Standings::without_rows(season, rules.formula_name.clone());
        let scored = Vec::new();
        let mut scores = Self { settled, pasts, rules, facts, shared, scored, standings };
        scores.scored = scores.settled.all().filter_map(|who| scores.score(who)).collect();
        scores.standings = scores.rank();
        scores
    }

    /// All boards.
    pub const fn standings(&self) -> &Standings {
        &self.standings
    }

    /// How many tasks the season has.
    pub fn tasks_count(&self) -> usize {
        self.settled.known.tasks.len()
    }

    /// Types of which enough people or teams do enough to be compared, those that most do first.
    pub fn compared_types(&self, of: Competitors) -> Vec<ComparedType> {
        let minimum = usize::try_from(self.rules.formula.minimum_peers).unwrap_or(usize::MAX);
        let known = |(kind, people, teams)| {
            let task_type = self.settled.known.kinds.get(kind)?.clone();
            let peers = if of == Competitors::People { people } else { teams };
            (peers >= minimum).then_some(ComparedType { task_type, people, teams })
        };
        let mut types: Vec<ComparedType> = self.settled.groups.sizes().filter_map(known).collect();
        types.sort_by(|one, other| {
            other.people.cmp(&one.people).then_with(|| one.task_type.cmp(&other.task_type))
        });
        types
    }

    /// Efficiency in one task type only; none of a type that nobody does.
    pub fn board_of_type(&self, of: Competitors, task_type: Option<&str>) -> Option<BoardOf> {
        let kind = self.settled.known.kinds.find(&task_type.map(str::to_owned))?;
        let measure = self.measure();
        let entries = self.of(of).filter_map(|scored| {
            let sums = self.settled.sums(scored.who)?;
            let of_type = sums.types.get(&kind)?;
            let found = measure.efficiency(scored.who, sums, |one| one == kind);
            let efficiency = found.score(measure.formula);
            let parts = Parts { efficiency, improvement: None, ..scored.parts };
            Some(Entry {
                scored,
                score: efficiency.map(|score| rounded(parts.compliance * score)),
                unranked: self.too_few(found.counting, of_type.counting),
                parts,
                volume: of_type.volume(),
            })
        });
        Some(self.board(Board::Efficiency, entries.collect()))
    }

    pub(super) const fn measure(&self) -> Measure<'_> {
        let (settled, formula) = (&self.settled, &self.rules.formula);
        Measure { settled, pasts: self.pasts.as_slice(), formula }
    }

    pub(super) fn compliance(&self, who: Who) -> ComplianceFacts {
        let compliance = &self.facts.compliance;
        let found = self.settled.name(who).and_then(|name| match who {
            Who::Person(_) => compliance.people.get(&PersonName(name.clone())),
            Who::Team(_) => compliance.teams.get(&TeamName(name.clone())),
        });
        found.cloned().unwrap_or_default()
    }

    pub(super) fn knowledge(&self, who: Who) -> Option<&KnowledgePart> {
        let name = self.settled.name(who)?;
        match who {
            Who::Person(_) => self.shared.people.get(&PersonName(name.clone())),
            Who::Team(_) => self.shared.teams.get(&TeamName(name.clone())),
        }
    }

    pub(super) fn find(&self, of: Competitors, name: &str) -> Option<&Scored> {
        self.of(of).find(|scored| scored.name.as_str() == name)
    }

    pub(super) fn of(&self, of: Competitors) -> impl Iterator<Item = &Scored> {
        self.scored.iter().filter(move |scored| scored.who.of() == of)
    }

    /// Whoever did or shared anything.
    fn score(&self, who: Who) -> Option<Scored> {
        let sums = self.settled.sums(who)?;
        let knowledge = self.knowledge(who);
        let spend = self.spend(who);
        if sums.volume.tasks == 0 && knowledge.is_none() && spend.is_none() {
            return None;
        }
        let points = knowledge.map_or(0.0, |part| part.points);
        let measure = self.measure();
        let mut parts = measure.parts(who, sums, points, &self.compliance(who));
        let is_spent = |spend: &PicoUsdSum| *spend > PicoUsdSum::default();
        parts.value_for_money =
            spend.filter(is_spent).map(|spend| sums.value as f64 / spend.pico() as f64);
        Some(Scored {
            who,
            name: self.settled.name(who)?.clone(),
            parts,
            points,
            compared: measure.efficiency(who, sums, |_| true).counting,
            titles: Vec::new(),
        })
    }

    fn spend(&self, who: Who) -> Option<PicoUsdSum> {
        let Who::Team(team) = who else { return None };
        self.facts.spend.get(self.settled.known.teams.get(team)?).copied()
    }

    fn rank(&mut self) -> Standings {
        let Standings { season, formula, .. } = &self.standings;
        let mut standings = Standings::without_rows(season.clone(), formula.clone());
        let ranked: Vec<&Scored> = self
            .of(Competitors::People)
            .filter(|scored| self.entry(scored, Board::Overall).unranked.is_none())
            .collect();
        standings.titles = titles::holders(self, &ranked);
        for holder in &standings.titles {
            let is_holder = |scored: &&mut Scored| {
                matches!(scored.who, Who::Person(_)) && scored.name == holder.person.0
            };
            if let Some(scored) = self.scored.iter_mut().find(is_holder) {
                scored.titles.push(holder.title);
            }
        }
        let board = |of, board| {
            let entries = self.of(of).map(|scored| self.entry(scored, board)).collect();
            self.board(board, entries)
        };
        let shared = Board::ALL.iter().copied().filter(|board| *board != Board::Return);
        standings.people = shared.map(|one| board(Competitors::People, one)).collect();
        standings.teams = Board::ALL.iter().map(|one| board(Competitors::Teams, *one)).collect();
        let best = standings.board(Competitors::Teams, Board::Return).into_iter();
        standings.award = best
            .flat_map(|board| &board.rows)
            .filter(|row| row.rank == Some(1) && row.score.is_some_and(|score| score > 0.0))
            .map(|row| TeamName(row.name.clone()))
            .collect();
        standings
    }

    /// Why somebody has too few tasks to be ranked.
    fn too_few(&self, compared: u64, counting: u64) -> Option<Unranked> {
        let minimum = u64::from(self.rules.formula.minimum_tasks);
        match (counting >= minimum, compared >= minimum) {
            (_, true) => None,
            (true, false) => Some(Unranked::NobodyToCompare),
            (false, false) => Some(Unranked::TooFewTasks),
        }
    }

    fn entry<'a>(&self, scored: &'a Scored, board: Board) -> Entry<'a> {
        let parts = &scored.parts;
        let volume = self.settled.sums(scored.who).map(|sums| sums.volume).unwrap_or_default();
        let counting = volume.counting;
        let too_few = self.too_few(scored.compared, counting);
        let times_compliance = |score: f64| rounded(parts.compliance * score);
        let (score, unranked) = match board {
            Board::Overall => (self.measure().overall(parts), too_few),
            Board::Efficiency => (parts.efficiency.map(times_compliance), too_few),
            Board::Improvement => {
                let score = parts.improvement.map(times_compliance);
                (score, too_few.or(Some(Unranked::NoEarlierSeason).filter(|_| score.is_none())))
            }
            Board::Knowledge => {
                let nothing = Some(Unranked::NothingShared).filter(|_| scored.points <= 0.0);
                (Some(times_compliance(parts.knowledge)), nothing)
            }
            Board::Return => {
                let score = parts.value_for_money.map(|value| (value * 100.0).round() / 100.0);
                let too_few = self.too_few(counting, counting);
                (score, too_few.or(Some(Unranked::NoSpend).filter(|_| score.is_none())))
            }
        };
        Entry { scored, score, unranked, parts: *parts, volume }
    }

    fn board(&self, board: Board, mut entries: Vec<Entry<'_>>) -> BoardOf {
        let ranking = |entry: &Entry<'_>| entry.score.filter(|_| entry.unranked.is_none());
        entries.sort_by(|one, other| {
            let [higher, lower] =
                [other, one].map(|entry| ranking(entry).unwrap_or(f64::NEG_INFINITY));
            higher.total_cmp(&lower).then_with(|| one.scored.name.cmp(&other.scored.name))
        });
        let mut rows: Vec<BoardRow> = Vec::with_capacity(entries.len());
        let (mut rank, mut above, mut ranked) = (0, None, 0);
        for entry in &entries {
            let score = ranking(entry);
            if score.is_some() {
                ranked += 1;
                if score != above {
                    (rank, above) = (ranked, score);
                }
            }
            rows.push(self.row(entry, score.map(|_| rank)));
        }
        mark_ties(&mut rows);
        BoardOf { board, ranked, rows }
    }

    fn row(&self, entry: &Entry<'_>, rank: Option<u32>) -> BoardRow {
        let Entry { scored, score, unranked, parts, volume } = entry;
        let directory = &self.rules.directory;
        let name = scored.name.clone();
        let (person, team) = match scored.who {
            Who::Person(_) => {
                let team = directory.team(&PersonName(name.clone())).cloned();
                (team.clone(), team)
            }
            Who::Team(_) => (None, Some(TeamName(name.clone()))),
        };
        let overall = self.entry(scored, Board::Overall);
        let badge = overall.score.filter(|_| overall.unranked.is_none()).and_then(Badge::of);
        BoardRow {
            name,
            team: person,
            department: team.and_then(|team| directory.department(&team)).cloned(),
            rank,
            tied: false,
            score: *score,
            unranked: *unranked,
            parts: *parts,
            badge,
            titles: scored.titles.clone(),
            volume: *volume,
        }
    }
}

/// People and teams that shared or spent something, but have no task.
fn introduce(tasks: &mut SeasonTasks, rules: &Rules, facts: &Facts) {
    let knowledge = &facts.knowledge;
    let owners = knowledge.templates.iter().map(|template| &template.owner);
    let authors = knowledge.stories.iter().map(|story| &story.author);
    let others = knowledge.contributions.iter().map(|one| &one.by);
    for person in owners.chain(authors).chain(others) {
        tasks.people.number(person);
        if let Some(team) = rules.directory.team(person) {
            tasks.teams.number(team);
        }
    }
    let teams = knowledge.templates.iter().filter_map(|template| template.team.as_ref());
    for team in teams.chain(facts.spend.keys()) {
        tasks.teams.number(team);
    }
}

fn mark_ties(rows: &mut [BoardRow]) {
    let mut of_rank: HashMap<u32, u32> = HashMap::new();
    for rank in rows.iter().filter_map(|row| row.rank) {
        *of_rank.entry(rank).or_default() += 1;
    }
    for row in rows {
        row.tied = row.rank.is_some_and(|rank| of_rank.get(&rank).is_some_and(|count| *count > 1));
    }
}

// === impl Standings ===

impl Standings {
    fn without_rows(season: Season, formula: String) -> Self {
        Self { season, formula, people: vec![], teams: vec![], titles: vec![], award: vec![] }
    }
}
