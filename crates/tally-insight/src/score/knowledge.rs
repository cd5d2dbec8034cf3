//! What sharing is worth: templates that others use, stories and contributions that were confirmed.

use std::collections::{BTreeMap, HashMap, HashSet};

use tally_types::{
    PersonName, TeamName,
    spec::{ContributionKind, ReusePoints, ScoringFormulaSpec},
};

use crate::score::{
    explanation::{
        KnowledgePart, SharedContribution, SharedItem, TemplateEffect, TemplatePart,
        WorthlessContribution,
    },
    input::{ConfirmedContribution, Knowledge, KnownTemplate, Rules},
    links::Links,
    tasks::{NONE, SeasonTasks},
};

const PICO_PER_USD: f64 = 1e12;

/// What everybody shared that came to something.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) people: BTreeMap<PersonName, KnowledgePart>,
    pub(super) teams: BTreeMap<TeamName, KnowledgePart>,
}

/// What one person did with one template.
#[derive(Debug, Clone, Copy)]
struct Use {
    person: u32,
    tasks: u64,
    /// In picodollars.
    cost: i128,
    in_ring: bool,
}

struct Sharing<'a> {
    known: &'a SeasonTasks,
    rules: &'a Rules,
    shared: Shared,
}

/// Of the season's tasks and everything that was shared.
pub(super) fn shared(known: &SeasonTasks, rules: &Rules, knowledge: &Knowledge) -> Shared {
    let mut sharing = Sharing { known, rules, shared: Shared::default() };
    sharing.templates(&knowledge.templates);
    for story in &knowledge.stories {
        let item = SharedItem { name: story.name.clone(), points: rules.formula.story_points };
        sharing.each_of(&story.author, |part| part.stories.push(item.clone()));
    }
    sharing.contributions(&knowledge.contributions);
    let Shared { people, teams } = &mut sharing.shared;
    for part in people.values_mut().chain(teams.values_mut()) {
        part.add_up(&rules.formula);
    }
    sharing.shared
}

/// Points for so many users of a template.
pub(super) fn template_points(reuse: &ReusePoints, effect: TemplateEffect, users: u32) -> f64 {
    let factor = match effect {
        TemplateEffect::Saves => reuse.confirmed_factor,
        TemplateEffect::Unclear => 1.0,
        TemplateEffect::Costs => 0.0,
    };
    (reuse.points * factor * f64::from(users)).min(reuse.points_max)
}

// === impl Sharing ===

