//! Bills over a real store and warehouse: what is posted stands in statements, balanced.

use std::collections::BTreeSet;

use tally_ledger::{
    ChargeLine, ChargeRow, Statement,
    reconcile::{self, BillFormat, VarianceKind},
};
use tally_store::{NewReconciliation, Ruling};
use tally_types::{Date, Environment::Production, PicoUsdSum, ProviderName};

use crate::support::{Company, event, month};

const NOVEMBER: &str = "2026-11-02T09:00:00Z";
const DECEMBER: &str = "2026-12-02T09:00:00Z";
const JANUARY: &str = "2027-01-02T09:00:00Z";
const LIN: (&str, &str) = ("Person/lin", "lin");
const ADA: (&str, &str) = ("Person/ada", "ada");
const DOLLAR: i128 = 1_000_000_000_000;

fn anthropic() -> ProviderName {
    "anthropic".parse().unwrap()
}

fn header(rows: &str) -> String {
    format!("date,model,meter,quantity,cost,currency\n{rows}")
}

fn call(number: u64, time: &str) -> tally_types::UsageEvent {
    event(number, time, Some("cc-production"), Production)
}

/// Imports a bill as lin, and gives its id and what was found.
async fn import(company: &Company, text: &str) -> (String, reconcile::Reconciliation) {
    let bill = reconcile::read(BillFormat::Csv, &anthropic(), &header(text)).unwrap();
    let found = company.with(|ledger, _| ledger.reconcile(&bill)).unwrap();
    let new = NewReconciliation {
        provider: anthropic(),
        days: bill.days,
        format: "csv".to_owned(),
        billed_usd: found.billed_usd,
        metered_usd: found.metered_usd,
        variances: found.variances.len() as u64,
        bill: serde_json::to_value(&bill).unwrap(),
        found: serde_json::to_value(&found).unwrap(),
    };
    let kept = company.store.reconciliations().keep(LIN.0, LIN.1, new).await.unwrap();
    let kept_found = serde_json::from_value(kept.found).unwrap();
    assert_eq!(found, kept_found, "what is kept is what was found");
    (kept.summary.id, found)
}

/// Approves and posts all that is proposed, as ada.
async fn post(
    company: &Company,
    id: &str,
    found: &reconcile::Reconciliation,
    center: Option<&str>,
) {
    let all = company.store.reconciliations();
    let proposed = found.variances.iter().filter_map(|it| it.proposal(id)).collect();
    let ruling = Ruling::Approve(center.map(|name| name.parse().unwrap()));
    all.rule(ADA, id, proposed, ruling, "the batch host").await.unwrap();
    all.post(ADA, id, BTreeSet::new()).await.unwrap();
}

fn statement(company: &Company, of: &str, center: Option<&str>) -> Statement {
    let name = center.map(|name| name.parse().unwrap());
    company.with(|ledger, _| ledger.statement(month(of), name.as_ref(), &|_| {}).unwrap())
}

fn adjustments(statement: &Statement) -> Vec<(i128, bool, Option<&str>)> {
    let lines = statement.lines.iter().filter(|line| line.line == ChargeLine::Adjustment);
    lines.map(|line| (line.amount_usd.pico(), line.aggregate, line.corrects.as_deref())).collect()
}

fn rows(company: &Company, of: &str) -> Vec<ChargeRow> {
    let mut rows = Vec::new();
    company
        .with(|ledger, _| {
            ledger.rows(month(of), &mut |row| {
                rows.push(row);
                Ok(())
            })
        })
        .unwrap();
    rows
}

#[tokio::test]
async fn what_is_approved_is_in_no_statement_and_what_is_posted_balances() {
    let company = Company::new(NOVEMBER).await;
    company.write([call(1, "2026-10-05T10:00:00Z")]);
    let (id, found) = import(&company, "2026-10-03,opus,output,1000,42.00,USD\n").await;
    assert_eq!(found.variances.len(), 1, "a day that nobody metered");
    let all = company.store.reconciliations();
    let first: Vec<_> = found.variances.iter().filter_map(|it| it.proposal(&id)).collect();
    let center = Some("cc-production".parse().unwrap());
    all.rule(ADA, &id, first, Ruling::Approve(center), "the batch host").await.unwrap();
    assert_eq!(adjustments(&statement(&company, "2026-10", Some("cc-production"))), []);

    all.post(LIN, &id, BTreeSet::new()).await.unwrap();
    let october = statement(&company, "2026-10", Some("cc-production"));
    assert_eq!(adjustments(&october), [(42 * DOLLAR, true, None)]);
    assert!(october.head.totals.is_balanced());
    let line = october.lines.iter().find(|it| it.line == ChargeLine::Adjustment).unwrap();
    assert_eq!(line.payment.charged_usd.pico(), 42 * DOLLAR);
    assert_eq!(line.adjustment, Some(format!("{id}-1")));
    let paper = tally_ledger::print::html(&october);
    assert!(paper.contains("Adjustment to the bill of anthropic") && paper.contains("aggregate"));

    company.close("2026-10", NOVEMBER).await.unwrap();
    company.with(|ledger, snapshot| {
        assert_eq!(ledger.verify(month("2026-10")).unwrap().differences, Vec::<String>::new());
        let sealed = &snapshot.periods["2026-10"].seal.as_ref().unwrap().adjustments;
        assert_eq!(sealed.len(), 1);
    });
    assert_eq!(statement(&company, "2026-10", Some("cc-production")).lines, october.lines);
    assert_eq!(adjustments(&statement(&company, "2026-11", Some("cc-production"))), []);
}

