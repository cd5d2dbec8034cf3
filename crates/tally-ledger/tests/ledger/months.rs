//! Months over a real store and a real warehouse.

use tally_ledger::{ChargeLine, LedgerError, StatementState};
use tally_store::{NewComment, SaidAbout};
use tally_types::{
    Environment::{Experimentation, Production},
    PicoUsdSum,
    spec::CommentKind,
};
use tally_warehouse::{Measure, Query, Range};

use crate::support::{Company, event, month};

const NOVEMBER: &str = "2026-11-02T09:00:00Z";
const DECEMBER: &str = "2026-12-02T09:00:00Z";

/// Calls of October, the first and the last of them at the edges of the month in Berlin.
fn october(company: &Company) {
    company.write([
        event(1, "2026-09-30T22:00:00Z", Some("cc-production"), Production),
        event(2, "2026-10-31T22:59:59Z", Some("cc-production"), Experimentation),
        event(3, "2026-10-05T10:00:00Z", Some("cc-hybrid"), Production),
        event(4, "2026-10-06T10:00:00Z", Some("cc-hybrid"), Experimentation),
        event(5, "2026-10-07T10:00:00Z", Some("cc-showback"), Production),
        event(6, "2026-10-08T10:00:00Z", None, Production),
        event(7, "2026-10-09T10:00:00Z", Some("cc-gone"), Production),
        // Not October: before it, and after it.
        event(8, "2026-09-30T21:59:59Z", Some("cc-production"), Production),
        event(9, "2026-10-31T23:00:00Z", Some("cc-production"), Production),
    ]);
    let unpriced = event(10, "2026-10-10T10:00:00Z", Some("cc-hybrid"), Production);
    company.write_as_they_are([unpriced]);
}

