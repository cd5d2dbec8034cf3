//! What is found and what is left alone, by example; `tests/redaction` measures it.

use super::*;

fn all() -> Detector {
    Detector::new(&DataKind::BUILT_IN.into_iter().collect(), &[])
}

fn found(text: &str) -> Vec<(String, &str)> {
    let findings = all().find(text);
    findings.into_iter().map(|it| (it.kind.to_string(), &text[it.range])).collect()
}

#[test]
fn each_kind_in_the_forms_people_write() {
    for (text, kind, value) in [
        ("write to Ada.Byron+x@mail.acme.test.", "email", "Ada.Byron+x@mail.acme.test"),
        ("メールはada@acme.testです", "email", "ada@acme.test"),
        ("müller@exämple.de", "email", "müller@exämple.de"),
        ("call +49 (0)30 1234567, please", "phone", "+49 (0)30 1234567"),
        ("+12125550123", "phone", "+12125550123"),
        ("at (212) 555-0123", "phone", "(212) 555-0123"),
        ("Tel. 06 12 34 56 78", "phone", "06 12 34 56 78"),
        ("Tel.: 0151/12345678", "phone", "0151/12345678"),
        ("DE89 3704 0044 0532 0130 00", "iban", "DE89 3704 0044 0532 0130 00"),
        ("IBAN:gb82west12345698765432!", "iban", "gb82west12345698765432"),
        ("4111\u{a0}1111\u{a0}1111\u{a0}1111", "credit_card", "4111\u{a0}1111\u{a0}1111\u{a0}1111"),
        ("card 3782-822463-10005", "credit_card", "3782-822463-10005"),
        ("078-05-1120", "national_id", "078-05-1120"),
        ("QQ? no: AB 12 34 56 C", "national_id", "AB 12 34 56 C"),
        ("DNI 12345678Z", "national_id", "12345678Z"),
        ("RSSMRA85T10A562S", "national_id", "RSSMRA85T10A562S"),
        ("hetu 131052-308T", "national_id", "131052-308T"),
        ("from 203.0.113.7:443", "ip_address", "203.0.113.7"),
        ("2001:db8::8a2e:370:7334", "ip_address", "2001:db8::8a2e:370:7334"),
        ("AKIAIOSFODNN7ABCDEFG", "secret", "AKIAIOSFODNN7ABCDEFG"),
        ("password=hunter2!", "secret", "hunter2!"),
        ("postgres://app:s3cr3t@db/x", "secret", "s3cr3t"),
    ] {
        assert_eq!(found(text), [(kind.to_owned(), value)], "{text}");
    }
}

#[test]
fn what_only_looks_like_it_stays() {
    for text in [
        "version 1.2.3.4, then 10.0.19041.1 and v1.2.3.4",
        "127.0.0.1 and 0.0.0.0 and 255.255.255.0 and ::1",
        "2026-11-22T10:00:00Z, 12:30:45.123, 1763805600000",
        "9f86d081-884c-7d65-9a2f-eaa0c55ad015",
        "4111 1111 1111 1112 and DE89 3704 0044 0532 0130 01",
        "git@github.com:acme/tally.git, logo@2x.png, pkg@1.2.3, @app.route",
        "std::fs::read, abc::def, aa:bb:cc:dd:ee:ff",
        "token: String, password = getpass(), api_key: config.api_key_v2, secret=${SECRET1}",
        "ISBN 978-3-16-148410-0, EAN 4006381333931",
        "the sum is 912 345 678 in 2026",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn escapes_hide_nothing_and_are_never_split() {
    let text = r#"{"body":"Hi\nada\u0040acme.test\t4111111111111111"}"#;
    let values: Vec<&str> = found(text).into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, [r"ada\u0040acme.test", "4111111111111111"]);
    let twice = r"\\nada@acme.test";
    assert_eq!(found(twice)[0].1, "ada@acme.test");
}

#[test]
fn a_members_name_says_what_a_value_is() {
    let kind = |name: &str, value: &str| {
        all().find_member(name, value).into_iter().map(|it| it.kind.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(kind("phone", "2125550123"), ["phone"]);
    assert_eq!(kind("count", "2125550123"), Vec::<String>::new());
    assert_eq!(kind("db_password", "hunter2"), ["secret"]);
    assert_eq!(kind("ssn", "078051120"), ["national_id"]);
}

#[test]
fn patterns_come_first_and_only_where_they_are_wanted() {
    let pattern = Pattern::new("employee-id", r"\bE-\d{6}\b").unwrap();
    let own: DataKind = "employee-id".parse().unwrap();
    let with =
        Detector::new(&[own.clone(), DataKind::Email].into(), std::slice::from_ref(&pattern));
    let findings = with.find("E-123456 <ada@acme.test> +1 212 555 0123");
    assert_eq!(findings.len(), 2, "no telephone numbers were asked for");
    assert_eq!((&findings[0].kind, findings[0].range.clone()), (&own, 0..8));
    let without = Detector::new(&[DataKind::Email].into(), &[pattern]);
    assert_eq!(without.find("E-123456"), []);
    assert_eq!(Pattern::new("email", "x").unwrap_err(), PatternError::Name("email".to_owned()));
    assert_eq!(Pattern::new("own", "x*").unwrap_err(), PatternError::MatchesNothing);
    assert!(matches!(Pattern::new("own", "("), Err(PatternError::Regex(_))));
}

proptest::proptest! {
    #[test]
    fn findings_are_in_order_and_apart(text in "([a-z@. ]|[0-9 -]|\\\\u0040|\\\\n|é|\\+49|sk-)*") {
        let findings = all().find(&text);
        for finding in &findings {
            proptest::prop_assert!(text.get(finding.range.clone()).is_some_and(|it| !it.is_empty()));
        }
        proptest::prop_assert!(findings.is_sorted_by(|one, next| one.range.end <= next.range.start));
    }
}
