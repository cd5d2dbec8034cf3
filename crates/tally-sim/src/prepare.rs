//! Decides what a call is answered, and records it.

use crate::anthropic;
use crate::cache::AUTOMATIC_MIN;
use crate::canon::request_hash;
use crate::error::{ApiError, Dialect};
use crate::exchange::Endpoint;
use crate::fault::Fault;
use crate::headers::{Credential, created, credential, request_id};
use crate::knobs::{Knobs, marker_in, without_directives};
use crate::ledger::{CallRecord, Outcome};
use crate::meter::Meter;
use crate::openai;
use crate::openai::embeddings::EmbeddingsRequest;
use crate::plan::{Choice, plan};
use crate::prompt::{Caching, Prompt, last_message_text};
use crate::random::{Draw, Stream};
use crate::reply::{Render, Reply, WireNumbers};
use crate::settings::Settings;
use crate::state::Sim;
use crate::steps::{Step, steps, strike};
use crate::usage::Usage;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

/// A recorded call and all that its reply will be.
pub(crate) struct Prepared {
    pub(crate) answer: Answer,
    pub(crate) meter: Meter,
    pub(crate) draw: Draw,
    pub(crate) request_id: String,
    pub(crate) settings: Settings,
    pub(crate) fault: Option<Fault>,
}

pub(crate) enum Answer {
    Refused(ApiError),
    Html,
    Hang,
    Whole { bytes: Bytes, output: u64, reasoning: u64 },
    Events { renderer: Box<dyn Render>, steps: Vec<Step> },
}

/// A request that could be read, in the words of its endpoint.
enum Work<'a> {
    Chat(Prompt<'a>, openai::request::Extras),
    Embeddings(EmbeddingsRequest<'a>),
    Message(Prompt<'a>),
    Count(Prompt<'a>),
}

/// What is known of a call before its endpoint looks at it.
struct Call<'a> {
    sim: &'a Sim,
    endpoint: Endpoint,
    last_four: String,
    draw: Draw,
    request_id: String,
    settings: Settings,
}

/// What an endpoint makes of a call.
struct Outline {
    model: String,
    response_id: String,
    marker: Option<String>,
    stream: bool,
    usage: Usage,
    answer: Answer,
}

/// What a test wants a reply to hold.
struct Wanted {
    tool: Option<bool>,
    echo: Option<String>,
}

/// Answers a request, given its body unless that was too large.
pub(crate) fn prepare(
    sim: &Sim,
    endpoint: Endpoint,
    headers: &HeaderMap,
    body: Option<&[u8]>,
) -> Prepared {
    let credential = match credential(headers, endpoint.dialect()) {
        Ok(credential) => credential,
        Err(error) => return reject(sim, endpoint, String::new(), String::new(), error),
    };
    let last_four = credential.last_four.clone();
    let fields = match read_body(body) {
        Ok(fields) => fields,
        Err(error) => return reject(sim, endpoint, last_four, String::new(), error),
    };
    match read_work(endpoint, &fields) {
        Ok(work) => answer_work(sim, endpoint, headers, &credential, &fields, work),
        Err(error) => {
            let model = fields.get("model").and_then(Value::as_str).unwrap_or_default();
            let model = model.chars().take(256).collect();
            reject(sim, endpoint, last_four, model, error)
        }
    }
}

fn read_body(body: Option<&[u8]>) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(body.ok_or(ApiError::TooLarge)?) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(ApiError::MalformedJson),
    }
}

fn read_work(endpoint: Endpoint, fields: &Map<String, Value>) -> Result<Work<'_>, ApiError> {
    match endpoint {
        Endpoint::Chat => {
            openai::request::parse(fields).map(|(prompt, extras)| Work::Chat(prompt, extras))
        }
        Endpoint::Embeddings => openai::embeddings::parse(fields).map(Work::Embeddings),
        Endpoint::Messages => anthropic::request::parse(fields, false).map(Work::Message),
        Endpoint::CountTokens => anthropic::request::parse(fields, true).map(Work::Count),
    }
}

