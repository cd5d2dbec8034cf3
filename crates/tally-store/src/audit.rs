//! The audit trail: one entry per changed resource, one per act on an account.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tally_types::{Kind, Name, Timestamp};

/// What was done to a resource, or to the account of a person: then `before` and `after`
/// hold what it was about (`{"session": …}`, `{"invitation": …, "expires": …}`), never a
/// password, a token or a hash of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// It was created.
    Create,
    /// Its spec was changed.
    Update,
    /// It was deleted.
    Delete,
    /// It was deleted because its file set no longer holds it.
    Prune,
    /// Another file set owns it now; the spec is the same. `before` and `after` hold
    /// `{"applied_by": …}` instead of specs.
    TakeOver,
    /// A link to join, or to choose another password, was made for this person.
    Invite,
    /// Such a link was withdrawn.
    WithdrawInvitation,
    /// The first admin came in by the link that the server printed.
    SetUp,
    /// The person has an account now.
    Join,
    /// The person chose another password by a link; their sessions ended.
    ResetPassword,
    /// The person changed their password; their other sessions ended.
    ChangePassword,
    /// The person signed in. Failed attempts are in the log only, as anyone could fill
    /// the trail with them.
    SignIn,
    /// One session ended.
    SignOut,
    /// Every session of the person ended.
    SignOutEverywhere,
    /// The person may not sign in any more; their sessions ended.
    Disable,
    /// The person may sign in again.
    Enable,
    /// A grant was asked for: by a person, by a stage that was reached, or taken in an
    /// emergency.
    RequestGrant,
    /// One approver said yes; the last one put the grant in force.
    ApproveGrant,
    /// An approver looked at an emergency and found it right.
    ReviewGrant,
    /// An approver said no.
    DenyGrant,
    /// A grant was ended before its time.
    RevokeGrant,
    /// Whoever asked for a grant took the request back.
    WithdrawGrant,
    /// Nobody decided in time: FinOps and admins may, too.
    EscalateGrant,
    /// The time of a grant was over.
    ExpireGrant,
    /// A key signs the log's checkpoints from here on; the one before signed it.
    IntroduceAuditKey,
    /// Calls that were refused or served less, many in one entry: how many by which rule
    /// or budget, and a digest of their ids.
    Decisions,
    /// Something was exported: usage, calls, or this log.
    Export,
    /// A person's personal data was erased, here too.
    ErasePerson,
    /// An exception or access was asked for; the kind tells which.
    Request,
    /// An exception, access, a workload, an adjustment, a version of a template or a contribution was approved, by one of those who have to.
    Approve,
    /// It was denied.
    Deny,
    /// It was ended before its time.
    Revoke,
    /// Who asked for it took it back.
    Withdraw,
    /// Nobody decided in time: others may, too.
    Escalate,
    /// Its time is over.
    Expire,
    /// Why an exception is asked for again was looked at.
    ArchitectureReview,
    /// A workload is over.
    Retire,
    /// A month's statements were opened for review.
    OpenReview,
    /// Something was said about a statement, or disputed.
    Comment,
    /// It was answered.
    Answer,
    /// A dispute is over.
    Settle,
    /// A month's statements were closed, and `after` has their hashes; a sprint with its
    /// results, or a quarterly review, was.
    Close,
    /// A key opens nothing until it is reinstated: by hand, or as a severe rule was met.
    SuspendKey,
    /// A suspended key opens again.
    ReinstateKey,
    /// Someone looked at a violation.
    AcknowledgeViolation,
    /// Calls were made to forget who made them, and kept prompts deleted, as their time was over.
    PurgePersonalData,
    /// A kept prompt was read: who, which one, and why, never what stood in it.
    ReadPrompt,
    /// A provider's bill was held against what was metered, and kept.
    ImportBill,
    /// An approved adjustment was posted: statements have it from here on.
    Post,
    /// A cost center went from one stage to another; `after` has what was measured.
    MoveStage,
    /// A cost center went on although what is asked for was not measured.
    OverrideStage,
    /// A reduction target was set.
    SetTarget,
    /// A target no longer counts.
    WithdrawTarget,
    /// A decision of a quarterly review was recorded.
    Decide,
    /// A person chose how they appear on scoreboards.
    Choose,
    /// A version of a template is to be looked at by somebody else.
    SubmitVersion,
    /// Somebody said how a version of a template did.
    EvaluateTemplate,
    /// A story was held against what is known now.
    MeasureStory,
}

