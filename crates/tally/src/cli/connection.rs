//! Which Tally, and who asks.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use reqwest::Url;

/// The file in the data folder that holds the first administrator's key.
const ADMIN_KEY_FILE: &str = "admin.key";
const DATA_DEFAULT: &str = "./tally-data";

/// Where Tally is and with which key to ask it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Connection {
    /// Where Tally listens
    #[arg(
        long,
        global = true,
        env = "TALLY_TO",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        help_heading = "Connection"
    )]
    pub to: Url,

    /// The key to ask with; by default the administrator's key of a local Tally's data folder
    #[arg(
        long,
        global = true,
        env = "TALLY_KEY",
        value_name = "KEY",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub key: Option<Secret>,

    /// The folder of a local Tally [default: ./tally-data]
    #[arg(
        long,
        global = true,
        env = "TALLY_DATA",
        value_name = "DIR",
        help_heading = "Connection"
    )]
    pub data: Option<PathBuf>,

    /// Print the answer as JSON, exact and unabridged
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
}

/// A key that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

/// Where the key in use came from, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// `--key` or `TALLY_KEY`.
    Given,
    /// The data folder.
    File(PathBuf),
    /// Nowhere: what was looked for.
    Missing(String),
}

// === impl Secret ===

impl Secret {
    /// The text, for a header.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FromStr for Secret {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err("expected a key, got nothing");
        }
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err("a key is printable ASCII without spaces");
        }
        Ok(Self(text.to_owned()))
    }
}

// === impl Connection ===

impl Connection {
    /// The data folder, when someone named one.
    pub(crate) fn data_if_given(&self) -> Option<PathBuf> {
        self.data.clone()
    }

    /// The key to ask with and where it came from.
    pub(crate) fn key(&self) -> (Option<Secret>, KeySource) {
        if let Some(key) = &self.key {
            return (Some(key.clone()), KeySource::Given);
        }
        if !is_local(&self.to) {
            // The key of a local Tally is none of another host's business.
            let missing = format!("no key was given for {}", self.to);
            return (None, KeySource::Missing(missing));
        }
        let data = self.data_if_given().unwrap_or_else(|| DATA_DEFAULT.into());
        let path = data.join(ADMIN_KEY_FILE);
        match read_key(&path) {
            Ok(key) => (Some(key), KeySource::File(path)),
            Err(why) => {
                let missing = format!("no key was given, and {} {why}", path.display());
                (None, KeySource::Missing(missing))
            }
        }
    }
}

fn read_key(path: &Path) -> Result<Secret, String> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        _ => format!("cannot be read: {error}"),
    })?;
    text.parse().map_err(|why| format!("holds no key: {why}"))
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = |ip: std::net::IpAddr| ip.is_loopback();
    host == "localhost" || host.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(to: &str, data: &Path, key: Option<&str>) -> Connection {
        Connection {
            to: to.parse().unwrap(),
            key: key.map(|key| key.parse().unwrap()),
            data: Some(data.to_owned()),
            json: false,
        }
    }

    #[test]
    fn the_admin_key_is_read_for_a_local_tally_only() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("admin.key"), "tally_secret\n").unwrap();
        for local in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            let (key, source) = connection(local, folder.path(), None).key();
            assert_eq!(key.unwrap().expose(), "tally_secret", "{local}");
            assert!(matches!(source, KeySource::File(_)));
        }
        let (key, source) = connection("https://tally.acme.test", folder.path(), None).key();
        assert_eq!(key, None);
        assert!(matches!(source, KeySource::Missing(_)));
    }

    #[test]
    fn a_key_that_is_given_wins_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("admin.key"), "tally_file").unwrap();
        let connection = connection("http://127.0.0.1:1", folder.path(), Some("tally_given"));
        assert_eq!(connection.key().0.unwrap().expose(), "tally_given");
        assert!(!format!("{connection:?}").contains("tally_given"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (_, source) = connection("http://127.0.0.1:1", folder.path(), None).key();
        let KeySource::Missing(text) = source else { panic!("{source:?}") };
        assert!(text.ends_with("admin.key does not exist"), "{text}");
    }

    #[test]
    fn a_key_that_no_header_can_carry_is_refused() {
        for bad in ["", " ", "a b", "a\nb", "schlüssel"] {
            assert!(bad.parse::<Secret>().is_err(), "{bad:?}");
        }
    }
}
