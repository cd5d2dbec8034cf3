//! Policies on a call's path: which rules hold for it, whether it may leave, by which models
//! and providers, and what must not leave in it.
//!
//! Rules may ask for the model and the provider, so every way to serve a call is decided on its
//! own: a way that is refused is not taken, whether it is the first choice, a fallback or what a
//! budget degrades to. The call is refused when no way to serve what was asked for is left.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use http::StatusCode;
use tally_policy::{
    redact::Pattern,
    rules::{
        Act, Ask, Decision, Matched, PolicyAnswer, PolicyCall, PolicyQuestion, RuleSet, Waiver,
    },
};
use tally_store::Snapshot;
use tally_types::{
    CONTAINED_TAG, FallbackReason, Name, PolicyDecision, ProviderName, Severity, TimeZone,
    Timestamp, UsageEvent, WorkloadName,
    spec::{
        ExceptionSpec, GrantState, ModelSpec, PolicyProvider, PolicyTime, PolicyWeekday,
        PolicyWorkload, ProviderSpec, RuleDegrade, StageDegrade, WorkloadSpec,
    },
};

use crate::{
    call::{Call, Candidate},
    plane::{DataPlane, Model, Route},
    refusal::Refusal,
};

/// The rules and what they are asked with, as of one snapshot.
pub(crate) struct Policies {
    rules: RuleSet,
    /// Approved exceptions.
    waivers: Vec<Waiver>,
    providers: HashMap<ProviderName, PolicyProvider>,
    zone: TimeZone,
    /// Kinds of data of the company's own.
    pub(crate) patterns: Vec<Pattern>,
}

/// What the policies made of a call.
#[derive(Default)]
pub(crate) struct Policed {
    /// What they know of it, the model and the provider apart; none before they are asked, and
    /// where there is no rule.
    facts: Option<PolicyCall>,
    /// Kinds of data to replace before the prompt leaves.
    pub(crate) redact: BTreeSet<String>,
    /// Whether they are put back into the reply.
    pub(crate) restore: bool,
    /// How to serve it by a cheaper model.
    pub(crate) degrade: Option<StageDegrade>,
    /// The provider that it was sent to instead.
    reroute: Option<ProviderName>,
    /// The model that serves there, where the one asked for is not to be had.
    pub(crate) instead: Option<Arc<Model>>,
    binding: Option<Arc<str>>,
    rules: Vec<String>,
    shadow_rules: Vec<String>,
    exceptions: Vec<String>,
    decision: Option<PolicyDecision>,
    severity: Option<Severity>,
    /// The severe rule that has the key suspended.
    contain: Option<Matched>,
}

// === impl Policies ===

impl Policies {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let policies = snapshot.policies.iter().map(|(name, spec)| (name.as_str(), spec));
        let providers = snapshot.providers.iter();
        let rules = RuleSet::compile(policies);
        // One that cannot be used was refused when its policy was stored.
        let patterns = rules.patterns().iter();
        let patterns = patterns.filter_map(|it| Pattern::new(&it.name, &it.regex).ok()).collect();
        Self {
            patterns,
            rules,
            waivers: waivers_of(snapshot),
            providers: providers.map(|(name, spec)| (name.clone(), provider(name, spec))).collect(),
            zone: snapshot.organization.zone(),
        }
    }

    /// What would happen to a call by these policies.
    fn answer(
        &self,
        snapshot: &Snapshot,
        question: &PolicyQuestion,
        now: Timestamp,
    ) -> Result<PolicyAnswer, String> {
        let mut call = looked_up(snapshot, question)?;
        call.provider = match (&question.provider, &question.model) {
            (Some(name), _) => {
                let found = self.providers.get(name).cloned();
                Some(found.ok_or_else(|| format!("there is no provider `{name}`"))?)
            }
            (None, Some(model)) => {
                let routes = snapshot.models.get(model).map(ModelSpec::all_routes);
                let first = routes.into_iter().flatten().next();
                first.and_then(|route| self.providers.get(&route.provider)).cloned()
            }
            (None, None) => None,
        };
        call.time = Some(self.time(now));
        let ask = Ask { call: &call, waivers: &self.waivers, now };
        Ok(PolicyAnswer { explanation: self.rules.explain(ask), call })
    }

    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        self.rules.problems()
    }

    fn decide(&self, call: &PolicyCall, now: Timestamp) -> Decision {
        self.rules.decide(Ask { call, waivers: &self.waivers, now })
    }

    fn time(&self, now: Timestamp) -> PolicyTime {
        let here = now.to_zoned(self.zone.clone());
        let weekday = usize::try_from(here.weekday().to_monday_zero_offset()).unwrap_or(0);
        PolicyTime {
            hour: u8::try_from(here.hour()).unwrap_or(0),
            weekday: PolicyWeekday::ALL.get(weekday).copied().unwrap_or(PolicyWeekday::Monday),
            date: here.date().to_string(),
        }
    }
}

