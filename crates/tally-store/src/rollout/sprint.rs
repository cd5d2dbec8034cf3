//! The month's sprint: targets are set, withdrawn, and measured at its end.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{
    Exact, Kind, Name, PersonName, Resource,
    spec::{
        MeetingState, SprintSpec, SprintTarget, TargetMeasure, TargetResult, TargetScope,
        TargetWithdrawn,
    },
};

use super::{Anomaly, Offenders};
use crate::{
    AuditAction, Store, StoreError,
    records::{maybe_text, refused, text},
};

/// A sprint has so many targets at most: more is no focus.
const TARGETS_MAX: usize = 50;

/// A target as it is set.
#[derive(Debug, Clone)]
pub struct NewTarget {
    /// Whose use.
    pub scope: TargetScope,
    /// What is to become less.
    pub measure: TargetMeasure,
    /// How much it was.
    pub baseline: Exact,
    /// From when that was measured.
    pub baseline_from: Timestamp,
    /// Until when.
    pub baseline_until: Timestamp,
    /// At most so much is wanted.
    pub target: Exact,
    /// Who answers for it.
    pub owner: PersonName,
    /// How it is to be reached.
    pub note: Option<String>,
    /// Who sets it.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
}

/// A month's sprint, with what is measured of it now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "SprintReport")]
pub struct Sprint {
    /// The month, as `2026-11`.
    pub month: String,
    /// How far it has come; null where no target is set.
    pub state: Option<MeetingState>,
    /// From when.
    pub from: Timestamp,
    /// Until when the month goes.
    pub until: Timestamp,
    /// Until when it is measured: the end, or now.
    pub measured_until: Timestamp,
    /// What it is compared with: the same days of the month before, from when.
    pub compared_from: Timestamp,
    /// Until when.
    pub compared_until: Timestamp,
    /// Whether the month is over.
    pub is_over: bool,
    /// Targets in the order in which they were set.
    pub targets: Vec<TargetProgress>,
    /// Where to look first.
    pub offenders: Offenders,
    /// Days on which a cost center spent much more than it does on that weekday.
    pub anomalies: Vec<Anomaly>,
    /// What nothing here says, as it is not measured yet.
    pub not_measured: Vec<&'static str>,
    /// What is to be remembered.
    pub note: Option<String>,
    /// Who closed it.
    pub closed_by: Option<PersonName>,
    /// When.
    pub closed_at: Option<Timestamp>,
}

/// How a target stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetVerdict {
    /// As it goes, it will be reached.
    OnTrack,
    /// As it goes, it will not.
    Behind,
    /// The month is over, and it was reached.
    Met,
    /// The month is over, and it was not.
    Missed,
    /// Nothing is there to measure.
    NotMeasured,
    /// It no longer counts.
    Withdrawn,
}

/// A target, with what is measured now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TargetProgress {
    /// What was set.
    pub target: SprintTarget,
    /// What is measured: so far, or of the whole month.
    pub value: Option<Exact>,
    /// How it stands.
    pub verdict: TargetVerdict,
    /// Whether it was set only after the month was over.
    pub late: bool,
}

// === impl Store ===

impl Store {
    /// Sets a target of a month; gives the sprint with it as its last one.
    ///
    /// # Errors
    /// `NotFound` for whose use it is about, and for its owner; `Argument` for a sprint that is
    /// closed or full; `Invalid` for a target that is none.
    pub async fn set_target(
        &self,
        actor: &str,
        month: Name,
        new: NewTarget,
    ) -> Result<Resource, StoreError> {
        let Some((kind, name)) = new.scope.named() else {
            return refused("expected one of `cost_center`, `team`, `workload`".to_owned());
        };
        let kind: Kind = kind.parse().map_err(crate::database::backend)?;
        let name: Name = name.parse().map_err(crate::database::backend)?;
        self.require(kind, &name).await?;
        self.require(Kind::Person, &new.owner.0).await?;
        let note = maybe_text(new.note)?;
        self.change_record(actor, None, month, AuditAction::SetTarget, move |spec| {
            let mut spec = open(spec)?;
            if spec.targets.len() >= TARGETS_MAX {
                return refused(format!("a sprint has {TARGETS_MAX} targets at most"));
            }
            spec.targets.push(SprintTarget {
                number: u32::try_from(spec.targets.len() + 1).unwrap_or(u32::MAX),
                scope: new.scope,
                measure: new.measure,
                baseline: new.baseline,
                baseline_from: new.baseline_from,
                baseline_until: new.baseline_until,
                target: new.target,
                owner: new.owner,
                note,
                by: new.by,
                at: new.at,
                withdrawn: None,
                result: None,
            });
            Ok(spec)
        })
        .await
    }

