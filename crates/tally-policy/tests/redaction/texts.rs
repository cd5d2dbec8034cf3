//! Texts in eight languages with known values in them, and with what only looks like one.

use std::ops::Range;

use crate::{
    random::Random,
    values::{KINDS, card, iban, made},
};

/// A text and what stands in it.
pub(crate) struct Sample {
    pub(crate) language: &'static str,
    pub(crate) text: String,
    pub(crate) known: Vec<(&'static str, Range<usize>)>,
}

pub(crate) const TEXTS: u64 = 2_400;

/// How people lead up to a value: any kind, then by kind.
struct Language {
    name: &'static str,
    carriers: &'static [&'static str],
    fillers: &'static [&'static str],
}

const LANGUAGES: [Language; 8] = [
    Language {
        name: "en",
        carriers: &[
            "Please note {} for this request.",
            "The customer gave us {} yesterday.",
            "Details: {}.",
            "Could you check {}, thanks?",
            "He wrote {} and asked for a refund.",
        ],
        fillers: &[
            "The parcel has not arrived yet.",
            "We shipped order 2024-118-77 on 12/03/2026.",
            "Total: 1,299.00 USD for 3 items.",
            "See ticket #48213 for the history.",
        ],
    },
    Language {
        name: "de",
        carriers: &[
            "Bitte {} im Vorgang vermerken.",
            "Der Kunde nannte {} am Montag.",
            "Angaben: {}.",
            "Können Sie {} prüfen?",
            "Laut Schreiben gilt {} weiterhin.",
        ],
        fillers: &[
            "Die Lieferung vom 03.11.2026 fehlt.",
            "Rechnung RE-2026-00412 über 1.299,00 € ist offen.",
            "Für Größe und Gewicht gilt Tabelle 4.2.1.",
            "Der Vorgang 77120938 wurde geschlossen.",
        ],
    },
    Language {
        name: "fr",
        carriers: &[
            "Merci de noter {} dans le dossier.",
            "Le client a donné {} hier.",
            "Coordonnées : {}.",
            "Pouvez-vous vérifier {} ?",
            "D'après la lettre, {} reste valable.",
        ],
        fillers: &[
            "La commande n° 2026-5512 est arrivée à 14:35.",
            "Le total s'élève à 1 299,00 €.",
            "Voir l'article L. 121-3 du code.",
            "L'été dernier, rien n'a changé.",
        ],
    },
    Language {
        name: "es",
        carriers: &[
            "Anote {} en el expediente.",
            "El cliente indicó {} ayer.",
            "Datos: {}.",
            "¿Puede comprobar {}?",
            "Según la carta, {} sigue vigente.",
        ],
        fillers: &[
            "El pedido 2026/5512 llegó el 03-11-2026.",
            "El importe es de 1.299,00 €.",
            "Véase el apartado 3.4.2.",
            "Ningún cambio desde el año pasado.",
        ],
    },
    Language {
        name: "it",
        carriers: &[
            "Annotare {} nella pratica.",
            "Il cliente ha indicato {} ieri.",
            "Dati: {}.",
            "Può verificare {}?",
            "Secondo la lettera, {} resta valido.",
        ],
        fillers: &[
            "L'ordine 2026-5512 è arrivato alle 14:35.",
            "Il totale è di 1.299,00 €.",
            "Si veda la sezione 3.4.2.",
            "Perché nulla è cambiato?",
        ],
    },
    Language {
        name: "pl",
        carriers: &[
            "Proszę zapisać {} w sprawie.",
            "Klient podał {} wczoraj.",
            "Dane: {}.",
            "Czy można sprawdzić {}?",
            "Według listu {} nadal obowiązuje.",
        ],
        fillers: &[
            "Zamówienie 2026/5512 dotarło 03.11.2026.",
            "Razem 1 299,00 zł.",
            "Zobacz rozdział 3.4.2.",
            "Nic się nie zmieniło od zeszłego roku.",
        ],
    },
    Language {
        name: "nl",
        carriers: &[
            "Noteer {} in het dossier.",
            "De klant gaf {} gisteren.",
            "Gegevens: {}.",
            "Kunt u {} controleren?",
            "Volgens de brief geldt {} nog.",
        ],
        fillers: &[
            "Bestelling 2026-5512 kwam om 14:35 aan.",
            "Het totaal is € 1.299,00.",
            "Zie paragraaf 3.4.2.",
            "Er is niets veranderd.",
        ],
    },
    Language {
        name: "pt",
        carriers: &[
            "Anote {} no processo.",
            "O cliente informou {} ontem.",
            "Dados: {}.",
            "Pode verificar {}?",
            "Segundo a carta, {} continua válido.",
        ],
        fillers: &[
            "O pedido 2026/5512 chegou às 14:35.",
            "O total é de R$ 1.299,00.",
            "Ver secção 3.4.2.",
            "Nada mudou desde o ano passado.",
        ],
    },
];

