//! What conditions may read: each variable with its type and where its value comes from.

use std::sync::OnceLock;

use cel::{
    common::{
        types::{CelBool, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString},
        value::{CowVal, Val},
    },
    context::VariableResolver,
};
use tally_types::{
    DataClass, Dialect, Environment, Role, Tier, WorkloadClass,
    spec::{PolicyCall, PolicyWeekday},
};

/// The words a text can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// Any.
    Any,
    /// One of these.
    Of(&'static [&'static str]),
    /// One of these, from the least to the most.
    Ordered(&'static [&'static str]),
    /// A date, which its text orders.
    Date,
}

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Number,
    Text(Words),
    List(&'static Type),
    Record(&'static [(&'static str, Type)]),
    Null,
    /// Not known before it is evaluated.
    Any,
}

const ENVIRONMENTS: &[&str] =
    &[Environment::Experimentation.as_str(), Environment::Production.as_str()];
const CLASSES: &[&str] = &[
    DataClass::Public.as_str(),
    DataClass::Internal.as_str(),
    DataClass::Confidential.as_str(),
    DataClass::Restricted.as_str(),
];
const TIERS: &[&str] = &[Tier::Economy.as_str(), Tier::Standard.as_str(), Tier::Frontier.as_str()];
const ROLES: &[&str] = &[
    Role::Viewer.as_str(),
    Role::Developer.as_str(),
    Role::Manager.as_str(),
    Role::Finops.as_str(),
    Role::Security.as_str(),
    Role::Auditor.as_str(),
    Role::Admin.as_str(),
];
const WORKLOAD_CLASSES: &[&str] = &[
    WorkloadClass::Exploration.as_str(),
    WorkloadClass::Operational.as_str(),
    WorkloadClass::Critical.as_str(),
];
const DIALECTS: &[&str] =
    &[Dialect::OpenAi.as_str(), Dialect::Anthropic.as_str(), Dialect::Gemini.as_str()];
const WEEKDAYS: &[&str] = &[
    PolicyWeekday::Monday.as_str(),
    PolicyWeekday::Tuesday.as_str(),
    PolicyWeekday::Wednesday.as_str(),
    PolicyWeekday::Thursday.as_str(),
    PolicyWeekday::Friday.as_str(),
    PolicyWeekday::Saturday.as_str(),
    PolicyWeekday::Sunday.as_str(),
];

const TEXT: Type = Type::Text(Words::Any);
const CLASS: Type = Type::Text(Words::Ordered(CLASSES));
const TIER: Type = Type::Text(Words::Ordered(TIERS));

const WORKLOAD: &[(&str, Type)] = &[
    ("name", TEXT),
    ("owner", TEXT),
    ("cost_center", TEXT),
    ("class", Type::Text(Words::Of(WORKLOAD_CLASSES))),
    ("tier", TIER),
    ("data_class", CLASS),
];
const PROVIDER: &[(&str, Type)] = &[
    ("name", TEXT),
    ("dialect", Type::Text(Words::Of(DIALECTS))),
    ("data_classes", Type::List(&CLASS)),
    ("zero_retention", Type::Bool),
];
const TIME: &[(&str, Type)] = &[
    ("hour", Type::Number),
    ("weekday", Type::Text(Words::Of(WEEKDAYS))),
    ("date", Type::Text(Words::Date)),
];

type Value<'f> = Box<dyn Val + 'f>;

/// Names, types and values in one list, so that they cannot differ.
macro_rules! variables {
    ($($variant:ident = $name:literal, $type:expr, |$call:ident| $value:expr;)*) => {
        /// A variable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum Variable {
            $($variant,)*
        }

        impl Variable {
            /// Every variable, the fields of records apart.
            pub(super) const ALL: &[Self] = &[$(Self::$variant),*];

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(super) const fn type_of(self) -> Type {
                match self { $(Self::$variant => $type,)* }
            }

            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn value(self, call: &PolicyCall) -> Value<'_> {
                match self { $(Self::$variant => { let $call = call; $value })* }
            }
        }
    };
}

