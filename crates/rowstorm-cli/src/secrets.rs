//! Passwords: read raw from the environment, kept out of figment (whose errors print values), and taken out of
//! everything that is printed.

use std::fmt;

use crate::exit::{Failure, Result};

/// The variables that hold secrets.
pub(crate) const VARIABLES: [&str; 3] =
    ["ROWSTORM_USERNAME", "ROWSTORM_PASSWORD", "ROWSTORM_PASSWORD_FILE"];

/// User and password from the environment; `Debug` shows neither.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Secrets {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
}

impl Secrets {
    /// Reads [`VARIABLES`] with `variable`. The file of `ROWSTORM_PASSWORD_FILE` may end in a newline.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Secrets> {
        let username = variable("ROWSTORM_USERNAME").filter(|name| !name.is_empty());
        let password = variable("ROWSTORM_PASSWORD").filter(|word| !word.is_empty());
        let file = variable("ROWSTORM_PASSWORD_FILE").filter(|path| !path.is_empty());
        let password = match (password, file) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage(
                    "ROWSTORM_PASSWORD and ROWSTORM_PASSWORD_FILE are both set",
                )
                .help("unset one of them"));
            }
            (password, None) => password,
            (None, Some(path)) => {
                let text = std::fs::read_to_string(&path).map_err(|cause| {
                    Failure::io(format!("ROWSTORM_PASSWORD_FILE: cannot read {path}"), &cause)
                })?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
        };
        Ok(Secrets { username, password })
    }

    pub(crate) fn from_environment() -> Result<Secrets> {
        Secrets::read(|name| std::env::var(name).ok())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secrets(***)")
    }
}

/// Takes passwords out of a text: `://user:password@` of every URL in it, well-formed or not.
///
/// A bad URL is where passwords leak, so this does not parse: everything from the first `:` behind `://` up to the last
/// `@` of the URL is a password; without an `@`, everything behind that `:` unless it is a port.
pub(crate) fn redact(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let (word, behind) = after.split_at(url_end(after));
        clean.push_str(&redact_authority(word));
        rest = behind;
    }
    clean.push_str(rest);
    clean
}

/// Where the rest of a URL ends: at a blank, unless an `@` shows that the blank belongs to a password.
fn url_end(text: &str) -> usize {
    let most = text.find(['\'', '"', '`', '\n']).unwrap_or(text.len());
    let most = text[..most].find("://").unwrap_or(most);
    let word = text[..most].find(char::is_whitespace).unwrap_or(most);
    text[word..most].rfind('@').map_or(word, |at| {
        let behind = word + at;
        text[behind..most].find(char::is_whitespace).map_or(most, |blank| behind + blank)
    })
}

/// Whether a URL looks as if a password stood in it: before an `@`, or in an option of such a name.
pub(crate) fn holds_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let options = rest.split_once('?').map_or("", |(_, options)| options).to_ascii_lowercase();
    rest.rsplit_once('@').is_some_and(|(who, _)| who.contains(':')) || options.contains("pass")
}

/// `user:***@host`; options go, too: one of them may be a password.
fn redact_authority(word: &str) -> String {
    let behind_user = word.rfind('@').unwrap_or(0);
    let (word, options) = match word[behind_user..].find('?') {
        Some(mark) => (&word[..behind_user + mark], "?***"),
        None => (word, ""),
    };
    let Some(colon) = word.find(':') else { return format!("{word}{options}") };
    let (user, secret) = word.split_at(colon);
    if let Some(at) = secret.rfind('@') {
        return format!("{user}:***{}{options}", &secret[at..]);
    }
    // A sentence goes on behind a URL.
    let secret = secret.trim_end_matches([':', ',', '.', ';', ')']);
    let ports = secret.get(1..).unwrap_or_default().split(['/', '#']).next().unwrap_or_default();
    if user.contains(['/', '[']) || is_ports(ports) {
        format!("{word}{options}")
    } else {
        format!("{user}:***{options}")
    }
}

/// `4200`, or with more hosts behind it `4200,second:4200`.
fn is_ports(text: &str) -> bool {
    let is_port = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let mut hosts = text.split(',');
    hosts.next().is_some_and(is_port)
        && hosts.all(|host| host.rsplit_once(':').is_some_and(|(_, port)| is_port(port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(list: &[(&str, &str)]) -> Result<Secrets> {
        let list: Vec<(String, String)> =
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Secrets::read(|name| list.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()))
    }

    #[test]
    fn a_numeric_password_stays_text_and_debug_hides_it() {
        let secrets = from(&[("ROWSTORM_PASSWORD", "12345"), ("ROWSTORM_USERNAME", "7")]).unwrap();
        assert_eq!(secrets.password.as_deref(), Some("12345"));
        assert!(!format!("{secrets:?}").contains("12345"));
    }

    #[test]
    fn a_password_file_loses_its_newline_only() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " with space \n").unwrap();
        let secrets = from(&[("ROWSTORM_PASSWORD_FILE", file.path().to_str().unwrap())]).unwrap();
        assert_eq!(secrets.password.as_deref(), Some(" with space "));
        assert!(
            from(&[("ROWSTORM_PASSWORD_FILE", "/nowhere"), ("ROWSTORM_PASSWORD", "x")]).is_err()
        );
    }

    #[test]
    fn only_urls_with_a_password_are_warned_of() {
        for url in ["x://u:pw@h/db", "x://u:p/w@h", "x://u:p?w@h", "x://h/db?sslpassword=pw"] {
            assert!(holds_password(url), "{url}");
        }
        for url in ["x://u@h:1/db", "x://h/db?sslmode=require", "x://a:1,b:2/db?w=1", "sqlite:a.db"]
        {
            assert!(!holds_password(url), "{url}");
        }
    }

    #[test]
    fn passwords_leave_every_url_good_or_bad() {
        for (text, clean) in [
            ("postgres://u:pw@h:5432/db", "postgres://u:***@h:5432/db"),
            ("--to 'postgres://u:p@ss/w:rd@h/db' bad", "--to 'postgres://u:***@h/db' bad"),
            ("postgres://u:s3cret", "postgres://u:***"),
            ("postgres://h:5432/db", "postgres://h:5432/db"),
            ("postgres://h:5432", "postgres://h:5432"),
            ("crate://h:4200: nobody there", "crate://h:4200: nobody there"),
            ("crate://a:4200,b:4201, twice", "crate://a:4200,b:4201, twice"),
            ("crate://a:12,s3cret", "crate://a:***"),
            ("postgres://:pw@h", "postgres://:***@h"),
            (
                "http://127.0.0.1:8000/metrics and pg://a:b@c",
                "http://127.0.0.1:8000/metrics and pg://a:***@c",
            ),
            ("an 'x://u:a b1 2@h' word", "an 'x://u:***@h' word"),
            ("x://u:12 34@h:1 word", "x://u:***@h:1 word"),
            ("x://h:1/db?password=pw&user=u", "x://h:1/db?***"),
            ("x://u:p?w@h/db?user=u", "x://u:***@h/db?***"),
            ("no url: at@all", "no url: at@all"),
        ] {
            assert_eq!(redact(text), clean);
        }
    }
}
