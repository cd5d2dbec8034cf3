//! Grants in words.

use std::fmt::Write as _;

use tally_types::{
    CounterId,
    spec::{BudgetLimit, GrantAsk, GrantSpec},
};

use crate::approvals::percent_encoded;

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