variables! {
    Person = "person", TEXT, |call| text(&call.person);
    Team = "team", TEXT, |call| text(&call.team);
    Department = "department", TEXT, |call| text(&call.department);
    Roles = "roles", Type::List(&Type::Text(Words::Of(ROLES))),
        |call| list(call.roles.iter().map(|role| role.as_str()));
    Workload = "workload", Type::Record(WORKLOAD), |call| record(call, "workload", WORKLOAD);
    Environment = "environment", Type::Text(Words::Of(ENVIRONMENTS)), |call| text(call.environment.as_str());
    TaskType = "task_type", TEXT, |call| text(&call.task_type);
    DataClass = "data_class", CLASS, |call| text(call.data_class.as_str());
    Model = "model", TEXT, |call| text(&call.model);
    Tier = "tier", TIER, |call| text(call.tier.map_or("", Tier::as_str));
    Provider = "provider", Type::Record(PROVIDER), |call| record(call, "provider", PROVIDER);
    TokenEstimate = "token_estimate", Type::Number, |call| number(call.token_estimate);
    BudgetStage = "budget_stage", Type::Number, |call| number(call.budget_stage.into());
    Time = "time", Type::Record(TIME), |call| record(call, "time", TIME);
    Key = "key", TEXT, |call| text(&call.key);
    Application = "application", TEXT, |call| text(&call.application);
    Registered = "registered", Type::Bool, |call| truth(call.is_registered());
    Operation = "operation", TEXT, |call| text(&call.operation);
    Images = "images", Type::Bool, |call| truth(call.images);
    Tools = "tools", Type::Bool, |call| truth(call.tools);
}

/// A variable, or the field of one that is a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    variable: Variable,
    field: Option<&'static str>,
}

/// A call's facts, made into values as they are asked for.
pub(super) struct Facts<'f> {
    call: &'f PolicyCall,
    values: [OnceLock<Value<'f>>; Variable::ALL.len()],
}

// === impl Variable ===

impl Variable {
    /// Whether its value differs between the models and providers that may serve a call.
    pub(super) const fn is_of_candidate(self) -> bool {
        matches!(self, Self::Model | Self::Tier | Self::Provider)
    }

    /// The text of a variable that is one, without making a value of it.
    pub(super) fn as_text(self, call: &PolicyCall) -> Option<&str> {
        Some(match self {
            Self::Person => &call.person,
            Self::Team => &call.team,
            Self::Department => &call.department,
            Self::Environment => call.environment.as_str(),
            Self::TaskType => &call.task_type,
            Self::DataClass => call.data_class.as_str(),
            Self::Model => &call.model,
            Self::Tier => call.tier.map_or("", Tier::as_str),
            Self::Key => &call.key,
            Self::Application => &call.application,
            Self::Operation => &call.operation,
            Self::Registered if call.is_registered() => TRUE,
            Self::Images if call.images => TRUE,
            Self::Tools if call.tools => TRUE,
            Self::Registered | Self::Images | Self::Tools => FALSE,
            _ => return None,
        })
    }
}

/// A record of its own: the place of an ordered word among its like.
pub(super) const RANK: &str = "@rank";

/// Truths as an index keeps them.
pub(super) const TRUE: &str = "true";
/// The same.
pub(super) const FALSE: &str = "false";

// === impl Facts ===

impl<'f> Facts<'f> {
    pub(super) fn new(call: &'f PolicyCall) -> Self {
        Self { call, values: std::array::from_fn(|_| OnceLock::new()) }
    }

    pub(super) const fn call(&self) -> &'f PolicyCall {
        self.call
    }
}

impl VariableResolver for Facts<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        // A field is asked for by its whole name first: nothing has to be built for it.
        if let Some((record, field)) = name.split_once('.') {
            return field_of(self.call, record, field).map(CowVal::Owned);
        }
        let variable = Variable::named(name)?;
        let slot = self.values.get(variable as usize)?;
        let value = slot.get_or_init(|| variable.value(self.call));
        Some(CowVal::Borrowed(value.as_ref()))
    }
}

/// The value of a record's field; none where there is no record, or no such field.
fn field_of<'f>(call: &'f PolicyCall, record: &str, field: &str) -> Option<Value<'f>> {
    if record == RANK {
        return rank(call, field).map(number);
    }
    let place = place_of(record, field)?;
    match place.type_of() {
        Type::Text(_) => place.text(call).map(text),
        Type::Bool => place.truth(call).map(truth),
        Type::Number => place.number(call).and_then(|it| u64::try_from(it).ok()).map(number),
        Type::List(_) => {
            let classes = &call.provider.as_ref()?.data_classes;
            Some(list(classes.iter().map(|class| class.as_str())))
        }
        _ => None,
    }
}

/// The place of an ordered word, from the least to the most.
fn rank(call: &PolicyCall, name: &str) -> Option<u64> {
    let of_class = |class: DataClass| place(CLASSES, class.as_str());
    let of_tier = |tier: Option<Tier>| place(TIERS, tier?.as_str());
    match name {
        "data_class" => of_class(call.data_class),
        "tier" => of_tier(call.tier),
        "workload.data_class" => of_class(call.workload.as_ref()?.data_class?),
        "workload.tier" => of_tier(call.workload.as_ref()?.tier),
        _ => None,
    }
}

fn place(words: &[&str], word: &str) -> Option<u64> {
    let place = words.iter().position(|known| *known == word)?;
    u64::try_from(place).ok()
}

