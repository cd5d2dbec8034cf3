//! The sums every additive measure is made of: one definition for events and rollups.

/// How many sums there are.
pub(crate) const COUNT: usize = Fact::ALL.len();

macro_rules! facts {
    ($($variant:ident = $column:literal, $type:literal, $sql:literal;)*) => {
        /// One sum over the events of a group.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fact {
            $($variant,)*
        }

        impl Fact {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its column in the rollups.
            pub(crate) const fn column(self) -> &'static str {
                match self { $(Self::$variant => $column,)* }
            }

            /// The type of its column.
            pub(crate) const fn sql_type(self) -> &'static str {
                match self { $(Self::$variant => $type,)* }
            }

            /// SQL: the sum over events.
            pub(crate) const fn event_sql(self) -> &'static str {
                match self { $(Self::$variant => $sql,)* }
            }
        }
    };
}

facts! {
    Events = "events", "BIGINT", "count(*)";
    Calls = "calls", "BIGINT", "count(*) FILTER (WHERE status <> 'refused')";
    Refused = "refused", "BIGINT", "count(*) FILTER (WHERE status = 'refused')";
    Failed = "failed", "BIGINT", "count(*) FILTER (WHERE status IN ('error', 'cut', 'timeout', 'interrupted'))";
    Unpriced = "unpriced", "BIGINT", "count(*) FILTER (WHERE cost_list_usd IS NULL AND status <> 'refused')";
    InternalUnpriced = "internal_unpriced", "BIGINT", "count(*) FILTER (WHERE cost_internal_usd IS NULL AND status <> 'refused')";
    Estimated = "estimated", "BIGINT", "count(*) FILTER (WHERE counts = 'estimated' AND status <> 'refused')";
    Retried = "retried", "BIGINT", "count(*) FILTER (WHERE retries > 0 AND status <> 'refused')";
    FallbackError = "fallback_error", "BIGINT", "count(*) FILTER (WHERE fallback = 'error' AND status <> 'refused')";
    FallbackBudget = "fallback_budget", "BIGINT", "count(*) FILTER (WHERE fallback = 'budget' AND status <> 'refused')";
    FallbackPolicy = "fallback_policy", "BIGINT", "count(*) FILTER (WHERE fallback = 'policy' AND status <> 'refused')";
    Spend = "spend", "HUGEINT", "coalesce(sum(cost_list_usd), 0)";
    SpendInternal = "spend_internal", "HUGEINT", "coalesce(sum(cost_internal_usd), 0)";
    InputUncached = "tokens_input_uncached", "HUGEINT", "sum(input_uncached)";
    CacheRead = "tokens_cache_read", "HUGEINT", "sum(cache_read)";
    CacheWrite5m = "tokens_cache_write_5m", "HUGEINT", "sum(cache_write_5m)";
    CacheWrite1h = "tokens_cache_write_1h", "HUGEINT", "sum(cache_write_1h)";
    Output = "tokens_output", "HUGEINT", "sum(output)";
    Reasoning = "tokens_reasoning", "HUGEINT", "sum(reasoning)";
}
