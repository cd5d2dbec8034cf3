//! Streams with placeholders, cut anywhere.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use tally_policy::redact::{DataKind, RedactionKey, Restorations};
use tally_types::Dialect;

use super::{StreamRestorer, Zone, request, restored, wanted::Wanted};
use crate::json_bytes::spliced;

const EMAIL: &str = "ada@acme.test";

fn wanted() -> Wanted {
    let kinds: BTreeSet<DataKind> = DataKind::BUILT_IN.into_iter().collect();
    Wanted { kinds, restore: true, ..Wanted::default() }
}

/// A text as the provider sees it, and the way back.
fn redacted(text: &str) -> (String, Restorations) {
    let body = bytes::Bytes::from(json!({ "messages": [{ "content": text }] }).to_string());
    let key = RedactionKey::new(b"test");
    let (splices, vault) = request::redact(&body, Zone::OpenAiRequest, &wanted(), &key).unwrap();
    let sent: Value = serde_json::from_slice(&spliced(&body, splices)).unwrap();
    (sent["messages"][0]["content"].as_str().unwrap().to_owned(), vault.into_restorations())
}

#[test]
fn thinking_and_what_the_model_is_told_about_tools_stay() {
    let body = json!({
        "tools": [{ "name": "mail", "description": EMAIL }],
        "messages": [{ "role": "assistant", "content": [
            { "type": "thinking", "thinking": EMAIL, "signature": "c2ln" },
            { "type": "tool_use", "id": EMAIL, "name": "mail", "input": { EMAIL: { "id": EMAIL, "data": [EMAIL] } } },
        ] }],
    });
    let text = bytes::Bytes::from(body.to_string());
    let key = RedactionKey::new(b"test");
    let (splices, vault) = request::redact(&text, Zone::AnthropicRequest, &wanted(), &key).unwrap();
    let sent: Value = serde_json::from_slice(&spliced(&text, splices)).unwrap();
    assert_eq!(sent["tools"], body["tools"]);
    assert_eq!(sent["messages"][0]["content"][0], body["messages"][0]["content"][0]);
    assert!(!sent["messages"][0]["content"][1]["input"].to_string().contains(EMAIL));
    assert_eq!(vault.counts()["email"], 3, "a member's name, too");
    let whole = restored(
        bytes::Bytes::from(json!({ "content": sent["messages"][0]["content"] }).to_string()),
        Zone::AnthropicReply,
        &vault.into_restorations(),
    );
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(whole["content"], body["messages"][0]["content"]);
}

/// Sends the pieces of a text as a stream; gives back what a client reads.
fn heard(dialect: Dialect, pieces: &[&str], known: &Restorations, is_json: bool) -> String {
    let mut restorer = StreamRestorer::new(dialect, known).unwrap();
    let mut events = Vec::new();
    let mut take = |data: &Value| {
        let data = data.to_string();
        let (before, told) = restorer.pass(data.as_bytes());
        events.extend_from_slice(&before);
        events.extend_from_slice(b"data: ");
        events.extend_from_slice(&told);
        events.push(b'\n');
    };
    for piece in pieces {
        take(&match (dialect, is_json) {
            (Dialect::Anthropic, false) => {
                json!({ "type": "content_block_delta", "index": 1, "delta": { "type": "text_delta", "text": piece } })
            }
            (Dialect::Anthropic, true) => {
                json!({ "type": "content_block_delta", "index": 1, "delta": { "type": "input_json_delta", "partial_json": piece } })
            }
            (_, false) => {
                json!({ "id": "c", "choices": [{ "index": 0, "delta": { "content": piece } }] })
            }
            (_, true) => {
                json!({ "id": "c", "choices": [{ "index": 0, "delta": { "tool_calls": [{ "index": 0, "function": { "arguments": piece } }] } }] })
            }
        });
    }
    take(&match dialect {
        Dialect::Anthropic => json!({ "type": "content_block_stop", "index": 1 }),
        _ => {
            json!({ "id": "c", "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] })
        }
    });
    assert_eq!(restorer.finish(), b"", "nothing is left");
    let text = String::from_utf8(events).unwrap();
    let last = text.lines().last().unwrap();
    assert!(last.contains("stop"), "what is held back comes before the end: {text}");
    let read = |data: &str| {
        let event: Value = serde_json::from_str(data).unwrap();
        let delta = &event["choices"][0]["delta"];
        let texts = [
            &event["delta"]["text"],
            &event["delta"]["partial_json"],
            &delta["content"],
            &delta["tool_calls"][0]["function"]["arguments"],
        ];
        texts.iter().filter_map(|text| text.as_str()).collect::<String>()
    };
    text.lines().filter_map(|line| line.strip_prefix("data: ")).map(read).collect()
}

proptest! {
    #[test]
    fn a_stream_cut_anywhere_comes_back_whole(
        before in "[a-zé\\[ ]{0,8}",
        after in "(\\[EMAIL|\\[|é| ){0,3}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        dialect in prop_oneof![Just(Dialect::Anthropic), Just(Dialect::OpenAi)],
        is_json in any::<bool>(),
    ) {
        let said = format!("{before} {EMAIL} \"{EMAIL}\" {after}");
        let (sent, known) = redacted(&said);
        prop_assert!(!sent.contains(EMAIL));
        let sent = if is_json { json!({ "to": sent }).to_string() } else { sent };
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(sent.len() + 1)).collect();
        places.retain(|place| sent.is_char_boundary(*place));
        places.extend([0, sent.len()]);
        places.sort_unstable();
        let pieces: Vec<&str> = places.windows(2).map(|pair| &sent[pair[0]..pair[1]]).collect();
        let heard = heard(dialect, &pieces, &known, is_json);
        if is_json {
            let value: Value = serde_json::from_str(&heard).unwrap();
            prop_assert_eq!(value["to"].as_str(), Some(said.as_str()));
        } else {
            prop_assert_eq!(heard, said);
        }
    }

    #[test]
    fn only_what_is_found_changes_and_the_rest_stays_json(
        text in "([a-z ]|\\\\|\"|é|\n| ada@acme.test | 4111 1111 1111 1111 ){0,12}",
    ) {
        let (sent, known) = redacted(&text);
        prop_assert!(!sent.contains(EMAIL) && !sent.contains("4111 1111"));
        let back = known.restored(&sent, tally_policy::redact::Escaping::Plain).unwrap_or(sent);
        prop_assert_eq!(back, text);
    }
}