/// The seed of the corpus that is documented.
pub(crate) const SEED: u64 = 20_261_122;

/// The corpus of a seed, the same every time.
pub(crate) fn corpus(seed: u64) -> Vec<Sample> {
    let mut random = Random::new(seed);
    (0..TEXTS).map(|index| sample(index, &mut random)).collect()
}

fn sample(index: u64, random: &mut Random) -> Sample {
    let language = &LANGUAGES[(index % 8) as usize];
    let mut sample = Sample { language: language.name, text: String::new(), known: Vec::new() };
    let joint = random.pick(&[" ", "\n", " ", "\n\n", "\n- "]);
    for _ in 0..random.between(2, 7) {
        if !sample.text.is_empty() {
            sample.text.push_str(joint);
        }
        match random.between(0, 9) {
            0..=5 => {
                let kind = KINDS[random.between(0, 6) as usize];
                add(&mut sample, kind, language, random);
            }
            6 | 7 => sample.text.push_str(random.pick(language.fillers)),
            _ => {
                let near = near_miss(random);
                sample.text.push_str(&random.pick(language.carriers).replace("{}", &near));
            }
        }
    }
    sample
}

fn add(sample: &mut Sample, kind: &'static str, language: &Language, random: &mut Random) {
    let made = made(kind, language.name, random);
    let carrier = match random.between(0, 4) {
        0 => random.pick(&["{}", "| {} | 3 | ok |", "{};ok;17", "> {}", "\t{}"]),
        _ => random.pick(language.carriers),
    };
    let (before, after) = carrier.split_once("{}").unwrap();
    let (left, right) = made.around.split_once("{}").unwrap();
    sample.text.push_str(before);
    sample.text.push_str(left);
    let start = sample.text.len();
    sample.text.push_str(&made.value);
    sample.known.push((made.kind, start..sample.text.len()));
    sample.text.push_str(right);
    sample.text.push_str(after);
}

/// What looks like a value and is none: a wrong check digit, a version, an id.
pub(crate) fn near_miss(random: &mut Random) -> String {
    match random.between(0, 13) {
        0 => with_other_last(&card(random)),
        1 => with_other_last(&iban(random)),
        2 => format!(
            "version {}.{}.{}.{}",
            random.between(0, 30),
            random.between(0, 99),
            random.between(0, 255),
            random.between(0, 255)
        ),
        3 => format!(
            "v{}.{}.{}",
            random.between(0, 30),
            random.between(0, 99),
            random.between(0, 99)
        ),
        4 => random.uuid(),
        5 => random.hex(40),
        6 => format!(
            "2026-{:02}-{:02}T{:02}:30:{:02}.123Z",
            random.between(1, 12),
            random.between(1, 28),
            random.between(0, 23),
            random.between(0, 59)
        ),
        7 => format!("17{}", random.digits(11)),
        8 => format!(
            "@{}.{}",
            random.pick(&["app", "pytest", "Component"]),
            random.pick(&["route", "fixture", "test"])
        ),
        9 => format!("{}@2x.png", random.pick(&["logo", "icon"])),
        10 => format!("git@github.com:acme/{}.git", random.hex(6)),
        11 => random.mask("ISBN 978-N-##-######-#"),
        12 => format!(
            "{}@{}.{}.{}",
            random.pick(&["serde", "left-pad", "react"]),
            random.between(0, 20),
            random.between(0, 40),
            random.between(0, 99)
        ),
        _ => format!("127.0.0.1:{}", random.between(1_024, 65_000)),
    }
}

fn with_other_last(value: &str) -> String {
    let mut changed = value.to_owned();
    let last = changed.pop().unwrap();
    changed.push(match last {
        '9' => '0',
        digit if digit.is_ascii_digit() => char::from(digit as u8 + 1),
        'A' | 'a' => 'B',
        _ => 'A',
    });
    changed
}
