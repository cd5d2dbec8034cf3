//! A month of statements: its review, what was said, and its seal.

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CostCenterName, Exact, FieldError, Name, PicoUsdSum, resource::KindSpec, vocabulary::vocabulary,
};

vocabulary! {
    /// How far a month's statements have come; before that they are a draft.
    PeriodState {
        /// Owners look at them.
        Review = "review",
        /// Sealed.
        Closed = "closed",
    }

    /// What somebody says about a statement.
    CommentKind {
        /// A remark.
        Comment = "comment",
        /// Something is not right.
        Dispute = "dispute",
    }

    /// How far a dispute has come.
    CommentState {
        /// Nobody has answered yet.
        Open = "open",
        /// FinOps has answered.
        Answered = "answered",
        /// It is over.
        Settled = "settled",
    }
}

/// A month of statements, named such as `2026-10`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodSpec {
    /// How far they have come.
    pub state: PeriodState,
    /// Who opened them for review, or closed them without.
    pub opened_by: String,
    /// When.
    pub opened_at: Timestamp,
    /// What was said, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<PeriodComment>,
    /// What closed statements can be held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<PeriodSeal>,
}

/// What somebody said about a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodComment {
    /// 1, 2, 3…
    pub number: u32,
    /// About whose statement.
    pub cost_center: CostCenterName,
    /// A remark or a dispute.
    pub kind: CommentKind,
    /// How far a dispute has come; a remark is settled.
    pub state: CommentState,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
    /// What was answered, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<CommentReply>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentReply {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// What closed statements can be held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodSeal {
    /// Who closed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// How many postings it made.
    pub postings: u64,
    /// The statements, by cost center; the one without is what nobody answers for.
    pub statements: Vec<StatementSeal>,
    /// What of posted adjustments stands in them; a later month has what changed since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<SealedAdjustment>,
}

/// An adjustment as it stands in a closed month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedAdjustment {
    /// Its name.
    pub adjustment: Name,
    /// What it came to.
    pub amount_usd: PicoUsdSum,
}

/// The seal of one statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementSeal {
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<CostCenterName>,
    /// SHA-256 of its rows as JSON, one a line, in hexadecimal digits.
    pub sha256: String,
    /// How many rows.
    pub rows: u64,
    /// Who answered for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How the cost center was charged on the month's last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chargeback: Option<String>,
    /// The rate card; none is the list price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_card: Option<String>,
    /// The currency of what it asks for.
    pub currency: String,
    /// So much of it for one US dollar; none for US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_usd: Option<Exact>,
    /// The day since when that rate held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub per_usd_since: Option<Date>,
    /// What it asks for, in that currency.
    pub billed: Exact,
    /// At list price.
    pub list_usd: PicoUsdSum,
    /// At the internal rate: charged, subsidised and unallocated together.
    pub amount_usd: PicoUsdSum,
    /// What the cost center pays.
    pub charged_usd: PicoUsdSum,
    /// What the central budget pays for it.
    pub subsidised_usd: PicoUsdSum,
    /// What nobody pays yet.
    pub unallocated_usd: PicoUsdSum,
}

// === impl PeriodSpec ===

impl PeriodSpec {
    /// Disputes that are not settled.
    pub fn open_disputes(&self) -> usize {
        let is_open = |it: &&PeriodComment| it.state != CommentState::Settled;
        self.comments.iter().filter(is_open).count()
    }
}

/// It refers to nothing: it outlives what it speaks of.
impl KindSpec for PeriodSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if (self.state == PeriodState::Closed) != self.seal.is_some() {
            errors.push(FieldError::new("seal", "expected with `state: closed`, and only there"));
        }
    }
}
