//! Conditions: read, checked against what is known of a call, and made ready to be decided
//! quickly.

use std::{collections::BTreeSet, sync::Arc};

use cel::{
    Context, Env, Value,
    common::{
        ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators},
        types::CelBool,
    },
    parser::Parser,
};

use super::{
    fast::Test,
    typing::Typing,
    variables::{FALSE, Facts, RANK, TRUE, Type, Variable, Words},
};

/// What is wrong with a condition, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// In characters, from the beginning of the text.
    pub(super) offset: usize,
    pub(super) message: String,
}

/// A variable that has to have one of these values, or the condition is false.
///
/// Such conjuncts are looked up in an index and compared without an interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) variable: Variable,
    pub(super) values: BTreeSet<Box<str>>,
}

/// A condition, ready.
#[derive(Debug)]
pub(super) struct Condition {
    /// All of them hold, or the condition is false.
    pub(super) guards: Vec<Guard>,
    /// What is left besides the guards; none says that they are all.
    rest: Option<Test>,
    /// What it reads.
    pub(super) reads: BTreeSet<Variable>,
}

// === impl Condition ===

impl Condition {
    /// Reads and checks a condition.
    pub(super) fn compile(text: &str) -> Result<Self, Vec<Mistake>> {
        let (expression, source) =
            Parser::default().parse_with_source_info(text).map_err(|errors| {
                // The parser tries to go on and then complains of what it left out.
                errors.errors.iter().take(1).map(|error| syntax(text, error)).collect::<Vec<_>>()
            })?;
        let mut typing = Typing::new(&source);
        let of = typing.infer(&expression);
        if !matches!(of, Type::Bool | Type::Any) && typing.mistakes.is_empty() {
            typing.note(&expression, "expected a condition, which is true or false");
        }
        if !typing.mistakes.is_empty() {
            return Err(typing.mistakes);
        }
        let reads = typing.reads;
        let mut expression = expression;
        spell_out_orders(&mut expression);
        let mut conjuncts = Vec::new();
        split(expression, &mut conjuncts);
        let mut guards = Vec::new();
        let mut rest: Option<IdedExpr> = None;
        for conjunct in conjuncts {
            match guard(&conjunct) {
                Some(guard) => guards.push(guard),
                None => rest = Some(and(rest, conjunct)),
            }
        }
        Ok(Self { guards, rest: rest.map(Test::compile), reads })
    }

    /// Whether it holds; an error says what could not be evaluated.
    pub(super) fn holds(&self, facts: &Facts<'_>, env: &Arc<Env>) -> Result<bool, String> {
        if !self.guards.iter().all(|guard| guard.holds(facts)) {
            return Ok(false);
        }
        let Some(rest) = &self.rest else { return Ok(true) };
        rest.holds(facts, &|expression| interpret(expression, facts, env))
    }
}

// === impl Guard ===

impl Guard {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        self.variable.as_text(facts.call()).is_some_and(|text| self.values.contains(text))
    }
}

/// Has CEL evaluate an expression.
fn interpret(expression: &IdedExpr, facts: &Facts<'_>, env: &Arc<Env>) -> Result<bool, String> {
    let mut context = Context::with_env(Arc::clone(env));
    context.set_variable_resolver(facts);
    let value = Value::resolve_val(expression, &context).map_err(|error| error.to_string())?;
    let truth = value.downcast_ref::<CelBool>();
    truth.map(|truth| *truth.inner()).ok_or_else(|| "it is neither true nor false".to_owned())
}

/// The parser's words, with what they mean for the author.
fn syntax(text: &str, error: &cel::ParseError) -> Mistake {
    let line = usize::try_from(error.pos.0).unwrap_or(1).max(1);
    let column = usize::try_from(error.pos.1).unwrap_or(1).max(1);
    let before: usize =
        text.split_inclusive('\n').take(line - 1).map(|line| line.chars().count()).sum();
    let message = error.msg.trim_start_matches("Syntax error: ");
    let message = message.split(" expecting ").next().unwrap_or(message);
    let message = message.replace("'<EOF>'", "the end");
    Mistake { offset: before + column - 1, message: format!("not a CEL expression: {message}") }
}

/// `data_class >= "confidential"` compares words by their order, not by their letters.
fn spell_out_orders(expression: &mut IdedExpr) {
    visit(expression, &mut |node| {
        let Expr::Call(call) = &mut node.expr else { return };
        let [left, right] = call.args.as_slice() else { return };
        let (compared, word, comparison) = match (literal(left), literal(right)) {
            (None, Some(word)) => (left, word, call.func_name.clone()),
            (Some(word), None) => (right, word, flipped(&call.func_name).to_owned()),
            _ => return rank_both(call),
        };
        let Some(words) = ordered_words(compared) else { return };
        let Some(at) = words.iter().position(|known| *known == word) else { return };
        let chosen = match comparison.as_str() {
            operators::GREATER_EQUALS => words.get(at..),
            operators::GREATER => words.get(at + 1..),
            operators::LESS_EQUALS => words.get(..=at),
            operators::LESS => words.get(..at),
            _ => return,
        };
        let elements = chosen.unwrap_or_default().iter().map(|word| IdedExpr {
            id: 0,
            expr: Expr::Literal(LiteralValue::String((*word).into())),
        });
        let list = cel::common::ast::ListExpr::new(elements.collect());
        let list = IdedExpr { id: 0, expr: Expr::List(list) };
        let args = vec![compared.clone(), list];
        *call = CallExpr { func_name: operators::IN.to_owned(), target: None, args };
    });
}

