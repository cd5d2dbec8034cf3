//! From arguments to a query of the metrics layer.

use anyhow::bail;
use serde::de::{DeserializeOwned, IntoDeserializer as _, value::Error as WordError};
use tally_types::{TimeZone, Timestamp};
use tally_warehouse::query::{Dimension, Field, Grain, Measure, NamedRange, OrderBy, Query, Range};

use super::QueryArgs;

/// A question people ask often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Question {
    /// Which teams drive usage
    Teams,
    /// Which models cost most
    Models,
    /// Which apps cost most per successful outcome
    Apps,
    /// Who uses how much
    People,
    /// What tasks cost and how they end
    Tasks,
    /// Where latency hurts
    Latency,
    /// How calls fare over time
    Calls,
}

/// What a question asks for.
struct Preset {
    measures: &'static [Measure],
    by: Option<Field>,
    grain: Option<Grain>,
}

/// A word of a vocabulary that serde knows.
///
/// # Errors
/// Names the words there are.
pub(crate) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let word = text.replace('-', "_");
    T::deserialize(word.as_str().into_deserializer()).map_err(|error: WordError| error.to_string())
}

/// One criterion of `--order`.
///
/// # Errors
/// When the direction is neither `asc` nor `desc`.
pub(crate) fn order(text: &str) -> Result<OrderBy, String> {
    // A tag's name holds a colon of its own: only the last part can be the direction.
    let (by, desc) = match text.rsplit_once(':') {
        Some((by, "asc")) => (by, false),
        Some((by, "desc")) => (by, true),
        Some((by, other)) if !by.starts_with("tag") => {
            return Err(format!("`{other}` is no direction; expected `asc` or `desc`"));
        }
        // Most first, but names from A and times from the first.
        _ => (text, text.parse::<Measure>().is_ok()),
    };
    Ok(OrderBy { by: by.to_owned(), desc })
}

// === impl Question ===

impl Question {
    const fn preset(self) -> Preset {
        use Measure as M;
        match self {
            Self::Teams => Preset {
                measures: &[M::SpendUsd, M::Calls, M::Tokens, M::ActivePeople, M::CostPerCallUsd],
                by: Some(Field::Team),
                grain: None,
            },
            Self::Models => Preset {
                measures: &[M::SpendUsd, M::Calls, M::Tokens, M::CostPerCallUsd, M::CacheHitRate],
                by: Some(Field::Model),
                grain: None,
            },
            Self::Apps => Preset {
                measures: &[
                    M::SpendUsd,
                    M::Calls,
                    M::CostPerSuccessfulTaskUsd,
                    M::TasksSucceeded,
                    M::TasksUnknown,
                ],
                by: Some(Field::Workload),
                grain: None,
            },
            Self::People => Preset {
                measures: &[M::SpendUsd, M::Calls, M::Tokens, M::Sessions, M::CostPerCallUsd],
                by: Some(Field::Person),
                grain: None,
            },
            Self::Tasks => Preset {
                measures: &[
                    M::Tasks,
                    M::TasksSucceeded,
                    M::TasksFailed,
                    M::TasksUnknown,
                    M::CostPerSuccessfulTaskUsd,
                    M::TokensPerTask,
                    M::EscalationRate,
                ],
                by: Some(Field::TaskType),
                grain: None,
            },
            Self::Latency => Preset {
                measures: &[
                    M::LatencyP95Ms,
                    M::LatencyP50Ms,
                    M::LatencyP99Ms,
                    M::FirstTokenP95Ms,
                    M::Calls,
                    M::ErrorRate,
                ],
                by: Some(Field::Model),
                grain: None,
            },
            Self::Calls => Preset {
                measures: &[
                    M::Calls,
                    M::CallsFailed,
                    M::CallsRefused,
                    M::CallsUnpriced,
                    M::RetryRate,
                    M::FallbackRate,
                ],
                by: None,
                grain: Some(Grain::Hour),
            },
        }
    }
}

// === impl QueryArgs ===