    /// Ends a target that no longer makes sense; it stays on record.
    ///
    /// # Errors
    /// `Argument` without a reason, for a sprint that is closed, and for a target that is not
    /// there or is withdrawn already.
    pub async fn withdraw_target(
        &self,
        actor: &str,
        month: Name,
        number: u32,
        (by, at): (PersonName, Timestamp),
        reason: String,
    ) -> Result<Resource, StoreError> {
        let reason = text(reason)?;
        let note = Some(reason.clone());
        self.change_record(actor, note, month, AuditAction::WithdrawTarget, move |spec| {
            let mut spec = open(spec)?;
            let found = spec.targets.iter_mut().find(|target| target.number == number);
            let Some(target) = found.filter(|target| target.withdrawn.is_none()) else {
                return refused(format!("there is no target {number} that counts"));
            };
            target.withdrawn = Some(TargetWithdrawn { by, at, reason });
            Ok(spec)
        })
        .await
    }

    /// Closes a sprint with what became of its targets.
    ///
    /// # Errors
    /// `Argument` for one that is closed, that has no targets, or that got another one since it
    /// was measured.
    pub async fn close_sprint(
        &self,
        actor: &str,
        month: Name,
        (by, at): (PersonName, Timestamp),
        note: Option<String>,
        results: Vec<(u32, TargetResult)>,
    ) -> Result<Resource, StoreError> {
        let note = maybe_text(note)?;
        self.change_record(actor, None, month, AuditAction::Close, move |spec| {
            let mut spec = open(spec)?;
            if spec.targets.is_empty() {
                return refused("no target was set: there is nothing to close".to_owned());
            }
            for target in spec.targets.iter_mut().filter(|target| target.withdrawn.is_none()) {
                let found = results.iter().find(|(number, _)| *number == target.number);
                let Some((_, result)) = found else {
                    return refused("a target was set meanwhile; close it again".to_owned());
                };
                target.result = Some(*result);
            }
            spec.state = MeetingState::Closed;
            (spec.closed_by, spec.closed_at, spec.note) = (Some(by), Some(at), note);
            Ok(spec)
        })
        .await
    }
}

fn open(spec: Option<SprintSpec>) -> Result<SprintSpec, StoreError> {
    match spec {
        Some(spec) if spec.state == MeetingState::Open => Ok(spec),
        Some(_) => refused("the sprint is closed: its results stand".to_owned()),
        None => Ok(SprintSpec {
            state: MeetingState::Open,
            targets: Vec::new(),
            closed_by: None,
            closed_at: None,
            note: None,
        }),
    }
}

/// What adds up over one stretch of time, as it would over another.
pub fn scaled(
    value: Exact,
    measured: (Timestamp, Timestamp),
    wanted: (Timestamp, Timestamp),
) -> Exact {
    let length = |(from, until): (Timestamp, Timestamp)| {
        i128::from(until.as_second().saturating_sub(from.as_second()))
    };
    // Picodollars × seconds of a year stay far from the end of 128 bits.
    let scaled = value.pico().saturating_mul(length(wanted)).checked_div(length(measured));
    Exact::from_pico(scaled.unwrap_or_default())
}

/// Whether a target is reached, or will be as it goes on.
pub fn reached(
    target: &SprintTarget,
    value: Exact,
    measured: (Timestamp, Timestamp),
    month: (Timestamp, Timestamp),
) -> bool {
    match target.measure.adds_up() {
        true => scaled(value, measured, month) <= target.target,
        false => value <= target.target,
    }
}

/// How a target stands with what was measured from the month's start until a time.
pub fn target_progress(
    target: &SprintTarget,
    value: Option<Exact>,
    measured: (Timestamp, Timestamp),
    month: (Timestamp, Timestamp),
) -> TargetProgress {
    let late = target.at >= month.1;
    let is_over = measured.1 >= month.1;
    let (value, verdict) = match (&target.withdrawn, target.result) {
        (Some(_), _) => (value, TargetVerdict::Withdrawn),
        (None, Some(result)) => (result.value, verdict(result.value, result.met, true)),
        (None, None) => {
            let met = value.is_some_and(|value| reached(target, value, measured, month));
            (value, verdict(value, met, is_over))
        }
    };
    TargetProgress { target: target.clone(), value, verdict, late }
}

const fn verdict(value: Option<Exact>, met: bool, is_over: bool) -> TargetVerdict {
    match (value, met, is_over) {
        (None, ..) => TargetVerdict::NotMeasured,
        (_, true, true) => TargetVerdict::Met,
        (_, false, true) => TargetVerdict::Missed,
        (_, true, false) => TargetVerdict::OnTrack,
        (_, false, false) => TargetVerdict::Behind,
    }
}