/// What would happen to a call by the policies of a snapshot that nobody runs.
///
/// # Errors
/// Names what the question names and is not there.
pub fn explain_policies(
    snapshot: &Snapshot,
    question: &PolicyQuestion,
    now: Timestamp,
) -> Result<PolicyAnswer, String> {
    Policies::new(snapshot).answer(snapshot, question, now)
}

/// What a question means for the resources there are.
fn looked_up(snapshot: &Snapshot, question: &PolicyQuestion) -> Result<PolicyCall, String> {
    let missing = |kind: &str, name: &dyn std::fmt::Display| format!("there is no {kind} `{name}`");
    let mut call = PolicyCall {
        task_type: question.task_type.clone().unwrap_or_default(),
        operation: question.operation.clone().unwrap_or_default(),
        application: question.application.clone().unwrap_or_default(),
        token_estimate: question.token_estimate.unwrap_or(0),
        budget_stage: question.budget_stage.unwrap_or(0),
        images: question.images,
        tools: question.tools,
        ..PolicyCall::default()
    };
    let key = match &question.key {
        Some(name) => {
            call.key = name.to_string();
            Some(snapshot.keys.get(name.as_str()).ok_or_else(|| missing("key", name))?)
        }
        None => None,
    };
    call.roles = key.map(|key| key.roles.clone()).unwrap_or_default();
    let workload = question.workload.as_ref().or_else(|| key?.workload.as_ref());
    let person = question.person.as_ref().or_else(|| key?.person.as_ref());
    let mut team = None;
    if let Some(name) = workload {
        let found = snapshot.workloads.get(name.as_str());
        let spec = found.ok_or_else(|| missing("workload", name))?;
        call.environment = spec.environment;
        call.data_class = spec.data_class;
        team = snapshot.people.get(spec.owner.as_str()).and_then(|owner| owner.team.clone());
        call.workload = Some(workload_facts(name, spec));
    }
    if let Some(name) = person {
        let found = snapshot.people.get(name.as_str());
        let spec = found.ok_or_else(|| missing("person", name))?;
        call.person = name.to_string();
        call.roles.clone_from(&spec.roles);
        team = spec.team.clone().or(team);
    }
    if let Some(name) = &team {
        call.team = name.to_string();
        let department = snapshot.teams.get(name.as_str()).and_then(|it| it.department.clone());
        call.department = department.unwrap_or_default();
    }
    if let Some(name) = &question.model {
        let spec = snapshot.models.get(name).ok_or_else(|| missing("model", name))?;
        call.model = name.to_string();
        call.tier = Some(spec.tier);
    }
    // As with a header: raised, never lowered.
    call.data_class = question.data_class.map_or(call.data_class, |it| it.max(call.data_class));
    Ok(call)
}

/// A workload, as policies know it.
pub(crate) fn workload_facts(name: &WorkloadName, spec: &WorkloadSpec) -> PolicyWorkload {
    PolicyWorkload {
        name: name.clone(),
        owner: spec.owner.to_string(),
        cost_center: Some(spec.cost_center.clone()),
        class: Some(spec.class),
        tier: Some(spec.tier),
        data_class: Some(spec.data_class),
    }
}

/// Exceptions that were approved; whether their time has come is asked call by call.
fn waivers_of(snapshot: &Snapshot) -> Vec<Waiver> {
    let approved = |it: &(&Name, &ExceptionSpec)| it.1.state == GrantState::Approved;
    let waiver = |(name, spec): (&Name, &ExceptionSpec)| Waiver {
        exception: name.to_string(),
        rule: spec.rule.clone(),
        person: spec.scope.person.as_ref().map(ToString::to_string),
        team: spec.scope.team.as_ref().map(ToString::to_string),
        workload: spec.scope.workload.as_ref().map(ToString::to_string),
        key: spec.scope.key.as_ref().map(ToString::to_string),
        from: spec.from,
        until: spec.until,
    };
    snapshot.exceptions.iter().filter(approved).map(waiver).collect()
}

