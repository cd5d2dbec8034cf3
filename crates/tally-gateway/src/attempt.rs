//! One attempt under way: journaled before it leaves, settled however it ends.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tally_budget::{Hold, Ticket};
use tally_journal::Intent;
use tally_pricing::leave_unpriced;
use tally_types::{CallStatus, CountQuality, PicoUsd, Tokens, UsageEvent};

use crate::{
    Gateway,
    estimate::{PromptSize, Reported},
    keeping::Keeping,
    measure,
    plane::{DataPlane, Model, Route},
    protocol::{Observed, Streamed},
    upstream::MarkedBody,
};

/// An attempt whose end is not yet known. Dropped, it settles itself: the client
/// went away.
pub(crate) struct OpenAttempt {
    gateway: Arc<Gateway>,
    plane: Arc<DataPlane>,
    route: Arc<Route>,
    /// None once settled, and for calls that cost nothing.
    intent: Option<Intent>,
    event: UsageEvent,
    sent: Arc<AtomicBool>,
    prompt: PromptSize,
    started_ns: u64,
    first_token_us: Option<u64>,
    /// What the budgets hold for it; given back when it comes to nothing.
    hold: Option<Hold>,
    ticket: Option<Ticket>,
    /// What is said, where it is kept.
    keeping: Option<Keeping>,
}

/// How an attempt ended.
pub(crate) struct Ending<'a> {
    pub(crate) status: CallStatus,
    pub(crate) http_status: Option<u16>,
    pub(crate) error_code: Option<&'a str>,
    pub(crate) used: Used<'a>,
}

/// What an attempt used.
pub(crate) enum Used<'a> {
    /// The provider answered with an error: certainly nothing.
    Nothing,
    /// Nobody knows: the estimate made before it left stands.
    AsEstimated,
    /// A whole reply; `bytes` is its length, for replies that report nothing.
    Reply { observed: &'a Observed, bytes: u64 },
    /// A stream, whole or not.
    Stream { observed: &'a Observed, streamed: Streamed, is_final: bool },
}

/// What an attempt starts with.
pub(crate) struct Start {
    pub(crate) plane: Arc<DataPlane>,
    pub(crate) model: Arc<Model>,
    pub(crate) route: Arc<Route>,
    pub(crate) event: UsageEvent,
    pub(crate) prompt: PromptSize,
    /// The most input it may have.
    pub(crate) input_tokens_max: u64,
    pub(crate) output_tokens_max: Option<u64>,
    pub(crate) started_ns: u64,
    pub(crate) hold: Option<Hold>,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) keeping: Option<Keeping>,
}

// === impl OpenAttempt ===

impl OpenAttempt {
    /// Writes the intent and waits until it is committed.
    pub(crate) async fn open(
        gateway: &Arc<Gateway>,
        start: Start,
    ) -> Result<Self, tally_journal::JournalError> {
        let Start { plane, route, event, prompt, started_ns, hold, ticket, keeping, .. } = start;
        let intent = gateway.journal.open_intent(&event).await?;
        Ok(Self {
            gateway: Arc::clone(gateway),
            plane,
            route,
            intent: Some(intent),
            event,
            sent: Arc::default(),
            prompt,
            started_ns,
            first_token_us: None,
            hold,
            ticket,
            keeping,
        })
    }

    /// The request's body, which marks the attempt as sent when it leaves.
    pub(crate) fn body(&mut self, bytes: bytes::Bytes) -> MarkedBody {
        if let Some(keeping) = &mut self.keeping {
            keeping.asked(bytes.clone());
        }
        let marker = self.intent.as_ref().map(Intent::sent_marker);
        MarkedBody::new(bytes, marker, Arc::clone(&self.sent))
    }

    /// A part of the answer, as it came.
    pub(crate) fn heard(&mut self, bytes: &[u8]) {
        if let Some(keeping) = &mut self.keeping {
            keeping.heard(bytes);
        }
    }

    /// The provider answered with an error: nothing was billed, whoever leaves now.
    pub(crate) fn was_refused(&self) {
        self.sent.store(false, Ordering::Release);
    }

    /// The first byte of the answer is here.
    pub(crate) fn first_token(&mut self) {
        if self.first_token_us.is_none() {
            self.first_token_us = Some(self.elapsed_us());
        }
    }

    /// A whole reply has its first byte when its head is here; a stream's comes later.
    pub(crate) fn first_token_of_whole_reply(&mut self, is_stream: bool) {
        if !is_stream {
            self.first_token();
        }
    }

    fn elapsed_us(&self) -> u64 {
        self.gateway.clock.monotonic_ns().saturating_sub(self.started_ns) / 1_000
    }

    /// Certainly unbilled, and another attempt follows: leaves no event.
    pub(crate) fn cancel(mut self) {
        if let Some(intent) = self.intent.take() {
            self.gateway.journal.cancel(intent);
        }
    }

    /// Settles the attempt; gives back its cost, if its price is known.
    pub(crate) fn finish(mut self, ending: &Ending<'_>) -> Option<PicoUsd> {
        self.settle(ending)
    }

