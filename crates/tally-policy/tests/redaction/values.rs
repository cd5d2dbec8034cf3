//! Values of each kind, in the forms people write them.

use crate::{identity, random::Random};

/// A value: its kind, the value itself, and what stands around it as part of its form
/// (`{}` is its place).
pub(crate) struct Made {
    pub(crate) kind: &'static str,
    pub(crate) value: String,
    pub(crate) around: &'static str,
}

pub(crate) const KINDS: [&str; 7] =
    ["email", "phone", "iban", "credit_card", "national_id", "ip_address", "secret"];

/// A value of a kind; `language` decides what is usual there.
pub(crate) fn made(kind: &'static str, language: &str, random: &mut Random) -> Made {
    let (value, around) = match kind {
        "email" => {
            (email(random), random.pick(&["{}", "{}", "<{}>", "({})", "mailto:{}", "\"{}\""]))
        }
        "phone" => phone(language, random),
        "iban" => (iban(random), random.pick(&["{}", "{}", "IBAN {}", "IBAN: {}", "({})"])),
        "credit_card" => (card(random), random.pick(&["{}", "{}", "#{}", "\"{}\"", "({})"])),
        "national_id" => identity::national_id(random),
        "ip_address" => ip(random),
        _ => secret(random),
    };
    Made { kind, value, around }
}

fn email(random: &mut Random) -> String {
    let first = random
        .pick(&["anna", "jean-luc", "Piotr", "maria", "o'neill", "søren", "li", "José", "ADA"]);
    let last = random
        .pick(&["schmidt", "dupont", "Nowak", "garcia", "rossi", "de.vries", "müller", "BYRON"]);
    let local = match random.between(0, 6) {
        0 => format!("{first}.{last}"),
        1 => format!("{first}_{last}"),
        2 => format!("{first}{}", random.between(1, 2030)),
        3 => format!("{first}+{last}"),
        4 => format!("{last}-{}", random.base62(4)),
        5 => last.to_string(),
        _ => random.base62(9),
    };
    let host =
        random.pick(&["acme", "mail.acme", "uni-köln", "x1", "very-long-company-name", "post"]);
    let ending = random.pick(&[
        "test", "com", "de", "co.uk", "fr", "es", "it", "pl", "museum", "io", "gov.br", "rs",
    ]);
    format!("{local}@{host}.{ending}")
}

