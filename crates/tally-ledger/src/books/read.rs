//! Statements as people read them.

use std::collections::BTreeMap;

use tally_types::{CostCenterName, TeamName, spec::PeriodComment};

use crate::{
    Billed, ChargeLine, ChargeRow, Ledger, LedgerError, Month, Showback, Statement, StatementState,
    Totals, money,
    statement::{Gathering, StatementHead},
};

impl Ledger<'_> {
    /// One statement; none is what no cost center answers for. `hide` takes from its rows what a
    /// reader may not see; rows that are alike then are one line.
    ///
    /// # Errors
    /// The warehouse failed.
    pub fn statement(
        &self,
        month: Month,
        cost_center: Option<&CostCenterName>,
        hide: &dyn Fn(&mut ChargeRow),
    ) -> Result<Statement, LedgerError> {
        let mut gathering = Gathering::default();
        let mut add = |mut row: ChargeRow| {
            if row.cost_center.as_ref() == cost_center {
                hide(&mut row);
                gathering.add(&row);
            }
        };
        if self.state(month) == StatementState::Closed {
            let name = cost_center.map_or("", CostCenterName::as_str);
            self.warehouse.kept_rows(month.number(), Some(name), &mut |_, json| {
                add(row(month, json)?);
                Ok::<_, LedgerError>(())
            })?;
        } else {
            self.rows(month, &mut |row| {
                add(row);
                Ok(())
            })?;
        }
        self.written(month, cost_center, gathering)
    }

    /// Every statement of a month; the one that no cost center answers for comes last.
    ///
    /// # Errors
    /// The warehouse failed.
    pub fn statements(&self, month: Month) -> Result<Vec<Statement>, LedgerError> {
        let mut all: BTreeMap<(bool, Option<CostCenterName>), Gathering> = BTreeMap::new();
        for name in self.snapshot.cost_centers.keys() {
            all.insert((false, Some(CostCenterName(name.clone()))), Gathering::default());
        }
        self.rows(month, &mut |row| {
            let name = row.cost_center.clone();
            all.entry((name.is_none(), name)).or_default().add(&row);
            Ok(())
        })?;
        let write = |((_, name), gathering): (_, Gathering)| {
            let name: Option<CostCenterName> = name;
            self.written(month, name.as_ref(), gathering)
        };
        all.into_iter().map(write).collect()
    }

    fn written(
        &self,
        month: Month,
        cost_center: Option<&CostCenterName>,
        gathering: Gathering,
    ) -> Result<Statement, LedgerError> {
        let bounds = month.bounds(&self.snapshot.organization.zone())?;
        let (totals, mut lines, advice) = gathering.finish(Some(bounds));
        for filter in lines.iter_mut().filter_map(|line| line.calls_filter.as_mut()) {
            filter.filters.push(center_filter(cost_center));
        }
        let head = self.head(month, cost_center.map(ToString::to_string), totals);
        let notes = self.notes(&head);
        let comments = self.comments(month, cost_center);
        Ok(Statement { head, lines, advice, notes, comments })
    }

    /// What teams are shown of a month; of one team where it is named.
    ///
    /// # Errors
    /// The warehouse failed.
    pub fn showback(
        &self,
        month: Month,
        is_shown: &dyn Fn(Option<&TeamName>) -> bool,
    ) -> Result<Vec<Showback>, LedgerError> {
        let mut teams: BTreeMap<Option<TeamName>, Gathering> = BTreeMap::new();
        self.rows(month, &mut |row| {
            let is_of_calls = matches!(row.line, ChargeLine::Usage | ChargeLine::Correction);
            if is_of_calls && is_shown(row.team.as_ref()) {
                teams.entry(row.team.clone()).or_default().add(&row);
            }
            Ok(())
        })?;
        let (bounds, state) =
            (month.bounds(&self.snapshot.organization.zone())?, self.state(month));
        let show = |(team, gathering): (Option<TeamName>, Gathering)| {
            let (totals, lines, advice) = gathering.finish(Some(bounds));
            Showback { period: month, team, state, totals, lines, advice }
        };
        Ok(teams.into_iter().map(show).collect())
    }

    /// A statement's head by its sums.
    pub(super) fn head(
        &self,
        month: Month,
        cost_center: Option<String>,
        totals: Totals,
    ) -> StatementHead {
        let spec = cost_center.as_deref().and_then(|name| self.snapshot.cost_centers.get(name));
        let rule = spec.and_then(|spec| spec.chargeback.as_ref()?.on(month.last()));
        let seal = self.period(month).and_then(|period| period.seal.as_ref());
        let seal = seal.and_then(|seal| {
            let of = |it: &&tally_types::spec::StatementSeal| {
                it.cost_center.as_ref().map(CostCenterName::as_str) == cost_center.as_deref()
            };
            seal.statements.iter().find(of).cloned()
        });
        let name: Option<CostCenterName> = cost_center.and_then(|name| name.parse().ok());
        let comments = self.comments(month, name.as_ref());
        let is_open = |it: &&PeriodComment| it.state != tally_types::spec::CommentState::Settled;
        let card = self.rates().on(month.first());
        let currency = &self.snapshot.organization.currency;
        let mut head = StatementHead {
            name: format!("{month}:{}", name.as_ref().map_or("-", CostCenterName::as_str)),
            period: month,
            owner: spec.map(|spec| spec.owner.to_string()),
            state: self.state(month),
            chargeback: rule.map(|rule| rule.model.to_string()),
            rate_card: card.map(|card| card.name.to_string()),
            billed: money::billed(card, currency, month.last(), totals.charged_usd),
            totals,
            open_disputes: comments.iter().filter(is_open).count(),
            seal,
            cost_center: name,
        };
        // What was sealed stands, whatever became of the card and the cost center.
        if let Some(seal) = &head.seal {
            (head.owner, head.chargeback) = (seal.owner.clone(), seal.chargeback.clone());
            head.rate_card.clone_from(&seal.rate_card);
            head.billed = Billed {
                currency: seal.currency.clone(),
                per_usd: seal.per_usd,
                per_usd_since: seal.per_usd_since,
                charged: seal.billed,
            };
        }
        head
    }

    fn comments(&self, month: Month, cost_center: Option<&CostCenterName>) -> Vec<PeriodComment> {
        let all = self.period(month).map(|period| period.comments.as_slice()).unwrap_or_default();
        all.iter().filter(|it| Some(&it.cost_center) == cost_center).cloned().collect()
    }

    /// What has to be known to read a statement.
    fn notes(&self, head: &StatementHead) -> Vec<String> {
        let (totals, mut notes) = (&head.totals, Vec::new());
        let name = head.cost_center.as_ref().map(CostCenterName::as_str);
        let spec = name.and_then(|name| self.snapshot.cost_centers.get(name));
        match (name, spec) {
            (None, _) => {
                notes.push("Calls of no cost center, and what is paid centrally.".to_owned())
            }
            (Some(name), None) => {
                notes.push(format!("There is no cost center `{name}` any more: nobody pays for its calls until they are given another one."));
            }
            (_, Some(spec)) if spec.chargeback.is_none() => notes.push(
                "The cost center has no chargeback model, so nobody pays yet: FinOps gives it one."
                    .to_owned(),
            ),
            _ => {}
        }
        if head.rate_card.is_none() {
            notes.push("No rate card holds: amounts are at list price.".to_owned());
        }
        if totals.unpriced_calls > 0 {
            notes.push(format!(
                "{} calls have no known price and are not in the sums.",
                totals.unpriced_calls
            ));
        }
        if totals.charged_usd.pico() < 0 {
            notes.push("What is corrected is more than what was used: it is a credit.".to_owned());
        }
        notes
    }
}

fn center_filter(cost_center: Option<&CostCenterName>) -> tally_warehouse::Filter {
    use tally_warehouse::{Field, Filter, FilterOp};

    match cost_center {
        Some(name) => Filter::eq(Field::CostCenter, name.as_str()),
        None => {
            Filter { dimension: Field::CostCenter.into(), op: FilterOp::IsNull, values: Vec::new() }
        }
    }
}

/// A kept row.
pub(super) fn row(month: Month, json: &str) -> Result<ChargeRow, LedgerError> {
    serde_json::from_str(json).map_err(|error| {
        LedgerError::Unreadable(format!("the statements of {month}"), error.to_string())
    })
}