/// Refuses a request for its own mistake.
fn reject(
    sim: &Sim,
    endpoint: Endpoint,
    last_four: String,
    model: String,
    error: ApiError,
) -> Prepared {
    let draw = sim.unidentified_draw();
    let request_id = request_id(draw, endpoint.dialect());
    let settings = Settings::new(&Knobs::fault_free(), &sim.config(), draw, 0);
    let call = Call { sim, endpoint, last_four, draw, request_id, settings };
    call.record(Outline {
        model,
        response_id: String::new(),
        marker: None,
        stream: false,
        usage: Usage::default(),
        answer: Answer::Refused(error),
    })
}

fn answer_work(
    sim: &Sim,
    endpoint: Endpoint,
    headers: &HeaderMap,
    credential: &Credential,
    fields: &Map<String, Value>,
    work: Work<'_>,
) -> Prepared {
    let content = request_hash(endpoint.path(), fields);
    let occurrence = sim.occurrence(credential.hash, content);
    let draw = sim.draw(&content, occurrence);
    let text = match &work {
        Work::Chat(prompt, _) | Work::Message(prompt) | Work::Count(prompt) => &prompt.last_text,
        Work::Embeddings(request) => &request.last_text,
    };
    let knobs = Knobs::read(headers, text);
    let echo = knobs.echo.then(|| without_directives(last_message_text(fields)));
    let wanted = Wanted { tool: knobs.tool, echo };
    let marker = marker_in(text);
    let call = Call {
        sim,
        endpoint,
        last_four: credential.last_four.clone(),
        draw,
        request_id: request_id(draw, endpoint.dialect()),
        settings: Settings::new(&knobs, &sim.config(), draw, occurrence),
    };
    let mut outline = match work {
        Work::Chat(prompt, extras) => call.chat(credential.hash, prompt, &wanted, |reply| {
            Box::new(openai::reply::ChatReply::new(reply, extras))
        }),
        Work::Message(prompt) => call.chat(credential.hash, prompt, &wanted, |reply| {
            Box::new(anthropic::reply::MessageReply::new(reply))
        }),
        Work::Embeddings(request) => call.embeddings(&request),
        Work::Count(prompt) => call.count(&prompt),
    };
    outline.marker = marker;
    call.record(outline)
}