#[tokio::test]
async fn what_concerns_a_closed_month_is_posted_in_the_next_one() {
    let company = Company::new(NOVEMBER).await;
    company.write([call(1, "2026-10-05T10:00:00Z"), call(2, "2026-11-05T10:00:00Z")]);
    company.close("2026-10", NOVEMBER).await.unwrap();
    let before = rows(&company, "2026-10");
    let (id, found) = import(&company, "2026-10-03,,support plan,,12.50,USD\n2026-10-05,opus,output,37,0.000925,USD\n2026-10-05,opus,input_uncached,102,0.000510000102,USD\n2026-10-05,opus,cache_read,1001,0.000500503003,USD\n").await;
    let kinds: Vec<_> = found.variances.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [VarianceKind::MissingTraffic]);
    post(&company, &id, &found, None).await;
    assert_eq!(rows(&company, "2026-10"), before, "a closed month never changes");
    let nobody = statement(&company, "2026-11", None);
    assert_eq!(adjustments(&nobody), [(25 * DOLLAR / 2, true, Some("2026-10"))]);
    assert_eq!(nobody.head.totals.unallocated_usd.pico(), 25 * DOLLAR / 2);
    company.close("2026-11", DECEMBER).await.unwrap();
    for text in ["2026-10", "2026-11"] {
        let verified = company.with(|ledger, _| ledger.verify(month(text)).unwrap());
        assert_eq!(verified.differences, Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_aggregate_shrinks_as_calls_are_imported_even_after_its_month_is_closed() {
    let company = Company::new(NOVEMBER).await;
    // Three calls' worth of output at list price, of which one was metered.
    company.write([call(1, "2026-10-05T10:00:00Z")]);
    let (id, found) = import(&company, "2026-10-05,opus,output,111,0.002775,USD\n2026-10-05,opus,input_uncached,102,0.000510000102,USD\n2026-10-05,opus,cache_read,1001,0.000500503003,USD\n").await;
    let kinds: Vec<_> = found.variances.iter().map(|it| (it.kind, it.gap_quantity)).collect();
    assert_eq!(kinds, [(VarianceKind::MissingTraffic, Some(74))]);
    post(&company, &id, &found, Some("cc-showback")).await;
    let one = 37 * 25_000_000;
    let of_showback = |text: &str| adjustments_of(&company, text);
    assert_eq!(of_showback("2026-10"), [(2 * one, 74)]);

    company.write([call(2, "2026-10-05T11:00:00Z")]);
    assert_eq!(of_showback("2026-10"), [(one, 37)], "a call takes its part of the aggregate");
    company.close("2026-10", NOVEMBER).await.unwrap();
    company.write([call(3, "2026-10-05T12:00:00Z"), call(4, "2026-10-05T13:00:00Z")]);
    assert_eq!(of_showback("2026-10"), [(one, 37)], "a closed month never changes");
    assert_eq!(of_showback("2026-11"), [(-one, 0)], "what is covered now is taken back, no more");
    company.close("2026-11", DECEMBER).await.unwrap();
    assert_eq!(of_showback("2026-12"), []);
    company.close("2026-12", JANUARY).await.unwrap();
    for text in ["2026-10", "2026-11", "2026-12"] {
        let verified = company.with(|ledger, _| ledger.verify(month(text)).unwrap());
        assert_eq!(verified.differences, Vec::<String>::new(), "{text}");
    }
}

fn adjustments_of(company: &Company, text: &str) -> Vec<(i128, u64)> {
    let rows = rows(company, text).into_iter();
    rows.filter(|row| row.line == ChargeLine::Adjustment)
        .map(|row| (row.amount_usd.pico(), row.quantity))
        .collect()
}

#[tokio::test]
async fn a_report_of_usage_is_worth_its_list_price() {
    let company = Company::new(NOVEMBER).await;
    let text = r#"{ "data": [{ "starting_at": "2026-10-05T00:00:00Z", "results": [
        { "model": "opus", "uncached_input_tokens": 1000, "output_tokens": 2000 }
    ] }], "has_more": false }"#;
    let bill = reconcile::read(BillFormat::AnthropicUsage, &anthropic(), text).unwrap();
    let found = company.with(|ledger, _| ledger.reconcile(&bill)).unwrap();
    let day: Date = "2026-10-05".parse().unwrap();
    let [variance] = found.variances.as_slice() else { panic!("{:#?}", found.variances) };
    assert_eq!((variance.date, variance.billed_usd), (day, None));
    let worth = 1_000 * 5_000_001 + 2_000 * 25_000_000;
    assert_eq!(variance.proposed_usd, Some(PicoUsdSum::from_pico(worth)));
    assert_eq!(found.days[0].billed_usd.pico(), worth);
}
