//! What a reply will contain, decided before its first byte is sent.

use crate::random::{Draw, Rng, Stream};
use crate::text::{TokenText, write_text};
use crate::tokens::count_tokens;
use crate::tools::{ToolChoice, ToolSpec, arguments};

/// What a request asks of its reply, whatever the dialect.
#[derive(Debug, Clone)]
pub(crate) struct Wish<'a> {
    /// Most output tokens that the request allows for one choice.
    pub(crate) limit: Option<u64>,
    /// Exact output that a test asks for.
    pub(crate) output_tokens: Option<u64>,
    pub(crate) reasoning: Reasoning,
    pub(crate) tools: Vec<ToolSpec<'a>>,
    pub(crate) tool_choice: ToolChoice<'a>,
    /// How the dialect's tool call ids begin.
    pub(crate) tool_id_prefix: &'static str,
    pub(crate) choices: u64,
    /// What a test wants to hear instead of something made up.
    pub(crate) echo: Option<String>,
}

/// How a model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reasoning {
    None,
    /// Billed but not shown.
    Hidden,
    /// Shown as thinking, with at most this many tokens.
    Shown(u64),
}

/// One of the alternatives of a reply; Anthropic's dialect has exactly one.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) parts: Vec<Part>,
    pub(crate) hidden_reasoning: u64,
    pub(crate) finish: Finish,
}

/// Thinking, text, or a tool call.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) kind: PartKind,
    pub(crate) body: TokenText,
    /// Tokens beside the body: a tool's name.
    pub(crate) overhead: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PartKind {
    Thinking { signature: String },
    Text,
    Tool { id: String, name: String },
}

/// Why the output ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
    ToolUse,
}

impl Part {
    pub(crate) fn tokens(&self) -> u64 {
        self.overhead + self.body.tokens()
    }

    pub(crate) fn is_thinking(&self) -> bool {
        matches!(self.kind, PartKind::Thinking { .. })
    }
}

impl Choice {
    /// Output tokens, reasoning included.
    pub(crate) fn output(&self) -> u64 {
        self.hidden_reasoning + self.parts.iter().map(Part::tokens).sum::<u64>()
    }

    /// The part of the output spent on reasoning, hidden or shown.
    pub(crate) fn reasoning(&self) -> u64 {
        let thinking = self.parts.iter().filter(|part| part.is_thinking());
        self.hidden_reasoning + thinking.map(Part::tokens).sum::<u64>()
    }
}

/// Plans every choice of a reply.
pub(crate) fn plan(draw: Draw, wish: &Wish<'_>) -> Vec<Choice> {
    let mut streams = Streams {
        shape: draw.stream(Stream::Shape),
        text: draw.stream(Stream::Text),
        tools: draw.stream(Stream::Tools),
    };
    (0..wish.choices).map(|_| plan_choice(&mut streams, wish)).collect()
}

struct Streams {
    shape: Rng,
    text: Rng,
    tools: Rng,
}

fn plan_choice(streams: &mut Streams, wish: &Wish<'_>) -> Choice {
    let natural = natural_length(&mut streams.shape);
    let said = wish.echo.clone().map(TokenText::new);
    let wanted = said
        .as_ref()
        .map_or(wish.output_tokens.unwrap_or(natural), |it| reasoned(it.tokens(), wish.reasoning));
    let limit = wish.limit.unwrap_or(u64::MAX);
    let total = wanted.min(limit);
    let mut choice = Choice {
        parts: Vec::new(),
        hidden_reasoning: 0,
        finish: if wanted > limit { Finish::Length } else { Finish::Stop },
    };
    let reasoning = add_reasoning(&mut choice, total, wish.reasoning, streams);
    let calls = plan_tool_calls(streams, wish);
    let calls_cost: u64 = calls.iter().map(Part::tokens).sum();
    let text = text_length(total - reasoning, calls_cost, wish, &mut streams.shape);
    if text > 0 {
        let body = match said {
            Some(mut said) => {
                said.truncate(text);
                said
            }
            None => write_text(text, &mut streams.text),
        };
        choice.parts.push(Part { kind: PartKind::Text, body, overhead: 0 });
    }
    add_tool_calls(&mut choice, calls, (limit - reasoning).saturating_sub(text));
    choice
}

/// How many tokens a reply needs so that this much of it is text.
fn reasoned(text: u64, kind: Reasoning) -> u64 {
    if kind == Reasoning::None { text } else { text.saturating_mul(3) }
}

/// 20 to 400 tokens, short ones more often.
fn natural_length(rng: &mut Rng) -> u64 {
    let high = rng.between(40, 400);
    rng.between(20, high)
}

/// How much text a reply has beside its tool calls.
fn text_length(room: u64, calls_cost: u64, wish: &Wish<'_>, rng: &mut Rng) -> u64 {
    if calls_cost == 0 {
        return room;
    }
    if wish.echo.is_some() {
        return 0;
    }
    if wish.output_tokens.is_some() {
        return room.saturating_sub(calls_cost);
    }
    if rng.chance(1, 2) { rng.between(5, 30).min(room) } else { 0 }
}

