//! Chat completion requests in OpenAI's dialect.

use crate::cache::Ttl;
use crate::error::ApiError;
use crate::plan::{Reasoning, Wish};
use crate::prompt::{
    Caching, Content, Item, LINKED_IMAGE_TOKENS, Prompt, data_tokens, json_tokens, last_user_text,
    limit_of, mentions_tool, messages_of, model_of,
};
use crate::tokens::count_tokens;
use crate::tools::{ToolChoice, ToolSpec};
use serde_json::{Map, Value};

/// Tokens that every message costs beside its content.
const PER_MESSAGE: u64 = 3;
/// Tokens that tool definitions cost beside their JSON text.
const PER_TOOLS: u64 = 8;
const CHOICES_MAX: u64 = 16;

/// What only OpenAI's dialect asks for.
#[derive(Debug, Clone)]
pub(crate) struct Extras {
    pub(crate) include_usage: bool,
    pub(crate) service_tier: &'static str,
}

/// Reads a chat completion request.
pub(crate) fn parse(body: &Map<String, Value>) -> Result<(Prompt<'_>, Extras), ApiError> {
    let model = model_of(body)?;
    let messages = messages_of(body)?;
    let limit = limit_of(body, "max_completion_tokens")?.or(limit_of(body, "max_tokens")?);
    let last_text = last_user_text(messages);
    let tools = tools_of(body);
    let prompt = Prompt {
        model,
        stream: body.get("stream").and_then(Value::as_bool).unwrap_or(false),
        items: items_of(body, messages),
        caching: Caching::Automatic,
        web_search: false,
        wish: Wish {
            limit,
            output_tokens: None,
            reasoning: reasoning_of(body, model),
            tool_choice: tool_choice_of(body, &tools, &last_text),
            tools,
            tool_id_prefix: "call_",
            choices: choices_of(body)?,
            echo: None,
        },
        last_text,
    };
    let include_usage = body
        .get("stream_options")
        .and_then(|options| options.get("include_usage")?.as_bool())
        .unwrap_or(false);
    Ok((prompt, Extras { include_usage, service_tier: service_tier_of(body) }))
}

fn choices_of(body: &Map<String, Value>) -> Result<u64, ApiError> {
    match limit_of(body, "n")? {
        None => Ok(1),
        Some(choices) if choices <= CHOICES_MAX => Ok(choices),
        Some(_) => Err(ApiError::invalid("n", format!("must be at most {CHOICES_MAX}"))),
    }
}

fn service_tier_of(body: &Map<String, Value>) -> &'static str {
    match body.get("service_tier").and_then(Value::as_str) {
        Some("flex") => "flex",
        Some("priority") => "priority",
        _ => "default",
    }
}

/// The o-series and the fifth generation reason unless told not to.
fn reasoning_of(body: &Map<String, Value>, model: &str) -> Reasoning {
    match body.get("reasoning_effort").and_then(Value::as_str) {
        Some("none") => Reasoning::None,
        Some(_) => Reasoning::Hidden,
        None if model.starts_with("gpt-5") || model.starts_with('o') => Reasoning::Hidden,
        None => Reasoning::None,
    }
}

fn tools_of(body: &Map<String, Value>) -> Vec<ToolSpec<'_>> {
    let tools = body.get("tools").and_then(Value::as_array);
    let spec = |tool| {
        let function = Value::get(tool, "function")?;
        let name = function.get("name")?.as_str()?;
        Some(ToolSpec { name, schema: function.get("parameters") })
    };
    tools.into_iter().flatten().filter_map(spec).collect()
}

fn tool_choice_of<'a>(
    body: &'a Map<String, Value>,
    tools: &[ToolSpec<'_>],
    last_text: &str,
) -> ToolChoice<'a> {
    if tools.is_empty() {
        return ToolChoice::Never;
    }
    match body.get("tool_choice") {
        Some(Value::String(choice)) if choice == "none" => ToolChoice::Never,
        Some(Value::String(choice)) if choice == "required" => ToolChoice::Any,
        Some(Value::Object(choice)) => choice
            .get("function")
            .and_then(|function| function.get("name")?.as_str())
            .map_or(ToolChoice::Any, ToolChoice::Named),
        _ if mentions_tool(last_text) => ToolChoice::Any,
        _ => ToolChoice::Auto,
    }
}

/// Tool definitions first, then the messages. The first message carries a mark:
/// automatic caching remembers it as the part that prompts share.
fn items_of<'a>(body: &'a Map<String, Value>, messages: &'a [Value]) -> Vec<Item<'a>> {
    let tools = body.get("tools").filter(|tools| tools.as_array().is_some_and(|t| !t.is_empty()));
    let tools = tools.map(|tools| Item {
        role: "tools",
        content: Content::Json(tools),
        tokens: PER_TOOLS + json_tokens(tools),
        breakpoint: None,
    });
    let messages = messages.iter().enumerate().map(|(index, message)| Item {
        role: message.get("role").and_then(Value::as_str).unwrap_or("user"),
        content: Content::Json(message),
        tokens: PER_MESSAGE + message_tokens(message),
        breakpoint: (index == 0).then_some(Ttl::FiveMinutes),
    });
    let mut items: Vec<_> = tools.into_iter().chain(messages).collect();
    if let Some(last) = items.last_mut() {
        // The reply is primed with as many tokens as a message costs.
        last.tokens += PER_MESSAGE;
    }
    items
}

fn message_tokens(message: &Value) -> u64 {
    let content = match message.get("content") {
        Some(Value::String(text)) => count_tokens(text),
        Some(Value::Array(parts)) => parts.iter().map(part_tokens).sum(),
        _ => 0,
    };
    let calls = message.get("tool_calls").map_or(0, json_tokens);
    let name = message.get("name").and_then(Value::as_str).map_or(0, count_tokens);
    content + calls + name
}

fn part_tokens(part: &Value) -> u64 {
    if let Some(text) = part.get("text").and_then(Value::as_str) {
        return count_tokens(text);
    }
    if let Some(image) = part.get("image_url") {
        return image_tokens(image);
    }
    let inline = |kind: &str, field: &str| part.get(kind)?.get(field)?.as_str();
    let data = inline("input_audio", "data").or_else(|| inline("file", "file_data"));
    data.map_or_else(|| json_tokens(part), |data| data_tokens(data.len()))
}

fn image_tokens(image: &Value) -> u64 {
    if image.get("detail").and_then(Value::as_str) == Some("low") {
        return data_tokens(0);
    }
    let url = image.get("url").or(Some(image)).and_then(Value::as_str).unwrap_or_default();
    if url.starts_with("data:") { data_tokens(url.len()) } else { LINKED_IMAGE_TOKENS }
}