impl Call<'_> {
    /// The answer of a fault that strikes before any work is done.
    fn refusal(&self, stream: bool) -> Option<Answer> {
        let retry_after = self.settings.retry_after;
        match self.settings.fault? {
            Fault::RateLimited => Some(Answer::Refused(ApiError::RateLimited { retry_after })),
            Fault::ServerError => Some(Answer::Refused(ApiError::Server)),
            Fault::ErrorMidStream if !stream => Some(Answer::Refused(ApiError::Server)),
            Fault::Overloaded => Some(Answer::Refused(ApiError::Overloaded)),
            Fault::Html => Some(Answer::Html),
            Fault::Hang => Some(Answer::Hang),
            _ => None,
        }
    }

    fn refused(&self, model: &str, stream: bool) -> Option<Outline> {
        self.refusal(stream).map(|answer| Outline {
            model: model.to_owned(),
            response_id: String::new(),
            marker: None,
            stream,
            usage: Usage::default(),
            answer,
        })
    }

    fn chat(
        &self,
        credential: u64,
        mut prompt: Prompt<'_>,
        wanted: &Wanted,
        render: impl FnOnce(Reply) -> Box<dyn Render>,
    ) -> Outline {
        if let Some(refused) = self.refused(prompt.model, prompt.stream) {
            return refused;
        }
        prompt.wish.output_tokens = self.settings.output_tokens;
        prompt.apply_tool_knob(wanted.tool);
        prompt.wish.echo.clone_from(&wanted.echo);
        let choices = plan(self.draw, &prompt.wish);
        let mut usage = self.input_usage(credential, &prompt);
        usage.web_search_requests = self.web_searches(&prompt);
        usage.output = choices.iter().map(Choice::output).sum();
        usage.reasoning = choices.iter().map(Choice::reasoning).sum();
        let steps = if prompt.stream { self.stream_steps(&choices) } else { Vec::new() };
        let response_id = self.response_id();
        let renderer = render(Reply {
            id: response_id.clone(),
            created: created(self.draw),
            fingerprint: self.fingerprint(),
            model: prompt.model.to_owned(),
            usage,
            choices,
            numbers: WireNumbers::of(self.settings.fault),
        });
        let answer = if prompt.stream {
            Answer::Events { renderer, steps }
        } else {
            self.whole(&renderer.whole(), usage)
        };
        let stream = prompt.stream;
        Outline { model: prompt.model.to_owned(), response_id, marker: None, stream, usage, answer }
    }

    /// A model that may search the web does so once or twice.
    fn web_searches(&self, prompt: &Prompt<'_>) -> u64 {
        if prompt.web_search { self.draw.stream(Stream::Searches).between(1, 2) } else { 0 }
    }

    fn stream_steps(&self, choices: &[Choice]) -> Vec<Step> {
        let mut steps = steps(choices, self.draw);
        if let Some(fault) = self.settings.fault {
            strike(&mut steps, fault, self.settings.cut_at, self.draw);
        }
        steps
    }

    fn input_usage(&self, credential: u64, prompt: &Prompt<'_>) -> Usage {
        let cache = self.sim.cache();
        let uncached = || Usage { input_uncached: prompt.input_tokens(), ..Usage::default() };
        match prompt.caching {
            Caching::Explicit if prompt.items.iter().any(|item| item.breakpoint.is_some()) => {
                cache.explicit(credential, &prompt.segments())
            }
            Caching::Automatic if prompt.input_tokens() >= AUTOMATIC_MIN => {
                cache.automatic(credential, &prompt.segments())
            }
            Caching::Explicit | Caching::Automatic => uncached(),
        }
    }

    fn embeddings(&self, request: &EmbeddingsRequest<'_>) -> Outline {
        if let Some(refused) = self.refused(request.model, false) {
            return refused;
        }
        let usage = Usage { input_uncached: request.tokens, ..Usage::default() };
        let numbers = WireNumbers::of(self.settings.fault);
        let answer = self.whole(&request.reply(self.sim.seed(), numbers), usage);
        self.bodiless(request.model, usage, answer)
    }

    /// Counting is free, so the ledger holds no usage for it.
    fn count(&self, prompt: &Prompt<'_>) -> Outline {
        if let Some(refused) = self.refused(prompt.model, false) {
            return refused;
        }
        let count = WireNumbers::of(self.settings.fault).tell(prompt.input_tokens());
        let answer = self.whole(&json!({"input_tokens": count}), Usage::default());
        self.bodiless(prompt.model, Usage::default(), answer)
    }

    /// The outline of a reply without an id of its own.
    fn bodiless(&self, model: &str, usage: Usage, answer: Answer) -> Outline {
        let model = model.to_owned();
        Outline { model, response_id: String::new(), marker: None, stream: false, usage, answer }
    }

    fn whole(&self, value: &Value, usage: Usage) -> Answer {
        let mut bytes = Bytes::from(value.to_string());
        if matches!(self.settings.fault, Some(Fault::Malformed | Fault::TruncatedSse)) {
            bytes.truncate(bytes.len() / 2);
        }
        Answer::Whole { bytes, output: usage.output, reasoning: usage.reasoning }
    }

    fn response_id(&self) -> String {
        let mut rng = self.draw.stream(Stream::Ids);
        match self.endpoint.dialect() {
            Dialect::OpenAi => format!("chatcmpl-{}", rng.base62(29)),
            Dialect::Anthropic => format!("msg_01{}", rng.base62(22)),
        }
    }

    fn fingerprint(&self) -> String {
        let mut rng = self.draw.stream(Stream::Created);
        format!("fp_{:010x}", rng.next_u64() >> 24)
    }

    /// Records the call before anything is sent.
    fn record(self, outline: Outline) -> Prepared {
        let input = Usage { output: 0, reasoning: 0, ..outline.usage };
        let entry = self.sim.receive(CallRecord {
            sequence: 0,
            path: self.endpoint.path().to_owned(),
            credential: self.last_four,
            model: outline.model,
            request_id: self.request_id.clone(),
            response_id: outline.response_id,
            marker: outline.marker,
            status: None,
            stream: outline.stream,
            usage: input,
            output_tokens_streamed: 0,
            output_tokens_planned: outline.usage.output,
            outcome: Outcome::InFlight,
            fault: self.settings.fault.map(|fault| fault.name().to_owned()),
        });
        Prepared {
            answer: outline.answer,
            meter: Meter::new(entry, self.settings.fault),
            draw: self.draw,
            request_id: self.request_id,
            settings: self.settings,
            fault: self.settings.fault,
        }
    }
}
