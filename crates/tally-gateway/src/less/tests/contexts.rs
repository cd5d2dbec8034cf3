//! Smaller contexts: what goes, what stays, and when nothing does.

use super::*;

/// Drops turns until only the last is left, or what must stay with it.
fn smallest(protocol: &dyn Protocol, body: &str) -> (String, Reduced) {
    let Err(CannotReduce::TooLarge { tokens, .. }) =
        protocol.reduce_context(body.as_bytes(), &at_most(0))
    else {
        panic!("nothing fits into no tokens: {body}")
    };
    let reduced = protocol.reduce_context(body.as_bytes(), &at_most(tokens)).unwrap();
    assert_eq!(reduced.tokens_left, tokens);
    (edited(body, reduced.splices.clone()), reduced)
}

fn anthropic(messages: &str) -> String {
    format!(r#"{{"system":"S","messages":[{messages}],"max_tokens":9}}"#)
}

#[test]
fn what_fits_is_not_touched() {
    let body = anthropic(r#"{"role":"user","content":"a"}"#);
    let reduced = AnthropicMessages.reduce_context(body.as_bytes(), &at_most(1_000)).unwrap();
    assert_eq!((reduced.splices.len(), reduced.turns_dropped, reduced.tokens_dropped), (0, 0, 0));
}

#[test]
fn the_oldest_turns_go_until_it_fits_and_no_more() {
    let turn = |n: u32| {
        format!(
            r#"{{"role":"user","content":"{n}{}"}},{{"role":"assistant","content":"yes"}}, "#,
            "x".repeat(100)
        )
    };
    let messages: String = (0..5).map(turn).collect();
    let body = anthropic(&format!(r#"{messages}{{"role":"user","content":"last"}}"#));
    let all = u64::try_from(body.len()).unwrap() / 4;
    let reduced = AnthropicMessages.reduce_context(body.as_bytes(), &at_most(all - 50)).unwrap();
    assert_eq!(reduced.turns_dropped, 2);
    assert!(reduced.tokens_left <= all - 50);
    let left = edited(&body, reduced.splices);
    let kept: String = (2..5).map(turn).collect();
    assert_eq!(left, anthropic(&format!(r#"{kept}{{"role":"user","content":"last"}}"#)));
    let expected = u64::try_from(left.len()).unwrap() / 4;
    assert!(reduced.tokens_left.abs_diff(expected) <= 1);
}

#[test]
fn regression_27_a_tools_call_and_its_result_stay_together() {
    let old = r#"{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"n","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"r"},{"type":"text","text":"and?"}]},{"role":"assistant","content":"b"}"#;
    let last = r#"{"role":"user","content":[{"type":"text","text":"c"}]},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"n","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"r2"}]}"#;
    let (left, reduced) = smallest(&AnthropicMessages, &anthropic(&format!("{old},\n {last}")));
    assert_eq!(left, anthropic(last));
    assert_eq!(reduced.turns_dropped, 1);

    let old = r#"{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c1"},{"id":"c2"}]},{"role":"tool","tool_call_id":"c1","content":"1"},{"role":"tool","tool_call_id":"c2","content":"2"},{"role":"assistant","content":"b"}"#;
    let last = r#"{"role":"user","content":"c"},{"role":"assistant","tool_calls":[{"id":"c1"}]},{"role":"tool","tool_call_id":"c1","content":"3"}"#;
    let (left, _) = smallest(&OpenAiChat, &anthropic(&format!("{old},{last}")));
    assert_eq!(left, anthropic(last));
}

#[test]
fn what_a_user_adds_to_a_tools_result_begins_no_turn() {
    let one = r#"{"role":"user","content":"a"},{"role":"assistant","content":"b"}"#;
    let last = r#"{"role":"user","content":"c"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"n","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"}]},{"role":"user","content":"and?"}"#;
    let (left, _) = smallest(&AnthropicMessages, &anthropic(&format!("{one},{last}")));
    assert_eq!(left, anthropic(last));
}

#[test]
fn a_result_without_its_call_never_comes_first() {
    let old = r#"{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"tool_result","tool_use_id":"lost"}]},{"role":"assistant","content":"c"}"#;
    let last = r#"{"role":"user","content":"d"}"#;
    let body = anthropic(&format!("{old},{last}"));
    let all = u64::try_from(body.len()).unwrap() / 4;
    let reduced = AnthropicMessages.reduce_context(body.as_bytes(), &at_most(all - 2)).unwrap();
    assert_eq!(edited(&body, reduced.splices), anthropic(last));
}

#[test]
fn a_result_that_comes_late_holds_its_turns_together() {
    let body = anthropic(
        r#"{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c1"}]},{"role":"user","content":"wait"},{"role":"tool","tool_call_id":"c1","content":"1"}"#,
    );
    assert_eq!(smallest(&OpenAiChat, &body).0, body);
}

#[test]
fn instructions_stay_wherever_they_stand() {
    let body = anthropic(
        r#"{"role":"system","content":"s1"},{"role":"user","content":"a"},{"role":"developer","content":"s2"},{"role":"assistant","content":"b"},{"role":"system","content":"s3"},{"role":"user","content":"c"}"#,
    );
    let expected = anthropic(
        r#"{"role":"system","content":"s1"},{"role":"developer","content":"s2"},{"role":"system","content":"s3"},{"role":"user","content":"c"}"#,
    );
    let (left, reduced) = smallest(&OpenAiChat, &body);
    assert_eq!((left, reduced.turns_dropped), (expected, 1));
}

#[test]
fn anthropics_instructions_in_mid_conversation_keep_their_turn() {
    let one = r#"{"role":"user","content":"a"},{"role":"assistant","content":"b"}"#;
    let two = r#"{"role":"user","content":"c"},{"role":"system","content":"s"},{"role":"assistant","content":"d"}"#;
    let three = r#"{"role":"user","content":"e"},{"role":"assistant","content":"f"}"#;
    let last = r#"{"role":"user","content":"g"}"#;
    let (left, _) =
        smallest(&AnthropicMessages, &anthropic(&format!("{one},{two},{three},{last}")));
    assert_eq!(left, anthropic(&format!("{two},{last}")));
}

#[test]
fn a_compaction_keeps_its_turn() {
    let one = r#"{"role":"user","content":"a"},{"role":"assistant","content":"b"}"#;
    let two = r#"{"role":"user","content":"c"},{"role":"assistant","content":[{"type":"compaction","content":"a and b"},{"type":"text","text":"d"}]}"#;
    let last = r#"{"role":"user","content":"g"}"#;
    let (left, _) = smallest(&AnthropicMessages, &anthropic(&format!("{one},{two},{last}")));
    assert_eq!(left, anthropic(&format!("{two},{last}")));
}

#[test]
fn what_a_user_says_in_several_messages_is_one_turn() {
    let one = r#"{"role":"user","content":"a"},{"role":"assistant","content":"b"}"#;
    let last = r#"{"role":"user","content":"context"},{"role":"user","content":"question"}"#;
    for protocol in [&AnthropicMessages as &dyn Protocol, &OpenAiChat] {
        let (left, _) = smallest(protocol, &anthropic(&format!("{one},{last}")));
        assert_eq!(left, anthropic(last));
    }
}

#[test]
fn where_the_cache_saves_more_nothing_is_dropped() {
    let long = "x".repeat(8_000);
    let turn =
        format!(r#"{{"role":"user","content":"{long}"}},{{"role":"assistant","content":"b"}}"#);
    let last = r#"{"role":"user","content":"c"}"#;
    let body = anthropic(&format!("{turn},{turn},{turn},{turn},{last}"));
    // About 8,000 tokens; half of them anew at 10 a token cost more than all at 1.
    let refused = OpenAiChat.reduce_context(body.as_bytes(), &at_prices(4_500, 10, 1));
    assert!(matches!(refused, Err(CannotReduce::CacheSavesMore { .. })), "{refused:?}");
    assert!(OpenAiChat.reduce_context(body.as_bytes(), &at_prices(100, 10, 1)).is_ok());
    assert!(OpenAiChat.reduce_context(body.as_bytes(), &at_prices(4_500, 10, 9)).is_ok());
    assert!(OpenAiChat.reduce_context(body.as_bytes(), &at_most(4_500)).is_ok(), "no prices");
    let few = anthropic(&format!("{turn},{last}"));
    assert!(OpenAiChat.reduce_context(few.as_bytes(), &at_prices(500, 1_000, 1)).is_ok());

    let anew =
        |body: &str| AnthropicMessages.reduce_context(body.as_bytes(), &at_prices(4_500, 10, 1));
    assert!(anew(&body).is_ok(), "nobody asked for a cache");
    let talk = body.replace(r#""c""#, r#""\"cache_control\":{}""#);
    assert!(anew(&talk).is_ok(), "a text about caches");
    let part = r#"[{"type":"text","text":"c","cache_control":{"type":"ephemeral"}}]"#;
    let asked = body.replace(r#""c""#, part);
    assert!(matches!(anew(&asked), Err(CannotReduce::CacheSavesMore { .. })));
    let asked = body.replacen('{', r#"{"cache_control":{"type":"ephemeral"},"#, 1);
    assert!(matches!(anew(&asked), Err(CannotReduce::CacheSavesMore { .. })));
    let system = body.replace(r#""S""#, part);
    assert!(anew(&system).is_ok(), "what stays before the turns stays cached");
}

#[test]
fn images_count_as_images() {
    let image = format!(
        r#"{{"role":"user","content":[{{"type":"image","source":{{"type":"base64","data":"{}"}}}}]}},{{"role":"assistant","content":"b"}}"#,
        "A".repeat(40_000)
    );
    let body = anthropic(&format!(r#"{image},{{"role":"user","content":"c"}}"#));
    let reduced = AnthropicMessages.reduce_context(body.as_bytes(), &at_most(1_000)).unwrap();
    assert_eq!(reduced.turns_dropped, 1);
    assert!((1_600..1_700).contains(&reduced.tokens_dropped), "{}", reduced.tokens_dropped);
}

#[test]
fn what_cannot_be_made_smaller_says_why() {
    let stateful = r#"{"model":"m","messages":[],"previous_response_id":"r"}"#;
    let reduce = |protocol: &dyn Protocol, body: &str| {
        protocol.reduce_context(body.as_bytes(), &at_most(1)).unwrap_err()
    };
    assert_eq!(reduce(&OpenAiChat, stateful), CannotReduce::Stateful);
    assert_eq!(
        reduce(&crate::protocol::OpenAiEmbeddings, r#"{"model":"m","input":"x"}"#),
        CannotReduce::NoConversation
    );
    for body in [r#"{"messages":{}}"#, r#"{"messages":[{"content":"x"}]}"#, r#"{"messages":[7]}"#] {
        for protocol in [&AnthropicMessages as &dyn Protocol, &OpenAiChat] {
            let error = reduce(protocol, body);
            assert!(matches!(error, CannotReduce::NotUnderstood(_)), "{body}: {error}");
        }
    }
    let alone = anthropic(r#"{"role":"user","content":"a"}"#);
    let error = reduce(&AnthropicMessages, &alone);
    assert!(matches!(error, CannotReduce::TooLarge { max: 1, .. }), "{error}");
    assert!(error.to_string().contains("more than 1"), "{error}");
}
