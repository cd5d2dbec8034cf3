//! Shorter answers and less thinking.

use super::*;

fn less(output_tokens: Option<u64>, effort: Option<ReasoningEffort>) -> Less {
    Less { output_tokens, effort }
}

fn served(protocol: &dyn Protocol, body: &str, less: Less) -> (Value, Lessened) {
    let lessened = protocol.with_less(body.as_bytes(), &less);
    (json(&edited(body, lessened.splices.clone())), lessened)
}

#[test]
fn an_answer_is_capped_by_the_name_the_client_used() {
    for (extra, expected) in [
        ("", r#"{"max_completion_tokens":2000,"model":"m"}"#),
        (r#","max_tokens":9000"#, r#"{"model":"m","max_tokens":2000}"#),
        (r#","max_tokens": null"#, r#"{"model":"m","max_tokens":2000}"#),
        (r#","max_completion_tokens":9000"#, r#"{"model":"m","max_completion_tokens":2000}"#),
        (
            r#","max_tokens":null,"max_completion_tokens":9000"#,
            r#"{"model":"m","max_tokens":null,"max_completion_tokens":2000}"#,
        ),
        (
            r#","max_tokens":7000,"max_completion_tokens":9000"#,
            r#"{"model":"m","max_tokens":2000,"max_completion_tokens":2000}"#,
        ),
        (
            r#","max_tokens":null,"max_completion_tokens":null"#,
            r#"{"model":"m","max_tokens":null,"max_completion_tokens":2000}"#,
        ),
    ] {
        let body = format!(r#"{{"model":"m"{extra}}}"#);
        let (sent, lessened) = served(&OpenAiChat, &body, less(Some(2_000), None));
        assert_eq!(sent, json(expected), "{body}");
        assert_eq!(lessened.output_tokens_max, Some(2_000));
    }
}

#[test]
fn a_cap_never_raises_and_never_goes_below_what_an_answer_needs() {
    for (protocol, body) in [
        (&OpenAiChat as &dyn Protocol, r#"{"model":"m","max_tokens":500}"#),
        (&AnthropicMessages, r#"{"model":"m","max_tokens":500}"#),
    ] {
        let lessened = protocol.with_less(body.as_bytes(), &less(Some(1), None));
        assert_eq!(lessened, Lessened::default(), "{body}");
    }
    let (sent, lessened) =
        served(&AnthropicMessages, r#"{"max_tokens": 5000 ,"a":[1, 2]}"#, less(Some(1), None));
    assert_eq!(sent["max_tokens"], OUTPUT_TOKENS_MIN);
    assert_eq!(lessened.output_tokens_max, Some(OUTPUT_TOKENS_MIN));
}

#[test]
fn effort_is_only_lowered_and_only_where_it_was_asked_for() {
    use ReasoningEffort::{High, Low, Medium, Minimal};
    for (word, most, sent) in [
        ("high", Medium, "medium"),
        ("xhigh", High, "high"),
        ("high", Minimal, "low"),
        ("medium", Low, "low"),
        ("low", Medium, "low"),
        ("minimal", Minimal, "minimal"),
        ("none", Minimal, "none"),
        ("unheard-of", Low, "unheard-of"),
    ] {
        let body = format!(r#"{{"reasoning_effort":"{word}","reasoning":{{"effort":"{word}"}}}}"#);
        let (value, lessened) = served(&OpenAiChat, &body, less(None, Some(most)));
        assert_eq!(value["reasoning_effort"], sent, "{word} {most}");
        assert_eq!(value["reasoning"]["effort"], sent, "{word} {most}");
        assert_eq!(lessened.reasoning, word != sent, "{word} {most}");
        let body = format!(r#"{{"max_tokens":9,"output_config":{{"effort":"{word}"}}}}"#);
        let (value, lessened) = served(&AnthropicMessages, &body, less(None, Some(most)));
        assert_eq!(value["output_config"]["effort"], sent, "{word} {most}");
        assert_eq!(lessened.reasoning, word != sent, "{word} {most}");
    }
    for body in [r#"{"model":"m"}"#, r#"{"model":"m","reasoning_effort":null,"reasoning":true}"#] {
        let lessened = OpenAiChat.with_less(body.as_bytes(), &less(None, Some(Low)));
        assert_eq!(lessened, Lessened::default(), "{body}");
    }
}

#[test]
fn thinking_is_lowered_but_never_switched_off() {
    use ReasoningEffort::{High, Low, Medium, Minimal};
    for (budget, most, sent) in [
        (30_000, Minimal, 1_024),
        (30_000, Low, 1_024),
        (30_000, Medium, 8_192),
        (30_000, High, 24_576),
        (4_000, Medium, 4_000),
        (1_024, Minimal, 1_024),
    ] {
        let body = format!(
            r#"{{"max_tokens":32000,"thinking":{{"type":"enabled","budget_tokens":{budget}}}}}"#
        );
        let (value, lessened) = served(&AnthropicMessages, &body, less(None, Some(most)));
        assert_eq!(value["thinking"]["budget_tokens"], sent);
        assert_eq!(value["thinking"]["type"], "enabled");
        assert_eq!((lessened.reasoning, lessened.output_tokens_max), (budget != sent, None));
    }
    for body in [
        r#"{"max_tokens":9,"thinking":{"type":"adaptive"}}"#,
        r#"{"max_tokens":9,"thinking":{"type":"disabled"}}"#,
        r#"{"max_tokens":9,"thinking":"what"}"#,
    ] {
        let lessened = AnthropicMessages.with_less(body.as_bytes(), &less(None, Some(Low)));
        assert_eq!(lessened, Lessened::default(), "{body}");
    }
}

#[test]
fn thinking_leaves_room_within_a_capped_answer() {
    for (max, budget, cap, effort, sent_max, sent_budget) in [
        (32_000, 16_000, 4_000, None, 4_000, 3_999),
        (32_000, 16_000, 1_000, None, 1_025, 1_024),
        (32_000, 2_000, 4_000, None, 4_000, 2_000),
        (32_000, 16_000, 12_000, Some(ReasoningEffort::Medium), 12_000, 8_192),
        (32_000, 16_000, 4_000, Some(ReasoningEffort::Medium), 4_000, 3_999),
        // Interleaved: the budget spans several answers.
        (8_000, 16_000, 4_000, None, 4_000, 16_000),
        (8_000, 16_000, 4_000, Some(ReasoningEffort::Low), 4_000, 1_024),
    ] {
        let body = format!(
            r#"{{"max_tokens":{max},"thinking":{{"budget_tokens":{budget},"type":"enabled"}}}}"#
        );
        let (value, _) = served(&AnthropicMessages, &body, less(Some(cap), effort));
        assert_eq!(value["max_tokens"], sent_max, "{body}");
        assert_eq!(value["thinking"]["budget_tokens"], sent_budget, "{body}");
    }
}

#[test]
fn edits_of_all_kinds_combine() {
    let body = r#"{"reasoning_effort":"high","stream":true,"messages":[{"role":"user","content":"one one one one"},{"role":"assistant","content":"1"},{"role":"user","content":"two"}],"model":"m"}"#;
    let parsed = OpenAiChat.parse(&Bytes::from_static(body.as_bytes())).unwrap();
    let model = Splice { range: parsed.model_span, with: "\"cheap\"".to_owned() };
    let lessened =
        OpenAiChat.with_less(body.as_bytes(), &less(Some(2_000), Some(ReasoningEffort::Low)));
    let reduced = OpenAiChat.reduce_context(body.as_bytes(), &at_most(38)).unwrap();
    let all = [model].into_iter().chain(parsed.usage_splice);
    let all = combined(all.chain(lessened.splices).chain(reduced.splices)).unwrap();
    assert_eq!(
        edited(body, all),
        r#"{"stream_options":{"include_usage":true},"max_completion_tokens":2000,"reasoning_effort":"low","stream":true,"messages":[{"role":"user","content":"two"}],"model":"cheap"}"#
    );
}

#[test]
fn edits_of_the_same_bytes_do_not_combine() {
    let splice = |range| Splice { range, with: String::new() };
    assert_eq!(combined([splice(3..5), splice(4..6)]), None);
    assert_eq!(combined([splice(3..5), splice(3..5)]), None);
    assert_eq!(combined([splice(5..6), splice(3..5)]), Some(vec![splice(3..5), splice(5..6)]));
}
