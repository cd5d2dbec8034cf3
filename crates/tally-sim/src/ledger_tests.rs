use super::*;

fn record(model: &str) -> CallRecord {
    CallRecord {
        sequence: 0,
        path: "/v1/messages".to_owned(),
        credential: "abcd".to_owned(),
        model: model.to_owned(),
        request_id: String::new(),
        response_id: String::new(),
        marker: None,
        status: None,
        stream: false,
        usage: Usage { input_uncached: 10, ..Usage::default() },
        output_tokens_streamed: 0,
        output_tokens_planned: 5,
        outcome: Outcome::InFlight,
        fault: None,
    }
}

fn done(output: u64) -> Settlement {
    Settlement { outcome: Outcome::Complete, status: Some(200), output, reasoning: 0 }
}

#[test]
fn totals_stay_exact_when_calls_are_dropped() {
    let ledger = Arc::new(Ledger::new(3));
    let entries: Vec<Entry> = (0..10).map(|_| ledger.receive(record("m"))).collect();
    entries.into_iter().for_each(|entry| entry.settle(&done(5)));
    let served = ledger.served(ServedQuery::default());
    assert_eq!((served.total.calls, served.total.complete), (10, 10));
    assert_eq!((served.total.usage.input_uncached, served.total.usage.output), (100, 50));
    assert_eq!(served.totals["m"], served.total);
    assert_eq!((served.calls.len(), served.calls_dropped), (3, 7));
    let newest = ServedQuery { since: 9, ..ServedQuery::default() };
    assert_eq!(ledger.served(newest).calls[0].sequence, 10);
}

#[test]
fn a_reset_forgets_calls_in_flight() {
    let ledger = Arc::new(Ledger::new(3));
    let before = ledger.receive(record("m"));
    ledger.reset();
    before.settle(&done(5));
    let served = ledger.served(ServedQuery::default());
    assert_eq!(served.total, Totals::default());
    ledger.receive(record("m")).settle(&done(1));
    assert_eq!(ledger.served(ServedQuery::default()).calls[0].sequence, 2);
}

#[test]
fn unheard_of_models_cannot_exhaust_memory() {
    let ledger = Arc::new(Ledger::new(1));
    for number in 0..MODELS_MAX + 50 {
        drop(ledger.receive(record(&number.to_string())));
    }
    let served = ledger.served(ServedQuery { totals_only: true, ..ServedQuery::default() });
    assert_eq!(served.totals.len(), MODELS_MAX + 1);
    assert_eq!(served.totals[OTHER_MODELS].calls, 50);
}
