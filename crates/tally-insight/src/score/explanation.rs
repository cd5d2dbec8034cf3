//! Why somebody stands where they stand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{
    Name, PersonName, PicoUsdSum, TaskResult, TemplateName, Timestamp, WorkloadName,
    spec::{Board, Competitors, ContributionKind},
};

use crate::score::board::{BoardRow, Season};

/// Everything behind the scores of one person or team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The season.
    pub season: Season,
    /// The name of the formula that scores it.
    pub formula: String,
    /// Whether this is of a person or of a team.
    pub of: Competitors,
    /// Where they stand, board by board.
    pub places: Vec<Place>,
    /// Task types, those with most tasks first.
    pub efficiency: EfficiencyPart,
    /// Task types that were done before, too.
    pub improvement: ImprovementPart,
    /// What was shared.
    pub knowledge: KnowledgePart,
    /// Violations, unregistered spend, exceptions that ran out.
    pub compliance: CompliancePart,
    /// Tasks by what became of them; the newest of each.
    pub tasks: Vec<TaskGroup>,
    /// The two changes that would help most on the overall board, the better one first.
    pub advice: Vec<Advice>,
}

/// Where somebody stands on a board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The board.
    pub board: Board,
    /// Their row there.
    pub row: BoardRow,
    /// How many are ranked there.
    pub ranked: u32,
    /// What they need more to share the rank above; null at the top and without a rank.
    pub to_rank_above: Option<f64>,
}

/// The cost of successful tasks against the peers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EfficiencyPart {
    /// 0 to 100, not rounded; null without a compared type.
    pub score: Option<f64>,
    /// The sum of the qualities of the successes of compared types.
    pub successes: f64,
    /// What was spent on them in units of the peers' median: as many successes peers would have had for it.
    pub peers_successes: f64,
    /// By task type.
    pub types: Vec<TypePart>,
}

/// One task type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TypePart {
    /// The type; null for tasks without one.
    pub task_type: Option<String>,
    /// Credited tasks whose result counts.
    pub counting: u64,
    /// Of those, the ones that succeeded.
    pub successes: u64,
    /// The sum of their qualities.
    pub quality_sum: f64,
    /// What all credited tasks cost.
    pub cost_usd: PicoUsdSum,
    /// Cost for each whole quality, in US dollars; null without a success.
    pub cost_per_success: Option<f64>,
    /// The other peers' median of that; null where it is not compared.
    pub peers_median: Option<f64>,
    /// How many are compared, themselves included if they have enough tasks.
    pub peers: u32,
    /// Whom they are compared with; null where there are too few.
    pub compared_with: Option<Peers>,
    /// How much more efficiency there is with this type than without it, in points.
    pub points: f64,
}

/// With whom somebody is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Peers {
    /// People of the same department.
    Department,
    /// Everybody who does such tasks.
    Everybody,
    /// All teams that do such tasks.
    Teams,
}

/// The cost of successful tasks against the own best season before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImprovementPart {
    /// 0 to 100, not rounded; null without a type that can be compared.
    pub score: Option<f64>,
    /// By task type.
    pub types: Vec<ImprovedType>,
}

/// A task type that was done before, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImprovedType {
    /// The type; null for tasks without one.
    pub task_type: Option<String>,
    /// What a whole quality cost this season, in US dollars; null without a success.
    pub cost_per_success: Option<f64>,
    /// What it is held against, in US dollars.
    pub basis: f64,
    /// The season that was the best.
    pub season: String,
    /// Whether the basis is the peers' median of that season, as it was the only one and dearer.
    pub is_median: bool,
    /// Whether quality or successes fell, so that being cheaper counts for nothing.
    pub worse: bool,
}

/// What was shared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KnowledgePart {
    /// 0 to 100, not rounded.
    pub score: f64,
    /// All points.
    pub points: f64,
    /// Points for each template that others used.
    pub templates: Vec<TemplatePart>,
    /// Confirmed stories of the season.
    pub stories: Vec<SharedItem>,
    /// Confirmed contributions of the season.
    pub contributions: Vec<SharedContribution>,
}

/// A template that others used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplatePart {
    /// The template.
    pub template: TemplateName,
    /// How many others use it enough; those of a ring are not among them.
    pub users: u32,
    /// How many others use it enough, but in a ring.
    pub in_ring: u32,
    /// Counting tasks of others with it.
    pub tasks: u64,
    /// Its measured effect.
    pub effect: TemplateEffect,
    /// What it saved others, in US dollars; 0 where no saving was measured.
    pub saved: f64,
    /// What it is worth.
    pub points: f64,
}

