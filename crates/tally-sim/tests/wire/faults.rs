use crate::harness::{Harness, KEY, chat, message, parse_sse, with};
use futures::StreamExt;
use reqwest::Response;
use serde_json::{Value, json};
use std::time::Duration;
use tally_sim::{Outcome, count_tokens};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

fn body_for(path: &str, text: &str, stream: bool) -> Value {
    let body = if path == CHAT { chat(text) } else { message(text) };
    with(body, json!({"stream": stream}))
}

async fn faulty(harness: &Harness, path: &str, directive: &str, stream: bool) -> Response {
    let text = format!("hello [[sim {directive}]]");
    harness.send(path, &body_for(path, &text, stream)).await
}

#[tokio::test]
async fn refusals_have_the_dialects_shape_and_cost_nothing() {
    let harness = Harness::start().await;
    for (path, fault, status, kind) in [
        (CHAT, "429 retry_after=7", 429, "requests"),
        (CHAT, "500", 500, "server_error"),
        (CHAT, "529", 503, "server_error"),
        (MESSAGES, "429 retry_after=7", 429, "rate_limit_error"),
        (MESSAGES, "500", 500, "api_error"),
        (MESSAGES, "529", 529, "overloaded_error"),
    ] {
        let response = faulty(&harness, path, &format!("fault={fault}"), true).await;
        assert_eq!(response.status(), status);
        if status == 429 {
            assert_eq!(response.headers()["retry-after"], "7");
        }
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["type"], kind);
        let call = harness.last_call();
        assert_eq!((call.outcome, call.status), (Outcome::Fault, Some(status)));
        assert_eq!(call.usage, tally_sim::Usage::default());
    }
    let page = faulty(&harness, CHAT, "fault=html", false).await;
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (502, &"text/html".parse().unwrap())
    );
    assert!(page.text().await.unwrap().contains("502 Bad Gateway"));
}

#[tokio::test]
async fn headers_choose_faults_too_and_fail_times_ends_them() {
    let harness = Harness::start().await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let request = harness.post(CHAT, KEY, &chat("retry me"));
        let response = request.header("x-sim-fault", "529 fail_times=2").send().await.unwrap();
        statuses.push(response.status().as_u16());
    }
    assert_eq!(statuses, [503, 503, 200]);
}

#[tokio::test]
async fn a_cut_stream_is_billed_up_to_the_cut() {
    let harness = Harness::start().await;
    for path in [CHAT, MESSAGES] {
        let directive = "fault=cut cut_at=40 output_tokens=200";
        let mut stream = faulty(&harness, path, directive, true).await.bytes_stream();
        let mut text = Vec::new();
        let error = loop {
            match stream.next().await {
                Some(Ok(bytes)) => text.extend_from_slice(&bytes),
                end => break end,
            }
        };
        assert!(error.unwrap().is_err(), "the connection was not aborted");
        let seen = parse_sse(std::str::from_utf8(&text).unwrap());
        let received: String = seen
            .events
            .iter()
            .filter_map(|event| {
                event["delta"]["text"].as_str().or(event["choices"][0]["delta"]["content"].as_str())
            })
            .collect();
        let call = harness.settled().await;
        assert_eq!((call.outcome, call.output_tokens_planned), (Outcome::Cut, 200));
        assert!((40..44).contains(&call.output_tokens_streamed));
        assert!(count_tokens(&received) <= call.output_tokens_streamed);
        assert!(faulty(&harness, path, directive, false).await.bytes().await.is_err());
    }
}

#[tokio::test]
async fn a_truncated_stream_ends_inside_an_event() {
    let harness = Harness::start().await;
    for path in [CHAT, MESSAGES] {
        let text = faulty(&harness, path, "fault=truncated_sse", true).await.text().await.unwrap();
        assert!(!text.ends_with("\n\n"), "{text}");
        let call = harness.last_call();
        assert_eq!(call.outcome, Outcome::Fault);
        assert!(call.output_tokens_streamed < call.output_tokens_planned);
    }
}

