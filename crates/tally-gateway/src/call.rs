//! A call, step by step: identity, context, candidates, attempts, reply.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tally_journal::JournalError;
use tally_types::{
    CallId, CallStatus, EventId, FallbackReason, PicoUsd, Record, Timestamp, Tokens, UsageEvent,
    spec::KeySuspension,
};

use crate::{
    Gateway,
    admission::{Form, Told},
    attempt::{Ending, OpenAttempt, Start, Used, price},
    auth::{Known, admit},
    context::Context,
    estimate::PromptSize,
    json_bytes,
    less::combined,
    measure,
    plane::{DataPlane, Identity, Model, Route},
    policy::Policed,
    protocol::{ParsedRequest, Protocol, Splice},
    redaction::Redacted,
    refusal::Refusal,
    reply::is_event_stream,
    upstream::{self, Failure, Outgoing},
};

/// A call whose caller is known and whose request is understood.
pub(crate) struct Call {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) plane: Arc<DataPlane>,
    pub(crate) protocol: &'static dyn Protocol,
    pub(crate) identity: Arc<Identity>,
    pub(crate) context: Context,
    pub(crate) parsed: ParsedRequest,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) prompt: PromptSize,
    /// Why nothing is served to its key for now.
    pub(crate) suspended: Option<Arc<KeySuspension>>,
    /// What the policies said; known once it is served.
    pub(crate) policed: Policed,
    /// What was taken out of the prompt; the body is without it.
    pub(crate) redacted: Redacted,
    /// What the budgets said; known once it is admitted.
    pub(crate) told: Told,
    pub(crate) subscription: bool,
    pub(crate) call_id: CallId,
    pub(crate) time: Timestamp,
    pub(crate) started_ns: u64,
}

/// One way to serve the call.
pub(crate) struct Candidate {
    pub(crate) model: Arc<Model>,
    pub(crate) route: Arc<Route>,
    pub(crate) fallback: Option<FallbackReason>,
}

/// How an attempt went.
enum Attempted {
    Reply(Response),
    Failed(Box<Failed>),
}

/// A failed attempt and, if it was metered, its accounting.
type Failed = (Failure, Option<OpenAttempt>);

/// Serves one request; every way out is a reply in the client's dialect.
pub(crate) async fn handle(
    gateway: Arc<Gateway>,
    protocol: &'static dyn Protocol,
    request: Request,
) -> Response {
    let started_ns = gateway.clock.monotonic_ns();
    let time = gateway.clock.now();
    let call_id = CallId(gateway.ids.uuid(time));
    let outcome = match Call::accept(gateway, protocol, request, call_id, time, started_ns).await {
        Ok(call) => call.serve().await,
        Err(refusal) => Err(refusal),
    };
    outcome.unwrap_or_else(|mut refusal| {
        measure::refused(refusal.code);
        refusal.request_id = Some(call_id.to_string().into());
        refusal.into_reply(protocol.dialect())
    })
}

// === impl Call ===