/// What was measured of a template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateEffect {
    /// Tasks with it cost less, beyond chance.
    Saves,
    /// It cannot be told.
    #[default]
    Unclear,
    /// Tasks with it cost more, beyond chance.
    Costs,
}

/// Something shared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedItem {
    /// Its name.
    pub name: Name,
    /// What it is worth.
    pub points: f64,
}

/// A contribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedContribution {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: ContributionKind,
    /// What it is worth, before the most that all together are worth.
    pub points: f64,
    /// Why it is worth nothing.
    pub worthless: Option<WorthlessContribution>,
}

/// Why a contribution is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorthlessContribution {
    /// The same person was mentored before in the season.
    PairCounted,
    /// They mentor each other.
    MentoringRing,
}

/// Keeping to the rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompliancePart {
    /// What scores are multiplied with.
    pub multiplier: f64,
    /// Violations of the season.
    pub violations: u64,
    /// Spend that no entry of the catalog explains.
    pub unregistered_usd: PicoUsdSum,
    /// As a share of what peers would have spent on the same successes, at most 1.
    pub unregistered_share: f64,
    /// Own exceptions that ran out in the season.
    pub expired_exceptions: Vec<Name>,
    /// People with a credited task; 1 for a person.
    pub heads: u64,
}

/// Tasks that came to the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskGroup {
    /// What became of them.
    pub standing: TaskStanding,
    /// How many there are.
    pub count: u64,
    /// At most 50 of them, the newest first.
    pub tasks: Vec<TaskShown>,
}

/// Whether a task counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TaskStanding {
    /// Cost and success count.
    Counts,
    /// Its cost counts, as somebody else says that it failed.
    Failed,
    /// The cost counts, the result does not: the same prompt was asked before.
    Repeated,
    /// The cost counts, the success does not: its day has more than peers have on their best.
    TooManyADay,
    /// Neither counts: nobody said what came of it.
    NoOutcome,
    /// Neither counts: a call of it has no known price.
    NoPrice,
    /// Neither counts: its outcome was reported by whose task it is.
    SelfReported,
    /// Neither counts: nobody knows who reported its outcome.
    ReporterUnknown,
    /// Neither counts: people vouch for each other, directly or through a third.
    MutuallyVouched,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskShown {
    /// The workload.
    pub workload: Option<WorkloadName>,
    /// The task.
    pub task_id: String,
    /// Its type.
    pub task_type: Option<String>,
    /// Whose it is.
    pub person: Option<PersonName>,
    /// When its first call began.
    pub at: Timestamp,
    /// What it cost.
    pub cost_usd: Option<PicoUsdSum>,
    /// What came of it.
    pub result: Option<TaskResult>,
}

/// A change that would help, computed by scoring anew as if it had been made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Advice {
    /// What to do.
    pub change: AdvisedChange,
    /// The overall score it would give.
    pub score: f64,
    /// How much more that is.
    pub gain: f64,
    /// The rank it would give, all others being as they are.
    pub rank: Option<u32>,
}

/// What would help.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum AdvisedChange {
    /// Tasks of a type at the cost of the cheapest quarter of the peers.
    CheaperTasks {
        /// The type; null for tasks without one.
        task_type: Option<String>,
        /// What a whole quality costs now, in US dollars; null without a success.
        now: Option<f64>,
        /// What it costs a quarter of the peers at most, in US dollars.
        then: f64,
    },
    /// Outcomes reported by a system or by somebody else.
    Vouching {
        /// How many succeeded tasks do not count without it.
        tasks: u64,
    },
    /// Three more people who use one's templates.
    MoreReuse {
        /// The template with most users; null where there is none yet.
        template: Option<TemplateName>,
    },
    /// A story that is confirmed.
    Story,
    /// No violations, no expired exceptions, no unregistered spend.
    Compliance {
        /// Violations of the season.
        violations: u64,
        /// Exceptions that ran out.
        expired_exceptions: u64,
        /// Spend that no entry of the catalog explains.
        unregistered_usd: PicoUsdSum,
    },
    /// Enough tasks with an outcome to be ranked.
    MoreOutcomes {
        /// How many more.
        tasks: u64,
    },
}
