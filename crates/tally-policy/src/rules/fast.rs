//! Conditions as most people write them, decided without an interpreter: comparisons of what is
//! known of a call with words and numbers, put together with `&&`, `||` and `!`. Everything else
//! is left to CEL, and what is decided here means the same there.

use std::collections::BTreeSet;

use cel::common::{
    ast::{Expr, IdedExpr, LiteralValue, operators},
    types::CelBool,
};
use tally_types::spec::PolicyCall;

use super::{
    condition::literal,
    variables::{Facts, Place, Type, Variable, place_of, rank_of},
};

/// A condition or a part of one.
#[derive(Debug)]
pub(super) enum Test {
    Constant(bool),
    Truth(Place),
    /// One of these words.
    Word(Place, BTreeSet<Box<str>>),
    /// A word in a list.
    Member(Text, Place),
    /// A text that begins, ends, holds or matches.
    Shape(Place, Shape),
    Compare(Number, Comparison, Number),
    Not(Box<Test>),
    And(Vec<Test>),
    Or(Vec<Test>),
    /// Left to the interpreter.
    Cel(Box<IdedExpr>),
}

#[derive(Debug)]
pub(super) enum Text {
    At(Place),
    Literal(Box<str>),
}

#[derive(Debug)]
pub(super) enum Shape {
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Contains(Box<str>),
    Matches(Box<regex::Regex>),
}

#[derive(Debug)]
pub(super) enum Number {
    At(Place),
    /// The place of an ordered word among its like.
    Rank(String),
    Literal(i64),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Evaluates what is left to the interpreter.
pub(super) type Interpreter<'i> = &'i dyn Fn(&IdedExpr) -> Result<bool, String>;

// === impl Test ===

impl Test {
    pub(super) fn compile(expression: IdedExpr) -> Self {
        let known = match &expression.expr {
            Expr::Literal(LiteralValue::Boolean(truth)) => {
                Some(Self::Constant(*CelBool::inner(truth)))
            }
            Expr::Ident(_) | Expr::Select(_) => {
                place(&expression).filter(|place| place.type_of() == Type::Bool).map(Self::Truth)
            }
            Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
                (operators::LOGICAL_NOT, [of]) => {
                    Some(Self::Not(Box::new(Self::compile(of.clone()))))
                }
                (operators::LOGICAL_AND, parts) => {
                    Some(Self::And(parts.iter().cloned().map(Self::compile).collect()))
                }
                (operators::LOGICAL_OR, parts) => {
                    Some(Self::Or(parts.iter().cloned().map(Self::compile).collect()))
                }
                (name, [pattern]) => {
                    call.target.as_deref().and_then(text_place).and_then(|text| {
                        Some(Self::Shape(text, Shape::new(name, literal(pattern)?)?))
                    })
                }
                (operators::EQUALS, [left, right]) => word(left, right),
                (operators::NOT_EQUALS, [left, right]) => {
                    word(left, right).map(|same| Self::Not(Box::new(same)))
                }
                (operators::IN, [of, list]) => membership(of, list),
                (name, [left, right]) => comparison(name)
                    .and_then(|it| Some(Self::Compare(number(left)?, it, number(right)?))),
                _ => None,
            },
            _ => None,
        };
        known.unwrap_or_else(|| Self::Cel(Box::new(expression)))
    }

    /// Whether it holds. As in CEL, what cannot be evaluated does not matter beside something
    /// that decides.
    pub(super) fn holds(
        &self,
        facts: &Facts<'_>,
        interpreter: Interpreter<'_>,
    ) -> Result<bool, String> {
        let call = facts.call();
        match self {
            Self::Constant(truth) => Ok(*truth),
            Self::Truth(place) => place.truth(call).ok_or_else(|| place.unknown()),
            Self::Word(place, words) => {
                let text = place.text(call).ok_or_else(|| place.unknown())?;
                Ok(words.contains(text))
            }
            Self::Member(text, list) => {
                let text = match text {
                    Text::At(place) => place.text(call).ok_or_else(|| place.unknown())?,
                    Text::Literal(text) => text,
                };
                list.contains(call, text).ok_or_else(|| list.unknown())
            }
            Self::Shape(place, shape) => {
                Ok(shape.fits(place.text(call).ok_or_else(|| place.unknown())?))
            }
            Self::Compare(left, comparison, right) => {
                let (left, right) = (left.value(call)?, right.value(call)?);
                Ok(match comparison {
                    Comparison::Less => left < right,
                    Comparison::LessOrEqual => left <= right,
                    Comparison::Greater => left > right,
                    Comparison::GreaterOrEqual => left >= right,
                })
            }
            Self::Not(of) => of.holds(facts, interpreter).map(|truth| !truth),
            Self::And(parts) => decided(parts, false, facts, interpreter),
            Self::Or(parts) => decided(parts, true, facts, interpreter),
            Self::Cel(expression) => interpreter(expression),
        }
    }
}

