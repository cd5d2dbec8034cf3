//! What people are told about what was asked for, in sentences.

use std::fmt::Write as _;

use serde_json::json;
use tally_types::{Name, PersonName, Role, Timestamp, spec::GrantNeed};

use super::{
    Request, Step,
    decide::{may, unfilled},
    people::with_role,
};
use crate::{Snapshot, notices::Notice};

/// The notices of a step; the step's version makes them unique.
pub(crate) fn notices<T: Request>(
    snapshot: &Snapshot,
    name: &Name,
    asked_for: &T,
    step: Step,
    version: i64,
) -> Vec<Notice> {
    let title = title(snapshot, asked_for, step);
    let notice = |whom: &str, people: Vec<PersonName>, body: String| Notice {
        key: format!("{}:{name}:{version}:{whom}", T::WORD),
        topic: format!("{}.{}", T::WORD, step.as_str()),
        people,
        to_webhooks: false,
        title: title.clone(),
        body,
        link: format!("{}/{}", T::PAGE, percent_encoded(name.as_str())),
        data: json!({ T::WORD: name, "spec": asked_for }),
    };
    let mut told = audience(snapshot, asked_for, step);
    told.sort();
    told.dedup();
    // Whoever has just spoken knows.
    let speaker = match step {
        Step::Approved | Step::Granted | Step::Reviewed | Step::Denied => {
            asked_for.decisions().last().map(|said| &said.by)
        }
        Step::Requested | Step::Emergency | Step::Withdrawn => asked_for.requested_by(),
        Step::Revoked | Step::Escalated | Step::Expired | Step::ArchitectureReviewed => None,
    };
    told.retain(|person| Some(person) != speaker);
    vec![notice("all", told, body(snapshot, asked_for, step))]
}

/// Whom a step concerns.
fn audience<T: Request>(snapshot: &Snapshot, asked_for: &T, step: Step) -> Vec<PersonName> {
    let last = || {
        let of_role = |role: &Role| with_role(snapshot, *role);
        T::LAST_RESORT.iter().flat_map(of_role).collect::<Vec<_>>()
    };
    match step {
        Step::Requested | Step::Withdrawn | Step::ArchitectureReviewed => may(snapshot, asked_for),
        Step::Emergency => [may(snapshot, asked_for), with_role(snapshot, Role::Finops)].concat(),
        Step::Escalated => last(),
        Step::Approved
        | Step::Granted
        | Step::Reviewed
        | Step::Denied
        | Step::Revoked
        | Step::Expired => asker(snapshot, asked_for),
    }
}

/// Who asked; of a stage's approval, the owner of the budget.
fn asker<T: Request>(snapshot: &Snapshot, asked_for: &T) -> Vec<PersonName> {
    let owner = || asked_for.owner(snapshot);
    asked_for.requested_by().cloned().or_else(owner).into_iter().collect()
}

fn title<T: Request>(snapshot: &Snapshot, asked_for: &T, step: Step) -> String {
    let what = asked_for.wanted();
    let who = asked_for
        .requested_by()
        .map_or_else(|| "Tally".to_owned(), |person| display(snapshot, person));
    let said = asked_for.decisions().last();
    let by = said.map_or_else(|| "somebody".to_owned(), |said| display(snapshot, &said.by));
    match step {
        Step::Requested if asked_for.requested_by().is_none() => format!("To approve: {what}"),
        Step::Requested => format!("{who} asks for {what}"),
        Step::Emergency => format!("{who} took {what} in an emergency; please review"),
        Step::Approved => format!("{by} approved {what}; others still have to"),
        Step::Granted => format!("Approved: {what}"),
        Step::Reviewed => format!("{by} found the emergency right: {what}"),
        Step::Denied => format!("Denied: {what}"),
        Step::Revoked => format!("Revoked: {what}"),
        Step::Withdrawn => format!("Withdrawn: {what}"),
        Step::Escalated => format!("Nobody has decided yet: {what}"),
        Step::ArchitectureReviewed => format!("Reviewed, to decide now: {what}"),
        Step::Expired => format!("Over: {what}"),
    }
}

fn body<T: Request>(snapshot: &Snapshot, asked_for: &T, step: Step) -> String {
    let until = moment(snapshot, asked_for.until());
    let mut text = format!("Reason: {}\n", asked_for.reason());
    let why = asked_for.decisions().last().and_then(|said| said.reason.as_deref());
    let rest = unfilled(asked_for);
    let _ = match step {
        Step::Requested => {
            write!(text, "It would hold until {until}. To decide: {}.", asked(rest))
        }
        Step::Emergency => write!(
            text,
            "It holds already, until {until}. To review by: {}; deny it to end it.",
            asked(rest)
        ),
        Step::Approved => write!(text, "Still to decide: {}.", asked(rest)),
        Step::Granted | Step::Reviewed => write!(text, "It holds until {until}."),
        Step::Denied => write!(text, "Why not: {}", why.unwrap_or("no reason was given")),
        Step::Revoked => write!(text, "It no longer holds."),
        Step::Withdrawn => write!(text, "Nothing is left to decide."),
        Step::Escalated => write!(
            text,
            "Asked on {}: {}. {} may decide now, too.",
            moment(snapshot, asked_for.requested_at()),
            asked(rest),
            T::LAST_RESORT_MANY
        ),
        Step::ArchitectureReviewed => write!(text, "To decide: {}.", asked(rest)),
        Step::Expired => write!(text, "Its time ended on {until}."),
    };
    text
}

/// `grace (owner), lin or max (finops)`.
pub(crate) fn asked<'a>(needs: impl IntoIterator<Item = &'a GrantNeed>) -> String {
    const SHOWN: usize = 5;
    let one = |need: &GrantNeed| {
        let mut names: Vec<String> =
            need.people.iter().take(SHOWN).map(ToString::to_string).collect();
        if need.people.len() > SHOWN {
            names.push(format!("{} more", need.people.len() - SHOWN));
        }
        let who = if names.is_empty() { "nobody yet".to_owned() } else { names.join(" or ") };
        format!("{who} ({})", need.role.as_str().replace('_', " "))
    };
    let all: Vec<String> = needs.into_iter().map(one).collect();
    if all.is_empty() { "nobody".to_owned() } else { all.join(", ") }
}

/// A time as people of the organisation read it.
pub(crate) fn moment(snapshot: &Snapshot, time: Timestamp) -> String {
    let zoned = time.to_zoned(snapshot.organization.zone());
    zoned.strftime("%-d %b %Y %H:%M %Z").to_string()
}

/// Of the characters of names, these mean something else in an address.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b':' | b'@' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

fn display(snapshot: &Snapshot, person: &PersonName) -> String {
    let spec = snapshot.people.get(person.as_str());
    let name = spec.and_then(|spec| spec.display_name.clone());
    // It becomes the subject of mail: one line.
    name.unwrap_or_else(|| person.to_string()).replace(char::is_control, " ")
}