/// The place of an ordered word, for comparisons that need no interpreter.
pub(super) fn rank_of(call: &PolicyCall, name: &str) -> Option<i64> {
    rank(call, name).and_then(|rank| i64::try_from(rank).ok())
}

/// The field of a record, if there are such.
pub(super) fn place_of(record: &str, field: &str) -> Option<Place> {
    let variable = Variable::named(record)?;
    let Type::Record(fields) = variable.type_of() else { return None };
    let (name, _) = fields.iter().find(|(name, _)| *name == field)?;
    Some(Place { variable, field: Some(name) })
}

// === impl Place ===

impl Place {
    pub(super) const fn whole(variable: Variable) -> Self {
        Self { variable, field: None }
    }

    pub(super) fn type_of(self) -> Type {
        match (self.variable.type_of(), self.field) {
            (Type::Record(fields), Some(field)) => {
                let found = fields.iter().find(|(name, _)| *name == field);
                found.map_or(Type::Any, |(_, of)| *of)
            }
            (of, _) => of,
        }
    }

    pub(super) fn unknown(self) -> String {
        match self.field {
            Some(field) => format!("{}.{field} is not known", self.variable.name()),
            None => format!("{} is not known", self.variable.name()),
        }
    }

    pub(super) fn text(self, call: &PolicyCall) -> Option<&str> {
        let Some(field) = self.field else { return self.variable.as_text(call) };
        match (self.variable, field) {
            (Variable::Provider, "name") => Some(call.provider.as_ref()?.name.as_str()),
            (Variable::Provider, "dialect") => {
                Some(call.provider.as_ref()?.dialect.map_or("", Dialect::as_str))
            }
            (Variable::Workload, field) => {
                let workload = call.workload.as_ref()?;
                Some(match field {
                    "name" => workload.name.as_str(),
                    "owner" => &workload.owner,
                    "cost_center" => workload.cost_center.as_ref().map_or("", |it| it.as_str()),
                    "class" => workload.class.map_or("", WorkloadClass::as_str),
                    "tier" => workload.tier.map_or("", Tier::as_str),
                    "data_class" => workload.data_class.map_or("", DataClass::as_str),
                    _ => return None,
                })
            }
            (Variable::Time, "weekday") => Some(call.time.as_ref()?.weekday.as_str()),
            (Variable::Time, "date") => Some(&call.time.as_ref()?.date),
            _ => None,
        }
    }

    pub(super) fn truth(self, call: &PolicyCall) -> Option<bool> {
        match self.variable {
            Variable::Registered => Some(call.is_registered()),
            Variable::Images => Some(call.images),
            Variable::Tools => Some(call.tools),
            Variable::Provider => Some(call.provider.as_ref()?.zero_retention),
            _ => None,
        }
    }

    pub(super) fn number(self, call: &PolicyCall) -> Option<i64> {
        match self.variable {
            Variable::TokenEstimate => Some(i64::try_from(call.token_estimate).unwrap_or(i64::MAX)),
            Variable::BudgetStage => Some(call.budget_stage.into()),
            Variable::Time => Some(call.time.as_ref()?.hour.into()),
            _ => None,
        }
    }

    /// Whether a list has this word in it.
    pub(super) fn contains(self, call: &PolicyCall, word: &str) -> Option<bool> {
        match self.variable {
            Variable::Roles => Some(call.roles.iter().any(|role| role.as_str() == word)),
            Variable::Provider => {
                let classes = &call.provider.as_ref()?.data_classes;
                Some(classes.iter().any(|class| class.as_str() == word))
            }
            _ => None,
        }
    }
}

/// A record whole, for `has(…)` and comparisons with null.
fn record<'f>(
    call: &'f PolicyCall,
    name: &str,
    fields: &'static [(&'static str, Type)],
) -> Value<'f> {
    let values: std::collections::HashMap<CelMapKey<'f>, Value<'f>> = fields
        .iter()
        .filter_map(|(field, _)| Some((CelMapKey::from(*field), field_of(call, name, field)?)))
        .collect();
    if values.is_empty() { Box::new(CelNull) } else { Box::new(CelMap::from(values)) }
}

fn text(text: &str) -> Value<'_> {
    Box::new(CelString::from(text))
}

fn number(number: u64) -> Value<'static> {
    Box::new(CelInt::from(i64::try_from(number).unwrap_or(i64::MAX)))
}

fn truth(truth: bool) -> Value<'static> {
    Box::new(CelBool::from(truth))
}

fn list<'f>(items: impl Iterator<Item = &'f str>) -> Value<'f> {
    let items: Vec<Value<'f>> = items.map(text).collect();
    Box::new(CelList::from(items))
}
