//! Embeddings: vectors that depend on the text alone, in either encoding.

use crate::error::ApiError;
use crate::prompt::{limit_of, model_of};
use crate::random::{Rng, word};
use crate::reply::WireNumbers;
use crate::tokens::count_tokens;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

const INPUTS_MAX: usize = 2_048;
const DIMENSIONS_MAX: u64 = 4_096;

/// An embeddings request.
#[derive(Debug, Clone)]
pub(crate) struct EmbeddingsRequest<'a> {
    pub(crate) model: &'a str,
    pub(crate) tokens: u64,
    /// The last input that is text.
    pub(crate) last_text: String,
    inputs: Vec<&'a Value>,
    dimensions: u64,
    base64: bool,
}

pub(crate) fn parse(body: &Map<String, Value>) -> Result<EmbeddingsRequest<'_>, ApiError> {
    let model = model_of(body)?;
    let inputs = inputs_of(body)?;
    let dimensions = match limit_of(body, "dimensions")? {
        Some(dimensions) if dimensions > DIMENSIONS_MAX => {
            let message = format!("must be at most {DIMENSIONS_MAX}");
            return Err(ApiError::invalid("dimensions", message));
        }
        Some(dimensions) => dimensions,
        None if model.contains("large") => 3_072,
        None => 1_536,
    };
    let base64 = match body.get("encoding_format").and_then(Value::as_str) {
        Some("base64") => true,
        Some("float") | None => false,
        Some(_) => {
            return Err(ApiError::invalid("encoding_format", "must be 'float' or 'base64'"));
        }
    };
    Ok(EmbeddingsRequest {
        model,
        tokens: inputs.iter().map(|input| input_tokens(input)).sum(),
        last_text: inputs.iter().rev().find_map(|input| input.as_str()).unwrap_or("").to_owned(),
        inputs,
        dimensions,
        base64,
    })
}

/// A text, texts, the tokens of a text, or those of several.
fn inputs_of(body: &Map<String, Value>) -> Result<Vec<&Value>, ApiError> {
    let wrong = || ApiError::invalid("input", "must be text, tokens, or a list of either");
    let is_tokens = |value: &Value| {
        value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_u64))
    };
    let inputs = match body.get("input") {
        None | Some(Value::Null) => return Err(ApiError::missing("input")),
        Some(input) if input.is_string() || is_tokens(input) => vec![input],
        Some(Value::Array(items)) => items.iter().collect(),
        Some(_) => return Err(wrong()),
    };
    let readable = |input: &&Value| input.is_string() || is_tokens(input);
    if inputs.is_empty() || inputs.len() > INPUTS_MAX || !inputs.iter().all(readable) {
        return Err(wrong());
    }
    Ok(inputs)
}

fn input_tokens(input: &Value) -> u64 {
    match input {
        Value::String(text) => count_tokens(text),
        Value::Array(tokens) => u64::try_from(tokens.len()).unwrap_or(u64::MAX),
        _ => 0,
    }
}

impl EmbeddingsRequest<'_> {
    pub(crate) fn reply(&self, seed: u64, numbers: WireNumbers) -> Value {
        let inputs = self.inputs.iter().enumerate();
        let data = inputs.map(|(index, input)| {
            let vector = vector(seed, self.model, input, self.dimensions);
            let embedding = if self.base64 { base64_of(&vector) } else { json!(vector) };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        });
        let mut reply =
            json!({"object": "list", "data": data.collect::<Vec<_>>(), "model": self.model});
        if let Some(fields) = reply.as_object_mut()
            && numbers != WireNumbers::Missing
        {
            let tokens = numbers.tell(self.tokens);
            let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
            fields.insert("usage".to_owned(), usage);
        }
        reply
    }
}

/// A vector of length one.
fn vector(seed: u64, model: &str, input: &Value, dimensions: u64) -> Vec<f32> {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    hasher.update(model.as_bytes());
    hasher.update(input.to_string().as_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    let mut rng = Rng::new(word(&digest, 0));
    let raw: Vec<f64> = (0..dimensions).map(|_| rng.unit() - 0.5).collect();
    let length = raw.iter().map(|value| value * value).sum::<f64>().sqrt();
    // Half the precision is what the provider sends, too.
    #[allow(clippy::cast_possible_truncation)]
    raw.into_iter().map(|value| (value / length) as f32).collect()
}

fn base64_of(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    Value::from(STANDARD.encode(bytes))
}
