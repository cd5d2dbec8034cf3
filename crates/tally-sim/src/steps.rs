//! A stream as a list of steps, fixed before it begins: which tokens go into
//! which event, and where a fault strikes.

use crate::fault::Fault;
use crate::plan::{Choice, Part};
use crate::random::{Draw, Rng, Stream};
use std::ops::Range;

/// One event of a stream, in neither dialect's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Open,
    ChoiceStart { choice: usize },
    PartStart { choice: usize, part: usize },
    Ping,
    Delta { choice: usize, part: usize, bytes: Range<usize> },
    PartStop { choice: usize, part: usize },
    ChoiceEnd { choice: usize },
    Close,
}

/// What a fault does to one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    None,
    /// Its JSON is broken; the stream goes on.
    Garble,
    /// Only its first half is sent.
    Halve,
    /// An error event takes its place.
    Error,
}

/// An event with the tokens that it delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) tokens: u64,
    /// True when the tokens are reasoning, hidden or shown.
    pub(crate) reasoning: bool,
    pub(crate) damage: Damage,
}

/// How an answer's transfer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Properly.
    End,
    /// The connection is aborted.
    Abort,
    /// Nothing more is sent and the connection stays open.
    Hang,
}

impl Ending {
    pub(crate) fn of(fault: Option<Fault>) -> Self {
        match fault {
            Some(Fault::Cut) => Self::Abort,
            Some(Fault::HangMidStream) => Self::Hang,
            _ => Self::End,
        }
    }
}

impl Step {
    fn plain(action: Action) -> Self {
        Self { action, tokens: 0, reasoning: false, damage: Damage::None }
    }
}

/// The steps of a reply without faults.
pub(crate) fn steps(choices: &[Choice], draw: Draw) -> Vec<Step> {
    let mut rng = draw.stream(Stream::Chunks);
    let mut steps = vec![Step::plain(Action::Open)];
    for (index, choice) in choices.iter().enumerate() {
        steps.push(Step {
            tokens: choice.hidden_reasoning,
            reasoning: true,
            ..Step::plain(Action::ChoiceStart { choice: index })
        });
        for (number, part) in choice.parts.iter().enumerate() {
            part_steps(&mut steps, index, number, part, &mut rng);
        }
        steps.push(Step::plain(Action::ChoiceEnd { choice: index }));
    }
    steps.push(Step::plain(Action::Close));
    steps
}

fn part_steps(steps: &mut Vec<Step>, choice: usize, number: usize, part: &Part, rng: &mut Rng) {
    let reasoning = part.is_thinking();
    let start = Action::PartStart { choice, part: number };
    steps.push(Step { tokens: part.overhead, reasoning, ..Step::plain(start) });
    if number == 0 {
        steps.push(Step::plain(Action::Ping));
    }
    let mut from = 0;
    let mut ends = part.body.ends.iter();
    loop {
        let wanted = rng.between(1, 4);
        let taken = ends.by_ref().take(usize::try_from(wanted).unwrap_or(1));
        let (tokens, to) = taken.fold((0, from), |(tokens, _), end| (tokens + 1, *end));
        if tokens == 0 {
            break;
        }
        let delta = Action::Delta { choice, part: number, bytes: from..to };
        steps.push(Step { tokens, reasoning, ..Step::plain(delta) });
        from = to;
    }
    steps.push(Step::plain(Action::PartStop { choice, part: number }));
}

/// Works a fault into the steps: at the first delta that reaches `cut_at`
/// output tokens, or at one drawn for the call.
pub(crate) fn strike(steps: &mut Vec<Step>, fault: Fault, cut_at: Option<u64>, draw: Draw) {
    if !fault.breaks_off() && fault != Fault::Malformed {
        return;
    }
    let at = strike_index(steps, cut_at, draw);
    match fault {
        Fault::Cut | Fault::HangMidStream => steps.truncate(at),
        Fault::TruncatedSse => stop_with(steps, at, Damage::Halve),
        Fault::ErrorMidStream => stop_with(steps, at, Damage::Error),
        _ => {
            if let Some(step) = steps.get_mut(at) {
                step.damage = Damage::Garble;
            }
        }
    }
}

/// Makes the step at `at` the last one, and delivers none of its tokens.
fn stop_with(steps: &mut Vec<Step>, at: usize, damage: Damage) {
    steps.truncate(at.saturating_add(1));
    if let Some(step) = steps.last_mut() {
        step.damage = damage;
        step.tokens = 0;
    }
}

fn strike_index(steps: &[Step], cut_at: Option<u64>, draw: Draw) -> usize {
    let mut sent = 0;
    let mut deltas = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        if matches!(step.action, Action::Delta { .. }) {
            if cut_at.is_some_and(|cut_at| sent >= cut_at) {
                return index;
            }
            deltas.push(index);
        }
        sent += step.tokens;
    }
    let last = steps.len().saturating_sub(1);
    if cut_at.is_some() {
        return last;
    }
    // The first delta is spared, so that something was streamed.
    let candidates = deltas.get(1..).unwrap_or_default();
    draw.stream(Stream::Cut).pick(candidates).copied().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Finish, PartKind};
    use crate::text::write_text;

    fn sample() -> (Vec<Choice>, Draw) {
        let body = write_text(120, &mut Rng::new(5));
        let part = Part { kind: PartKind::Text, body, overhead: 0 };
        let choice = Choice { parts: vec![part], hidden_reasoning: 30, finish: Finish::Stop };
        (vec![choice], Draw::new(1, &[2; 16], 0))
    }

    fn tokens(steps: &[Step]) -> u64 {
        steps.iter().map(|step| step.tokens).sum()
    }

    #[test]
    fn deltas_add_up_and_stay_small() {
        let (choices, draw) = sample();
        let steps = steps(&choices, draw);
        assert_eq!(tokens(&steps), 150);
        let mut text = String::new();
        for step in &steps {
            if let Action::Delta { bytes, .. } = &step.action {
                assert!((1..=4).contains(&step.tokens));
                text.push_str(&choices[0].parts[0].body.text[bytes.clone()]);
            }
        }
        assert_eq!(text, choices[0].parts[0].body.text);
    }

    #[test]
    fn a_cut_comes_where_it_was_asked_for() {
        let (choices, draw) = sample();
        let mut cut = steps(&choices, draw);
        strike(&mut cut, Fault::Cut, Some(70), draw);
        assert!((70..74).contains(&tokens(&cut)), "{}", tokens(&cut));
        let mut drawn = steps(&choices, draw);
        strike(&mut drawn, Fault::TruncatedSse, None, draw);
        assert_eq!(drawn.last().unwrap().damage, Damage::Halve);
        assert!(tokens(&drawn) < 150);
    }

    #[test]
    fn an_empty_reply_can_be_struck_too() {
        let choice = Choice { parts: vec![], hidden_reasoning: 0, finish: Finish::Length };
        let draw = Draw::new(1, &[2; 16], 0);
        for fault in Fault::ALL {
            let mut all = steps(std::slice::from_ref(&choice), draw);
            strike(&mut all, fault, None, draw);
            assert!(!all.is_empty());
        }
    }
}
