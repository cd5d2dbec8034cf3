//! The sums every additive measure is made of: one definition for events and rollups.

/// What the high and the low column of a wide sum count in: 2³². DuckDB unpacks
/// compressed `HUGEINT`s forty times slower than `BIGINT`s, so rollups hold two of these.
pub(crate) const HALF: i64 = 1 << 32;

/// How many sums there are.
pub(crate) const COUNT: usize = Fact::ALL.len();

/// How large a sum can become within one group of a rollup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A number of events.
    Count,
    /// A sum of 64-bit numbers.
    Wide,
}

macro_rules! facts {
    ($($variant:ident = $column:literal, $kind:ident, $source:literal;)*) => {
        /// One sum over the events of a group.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fact {
            $($variant,)*
        }

        impl Fact {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its column in the rollups.
            const fn column(self) -> &'static str {
                match self { $(Self::$variant => $column,)* }
            }

            /// Whether it needs more than 64 bits.
            const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// SQL: what is counted, or the column that is summed, over events.
            const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }
        }
    };
}

facts! {
    Events = "events", Count, "count(*)";
    Calls = "calls", Count, "count(*) FILTER (WHERE status <> 'refused')";
    Refused = "refused", Count, "count(*) FILTER (WHERE status = 'refused')";
    Failed = "failed", Count, "count(*) FILTER (WHERE status IN ('error', 'cut', 'timeout', 'interrupted'))";
    Unpriced = "unpriced", Count, "count(*) FILTER (WHERE cost_list_usd IS NULL AND status <> 'refused')";
    InternalUnpriced = "internal_unpriced", Count, "count(*) FILTER (WHERE cost_internal_usd IS NULL AND status <> 'refused')";
    Estimated = "estimated", Count, "count(*) FILTER (WHERE counts = 'estimated' AND status <> 'refused')";
    Retried = "retried", Count, "count(*) FILTER (WHERE retries > 0 AND status <> 'refused')";
    FallbackError = "fallback_error", Count, "count(*) FILTER (WHERE fallback = 'error' AND status <> 'refused')";
    FallbackBudget = "fallback_budget", Count, "count(*) FILTER (WHERE fallback = 'budget' AND status <> 'refused')";
    FallbackPolicy = "fallback_policy", Count, "count(*) FILTER (WHERE fallback = 'policy' AND status <> 'refused')";
    PolicyViolations = "policy_violations", Count, "count(*) FILTER (WHERE violation)";
    Spend = "spend", Wide, "cost_list_usd";
    SpendInternal = "spend_internal", Wide, "cost_internal_usd";
    InputUncached = "tokens_input_uncached", Wide, "input_uncached";
    CacheRead = "tokens_cache_read", Wide, "cache_read";
    CacheWrite5m = "tokens_cache_write_5m", Wide, "cache_write_5m";
    CacheWrite1h = "tokens_cache_write_1h", Wide, "cache_write_1h";
    Output = "tokens_output", Wide, "output";
    Reasoning = "tokens_reasoning", Wide, "reasoning";
}

// === impl Fact ===

impl Fact {
    /// Its columns in the rollups, all `BIGINT`.
    pub(crate) fn columns(self) -> Vec<String> {
        match self.kind() {
            Kind::Count => vec![self.column().to_owned()],
            Kind::Wide => vec![self.high(), self.low()],
        }
    }

    fn high(self) -> String {
        format!("{}_high", self.column())
    }

    fn low(self) -> String {
        format!("{}_low", self.column())
    }

    /// SQL: the values of its columns, over events.
    pub(crate) fn columns_sql(self) -> Vec<String> {
        let source = self.source();
        match self.kind() {
            Kind::Count => vec![source.to_owned()],
            // Both truncate towards zero, so that halves of negative amounts add up, too.
            Kind::Wide => ["//", "%"]
                .map(|half| format!("coalesce(sum({source} {half} {HALF}), 0)::BIGINT"))
                .to_vec(),
        }
    }

    /// SQL: the sum over events.
    pub(crate) fn over_events_sql(self) -> String {
        match self.kind() {
            Kind::Count => self.source().to_owned(),
            Kind::Wide => format!("coalesce(sum({}), 0)::HUGEINT", self.source()),
        }
    }

    /// SQL: the sum over rows of a rollup.
    pub(crate) fn over_rollup_sql(self) -> String {
        match self.kind() {
            Kind::Count => format!("coalesce(sum({}), 0)::HUGEINT", self.column()),
            Kind::Wide => format!(
                "(coalesce(sum({}), 0)::HUGEINT * {HALF} + coalesce(sum({}), 0)::HUGEINT)",
                self.high(),
                self.low()
            ),
        }
    }
}
