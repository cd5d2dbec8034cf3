//! The numbers every measure of tasks is made of: one definition for cells and for calls.

use crate::facts::HALF;

macro_rules! numbers {
    ($($variant:ident = $column:literal, $once:literal, $wide:literal, $of_tasks:literal, $of_task:literal;)*) => {
        /// One number of a cell.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum TaskNumber {
            $($variant,)*
        }

        impl TaskNumber {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its column in the rollup, and its name in subqueries.
            const fn column(self) -> &'static str {
                match self { $(Self::$variant => $column,)* }
            }

            /// Whether it is the same in all rows of a cell and counts once per group;
            /// the others belong to the calls of a row and are added up.
            pub(crate) const fn once(self) -> bool {
                match self { $(Self::$variant => $once,)* }
            }

            /// Whether it can exceed 64 bits and so takes two columns, as facts do.
            const fn wide(self) -> bool {
                match self { $(Self::$variant => $wide,)* }
            }

            /// SQL: the sum over tasks' parts joined with their results.
            const fn of_tasks(self) -> &'static str {
                match self { $(Self::$variant => $of_tasks,)* }
            }

            /// SQL: the number of one task's part joined with its result.
            const fn of_task(self) -> &'static str {
                match self { $(Self::$variant => $of_task,)* }
            }
        }
    };
}

numbers! {
    Tasks = "tasks", true, false, "count(*)", "1";
    Succeeded = "succeeded", true, false, "count(*) FILTER (WHERE result = 'succeeded')", "coalesce(result = 'succeeded', false)::BIGINT";
    Failed = "failed", true, false, "count(*) FILTER (WHERE result = 'failed')", "coalesce(result = 'failed', false)::BIGINT";
    Escalated = "escalated", true, false, "count(*) FILTER (WHERE escalated)", "coalesce(escalated, false)::BIGINT";
    Value = "value", true, true, "coalesce(sum(value_usd), 0)", "coalesce(value_usd, 0)";
    QualityBp = "quality_bp", true, false, "coalesce(sum(quality_bp), 0)", "coalesce(quality_bp, 0)";
    WithQuality = "with_quality", true, false, "count(quality_bp)", "(quality_bp IS NOT NULL)::BIGINT";
    Tokens = "tokens", false, true, "sum(tokens)", "tokens";
    KnownTokens = "known_tokens", false, true, "coalesce(sum(tokens) FILTER (WHERE result IS NOT NULL), 0)", "CASE WHEN result IS NOT NULL THEN tokens ELSE 0 END";
    KnownCost = "known_cost", false, true, "coalesce(sum(cost) FILTER (WHERE result IS NOT NULL), 0)", "CASE WHEN result IS NOT NULL THEN cost ELSE 0 END";
    KnownUnpriced = "known_unpriced", false, false, "coalesce(sum(unpriced) FILTER (WHERE result IS NOT NULL), 0)", "CASE WHEN result IS NOT NULL THEN unpriced ELSE 0 END";
}

/// How many numbers there are.
pub(crate) const COUNT: usize = TaskNumber::ALL.len();

// === impl TaskNumber ===

impl TaskNumber {
    /// Its columns in the rollup.
    fn columns(self) -> Vec<String> {
        let name = self.column();
        match self.wide() {
            true => vec![format!("{name}_high"), format!("{name}_low")],
            false => vec![name.to_owned()],
        }
    }

    /// SQL: its columns in the rollup from parts joined with results.
    fn values_sql(self) -> Vec<String> {
        let sum = self.of_tasks();
        match self.wide() {
            true => {
                ["//", "%"].map(|half| format!("(({sum})::HUGEINT {half} {HALF})::BIGINT")).to_vec()
            }
            false => vec![format!("({sum})::BIGINT")],
        }
    }
}

/// SQL that creates the columns of all numbers.
pub(super) fn create_sql() -> impl Iterator<Item = String> {
    let columns = TaskNumber::ALL.iter().flat_map(|number| number.columns());
    columns.map(|column| format!("{column} BIGINT NOT NULL"))
}

/// SQL: all numbers' columns from parts joined with results, grouped by cell and combination.
pub(super) fn values_sql() -> String {
    let values: Vec<_> = TaskNumber::ALL.iter().flat_map(|number| number.values_sql()).collect();
    values.join(", ")
}

/// SQL that sums some of the numbers, over cells of the rollup and calls alike.
#[derive(Debug)]
pub(crate) struct TaskSql<'a>(pub(crate) &'a [TaskNumber]);

// === impl TaskSql ===

impl TaskSql<'_> {
    /// Of a task's [`super::PART_SUMS`] joined with its [`super::RESULTS`].
    pub(crate) fn of_events(&self) -> String {
        self.each(|number| {
            let kind = if number.wide() { "HUGEINT" } else { "BIGINT" };
            Some(format!("({})::{kind} AS {}", number.of_task(), number.column()))
        })
    }

    /// Whether any number of calls is among them.
    pub(crate) fn adds(&self) -> bool {
        self.0.iter().any(|number| !number.once())
    }

    /// The numbers of calls over rows of the rollup; zero for the others.
    pub(crate) fn added_of_rollup(&self) -> String {
        self.each(|number| {
            let name = number.column();
            Some(match (number.once(), number.wide()) {
                (true, _) => format!("0::HUGEINT AS {name}"),
                (false, true) => format!(
                    "(coalesce(sum({name}_high), 0)::HUGEINT * {HALF} \
                     + coalesce(sum({name}_low), 0)::HUGEINT) AS {name}"
                ),
                (false, false) => format!("coalesce(sum({name}), 0)::HUGEINT AS {name}"),
            })
        })
    }

    /// All numbers of a row of the rollup.
    pub(crate) fn of_rollup(&self) -> String {
        self.each(|number| {
            let name = number.column();
            Some(match number.wide() {
                true => format!("({name}_high::HUGEINT * {HALF} + {name}_low) AS {name}"),
                false => name.to_owned(),
            })
        })
    }

    /// The numbers of tasks in a row of the rollup.
    pub(crate) fn once_of_rollup(&self) -> String {
        self.each(|number| {
            let name = number.column();
            number.once().then(|| match number.wide() {
                true => format!("({name}_high::HUGEINT * {HALF} + {name}_low) AS {name}"),
                false => name.to_owned(),
            })
        })
    }

    /// The names of the numbers of tasks.
    pub(crate) fn once_names(&self) -> String {
        self.each(|number| number.once().then(|| number.column().to_owned()))
    }

    /// The numbers of calls by their names; zero for the others.
    pub(crate) fn added(&self) -> String {
        self.each(|number| {
            let name = number.column();
            Some(match number.once() {
                true => format!("0::HUGEINT AS {name}"),
                false => format!("{name}::HUGEINT AS {name}"),
            })
        })
    }

    /// The numbers of tasks by their names; zero for the others.
    pub(crate) fn once(&self) -> String {
        self.each(|number| {
            let name = number.column();
            Some(match number.once() {
                true => format!("{name}::HUGEINT AS {name}"),
                false => format!("0::HUGEINT AS {name}"),
            })
        })
    }

    /// All numbers summed up: one integer each.
    pub(crate) fn sums(&self) -> String {
        self.each(|number| Some(format!("coalesce(sum({}), 0)::HUGEINT", number.column())))
    }

    fn each(&self, sql: impl Fn(TaskNumber) -> Option<String>) -> String {
        self.0.iter().filter_map(|number| sql(*number)).collect::<Vec<_>>().join(", ")
    }
}
