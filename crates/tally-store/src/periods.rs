//! Months of statements: opened for review, commented on, closed. Each step is a new version
//! of the month's record with an audit entry of its own; a closed one has no more steps.

use tally_types::{
    CostCenterName, Kind, Name, PersonName, Resource, Timestamp,
    spec::{
        CommentKind, CommentReply, CommentState, PeriodComment, PeriodSeal, PeriodSpec, PeriodState,
    },
};

use crate::{
    AuditAction, Store, StoreError,
    approvals::percent_encoded,
    notices::{self, Notice},
    records::{refused, text},
};

/// So much can be said about a month.
const COMMENTS_MAX: usize = 1_000;

/// Something said about a statement.
#[derive(Debug, Clone)]
pub struct NewComment {
    /// About whose.
    pub cost_center: CostCenterName,
    /// A remark or a dispute.
    pub kind: CommentKind,
    /// What.
    pub text: String,
}

/// What the owner of a statement is told.
#[derive(Debug, Clone)]
pub struct StatementNotice {
    /// The statement, as it is asked for.
    pub name: String,
    /// How far it has come: `review` or `closed`.
    pub state: &'static str,
    /// Whom to tell.
    pub owner: PersonName,
    /// A path of the interface, where it is not the statement's own.
    pub link: Option<String>,
    /// One line.
    pub title: String,
    /// A few sentences.
    pub body: String,
    /// For programs.
    pub data: serde_json::Value,
}

/// What is said to a comment.
#[derive(Debug, Clone)]
pub enum SaidAbout {
    /// An answer.
    Answer(String),
    /// It is over; a last word may stand there.
    Settle(Option<String>),
}

// === impl Store ===

impl Store {
    /// Opens a month's statements for review. One that is open is left as it is.
    ///
    /// # Errors
    /// `Argument` for one that is closed.
    pub async fn open_review(
        &self,
        actor: &str,
        by: &str,
        month: Name,
    ) -> Result<Resource, StoreError> {
        let (by, now) = (by.to_owned(), self.now());
        self.change_period(actor, month, AuditAction::OpenReview, move |spec| match spec {
            Some(spec) => Ok(spec),
            None => Ok(new(PeriodState::Review, by, now)),
        })
        .await
    }

    /// Says something about a statement; gives the record with it as its last comment.
    ///
    /// # Errors
    /// `Argument` without text, or for a month that is not open for review; `NotFound` for a
    /// cost center that is not there.
    pub async fn comment(
        &self,
        actor: &str,
        by: &str,
        month: Name,
        comment: NewComment,
    ) -> Result<Resource, StoreError> {
        self.require(Kind::CostCenter, &comment.cost_center.0).await?;
        let (by, at) = (by.to_owned(), self.now());
        self.change_period(actor, month, AuditAction::Comment, move |spec| {
            let mut spec = open(spec)?;
            if spec.comments.len() >= COMMENTS_MAX {
                return refused(format!("a month holds {COMMENTS_MAX} comments at most"));
            }
            let state = match comment.kind {
                CommentKind::Comment => CommentState::Settled,
                CommentKind::Dispute => CommentState::Open,
            };
            spec.comments.push(PeriodComment {
                number: u32::try_from(spec.comments.len() + 1).unwrap_or(u32::MAX),
                cost_center: comment.cost_center,
                kind: comment.kind,
                state,
                by,
                at,
                text: text(comment.text)?,
                replies: Vec::new(),
            });
            Ok(spec)
        })
        .await
    }

    /// Answers a comment or settles a dispute.
    ///
    /// # Errors
    /// `Argument` for a comment that is not there, a month that is not open for review, or a
    /// dispute that is settled already.
    pub async fn say_about(
        &self,
        actor: &str,
        by: &str,
        month: Name,
        number: u32,
        said: SaidAbout,
    ) -> Result<Resource, StoreError> {
        let (by, at) = (by.to_owned(), self.now());
        let (action, words) = match said {
            SaidAbout::Answer(text) => (AuditAction::Answer, Some(text)),
            SaidAbout::Settle(text) => (AuditAction::Settle, text),
        };
        self.change_period(actor, month, action, move |spec| {
            let mut spec = open(spec)?;
            let found = spec.comments.iter_mut().find(|comment| comment.number == number);
            let Some(comment) = found else {
                return refused(format!("there is no comment {number}"));
            };
            let is_dispute = comment.kind == CommentKind::Dispute;
            if is_dispute && comment.state == CommentState::Settled {
                return refused(format!("dispute {number} is settled; open another one"));
            }
            match action {
                AuditAction::Settle if !is_dispute => {
                    return refused(format!("comment {number} is no dispute"));
                }
                AuditAction::Settle => comment.state = CommentState::Settled,
                _ if is_dispute => comment.state = CommentState::Answered,
                _ => {}
            }
            if let Some(words) = words {
                comment.replies.push(CommentReply { by, at, text: text(words)? });
            }
            Ok(spec)
        })
        .await
    }

    /// Closes a month: from here on it is what its seal says.
    ///
    /// # Errors
    /// `Argument` for one that is closed.
    pub async fn close_period(
        &self,
        actor: &str,
        month: Name,
        seal: PeriodSeal,
    ) -> Result<Resource, StoreError> {
        self.change_period(actor, month, AuditAction::Close, move |spec| {
            let mut spec = match spec {
                Some(spec) => spec,
                None => new(PeriodState::Review, seal.by.clone(), seal.at),
            };
            if spec.state == PeriodState::Closed {
                return refused("the month is closed already".to_owned());
            }
            if spec.open_disputes() > 0 {
                return refused("a dispute was opened meanwhile: settle it first".to_owned());
            }
            (spec.state, spec.seal) = (PeriodState::Closed, Some(seal));
            Ok(spec)
        })
        .await
    }

    /// Tells owners of their statements, once for each state of each.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn tell_of_statements(&self, told: Vec<StatementNotice>) -> Result<(), StoreError> {
        let notices: Vec<Notice> = told
            .into_iter()
            .map(|told| Notice {
                key: format!("statement.{}:{}", told.state, told.name),
                topic: format!("statement.{}", told.state),
                people: vec![told.owner],
                to_webhooks: false,
                link: told
                    .link
                    .unwrap_or_else(|| format!("/statements/{}", percent_encoded(&told.name))),
                title: told.title,
                body: told.body,
                data: told.data,
            })
            .collect();
        let channels = self.channels().clone();
        let mut change = self.begin_change().await?;
        notices::publish(&mut change, &channels, &notices).await?;
        change.commit().await
    }

    async fn change_period(
        &self,
        actor: &str,
        month: Name,
        action: AuditAction,
        step: impl FnOnce(Option<PeriodSpec>) -> Result<PeriodSpec, StoreError> + Send + 'static,
    ) -> Result<Resource, StoreError> {
        self.change_record(actor, None, month, action, step).await
    }
}

fn new(state: PeriodState, by: String, at: Timestamp) -> PeriodSpec {
    PeriodSpec { state, opened_by: by, opened_at: at, comments: Vec::new(), seal: None }
}

/// A month that can be spoken about.
fn open(spec: Option<PeriodSpec>) -> Result<PeriodSpec, StoreError> {
    match spec {
        Some(spec) if spec.state == PeriodState::Review => Ok(spec),
        Some(_) => refused("the month is closed: what was said stands".to_owned()),
        None => refused("the month is a draft: FinOps opens it for review first".to_owned()),
    }
}
