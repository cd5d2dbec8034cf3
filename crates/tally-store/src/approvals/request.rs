//! What each kind of request says for itself.

use std::collections::BTreeMap;

use tally_types::{
    Name, PersonName, Role, Timestamp,
    spec::{Approvable, StageRole},
};

use super::{ApprovalError, Step};
use crate::{AuditAction, Snapshot};

/// Hours without a decision until others may decide, too.
const ESCALATE_HOURS: u32 = 24;

/// Something that is asked for and has to be approved.
pub trait Request: Approvable {
    /// What a person sends to ask for it.
    type New: Send;

    /// The word for programs that are told of it.
    const WORD: &'static str;
    /// Where the interface shows it.
    const PAGE: &'static str;
    /// Who may decide once nobody else did, and who may end any.
    const LAST_RESORT: &'static [Role];
    /// The role that decides where only whoever asks could.
    const LAST_ROLE: StageRole;
    /// One of the last resort, in words: `FinOps or an admin`.
    const LAST_RESORT_WORDS: &'static str;
    /// All of them, in words: `FinOps and admins`.
    const LAST_RESORT_MANY: &'static str;

    /// All of the kind.
    fn all(snapshot: &Snapshot) -> &BTreeMap<Name, Self>;

    /// What a request would become.
    ///
    /// # Errors
    /// `Invalid`, naming the field and what was expected.
    fn request(
        snapshot: &Snapshot,
        by: &PersonName,
        new: Self::New,
        now: Timestamp,
    ) -> Result<Self, ApprovalError>;

    /// What it is called, before it is numbered.
    fn base_name(&self, snapshot: &Snapshot) -> String;

    /// What it is about: `250 USD more on support-month`.
    fn wanted(&self) -> String;

    /// The first line of its minutes, which begins with who.
    fn asked_for(&self, snapshot: &Snapshot) -> String;

    /// The action that a step is written with; the kind tells of what.
    fn action(step: Step) -> AuditAction {
        match step {
            Step::Requested | Step::Emergency => AuditAction::Request,
            Step::Approved | Step::Granted | Step::Reviewed => AuditAction::Approve,
            Step::Denied => AuditAction::Deny,
            Step::Revoked => AuditAction::Revoke,
            Step::Withdrawn => AuditAction::Withdraw,
            Step::Escalated => AuditAction::Escalate,
            Step::Expired => AuditAction::Expire,
            Step::ArchitectureReviewed => AuditAction::ArchitectureReview,
        }
    }

    /// Who is told where nobody asked.
    fn owner(&self, _snapshot: &Snapshot) -> Option<PersonName> {
        None
    }

    /// Who may end it, besides those who decide and who asked.
    fn may_end(&self, _snapshot: &Snapshot, _by: &PersonName) -> bool {
        false
    }

    /// Whether there is nothing left to decide on.
    fn is_void(&self, _snapshot: &Snapshot) -> bool {
        false
    }

    /// After how many hours without a decision others may decide, too.
    fn escalate_hours(&self, _snapshot: &Snapshot) -> u32 {
        ESCALATE_HOURS
    }

    /// What has to be there before anybody may approve it.
    ///
    /// # Errors
    /// `ReviewNeeded`, with what is missing.
    fn check_approval(&self, _snapshot: &Snapshot, _name: &Name) -> Result<(), ApprovalError> {
        Ok(())
    }
}
