//! Reply bodies: whole or event by event, paced, and broken off where a fault
//! says so.

use crate::meter::Meter;
use crate::reply::{Render, render_step};
use crate::steps::{Ending, Step};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Body, Frame, SizeHint};
use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Why a body stops with an error: the simulator aborts the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aborted;

impl std::fmt::Display for Aborted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the simulator aborted the connection")
    }
}

impl std::error::Error for Aborted {}

/// The body of a reply. Dropping it before its end counts as the client's abort.
pub(crate) struct SimBody {
    source: Source,
    ending: Ending,
    /// Runs between the last bytes and an abort.
    farewell: Option<Pin<Box<Sleep>>>,
    meter: Meter,
}

/// An abort discards what the server still buffers, so the bytes before it get
/// this long to reach the client.
const FAREWELL: Duration = Duration::from_millis(20);

enum Source {
    Whole { bytes: Bytes, announced: u64 },
    Events(Box<Events>),
}

struct Events {
    renderer: Box<dyn Render>,
    steps: std::vec::IntoIter<Step>,
    pace: Option<Pace>,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

/// Holds events back until the time at which their tokens are due.
struct Pace {
    tokens_per_second: f64,
    tokens: u64,
    start: Instant,
    sleep: Pin<Box<Sleep>>,
    waiting: bool,
}

impl SimBody {
    /// A body of known length. One that does not end properly is announced in
    /// full and sent by half.
    pub(crate) fn whole(bytes: Bytes, ending: Ending, meter: Meter) -> Self {
        let announced = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let sent = if ending == Ending::End { bytes } else { bytes.slice(..bytes.len() / 2) };
        Self { source: Source::Whole { bytes: sent, announced }, ending, farewell: None, meter }
    }

    /// A stream of events; `tokens_per_second` of 0 is as fast as possible.
    pub(crate) fn events(
        renderer: Box<dyn Render>,
        steps: Vec<Step>,
        tokens_per_second: f64,
        gzip: bool,
        ending: Ending,
        meter: Meter,
    ) -> Self {
        let events = Events {
            renderer,
            steps: steps.into_iter(),
            pace: (tokens_per_second > 0.0).then(|| Pace::new(tokens_per_second)),
            gzip: gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast())),
        };
        Self { source: Source::Events(Box::new(events)), ending, farewell: None, meter }
    }

    fn end(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match self.ending {
            Ending::End => {
                self.meter.finish_sent();
                Poll::Ready(None)
            }
            Ending::Abort => {
                self.meter.finish_sent();
                let farewell =
                    self.farewell.get_or_insert_with(|| Box::pin(tokio::time::sleep(FAREWELL)));
                if farewell.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(Aborted)))
            }
            // Nothing wakes this body again: only the client can end it.
            Ending::Hang => Poll::Pending,
        }
    }
}

impl Pace {
    fn new(tokens_per_second: f64) -> Self {
        let sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
        // A sleep of no length is due now.
        Self { tokens_per_second, tokens: 0, start: sleep.deadline(), sleep, waiting: false }
    }

    /// Ready once `tokens` more tokens are due.
    fn poll(&mut self, context: &mut Context<'_>, tokens: u64) -> Poll<()> {
        if !self.waiting {
            self.tokens += tokens;
            let due = due_after(self.tokens, self.tokens_per_second);
            self.sleep.as_mut().reset(self.start + due);
            self.waiting = true;
        }
        let polled = self.sleep.as_mut().poll(context);
        self.waiting = polled.is_pending();
        polled
    }
}

/// How long a number of tokens takes, bounded so that no speed overflows a clock.
pub(crate) fn due_after(tokens: u64, tokens_per_second: f64) -> Duration {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    if tokens_per_second <= 0.0 {
        return Duration::ZERO;
    }
    #[allow(clippy::cast_precision_loss)]
    let seconds = tokens as f64 / tokens_per_second;
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST)
}

impl Events {
    /// The next bytes that are due; `None` after the last event.
    fn poll_next(&mut self, context: &mut Context<'_>, meter: &mut Meter) -> Poll<Option<Bytes>> {
        while let Some(tokens) = self.steps.as_slice().first().map(|step| step.tokens) {
            if let Some(pace) = &mut self.pace
                && tokens > 0
                && pace.poll(context, tokens).is_pending()
            {
                return Poll::Pending;
            }
            let Some(step) = self.steps.next() else { break };
            let bytes = render_step(self.renderer.as_ref(), &step);
            meter.sent(step.tokens, step.reasoning);
            if !bytes.is_empty() {
                return Poll::Ready(Some(self.encode(bytes)));
            }
        }
        Poll::Ready(self.finish_gzip())
    }

    /// Compressed events are flushed one by one, as a provider's are.
    fn encode(&mut self, bytes: Vec<u8>) -> Bytes {
        let Some(gzip) = &mut self.gzip else { return Bytes::from(bytes) };
        // Writing to memory cannot fail.
        let _ = gzip.write_all(&bytes).and_then(|()| gzip.flush());
        Bytes::from(std::mem::take(gzip.get_mut()))
    }

    fn finish_gzip(&mut self) -> Option<Bytes> {
        let rest = self.gzip.take()?.finish().ok()?;
        (!rest.is_empty()).then(|| Bytes::from(rest))
    }
}

/// Compresses a whole body.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

impl Body for SimBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let this = self.get_mut();
        let next = match &mut this.source {
            Source::Whole { bytes, .. } if bytes.is_empty() => None,
            Source::Whole { bytes, .. } => {
                let bytes = std::mem::take(bytes);
                if this.ending == Ending::End {
                    // A body of known length is not polled again for its end.
                    this.meter.finish_sent();
                }
                Some(bytes)
            }
            Source::Events(events) => match events.poll_next(context, &mut this.meter) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            },
        };
        match next {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => this.end(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Whole { bytes, .. } => bytes.is_empty() && self.ending == Ending::End,
            Source::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole { announced, .. } => SizeHint::with_exact(*announced),
            Source::Events(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pacing_is_bounded() {
        assert_eq!(due_after(100, 50.0), Duration::from_secs(2));
        assert_eq!(due_after(100, 0.0), Duration::ZERO);
        assert_eq!(due_after(u64::MAX, f64::MIN_POSITIVE), Duration::from_secs(86_400));
    }
}