/// Spends 20 to 60 % of the output on reasoning.
fn add_reasoning(choice: &mut Choice, total: u64, kind: Reasoning, streams: &mut Streams) -> u64 {
    let share = total * streams.shape.between(20, 60) / 100;
    match kind {
        Reasoning::None => 0,
        Reasoning::Hidden => {
            choice.hidden_reasoning = share;
            share
        }
        Reasoning::Shown(most) => {
            let body = write_text(share.min(most), &mut streams.text);
            let tokens = body.tokens();
            let signature = streams.shape.base62(88);
            choice.parts.push(Part { kind: PartKind::Thinking { signature }, body, overhead: 0 });
            tokens
        }
    }
}

fn plan_tool_calls(streams: &mut Streams, wish: &Wish<'_>) -> Vec<Part> {
    let rng = &mut streams.tools;
    let calls = if rng.chance(1, 4) { 2 } else { 1 };
    let named = |name: &str| wish.tools.iter().find(|tool| tool.name == name).copied();
    let chosen: Vec<ToolSpec<'_>> = match wish.tool_choice {
        ToolChoice::Never => Vec::new(),
        // Unprompted, one reply in four uses a tool.
        ToolChoice::Auto if !rng.chance(1, 4) => Vec::new(),
        ToolChoice::Named(name) => named(name).into_iter().collect(),
        ToolChoice::Auto | ToolChoice::Any => {
            (0..calls).filter_map(|_| rng.pick(&wish.tools).copied()).collect()
        }
    };
    chosen.into_iter().map(|tool| tool_call(tool, wish, rng)).collect()
}

fn tool_call(tool: ToolSpec<'_>, wish: &Wish<'_>, rng: &mut Rng) -> Part {
    let id = format!("{}{}", wish.tool_id_prefix, rng.base62(24));
    Part {
        kind: PartKind::Tool { id, name: tool.name.to_owned() },
        body: TokenText::new(arguments(tool.schema, wish.echo.as_deref(), rng)),
        // A call costs at least one token, whatever its name.
        overhead: count_tokens(tool.name).max(1),
    }
}

/// Adds tool calls as far as the limit allows; like a real model, one that runs
/// into its limit leaves arguments unfinished.
fn add_tool_calls(choice: &mut Choice, calls: Vec<Part>, mut room: u64) {
    for mut call in calls {
        if call.overhead >= room {
            choice.finish = Finish::Length;
            return;
        }
        if call.tokens() > room {
            call.body.truncate(room - call.overhead);
            choice.finish = Finish::Length;
            choice.parts.push(call);
            return;
        }
        room -= call.tokens();
        choice.finish = Finish::ToolUse;
        choice.parts.push(call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wish() -> Wish<'static> {
        Wish {
            limit: None,
            output_tokens: None,
            reasoning: Reasoning::None,
            tools: Vec::new(),
            tool_choice: ToolChoice::Never,
            tool_id_prefix: "call_",
            choices: 1,
            echo: None,
        }
    }

    fn first(seed: u64, wish: &Wish<'_>) -> Choice {
        plan(Draw::new(seed, &[0; 16], 0), wish).remove(0)
    }

    #[test]
    fn limits_and_wishes_are_exact() {
        for seed in 0..50 {
            for reasoning in [Reasoning::None, Reasoning::Hidden, Reasoning::Shown(2_000)] {
                let asked = Wish { output_tokens: Some(200), reasoning, ..wish() };
                let whole = first(seed, &asked);
                assert_eq!((whole.output(), whole.finish), (200, Finish::Stop));
                assert_eq!(whole.reasoning() > 0, reasoning != Reasoning::None);
                let cut = first(seed, &Wish { limit: Some(9), ..asked });
                assert_eq!((cut.output(), cut.finish), (9, Finish::Length));
            }
            let natural = first(seed, &wish()).output();
            assert!((20..=400).contains(&natural));
        }
    }

    #[test]
    fn tool_calls_respect_limits() {
        let schema = json!({"properties": {"path": {"type": "string"}}});
        let tools = vec![ToolSpec { name: "read_file", schema: Some(&schema) }];
        for seed in 0..50 {
            for limit in 1..40 {
                let tool_choice = ToolChoice::Any;
                let asked =
                    Wish { limit: Some(limit), tools: tools.clone(), tool_choice, ..wish() };
                assert!(first(seed, &asked).output() <= limit);
            }
            let asked = Wish {
                tools: tools.clone(),
                tool_choice: ToolChoice::Named("read_file"),
                output_tokens: Some(150),
                ..wish()
            };
            let choice = first(seed, &asked);
            assert_eq!((choice.output(), choice.finish), (150, Finish::ToolUse));
        }
    }
}
