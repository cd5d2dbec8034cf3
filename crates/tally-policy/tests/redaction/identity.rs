//! Numbers of people, each country's with its check digits.

use crate::{random::Random, values::with_luhn};

/// A number and what stands around it.
pub(crate) fn national_id(random: &mut Random) -> (String, &'static str) {
    let plain = "{}";
    match random.between(0, 14) {
        0 => (ssn(random, "-"), random.pick(&["{}", "SSN {}", "({})"])),
        1 => (ssn(random, ""), random.pick(&["SSN: {}", "social security number {}"])),
        2 => (
            format!(
                "{}{}{}",
                random.pick(&["AB", "CE", "JH", "SN"]),
                random.digits(6),
                random.of("ABCD", 1)
            ),
            plain,
        ),
        3 => (random.mask("JG ## ## ## C"), plain),
        4 => (german(random), random.pick(&["{}", "Steuer-ID: {}"])),
        5 => (french(random), random.pick(&["{}", "NIR {}"])),
        6 => (spanish(random), random.pick(&["{}", "DNI {}"])),
        7 => (italian(random), random.pick(&["{}", "codice fiscale {}"])),
        8 => (polish(random), "PESEL {}"),
        9 => (dutch(random), "BSN: {}"),
        10 => (swedish(random), random.pick(&["{}", "personnummer {}"])),
        11 => (brazilian(random), random.pick(&["{}", "CPF {}"])),
        12 => (swiss(random), random.pick(&["{}", "AHV {}"])),
        13 => (finnish(random), plain),
        _ => (belgian(random), random.pick(&["{}", "rijksregister {}"])),
    }
}

fn numbers(text: &str) -> Vec<i64> {
    text.chars().filter_map(|character| character.to_digit(10)).map(i64::from).collect()
}

fn dot(text: &str, weights: &[i64]) -> i64 {
    numbers(text).iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn ssn(random: &mut Random, joint: &str) -> String {
    let area = random.between(1, 665);
    format!("{area:03}{joint}{:02}{joint}{:04}", random.between(1, 99), random.between(1, 9_999))
}

/// One of ten digits twice, one missing; the eleventh by ISO 7064, modulo 11, 10.
fn german(random: &mut Random) -> String {
    let mut digits: Vec<u64> = (0..10).collect();
    let (from, to) = (random.between(0, 9) as usize, random.between(0, 8) as usize);
    digits[from] = digits[(from + 1 + to) % 10];
    for index in (1..10).rev() {
        digits.swap(index, random.between(0, index as u64) as usize);
    }
    let first = digits.iter().position(|digit| *digit != 0).unwrap();
    digits.swap(0, first);
    let mut carry = 10;
    for digit in &digits {
        let mut sum = (digit + carry) % 10;
        if sum == 0 {
            sum = 10;
        }
        carry = (2 * sum) % 11;
    }
    let check = if carry == 1 { 0 } else { 11 - carry };
    let text: String = digits.iter().map(ToString::to_string).collect();
    let plain = format!("{text}{check}");
    if random.chance(40) {
        format!("{} {} {} {}", &plain[..2], &plain[2..5], &plain[5..8], &plain[8..])
    } else {
        plain
    }
}

fn french(random: &mut Random) -> String {
    let parts = [
        random.of("12", 1),
        random.digits(2),
        format!("{:02}", random.between(1, 12)),
        format!("{:02}", random.between(1, 95)),
        random.digits(3),
        random.digits(3),
    ];
    let number: u64 = parts.concat().parse().unwrap();
    let key = format!("{:02}", 97 - number % 97);
    let joint = random.pick(&[" ", ""]);
    format!("{}{joint}{key}", parts.join(joint))
}

fn spanish(random: &mut Random) -> String {
    let letters: Vec<char> = "TRWAGMYFPDXBNJZSQVHLCKE".chars().collect();
    if random.chance(30) {
        let (letter, first) = [("X", 0), ("Y", 1), ("Z", 2)][random.between(0, 2) as usize];
        let rest = random.digits(7);
        let number: u64 = format!("{first}{rest}").parse().unwrap();
        return format!("{letter}{rest}{}", letters[(number % 23) as usize]);
    }
    let number = random.digits(8);
    let joint = random.pick(&["", "-"]);
    format!("{number}{joint}{}", letters[(number.parse::<u64>().unwrap() % 23) as usize])
}

fn italian(random: &mut Random) -> String {
    let month = random.of("ABCDEHLMPRST", 1);
    let front = format!(
        "{}{}{month}{:02}{}{}",
        random.of("BCDFGLMNPRSTV", 6),
        random.digits(2),
        random.between(1, 31),
        random.of("ABCDEFGHILMZ", 1),
        random.digits(3)
    );
    // What the letters count in odd places, A to Z.
    let odd = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let mut sum = 0;
    for (index, character) in front.chars().enumerate() {
        let plain = character.to_digit(10).unwrap_or_else(|| character as u32 - 'A' as u32);
        sum += if index % 2 == 0 { odd[plain as usize] } else { plain };
    }
    format!("{front}{}", char::from(b'A' + (sum % 26) as u8))
}

fn polish(random: &mut Random) -> String {
    let front = format!(
        "{}{:02}{:02}{}",
        random.digits(2),
        random.between(1, 12),
        random.between(1, 28),
        random.digits(4)
    );
    let sum = dot(&front, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
    format!("{front}{}", (10 - sum % 10) % 10)
}

fn dutch(random: &mut Random) -> String {
    loop {
        let number = random.mask("N########");
        if dot(&number, &[9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 == 0 {
            return number;
        }
    }
}

fn swedish(random: &mut Random) -> String {
    let date =
        format!("{}{:02}{:02}", random.digits(2), random.between(1, 12), random.between(1, 28));
    let number = with_luhn(&format!("{date}{}", random.digits(3)));
    let century = random.pick(&["", "19"]);
    format!("{century}{}-{}", &number[..6], &number[6..])
}

fn brazilian(random: &mut Random) -> String {
    let mut number = random.digits(9);
    for _ in 0..2 {
        let weights: Vec<i64> = (2..=number.len() as i64 + 1).rev().collect();
        let rest = dot(&number, &weights) % 11;
        let check = if rest < 2 { 0 } else { 11 - rest };
        number = format!("{number}{check}");
    }
    format!("{}.{}.{}-{}", &number[..3], &number[3..6], &number[6..9], &number[9..])
}

fn swiss(random: &mut Random) -> String {
    let front = format!("756{}", random.digits(9));
    let sum = dot(&front, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
    let number = format!("{front}{}", (10 - sum % 10) % 10);
    format!("{}.{}.{}.{}", &number[..3], &number[3..7], &number[7..11], &number[11..])
}

fn finnish(random: &mut Random) -> String {
    let letters: Vec<char> = "0123456789ABCDEFHJKLMNPRSTUVWXY".chars().collect();
    let date =
        format!("{:02}{:02}{}", random.between(1, 28), random.between(1, 12), random.digits(2));
    let serial = format!("{:03}", random.between(2, 899));
    let number: u64 = format!("{date}{serial}").parse().unwrap();
    format!("{date}-{serial}{}", letters[(number % 31) as usize])
}

fn belgian(random: &mut Random) -> String {
    let date = [
        random.digits(2),
        format!("{:02}", random.between(1, 12)),
        format!("{:02}", random.between(1, 28)),
    ];
    let serial = format!("{:03}", random.between(1, 997));
    let number: u64 = format!("{}{serial}", date.concat()).parse().unwrap();
    format!("{}-{serial}.{:02}", date.join("."), 97 - number % 97)
}