impl QueryArgs {
    /// The query they ask for.
    ///
    /// # Errors
    /// A sentence on what does not fit together.
    pub(super) fn to_query(&self, now: Timestamp, zone: &TimeZone) -> anyhow::Result<Query> {
        use Measure as M;
        const DEFAULT: Preset = Preset {
            measures: &[M::Calls, M::Tokens, M::SpendUsd, M::CostPerCallUsd],
            by: Some(Field::Model),
            grain: None,
        };
        let preset = self.question.map_or(DEFAULT, Question::preset);
        let mut query = Query::new(self.measures.clone(), self.range(now, zone)?);
        if query.measures.is_empty() {
            query.measures = preset.measures.to_vec();
        }
        query.dimensions.clone_from(&self.by);
        // Steps of time are a split of their own: do not add one nobody asked for.
        if self.by.is_empty() && (self.grain.is_none() || self.question.is_some()) {
            query.dimensions.extend(preset.by.map(Dimension::Field));
        }
        query.grain = self.grain.or(preset.grain.filter(|_| self.by.is_empty()));
        query.filters = self.conditions.iter().map(|condition| condition.0.clone()).collect();
        query.compare = self.compare;
        query.order.clone_from(&self.order);
        query.limit = self.limit;
        query.validate()?;
        Ok(query)
    }

    fn range(&self, now: Timestamp, zone: &TimeZone) -> anyhow::Result<Range> {
        let Some(from) = self.from else {
            return self
                .last
                .map_or(Ok(Range::Named(NamedRange::Last24Hours)), |last| last.range(now));
        };
        let from = from.instant(zone)?;
        let to = self.until.map_or(Ok(now), |until| until.instant(zone))?;
        if from >= to {
            bail!("`--from` must be before `--to-time`: {from} is not before {to}");
        }
        Ok(Range::Between { from, to })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        connection: crate::cli::Connection,
        #[command(flatten)]
        args: QueryArgs,
    }

    fn asked(arguments: &str) -> Result<String, String> {
        let arguments = std::iter::once("query").chain(arguments.split_whitespace());
        let cli = Cli::try_parse_from(arguments).map_err(|error| error.to_string())?;
        assert!(!cli.connection.json);
        let now = "2026-05-01T12:00:00Z".parse().unwrap();
        let query = cli.args.to_query(now, &TimeZone::UTC).map_err(|error| error.to_string())?;
        Ok(serde_json::to_string(&query).unwrap())
    }

    #[test]
    fn without_arguments_it_is_the_last_day_by_model() {
        insta::assert_snapshot!(asked("").unwrap());
    }

    #[test]
    fn every_argument_reaches_the_query() {
        let query = asked(
            "-m spend_usd,calls -m tokens --by team,tag:feature --where team!=sales \
             --where model~claude --from 2026-04-01 --to-time 2026-05-01T00:00:00Z --grain week \
             --compare previous-period --order calls:asc,time --limit 20",
        );
        insta::assert_snapshot!(query.unwrap());
    }

    #[test]
    fn every_question_is_a_valid_query_and_can_be_changed() {
        for question in ["teams", "models", "apps", "people", "tasks", "latency", "calls"] {
            asked(question).unwrap();
        }
        let by_team = asked("latency --by team --last 7d").unwrap();
        assert!(by_team.contains(r#""dimensions":["team"]"#), "{by_team}");
        let daily = asked("calls --grain day").unwrap();
        assert!(daily.contains(r#""grain":"day""#) && !daily.contains("dimensions"), "{daily}");
        let steps = asked("-m calls --grain day").unwrap();
        assert!(!steps.contains("dimensions"), "{steps}");
    }

    #[test]
    fn mistakes_are_named_before_anything_is_sent() {
        for (arguments, expected) in [
            ("-m spend", "did you mean spend_usd"),
            ("--by modle", "did you mean model"),
            ("--grain fortnight", "quarter_hour"),
            ("--compare last_year", "previous_year"),
            ("--order tokens:up", "`asc` or `desc`"),
            ("-m calls --order tokens", "cannot order by `tokens`"),
            ("--from 2026-05-02 --to-time 2026-05-01", "must be before"),
            ("--last 7d --from 2026-05-01", "cannot be used with"),
            ("--limit 0", "`limit` is 1 to"),
            ("nonsense", "teams"),
        ] {
            let error = asked(arguments).unwrap_err();
            assert!(error.contains(expected), "{arguments}: {error}");
        }
    }

    #[test]
    fn names_are_ordered_from_a_and_numbers_from_the_most() {
        assert!(order("spend_usd").unwrap().desc);
        assert!(!order("team").unwrap().desc);
        assert_eq!(
            order("tag:feature").unwrap(),
            OrderBy { by: "tag:feature".into(), desc: false }
        );
        assert_eq!(order("tag:feature:desc").unwrap().by, "tag:feature");
    }
}