#[tokio::test]
async fn malformed_replies_cannot_be_read() {
    let harness = Harness::start().await;
    for path in [CHAT, MESSAGES] {
        let whole = faulty(&harness, path, "fault=malformed", false).await;
        assert_eq!(whole.status(), 200);
        assert!(serde_json::from_str::<Value>(&whole.text().await.unwrap()).is_err());
        let text = faulty(&harness, path, "fault=malformed", true).await.text().await.unwrap();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: {"));
        let broken =
            data.filter(|line| serde_json::from_str::<Value>(&format!("{{{line}")).is_err());
        assert_eq!(broken.count(), 1);
        assert!(text.ends_with("\n\n"));
    }
}

#[tokio::test]
async fn an_error_event_ends_a_stream() {
    let harness = Harness::start().await;
    let chat = faulty(&harness, CHAT, "fault=error_mid", true).await.text().await.unwrap();
    let seen = parse_sse(&chat);
    assert!(!seen.done && seen.events.last().unwrap()["error"].is_object());
    let text = faulty(&harness, MESSAGES, "fault=error_mid", true).await.text().await.unwrap();
    assert_eq!(parse_sse(&text).names.last().unwrap(), "error");
    assert_eq!(faulty(&harness, CHAT, "fault=error_mid", false).await.status(), 500);
}

#[tokio::test]
async fn usage_can_be_missing_negative_or_absurd() {
    let harness = Harness::start().await;
    for path in [CHAT, MESSAGES] {
        let output = if path == CHAT { "completion_tokens" } else { "output_tokens" };
        let missing = faulty(&harness, path, "fault=no_usage", false).await;
        assert!(missing.json::<Value>().await.unwrap().get("usage").is_none());
        let stream = faulty(&harness, path, "fault=no_usage", true).await.text().await.unwrap();
        assert!(!stream.contains("\"usage\""));
        let negative = faulty(&harness, path, "fault=negative_usage", false).await;
        let negative: Value = negative.json().await.unwrap();
        assert!(negative["usage"][output].as_i64().unwrap() < 0);
        let absurd = faulty(&harness, path, "fault=absurd_usage", false).await;
        let absurd: Value = absurd.json().await.unwrap();
        assert!(absurd["usage"][output].as_u64().unwrap() > 1 << 61);
        let call = harness.last_call();
        assert_eq!(
            (call.outcome, call.fault.as_deref()),
            (Outcome::Complete, Some("absurd_usage"))
        );
        assert!(call.usage.output < 1_000);
    }
}

#[tokio::test]
async fn gzip_comes_unasked() {
    let harness = Harness::start().await;
    let client = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let url = format!("{}{CHAT}", harness.running.url());
    for stream in [false, true] {
        let body = body_for(CHAT, "[[sim fault=gzip]]", stream);
        let raw = client.post(&url).bearer_auth(KEY).json(&body).send().await.unwrap();
        assert_eq!(raw.headers()["content-encoding"], "gzip");
        assert_eq!(raw.bytes().await.unwrap()[..2], [0x1f, 0x8b]);
        let text = harness.send(CHAT, &body).await.text().await.unwrap();
        assert!(if stream { text.ends_with("[DONE]\n\n") } else { text.ends_with('}') });
    }
}

#[tokio::test]
async fn hanging_calls_never_end_by_themselves() {
    let harness = Harness::start().await;
    let short = Duration::from_millis(200);
    for (fault, stream) in [("hang", true), ("hang_mid", true), ("hang_mid", false)] {
        let text = format!("[[sim fault={fault}]]");
        let request = harness.post(MESSAGES, KEY, &body_for(MESSAGES, &text, stream));
        let answered = async { request.send().await.unwrap().text().await };
        assert!(tokio::time::timeout(short, answered).await.is_err());
        let call = harness.settled().await;
        assert_eq!((call.outcome, call.fault.as_deref()), (Outcome::Fault, Some(fault)));
        assert_eq!(call.status.is_none(), fault == "hang");
    }
}

#[tokio::test]
async fn rates_are_set_at_run_time() {
    let harness = Harness::start().await;
    let url = format!("{}/sim/config", harness.running.url());
    let put = |body: Value| harness.client.put(&url).json(&body).send();
    let config: Value = put(json!({"fault_500": 1.0})).await.unwrap().json().await.unwrap();
    assert_eq!(config["fault_500"], 1.0);
    assert_eq!(harness.send(CHAT, &chat("x")).await.status(), 500);
    assert_eq!(harness.send(CHAT, &chat("[[sim fault=none]]")).await.status(), 200);
    assert_eq!(put(json!({"fault_500": 7})).await.unwrap().status(), 400);
    assert_eq!(put(json!({"fault_500": 0})).await.unwrap().status(), 200);
    assert_eq!(harness.send(CHAT, &chat("x")).await.status(), 200);
}
