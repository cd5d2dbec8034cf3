//! Whether a call may leave, and with how much: rate limits, budgets, and what is done when a
//! budget asks for less.

use std::sync::Arc;

use http::StatusCode;
use tally_budget::{
    Ask, Budgets, Demand, Hold, Less as Asked, Refused, RefusedBy, Standing, Subject, Verdict,
};
use tally_types::{
    BudgetState, FallbackReason,
    spec::{BudgetLimit, StageDegrade},
};

use crate::{
    attempt::Start,
    call::{Call, Candidate},
    estimate::PromptSize,
    json_bytes::spliced,
    less::{CannotReduce, ContextLimit, InputRates, Less, OUTPUT_TOKENS_MIN, combined},
    plane::Model,
    protocol::Splice,
    refusal::Refusal,
};

/// What an answer without a limit of its own is taken to be at most, in tokens.
const OUTPUT_TOKENS_MAX: u64 = 16_384;
/// How often a call may be changed before it is refused; each change happens once.
const CHANGES_MAX: usize = 4;

/// How a call is sent: as it came, or with less.
#[derive(Default)]
pub(crate) struct Form {
    pub(crate) candidates: Vec<Candidate>,
    /// Edits of the body, the model's name and the question for usage apart.
    pub(crate) splices: Vec<Splice>,
    pub(crate) context: Vec<Splice>,
    /// The prompt as it is sent.
    pub(crate) prompt: PromptSize,
    pub(crate) knobs: Less,
    /// The output cap in force.
    pub(crate) output_tokens_max: Option<u64>,
    /// Whether only ceilings hold it any more.
    pub(crate) is_degraded: bool,
    /// What was changed, for the reply and the event.
    pub(crate) changed: Vec<&'static str>,
}

/// What the reply says about the budgets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) decision: Option<String>,
    pub(crate) stage: Option<u32>,
    pub(crate) remaining: Option<String>,
    pub(crate) degraded: Option<String>,
}

/// A call that may leave.
pub(crate) struct Admitted {
    pub(crate) form: Form,
    /// The first attempt, with what it has reserved.
    pub(crate) first: Start,
    pub(crate) told: Told,
}

// === impl Call ===

