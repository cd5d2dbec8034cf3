//! Imports of small files with every case, as golden files.

use tally_pricing::import::{
    Format, Import, ImportError, Options, detect, import, litellm, models_dev, render,
};
use tally_types::spec::PriceListSpec;

const LITELLM: &str = include_str!("fixtures/litellm.json");
const MODELS_DEV: &str = include_str!("fixtures/models-dev.json");

pub(crate) fn options(providers: Option<&[&str]>) -> Options {
    Options {
        source: "a fixture".to_owned(),
        as_of: "2026-11-20".parse().unwrap(),
        providers: providers.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
    }
}

/// The list and the remarks, one per line.
fn shown(import: &Import) -> String {
    let mut text = render(&import.list).unwrap();
    for (what, remarks) in [("skipped", &import.skipped), ("note", &import.notes)] {
        for remark in remarks {
            text += &format!("{what}: {} {}: {}\n", remark.provider, remark.model, remark.reason);
        }
    }
    text
}

#[test]
fn litellm_golden() {
    let import = litellm(LITELLM, &options(None)).unwrap();
    insta::assert_snapshot!("litellm", shown(&import));
    let back: PriceListSpec = serde_json::from_str(&render(&import.list).unwrap()).unwrap();
    assert_eq!(back, import.list);
}

#[test]
fn models_dev_golden() {
    let import = models_dev(MODELS_DEV, &options(None)).unwrap();
    insta::assert_snapshot!("models-dev", shown(&import));
}

#[test]
fn only_the_providers_asked_for() {
    for (format, file) in [(Format::LiteLlm, LITELLM), (Format::ModelsDev, MODELS_DEV)] {
        let import = import(format, file, &options(Some(&["anthropic"]))).unwrap();
        let others = import.list.entries.iter().any(|entry| entry.provider != "anthropic")
            || import.skipped.iter().any(|skipped| skipped.provider != "anthropic");
        assert!(!others && !import.list.entries.is_empty());
    }
}

#[test]
fn a_provider_that_the_file_does_not_have_is_an_error_that_names_those_it_has() {
    let error = litellm(LITELLM, &options(Some(&["openai", "opnai"]))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file has no provider `opnai`; it has acme, anthropic, gemini, openai"
    );
    let error = models_dev(MODELS_DEV, &options(Some(&["gemini"]))).unwrap_err();
    assert!(matches!(error, ImportError::UnknownProvider { .. }));
}

#[test]
fn a_format_is_known_by_its_shape() {
    assert_eq!(detect(LITELLM), Some(Format::LiteLlm));
    assert_eq!(detect(MODELS_DEV), Some(Format::ModelsDev));
    for other in ["", "{}", "[]", "null", "{\"a\": {\"b\": 1}}", "{\"a\": 1}", "{\"a\""] {
        assert_eq!(detect(other), None, "{other}");
    }
    for format in Format::ALL {
        assert_eq!(format.as_str().parse::<Format>().unwrap(), *format);
    }
    assert!("csv".parse::<Format>().unwrap_err().contains("litellm, models-dev"));
}

#[test]
fn one_format_is_not_taken_for_the_other() {
    let error = litellm(MODELS_DEV, &options(None)).unwrap_err();
    assert_eq!(error, ImportError::NotFormat(Format::LiteLlm));
    let error = models_dev(LITELLM, &options(None)).unwrap_err();
    assert_eq!(error, ImportError::NotFormat(Format::ModelsDev));
}
