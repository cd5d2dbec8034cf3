//! Prompts that people share: texts with variables, version by version.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    DataClass, FieldError, ModelName, PersonName, TeamName, TemplateName, resource::KindSpec,
    vocabulary::vocabulary,
};

const TEXT_BYTES_MAX: usize = 64 << 10;
const VARIABLES_MAX: usize = 50;
const OPEN: &str = "{{";
const CLOSE: &str = "}}";

vocabulary! {
    /// Whether a template is to be used.
    TemplateState {
        /// It may be used.
        Active = "active",
        /// It is over; another one may take its place.
        Retired = "retired",
    }

    /// How far a version has come.
    VersionState {
        /// Its author still works on it.
        Draft = "draft",
        /// Somebody else is to look at it.
        Submitted = "submitted",
        /// Somebody else approved it.
        Approved = "approved",
    }
}

/// Something that is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateVariable {
    /// As it stands in the texts, between double braces.
    pub name: String,
    /// What is to be filled in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What stands there when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// What a version says, before it has a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateText {
    /// What the model is told first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// What it is asked.
    pub user: String,
    /// What is filled in; each stands in a text, and those without a default have to be said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<TemplateVariable>,
    /// What is new in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Whether somebody else looked at a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionReview {
    /// How far it has come.
    pub state: VersionState,
    /// Who decided last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonName>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One version; its text never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateVersion {
    /// 1, 2, 3…
    pub number: u32,
    /// What it says.
    pub text: TemplateText,
    /// Who wrote it.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
    /// Who looked at it.
    pub review: VersionReview,
}

/// What somebody found when they tried a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateEvaluation {
    /// The version.
    pub version: u32,
    /// What was tried, and how it went.
    pub text: String,
    /// Who tried it.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
}

/// What a template is for, beside its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateAbout {
    /// What it is called.
    pub title: String,
    /// What it does, and when it helps.
    pub purpose: String,
    /// Which kind of task it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// How sensitive what is filled in may be.
    pub data_class: DataClass,
    /// Which model does it well enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
}

/// A prompt that people share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateSpec {
    /// What it is for.
    pub about: TemplateAbout,
    /// Who answers for it.
    pub owner: PersonName,
    /// Their team when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// Whether it is to be used.
    pub state: TemplateState,
    /// The oldest first.
    pub versions: Vec<TemplateVersion>,
    /// What people found, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<TemplateEvaluation>,
    /// What takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<TemplateName>,
    /// Whether it came with Tally: nobody gets points for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shipped: bool,
}

/// A text with everything filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedText {
    /// What the model is told first.
    pub system: Option<String>,
    /// What it is asked.
    pub user: String,
}

/// What is wrong with what was to be filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariableProblems {
    /// Have no default and were not said.
    pub missing: Vec<String>,
    /// Were said and are none.
    pub unknown: Vec<String>,
}

// === impl TemplateSpec ===

impl TemplateSpec {
    /// The version that is used where none is named: the last that was approved.
    pub fn current(&self) -> Option<&TemplateVersion> {
        self.versions.iter().rev().find(|version| version.review.state == VersionState::Approved)
    }

    /// A version by its number.
    pub fn version(&self, number: u32) -> Option<&TemplateVersion> {
        self.versions.iter().find(|version| version.number == number)
    }
}

// === impl TemplateText ===

impl TemplateText {
    /// Fills in. What is filled in is never read as a variable again.
    ///
    /// # Errors
    /// Names each variable that is missing, and each that there is none of.
    pub fn render(
        &self,
        values: &BTreeMap<String, String>,
    ) -> Result<RenderedText, VariableProblems> {
        let value_of = |variable: &TemplateVariable| {
            values.get(&variable.name).cloned().or_else(|| variable.default.clone())
        };
        let missing = self.variables.iter().filter(|variable| value_of(variable).is_none());
        let is_known =
            |name: &String| self.variables.iter().any(|variable| variable.name == **name);
        let problems = VariableProblems {
            missing: missing.map(|variable| variable.name.clone()).collect(),
            unknown: values.keys().filter(|name| !is_known(name)).cloned().collect(),
        };
        if !problems.missing.is_empty() || !problems.unknown.is_empty() {
            return Err(problems);
        }
        let fill = |text: &str| {
            let mut filled = String::with_capacity(text.len());
            for piece in pieces(text) {
                match piece {
                    Piece::Plain(plain) => filled.push_str(plain),
                    Piece::Variable(name) => {
                        let known = self.variables.iter().find(|known| known.name == name);
                        filled.push_str(&known.and_then(value_of).unwrap_or_default());
                    }
                }
            }
            filled
        };
        Ok(RenderedText { system: self.system.as_deref().map(fill), user: fill(&self.user) })
    }

