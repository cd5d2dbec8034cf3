//! `POST /v1/chat/completions`.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tally_types::Dialect;

use super::{
    Needs, Observed, ParsedRequest, Protocol, Splice, StreamMeter, Streamed, has_items, model_name,
    openai_usage::observe_usage, parse_json, service_tier, span,
};
use crate::{
    json_bytes,
    less::{self, CannotReduce, ContextLimit, Less, Lessened, Reduced},
    redaction::Zone,
    refusal::Refusal,
};

pub(crate) struct OpenAiChat;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default, borrow, deserialize_with = "json_bytes::present")]
    stream_options: Option<&'a RawValue>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default, borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    /// What `tools` were called before.
    #[serde(borrow)]
    functions: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_effort: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    previous_response_id: Option<&'a RawValue>,
    #[serde(borrow)]
    n: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Reasoning<'a> {
    #[serde(default, borrow)]
    effort: Option<Cow<'a, str>>,
    #[serde(default)]
    enabled: Option<bool>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(default, borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(default, borrow)]
    choices: Vec<Choice<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default, borrow)]
    delta: Option<Delta<'a>>,
    #[serde(default, borrow)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(default, borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    refusal: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(default, borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(default, borrow)]
    arguments: Option<Cow<'a, str>>,
}

#[derive(Default)]
struct ChatMeter {
    observed: Observed,
    streamed: Streamed,
    done: bool,
    finished: bool,
    failed: bool,
    has_final_counts: bool,
}

// === impl OpenAiChat ===

impl Protocol for OpenAiChat {
    fn dialect(&self) -> Dialect {
        Dialect::OpenAi
    }

    fn operation(&self) -> &'static str {
        "chat"
    }

    fn upstream_path(&self) -> &'static str {
        "/chat/completions"
    }

    fn prompt_zone(&self) -> Zone {
        Zone::OpenAiRequest
    }

    fn reply_zone(&self) -> Zone {
        Zone::OpenAiReply
    }

    fn parse(&self, body: &Bytes) -> Result<ParsedRequest, Refusal> {
        let request: Request<'_> = parse_json(body)?;
        let model = model_name(request.model)?;
        if request.messages.is_none() {
            return Err(Refusal::bad_request("messages_missing", "the request has no `messages`"));
        }
        let stream = request.stream.unwrap_or(false);
        let metadata: BTreeMap<String, String> = request
            .metadata
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default();
        let tier = request.service_tier.as_deref().and_then(service_tier);
        Ok(ParsedRequest {
            model_span: request.model.map(|raw| span(body, raw)).unwrap_or_default(),
            model,
            stream,
            output_tokens_max: request.max_completion_tokens.or(request.max_tokens),
            service_tier: tier.unwrap_or_default(),
            session: None,
            metadata,
            usage_splice: if stream { usage_splice(body, request.stream_options) } else { None },
            needs: Needs {
                tools: has_items(request.tools) || has_items(request.functions),
                images: request.messages.is_some_and(less::openai_images),
                reasoning: thinks(request.reasoning_effort, request.reasoning),
            },
            is_stateful: request.previous_response_id.is_some(),
            answers: request.n.and_then(|n| n.get().parse().ok()).unwrap_or(1).max(1),
        })
    }

    fn with_less(&self, body: &[u8], less: &Less) -> Lessened {
        less::openai_with_less(body, less)
    }

    fn reduce_context(&self, body: &[u8], limit: &ContextLimit) -> Result<Reduced, CannotReduce> {
        less::openai_reduced(body, limit)
    }

    fn observe(&self, body: &[u8]) -> Option<Observed> {
        let reply: Reply<'_> = serde_json::from_slice(body).ok()?;
        let mut observed = Observed::default();
        take(&mut observed, &reply);
        Some(observed)
    }

    fn stream_meter(&self) -> Box<dyn StreamMeter> {
        Box::new(ChatMeter::default())
    }
}