impl Call {
    /// Lets the call leave as it came, or with less, or refuses it.
    pub(crate) fn admit(&self) -> Result<Admitted, Refusal> {
        let mut form = Form {
            candidates: self.candidates()?,
            output_tokens_max: self.parsed.output_tokens_max,
            prompt: self.prompt,
            ..Form::default()
        };
        if let Some(how) = &self.policed.degrade {
            self.swap_model(&mut form, std::slice::from_ref(how), FallbackReason::Policy);
        }
        let mut ticket = Some(self.limit_rate(&form)?);
        let mut binding = None;
        for _ in 0..CHANGES_MAX {
            let mut start = self.first_start(&form)?;
            match self.reserve(&start, &form) {
                Verdict::Allowed(hold, standing) => {
                    // Under a ceiling no answer may be longer than what is reserved for it.
                    if standing.has_ceiling && form.output_tokens_max.is_none() {
                        self.cap_output(&mut form, start.output_tokens_bound());
                    }
                    start.hold = Some(hold);
                    start.ticket = ticket.take();
                    let told = told(&form, &standing, binding);
                    form.mark(&mut start);
                    return Ok(Admitted { form, first: start, told });
                }
                Verdict::Degrade(less) => {
                    self.refuse_instead(&less)?;
                    self.serve_less(&mut form, &less)?;
                    binding = Some(less.binding.to_string());
                }
                Verdict::Refused(refused) => {
                    let RefusedBy::Ceiling { left } = refused.by else {
                        return Err(self.refusal(&refused));
                    };
                    match self.output_that_fits(&start, left) {
                        Some(tokens) if !form.changed.contains(&"output") => {
                            self.cap_output(&mut form, tokens);
                            binding = Some(refused.binding.to_string());
                        }
                        _ => return Err(self.refusal(&refused)),
                    }
                }
            }
        }
        Err(Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "budget_exceeded",
            "the budgets that apply leave no way to serve this call",
        )
        .with_next_step("`tally budget list` shows them; ask their owners for more"))
    }

    fn first_start(&self, form: &Form) -> Result<Start, Refusal> {
        let candidate = form.candidates.first().ok_or_else(|| {
            Refusal::new(StatusCode::BAD_GATEWAY, "upstream_unreachable", "no provider was tried")
        })?;
        Ok(self.start(candidate, form, 0))
    }

    /// Reserves for another attempt of the same form; `None` when a budget has no room.
    pub(crate) fn reserve_again(&self, start: &Start, form: &Form) -> Option<Hold> {
        match self.reserve(start, form) {
            Verdict::Allowed(hold, _) => Some(hold),
            Verdict::Degrade(_) | Verdict::Refused(_) => None,
        }
    }

    fn reserve(&self, start: &Start, form: &Form) -> Verdict {
        let budgets: &Arc<Budgets> = self.gateway.budgets();
        let demand = start.demand(self.parsed.answers);
        budgets.reserve(&Ask {
            event: &start.event,
            demand,
            is_degraded: form.is_degraded,
            now: self.gateway.clock.now(),
        })
    }

    fn limit_rate(&self, form: &Form) -> Result<tally_budget::Ticket, Refusal> {
        let workload = self.context.workload.as_ref();
        let of_workload =
            workload.and_then(|it| Some((Subject::Workload(it.name.clone()), it.spec.rate_limit?)));
        let model = form.candidates.first().map(|candidate| &candidate.model);
        let of_model = model.and_then(|it| Some((Subject::Model(it.name.clone()), it.rate_limit?)));
        let mut demands = self.identity.rates.clone();
        demands.extend(of_workload.into_iter().chain(of_model));
        let tokens = self.gateway.estimator.input_tokens(&self.parsed.model, self.prompt);
        let now_ns = self.gateway.clock.monotonic_ns();
        self.gateway.rates.admit(now_ns, &demands, tokens).map_err(|limited| {
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", limited.to_string())
                .with_retry_after(limited.retry_after_s.max(1))
                .with_next_step("wait as long as `retry-after` says, or ask for a higher limit")
        })
    }

    /// A client may rather be refused than served less, where its workload allows that.
    fn refuse_instead(&self, less: &Asked) -> Result<(), Refusal> {
        let wishes = self.headers.get("x-tally-degrade").is_some_and(|value| value == "never");
        let may = self.context.workload.as_ref().is_some_and(|it| it.spec.degrade_opt_out);
        if !(wishes && may) {
            return Ok(());
        }
        let message = format!(
            "the budget `{}` asks for less from {} % on, and the call asks not to be degraded",
            less.binding, less.at
        );
        Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "degrade_refused", message)
            .with_budget(less.binding.to_string())
            .with_retry_after(CLIENT_GIVES_UP_S)
            .with_next_step(
                "leave out `x-tally-degrade: never`, or ask for an increase: `tally grant request`",
            ))
    }

    /// Changes the form as the budgets declare; what cannot be changed is served as it is.
    fn serve_less(&self, form: &mut Form, less: &Asked) -> Result<(), Refusal> {
        form.is_degraded = true;
        let hows: Vec<StageDegrade> = less.how.iter().map(|how| self.declared(how)).collect();
        self.swap_model(form, &hows, FallbackReason::Budget);
        if let Some(max) = hows.iter().filter_map(|how| how.max_context_tokens).min() {
            self.cut_context(form, max, &less.binding.to_string())?;
        }
        form.knobs.effort = hows.iter().filter_map(|how| how.reasoning_effort).min();
        form.knobs.output_tokens = hows.iter().filter_map(|how| how.max_output_tokens).min();
        self.turn_knobs(form);
        Ok(())
    }

    /// A stage that says nothing of its own stands for the workload's declared fallback, and
    /// without one for what the model declares.
    fn declared(&self, how: &StageDegrade) -> StageDegrade {
        if *how != StageDegrade::default() {
            return how.clone();
        }
        let fallback = self.context.workload.as_ref().and_then(|it| it.spec.fallback.clone());
        match fallback {
            Some(fallback) => StageDegrade {
                to: fallback.model,
                max_context_tokens: fallback.max_context_tokens,
                ..StageDegrade::default()
            },
            None => StageDegrade { to: Some("cheaper".to_owned()), ..StageDegrade::default() },
        }
    }

    /// The cheapest of the models that the budgets declare and that can serve the request.
    fn swap_model(&self, form: &mut Form, hows: &[StageDegrade], why: FallbackReason) {
        // An embedding of another model would not fit into the client's index.
        if self.protocol.operation() == "embeddings" {
            return;
        }
        let Some(asked) = form.candidates.first().map(|it| Arc::clone(&it.model)) else { return };
        let priced = hows.iter().filter_map(|how| self.model_for(form, &asked, how));
        let Some((_, chosen)) = priced.min_by_key(|(cost, _)| *cost) else { return };
        let mut candidates = self.candidates_of(&chosen, Some(why));
        if let Some(other) = self.fallback_model(&chosen) {
            candidates.extend(self.candidates_of(&other, Some(FallbackReason::Error)));
        }
        form.candidates = candidates;
        form.changed.push("model");
    }

    /// The first model of a declaration's chain that can serve the request for less.
    fn model_for(
        &self,
        form: &Form,
        asked: &Arc<Model>,
        how: &StageDegrade,
    ) -> Option<(i128, Arc<Model>)> {
        let first = match (how.to.as_deref(), how.tier) {
            (Some("cheaper"), _) | (None, Some(_)) => asked.cheaper.as_ref()?.as_str(),
            (Some(name), _) => name,
            (None, None) => return None,
        };
        let first = self.plane.model(first)?;
        let cost_asked = self.worst_cost(asked, form);
        let chain = std::iter::once(Arc::clone(first)).chain(self.cheaper_chain(first));
        let mut others = chain.take_while(|model| model.name != asked.name);
        others.find_map(|model| {
            let is_in_tier = how.tier.is_none_or(|tier| model.tier >= tier);
            let cost = self.worst_cost(&model, form)?;
            let is_cheaper = cost_asked.is_none_or(|asked| cost < asked);
            (is_cheaper && is_in_tier && self.can_serve(&model)).then_some((cost, model))
        })
    }

    pub(crate) fn can_serve(&self, model: &Model) -> bool {
        if !self.may_use(model) {
            return false;
        }
        let mut routes = model.routes_of(self.protocol.dialect());
        let Some(route) = routes.find(|route| self.permits(model, route)) else { return false };
        let input = self.gateway.estimator.input_tokens(&route.upstream_name, self.prompt);
        let output = self.parsed.output_tokens_max.unwrap_or(0);
        let fits = model.context_tokens.is_none_or(|max| input.saturating_add(output) <= max);
        let answers = model.output_tokens.is_none_or(|max| output <= max);
        model.serves(self.parsed.needs) && fits && answers
    }

    fn worst_cost(&self, model: &Arc<Model>, form: &Form) -> Option<i128> {
        let candidate = self.candidates_of(model, None).into_iter().next()?;
        self.start(&candidate, form, 0).demand(self.parsed.answers).pico_usd
    }

    fn cut_context(&self, form: &mut Form, max: u64, budget: &str) -> Result<(), Refusal> {
        // What the provider keeps of the conversation cannot be cut here.
        let first = form.candidates.first().filter(|_| !self.parsed.is_stateful);
        let Some(candidate) = first else { return Ok(()) };
        let limit = ContextLimit {
            max_tokens: max,
            tokens_per_byte: self.gateway.estimator.tokens_per_byte(&candidate.route.upstream_name),
            rates: self.input_rates(candidate),
        };
        match self.protocol.reduce_context(&self.body, &limit) {
            Ok(reduced) if reduced.turns_dropped > 0 => {
                form.prompt = PromptSize::of(&spliced(&self.body, reduced.splices.clone()));
                form.context = reduced.splices;
                form.changed.push("context");
            }
            Err(error @ CannotReduce::TooLarge { .. }) => {
                let message = format!("the budget `{budget}` asks for a smaller context: {error}");
                return Err(Refusal::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "budget_exceeded",
                    message,
                )
                .with_budget(budget)
                .with_retry_after(CLIENT_GIVES_UP_S)
                .with_next_step(
                    "send less at once, or ask for an increase: `tally grant request`",
                ));
            }
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }

    fn input_rates(&self, candidate: &Candidate) -> Option<InputRates> {
        let route = &candidate.route;
        let prices = &self.plane.prices;
        let found = prices.find(route.upstream.price_name(), &route.upstream_name, self.time)?;
        let rates = found.entry.rates.first()?;
        Some(InputRates { uncached: rates.input?, cache_read: rates.cache_read? })
    }

    fn cap_output(&self, form: &mut Form, tokens: u64) {
        form.knobs.output_tokens = Some(tokens);
        self.turn_knobs(form);
    }

    /// Puts effort and output cap into the body, beside what the context lost.
    fn turn_knobs(&self, form: &mut Form) {
        let lessened = self.protocol.with_less(&self.body, &form.knobs);
        if let Some(tokens) = lessened.output_tokens_max {
            form.output_tokens_max = Some(tokens);
            form.change("output");
        }
        if lessened.reasoning {
            form.change("reasoning");
        }
        let both = form.context.iter().cloned().chain(lessened.splices);
        // Knobs stand beside the messages; the two never touch.
        form.splices = combined(both).unwrap_or_else(|| form.context.clone());
    }

    /// How long an answer may be so that the call fits below a ceiling, if that is worth it.
    fn output_that_fits(&self, start: &Start, left: BudgetLimit) -> Option<u64> {
        let demand = |output| start.demand_with(output, self.parsed.answers);
        let answers = self.parsed.answers.max(1);
        let now = start.output_tokens_bound();
        let tokens = match left {
            BudgetLimit::Requests(_) => return None,
            BudgetLimit::Tokens(left) => left.checked_sub(demand(0).tokens)? / answers,
            BudgetLimit::Usd(left) => {
                let without = demand(0).pico_usd?;
                let rest = left.pico().checked_sub(without).filter(|rest| *rest > 0)?;
                let per_token =
                    demand(now).pico_usd?.checked_sub(without)? / i128::from(now.max(1));
                u64::try_from(rest / per_token.max(1)).ok()?
            }
        };
        (tokens >= OUTPUT_TOKENS_MIN && tokens < now).then_some(tokens)
    }

    fn refusal(&self, refused: &Refused) -> Refusal {
        let budget = refused.binding.to_string();
        let wait = refused.resets_at.duration_since(self.gateway.clock.now()).as_secs();
        let wait_s = u64::try_from(wait).unwrap_or(0).max(1);
        let (code, message) = match refused.by {
            RefusedBy::Ceiling { left } => (
                "budget_exceeded",
                format!(
                    "the budget `{budget}` of {} has {} left, less than this call may cost",
                    amount(refused.limit),
                    amount(left)
                ),
            ),
            RefusedBy::ApprovalWaits => (
                "budget_approval_pending",
                format!("the budget `{budget}` waits for an approval and denies calls until then"),
            ),
            RefusedBy::ApprovalDenied => (
                "budget_approval_denied",
                format!("the budget `{budget}` was denied its approval to go on"),
            ),
            RefusedBy::PriceUnknown => (
                "budget_price_unknown",
                format!(
                    "the price of `{}` is unknown, and the budget `{budget}` counts money",
                    self.parsed.model
                ),
            ),
        };
        let next_step = match refused.by {
            RefusedBy::PriceUnknown => {
                "apply a PriceList that names the model, or ask for a model that has a price"
                    .to_owned()
            }
            _ => format!(
                "wait until {}, or ask for an increase: `tally grant request --budget {}`",
                refused.resets_at, refused.binding.budget
            ),
        };
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, code, message)
            .with_budget(budget)
            .with_retry_after(wait_s)
            .with_next_step(next_step)
    }
}

