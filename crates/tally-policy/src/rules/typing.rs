//! The types of a condition's parts: what can never be meant is found before it runs.

use std::collections::BTreeSet;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators,
};

use super::{
    condition::{Mistake, literal},
    variables::{Type, Variable, Words},
};
use crate::words::{one_of, or_meant};

/// Functions that conditions may call, with what they give.
const FUNCTIONS: &[(&str, Type)] = &[
    ("size", Type::Number),
    ("contains", Type::Bool),
    ("startsWith", Type::Bool),
    ("endsWith", Type::Bool),
    ("matches", Type::Bool),
    ("int", Type::Number),
    ("double", Type::Number),
    ("string", Type::Text(Words::Any)),
];

/// Infers types and notes what is wrong on the way.
pub(super) struct Typing<'a> {
    source: &'a SourceInfo,
    /// Variables of `exists` and the like, innermost last.
    bound: Vec<(&'a str, Type)>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) reads: BTreeSet<Variable>,
}

// === impl Typing ===

impl<'a> Typing<'a> {
    pub(super) const fn new(source: &'a SourceInfo) -> Self {
        Self { source, bound: Vec::new(), mistakes: Vec::new(), reads: BTreeSet::new() }
    }

    pub(super) fn note(&mut self, at: &IdedExpr, message: impl Into<String>) {
        self.note_after(at, 0, message);
    }

    fn note_after(&mut self, at: &IdedExpr, further: usize, message: impl Into<String>) {
        let start = self.source.offset_for(at.id).map_or(0, |(start, _)| start);
        let offset = usize::try_from(start).unwrap_or(0) + further;
        let mistake = Mistake { offset, message: message.into() };
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    pub(super) fn infer(&mut self, node: &'a IdedExpr) -> Type {
        match &node.expr {
            Expr::Literal(value) => literal_type(value),
            Expr::Ident(name) => self.identifier(node, name),
            Expr::Select(select) => self.select(node, select),
            Expr::Call(call) => self.call(node, call),
            Expr::List(list) => {
                for element in &list.elements {
                    self.infer(element);
                }
                Type::List(&Type::Any)
            }
            Expr::Comprehension(it) => self.comprehension(it),
            Expr::Map(_) | Expr::Struct(_) => {
                self.note(node, "tables are not needed here; compare single values");
                Type::Any
            }
            Expr::Unspecified => Type::Any,
        }
    }

    fn identifier(&mut self, node: &IdedExpr, name: &str) -> Type {
        if let Some((_, of)) = self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return *of;
        }
        if let Some(variable) = Variable::named(name) {
            self.reads.insert(variable);
            return variable.type_of();
        }
        let known: Vec<&str> = Variable::ALL.iter().map(|variable| variable.name()).collect();
        self.note(node, format!("there is no variable `{name}`{}", or_meant(name, &known)));
        Type::Any
    }

    fn select(&mut self, node: &'a IdedExpr, select: &'a SelectExpr) -> Type {
        match self.infer(&select.operand) {
            Type::Record(fields) => {
                let found = fields.iter().find(|(name, _)| *name == select.field);
                if let Some((_, of)) = found {
                    return if select.test { Type::Bool } else { *of };
                }
                let known: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
                let meant = or_meant(&select.field, &known);
                let further = usize::from(!select.test);
                self.note_after(
                    node,
                    further,
                    format!("there is no field `{}`{meant}", select.field),
                );
            }
            Type::Any => {}
            _ => self.note(node, format!("this has no fields; remove `.{}`", select.field)),
        }
        if select.test { Type::Bool } else { Type::Any }
    }

