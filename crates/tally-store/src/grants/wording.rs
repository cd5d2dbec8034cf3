//! What people are told about grants, in sentences.

use std::fmt::Write as _;

use serde_json::json;
use tally_types::{
    CounterId, Name, PersonName, Role, Timestamp,
    spec::{BudgetLimit, GrantAsk, GrantNeed, GrantSpec},
};

use super::{
    Step,
    decide::{may, unfilled},
    people::with_role,
};
use crate::{Snapshot, notices::Notice};

/// The notices of a step; the step's version makes them unique.
pub(crate) fn notices(
    snapshot: &Snapshot,
    name: &Name,
    grant: &GrantSpec,
    step: Step,
    version: i64,
) -> Vec<Notice> {
    let title = title(snapshot, grant, step);
    let notice = |whom: &str, people: Vec<PersonName>, body: String| Notice {
        key: format!("grant:{name}:{version}:{whom}"),
        topic: step.topic(),
        people,
        to_webhooks: false,
        title: title.clone(),
        body,
        link: format!("/approvals/{}", percent_encoded(name.as_str())),
        data: json!({ "grant": name, "spec": grant }),
    };
    let mut told = audience(snapshot, grant, step);
    told.sort();
    told.dedup();
    // Whoever has just spoken knows.
    let speaker = match step {
        Step::Approved | Step::Granted | Step::Reviewed | Step::Denied => {
            grant.decisions.last().map(|said| &said.by)
        }
        Step::Requested | Step::Emergency | Step::Withdrawn => grant.requested_by.as_ref(),
        Step::Revoked | Step::Escalated | Step::Expired => None,
    };
    told.retain(|person| Some(person) != speaker);
    vec![notice("all", told, body(snapshot, grant, step))]
}

/// Whom a step concerns.
fn audience(snapshot: &Snapshot, grant: &GrantSpec, step: Step) -> Vec<PersonName> {
    let finops = || with_role(snapshot, Role::Finops);
    match step {
        Step::Requested | Step::Withdrawn => may(snapshot, grant),
        Step::Emergency => [may(snapshot, grant), finops()].concat(),
        Step::Escalated => [finops(), with_role(snapshot, Role::Admin)].concat(),
        Step::Approved
        | Step::Granted
        | Step::Reviewed
        | Step::Denied
        | Step::Revoked
        | Step::Expired => asker(snapshot, grant),
    }
}

/// Who asked; of a stage's approval, the owner of the budget.
fn asker(snapshot: &Snapshot, grant: &GrantSpec) -> Vec<PersonName> {
    let owner = || snapshot.budgets.get(grant.counter.budget.as_str()).map(|b| b.owner.clone());
    grant.requested_by.clone().or_else(owner).into_iter().collect()
}

fn title(snapshot: &Snapshot, grant: &GrantSpec, step: Step) -> String {
    let what = wanted(grant);
    let who = grant
        .requested_by
        .as_ref()
        .map_or_else(|| "Tally".to_owned(), |person| display(snapshot, person));
    let said = grant.decisions.last();
    let by = said.map_or_else(|| "somebody".to_owned(), |said| display(snapshot, &said.by));
    match step {
        Step::Requested if grant.requested_by.is_none() => format!("To approve: {what}"),
        Step::Requested => format!("{who} asks for {what}"),
        Step::Emergency => format!("{who} took {what} in an emergency; please review"),
        Step::Approved => format!("{by} approved {what}; others still have to"),
        Step::Granted => format!("Approved: {what}"),
        Step::Reviewed => format!("{by} found the emergency right: {what}"),
        Step::Denied => format!("Denied: {what}"),
        Step::Revoked => format!("Revoked: {what}"),
        Step::Withdrawn => format!("Withdrawn: {what}"),
        Step::Escalated => format!("Nobody has decided yet: {what}"),
        Step::Expired => format!("Over: {what}"),
    }
}

fn body(snapshot: &Snapshot, grant: &GrantSpec, step: Step) -> String {
    let until = moment(snapshot, grant.until);
    let mut text = format!("Reason: {}\n", grant.reason);
    let why = grant.decisions.last().and_then(|said| said.reason.as_deref());
    let rest = unfilled(grant);
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
            "Asked on {}: {}. FinOps and admins may decide now, too.",
            moment(snapshot, grant.requested_at),
            asked(rest)
        ),
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

/// What a grant is about: `250 USD more on support-month`.
pub(crate) fn wanted(grant: &GrantSpec) -> String {
    let counter = counter_name(&grant.counter);
    match grant.ask {
        GrantAsk::Increase(more) => format!("{} more on {counter}", amount(more)),
        GrantAsk::PassStage(at) => format!("{counter} going on past {at} %"),
    }
}

/// `support-month`, `each-person-day of ada (production)`.
pub(crate) fn counter_name(counter: &CounterId) -> String {
    let mut text = counter.budget.to_string();
    if let Some(each) = &counter.each {
        let _ = write!(text, " of {each}");
    }
    if let Some(environment) = counter.environment {
        let _ = write!(text, " ({environment})");
    }
    text
}

/// Where the interface shows a counter.
pub(crate) fn counter_link(counter: &CounterId) -> String {
    let mut link = format!("/budgets/{}", percent_encoded(counter.budget.as_str()));
    let mut sign = '?';
    if let Some(each) = &counter.each {
        let _ = write!(link, "{sign}each={}", percent_encoded(each));
        sign = '&';
    }
    if let Some(environment) = counter.environment {
        let _ = write!(link, "{sign}environment={environment}");
    }
    link
}

/// `250 USD`, `2,000,000 tokens`, `100 calls`.
pub(crate) fn amount(limit: BudgetLimit) -> String {
    match limit {
        BudgetLimit::Usd(usd) => {
            let text = usd.to_string();
            let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
            let cents: String = rest.chars().chain("00".chars()).take(2).collect();
            match cents.as_str() {
                "00" => format!("{} USD", grouped(whole)),
                cents => format!("{}.{cents} USD", grouped(whole)),
            }
        }
        BudgetLimit::Tokens(count) => format!("{} tokens", grouped(&count.to_string())),
        BudgetLimit::Requests(count) => format!("{} calls", grouped(&count.to_string())),
    }
}

/// Digits in threes.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(3) && digit.is_ascii_digit() && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
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

// === impl Step ===

impl Step {
    /// The word for programs that are told of it.
    pub(crate) const fn topic(self) -> &'static str {
        match self {
            Self::Requested => "grant.requested",
            Self::Emergency => "grant.emergency",
            Self::Approved => "grant.approved_by_one",
            Self::Granted => "grant.approved",
            Self::Reviewed => "grant.reviewed",
            Self::Denied => "grant.denied",
            Self::Revoked => "grant.revoked",
            Self::Withdrawn => "grant.withdrawn",
            Self::Escalated => "grant.escalated",
            Self::Expired => "grant.expired",
        }
    }
}
