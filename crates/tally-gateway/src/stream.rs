//! A streamed answer on its way to the client: bytes pass as they come, a meter
//! reads on the side, and the attempt is settled however the stream ends.

use std::{
    borrow::Cow,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::Stream;
use http::StatusCode;
use http_body::{Body, Frame};
use tally_policy::redact::Restorations;
use tally_types::CallStatus;
use tokio::time::Sleep;

use crate::{
    attempt::{Ending, OpenAttempt, Used},
    protocol::{Protocol, StreamMeter},
    redaction::StreamRestorer,
    refusal::Refusal,
    sse::{SseBuffer, event_data, with_data},
};

type Upstream = Pin<Box<dyn Stream<Item = Result<Bytes, reqwest::Error>> + Send>>;

pub(crate) struct MeteredBody {
    protocol: &'static dyn Protocol,
    upstream: Option<Upstream>,
    meter: Box<dyn StreamMeter>,
    buffer: SseBuffer,
    /// Tally asked for usage on its own behalf and hides what came of it.
    hides_usage: bool,
    /// Puts back what was redacted, where anything was.
    restorer: Option<StreamRestorer>,
    attempt: Option<OpenAttempt>,
    http_status: u16,
    idle: Pin<Box<Sleep>>,
    idle_max: Duration,
    request_id: String,
}

/// What a client sees differently from what the provider sends.
pub(crate) struct Shown<'a> {
    pub(crate) hides_usage: bool,
    pub(crate) restorations: &'a Restorations,
}

/// Why a stream ended before it was complete.
#[derive(Clone, Copy)]
enum Break {
    ByProvider,
    Idle,
}

// === impl MeteredBody ===

impl MeteredBody {
    pub(crate) fn new(
        protocol: &'static dyn Protocol,
        response: reqwest::Response,
        attempt: OpenAttempt,
        shown: Shown<'_>,
        idle_max: Duration,
        request_id: String,
    ) -> Self {
        Self {
            protocol,
            http_status: response.status().as_u16(),
            upstream: Some(Box::pin(response.bytes_stream())),
            meter: protocol.stream_meter(),
            buffer: SseBuffer::default(),
            hides_usage: shown.hides_usage,
            restorer: StreamRestorer::new(protocol.dialect(), shown.restorations),
            attempt: Some(attempt),
            idle: Box::pin(tokio::time::sleep(idle_max)),
            idle_max,
            request_id,
        }
    }

    /// Reads what came; gives back the whole events that the client is to see. The
    /// beginning of an event is held back until its end is here, so that a break can
    /// be told in an event of its own.
    fn pass(&mut self, bytes: Bytes) -> Bytes {
        if let Some(attempt) = &mut self.attempt {
            attempt.first_token();
            attempt.heard(&bytes);
        }
        if self.buffer.overlong() {
            return bytes;
        }
        let mut shown = Vec::with_capacity(bytes.len());
        let unread = self.buffer.push(&bytes);
        while let Some(event) = self.buffer.next_event() {
            self.read_event(&event, &mut shown);
        }
        shown.extend(unread.into_iter().flatten());
        Bytes::from(shown)
    }

    fn read_event(&mut self, event: &[u8], shown: &mut Vec<u8>) {
        let Some(data) = event_data(event) else {
            shown.extend_from_slice(event);
            return;
        };
        self.meter.data(&data);
        let told = if self.hides_usage {
            let Some(told) = self.meter.without_injected_usage(&data) else { return };
            told
        } else {
            Cow::Borrowed(data.as_ref())
        };
        let Some(restorer) = &mut self.restorer else {
            write_event(event, &told, &data, shown);
            return;
        };
        let (before, told) = restorer.pass(&told);
        shown.extend_from_slice(&before);
        write_event(event, &told, &data, shown);
    }

    /// What is held back for a placeholder that will not be whole any more.
    fn held_back(&mut self) -> Vec<u8> {
        self.restorer.as_mut().map(StreamRestorer::finish).unwrap_or_default()
    }

    fn settle(&mut self, status: CallStatus, error_code: Option<&str>) {
        let Some(attempt) = self.attempt.take() else { return };
        attempt.finish(&Ending {
            status,
            http_status: Some(self.http_status),
            error_code,
            used: Used::Stream {
                observed: self.meter.observed(),
                streamed: self.meter.streamed(),
                is_final: self.meter.counts_are_final(),
            },
        });
    }

    fn settle_if_complete(&mut self) {
        if self.attempt.is_some() && self.meter.complete() {
            self.settle(CallStatus::Ok, None);
        }
    }

    /// The provider has nothing more to say: whole, failed or cut.
    fn end(&mut self) -> Option<Bytes> {
        self.upstream = None;
        let rest = self.buffer.rest();
        let mut shown = Vec::new();
        if !rest.is_empty() {
            self.read_event(&rest, &mut shown);
        }
        self.settle_if_complete();
        if self.attempt.is_some() && !self.meter.failed() {
            // The rest is half an event: what broke off is told instead of it.
            return Some(self.broken(&Break::ByProvider));
        }
        self.settle(CallStatus::Error, Some("upstream_stream_error"));
        shown.extend(self.held_back());
        Some(Bytes::from(shown)).filter(|bytes| !bytes.is_empty())
    }

    /// Settles a stream that broke and tells the client in its own dialect.
    fn broken(&mut self, cause: &Break) -> Bytes {
        self.upstream = None;
        let (status, code, message) = match cause {
            Break::ByProvider => {
                (CallStatus::Cut, "upstream_stream_cut", "the provider broke off its answer")
            }
            Break::Idle => (
                CallStatus::Timeout,
                "upstream_stream_idle",
                "the provider stopped in the middle of its answer",
            ),
        };
        self.settle(status, Some(code));
        let mut refusal = Refusal::new(StatusCode::BAD_GATEWAY, code, message)
            .with_next_step("what came so far is metered; try again");
        refusal.request_id = Some(self.request_id.as_str().into());
        let mut last = self.held_back();
        last.extend_from_slice(&self.protocol.stream_error(&refusal));
        Bytes::from(last)
    }
}

/// The event as it came, or with other data.
fn write_event(event: &[u8], told: &[u8], data: &[u8], shown: &mut Vec<u8>) {
    if told == data {
        shown.extend_from_slice(event);
    } else {
        shown.extend(with_data(event, told));
    }
}

impl Body for MeteredBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        loop {
            let Some(upstream) = &mut this.upstream else { return Poll::Ready(None) };
            let last = match upstream.as_mut().poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => {
                    this.idle.as_mut().set(tokio::time::sleep(this.idle_max));
                    let shown = this.pass(bytes);
                    this.settle_if_complete();
                    if shown.is_empty() {
                        continue;
                    }
                    return Poll::Ready(Some(Ok(Frame::data(shown))));
                }
                Poll::Ready(Some(Err(_)) | None) => this.end(),
                Poll::Pending => {
                    std::task::ready!(this.idle.as_mut().poll(context));
                    Some(this.broken(&Break::Idle))
                }
            };
            return Poll::Ready(last.map(|bytes| Ok(Frame::data(bytes))));
        }
    }
}

impl Drop for MeteredBody {
    fn drop(&mut self) {
        self.settle_if_complete();
        self.settle(CallStatus::Aborted, Some("client_closed_request"));
    }
}
