//! The envelope of an event: CloudEvents 1.0, or none.

use serde::Deserialize;
use serde_json::value::RawValue;
use tally_types::Timestamp;

use crate::{event::bounded, items};

const ID_BYTES_MAX: usize = 256;
const SOURCE_BYTES_MAX: usize = 1_024;

/// What an envelope says, and the text of what is in it.
pub(crate) struct Envelope<'a> {
    /// Who numbered the event; none without an envelope.
    pub(crate) source: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) data: &'a str,
}

/// CloudEvents may carry any further attributes, so unknown ones are let pass.
#[derive(Deserialize)]
struct CloudEvent<'a> {
    #[serde(default)]
    specversion: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    time: Option<Timestamp>,
    #[serde(default)]
    datacontenttype: Option<String>,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    data_base64: Option<serde::de::IgnoredAny>,
}

/// Only to tell an envelope from bare data.
#[derive(Deserialize)]
struct Marker {
    #[serde(default)]
    specversion: Option<serde::de::IgnoredAny>,
}

/// Takes an item out of its envelope, if it has one.
///
/// # Errors
/// What is wrong with the envelope, for the sender.
pub(crate) fn open(item: &str) -> Result<Envelope<'_>, String> {
    let marker: Marker = items::parse(item)?;
    if marker.specversion.is_none() {
        return Ok(Envelope { source: None, id: None, time: None, data: item });
    }
    let event: CloudEvent<'_> = items::parse(item)?;
    if event.specversion.as_deref() != Some("1.0") {
        return Err("`specversion`: expected \"1.0\"".to_owned());
    }
    let required = |name: &str, value: Option<&String>, bytes_max: usize| match value {
        Some(value) => bounded(name, value, bytes_max),
        None => Err(format!("expected `{name}`, as CloudEvents 1.0 requires it")),
    };
    required("type", event.kind.as_ref(), SOURCE_BYTES_MAX)?;
    let is_json = event.datacontenttype.as_deref().is_none_or(|kind| kind.contains("json"));
    let data = match event.data {
        Some(data) if is_json => data.get(),
        _ if event.data_base64.is_some() || !is_json => {
            return Err("expected `data` as JSON, not in another encoding".to_owned());
        }
        _ => return Err("expected `data`: the usage".to_owned()),
    };
    Ok(Envelope {
        source: Some(required("source", event.source.as_ref(), SOURCE_BYTES_MAX)?),
        id: Some(required("id", event.id.as_ref(), ID_BYTES_MAX)?),
        time: event.time,
        data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_and_bare_data() {
        let event = r#"{"specversion":"1.0","id":"7","source":"/etl","type":"usage",
            "time":"2026-11-01T00:00:00Z","tenant":"x","data":{"model":"gpt-5"}}"#;
        let envelope = open(event).unwrap();
        assert_eq!(envelope.source.as_deref(), Some("/etl"));
        assert_eq!(envelope.data, r#"{"model":"gpt-5"}"#);
        assert_eq!(open(r#"{"model":"m"}"#).unwrap().source, None);
    }

    #[test]
    fn envelopes_of_other_versions_or_without_what_is_required_are_refused() {
        for event in [
            r#"{"specversion":"0.3","id":"7","source":"/etl","type":"usage","data":{}}"#,
            r#"{"specversion":1,"id":"7","source":"/etl","type":"usage","data":{}}"#,
            r#"{"specversion":"1.0","source":"/etl","type":"usage","data":{}}"#,
            r#"{"specversion":"1.0","id":"","source":"/etl","type":"usage","data":{}}"#,
            r#"{"specversion":"1.0","id":"7","type":"usage","data":{}}"#,
            r#"{"specversion":"1.0","id":"7","source":"/etl","data":{}}"#,
            r#"{"specversion":"1.0","id":"7","source":"/etl","type":"usage"}"#,
            r#"{"specversion":"1.0","id":"7","source":"/etl","type":"usage","data_base64":"e30="}"#,
            r#"{"specversion":"1.0","id":"7","source":"/etl","type":"usage","datacontenttype":"text/xml","data":"<x/>"}"#,
        ] {
            assert!(open(event).is_err(), "{event}");
        }
    }
}