impl<'a> Sharing<'a> {
    fn team(&self, person: &PersonName) -> Option<&'a TeamName> {
        self.rules.directory.team(person)
    }

    /// Adds to a person's part and to that of their team.
    fn each_of(&mut self, person: &PersonName, add: impl Fn(&mut KnowledgePart)) {
        add(self.shared.people.entry(person.clone()).or_default());
        if let Some(team) = self.team(person) {
            add(self.shared.teams.entry(team.clone()).or_default());
        }
    }

    /// Who used which template, by the template's number.
    fn uses(&self) -> HashMap<u32, BTreeMap<u32, (u64, i128)>> {
        let mut uses: HashMap<u32, BTreeMap<u32, (u64, i128)>> = HashMap::new();
        let counting = self.known.tasks.iter().filter(|task| task.is_counting());
        for task in counting.filter(|task| task.template != NONE && task.person != NONE) {
            let one = uses.entry(task.template).or_default().entry(task.person).or_default();
            one.0 += 1;
            one.1 += i128::from(task.cost.unwrap_or_default());
        }
        uses
    }

    fn templates(&mut self, templates: &[KnownTemplate]) {
        let uses = self.uses();
        let mut sorted: Vec<&KnownTemplate> = templates.iter().collect();
        sorted.sort_by(|one, other| one.name.cmp(&other.name));
        let known = |template: &KnownTemplate| {
            let owner = self.known.people.find(&template.owner).unwrap_or(NONE);
            let users = self.known.templates.find(&template.name).and_then(|it| uses.get(&it));
            (owner, users)
        };
        let mut borrows = Links::default();
        for template in &sorted {
            let (owner, users) = known(template);
            for user in users.into_iter().flat_map(BTreeMap::keys).filter(|_| owner != NONE) {
                borrows.add(*user, owner);
            }
        }
        let found: Vec<(&KnownTemplate, Vec<Use>)> = sorted
            .iter()
            .map(|template| {
                let (owner, users) = known(template);
                (*template, of_others(owner, users, &borrows))
            })
            .collect();
        for (template, uses) in found {
            self.template(template, &uses);
        }
    }

    fn template(&mut self, template: &KnownTemplate, uses: &[Use]) {
        if uses.is_empty() {
            return;
        }
        let part = self.part(template, uses.iter());
        self.shared.people.entry(template.owner.clone()).or_default().templates.push(part);
        let Some(team) = template.team.as_ref().or_else(|| self.team(&template.owner)) else {
            return;
        };
        let is_of_others = |one: &&Use| {
            let user = self.known.people.get(one.person);
            user.and_then(|user| self.team(user)) != Some(team)
        };
        let part = self.part(template, uses.iter().filter(is_of_others));
        if part.tasks > 0 {
            self.shared.teams.entry(team.clone()).or_default().templates.push(part);
        }
    }

    fn part<'u>(
        &self,
        template: &KnownTemplate,
        uses: impl Iterator<Item = &'u Use> + Clone,
    ) -> TemplatePart {
        let reuse = &self.rules.formula.reuse;
        let count = |in_ring: bool| {
            let users = uses.clone().filter(|one| one.in_ring == in_ring);
            let enough = users.filter(|one| one.tasks >= u64::from(reuse.tasks));
            u32::try_from(enough.count()).unwrap_or(u32::MAX)
        };
        let honest = uses.clone().filter(|one| !one.in_ring);
        let cost: i128 = honest.map(|one| one.cost).sum();
        let saved = match (template.effect, template.cost_ratio) {
            (TemplateEffect::Saves, Some(ratio)) if ratio > 0.0 && ratio < 1.0 => {
                cost as f64 / PICO_PER_USD * (1.0 / ratio - 1.0)
            }
            _ => 0.0,
        };
        TemplatePart {
            template: template.name.clone(),
            users: count(false),
            in_ring: count(true),
            tasks: uses.clone().map(|one| one.tasks).sum(),
            effect: template.effect,
            saved,
            points: template_points(reuse, template.effect, count(false)),
        }
    }

    fn contributions(&mut self, contributions: &[ConfirmedContribution]) {
        let mut numbers: HashMap<&PersonName, u32> = HashMap::new();
        let mut number = |person| {
            let next = u32::try_from(numbers.len()).unwrap_or(NONE);
            *numbers.entry(person).or_insert(next)
        };
        let mut sorted: Vec<&ConfirmedContribution> = contributions.iter().collect();
        sorted.sort_by(|one, other| one.name.cmp(&other.name));
        let pairs: Vec<Option<(u32, u32)>> = sorted
            .iter()
            .map(|one| {
                let mentored = one.mentored.as_ref()?;
                let is_mentoring = one.kind == ContributionKind::Mentoring;
                is_mentoring.then(|| (number(&one.by), number(mentored)))
            })
            .collect();
        let mut mentors = Links::default();
        for (mentor, mentored) in pairs.iter().flatten() {
            mentors.add(*mentor, *mentored);
        }
        let mut counted = HashSet::new();
        for (one, pair) in sorted.into_iter().zip(pairs) {
            let worthless = pair.and_then(|(mentor, mentored)| match () {
                () if mentor == mentored || mentors.lead(mentored, mentor) => {
                    Some(WorthlessContribution::MentoringRing)
                }
                () if !counted.insert((mentor, mentored)) => {
                    Some(WorthlessContribution::PairCounted)
                }
                () => None,
            });
            let points = match worthless {
                Some(_) => 0.0,
                None => self.rules.formula.contribution_points.of(one.kind),
            };
            let (name, kind) = (one.name.clone(), one.kind);
            let item = SharedContribution { name, kind, points, worthless };
            self.each_of(&one.by, |part| part.contributions.push(item.clone()));
        }
    }
}

/// Use by others than the owner. It is in a ring where more than half of it comes from people whose templates the
/// owner uses, too.
fn of_others(owner: u32, users: Option<&BTreeMap<u32, (u64, i128)>>, borrows: &Links) -> Vec<Use> {
    let others = users.into_iter().flatten().filter(|(person, _)| **person != owner);
    let mut uses: Vec<Use> = others
        .map(|(person, (tasks, cost))| {
            let in_ring = borrows.lead(owner, *person);
            Use { person: *person, tasks: *tasks, cost: *cost, in_ring }
        })
        .collect();
    let all: u64 = uses.iter().map(|one| one.tasks).sum();
    let in_ring: u64 = uses.iter().filter(|one| one.in_ring).map(|one| one.tasks).sum();
    if in_ring * 2 <= all {
        for one in &mut uses {
            one.in_ring = false;
        }
    }
    uses
}

// === impl KnowledgePart ===

impl KnowledgePart {
    fn add_up(&mut self, formula: &ScoringFormulaSpec) {
        let templates: f64 = self.templates.iter().map(|part| part.points).sum();
        let stories: f64 = self.stories.iter().map(|item| item.points).sum();
        let contributions: f64 = self.contributions.iter().map(|item| item.points).sum();
        self.points = templates + stories + contributions.min(formula.contribution_points_max);
    }
}
