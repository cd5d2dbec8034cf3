//! Asking policies: what would happen to a call, and what is wrong with a file.

use std::sync::Arc;

use axum::{Extension, Json, body::Body, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_policy::rules::{PolicyAnswer, PolicyQuestion};
use tally_store::documents::{Format, parse_documents};
use tally_types::Kind;

use crate::{
    caller::Caller,
    operation::{Access, Operation},
    state::Api,
};

const QUESTION_BYTES_MAX: usize = 64 << 10;
const FILE_BYTES_MAX: usize = 1 << 20;

/// A file of policies.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    /// What problems call it; `policy` by default.
    #[serde(default)]
    file: Option<String>,
    /// What stands in it.
    text: String,
    /// `yaml` (the default), `toml` or `json`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    format: Option<Format>,
}

/// What is wrong with a file; nothing where it could be applied.
#[derive(Serialize, JsonSchema)]
struct PolicyCheck {
    problems: Vec<PolicyFlaw>,
    /// How many policies stand in it, when nothing is wrong.
    policies: usize,
    /// How many tests stand beside them, all of which hold.
    tests: usize,
}

/// One thing that is wrong.
#[derive(Serialize, JsonSchema)]
struct PolicyFlaw {
    line: usize,
    column: Option<usize>,
    /// As `Policy/name`.
    resource: Option<String>,
    /// Such as `rules[1].when`.
    field: Option<String>,
    message: String,
    suggestion: Option<String>,
}

pub(crate) fn operations() -> Vec<Operation> {
    let question = json!({ "person": "ada", "model": "gpt-5", "data_class": "confidential" });
    let file = json!({
        "text": "kind: Policy\nname: p\nspec:\n  rules:\n    - { id: a, when: 'images', then: deny, says: No pictures. }\n",
    });
    vec![
        Operation::post("explainPolicies", "/api/v1/policies/explain", Access::SignedIn, explain)
            .about(
                "policies",
                "What would happen to this call?",
                "Every rule that could hold, what it says, which one decides, and what is inherited or overridden.",
            )
            .body::<PolicyQuestion>(question)
            .reply::<PolicyAnswer>("What would happen, and why.")
            .asks(),
        Operation::post("checkPolicies", "/api/v1/policies/check", Access::SignedIn, check)
            .about(
                "policies",
                "What is wrong with these policies?",
                "Reads a file as `apply` would, and runs the tests that stand beside the rules; changes nothing.",
            )
            .body::<PolicyFile>(file)
            .reply::<PolicyCheck>("What is wrong, by line and column.")
            .asks(),
    ]
}

/// `POST /api/v1/policies/explain`
async fn explain(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<PolicyAnswer>, Problem> {
    let question: PolicyQuestion = edge::json(&edge::read(body, QUESTION_BYTES_MAX).await?)?;
    let answer = caller.plane.explain_policies(&question, api.state.clock.now());
    answer.map(Json).map_err(|missing| {
        Problem::new(StatusCode::NOT_FOUND, "not_found", missing)
            .with_next_step("`tally get` lists what there is")
    })
}

/// `POST /api/v1/policies/check`
async fn check(body: Body) -> Result<Json<PolicyCheck>, Problem> {
    let file: PolicyFile = edge::json(&edge::read(body, FILE_BYTES_MAX).await?)?;
    let name = file.file.unwrap_or_else(|| "policy".to_owned());
    let format = file.format.unwrap_or(Format::Yaml);
    let read = tokio::task::spawn_blocking(move || parse_documents(&name, &file.text, format));
    let read = read.await.map_err(|error| Problem::internal("the check", &error.to_string()))?;
    let mut found = PolicyCheck { problems: Vec::new(), policies: 0, tests: 0 };
    match read {
        Ok(documents) => {
            for document in documents.iter().filter(|document| document.kind == Kind::Policy) {
                found.policies += 1;
                let tests = document.spec.get("tests").and_then(serde_json::Value::as_array);
                found.tests += tests.map_or(0, Vec::len);
            }
        }
        Err(errors) => {
            found.problems = errors
                .into_iter()
                .map(|error| PolicyFlaw {
                    line: error.line,
                    column: error.column,
                    resource: error.resource,
                    field: error.field,
                    message: error.message,
                    suggestion: error.suggestion,
                })
                .collect();
        }
    }
    Ok(Json(found))
}
