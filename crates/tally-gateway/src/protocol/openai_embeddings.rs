//! `POST /v1/embeddings`.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tally_types::Dialect;

use super::{
    Observed, ParsedRequest, Protocol, StreamMeter, model_name, openai_chat::OpenAiChat,
    openai_usage::observe_usage, parse_json, span,
};
use crate::{redaction::Zone, refusal::Refusal};

pub(crate) struct OpenAiEmbeddings;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(default)]
    model: Option<String>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

impl Protocol for OpenAiEmbeddings {
    fn dialect(&self) -> Dialect {
        Dialect::OpenAi
    }

    fn operation(&self) -> &'static str {
        "embeddings"
    }

    fn upstream_path(&self) -> &'static str {
        "/embeddings"
    }

    fn prompt_zone(&self) -> Zone {
        Zone::EmbeddingsRequest
    }

    fn reply_zone(&self) -> Zone {
        Zone::Skip
    }

    fn parse(&self, body: &Bytes) -> Result<ParsedRequest, Refusal> {
        let request: Request<'_> = parse_json(body)?;
        let model = model_name(request.model)?;
        if request.input.is_none() {
            return Err(Refusal::bad_request("input_missing", "the request has no `input`"));
        }
        Ok(ParsedRequest {
            model_span: request.model.map(|raw| span(body, raw)).unwrap_or_default(),
            model,
            // Embeddings write nothing.
            output_tokens_max: Some(0),
            answers: 1,
            ..ParsedRequest::default()
        })
    }

    fn observe(&self, body: &[u8]) -> Option<Observed> {
        let reply: Reply<'_> = serde_json::from_slice(body).ok()?;
        let mut observed = Observed { model: reply.model, ..Observed::default() };
        if let Some(usage) = reply.usage.filter(|raw| raw.get() != "null") {
            observe_usage(&mut observed, usage.get());
        }
        Some(observed)
    }

    fn stream_meter(&self) -> Box<dyn StreamMeter> {
        // Never streamed; should a provider do so anyway, it would speak as chat does.
        OpenAiChat.stream_meter()
    }
}