    fn call(&mut self, node: &'a IdedExpr, call: &'a CallExpr) -> Type {
        let of: Vec<Type> = call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .map(|arg| self.infer(arg))
            .collect();
        match (call.func_name.as_str(), of.as_slice(), call.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, _, args) => {
                for (arg, of) in args.iter().zip(&of) {
                    if !matches!(of, Type::Bool | Type::Any) {
                        self.note(arg, "expected something that is true or false here");
                    }
                }
                Type::Bool
            }
            (operators::EQUALS | operators::NOT_EQUALS, [left, right], [a, b]) => {
                if !may_equal(*left, *right) {
                    self.note(node, "these two are of different kinds and never equal");
                }
                self.check_word(*left, b);
                self.check_word(*right, a);
                Type::Bool
            }
            (operators::IN, [left, right], [a, b]) => {
                self.membership(node, (*left, a), (*right, b));
                Type::Bool
            }
            (
                operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [left, right],
                [a, b],
            ) => {
                self.order(node, (*left, a), (*right, b));
                Type::Bool
            }
            (operators::CONDITIONAL, [_, then, other], _) => {
                if then == other {
                    *then
                } else {
                    Type::Any
                }
            }
            (
                operators::ADD
                | operators::SUBSTRACT
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO
                | operators::NEGATE,
                of,
                _,
            ) => {
                if !of.iter().all(|of| matches!(of, Type::Number | Type::Any)) {
                    self.note(node, "expected numbers on both sides");
                }
                Type::Number
            }
            (operators::INDEX | operators::NOT_STRICTLY_FALSE, _, _) => Type::Any,
            (name, _, args) => self.function(node, name, args),
        }
    }

    fn function(&mut self, node: &IdedExpr, name: &str, args: &[IdedExpr]) -> Type {
        let Some((_, gives)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = FUNCTIONS.iter().map(|(known, _)| *known).collect();
            self.note(node, format!("there is no function `{name}`{}", or_meant(name, &known)));
            return Type::Any;
        };
        if name == "matches"
            && let Some((arg, Err(error))) =
                args.last().and_then(|arg| Some((arg, regex::Regex::new(literal(arg)?))))
        {
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or("unreadable").trim().to_owned();
            self.note(arg, format!("not a regular expression: {reason}"));
        }
        *gives
    }

    fn membership(&mut self, node: &IdedExpr, left: (Type, &IdedExpr), right: (Type, &IdedExpr)) {
        if let Expr::List(list) = &right.1.expr {
            for element in &list.elements {
                self.check_word(left.0, element);
            }
            return;
        }
        match right.0 {
            Type::List(of) => self.check_word(*of, left.1),
            Type::Any => {}
            _ => self.note(node, "expected a list behind `in`"),
        }
    }

    fn order(&mut self, node: &IdedExpr, left: (Type, &IdedExpr), right: (Type, &IdedExpr)) {
        match (left.0, right.0) {
            (Type::Number | Type::Any, Type::Number | Type::Any) => {}
            (Type::Text(Words::Date), Type::Text(_)) | (Type::Text(_), Type::Text(Words::Date)) => {
            }
            (of @ Type::Text(Words::Ordered(_)), _) if literal(right.1).is_some() => {
                self.check_word(of, right.1);
            }
            (_, of @ Type::Text(Words::Ordered(_))) if literal(left.1).is_some() => {
                self.check_word(of, left.1);
            }
            (Type::Text(Words::Ordered(a)), Type::Text(Words::Ordered(b))) if a == b => {}
            (Type::Text(Words::Ordered(words)), _) | (_, Type::Text(Words::Ordered(words))) => {
                let message =
                    format!("expected one of {} in quotes to compare with", one_of(words));
                self.note(node, message);
            }
            _ => self.note(node, "these have no order; numbers, dates, tiers and data classes do"),
        }
    }

    /// A word that the other side can never be is a typing mistake.
    fn check_word(&mut self, of: Type, other: &IdedExpr) {
        let Type::Text(Words::Of(words) | Words::Ordered(words)) = of else { return };
        let Some(word) = literal(other) else { return };
        if !word.is_empty() && !words.contains(&word) {
            self.note(other, format!("it is never `{word}`{}", or_meant(word, words)));
        }
    }

    fn comprehension(&mut self, it: &'a ComprehensionExpr) -> Type {
        let element = match self.infer(&it.iter_range) {
            Type::List(of) => *of,
            Type::Any => Type::Any,
            _ => {
                self.note(&it.iter_range, "expected a list to go through");
                Type::Any
            }
        };
        let before = self.bound.len();
        self.bound.push((&it.iter_var, element));
        self.bound.extend(it.iter_var2.as_deref().map(|name| (name, Type::Any)));
        self.bound.push((&it.accu_var, Type::Any));
        for part in [&it.accu_init, &it.loop_cond, &it.loop_step, &it.result] {
            self.infer(part);
        }
        self.bound.truncate(before);
        Type::Any
    }
}

const fn literal_type(value: &LiteralValue) -> Type {
    match value {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => Type::Number,
        LiteralValue::String(_) => Type::Text(Words::Any),
        LiteralValue::Null => Type::Null,
        LiteralValue::Bytes(_) => Type::Any,
    }
}

fn may_equal(left: Type, right: Type) -> bool {
    match (left, right) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Null, other) | (other, Type::Null) => matches!(other, Type::Record(_) | Type::Null),
        (Type::Text(_), Type::Text(_)) | (Type::List(_), Type::List(_)) => true,
        (left, right) => left == right,
    }
}