/// One entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// 1, 2, 3… without gaps, in the order of commits.
    pub sequence: i64,
    /// When.
    pub time: Timestamp,
    /// Who, as the caller names them.
    pub actor: String,
    /// What.
    pub action: AuditAction,
    /// The kind of the resource.
    pub kind: Kind,
    /// The name of the resource.
    pub name: Name,
    /// The version after the change; of a deleted resource, the version that was deleted.
    pub version: i64,
    /// The spec before; none at creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The spec after; none at deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Which entries to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only later ones; oldest first.
    pub after_sequence: i64,
    /// Only earlier ones than this; then newest first. `i64::MAX` starts at the newest.
    pub before_sequence: Option<i64>,
    /// At most so many, 1 to 1,000; 0 stands for 100.
    pub limit: u32,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only of this name.
    pub name: Option<Name>,
    /// Only of what was done in this way.
    pub action: Option<AuditAction>,
}

// === impl AuditAction ===

impl AuditAction {
    /// Every action.
    pub const ALL: &[Self] = &[
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Prune,
        Self::TakeOver,
        Self::Invite,
        Self::WithdrawInvitation,
        Self::SetUp,
        Self::Join,
        Self::ResetPassword,
        Self::ChangePassword,
        Self::SignIn,
        Self::SignOut,
        Self::SignOutEverywhere,
        Self::Disable,
        Self::Enable,
        Self::RequestGrant,
        Self::ApproveGrant,
        Self::ReviewGrant,
        Self::DenyGrant,
        Self::RevokeGrant,
        Self::WithdrawGrant,
        Self::EscalateGrant,
        Self::ExpireGrant,
        Self::IntroduceAuditKey,
        Self::Decisions,
        Self::Export,
        Self::ErasePerson,
        Self::Request,
        Self::Approve,
        Self::Deny,
        Self::Revoke,
        Self::Withdraw,
        Self::Escalate,
        Self::Expire,
        Self::ArchitectureReview,
        Self::Retire,
        Self::OpenReview,
        Self::Comment,
        Self::Answer,
        Self::Settle,
        Self::Close,
        Self::SuspendKey,
        Self::ReinstateKey,
        Self::AcknowledgeViolation,
        Self::PurgePersonalData,
        Self::ReadPrompt,
        Self::ImportBill,
        Self::Post,
        Self::MoveStage,
        Self::OverrideStage,
        Self::SetTarget,
        Self::WithdrawTarget,
        Self::Decide,
        Self::Choose,
        Self::SubmitVersion,
        Self::EvaluateTemplate,
        Self::MeasureStory,
    ];

    /// The word used everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Prune => "prune",
            Self::TakeOver => "take_over",
            Self::Invite => "invite",
            Self::WithdrawInvitation => "withdraw_invitation",
            Self::SetUp => "set_up",
            Self::Join => "join",
            Self::ResetPassword => "reset_password",
            Self::ChangePassword => "change_password",
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::SignOutEverywhere => "sign_out_everywhere",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::RequestGrant => "request_grant",
            Self::ApproveGrant => "approve_grant",
            Self::ReviewGrant => "review_grant",
            Self::DenyGrant => "deny_grant",
            Self::RevokeGrant => "revoke_grant",
            Self::WithdrawGrant => "withdraw_grant",
            Self::EscalateGrant => "escalate_grant",
            Self::ExpireGrant => "expire_grant",
            Self::IntroduceAuditKey => tally_audit::KEY_ACTION,
            Self::Decisions => "decisions",
            Self::Export => "export",
            Self::ErasePerson => "erase_person",
            Self::Request => "request",
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Revoke => "revoke",
            Self::Withdraw => "withdraw",
            Self::Escalate => "escalate",
            Self::Expire => "expire",
            Self::ArchitectureReview => "architecture_review",
            Self::Retire => "retire",
            Self::OpenReview => "open_review",
            Self::Comment => "comment",
            Self::Answer => "answer",
            Self::Settle => "settle",
            Self::Close => "close",
            Self::SuspendKey => "suspend_key",
            Self::ReinstateKey => "reinstate_key",
            Self::AcknowledgeViolation => "acknowledge_violation",
            Self::PurgePersonalData => "purge_personal_data",
            Self::ReadPrompt => "read_prompt",
            Self::ImportBill => "import_bill",
            Self::Post => "post",
            Self::MoveStage => "move_stage",
            Self::OverrideStage => "override_stage",
            Self::SetTarget => "set_target",
            Self::WithdrawTarget => "withdraw_target",
            Self::Decide => "decide",
            Self::Choose => "choose",
            Self::SubmitVersion => "submit_version",
            Self::EvaluateTemplate => "evaluate_template",
            Self::MeasureStory => "measure_story",
        }
    }
}

impl fmt::Display for AuditAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuditAction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no action of the audit trail"))
    }
}