/// Two ordered values are compared by their places: `tier > workload.tier`.
fn rank_both(call: &mut CallExpr) {
    let compares =
        [operators::GREATER_EQUALS, operators::GREATER, operators::LESS_EQUALS, operators::LESS];
    if !compares.contains(&call.func_name.as_str()) {
        return;
    }
    for side in &mut call.args {
        let name = match &side.expr {
            Expr::Ident(name) => name.clone(),
            Expr::Select(select) => match &select.operand.expr {
                Expr::Ident(record) => format!("{record}.{}", select.field),
                _ => continue,
            },
            _ => continue,
        };
        if ordered_words(side).is_some() {
            side.expr = Expr::Ident(format!("{RANK}.{name}"));
        }
    }
}

fn flipped(comparison: &str) -> &str {
    match comparison {
        operators::GREATER_EQUALS => operators::LESS_EQUALS,
        operators::GREATER => operators::LESS,
        operators::LESS_EQUALS => operators::GREATER_EQUALS,
        operators::LESS => operators::GREATER,
        other => other,
    }
}

fn ordered_words(expression: &IdedExpr) -> Option<&'static [&'static str]> {
    let of = match &expression.expr {
        Expr::Ident(name) => Variable::named(name)?.type_of(),
        Expr::Select(select) => {
            let Expr::Ident(record) = &select.operand.expr else { return None };
            let Type::Record(fields) = Variable::named(record)?.type_of() else { return None };
            fields.iter().find(|(name, _)| *name == select.field)?.1
        }
        _ => return None,
    };
    match of {
        Type::Text(Words::Ordered(words)) => Some(words),
        _ => None,
    }
}

/// Visits a node's parts and then the node.
fn visit(node: &mut IdedExpr, change: &mut impl FnMut(&mut IdedExpr)) {
    match &mut node.expr {
        Expr::Call(call) => {
            for part in call.target.as_deref_mut().into_iter().chain(&mut call.args) {
                visit(part, change);
            }
        }
        Expr::Select(select) => visit(&mut select.operand, change),
        Expr::List(list) => list.elements.iter_mut().for_each(|part| visit(part, change)),
        Expr::Comprehension(it) => {
            for part in [&mut it.iter_range, &mut it.loop_cond, &mut it.loop_step, &mut it.result] {
                visit(part, change);
            }
        }
        _ => {}
    }
    change(node);
}

/// The parts of a conjunction.
fn split(expression: IdedExpr, conjuncts: &mut Vec<IdedExpr>) {
    match expression.expr {
        Expr::Call(call) if call.func_name == operators::LOGICAL_AND => {
            call.args.into_iter().for_each(|part| split(part, conjuncts));
        }
        expr => conjuncts.push(IdedExpr { id: expression.id, expr }),
    }
}

fn and(left: Option<IdedExpr>, right: IdedExpr) -> IdedExpr {
    let Some(left) = left else { return right };
    let call = CallExpr {
        func_name: operators::LOGICAL_AND.to_owned(),
        target: None,
        args: vec![left, right],
    };
    IdedExpr { id: 0, expr: Expr::Call(call) }
}

/// The conjunct as a guard, if it is one: `team == "a"`, `team in ["a", "b"]`, `registered`.
fn guard(conjunct: &IdedExpr) -> Option<Guard> {
    let one = |variable, value: &str| Guard { variable, values: BTreeSet::from([value.into()]) };
    let truth = |expression: &IdedExpr| {
        variable(expression).filter(|variable| variable.type_of() == Type::Bool)
    };
    if let Some(variable) = truth(conjunct) {
        return Some(one(variable, TRUE));
    }
    let Expr::Call(call) = &conjunct.expr else { return None };
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::LOGICAL_NOT, [of]) => truth(of).map(|variable| one(variable, FALSE)),
        (operators::EQUALS, [left, right]) => {
            let (of, value) = match (literal(left), literal(right)) {
                (None, Some(value)) => (left, value),
                (Some(value), None) => (right, value),
                _ => return None,
            };
            text_variable(of).map(|variable| one(variable, value))
        }
        (operators::IN, [of, IdedExpr { expr: Expr::List(list), .. }]) => {
            let values: Option<BTreeSet<Box<str>>> =
                list.elements.iter().map(|element| literal(element).map(Into::into)).collect();
            text_variable(of).zip(values).map(|(variable, values)| Guard { variable, values })
        }
        _ => None,
    }
}

fn variable(expression: &IdedExpr) -> Option<Variable> {
    match &expression.expr {
        Expr::Ident(name) => Variable::named(name),
        _ => None,
    }
}

fn text_variable(expression: &IdedExpr) -> Option<Variable> {
    variable(expression).filter(|variable| matches!(variable.type_of(), Type::Text(_)))
}

/// The text of a literal that is one.
pub(super) fn literal(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
