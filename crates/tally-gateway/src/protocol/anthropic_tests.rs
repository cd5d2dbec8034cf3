//! What is read of Anthropic's requests and replies.

use super::*;

#[test]
fn a_streams_reports_overwrite_and_never_add() {
    let mut meter = MessagesMeter::default();
    meter.data(br#"{"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":10,"cache_read_input_tokens":5,"cache_creation_input_tokens":99,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":3},"output_tokens":1}}}"#);
    assert!(!meter.counts_are_final());
    meter.data(
        br#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hey"}}"#,
    );
    meter.data(br#"{"type":"message_delta","delta":{},"usage":{"output_tokens":40}}"#);
    meter.data(br#"{"type":"message_delta","delta":{},"usage":{"input_tokens":10,"output_tokens":42,"speed":"fast"}}"#);
    meter.data(br#"{"type":"message_stop"}"#);
    assert!(meter.complete() && meter.counts_are_final());
    let observed = meter.observed();
    assert_eq!(
        observed.tokens,
        Some(Tokens {
            input_uncached: 10,
            cache_read: 5,
            cache_write_5m: 2,
            cache_write_1h: 3,
            output: 42,
            reasoning: 0
        })
    );
    assert_eq!(observed.modifiers, ["speed:fast"]);
    assert_eq!(meter.streamed(), Streamed { bytes: 3, words: 1, pieces: 1, reasoning_bytes: 0 });
}

#[test]
fn a_flat_cache_report_after_a_split_one_is_not_billed_again() {
    let mut meter = MessagesMeter::default();
    meter.data(br#"{"type":"message_start","message":{"usage":{"input_tokens":1,"cache_creation_input_tokens":700,"cache_creation":{"ephemeral_5m_input_tokens":200,"ephemeral_1h_input_tokens":500},"output_tokens":1}}}"#);
    meter.data(br#"{"type":"message_delta","usage":{"cache_creation_input_tokens":700,"output_tokens":9}}"#);
    let tokens = meter.observed().tokens.unwrap();
    assert_eq!((tokens.cache_write_5m, tokens.cache_write_1h), (200, 500));
}

#[test]
fn an_agents_session_is_read_from_its_user_id() {
    let body = br#"{"model":"m","max_tokens":1,"messages":[],"metadata":{"user_id":"{\"session_id\":\"s-1\"}"}}"#;
    let parsed = AnthropicMessages.parse(&Bytes::from_static(body)).unwrap();
    assert_eq!(parsed.session.as_deref(), Some("s-1"));
}

#[test]
fn negative_counts_are_not_counted() {
    let observed = AnthropicMessages
        .observe(br#"{"id":"msg_1","usage":{"input_tokens":-3,"output_tokens":2}}"#)
        .unwrap();
    assert_eq!((observed.tokens, observed.implausible), (None, true));
}
