//! Any conversation stays legal, whichever limit it is cut to.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json as value;

use super::*;

/// One turn, independent of the dialect.
#[derive(Debug, Clone)]
struct Said {
    user: Vec<String>,
    /// Each round calls so many tools, under ids that may come again later.
    rounds: Vec<u8>,
    /// Instructions in mid-conversation.
    system: bool,
    answer: Option<String>,
}

fn said() -> impl Strategy<Value = Said> {
    let text = || prop_oneof![".{0,60}", Just("\"cache_control\": [{\"role\"".to_owned())];
    (
        prop::collection::vec(text(), 1..3),
        prop::collection::vec(1_u8..4, 0..3),
        prop::bool::weighted(0.2),
        text(),
    )
        .prop_map(|(user, rounds, system, answer)| Said {
            user,
            rounds,
            system,
            answer: Some(answer),
        })
}

fn conversation() -> impl Strategy<Value = Vec<Said>> {
    (prop::collection::vec(said(), 1..9), any::<bool>()).prop_map(|(mut turns, answered)| {
        if let Some(last) = turns.last_mut().filter(|_| !answered) {
            last.answer = None;
        }
        turns
    })
}

fn anthropic_messages(turns: &[Said]) -> Vec<Value> {
    let mut messages = Vec::new();
    for said in turns {
        for text in &said.user {
            messages.push(value!({"role": "user", "content": text}));
        }
        if said.system {
            messages.push(value!({"role": "system", "content": "from now on"}));
        }
        for calls in &said.rounds {
            let ids: Vec<String> = (0..*calls).map(|n| format!("t{n}")).collect();
            let uses: Vec<Value> =
                ids.iter().map(|id| value!({"type": "tool_use", "id": id, "input": {}})).collect();
            let results: Vec<Value> =
                ids.iter().map(|id| value!({"type": "tool_result", "tool_use_id": id})).collect();
            messages.push(value!({"role": "assistant", "content": uses}));
            messages.push(value!({"role": "user", "content": results}));
        }
        if let Some(text) = &said.answer {
            let part = value!({"type": "text", "text": text, "cache_control": {"type": "e"}});
            messages.push(value!({"role": "assistant", "content": [part]}));
        }
    }
    messages
}

fn openai_messages(turns: &[Said]) -> Vec<Value> {
    let mut messages = vec![value!({"role": "developer", "content": "be kind"})];
    for said in turns {
        for text in &said.user {
            messages.push(value!({"role": "user", "content": text}));
        }
        if said.system {
            messages.push(value!({"role": "system", "content": "from now on"}));
        }
        for calls in &said.rounds {
            let ids: Vec<String> = (0..*calls).map(|n| format!("t{n}")).collect();
            let uses: Vec<Value> = ids.iter().map(|id| value!({"id": id})).collect();
            messages.push(value!({"role": "assistant", "content": null, "tool_calls": uses}));
            for id in &ids {
                messages.push(value!({"role": "tool", "tool_call_id": id, "content": "r"}));
            }
        }
        if let Some(text) = &said.answer {
            messages.push(value!({"role": "assistant", "content": text}));
        }
    }
    messages
}

/// Written with spaces of all kinds, so that bytes and meaning are not the same.
fn body_of(messages: &[Value], pretty: bool) -> String {
    let messages = value!(messages);
    let text = if pretty {
        serde_json::to_string_pretty(&messages).unwrap()
    } else {
        messages.to_string()
    };
    format!(r#"{{ "model":"m", "system":"S", "messages" : {text} , "tools":[{{"name":"t"}}]}}"#)
}

fn ids<'a>(message: &'a Value, list: &str, kind: &str, id: &str) -> BTreeSet<&'a str> {
    let items = message[list].as_array().into_iter().flatten();
    items
        .filter(|it| kind.is_empty() || it["type"] == kind)
        .filter_map(|it| it[id].as_str())
        .collect()
}

fn assert_anthropic_is_legal(messages: &[Value]) {
    let role = |at: usize| messages.get(at).map_or("", |message| message["role"].as_str().unwrap());
    assert_eq!(role(0), "user");
    let mut open = BTreeSet::new();
    for (at, message) in messages.iter().enumerate() {
        let results = ids(message, "content", "tool_result", "tool_use_id");
        assert_eq!(results, open, "results answer exactly the calls of the message before");
        open = ids(message, "content", "tool_use", "id");
        if role(at) == "system" {
            assert_eq!(role(at - 1), "user");
            assert!(["", "assistant"].contains(&role(at + 1)));
        }
        assert!(role(at) != "assistant" || role(at + 1) != "assistant", "as it was made");
    }
    assert!(open.is_empty());
}