/// `decisive` if a part is; else the first part that cannot be evaluated; else the opposite.
fn decided(
    parts: &[Test],
    decisive: bool,
    facts: &Facts<'_>,
    interpreter: Interpreter<'_>,
) -> Result<bool, String> {
    let mut unknown = None;
    for part in parts {
        match part.holds(facts, interpreter) {
            Ok(truth) if truth == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(error) => unknown = unknown.or(Some(error)),
        }
    }
    unknown.map_or(Ok(!decisive), Err)
}

// === impl Shape ===

impl Shape {
    fn new(function: &str, pattern: &str) -> Option<Self> {
        Some(match function {
            "startsWith" => Self::StartsWith(pattern.into()),
            "endsWith" => Self::EndsWith(pattern.into()),
            "contains" => Self::Contains(pattern.into()),
            // Compiled once here; the interpreter would do so for every call.
            "matches" => Self::Matches(Box::new(regex::Regex::new(pattern).ok()?)),
            _ => return None,
        })
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::StartsWith(start) => text.starts_with(&**start),
            Self::EndsWith(end) => text.ends_with(&**end),
            Self::Contains(part) => text.contains(&**part),
            Self::Matches(pattern) => pattern.is_match(text),
        }
    }
}

// === impl Number ===

impl Number {
    fn value(&self, call: &PolicyCall) -> Result<i64, String> {
        match self {
            Self::At(place) => place.number(call).ok_or_else(|| place.unknown()),
            Self::Rank(name) => rank_of(call, name).ok_or_else(|| format!("{name} is not known")),
            Self::Literal(number) => Ok(*number),
        }
    }
}

fn place(expression: &IdedExpr) -> Option<Place> {
    match &expression.expr {
        Expr::Ident(name) => Variable::named(name).map(Place::whole),
        Expr::Select(select) if !select.test => match &select.operand.expr {
            Expr::Ident(record) => place_of(record, &select.field),
            _ => None,
        },
        _ => None,
    }
}

fn text_place(expression: &IdedExpr) -> Option<Place> {
    place(expression).filter(|place| matches!(place.type_of(), Type::Text(_)))
}

fn word(left: &IdedExpr, right: &IdedExpr) -> Option<Test> {
    let (of, word) = match (literal(left), literal(right)) {
        (None, Some(word)) => (left, word),
        (Some(word), None) => (right, word),
        _ => return None,
    };
    text_place(of).map(|place| Test::Word(place, BTreeSet::from([word.into()])))
}

fn membership(of: &IdedExpr, list: &IdedExpr) -> Option<Test> {
    if let Expr::List(list) = &list.expr {
        let words: Option<BTreeSet<Box<str>>> =
            list.elements.iter().map(|element| literal(element).map(Into::into)).collect();
        return Some(Test::Word(text_place(of)?, words?));
    }
    let list = place(list).filter(|place| matches!(place.type_of(), Type::List(_)))?;
    let text = match literal(of) {
        Some(text) => Text::Literal(text.into()),
        None => Text::At(text_place(of)?),
    };
    Some(Test::Member(text, list))
}

fn number(expression: &IdedExpr) -> Option<Number> {
    match &expression.expr {
        Expr::Literal(LiteralValue::Int(number)) => Some(Number::Literal(*number.inner())),
        Expr::Ident(name) if name.starts_with('@') => {
            name.split_once('.').map(|(_, ordered)| Number::Rank(ordered.to_owned()))
        }
        _ => place(expression).filter(|place| place.type_of() == Type::Number).map(Number::At),
    }
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}