    fn check(&self, path: &str, errors: &mut Vec<FieldError>) {
        let mut wrong = |field: &str, message: String| {
            errors.push(FieldError::new(format!("{path}.{field}"), message));
        };
        let texts = [self.system.as_deref().unwrap_or_default(), &self.user];
        if self.user.trim().is_empty() || texts.iter().any(|text| text.len() > TEXT_BYTES_MAX) {
            wrong("user", format!("expected 1 to {TEXT_BYTES_MAX} bytes of text"));
        }
        if self.variables.len() > VARIABLES_MAX {
            wrong("variables", format!("expected at most {VARIABLES_MAX}"));
        }
        let used: Vec<&str> = texts
            .iter()
            .flat_map(|text| pieces(text))
            .filter_map(|piece| match piece {
                Piece::Variable(name) => Some(name),
                Piece::Plain(_) => None,
            })
            .collect();
        for name in &used {
            if !self.variables.iter().any(|variable| variable.name == *name) {
                wrong("variables", format!("`{name}` stands in the text and is not listed"));
            }
        }
        for (at, TemplateVariable { name, .. }) in self.variables.iter().enumerate() {
            if !is_variable(name) {
                wrong("variables", format!("`{name}`: expected letters, digits and `_`"));
            } else if !used.contains(&name.as_str()) {
                wrong("variables", format!("`{name}` stands in no text; write `{{{{{name}}}}}`"));
            } else if self.variables.iter().take(at).any(|before| before.name == *name) {
                wrong("variables", format!("`{name}` is listed twice"));
            }
        }
    }
}

enum Piece<'a> {
    Plain(&'a str),
    Variable(&'a str),
}

/// A text as what stands in it: braces around anything but a name are text.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = variable_at(rest) {
            rest = after;
            return Some(Piece::Variable(name));
        }
        // One brace at a time: of three in a row the first one is text.
        let next = rest.match_indices('{').map(|(at, _)| at);
        let mut next = next.filter(|at| *at > 0);
        let end = next.find(|at| rest.get(*at..).is_some_and(|from| variable_at(from).is_some()));
        let (plain, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(Piece::Plain(plain))
    })
}

fn variable_at(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix(OPEN)?.split_once(CLOSE)?;
    let name = name.trim();
    is_variable(name).then_some((name, after))
}

fn is_variable(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.len() <= 64 && name.chars().all(allowed)
}

/// It refers to nothing: it outlives whose it is.
impl KindSpec for TemplateSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        for (field, text) in [("title", &self.about.title), ("purpose", &self.about.purpose)] {
            if text.trim().is_empty() || text.len() > 2_000 {
                errors.push(FieldError::new(format!("about.{field}"), "expected 1 to 2,000 bytes"));
            }
        }
        for (at, version) in self.versions.iter().enumerate() {
            version.text.check(&format!("versions[{at}].text"), errors);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(user: &str, variables: &[(&str, Option<&str>)]) -> TemplateText {
        let variable = |(name, default): &(&str, Option<&str>)| TemplateVariable {
            name: (*name).to_owned(),
            description: String::new(),
            default: default.map(str::to_owned),
        };
        let variables = variables.iter().map(variable).collect();
        TemplateText { system: None, user: user.to_owned(), variables, note: None }
    }

    fn values(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_filled_in_is_text_and_nothing_else() {
        let text = text(
            "{{a}} and {{ b }}; {{ not a name }} {{{a}}}",
            &[("a", None), ("b", Some("default"))],
        );
        let rendered = text.render(&values(&[("a", "{{b}}")])).unwrap();
        assert_eq!(rendered.user, "{{b}} and default; {{ not a name }} {{{b}}}");
    }

    #[test]
    fn missing_and_unknown_variables_are_named() {
        let text = text("{{a}} {{b}}", &[("a", None), ("b", None)]);
        let problems = text.render(&values(&[("b", "1"), ("c", "2")])).unwrap_err();
        assert_eq!((problems.missing, problems.unknown), (vec!["a".into()], vec!["c".into()]));
    }

    #[test]
    fn every_variable_is_listed_once_and_stands_somewhere() {
        let mut errors = Vec::new();
        text("{{a}} {{b}}", &[("a", None), ("a", None), ("c", None)]).check("t", &mut errors);
        let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 3, "{said:?}");
    }
}