fn provider(name: &ProviderName, spec: &ProviderSpec) -> PolicyProvider {
    PolicyProvider {
        name: name.clone(),
        dialect: Some(spec.dialect),
        data_classes: spec.data_classes.clone(),
        zero_retention: spec.zero_retention,
    }
}

// === impl DataPlane ===

impl DataPlane {
    /// What would happen to a call, and why.
    ///
    /// # Errors
    /// Names what the question names and is not there.
    pub fn explain_policies(
        &self,
        question: &PolicyQuestion,
        now: Timestamp,
    ) -> Result<PolicyAnswer, String> {
        self.policies.answer(&self.snapshot, question, now)
    }
}

// === impl Call ===

impl Call {
    /// Has the policies decide; refuses where they do.
    pub(crate) fn police(&mut self) -> Result<(), Refusal> {
        if self.plane.policies.rules.is_empty() {
            return Ok(());
        }
        let facts = self.facts();
        let candidates = self.candidates()?;
        let decide = |it: Candidate| {
            let decision = self.decide_at(&facts, &it.model, &it.route);
            (it, decision)
        };
        let decided: Vec<(Candidate, Decision)> = candidates.into_iter().map(decide).collect();
        let is_asked = |it: &&(Candidate, Decision)| it.0.fallback.is_none();
        let passes = decided.iter().filter(is_asked).find(|(_, decision)| !decision.refuses());
        let Some((candidate, decision)) = passes.or_else(|| decided.first()) else {
            return Ok(());
        };
        let mut policed = Policed::of(decision);
        if decision.refuses() {
            let refusal = refused(decision, &facts);
            self.policed = policed;
            return Err(refusal);
        }
        policed.degrade = decision.degrade.as_ref().and_then(|how| less(how, &candidate.model));
        let wanted = decision.reroute.clone();
        let asked = Arc::clone(&candidate.model);
        let is_there = wanted.as_ref().is_none_or(|it| *it == candidate.route.upstream.provider);
        policed.settle(decision, is_there);
        self.collect_redactions(&facts, &decided, &mut policed);
        let binding = decision.matched.iter().find(|it| matches!(it.act, Act::Reroute(_))).cloned();
        policed.facts = Some(facts);
        policed.reroute = wanted.clone().filter(|_| !is_there);
        self.policed = policed;
        match (wanted, binding) {
            (Some(provider), Some(rule)) if !is_there => self.reroute(&asked, &provider, &rule),
            _ => Ok(()),
        }
    }

    /// Finds a model at the provider that a rule names: the one asked for, then the cheaper ones
    /// it declares, then one of the same tier.
    fn reroute(
        &mut self,
        asked: &Arc<Model>,
        provider: &ProviderName,
        rule: &Matched,
    ) -> Result<(), Refusal> {
        if self.is_served(asked) {
            return Ok(());
        }
        // An embedding of another model would not fit into the client's index.
        let may_swap = self.protocol.operation() != "embeddings";
        let chain = self.cheaper_chain(asked);
        let same_tier = self.plane.all_models().filter(|model| model.tier == asked.tier).cloned();
        let mut others = chain.into_iter().chain(same_tier).filter(|_| may_swap);
        let found = others.find(|model| self.is_served(model) && self.can_serve(model));
        if found.is_some() {
            self.policed.instead = found;
            return Ok(());
        }
        self.policed.decision = Some(PolicyDecision::Deny);
        let message = format!(
            "{} Calls like this go to the provider `{provider}`, which serves nothing like `{}`",
            rule.says, asked.name
        );
        let next_step =
            format!("ask for a model of `{provider}`; `GET /v1/models` lists what there is");
        Err(Refusal::new(StatusCode::FORBIDDEN, "policy_denied", message)
            .with_rule(&*rule.rule, "deny")
            .with_next_step(next_step))
    }

    fn is_served(&self, model: &Arc<Model>) -> bool {
        !self.candidates_of(model, None).is_empty()
    }

