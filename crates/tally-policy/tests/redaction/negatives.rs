//! Files that hold nothing of what is looked for: source code, tool calls, logs, tables
//! and prose, full of numbers and names that look a little like it.

use crate::random::Random;

/// A made-up file.
pub(crate) struct File {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

pub(crate) const FILES: usize = 640;

const WORDS: &[&str] = &[
    "order", "invoice", "parcel", "meter", "budget", "token", "secret", "password", "account",
    "phone", "address", "client", "server", "batch", "retry", "window", "call", "card", "status",
    "payload",
];

const RUST: &[&str] = &[
    "use std::{{collections::BTreeMap, sync::Arc}};",
    "pub(crate) fn {w}_{w}(id: u64) -> Result<(), Error> {{",
    "    let {w} = self.{w}.get({n}).copied().unwrap_or_default();",
    "    const MASK: u32 = 0x{h8};",
    "    assert_eq!({w}.len(), {n}, \"expected {n} of {w}\");",
    "    let token: Token = lexer.next_token()?;",
    "    if password.is_empty() {{ return Err(Error::PasswordMissing); }}",
    "#[derive(Debug, Clone, PartialEq)]",
    "    // See RFC 7231, section 6.5.1, and issue #{n}.",
    "    let range = {n}..{n};",
    "{w}::{w}::new(0b1010_1100, {n}_000)",
    "    secret: SecretSource,",
    "    let api_key = config.provider.api_key.as_deref();",
    "    std::net::Ipv4Addr::LOCALHOST",
    "pub const VERSION: &str = \"{n}.{n}.{n}\";",
    "    let hash = hex!(\"{h64}\");",
    "fn sip(a: &a::b::Cd) -> fe::fd::X {{ x }}",
];
const PYTHON: &[&str] = &[
    "import os, sys, json",
    "from .{w} import {W}, {w}_{w}",
    "@app.route(\"/{w}/<int:id>\")",
    "@pytest.fixture(scope=\"module\")",
    "    password = getpass.getpass()",
    "    token = os.environ[\"API_TOKEN\"]",
    "    return [{n}, {n}, {n}, {n}]",
    "    secret = settings.SECRET_KEY",
    "    api_key: str | None = None",
    "    x = {n}.{n} * matrix @ weights.T",
    "    print(f\"{w}: {{{w}.total:,.2f}} of {n}\")",
    "def {w}(self, token: str, *, limit: int = {n}) -> None:",
    "requests=={n}.{n}.{n}.{n}",
    "    logger.info(\"call %s took %d ms\", call_id, {n})",
    "    seed = {n13}",
    "    phone: Optional[str]",
];
const SCRIPT: &[&str] = &[
    "import {{ {w} }} from '@acme/{w}';",
    "const {w} = await fetch(`/api/v1/${{{w}}}`);",
    "export default function {W}({{ token }}) {{",
    "  const password = form.get('password');",
    "  .{w}-{w} {{ margin: {n}px; color: #{h6}; }}",
    "  \"{w}\": \"^{n}.{n}.{n}\",",
    "  \"integrity\": \"sha512-{b86}==\",",
    "  \"resolved\": \"https://registry.npmjs.org/{w}/-/{w}-{n}.{n}.{n}.tgz\",",
    "  background: url('{w}@2x.png');",
    "  setTimeout(() => {w}(), {n}_000);",
    "  if (token === null) throw new Error('no token');",
    "  const id = '{u}';",
    "<path d=\"M{n}.{n} {n}.{n}l{n} {n} {n}-{n}\" />",
    "  apiKey: process.env.API_KEY,",
    "  secret: string;",
];
const CALLS: &[&str] = &[
    "{{\"type\":\"tool_use\",\"id\":\"toolu_01{b22}\",\"name\":\"{w}_{w}\",\"input\":{{\"path\":\"src/{w}.rs\",\"limit\":{n}}}}}",
    "{{\"id\":\"call_{b24}\",\"type\":\"function\",\"function\":{{\"name\":\"{w}\",\"arguments\":\"{{\\\"days\\\":{n},\\\"unit\\\":\\\"C\\\"}}\"}}}}",
    "{{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_01{b22}\",\"content\":\"{n} rows in {n} ms\\n{w}\\tok\"}}",
    "{{\"usage\":{{\"input_tokens\":{n},\"output_tokens\":{n},\"cache_read_input_tokens\":{n5}}},\"created\":{n10}}}",
    "{{\"lat\":{n}.{n6},\"lon\":-{n}.{n6},\"bbox\":[{n}.{n5},{n}.{n5},{n}.{n5},{n}.{n5}]}}",
    "{{\"commit\":\"{h40}\",\"parents\":[\"{h40}\"],\"date\":\"{d}T{t}Z\"}}",
    "{{\"order_id\":{n8},\"amount_cents\":{n5},\"currency\":\"EUR\"}}",
    "{{\"trace_id\":\"{h32}\",\"span_id\":\"{h16}\",\"duration_ns\":{n10}}}",
    "{{\"session\":\"{u}\",\"tokens\":[{n},{n},{n}],\"password_set\":true}}",
];
const LOGS: &[&str] = &[
    "{d}T{t}.{n3}Z INFO tally_gateway::call: settled call_id={u} latency_us={n5}",
    "{d} {t},{n3} WARN [{w}-worker-{n}] retry {n} of {n}: timeout after {n5} ms",
    "[{n}.{n6}] usb 1-1.{n}: new high-speed USB device number {n}",
    "level=error msg=\"token expired\" id={u} status=401",
    "{t} pid={n5} rss={n8} vsz={n8} cpu={n}.{n}%",
    "GET /api/v1/{w}/{n8} HTTP/1.1 200 {n5} \"-\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/124.0.{n4}.{n} Safari/537.36\"",
    "   Compiling {w}-{w} v{n}.{n}.{n}",
    "kernel: [{n5}.{n6}] CPU{n}: Core temperature above threshold",
    "commit {h40}",
    "index {h7}..{h7} 100644",
    "listening on 127.0.0.1:{n4} and [::1]:{n4}",
    "sha256:{h64}  {w}.tar.gz",
    "00000{h3}: {h4} {h4} {h4} {h4} {h4} {h4} {h4} {h4}",
    "span={h16} mac=02:42:ac:{h2}:{h2}:{h2}",
];
const TABLES: &[&str] = &[
    "{d},{w},{n},{n}.{n2},{n5},{n8}",
    "{n};{n}.{n3},{n2};{w};{n} {n3} {n3};EUR",
    "| {w} | {n} | {n}.{n} % | {n5} |",
    "{u}\t{n}\t{n10}\t{w}",
    "SKU-{n5}-{n3};{w};{n13};{n}",
    "{n3} {n3} {n3}\t{n4} {n4}\t{d}",
    "INSERT INTO {w} VALUES ({n}, '{w}', {n}.{n2}, '{d} {t}');",
    "10.{n5}/{w}.{d}.{n6}",
];
const PROSE: [(&str, &[&str]); 7] = [
    (
        "en",
        &[
            "In {y} the company sold {n} units, {n} per cent more than in {y}.",
            "Call volume rose from {n} to {n} after release {n}.{n}.{n}.",
            "The password policy asks for twelve characters; tokens expire after {n} days.",
            "See pages {n}-{n} and table {n}.{n}.",
            "Our phone line is open from 9:00 to 17:30.",
            "The secret: bake it at {n} degrees for {n} minutes.",
        ],
    ),
    (
        "de",
        &[
            "Im Jahr {y} wurden {n} Stück verkauft, {n} Prozent mehr als {y}.",
            "Die Telefonanlage wird am {n}.{n}. gewartet.",
            "Das Passwort ist nach {n} Tagen zu ändern.",
            "Paragraf {n} Absatz {n} Satz {n} gilt entsprechend.",
            "Der Betrag von {n}.{n3},{n2} € ist fällig.",
        ],
    ),
    (
        "fr",
        &[
            "En {y}, {n} unités ont été vendues, soit {n} % de plus.",
            "Le mot de passe expire au bout de {n} jours.",
            "L'appel d'offres n° {y}-{n4} est clos.",
            "Le total de {n} {n3},{n2} € est dû.",
        ],
    ),
    (
        "es",
        &[
            "En {y} se vendieron {n} unidades, un {n} % más.",
            "La contraseña caduca a los {n} días.",
            "El artículo {n}.{n} se aplica desde {y}.",
            "El importe asciende a {n}.{n3},{n2} €.",
        ],
    ),
    (
        "it",
        &[
            "Nel {y} sono state vendute {n} unità, il {n} % in più.",
            "La password scade dopo {n} giorni.",
            "L'articolo {n}, comma {n}, resta in vigore.",
        ],
    ),
    (
        "pl",
        &[
            "W {y} roku sprzedano {n} sztuk, o {n} % więcej.",
            "Hasło wygasa po {n} dniach.",
            "Rozdział {n}.{n} opisuje wyjątki.",
        ],
    ),
    (
        "ja",
        &[
            "{y}年に{n}個が売れ、{n}%増えた。",
            "パスワードは{n}日後に失効する。",
            "第{n}章{n}.{n}節を参照。",
        ],
    ),
];

/// The files, the same every time.
pub(crate) fn files() -> Vec<File> {
    let mut random = Random::new(7);
    (0..FILES).map(|index| file(index, &mut random)).collect()
}

fn file(index: usize, random: &mut Random) -> File {
    let (kind, lines): (&'static str, &[&str]) = match index % 8 {
        0 => ("source, Rust", RUST),
        1 => ("source, Python", PYTHON),
        2 => ("source, JavaScript", SCRIPT),
        3 => ("tool calls", CALLS),
        4 => ("logs", LOGS),
        5 => ("tables", TABLES),
        _ => ("prose", PROSE[index / 8 % PROSE.len()].1),
    };
    let joint = if kind == "prose" { " " } else { "\n" };
    let count = random.between(20, 60);
    let lines: Vec<String> = (0..count).map(|_| filled(random.pick(lines), random)).collect();
    File { kind, text: lines.join(joint) }
}

/// Fills a line: `{w}` a word, `{n}` a small number, `{n8}` one of eight digits, `{h7}` hex.
fn filled(line: &str, random: &mut Random) -> String {
    let line = line.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut text = String::new();
    let mut rest = line.as_str();
    while let Some((before, behind)) = rest.split_once('{') {
        let (slot, after) = behind.split_once('}').unwrap();
        text.push_str(before);
        text.push_str(&slot_text(slot, random));
        rest = after;
    }
    text.push_str(rest);
    text.replace('\u{1}', "{").replace('\u{2}', "}")
}

fn slot_text(slot: &str, random: &mut Random) -> String {
    let (kind, count) = slot.split_at(1);
    let count: usize = count.parse().unwrap_or(0);
    match (kind, count) {
        ("w", _) => random.pick(WORDS).to_owned(),
        ("W", _) => {
            let word = random.pick(WORDS);
            format!("{}{}", word[..1].to_uppercase(), &word[1..])
        }
        ("n", 0) => random.between(0, 999).to_string(),
        ("n", count) => format!("{}{}", random.between(1, 9), random.digits(count - 1)),
        ("h", count) => random.hex(count),
        ("b", count) => random.base62(count),
        ("y", _) => random.between(1990, 2026).to_string(),
        ("d", _) => format!("2026-{:02}-{:02}", random.between(1, 12), random.between(1, 28)),
        ("t", _) => format!(
            "{:02}:{:02}:{:02}",
            random.between(0, 23),
            random.between(0, 59),
            random.between(0, 59)
        ),
        ("u", _) => random.uuid(),
        _ => panic!("no such slot: {slot}"),
    }
}
