//! Who does which piece of work, with which application and model: the same in the
//! company's past and in its live traffic.

use tally_types::{KeyName, ServiceTier};

use super::{
    chance::{Chance, whole},
    company::{ANTHROPIC, CODING, Company, Model, PREVIEW, Person, READING, Rhythm, Workload},
};

/// Chats that try out a model without a known price.
const PREVIEWED: f64 = 0.025;
/// Work of which some is done with a template: in which workload, of which type, with which.
const TEMPLATES: &[(&str, &str, &str)] = &[
    (CODING, "code-change", "small-change@1"),
    (READING, "code-review", "code-review@1"),
    ("meeting-notes", "summarize", "safe-summary@1"),
    ("code-review-bot", "code-review", "code-review@1"),
];
/// How much of a prompt and an answer is left with a template…
pub(crate) const WITH_TEMPLATE: f64 = 0.72;
/// …and of an agent's turns: it is told when to stop.
const TURNS_WITH_TEMPLATE: f64 = 0.6;
/// Most people stay with the model they like.
const LOYAL: f64 = 0.8;

/// Who calls, for which task, as all calls of the task have it.
#[derive(Debug, Clone)]
pub(crate) struct Caller<'a> {
    pub(crate) person: Option<&'a Person>,
    pub(crate) workload: Option<&'a Workload>,
    pub(crate) key: Option<KeyName>,
    pub(crate) model: &'a Model,
    pub(crate) application: String,
    pub(crate) user_agent: String,
    pub(crate) task_type: Option<&'static str>,
    pub(crate) task_id: Option<String>,
    /// The template that the task's calls name.
    pub(crate) template: Option<&'static str>,
    pub(crate) session: Option<String>,
    pub(crate) value: Option<&'static str>,
    pub(crate) service_tier: ServiceTier,
    pub(crate) streamed: bool,
    pub(crate) subscription: bool,
}

// === impl Caller ===

impl<'a> Caller<'a> {
    /// A person who uses a workload.
    pub(crate) fn person(
        company: &'a Company,
        chance: &mut Chance,
        person: &'a Person,
        workload: &'a Workload,
    ) -> Option<Self> {
        let model = liked_model(company, chance, person, workload)?;
        let application = application(workload, model);
        let is_agent = workload.plan.shape.agent;
        Some(Self {
            person: Some(person),
            key: person.key(),
            subscription: person.habit.subscribed && application == "claude-cli",
            session: is_agent.then(|| format!("session-{:08x}", chance.next() >> 32)),
            streamed: true,
            ..Self::new(chance, workload, model, application)
        })
    }

    /// A workload that runs by itself, with one of its models.
    pub(crate) fn service(chance: &mut Chance, workload: &'a Workload, model: &'a Model) -> Self {
        let application = application(workload, model);
        let is_batch = workload.plan.rhythm == Rhythm::Night
            && model.plan.provider == ANTHROPIC
            && !workload.plan.shape.agent;
        Self {
            key: workload.key(),
            streamed: workload.plan.rhythm == Rhythm::Customers && !model.embeds(),
            // Batches are cheaper where the provider has them.
            service_tier: if is_batch { ServiceTier::Batch } else { ServiceTier::Standard },
            ..Self::new(chance, workload, model, application)
        }
    }

    fn new(
        chance: &mut Chance,
        workload: &'a Workload,
        model: &'a Model,
        application: &str,
    ) -> Self {
        let task_id = format!("{}-{:012x}", workload.name, chance.next() >> 16);
        let task_type = chance.weighted(workload.plan.task_types).copied();
        Self {
            person: None,
            workload: Some(workload),
            key: None,
            model,
            application: application.to_owned(),
            user_agent: user_agent(application),
            task_type,
            template: template_of(workload.plan.name, task_type, &task_id),
            task_id: Some(task_id),
            session: None,
            value: Some(workload.plan.value),
            service_tier: ServiceTier::Standard,
            streamed: false,
            subscription: false,
        }
    }

    /// The same call by someone who does not say for which work.
    pub(crate) fn without_workload(self) -> Self {
        Self { workload: None, task_id: None, ..self }
    }
}

/// Some of the work is done with a template that people share.
fn template_of(workload: &str, task_type: Option<&str>, task_id: &str) -> Option<&'static str> {
    let is_meant =
        |(name, of, _): &&(&str, &str, &str)| (*name, Some(*of)) == (workload, task_type);
    let (_, _, template) = TEMPLATES.iter().find(is_meant)?;
    task_id.ends_with(['0', '1', '2', '3', '4']).then_some(*template)
}

fn liked_model<'a>(
    company: &'a Company,
    chance: &mut Chance,
    person: &Person,
    workload: &Workload,
) -> Option<&'a Model> {
    let models = workload.plan.models;
    if !workload.plan.shape.agent && models.len() > 2 && chance.happens(PREVIEWED) {
        return company.model(PREVIEW);
    }
    let luck = if chance.happens(LOYAL) { person.habit.taste } else { chance.unit() };
    let mut left = luck * models.iter().map(|(_, weight)| weight).sum::<f64>();
    let liked = models.iter().find(|(_, weight)| {
        left -= weight;
        left < 0.0
    });
    company.model(liked.or(models.last())?.0)
}

/// The application that calls, as it names itself.
fn application<'a>(workload: &'a Workload, model: &Model) -> &'a str {
    let is_person = workload.plan.rhythm == Rhythm::People;
    match (is_person && workload.plan.shape.agent, model.plan.provider) {
        (true, ANTHROPIC) => "claude-cli",
        (true, _) => "codex_cli_rs",
        (false, _) => workload.name.as_str(),
    }
}

fn user_agent(application: &str) -> String {
    match application {
        "claude-cli" => "claude-cli/2.1.197 (external, cli)".to_owned(),
        "codex_cli_rs" => "codex_cli_rs/0.63.0 (Ubuntu 24.4.0; x86_64) xterm".to_owned(),
        own => format!("{own}/2.4.1"),
    }
}

/// How many calls a task of a workload takes.
pub(crate) fn calls_of(chance: &mut Chance, workload: &Workload, caller: &Caller<'_>) -> u64 {
    let turns = turns_of(chance, workload);
    match caller.template {
        Some(_) if workload.plan.shape.agent => {
            whole((turns as f64 * TURNS_WITH_TEMPLATE).round()).max(1)
        }
        _ => turns,
    }
}

fn turns_of(chance: &mut Chance, workload: &Workload) -> u64 {
    let (low, high) = workload.plan.calls;
    let middle = (low as f64 * high as f64).sqrt();
    let drawn = whole(chance.log_normal(middle, 0.5).round());
    let most = if workload.plan.shape.agent { high * 2 } else { high };
    drawn.clamp(low, most)
}
