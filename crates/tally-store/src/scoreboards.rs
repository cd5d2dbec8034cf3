//! How people appear on scoreboards: everybody says so for themselves.

use tally_types::{
    Kind, PersonName, Resource, Spec, Timestamp,
    spec::{PSEUDONYM_CHARACTERS_MAX, ScoreboardChoiceSpec, ShownAs},
};

use crate::{
    AuditAction, ResourceId, Snapshot, Store, StoreError,
    database::backend,
    records::refused,
    state::{Entry, Plan, State},
    store::{checked, planned},
};

/// A shorter one is taken too easily for another.
const PSEUDONYM_CHARACTERS_MIN: usize = 3;

/// Two pseudonyms that read alike are the same.
fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a pseudonym is somebody else's, or the name of a person or team.
pub fn is_taken(snapshot: &Snapshot, pseudonym: &str, own: &PersonName) -> bool {
    let wanted = folded(pseudonym);
    let people = snapshot.people.iter().any(|(name, person)| {
        folded(name.as_str()) == wanted
            || person.display_name.as_deref().is_some_and(|name| folded(name) == wanted)
    });
    let others = snapshot.scoreboard_choices.iter().filter(|(name, _)| **name != own.0);
    let mut pseudonyms = others.filter_map(|(_, choice)| choice.pseudonym.as_deref());
    people
        || snapshot.teams.keys().any(|name| folded(name.as_str()) == wanted)
        || pseudonyms.any(|other| folded(other) == wanted)
}

// === impl Store ===

impl Store {
    /// A person chooses how they appear on scoreboards.
    ///
    /// # Errors
    /// `Argument` for a pseudonym that is missing, somebody's, or no plain words; `NotFound` for
    /// somebody who is no person.
    pub async fn choose_appearance(
        &self,
        actor: &str,
        person: &PersonName,
        (shown, pseudonym): (ShownAs, Option<String>),
        at: Timestamp,
    ) -> Result<Resource, StoreError> {
        self.require(Kind::Person, &person.0).await?;
        let pseudonym = match shown {
            ShownAs::Pseudonym => Some(plain(pseudonym.as_deref().unwrap_or_default())?),
            ShownAs::Named | ShownAs::Hidden => None,
        };
        let id = ResourceId::new(Kind::ScoreboardChoice, person.0.clone());
        let own = person.clone();
        self.change_one(actor, None, id, move |state, id| {
            plan(state, id, ScoreboardChoiceSpec { shown, pseudonym, at }, &own)
        })
        .await
    }
}

fn plan(
    state: &State,
    id: &ResourceId,
    choice: ScoreboardChoiceSpec,
    own: &PersonName,
) -> Result<Plan, StoreError> {
    if let Some(pseudonym) = &choice.pseudonym
        && is_taken(&state.snapshot(), pseudonym, own)
    {
        let why = format!("`{pseudonym}` is taken, or somebody's name; expected another pseudonym");
        return refused(why);
    }
    let entry = state.entries.get(id);
    if let Some(Spec::ScoreboardChoice(before)) = entry.map(|entry| &entry.typed)
        && (before.shown, &before.pseudonym) == (choice.shown, &choice.pseudonym)
    {
        return Ok(Plan::on(state));
    }
    let spec = serde_json::to_value(choice).map_err(backend)?;
    let typed = checked(id, &spec)?;
    let version = entry.map_or(0, |entry| entry.version) + 1;
    let entry = Entry { version, applied_by: None, spec, typed };
    planned(state, id, AuditAction::Choose, entry)
}

/// Words that no row of a board can be mistaken for.
fn plain(text: &str) -> Result<String, StoreError> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let count = text.chars().count();
    let is_plain = |c: char| c.is_alphanumeric() || " -".contains(c);
    if (PSEUDONYM_CHARACTERS_MIN..=PSEUDONYM_CHARACTERS_MAX).contains(&count)
        && text.chars().all(is_plain)
        && folded(&text).chars().count() >= PSEUDONYM_CHARACTERS_MIN
    {
        return Ok(text);
    }
    refused(format!(
        "`pseudonym`: expected {PSEUDONYM_CHARACTERS_MIN} to {PSEUDONYM_CHARACTERS_MAX} letters, \
         digits, spaces and hyphens"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_like_somebody_is_taken() {
        let mut snapshot = Snapshot::default();
        let ada = tally_types::spec::PersonSpec {
            display_name: Some("Ada Lovelace".to_owned()),
            ..Default::default()
        };
        snapshot.people.insert("ada".parse().unwrap(), ada);
        let grace: PersonName = "grace".parse().unwrap();
        let choice = ScoreboardChoiceSpec {
            shown: ShownAs::Pseudonym,
            pseudonym: Some("Amber Heron".to_owned()),
            at: Timestamp::UNIX_EPOCH,
        };
        snapshot.scoreboard_choices.insert(grace.0.clone(), choice);
        let lin: PersonName = "lin".parse().unwrap();
        for taken in ["ADA", "ada-lovelace", "amber heron", "AmberHeron"] {
            assert!(is_taken(&snapshot, taken, &lin), "{taken}");
        }
        assert!(!is_taken(&snapshot, "Amber Heron", &grace), "it is her own");
        assert!(!is_taken(&snapshot, "Quiet Otter", &lin));
    }

    #[test]
    fn a_pseudonym_is_plain_words() {
        assert_eq!(plain("  Quiet   Otter 7 ").unwrap(), "Quiet Otter 7");
        for bad in ["", "ab", "---", "<b>otter</b>", &"x".repeat(41)] {
            assert!(plain(bad).is_err(), "{bad}");
        }
    }
}
