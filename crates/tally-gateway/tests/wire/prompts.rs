//! What is kept of a call whose workload and organization agree to it.

use std::sync::Arc;

use serde_json::{Value, json};
use tally_gateway::Options;
use tally_prompts::{PromptKey, PromptQueue, PromptStore, Writer, start};
use tally_types::DataClass;

use crate::bed::{Bed, KEY, SUPPORT_KEY, message, streamed};

const EMAIL: &str = "ada.byron@acme.test";

struct Keeping {
    bed: Bed,
    store: Arc<PromptStore>,
    queue: PromptQueue,
    _writer: Writer,
    _folder: tempfile::TempDir,
}

impl Keeping {
    async fn new(patch: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = PromptKey::open(&folder.path().join("prompts.key")).unwrap();
        let store = PromptStore::open(&folder.path().join("prompts.db"), key).unwrap();
        let store = Arc::new(store);
        let (queue, writer) = start(Arc::clone(&store)).unwrap();
        let options = Options { prompts: Some(queue.clone()), ..Options::default() };
        let bed = Bed::with(
            |resources| {
                resources["organization"] =
                    json!({ "retention": { "confidential": { "prompts_days": 7 } } });
                resources["workloads"]["copilot"]["keep_prompts"] = true.into();
                patch(resources);
            },
            options,
        )
        .await;
        Self { bed, store, queue, _writer: writer, _folder: folder }
    }

    async fn call(&self, key: &str, body: &Value) -> (String, String) {
        let request = self.bed.post("/v1/messages", key, body).header("x-sim-echo", "last");
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 200);
        let id = reply.headers()["x-tally-request-id"].to_str().unwrap().to_owned();
        (id, reply.text().await.unwrap())
    }

    fn kept(&self) -> u64 {
        self.queue.flush();
        let now = "2100-01-01T00:00:00Z".parse().unwrap();
        DataClass::ALL.iter().map(|class| self.store.stats(*class, now).unwrap().prompts).sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prompt_is_kept_as_it_left_and_the_reply_as_it_came() {
    let keeping = Keeping::new(|resources| {
        resources["policies"] = json!({ "privacy": { "rules": [{
            "id": "mail", "when": "true", "then": { "redact": ["email"] }, "says": "stays here",
        }] } });
    })
    .await;
    let body = message("claude-haiku-4-5", &format!("Write to {EMAIL}"));
    for body in [body.clone(), streamed(body)] {
        let (request_id, heard) = keeping.call(SUPPORT_KEY, &body).await;
        assert!(heard.contains(EMAIL), "the client has it back: {heard}");
        keeping.bed.events(1 + usize::from(body["stream"] == true)).await;
        keeping.queue.flush();
        let kept = keeping.store.find(request_id.parse().unwrap()).unwrap().unwrap();
        assert_eq!(kept.class, DataClass::Confidential);
        let said = keeping.store.read(kept.event_id).unwrap().unwrap();
        let (request, reply) =
            (String::from_utf8(said.request).unwrap(), String::from_utf8(said.reply).unwrap());
        for text in [&request, &reply] {
            assert!(!text.contains(EMAIL), "{text}");
        }
        assert!(request.contains("Write to [EMAIL_"), "{request}");
        assert!(reply.contains("EMAIL_") || reply.contains("content_block_delta"), "{reply}");
        assert_eq!(kept.bytes, (request.len() + reply.len()) as u64);
    }
    let events = keeping.bed.events(2).await;
    assert!(events.iter().all(|event| !format!("{event:?}").contains("Write to")));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_unless_both_agree() {
    let hello = message("claude-haiku-4-5", "hello");
    for (patch, key) in [
        // No workload stands behind a person's own call.
        ((|_| {}) as fn(&mut Value), KEY),
        (|all| all["workloads"]["copilot"]["keep_prompts"] = false.into(), SUPPORT_KEY),
        (|all| all["organization"] = json!({}), SUPPORT_KEY),
        (
            |all| {
                let other = json!({ "retention": { "internal": { "prompts_days": 7 } } });
                all["organization"] = other;
            },
            SUPPORT_KEY,
        ),
    ] {
        let keeping = Keeping::new(patch).await;
        keeping.call(key, &hello).await;
        keeping.bed.events(1).await;
        assert_eq!(keeping.kept(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_passes_and_is_not_kept() {
    let keeping = Keeping::new(|_| {}).await;
    let large = "many words ".repeat(110_000);
    let (_, heard) = keeping.call(SUPPORT_KEY, &message("claude-haiku-4-5", &large)).await;
    assert!(heard.contains("many words"), "the call is served whole");
    let (_, heard) = keeping.call(SUPPORT_KEY, &message("claude-haiku-4-5", "short")).await;
    assert!(heard.contains("short"));
    keeping.bed.events(2).await;
    assert_eq!(keeping.kept(), 1);
}