fn list_of(company: &Company, from: &str, to: &str) -> String {
    let range = Range::Between { from: from.parse().unwrap(), to: to.parse().unwrap() };
    let query = Query::new(vec!["spend_usd".parse::<Measure>().unwrap()], range);
    let answer = company.warehouse.query(&query, DECEMBER.parse().unwrap()).unwrap();
    serde_json::to_value(&answer.total).unwrap()[0].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_statement_comes_to_what_the_metrics_layer_says() {
    let company = Company::new(NOVEMBER).await;
    october(&company);
    company.with(|ledger, _| {
        let heads = ledger.heads(month("2026-10")).unwrap();
        let names: Vec<_> =
            heads.iter().map(|head| head.cost_center.as_ref().map(ToString::to_string)).collect();
        let expected = ["cc-gone", "cc-hybrid", "cc-production", "cc-showback"];
        let expected: Vec<_> =
            expected.iter().map(|name| Some((*name).to_owned())).chain([None]).collect();
        assert_eq!(names, expected);
        let list: PicoUsdSum =
            heads.iter().fold(PicoUsdSum::default(), |sum, head| sum + head.totals.list_usd);
        let metered = list_of(&company, "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z");
        assert_eq!(list.to_string(), metered);
        assert!(heads.iter().all(|head| head.totals.is_balanced()));
        // Who is gone, and who is unknown, pays nothing; what that comes to is said.
        for index in [0, 4] {
            assert!(heads[index].totals.unallocated_usd.pico() > 0, "{:?}", heads[index]);
            assert_eq!(heads[index].totals.charged_usd.pico(), 0);
        }
        assert_eq!(heads[1].totals.unpriced_calls, 1);
        assert_eq!(heads[3].totals.charged_usd.pico(), 0, "showback charges nothing");
        // Charged to whole cents, as the card says.
        assert_eq!(heads[2].totals.charged_usd.pico() % 10_000_000_000, 0);
    });
}

#[tokio::test]
async fn lines_lead_to_their_calls() {
    let company = Company::new(NOVEMBER).await;
    october(&company);
    company.with(|ledger, _| {
        let name = "cc-production".parse().unwrap();
        let statement = ledger.statement(month("2026-10"), Some(&name), &|_| {}).unwrap();
        let lines = statement.lines.iter().filter(|line| line.line == ChargeLine::Usage);
        let mut calls = 0;
        for line in lines {
            let way = line.calls_filter.clone().unwrap();
            let filter = tally_warehouse::EventFilter {
                range: Range::Between { from: way.from, to: way.to },
                filters: way.filters,
                after: None,
                limit: 100,
            };
            let found = company.warehouse.events(&filter, DECEMBER.parse().unwrap()).unwrap();
            assert_eq!(found.len() as u64, line.calls);
            let list: PicoUsdSum = found.iter().filter_map(|event| event.cost_list_usd).sum();
            assert_eq!(Some(list), line.list_usd);
            calls += line.calls;
        }
        assert_eq!(calls, statement.head.totals.calls);
        let paper = tally_ledger::print::markdown(&statement);
        assert!(paper.contains("Shared cost: gateway"), "{paper}");
        let page = tally_ledger::print::html(&statement);
        assert!(page.contains("Statement 2026-10 · cc-production") && !page.contains("<script"));
    });
}

/// Issue 6: a month is closed, a late import arrives, a correction appears in the next month,
/// the sealed hash still verifies.
#[tokio::test]
async fn a_late_import_is_corrected_in_the_next_month_and_the_seal_holds() {
    let company = Company::new(NOVEMBER).await;
    october(&company);
    let before = company.with(|ledger, _| ledger.heads(month("2026-10")).unwrap());
    company.close("2026-10", NOVEMBER).await.unwrap();
    let sealed = company.with(|ledger, snapshot| {
        assert_eq!(ledger.state(month("2026-10")), StatementState::Closed);
        assert_eq!(ledger.verify(month("2026-10")).unwrap().differences, Vec::<String>::new());
        let after = ledger.heads(month("2026-10")).unwrap();
        let totals = |heads: &[tally_ledger::StatementHead]| {
            heads.iter().map(|head| head.totals).collect::<Vec<_>>()
        };
        assert_eq!(totals(&before), totals(&after), "what was drafted is what was sealed");
        snapshot.periods["2026-10"].clone()
    });
    let audit = company.store.audit(tally_store::AuditFilter::default()).await.unwrap();
    let entry = audit.iter().find(|entry| entry.action == tally_store::AuditAction::Close).unwrap();
    let hash = &sealed.seal.as_ref().unwrap().statements[0].sha256;
    assert!(entry.after.as_ref().unwrap().to_string().contains(hash), "the log has the hashes");

    // A transcript of October comes late; a call of October comes again and belongs to another
    // cost center now; one gets its price at last.
    let mut again = event(3, "2026-10-05T10:00:00Z", Some("cc-production"), Production);
    again.revision = 1;
    let mut priced = event(10, "2026-10-10T10:00:00Z", Some("cc-hybrid"), Production);
    priced.revision = 1;
    company.write([
        event(11, "2026-10-30T10:00:00Z", Some("cc-hybrid"), Experimentation),
        again,
        priced,
    ]);
    company.write([event(12, "2026-11-03T10:00:00Z", Some("cc-hybrid"), Production)]);

    company.with(|ledger, _| {
        assert_eq!(ledger.verify(month("2026-10")).unwrap().differences, Vec::<String>::new());
        let heads = ledger.heads(month("2026-11")).unwrap();
        let hybrid = heads.iter().find(|head| {
            head.cost_center.as_ref().is_some_and(|name| name.as_str() == "cc-hybrid")
        });
        assert_ne!(hybrid.unwrap().totals.corrections_usd.pico(), 0);
        let corrected = corrections(ledger, "2026-11");
        assert!(corrected.iter().all(|row| row.corrects.as_deref() == Some("2026-10")));
        assert!(corrected.iter().any(|row| row.amount_usd.pico() < 0), "taken back");
    });
    company.close("2026-11", DECEMBER).await.unwrap();
    company.with(|ledger, _| {
        for text in ["2026-10", "2026-11"] {
            assert_eq!(ledger.verify(month(text)).unwrap().differences, Vec::<String>::new());
        }
        // Both months together hold what was metered last; nothing is corrected twice.
        let list = |text: &str| {
            let heads = ledger.heads(month(text)).unwrap();
            heads.iter().fold(PicoUsdSum::default(), |sum, head| sum + head.totals.list_usd)
        };
        let metered = list_of(&company, "2026-09-30T22:00:00Z", "2026-11-30T23:00:00Z");
        assert_eq!((list("2026-10") + list("2026-11")).to_string(), metered);
        assert_eq!(list("2026-12").pico(), 0);
    });
}

fn corrections(ledger: &tally_ledger::Ledger<'_>, of: &str) -> Vec<tally_ledger::ChargeRow> {
    let mut found = Vec::new();
    ledger
        .rows(month(of), &mut |row| {
            found.extend((row.line == ChargeLine::Correction).then_some(row));
            Ok(())
        })
        .unwrap();
    found
}

/// Whoever is forgotten, what they used was charged: nothing is taken back and posted anew.
#[tokio::test]
async fn a_call_that_is_forgotten_is_no_correction() {
    let company = Company::new(NOVEMBER).await;
    let mut call = event(3, "2026-10-05T10:00:00Z", Some("cc-hybrid"), Production);
    call.person = Some("ada".parse().unwrap());
    company.write([call]);
    company.close("2026-10", NOVEMBER).await.unwrap();
    let which = tally_warehouse::Forget::Of {
        person: "ada".parse().unwrap(),
        keys: Vec::new(),
        before: DECEMBER.parse().unwrap(),
    };
    assert_eq!(company.warehouse.forget(&which, 10).unwrap(), 1);
    company.with(|ledger, _| {
        assert_eq!(corrections(ledger, "2026-11"), []);
        assert_eq!(ledger.verify(month("2026-10")).unwrap().differences, Vec::<String>::new());
    });
    // What is amended after it still is one.
    let mut again = event(3, "2026-10-05T10:00:00Z", Some("cc-production"), Production);
    again.revision = 2;
    company.write([again]);
    company.with(|ledger, _| assert!(!corrections(ledger, "2026-11").is_empty()));
}

/// A closing that the store refuses, or that a crash ends, leaves the draft as it was.
#[tokio::test]
async fn a_closing_that_does_not_end_hides_no_correction() {
    let company = Company::new(NOVEMBER).await;
    october(&company);
    company.close("2026-10", NOVEMBER).await.unwrap();
    company.write([event(11, "2026-10-30T10:00:00Z", Some("cc-hybrid"), Experimentation)]);
    company.with(|ledger, _| {
        let before = corrections(ledger, "2026-11");
        assert!(!before.is_empty());
        ledger.close(month("2026-11"), DECEMBER.parse().unwrap()).unwrap();
        assert_eq!(corrections(ledger, "2026-11"), before);
    });
}

/// Else the statement would ask for as many euros as it has dollars.
#[tokio::test]
async fn a_card_in_the_organizations_currency_has_a_rate_from_its_first_day() {
    let company = Company::new(NOVEMBER).await;
    let card = |rate_from: &str| {
        format!(
            "kind: RateCard\nname: later\nspec:\n  from: 2027-01-01\n  exchange_rates: [{{ from: {rate_from}, per_usd: \"0.9\" }}]\n"
        )
    };
    let refused = company.apply(&card("2027-02-01")).await.unwrap_err();
    assert!(refused.contains("exchange_rates") && refused.contains("2027-01-01"), "{refused}");
}

/// October was closed at midnight in Berlin.
#[tokio::test]
async fn the_zone_of_closed_months_stays() {
    let company = Company::new(NOVEMBER).await;
    let zone = |name: &str| {
        format!("kind: Organization\nname: acme\nspec: {{ time_zone: {name}, currency: USD }}\n")
    };
    company.apply(&zone("Europe/London")).await.unwrap();
    company.apply(&zone("Europe/Berlin")).await.unwrap();
    october(&company);
    company.close("2026-10", NOVEMBER).await.unwrap();
    let refused = company.apply(&zone("America/New_York")).await.unwrap_err();
    assert!(refused.contains("Europe/Berlin") && refused.contains("closed"), "{refused}");
    company.apply(&zone("Europe/Berlin")).await.unwrap();
}

/// A late call takes what was left of its quota when the month was closed, so that no earlier
/// line moves.
#[tokio::test]
async fn late_calls_take_what_is_left_of_their_quota() {
    let company = Company::new(NOVEMBER).await;
    // Each costs about 0.0021 dollars with the markup; the quota is 0.01.
    let calls = |numbers: std::ops::Range<u64>, day: &str| {
        let time = format!("2026-10-{day}T10:00:00Z");
        numbers
            .map(|number| event(number, &time, Some("cc-hybrid"), Experimentation))
            .collect::<Vec<_>>()
    };
    company.write(calls(1..4, "20"));
    company.close("2026-10", NOVEMBER).await.unwrap();
    // These are earlier than what is posted, and there are more than the quota has room for.
    company.write(calls(4..8, "01"));
    company.with(|ledger, _| {
        let mut central = 0;
        let mut charged = 0;
        for text in ["2026-10", "2026-11"] {
            ledger
                .rows(month(text), &mut |row| {
                    if row.calls > 0 || row.quantity > 0 {
                        central += row.payment.subsidised_usd.pico();
                        charged += row.payment.charged_usd.pico();
                    }
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(central, 10_000_000_000, "the quota to the picodollar");
        assert!(charged > 0, "and the rest is charged");
    });
}

#[tokio::test]
async fn a_crash_between_warehouse_and_store_leaves_a_draft() {
    let company = Company::new(NOVEMBER).await;
    october(&company);
    let at = NOVEMBER.parse().unwrap();
    // The warehouse has it, the store does not: as if the process had ended there.
    let first = company.with(|ledger, _| ledger.close(month("2026-10"), at)).unwrap();
    company.with(|ledger, _| assert_eq!(ledger.state(month("2026-10")), StatementState::Draft));
    company.write([event(20, "2026-10-20T10:00:00Z", Some("cc-showback"), Production)]);
    company.close("2026-10", NOVEMBER).await.unwrap();
    company.with(|ledger, snapshot| {
        let seal = snapshot.periods["2026-10"].seal.clone().unwrap();
        assert_eq!(seal.postings, first.postings + 1, "nothing is there twice");
        assert_eq!(ledger.verify(month("2026-10")).unwrap().differences, Vec::<String>::new());
    });
}

#[tokio::test]
async fn months_are_closed_once_in_order_when_over_and_undisputed() {
    let company = Company::new(NOVEMBER).await;
    october(&company);
    let refused = |error: LedgerError| error.to_string();
    let error = refused(company.close("2026-11", NOVEMBER).await.unwrap_err());
    assert!(error.contains("not over"), "{error}");
    let name = || "2026-10".parse().unwrap();
    let (actor, by) = ("Person/ada", "ada");
    let comment = NewComment {
        cost_center: "cc-hybrid".parse().unwrap(),
        kind: CommentKind::Dispute,
        text: "The load test was not ours".to_owned(),
    };
    let early = company.store.comment(actor, by, name(), comment.clone()).await.unwrap_err();
    assert!(early.to_string().contains("draft"), "{early}");
    company.store.open_review(actor, by, name()).await.unwrap();
    company.store.comment(actor, by, name(), comment).await.unwrap();
    let error = refused(company.close("2026-10", NOVEMBER).await.unwrap_err());
    assert!(error.contains("not settled"), "{error}");
    let answer = SaidAbout::Answer("Its key belongs to your team".to_owned());
    company.store.say_about(actor, by, name(), 1, answer).await.unwrap();
    company.store.say_about(actor, by, name(), 1, SaidAbout::Settle(None)).await.unwrap();
    company.close("2026-10", NOVEMBER).await.unwrap();
    let error = refused(company.close("2026-10", NOVEMBER).await.unwrap_err());
    assert!(error.contains("is closed"), "{error}");
    let error = refused(company.close("2026-12", "2027-02-01T00:00:00Z").await.unwrap_err());
    assert!(error.contains("the next one is 2026-11"), "{error}");
}

#[tokio::test]
async fn cards_that_overlap_or_leave_a_gap_are_refused() {
    let company = Company::new(NOVEMBER).await;
    let card = |name: &str, spec: &str| format!("kind: RateCard\nname: {name}\nspec: {spec}\n");
    for (spec, says) in [
        ("{ from: 2026-01-01 }", "begins on 2026-01-01 too"),
        ("{ from: 2026-11-15 }", "the first of a month"),
        ("{ from: 2027-01-01, until: 2026-12-01 }", "a day after `from`"),
        ("{ from: 2027-01-01, currency: EUR }", "holds on 2027-01-01"),
        ("{ from: 2027-01-01, negotiated: [{ model: opus }] }", "`usd_per_million` or"),
        ("{ from: 2027-01-01, shared: [{ name: a, monthly_usd: '1', split: fixed }] }", "amounts"),
        ("{ from: 2025-01-01, until: 2026-02-01 }", "they overlap"),
        ("{ from: 2025-01-01, until: 2025-12-01 }", "no rate card holds from 2025-12-01"),
    ] {
        let error = company.apply(&card("other", spec)).await.unwrap_err();
        assert!(error.contains(says), "{spec}: {error}");
    }
    company.apply(&card("next", "{ from: 2027-01-01 }")).await.unwrap();
}

#[tokio::test]
async fn a_preview_tells_what_a_card_would_have_made() {
    let company = Company::new(NOVEMBER).await;
    october(&company);
    company.with(|ledger, snapshot| {
        let mut card = snapshot.rate_cards["rates-2026"].clone();
        card.from = "2027-01-01".parse().unwrap();
        let name = "next".parse().unwrap();
        let same = ledger.preview(month("2026-10"), &name, &card).unwrap();
        assert_eq!(same.total.amount_before_usd, same.total.amount_after_usd);
        card.shared.clear();
        card.reserved.clear();
        card.markup_percent = "-100".parse().unwrap();
        card.negotiated.clear();
        let free = ledger.preview(month("2026-10"), &name, &card).unwrap();
        assert_eq!(free.total.amount_after_usd.pico(), 0);
        assert!(free.total.amount_before_usd.pico() > 0);
        assert_eq!(free.effects.len(), 5);
    });
}
