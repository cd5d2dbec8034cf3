//! Small closed vocabularies, spelled the same in code, API, UI and docs.

macro_rules! vocabulary {
    ($($(#[$doc:meta])* $type:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $type {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)*
        }

        impl $type {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word used everywhere.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(format!("`{text}` is unknown; expected one of {}", [$($text),*].join(", "))),
                }
            }
        }
    )*};
}
pub(crate) use vocabulary;

vocabulary! {
    /// How a provider speaks on the wire.
    Dialect {
        /// OpenAI's API and everything compatible with it.
        OpenAi = "openai",
        /// Anthropic's API.
        Anthropic = "anthropic",
        /// Google's Gemini API.
        Gemini = "gemini",
    }

    /// Where a call counts.
    Environment {
        /// Serves customers or the company's operation; charged.
        Production = "production",
        /// Trying things out; centrally funded.
        Experimentation = "experimentation",
    }

    /// How capable, and dear, a model is.
    Tier {
        /// The dearest and most capable.
        Frontier = "frontier",
        /// The everyday choice.
        Standard = "standard",
        /// The cheapest.
        Economy = "economy",
    }

    /// How sensitive the data in a prompt is; ordered from least to most.
    DataClass {
        /// May be published.
        Public = "public",
        /// For anyone in the company.
        Internal = "internal",
        /// For those who need it.
        Confidential = "confidential",
        /// Only by approved routes.
        Restricted = "restricted",
    }

    /// What a workload is for.
    WorkloadClass {
        /// Finding out.
        Exploration = "exploration",
        /// Day-to-day operation.
        Operational = "operational",
        /// The company stops without it.
        Critical = "critical",
    }

    /// What a person or key may do.
    Role {
        /// Reads dashboards.
        Viewer = "viewer",
        /// Makes calls, sees own usage.
        Developer = "developer",
        /// Sees and approves for the team.
        Manager = "manager",
        /// Budgets, statements, prices.
        Finops = "finops",
        /// Policies, violations, exceptions.
        Security = "security",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
        /// Changes everything.
        Admin = "admin",
    }

    /// What a key may be used for.
    KeyScope {
        /// AI calls through the gateway.
        Gateway = "gateway",
        /// Posting outcomes and usage events.
        Ingest = "ingest",
        /// Reading by the API.
        Read = "read",
        /// Changing things by the API.
        Write = "write",
    }

    /// How bad a violation is.
    Severity {
        /// Worth a look.
        Low = "low",
        /// Worth a fix.
        Medium = "medium",
        /// Needs a fix soon.
        High = "high",
        /// Needs a person now.
        Severe = "severe",
    }

    /// The provider's processing tier, each with its own prices.
    ServiceTier {
        /// The default.
        Standard = "standard",
        /// Asynchronous batches.
        Batch = "batch",
        /// Slower and cheaper.
        Flex = "flex",
        /// Faster and dearer.
        Priority = "priority",
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the macro derives no default: most vocabularies have none"
)]
impl Default for ServiceTier {
    fn default() -> Self {
        Self::Standard
    }
}