impl Call {
    async fn accept(
        gateway: Arc<Gateway>,
        protocol: &'static dyn Protocol,
        request: Request,
        call_id: CallId,
        time: Timestamp,
        started_ns: u64,
    ) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        let Known { plane, identity, subscription, suspended } =
            admit(&gateway, &head.headers, time)?;
        let body = read_body(body, gateway.options.request_bytes_max).await?;
        let parsed = protocol.parse(&body)?;
        let mut context = Context::read(&plane, &identity, &head.headers, &parsed)?;
        context.fingerprint(gateway.redaction_key(), &body);
        let prompt = PromptSize::of(&body);
        Ok(Self {
            query: head.uri.query().map(str::to_owned),
            headers: head.headers,
            gateway,
            plane,
            protocol,
            identity,
            context,
            parsed,
            body,
            prompt,
            suspended,
            policed: Policed::default(),
            redacted: Redacted::default(),
            told: Told::default(),
            subscription,
            call_id,
            time,
            started_ns,
        })
    }

    async fn serve(mut self) -> Result<Response, Refusal> {
        let passes = self.refuse_suspended().and_then(|()| self.police());
        if let Err(refusal) = passes.and_then(|()| self.redact()) {
            self.record_refusal(&refusal).await;
            return Err(refusal);
        }
        let admitted = if self.protocol.is_metered() {
            self.admit().map(|it| (it.form, Some(it.first), it.told))
        } else {
            let plain = |candidates| Form { candidates, prompt: self.prompt, ..Form::default() };
            self.candidates().map(|candidates| (plain(candidates), None, Told::default()))
        };
        match admitted {
            Ok((form, first, told)) => {
                self.told = told;
                self.serve_form(&form, first).await
            }
            Err(refusal) => {
                self.record_refusal(&refusal).await;
                Err(refusal)
            }
        }
    }

    async fn serve_form(&self, form: &Form, mut first: Option<Start>) -> Result<Response, Refusal> {
        let mut retries = 0;
        let mut last = None;
        for candidate in &form.candidates {
            let repeats_max = u32::from(candidate.route.upstream.spec.retries_max);
            for repeat in 0.. {
                if let Some(failed) = last.take() {
                    settle_before_retry(failed);
                    retries += 1;
                }
                let start = match first.take() {
                    Some(start) => start,
                    None => match self.next_start(candidate, form, retries) {
                        Some(start) => start,
                        // The budgets have no room for another attempt.
                        None => return self.give_up(last),
                    },
                };
                let failed = match self.attempt(candidate, form, start).await? {
                    Attempted::Reply(reply) => return Ok(reply),
                    Attempted::Failed(failed) => *failed,
                };
                let wait = self.repeat_after(&failed.0, repeat).filter(|_| repeat < repeats_max);
                let Some(wait) = wait else {
                    let goes_elsewhere = failed.0.repeat.is_some() || failed.0.timed_out;
                    last = Some(failed);
                    if goes_elsewhere {
                        break;
                    }
                    return self.give_up(last);
                };
                // Settled before the wait: a client that leaves meanwhile changes nothing.
                settle_before_retry(failed);
                retries += 1;
                measure::retried(candidate.route.upstream.provider.as_str());
                tokio::time::sleep(wait).await;
            }
        }
        self.give_up(last)
    }

    /// Another attempt, with what it has reserved; none when a budget has no room for it.
    fn next_start(&self, candidate: &Candidate, form: &Form, retries: u16) -> Option<Start> {
        let mut start = self.start(candidate, form, retries);
        if self.protocol.is_metered() {
            start.hold = Some(self.reserve_again(&start, form)?);
            form.mark(&mut start);
        }
        Some(start)
    }

    /// The model's routes in this dialect, then those of the workload's declared fallback.
    pub(crate) fn candidates(&self) -> Result<Vec<Candidate>, Refusal> {
        let dialect = self.protocol.dialect();
        let wanted = &self.parsed.model;
        let asked = self.plane.model(wanted).ok_or_else(|| self.unknown_model())?;
        if !self.may_use(asked) {
            return Err(self.access_required(asked));
        }
        let model = self.policed.instead.as_ref().unwrap_or(asked);
        let mut candidates = self.candidates_of(model, self.policed.moved());
        if candidates.is_empty() {
            let message = format!("the model `{wanted}` is not served in the {dialect} dialect");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "dialect_mismatch", message)
                .with_next_step(
                    "use the client of the model's own provider, or ask for another model",
                ));
        }
        if let Some(cheaper) = self.fallback_model(model) {
            candidates.extend(self.candidates_of(&cheaper, Some(FallbackReason::Error)));
        }
        Ok(candidates)
    }

    pub(crate) fn candidates_of(
        &self,
        model: &Arc<Model>,
        fallback: Option<FallbackReason>,
    ) -> Vec<Candidate> {
        let candidate = |route: &Arc<Route>| Candidate {
            model: Arc::clone(model),
            route: Arc::clone(route),
            fallback,
        };
        let routes = model.routes_of(self.protocol.dialect());
        routes.filter(|route| self.permits(model, route)).map(candidate).collect()
    }

    pub(crate) fn fallback_model(&self, asked: &Model) -> Option<Arc<Model>> {
        // An embedding of another model would not fit into the client's index.
        if self.protocol.operation() == "embeddings" {
            return None;
        }
        let fallback = self.context.workload.as_ref()?.spec.fallback.as_ref()?;
        let name = match fallback.model.as_deref()? {
            "cheaper" => asked.cheaper.as_ref()?.as_str(),
            name => name,
        };
        let fallback = self.plane.model(name).filter(|model| model.name != asked.name);
        fallback.filter(|model| self.may_use(model)).map(Arc::clone)
    }

    /// Whether the call may use a model that might be on request.
    pub(crate) fn may_use(&self, model: &Model) -> bool {
        let person = self.identity.person.as_ref();
        let workload = self.context.workload.as_ref().map(|workload| &workload.name);
        self.plane.snapshot().may_use_model(&model.name, person, workload, self.time)
    }

    fn access_required(&self, model: &Model) -> Refusal {
        let name = &model.name;
        let message = format!("the model `{name}` is used on request, and access is not given");
        Refusal::new(StatusCode::FORBIDDEN, "model_access_required", message).with_next_step(
            format!(
                "ask for it with `tally access request --model {name} --until +30d --reason …`, or \
                 use another model of `GET /v1/models`"
            ),
        )
    }

    fn unknown_model(&self) -> Refusal {
        let wanted: String = self.parsed.model.chars().take(128).collect();
        let message = format!("the model `{wanted}` is not registered with Tally");
        let similar = self.plane.similar_models(&wanted);
        let next_step = if similar.is_empty() {
            "`GET /v1/models` lists what is registered; ask the platform team to add it".to_owned()
        } else {
            format!(
                "did you mean {}? `GET /v1/models` lists what is registered",
                similar.join(", ")
            )
        };
        Refusal::new(StatusCode::NOT_FOUND, "model_not_found", message).with_next_step(next_step)
    }

    /// How long to wait before the same provider is asked again; `None` for not again.
    fn repeat_after(&self, failure: &Failure, repeat: u32) -> Option<Duration> {
        let options = &self.gateway.options;
        if let Some(wished) = failure.repeat? {
            return (wished <= options.retry_wait_max).then_some(wished);
        }
        let doubled = options.retry_wait_first.saturating_mul(1 << repeat.min(16));
        // Up to an eighth of a second apart, so that clients do not come back all at once.
        let random = u8::try_from(self.gateway.ids.uuid(self.time).as_u128() & 0x7f).unwrap_or(0);
        Some((doubled + Duration::from_millis(random.into())).min(options.retry_wait_max))
    }

    /// Nothing worked: the last failure is the call's event and reply.
    fn give_up(&self, last: Option<(Failure, Option<OpenAttempt>)>) -> Result<Response, Refusal> {
        let Some((mut failure, attempt)) = last else {
            return Err(Refusal::new(
                StatusCode::BAD_GATEWAY,
                "upstream_unreachable",
                "no provider was tried",
            ));
        };
        if let Some(attempt) = attempt {
            let used = if failure.maybe_billed { Used::AsEstimated } else { Used::Nothing };
            attempt.finish(&failed(&failure, used));
        }
        match failure.reply.take() {
            Some(error) => Ok(self.pass_error(error)),
            None => Err(failure.refusal),
        }
    }

    async fn attempt(
        &self,
        candidate: &Candidate,
        form: &Form,
        start: Start,
    ) -> Result<Attempted, Refusal> {
        let (body, hides_usage) = self.outgoing_body(candidate, form);
        let outgoing = Outgoing {
            path: self.protocol.upstream_path(),
            query: self.query.as_deref(),
            headers: &self.headers,
            body,
            subscription: self.subscription,
        };
        if !self.protocol.is_metered() {
            return self.attempt_unmetered(candidate, outgoing).await;
        }
        self.contain(&start.event);
        let mut attempt = OpenAttempt::open(&self.gateway, start)
            .await
            .map_err(|error| journal_refusal(&error))?;
        let body = attempt.body(outgoing.body.clone());
        let response = match upstream::send(&candidate.route, &outgoing, body).await {
            Ok(response) => response,
            Err(failure) => return Ok(Attempted::Failed(Box::new((failure, Some(attempt))))),
        };
        attempt.note_provider_request(response.headers());
        if !response.status().is_success() {
            attempt.was_refused();
            let failure = self.judge(candidate, response).await;
            return Ok(Attempted::Failed(Box::new((failure, Some(attempt)))));
        }
        attempt.first_token_of_whole_reply(self.parsed.stream);
        if self.parsed.stream && is_event_stream(response.headers()) {
            return Ok(Attempted::Reply(self.stream(candidate, response, attempt, hides_usage)));
        }
        self.whole_reply(candidate, response, attempt).await.map(Attempted::Reply)
    }

    /// Counting tokens costs nothing, so it leaves no trace in the journal.
    async fn attempt_unmetered(
        &self,
        candidate: &Candidate,
        outgoing: Outgoing<'_>,
    ) -> Result<Attempted, Refusal> {
        let body = upstream::MarkedBody::new(outgoing.body.clone(), None, Arc::default());
        let response = match upstream::send(&candidate.route, &outgoing, body).await {
            Ok(response) => response,
            Err(failure) => return Ok(Attempted::Failed(Box::new((failure, None)))),
        };
        if !response.status().is_success() {
            let failure = self.judge(candidate, response).await;
            return Ok(Attempted::Failed(Box::new((failure, None))));
        }
        let (status, headers) = (response.status(), upstream::reply_headers(response.headers()));
        let body = self.read_reply(candidate, response).await?;
        let mut reply = Response::new(Body::from(body));
        *reply.status_mut() = status;
        *reply.headers_mut() = headers;
        self.add_headers(reply.headers_mut(), Some(candidate), None);
        Ok(Attempted::Reply(reply))
    }

    /// An attempt before anything is reserved or written: who, for what, and what it is
    /// estimated to use.
    pub(crate) fn start(&self, candidate: &Candidate, form: &Form, retries: u16) -> Start {
        let event_id = EventId(self.gateway.ids.uuid(self.gateway.clock.now()));
        let mut event = self.context.event(&self.identity, event_id, self.call_id, self.time);
        self.policed.mark(&mut event);
        self.protocol.operation().clone_into(&mut event.operation);
        event.model_requested.clone_from(&self.parsed.model);
        event.service_tier = self.parsed.service_tier;
        event.streamed = self.parsed.stream;
        event.retries = retries;
        event.fallback = candidate.fallback;
        event.subscription = self.subscription;
        event.redactions.clone_from(&self.redacted.counts);
        event.provider = Some(candidate.route.upstream.provider.clone());
        event.model_served = Some(candidate.model.name.to_string());
        event.model_family = Some(candidate.model.family.clone());
        event.tier = Some(candidate.model.tier);
        let estimator = &self.gateway.estimator;
        let upstream_name = &candidate.route.upstream_name;
        let output_tokens_max = form.output_tokens_max;
        event.tokens = Tokens {
            input_uncached: estimator.input_tokens(upstream_name, form.prompt),
            output: estimator.expected_output_tokens(upstream_name, output_tokens_max),
            ..Tokens::default()
        };
        price(&self.plane, &candidate.route, &mut event, None);
        let bound = estimator.input_tokens_max(upstream_name, form.prompt);
        Start {
            plane: Arc::clone(&self.plane),
            model: Arc::clone(&candidate.model),
            route: Arc::clone(&candidate.route),
            event,
            prompt: form.prompt,
            input_tokens_max: bound,
            output_tokens_max,
            started_ns: self.started_ns,
            hold: None,
            ticket: None,
            keeping: self.keeping(),
        }
    }

    /// The body as the provider is to see it, and whether Tally asked for usage in it.
    fn outgoing_body(&self, candidate: &Candidate, form: &Form) -> (Bytes, bool) {
        let mut splices = Vec::new();
        let upstream_name = &candidate.route.upstream_name;
        if *upstream_name != self.parsed.model {
            let with = serde_json::Value::from(upstream_name.as_str()).to_string();
            splices.push(Splice { range: self.parsed.model_span.clone(), with });
        }
        splices.extend(self.parsed.usage_splice.clone());
        splices.extend(form.splices.iter().cloned());
        let asks_for_usage = self.parsed.usage_splice.is_some();
        // Each stands in a member of its own; none touches another.
        let splices = combined(splices).unwrap_or_default();
        (json_bytes::spliced(&self.body, splices), asks_for_usage)
    }

    /// A refusal of a known caller is an event, too: it costs nothing, but is seen.
    async fn record_refusal(&self, refusal: &Refusal) {
        let event_id = EventId(self.gateway.ids.uuid(self.time));
        let mut event: UsageEvent =
            self.context.event(&self.identity, event_id, self.call_id, self.time);
        self.policed.mark(&mut event);
        self.protocol.operation().clone_into(&mut event.operation);
        event.model_requested = self.parsed.model.chars().take(128).collect();
        event.streamed = self.parsed.stream;
        event.status = CallStatus::Refused;
        event.http_status = Some(refusal.status.as_u16());
        event.error_code = Some(refusal.code.to_owned());
        event.cost_list_usd = Some(PicoUsd::ZERO);
        event.cost_internal_usd = Some(PicoUsd::ZERO);
        self.contain(&event);
        if let Err(error) = self.gateway.journal.append(&[Record::Usage(Box::new(event))]).await {
            tracing::warn!(%error, "a refusal could not be recorded");
        }
    }
}

