//! What a request needs is read from what it is, not from what it talks about.

use super::*;
use crate::protocol::Needs;

fn needs(protocol: &dyn Protocol, body: &str) -> Needs {
    let parsed = protocol.parse(&Bytes::copy_from_slice(body.as_bytes())).unwrap();
    parsed.needs
}

#[test]
fn anthropic_tools_and_thinking() {
    let body = |extra: &str| format!(r#"{{"model":"m","max_tokens":9,"messages":[]{extra}}}"#);
    let of = |extra: &str| needs(&AnthropicMessages, &body(extra));
    assert_eq!(of(""), Needs::default());
    assert_eq!(of(r#","tools":[ ],"thinking":{"type":"disabled"}"#), Needs::default());
    assert_eq!(of(r#","tools":null,"thinking":null"#), Needs::default());
    assert!(of(r#","tools":[{"name":"t"}]"#).tools);
    assert!(of(r#","thinking":{"type":"enabled","budget_tokens":2000}"#).reasoning);
    assert!(of(r#","thinking":{"type":"adaptive"}"#).reasoning);
    assert!(of(r#","output_config":{"effort":"low"}"#).reasoning);
    assert!(!of(r#","output_config":{"format":{}}"#).reasoning);
}

#[test]
fn openai_tools_and_thinking() {
    let body = |extra: &str| format!(r#"{{"model":"m","messages":[]{extra}}}"#);
    let of = |extra: &str| needs(&OpenAiChat, &body(extra));
    for extra in
        ["", r#","tools":[]"#, r#","reasoning_effort":null"#, r#","reasoning_effort":"none""#]
    {
        assert_eq!(of(extra), Needs::default(), "{extra}");
    }
    assert!(of(r#","tools":[{"type":"function"}]"#).tools);
    assert!(of(r#","functions":[{"name":"f"}]"#).tools);
    assert!(of(r#","reasoning_effort":"low""#).reasoning);
    assert!(of(r#","reasoning":{"effort":"high"}"#).reasoning);
    assert!(of(r#","reasoning":{"enabled":true}"#).reasoning);
    assert!(!of(r#","reasoning":{"effort":"none"}"#).reasoning);
    assert!(!of(r#","reasoning":{"enabled":false,"effort":"low"}"#).reasoning);
}

#[test]
fn images_are_seen_where_they_are_shown() {
    let anthropic = |content: &str| {
        let body = format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":{content}}}]}}"#
        );
        needs(&AnthropicMessages, &body).images
    };
    assert!(anthropic(r#"[{"type":"image","source":{}}]"#));
    assert!(anthropic(r#"[{ "type" : "document" ,"source":{}}]"#));
    assert!(anthropic(
        r#"[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{}}]}]"#
    ));
    assert!(!anthropic(r#""image""#), "a word");
    assert!(!anthropic(r#"[{"type":"text","text":"{\"type\":\"image\"}"}]"#), "a text about one");
    assert!(!anthropic(r#"[{"type":"tool_use","id":"a","input":{"type":"image"}}]"#), "an input");
    let openai = |content: &str| {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]}}"#);
        needs(&OpenAiChat, &body).images
    };
    assert!(openai(r#"[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"x"}}]"#));
    assert!(openai(r#"[{"type":"file","file":{"file_id":"f"}}]"#));
    assert!(!openai(r#""image_url""#));
    assert!(!openai(r#"[{"type":"text","text":"\"type\":\"image_url\""}]"#));
}

#[test]
fn a_conversation_the_provider_keeps_is_stateful() {
    let parse = |body: &str| OpenAiChat.parse(&Bytes::copy_from_slice(body.as_bytes())).unwrap();
    let stateful = parse(r#"{"model":"m","messages":[],"previous_response_id":"resp_1","n":3}"#);
    assert!(stateful.is_stateful);
    assert_eq!(stateful.answers, 3);
    let alone = parse(r#"{"model":"m","messages":[],"previous_response_id":null,"n":null}"#);
    assert!(!alone.is_stateful);
    assert_eq!(alone.answers, 1);
}