    fn settle(&mut self, ending: &Ending<'_>) -> Option<PicoUsd> {
        let intent = self.intent.take()?;
        let latency_us = self.elapsed_us();
        let event = &mut self.event;
        event.status = ending.status;
        event.http_status = ending.http_status;
        event.error_code = ending.error_code.map(str::to_owned);
        event.latency_us = Some(latency_us);
        event.first_token_us = self.first_token_us;
        self.count(&ending.used);
        let cost = self.event.cost_list_usd;
        measure::settled(&self.event);
        if let Some(ticket) = self.ticket.take() {
            let tokens = self.event.tokens;
            let counted = tokens.input().saturating_sub(tokens.cache_read);
            self.gateway.rates.settle(ticket, counted.saturating_add(tokens.output));
        }
        // The journal's commit counts the call and ends what is held for it.
        if let Some(hold) = self.hold.take() {
            hold.hand_over();
        }
        let event = self.event.clone();
        if let Err(error) = self.gateway.journal.settle(intent, event) {
            // The intent stands: the next start settles it at its estimate.
            tracing::error!(%error, event_id = %self.event.event_id, "a call could not be settled");
        }
        if let Some(keeping) = self.keeping.take() {
            keeping.leave(&self.event);
        }
        cost
    }

    fn count(&mut self, used: &Used<'_>) {
        match used {
            Used::Nothing => {
                self.event.tokens = Tokens::default();
                self.event.counts = CountQuality::Reported;
                self.event.cost_list_usd = Some(PicoUsd::ZERO);
                self.event.cost_internal_usd = Some(PicoUsd::ZERO);
                self.event.price_version = None;
                self.event.unpriced_reason = None;
            }
            Used::AsEstimated => {}
            Used::Reply { observed, bytes } => {
                let streamed = Streamed { bytes: *bytes, ..Streamed::default() };
                self.count_observed(observed, streamed, observed.tokens.is_some());
                if let Some(tokens) = observed.tokens {
                    self.learn(tokens, None);
                }
            }
            Used::Stream { observed, streamed, is_final } => {
                self.count_observed(observed, *streamed, *is_final);
                if let Some(tokens) = observed.tokens.filter(|_| *is_final) {
                    self.learn(tokens, Some(*streamed));
                }
            }
        }
    }

    fn count_observed(&mut self, observed: &Observed, streamed: Streamed, is_final: bool) {
        let event = &mut self.event;
        event.model_reported.clone_from(&observed.model);
        event.provider_response_id.clone_from(&observed.response_id);
        event.service_tier = observed.service_tier.unwrap_or(event.service_tier);
        event.billing_modifiers.clone_from(&observed.modifiers);
        event.tool_requests.clone_from(&observed.tool_requests);
        if observed.implausible {
            event.error_code.get_or_insert_with(|| "usage_implausible".to_owned());
        }
        match observed.tokens {
            Some(tokens) if is_final => {
                event.tokens = tokens;
                event.counts = CountQuality::Reported;
            }
            partial => {
                let output =
                    self.gateway.estimator.streamed_tokens(&self.route.upstream_name, streamed);
                let estimated = Tokens { output, ..event.tokens };
                // A stream's first report knows its input already.
                event.tokens =
                    partial.map_or(estimated, |tokens| Tokens { output, reasoning: 0, ..tokens });
                event.counts = CountQuality::Estimated;
            }
        }
        price(&self.plane, &self.route, &mut self.event, observed.unpriceable.as_deref());
    }

    fn learn(&self, tokens: Tokens, streamed: Option<Streamed>) {
        let reported = Reported { prompt: self.prompt, tokens, streamed };
        self.gateway.estimator.learn(&self.route.upstream_name, reported);
    }

    /// Remembers the provider's id of the request, which other sources share.
    pub(crate) fn note_provider_request(&mut self, headers: &http::HeaderMap) {
        let id = headers.get("request-id").or_else(|| headers.get("x-request-id"));
        self.event.provider_request_id =
            id.and_then(|id| id.to_str().ok()).map(|id| id.chars().take(128).collect());
    }
}

impl Drop for OpenAttempt {
    fn drop(&mut self) {
        if self.intent.is_none() {
            return;
        }
        if self.sent.load(Ordering::Acquire) {
            self.settle(&Ending {
                status: CallStatus::Aborted,
                http_status: None,
                error_code: Some("client_closed_request"),
                used: Used::AsEstimated,
            });
        } else if let Some(intent) = self.intent.take() {
            self.gateway.journal.cancel(intent);
        }
    }
}

/// Prices the event by the model that served, as the provider names it.
pub(crate) fn price(
    plane: &DataPlane,
    route: &Route,
    event: &mut UsageEvent,
    unpriceable: Option<&str>,
) {
    if let Some(reason) = unpriceable {
        leave_unpriced(event, reason.to_owned());
        return;
    }
    let reported = event.model_reported.take();
    let names = [reported.as_deref().unwrap_or_default(), &route.upstream_name];
    plane.prices.price_event(route.upstream.price_name(), &names, event);
    event.model_reported = reported;
}
