//! What redaction costs: a prompt of 50 KB, looked through for every kind and with every
//! value replaced; then a reply of 4 KB in 200 pieces, restored.
#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement: it stops at the first error")]

use std::{collections::BTreeSet, hint::black_box};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tally_policy::redact::{DataKind, Detector, Escaping, RedactionKey, Restorer, Vault};

const PROMPT_BYTES: usize = 50_000;
const REPLY_PIECES: usize = 200;
/// What a coding agent sends: code, a log, prose.
const PLAIN: [&str; 4] = [
    "    let total = usage.input_tokens + usage.output_tokens; // see issue #48213\n",
    "2026-11-22T10:00:00.123Z INFO settled call_id=9f86d081-884c-4d65-9a2f-eaa0c55ad015 us=5120\n",
    "Die Rechnung RE-2026-00412 über 1.299,00 € ist offen; siehe Abschnitt 4.2.1.\n",
    "{\"path\":\"src/main.rs\",\"limit\":200,\"sha\":\"2aae6c35c94fcfb415dbe95f408b9ce91ee846ed\"}\n",
];
const WITH_VALUES: [&str; 3] = [
    "Please write to ada.byron@acme.test or call +49 30 12345678.\n",
    "Konto DE89 3704 0044 0532 0130 00, Karte 4111 1111 1111 1111.\n",
    "DB_PASSWORD='hunter2-and-more' from 203.0.113.7\n",
];

/// Every `every`-th line holds values.
fn prompt(every: usize) -> String {
    let mut text = String::new();
    for line in 0.. {
        let from: &[&str] = if line % every == 0 { &WITH_VALUES } else { &PLAIN };
        text.push_str(from.get(line / every % from.len()).unwrap());
        if text.len() >= PROMPT_BYTES {
            break;
        }
    }
    text
}

fn redaction(criterion: &mut Criterion) {
    let detector = Detector::new(&BTreeSet::from(DataKind::BUILT_IN), &[]);
    let key = RedactionKey::new(b"a key of the measurement");
    let mut group = criterion.benchmark_group("redaction");
    for (name, every) in [("values in one line of 20", 20), ("values in every line", 1)] {
        let text = prompt(every);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("50 KB, {name}"), |bencher| {
            bencher.iter(|| {
                let mut vault = Vault::new(key.clone());
                for finding in detector.find(black_box(&text)) {
                    black_box(vault.placeholder(&finding.kind, &text[finding.range]));
                }
            });
        });
    }
    let mut vault = Vault::new(key);
    let placeholder = vault.placeholder(&DataKind::Email, "ada.byron@acme.test");
    let known = vault.into_restorations();
    let piece = format!("write to {}", &placeholder[..9]);
    let rest = &placeholder[9..];
    group.throughput(Throughput::Elements(REPLY_PIECES as u64));
    group.bench_function("a reply of 200 pieces, each second one in a placeholder", |bencher| {
        bencher.iter(|| {
            let mut restorer = Restorer::new(known.clone(), Escaping::Plain);
            for _ in 0..REPLY_PIECES / 2 {
                black_box(restorer.push(&piece));
                black_box(restorer.push(rest));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, redaction);
criterion_main!(benches);