/// What may have been billed is an event of its own; the rest leaves none.
fn settle_before_retry((failure, attempt): Failed) {
    let Some(attempt) = attempt else { return };
    if failure.maybe_billed {
        attempt.finish(&failed(&failure, Used::AsEstimated));
    } else {
        attempt.cancel();
    }
}

fn failed<'a>(failure: &'a Failure, used: Used<'a>) -> Ending<'a> {
    let http_status = failure.reply.as_ref().map_or(failure.refusal.status, |reply| reply.status);
    Ending {
        status: if failure.timed_out { CallStatus::Timeout } else { CallStatus::Error },
        http_status: Some(http_status.as_u16()),
        error_code: Some(failure.refusal.code),
        used,
    }
}

async fn read_body(body: Body, bytes_max: usize) -> Result<Bytes, Refusal> {
    axum::body::to_bytes(body, bytes_max).await.map_err(|error| {
        let is_limit = std::error::Error::source(&error)
            .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
        if is_limit {
            let message = format!("the request is larger than {bytes_max} bytes");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", message)
                .with_next_step("send less, or ask an admin to raise `gateway.request_bytes_max`")
        } else {
            Refusal::bad_request("request_cut", "the request's body did not arrive whole")
        }
    })
}

/// Never serves unmetered: without a journal there is no call.
fn journal_refusal(error: &JournalError) -> Refusal {
    let code = match error {
        JournalError::Full => "journal_full",
        JournalError::Busy => "too_many_calls",
        _ => "journal_unavailable",
    };
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code, error.to_string())
        .with_retry_after(5)
        .with_next_step("the call was not sent; try again, and tell the platform team if it lasts")
}