fn assert_openai_is_legal(messages: &[Value]) {
    let mut open = BTreeSet::new();
    let mut first = None;
    for message in messages {
        let role = message["role"].as_str().unwrap();
        match role {
            "tool" => assert!(open.remove(message["tool_call_id"].as_str().unwrap())),
            _ => assert!(open.is_empty(), "a call without its result"),
        }
        if !["system", "developer"].contains(&role) {
            first = first.or(Some(role));
        }
        open.extend(ids(message, "tool_calls", "", "id"));
    }
    assert!(open.is_empty());
    assert_eq!(first, Some("user"));
}

/// What holds in both dialects; gives back what is left.
fn reduced_messages(
    protocol: &dyn Protocol,
    messages: &[Value],
    pretty: bool,
    share: f64,
) -> Result<Option<Vec<Value>>, TestCaseError> {
    let body = body_of(messages, pretty);
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let max = (body.len() as f64 * 0.25 * share) as u64;
    let reduced = match protocol.reduce_context(body.as_bytes(), &at_most(max)) {
        Ok(reduced) => reduced,
        Err(CannotReduce::TooLarge { tokens, max: limit }) => {
            prop_assert!(tokens > max && limit == max);
            return Ok(None);
        }
        Err(other) => return Err(TestCaseError::fail(other.to_string())),
    };
    prop_assert!(reduced.tokens_left <= max);
    prop_assert_eq!(reduced.splices.is_empty(), reduced.turns_dropped == 0);
    let left = edited(&body, reduced.splices.clone());
    prop_assert!(left.len() <= body.len());
    // Nothing is written, and everything outside the messages is as it was.
    let start = body.find('[').unwrap();
    for splice in &reduced.splices {
        prop_assert!(splice.with.is_empty() && splice.range.start > start);
    }
    prop_assert_eq!(&left[..=start], &body[..=start]);
    let is_whole = left.ends_with(r#"] , "tools":[{"name":"t"}]}"#);
    prop_assert!(is_whole);
    let left = json(&left)["messages"].as_array().unwrap().clone();
    // A subsequence, the end of which is the last turn.
    let mut rest = messages.iter();
    prop_assert!(left.iter().all(|kept| rest.any(|message| message == kept)));
    Ok(Some(left))
}

fn last_turn(turns: &[Said], messages_of: fn(&[Said]) -> Vec<Value>) -> Vec<Value> {
    let before = messages_of(&turns[..turns.len() - 1]).len();
    messages_of(turns).split_off(before)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_anthropic_conversation_stays_legal(
        turns in conversation(), pretty in any::<bool>(), share in 0.0..1.1,
    ) {
        // Instructions right after a turn's user must be followed by an assistant.
        let mut turns = turns;
        for said in &mut turns {
            said.system &= !said.rounds.is_empty() || said.answer.is_some();
        }
        let messages = anthropic_messages(&turns);
        assert_anthropic_is_legal(&messages);
        if let Some(left) = reduced_messages(&AnthropicMessages, &messages, pretty, share)? {
            assert_anthropic_is_legal(&left);
            prop_assert!(left.ends_with(&last_turn(&turns, anthropic_messages)));
            let instructions = |all: &[Value]| all.iter().filter(|it| it["role"] == "system").count();
            prop_assert_eq!(instructions(&left), instructions(&messages));
        }
    }

    #[test]
    fn an_openai_conversation_stays_legal(
        turns in conversation(), pretty in any::<bool>(), share in 0.0..1.1,
    ) {
        let messages = openai_messages(&turns);
        assert_openai_is_legal(&messages);
        if let Some(left) = reduced_messages(&OpenAiChat, &messages, pretty, share)? {
            assert_openai_is_legal(&left);
            let last = last_turn(&turns, openai_messages);
            prop_assert!(left.ends_with(&last));
            let kept = |all: &[Value]| {
                all.iter().filter(|it| it["role"] == "system" || it["role"] == "developer").count()
            };
            prop_assert_eq!(kept(&left), kept(&messages));
        }
    }

    #[test]
    fn a_smaller_limit_never_leaves_more(turns in conversation(), one in 0.0..1.1, two in 0.0..1.1) {
        let messages = openai_messages(&turns);
        let wide = reduced_messages(&OpenAiChat, &messages, false, f64::max(one, two))?;
        let narrow = reduced_messages(&OpenAiChat, &messages, false, f64::min(one, two))?;
        match (wide, narrow) {
            (Some(wide), Some(narrow)) => prop_assert!(narrow.len() <= wide.len()),
            (None, narrow) => prop_assert!(narrow.is_none()),
            (Some(_), None) => {}
        }
    }
}
