//! What went wrong in the store, as HTTP says it.

use http::StatusCode;
use tally_ingest::edge::{Flaw, Problem};
use tally_store::StoreError;

/// The problem that stands for a store's error; internals go to the log only.
pub(crate) fn problem(error: StoreError) -> Problem {
    let detail = error.to_string();
    match error {
        StoreError::NotFound { suggestion, .. } => {
            let step = match suggestion {
                Some(name) => format!("did you mean `{name}`?"),
                None => "list what there is with `GET /api/v1/{kinds}`".to_owned(),
            };
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail).with_next_step(step)
        }
        StoreError::AlreadyExists { .. } => {
            Problem::new(StatusCode::CONFLICT, "already_exists", detail)
                .with_next_step("choose another name, or update it with `PUT` and its version")
        }
        StoreError::Conflict { actual, .. } => {
            Problem::new(StatusCode::CONFLICT, "version_conflict", detail).with_next_step(format!(
                "read it again, make the change on version {actual}, and send that version"
            ))
        }
        StoreError::Invalid(problems) => flawed("spec_invalid", "the spec is not valid", problems)
            .with_next_step("correct the fields named in `errors`"),
        StoreError::Dangling(problems) => {
            flawed("reference_dangling", "a reference has no target", problems)
                .with_next_step("create what is referred to first, or apply both together")
        }
        StoreError::InUse { by, .. } => {
            let users = by.into_iter().map(|(user, field)| Flaw {
                resource: Some(user.to_string()),
                field: Some(field),
                message: "refers to it".to_owned(),
                ..Flaw::default()
            });
            Problem::new(StatusCode::CONFLICT, "in_use", detail)
                .with_next_step("change or delete what refers to it first")
                .with_errors(users)
        }
        StoreError::Argument(_) => Problem::bad_request("argument_invalid", detail),
        _ => Problem::internal("the store", &detail),
    }
}

fn flawed(code: &'static str, what: &str, problems: Vec<tally_store::Problem>) -> Problem {
    let detail = match problems.len() {
        1 => what.to_owned(),
        count => format!("{what}, in {count} places"),
    };
    let flaws = problems.into_iter().map(|problem| Flaw {
        resource: Some(problem.resource.to_string()),
        origin: problem.origin,
        field: problem.field.filter(|field| !field.is_empty()),
        message: problem.message,
        suggestion: problem.suggestion,
    });
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).with_errors(flaws)
}