fn phone(language: &str, random: &mut Random) -> (String, &'static str) {
    let anywhere: &[&str] = &[
        "+49 N### ######",
        "+49 (0)N# #### ####",
        "+49-171-#######",
        "+49151########",
        "+49 30/########",
        "+1 212 555 ####",
        "+1 (415) 555-####",
        "+1-650-555-####",
        "+1212555####",
        "+33 6 ## ## ## ##",
        "+33 1 ## ## ## ##",
        "+336########",
        "+44 20 7### ####",
        "+44 7700 ######",
        "+447700######",
        "+34 6## ### ###",
        "+34 #1 ### ## ##",
        "+39 06 N### ####",
        "+39 33# ### ####",
        "+48 6## ### ###",
        "+48 22 ### ## ##",
        "+31 6 ########",
        "+31 20 ### ####",
        "+351 #12 ### ###",
        "+55 11 #N###-####",
        "+41 44 ### ## ##",
        "+43 1 #######",
        "0049 30 #######",
        "0033 6 ## ## ## ##",
    ];
    let local: (&[&str], &[&'static str]) = match language {
        "en" => (
            &["(212) 555-####", "415-555-####", "650.555.####", "020 7### ####", "07700 ######"],
            &["{}", "call {}", "phone: {}"],
        ),
        "de" => (
            &["030 8999999", "0151 89999999", "089/8999999", "(0221) 899999", "0171-8999999"],
            &["{}", "Tel.: {}", "Telefon {}"],
        ),
        "fr" => (
            &["06 99 99 99 99", "01.99.99.99.99", "07-99-99-99-99", "0699999999"],
            &["tél. {}", "Téléphone : {}", "portable {}"],
        ),
        "es" => (
            &["699 999 999", "91 999 99 99", "699999999", "699 99 99 99"],
            &["Teléfono: {}", "tel. {}", "móvil {}"],
        ),
        "it" => (
            &["06 8999 9999", "339 999 9999", "3399999999", "02 8999999"],
            &["tel. {}", "Telefono: {}", "cellulare {}"],
        ),
        "pl" => (
            &["699 999 999", "22 999 99 99", "699999999"],
            &["tel. {}", "telefon: {}", "tel. kom. {}"],
        ),
        "nl" => (&["06-89999999", "020-8999999", "06 8999 9999"], &["tel. {}", "telefoon: {}"]),
        _ => (&["912 999 999", "(11) 98999-9999"], &["telefone: {}", "tel. {}"]),
    };
    if random.chance(60) {
        let mask = random.pick(anywhere);
        return (random.mask(mask), random.pick(&["{}", "{}", "tel:{}", "({})"]));
    }
    let mask = random.pick(local.0);
    (random.mask(mask), random.pick(local.1))
}

/// What is left of a number of any length when it is divided by 97.
fn modulo_97(text: &str) -> u32 {
    let mut rest = 0;
    for character in text.chars() {
        // A is ten, B eleven: numbers of two digits.
        for digit in character.to_digit(36).unwrap().to_string().chars() {
            rest = (rest * 10 + digit.to_digit(10).unwrap()) % 97;
        }
    }
    rest
}

pub(crate) fn iban(random: &mut Random) -> String {
    let masks: &[&str] = &[
        "DE##################",
        "FR##########@@@@@@@@@@@##",
        "GB@@@@##############",
        "ES####################",
        "IT@######################",
        "PL########################",
        "NL@@@@##########",
        "AT################",
        "CH#####@@@@@@@@@@@@",
        "BE############",
        "PT#####################",
        "SE####################",
        "NO###########",
        "IE@@@@##############",
        "FI##############",
        "LU###@@@@@@@@@@@@@",
        "DK##############",
        "CZ####################",
    ];
    let mask = random.pick(masks);
    let (country, bank) = mask.split_at(2);
    let bank = random.mask(bank);
    let check = 98 - modulo_97(&format!("{bank}{country}00"));
    let plain = format!("{country}{check:02}{bank}");
    match random.between(0, 9) {
        0..=3 => grouped(&plain, 4, " "),
        4 => grouped(&plain, 4, "\u{a0}"),
        5 => grouped(&plain, 4, "-"),
        6 => plain.to_lowercase(),
        _ => plain,
    }
}

fn grouped(text: &str, size: usize, joint: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    characters
        .chunks(size)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(joint)
}

/// Doubles every second digit from the right and adds the digits of what comes out.
fn luhn_sum(number: &str) -> u32 {
    let mut sum = 0;
    let mut doubles = false;
    for character in number.chars().rev() {
        let digit = character.to_digit(10).unwrap() * (1 + u32::from(doubles));
        sum += digit / 10 + digit % 10;
        doubles = !doubles;
    }
    sum
}

/// The number with the last digit that makes it pass.
pub(crate) fn with_luhn(front: &str) -> String {
    let tries = (0..10).map(|digit| format!("{front}{digit}"));
    tries.into_iter().find(|number| luhn_sum(number).is_multiple_of(10)).unwrap()
}

pub(crate) fn card(random: &mut Random) -> String {
    let (prefix, length) = [
        ("4", 16),
        ("4", 16),
        ("51", 16),
        ("55", 16),
        ("2221", 16),
        ("2720", 16),
        ("34", 15),
        ("37", 15),
        ("6011", 16),
        ("65", 16),
        ("3530", 16),
        ("36", 14),
        ("305", 14),
        ("62", 16),
        ("62", 19),
        ("6759", 16),
    ][random.between(0, 15) as usize];
    let rest = random.digits(length - 1 - prefix.len());
    let plain = with_luhn(&format!("{prefix}{rest}"));
    let joint = random.pick(&[" ", "-", " ", "\u{a0}", "."]);
    match (random.between(0, 2), length) {
        (0, _) => plain,
        (_, 15) => [&plain[..4], &plain[4..10], &plain[10..]].join(joint),
        (_, 14) => [&plain[..4], &plain[4..10], &plain[10..]].join(joint),
        _ => grouped(&plain, 4, joint),
    }
}

fn ip(random: &mut Random) -> (String, &'static str) {
    let around = ["{}", "{}:8443", "from {}", "http://{}/x", "[{}]", "{}/24"];
    if random.chance(30) {
        let part = |random: &mut Random| {
            let count = random.between(1, 4) as usize;
            random.hex(count)
        };
        let first = random.pick(&["2001", "2a02", "fe80", "fd12", "2606"]);
        let value = if random.chance(50) {
            let rest: Vec<String> = (0..7).map(|_| random.hex(4)).collect();
            format!("{first}:{}", rest.join(":"))
        } else {
            format!("{first}:{}::{}", part(random), random.between(1, 9_999))
        };
        return (value, random.pick(&["{}", "[{}]:443", "from {}"]));
    }
    let first = random.pick(&["10", "172", "192", "203", "85", "91", "178", "217", "54", "100"]);
    let last = random.between(1, 254);
    let value = format!("{first}.{}.{}.{last}", random.between(0, 255), random.between(50, 255));
    (value, random.pick(&around))
}

fn secret(random: &mut Random) -> (String, &'static str) {
    let quoted = random.pick(&["{}", "\"{}\"", "`{}`", "key={}", "({})"]);
    let known = match random.between(0, 19) {
        0 => format!("sk-proj-{}", random.base62(48)),
        1 => format!("sk-ant-api03-{}-{}AA", random.base62(40), random.base62(40)),
        2 => format!("sk-{}", random.base62(48)),
        3 => format!("AKIA{}", random.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
        4 => format!("ghp_{}", random.base62(36)),
        5 => format!("github_pat_{}_{}", random.base62(22), random.base62(59)),
        6 => format!("xoxb-{}-{}-{}", random.digits(12), random.digits(12), random.base62(24)),
        7 => format!("AIza{}", random.base62(35)),
        8 => format!("glpat-{}", random.base62(20)),
        9 => format!("sk_live_{}", random.base62(24)),
        10 => format!("tally_{}", random.base62(32)),
        11 => format!("npm_{}", random.base62(36)),
        12 => format!("hf_{}", random.base62(34)),
        13 => format!("eyJhbGciOiJIUzI1NiJ9.eyJ{}.{}", random.base62(40), random.base62(43)),
        _ => return assigned(random),
    };
    (known, quoted)
}

fn assigned(random: &mut Random) -> (String, &'static str) {
    let password = format!(
        "{}{}{}",
        random.pick(&["Sommer", "hunter", "Blue-Horse", "pa55", "tR0ub"]),
        random.digits(3),
        random.pick(&["!", "#x", "Z", "q"])
    );
    match random.between(0, 5) {
        0 => (
            password,
            random.pick(&[
                "password={}",
                "PASSWORD: {}",
                "\"password\": \"{}\"",
                "DB_PASSWORD='{}'",
            ]),
        ),
        1 => (
            password,
            random.pick(&["passwd = \"{}\"", "Passwort: {}", "pwd={}", "contraseña: {}"]),
        ),
        2 => (
            random.base62(32),
            random.pick(&["Authorization: Bearer {}", "api_key=\"{}\"", "client_secret: {}"]),
        ),
        3 => (
            password,
            random.pick(&["postgres://app:{}@db.internal:5432/main", "amqp://u:{}@mq/v"]),
        ),
        4 => (
            random.hex(40),
            random.pick(&["\"access_token\": \"{}\"", "SECRET_KEY={}", "apikey: {}"]),
        ),
        _ => (private_key(random), "{}"),
    }
}

fn private_key(random: &mut Random) -> String {
    let name =
        random.pick(&["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY"]);
    let lines: Vec<String> = (0..random.between(4, 20)).map(|_| random.base62(64)).collect();
    format!("-----BEGIN {name}-----\n{}\n-----END {name}-----", lines.join("\n"))
}
