//! How people of the company appear on scoreboards: most chose nothing, some show themselves.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    company::{Company, PERSONAS, secret_of_person},
    http::{self, Tally},
};

const PATH: &str = "/api/v1/me/scoreboard-choice";
/// Of so many people one shows their name…
const NAMED_EVERY: usize = 3;
/// …and of so many one does not want to be there.
const HIDDEN_EVERY: usize = 11;

/// Each chooses with their own key; whoever is signed in by the demo still has to, and who chose
/// at an earlier start keeps it.
pub(crate) async fn choose(tally: &Tally, company: &Company, keys: &BTreeMap<String, String>) {
    for (at, person) in company.people.iter().enumerate() {
        let is_persona = PERSONAS.iter().any(|(name, _)| *name == person.name.as_str());
        let shown = match at {
            _ if is_persona => continue,
            at if at % HIDDEN_EVERY == HIDDEN_EVERY - 1 => "hidden",
            at if at % NAMED_EVERY == 0 => "named",
            _ => continue,
        };
        let Some(key) = keys.get(&secret_of_person(person)) else { continue };
        if let Err(error) = say(tally, key, shown).await {
            tracing::info!(person = %person.name, "a choice is left out: {error:#}");
        }
    }
}

async fn say(tally: &Tally, key: &str, shown: &str) -> anyhow::Result<()> {
    let before = http::json(tally.get(PATH).bearer_auth(key)).await?;
    if before.get("chosen_at").is_some_and(|at| *at != Value::Null) {
        return Ok(());
    }
    http::json(tally.put(PATH).bearer_auth(key).json(&json!({ "shown": shown }))).await?;
    Ok(())
}
