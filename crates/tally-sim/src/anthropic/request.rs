//! Messages requests in Anthropic's dialect.

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
const PER_MESSAGE: u64 = 4;
/// Tokens that every tool definition costs beside its JSON text.
const PER_TOOL: u64 = 12;
const BREAKPOINTS_MAX: usize = 4;

/// Reads a messages request. Counting tokens needs no `max_tokens`.
pub(crate) fn parse(body: &Map<String, Value>, count_only: bool) -> Result<Prompt<'_>, ApiError> {
    let model = model_of(body)?;
    let messages = messages_of(body)?;
    let limit = limit_of(body, "max_tokens")?;
    if limit.is_none() && !count_only {
        return Err(ApiError::missing("max_tokens"));
    }
    let last_text = last_user_text(messages);
    let tools = tools_of(body);
    Ok(Prompt {
        model,
        stream: body.get("stream").and_then(Value::as_bool).unwrap_or(false),
        items: items_of(body, messages)?,
        caching: Caching::Explicit,
        web_search: uses_web_search(body),
        wish: Wish {
            limit,
            output_tokens: None,
            reasoning: reasoning_of(body)?,
            tool_choice: tool_choice_of(body, &tools, &last_text),
            tools,
            tool_id_prefix: "toolu_01",
            choices: 1,
            echo: None,
        },
        last_text,
    })
}

fn tool_definitions(body: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    body.get("tools").and_then(Value::as_array).into_iter().flatten()
}

fn uses_web_search(body: &Map<String, Value>) -> bool {
    let is_search = |kind: &str| kind.starts_with("web_search");
    tool_definitions(body)
        .any(|tool| tool.get("type").and_then(Value::as_str).is_some_and(is_search))
}

fn reasoning_of(body: &Map<String, Value>) -> Result<Reasoning, ApiError> {
    let Some(thinking) = body.get("thinking") else { return Ok(Reasoning::None) };
    match thinking.get("type").and_then(Value::as_str) {
        Some("enabled") => match thinking.get("budget_tokens").and_then(Value::as_u64) {
            Some(budget) if budget > 0 => Ok(Reasoning::Shown(budget)),
            _ => Err(ApiError::invalid("thinking", "budget_tokens must be a positive integer")),
        },
        Some("adaptive") => Ok(Reasoning::Shown(u64::MAX)),
        _ => Ok(Reasoning::None),
    }
}

/// The client's own tools; those that the provider runs are never called.
fn tools_of(body: &Map<String, Value>) -> Vec<ToolSpec<'_>> {
    let spec = |tool| {
        let name = Value::get(tool, "name")?.as_str()?;
        Some(ToolSpec { name, schema: Some(tool.get("input_schema")?) })
    };
    tool_definitions(body).filter_map(spec).collect()
}

fn tool_choice_of<'a>(
    body: &'a Map<String, Value>,
    tools: &[ToolSpec<'_>],
    last_text: &str,
) -> ToolChoice<'a> {
    if tools.is_empty() {
        return ToolChoice::Never;
    }
    let choice = body.get("tool_choice");
    let field = |name: &str| choice.and_then(|choice| choice.get(name)?.as_str());
    match field("type") {
        Some("none") => ToolChoice::Never,
        Some("any") => ToolChoice::Any,
        Some("tool") => field("name").map_or(ToolChoice::Any, ToolChoice::Named),
        _ if mentions_tool(last_text) => ToolChoice::Any,
        _ => ToolChoice::Auto,
    }
}

/// Tools, system, messages: the order in which the prompt cache sees them.
fn items_of<'a>(
    body: &'a Map<String, Value>,
    messages: &'a [Value],
) -> Result<Vec<Item<'a>>, ApiError> {
    let mut items = Vec::new();
    for tool in tool_definitions(body) {
        let tokens = PER_TOOL + json_tokens(tool);
        items.push(item("tools", Content::Json(tool), tokens, tool));
    }
    if let Some(system) = body.get("system") {
        push_content(&mut items, "system", system);
    }
    for message in messages {
        let role = message.get("role").and_then(Value::as_str).unwrap_or("user");
        let before = items.len();
        push_content(&mut items, role, message.get("content").unwrap_or(&Value::Null));
        if let Some(first) = items.get_mut(before) {
            first.tokens += PER_MESSAGE;
        }
    }
    let marked = items.iter().filter(|item| item.breakpoint.is_some()).count();
    if marked > BREAKPOINTS_MAX {
        let message = format!(
            "A maximum of {BREAKPOINTS_MAX} blocks with cache_control may be provided. Found {marked}."
        );
        return Err(ApiError::invalid("messages", message));
    }
    // A mark on the request itself stands for one on its last block.
    if let (Some(ttl), Some(last)) = (ttl_of(body.get("cache_control")), items.last_mut()) {
        last.breakpoint = last.breakpoint.or(Some(ttl));
    }
    Ok(items)
}

fn push_content<'a>(items: &mut Vec<Item<'a>>, role: &'a str, content: &'a Value) {
    match content {
        Value::String(text) => {
            items.push(item(role, Content::Text(text), count_tokens(text), &Value::Null));
        }
        Value::Array(blocks) => items.extend(blocks.iter().map(|block| {
            let is_text = block.get("type").and_then(Value::as_str) == Some("text");
            let text = block.get("text").and_then(Value::as_str).filter(|_| is_text);
            let content = text.map_or(Content::Json(block), Content::Text);
            item(role, content, block_tokens(block), block)
        })),
        _ => {}
    }
}

fn item<'a>(role: &'a str, content: Content<'a>, tokens: u64, block: &Value) -> Item<'a> {
    Item { role, content, tokens, breakpoint: ttl_of(block.get("cache_control")) }
}

fn ttl_of(control: Option<&Value>) -> Option<Ttl> {
    let control = control.filter(|control| control.is_object())?;
    match control.get("ttl").and_then(Value::as_str) {
        Some("1h") => Some(Ttl::OneHour),
        _ => Some(Ttl::FiveMinutes),
    }
}

fn block_tokens(block: &Value) -> u64 {
    let text = |field: &str| block.get(field).and_then(Value::as_str);
    match text("type") {
        Some("text") => text("text").map_or(0, count_tokens),
        Some("thinking") => text("thinking").map_or(0, count_tokens),
        Some("image" | "document") => source_tokens(block.get("source")),
        Some("tool_use") => {
            text("name").map_or(0, count_tokens) + block.get("input").map_or(0, json_tokens)
        }
        Some("tool_result") => match block.get("content") {
            Some(Value::String(text)) => count_tokens(text),
            // Results hold text and images, never further results.
            Some(Value::Array(parts)) => parts.iter().map(result_part_tokens).sum(),
            _ => 0,
        },
        _ => json_tokens(block),
    }
}

fn result_part_tokens(part: &Value) -> u64 {
    match part.get("type").and_then(Value::as_str) {
        Some("text" | "image" | "document") => block_tokens(part),
        _ => json_tokens(part),
    }
}

fn source_tokens(source: Option<&Value>) -> u64 {
    let field = |name: &str| source.and_then(|source| source.get(name)?.as_str());
    match (field("type"), field("data")) {
        (Some("text"), Some(text)) => count_tokens(text),
        (_, Some(data)) => data_tokens(data.len()),
        _ => LINKED_IMAGE_TOKENS,
    }
}