/// A wait that the official clients do not sit out: trying again changes nothing.
const CLIENT_GIVES_UP_S: u64 = 3_600;

// === impl Start ===

impl Start {
    /// The most that the attempt may use.
    fn demand(&self, answers: u64) -> Demand {
        self.demand_with(self.output_tokens_bound(), answers)
    }

    /// The longest answer, in tokens.
    fn output_tokens_bound(&self) -> u64 {
        if self.event.operation == "embeddings" {
            return 0;
        }
        let most = self.model.output_tokens;
        match (self.output_tokens_max, most) {
            (Some(asked), Some(most)) => asked.min(most),
            (asked, most) => asked.or(most).unwrap_or(OUTPUT_TOKENS_MAX),
        }
    }

    fn demand_with(&self, output_tokens: u64, answers: u64) -> Demand {
        let route = &self.route;
        let output = output_tokens.saturating_mul(answers.max(1));
        let cost = self.plane.prices.worst_case(
            route.upstream.price_name(),
            &route.upstream_name,
            self.event.time,
            self.input_tokens_max,
            output,
            self.event.service_tier,
        );
        let tokens = self.input_tokens_max.saturating_add(output);
        Demand { pico_usd: cost.map(|cost| cost.pico().into()), tokens, tokens_all: tokens }
    }
}