/// Whether thinking is asked for, by the API's own word or the one of its relatives.
fn thinks(effort: Option<&RawValue>, reasoning: Option<&RawValue>) -> bool {
    let reasoning: Option<Reasoning<'_>> =
        reasoning.and_then(|raw| serde_json::from_str(raw.get()).ok());
    effort.is_some_and(|word| word.get() != r#""none""#)
        || reasoning.is_some_and(|it| {
            it.enabled.unwrap_or(it.effort.is_some()) && it.effort.as_deref() != Some("none")
        })
}

/// A stream reports usage only when asked to.
fn usage_splice(body: &[u8], options: Option<&RawValue>) -> Option<Splice> {
    const ASK: &str = r#""include_usage":true"#;
    let Some(raw) = options.filter(|raw| raw.get() != "null") else {
        if let Some(raw) = options {
            return Some(Splice { range: span(body, raw), with: format!("{{{ASK}}}") });
        }
        let start = memchr::memchr(b'{', body)? + 1;
        return Some(Splice {
            range: start..start,
            with: format!(r#""stream_options":{{{ASK}}},"#),
        });
    };
    let asked: StreamOptions = serde_json::from_str(raw.get()).ok()?;
    if asked.include_usage == Some(true) {
        return None;
    }
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(raw.get()).ok()?;
    fields.insert("include_usage".to_owned(), true.into());
    Some(Splice { range: span(body, raw), with: serde_json::Value::Object(fields).to_string() })
}

fn take(observed: &mut Observed, reply: &Reply<'_>) {
    let fill = |place: &mut Option<String>, value: Option<&Cow<'_, str>>| {
        if place.is_none() {
            *place = value.filter(|text| !text.is_empty()).map(|text| text.to_string());
        }
    };
    fill(&mut observed.response_id, reply.id.as_ref());
    fill(&mut observed.model, reply.model.as_ref());
    if let Some(word) = reply.service_tier.as_deref() {
        observed.service_tier = service_tier(word);
    }
    if let Some(usage) = reply.usage.filter(|raw| raw.get() != "null") {
        observe_usage(observed, usage.get());
    }
}

// === impl ChatMeter ===

impl StreamMeter for ChatMeter {
    fn data(&mut self, data: &[u8]) {
        if data == b"[DONE]" {
            self.done = true;
            return;
        }
        let Ok(reply) = serde_json::from_slice::<Reply<'_>>(data) else { return };
        self.failed |= reply.error.is_some_and(|raw| raw.get() != "null");
        self.has_final_counts |= reply.usage.is_some_and(|raw| raw.get() != "null");
        take(&mut self.observed, &reply);
        for choice in &reply.choices {
            self.finished |= choice.finish_reason.is_some();
            if let Some(delta) = &choice.delta {
                self.streamed.add_piece(delta.texts());
                self.streamed.reasoning_bytes +=
                    delta.reasoning_content.as_ref().map_or(0, |text| text.len() as u64);
            }
        }
    }

    fn complete(&self) -> bool {
        self.done || (self.finished && self.has_final_counts)
    }

    fn failed(&self) -> bool {
        self.failed
    }

    fn observed(&self) -> &Observed {
        &self.observed
    }

    fn counts_are_final(&self) -> bool {
        self.observed.tokens.is_some()
    }

    fn streamed(&self) -> Streamed {
        self.streamed
    }

    fn without_injected_usage<'a>(&self, data: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        #[derive(Deserialize)]
        struct Probe<'a> {
            #[serde(borrow)]
            usage: Option<&'a RawValue>,
            #[serde(borrow)]
            choices: Option<&'a RawValue>,
        }
        if memchr::memmem::find(data, b"\"usage\"").is_none() {
            return Some(Cow::Borrowed(data));
        }
        let Ok(probe) = serde_json::from_slice::<Probe<'_>>(data) else {
            return Some(Cow::Borrowed(data));
        };
        // serde reads an absent `usage` and a null one alike; only the latter has a place.
        let is_report = probe.usage.is_some_and(|raw| raw.get().starts_with('{'));
        let is_empty = probe
            .choices
            .is_some_and(|raw| raw.get().trim_matches(['[', ']', ' ', '\n']).is_empty());
        if is_report && is_empty {
            return None;
        }
        match json_bytes::without_null_member(data, "usage") {
            Some(shorter) => Some(Cow::Owned(shorter)),
            None => Some(Cow::Borrowed(data)),
        }
    }
}

impl Delta<'_> {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = [&self.content, &self.reasoning_content, &self.refusal];
        let calls = self.tool_calls.iter().flatten();
        let arguments = calls.filter_map(|call| call.function.as_ref()?.arguments.as_ref());
        texts.into_iter().flatten().chain(arguments).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(body: &str) -> String {
        let bytes = Bytes::copy_from_slice(body.as_bytes());
        let parsed = OpenAiChat.parse(&bytes).unwrap();
        match parsed.usage_splice {
            Some(splice) => {
                let mut text = body.to_owned();
                text.replace_range(splice.range, &splice.with);
                text
            }
            None => body.to_owned(),
        }
    }

    #[test]
    fn regression_14_a_stream_is_always_asked_for_its_usage() {
        for body in [
            r#"{"model":"m","messages":[],"stream":true}"#,
            r#"{"model":"m","messages":[],"stream":true,"stream_options":null}"#,
            r#"{"model":"m","messages":[],"stream":true,"stream_options":{}}"#,
            r#"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":false,"x":1}}"#,
            r#"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#,
        ] {
            let sent: serde_json::Value = serde_json::from_str(&spliced(body)).unwrap();
            assert_eq!(sent["stream_options"]["include_usage"], true, "{body}");
            assert_eq!(sent["model"], "m");
        }
        let whole = r#"{"model":"m","messages":[]}"#;
        assert_eq!(spliced(whole), whole, "a reply that is not streamed reports anyway");
    }

    #[test]
    fn what_tally_asked_for_is_hidden_again() {
        let meter = ChatMeter::default();
        let strip = |data: &str| {
            meter
                .without_injected_usage(data.as_bytes())
                .map(|data| String::from_utf8(data.into_owned()).unwrap())
        };
        assert_eq!(
            strip(r#"{"id":"1","choices":[{"delta":{"content":"\"usage\":null"}}],"usage":null}"#),
            Some(r#"{"id":"1","choices":[{"delta":{"content":"\"usage\":null"}}]}"#.to_owned())
        );
        assert_eq!(
            strip(r#"{"usage": null, "id":"1","choices":[1]}"#),
            Some(r#"{"id":"1","choices":[1]}"#.to_owned())
        );
        assert_eq!(strip(r#"{"choices":[],"usage":{"prompt_tokens":1}}"#), None);
        assert_eq!(strip("[DONE]"), Some("[DONE]".to_owned()));
    }

    #[test]
    fn malformed_requests_say_what_was_expected() {
        for (body, code) in [
            (&b"{"[..], "invalid_json"),
            (b"{\"model\":\"\xff\",\"messages\":[]}", "invalid_json"),
            (br#"{"messages":[]}"#, "model_missing"),
            (br#"{"model":7,"messages":[]}"#, "model_missing"),
            (br#"{"model":"m"}"#, "messages_missing"),
            (br"[]", "invalid_json"),
        ] {
            let refusal = OpenAiChat.parse(&Bytes::copy_from_slice(body)).unwrap_err();
            assert_eq!((refusal.status.as_u16(), refusal.code), (400, code));
        }
    }
}