    /// The models that a model's declaration of a cheaper one leads to.
    pub(crate) fn cheaper_chain(&self, model: &Arc<Model>) -> Vec<Arc<Model>> {
        let mut chain: Vec<Arc<Model>> = Vec::new();
        let mut next = model.cheaper.as_ref();
        while let Some(found) = next.and_then(|name| self.plane.model(name.as_str())) {
            if found.name == model.name || chain.iter().any(|it| it.name == found.name) {
                break;
            }
            chain.push(Arc::clone(found));
            next = found.cheaper.as_ref();
        }
        chain
    }

    /// Whether the policies let this model and provider serve the call.
    pub(crate) fn permits(&self, model: &Model, route: &Route) -> bool {
        let Some(facts) = &self.policed.facts else { return true };
        let provider = &route.upstream.provider;
        let goes_there = |wanted: Option<&ProviderName>| wanted.is_none_or(|it| it == provider);
        if !goes_there(self.policed.reroute.as_ref()) {
            return false;
        }
        if !self.plane.policies.rules.reads_candidate() {
            return true;
        }
        let decision = self.decide_at(facts, model, route);
        // What would have to be redacted for it, and was not, must not reach it.
        let is_covered = decision.redact.is_subset(&self.policed.redact);
        !decision.refuses() && goes_there(decision.reroute.as_ref()) && is_covered
    }

    fn decide_at(&self, facts: &PolicyCall, model: &Model, route: &Route) -> Decision {
        let policies = &self.plane.policies;
        let call = PolicyCall {
            model: model.name.to_string(),
            tier: Some(model.tier),
            provider: policies.providers.get(&route.upstream.provider).cloned(),
            ..facts.clone()
        };
        policies.decide(&call, self.time)
    }

    /// Everything that any model which may come to serve the call asks to be redacted.
    fn collect_redactions(
        &self,
        facts: &PolicyCall,
        decided: &[(Candidate, Decision)],
        policed: &mut Policed,
    ) {
        let mut restores: Vec<bool> = Vec::new();
        let mut add = |decision: &Decision| {
            if !decision.refuses() && !decision.redact.is_empty() {
                policed.redact.extend(decision.redact.iter().cloned());
                restores.push(decision.restore);
            }
        };
        decided.iter().for_each(|(_, decision)| add(decision));
        if self.plane.policies.rules.reads_candidate() {
            let models = decided.first().map(|(candidate, _)| self.cheaper_chain(&candidate.model));
            for model in models.unwrap_or_default() {
                for route in model.routes_of(self.protocol.dialect()) {
                    add(&self.decide_at(facts, &model, route));
                }
            }
        }
        policed.restore = !restores.is_empty() && restores.iter().all(|restores| *restores);
    }

    /// What the policies know of the call, whoever serves it.
    fn facts(&self) -> PolicyCall {
        let rules = &self.plane.policies.rules;
        let mut facts = self.context.policy_call(&self.identity);
        self.protocol.operation().clone_into(&mut facts.operation);
        facts.token_estimate = self.gateway.estimator.input_tokens(&self.parsed.model, self.prompt);
        facts.images = self.parsed.needs.images;
        facts.tools = self.parsed.needs.tools;
        if rules.reads_time() {
            facts.time = Some(self.plane.policies.time(self.time));
        }
        if rules.reads_budget_stage() {
            let event = self.context.event(
                &self.identity,
                tally_types::EventId(self.call_id.0),
                self.call_id,
                self.time,
            );
            let uses = self.gateway.budgets().applying(&event, self.time);
            facts.budget_stage = uses.iter().filter_map(|it| it.stage).max().unwrap_or(0);
        }
        facts
    }
}

// === impl Policed ===

impl Policed {
    fn of(decision: &Decision) -> Self {
        let ids = |all: &[Matched]| all.iter().map(|it| it.rule.to_string()).collect();
        Self {
            binding: decision.binding.as_ref().map(|it| Arc::clone(&it.rule)),
            rules: ids(&decision.matched),
            shadow_rules: ids(&decision.shadow),
            exceptions: decision.waived.iter().map(|it| it.exception.clone()).collect(),
            decision: decision.matched.iter().filter_map(|it| word(&it.act)).max(),
            severity: decision.severity(),
            contain: decision.matched.iter().find(|it| it.contains()).cloned(),
            ..Self::default()
        }
    }