// === impl Form ===

impl Form {
    fn change(&mut self, what: &'static str) {
        if !self.changed.contains(&what) {
            self.changed.push(what);
        }
    }

    /// Leaves on the event what was changed.
    pub(crate) fn mark(&self, start: &mut Start) {
        if self.is_degraded || !self.changed.is_empty() {
            start.event.tags.insert("tally.degraded".to_owned(), self.in_words());
        }
    }

    fn in_words(&self) -> String {
        if self.changed.is_empty() {
            "none: already the cheapest".to_owned()
        } else {
            self.changed.join(", ")
        }
    }
}

fn told(form: &Form, standing: &Standing, asked: Option<String>) -> Told {
    let named = standing.binding.as_ref().map(ToString::to_string).or(asked);
    let word = match standing.state {
        BudgetState::Ok | BudgetState::Notified if form.is_degraded => "degrade",
        BudgetState::Ok => "allow",
        BudgetState::Notified => "notify",
        BudgetState::Approval => "approval",
        BudgetState::Degraded => "degrade",
        BudgetState::Denied => "deny",
    };
    let is_changed = form.is_degraded || !form.changed.is_empty();
    let decision = match &named {
        Some(budget) if word != "allow" => Some(format!("{word}; budget={budget}")),
        _ => None,
    };
    Told {
        decision,
        stage: standing.stage,
        remaining: standing.remaining.map(amount),
        degraded: is_changed.then(|| form.in_words()),
    }
}

/// An amount as people read it: `12.5 usd`, `300 tokens`.
fn amount(amount: BudgetLimit) -> String {
    match amount {
        BudgetLimit::Usd(usd) => format!("{usd} usd"),
        BudgetLimit::Tokens(count) => format!("{count} tokens"),
        BudgetLimit::Requests(count) => format!("{count} requests"),
    }
}