    /// What counts as done of a call that passes: to be served by the provider that a rule
    /// names, or by a model as cheap as it asks for, changes nothing.
    fn settle(&mut self, decision: &Decision, is_there: bool) {
        let is_done = |act: &Act| match act {
            Act::Reroute(_) => !is_there,
            Act::Degrade(_) => self.degrade.is_some(),
            _ => true,
        };
        // Of equals the first decides, and `max_by_key` finds the last.
        let done = decision.matched.iter().rev().filter(|it| is_done(&it.act));
        let strictest =
            done.filter_map(|it| Some((word(&it.act)?, &it.rule))).max_by_key(|it| it.0);
        self.decision = strictest.as_ref().map(|(word, _)| *word);
        self.binding = strictest.map(|(_, rule)| Arc::clone(rule));
        self.contain =
            decision.matched.iter().find(|it| it.contains() && is_done(&it.act)).cloned();
    }

    /// Why another model or provider serves, if a rule says so.
    pub(crate) fn moved(&self) -> Option<FallbackReason> {
        self.reroute.as_ref().map(|_| FallbackReason::Policy)
    }

    /// The severe rule that has the key suspended, and its sentence.
    pub(crate) fn contain(&self) -> Option<(&str, &str)> {
        self.contain.as_ref().map(|it| (&*it.rule, &*it.says))
    }

    /// Leaves on the event what the policies did.
    pub(crate) fn mark(&self, event: &mut UsageEvent) {
        event.rules.clone_from(&self.rules);
        event.shadow_rules.clone_from(&self.shadow_rules);
        event.policy_decision = self.decision;
        event.policy_severity = self.severity;
        if !self.exceptions.is_empty() {
            event.tags.insert("tally.exception".to_owned(), self.exceptions.join(","));
        }
        // A client may have sent a tag of this name.
        event.tags.remove(CONTAINED_TAG);
        if let Some((rule, _)) = self.contain() {
            event.tags.insert(CONTAINED_TAG.to_owned(), rule.to_owned());
        }
    }

    /// What the reply says: what was done, by which rule.
    pub(crate) fn told(&self) -> Option<String> {
        let decision = self.decision.filter(|it| *it > PolicyDecision::Log)?;
        Some(format!("{decision}; rule={}", self.binding.as_ref()?))
    }
}

const fn word(act: &Act) -> Option<PolicyDecision> {
    match act {
        Act::Allow => None,
        Act::Log => Some(PolicyDecision::Log),
        Act::Redact { .. } => Some(PolicyDecision::Redact),
        Act::Degrade(_) => Some(PolicyDecision::Degrade),
        Act::Reroute(_) => Some(PolicyDecision::Reroute),
        Act::Review => Some(PolicyDecision::Review),
        Act::Register | Act::Deny => Some(PolicyDecision::Deny),
    }
}

/// How to serve by less than the model; none where it is little enough.
fn less(how: &RuleDegrade, model: &Model) -> Option<StageDegrade> {
    let is_little = how.tier.is_some_and(|tier| model.tier >= tier)
        || how.to.as_ref().is_some_and(|to| *to == model.name);
    let names_nothing = how.tier.is_none() && how.to.is_none();
    let to = how.to.as_ref().map(ToString::to_string);
    let to = to.or_else(|| names_nothing.then(|| "cheaper".to_owned()));
    (!is_little).then(|| StageDegrade { to, tier: how.tier, ..StageDegrade::default() })
}

fn refused(decision: &Decision, facts: &PolicyCall) -> Refusal {
    let Some(rule) = &decision.binding else {
        return Refusal::new(StatusCode::FORBIDDEN, "policy_denied", "a policy refuses this call");
    };
    let whose = match &facts.workload {
        Some(workload) => format!("&workload={}", workload.name),
        None if facts.person.is_empty() => format!("&key={}", facts.key),
        None => format!("&person={}", facts.person),
    };
    let link = format!("/exceptions/new?rule={}{whose}", rule.rule);
    let (code, effect, next_step) = match rule.act {
        Act::Review => (
            "policy_review",
            "review",
            format!("ask for a review in Tally at {link}; once approved, the call passes"),
        ),
        Act::Register => (
            "workload_unregistered",
            "deny",
            format!(
                "register the workload in Tally at /workloads/new and use a key bound to it, or ask for an exception at {link}"
            ),
        ),
        _ => (
            "policy_denied",
            "deny",
            format!("use what the policy allows, or ask for an exception in Tally at {link}"),
        ),
    };
    Refusal::new(StatusCode::FORBIDDEN, code, rule.says.to_string())
        .with_rule(&*rule.rule, effect)
        .with_next_step(next_step)
}
