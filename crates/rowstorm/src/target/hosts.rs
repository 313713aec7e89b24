//! URLs with several hosts, which are no URLs to a parser: `mongodb://a:27017,b:27017/shop`.

/// Such a URL without user, password and options; `None` unless every part is what it should be, since a password with a
/// `/` or an `@` that nobody escaped can stand anywhere.
pub(super) fn redacted(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let database = tail.split_once('?').map_or(tail, |(database, _)| database);
    let named = database.chars().all(|c| c.is_alphanumeric() || "/-_%".contains(c));
    (hosts.split(',').all(is_host) && named).then(|| format!("{scheme}://{hosts}{database}"))
}

/// `name`, `name:port`, `[address]`, `[address]:port`, or a socket's path with its `/` as `%2F`.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_named = match address {
        Some(address) => address.chars().all(|c| c.is_ascii_hexdigit() || ":.%".contains(c)),
        None => !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-._%".contains(c)),
    };
    is_named && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_database_are_left() {
        for (text, left) in [
            ("mongodb://h", "mongodb://h"),
            ("mongodb://u:p@h:1,i:2/db?w=majority", "mongodb://h:1,i:2/db"),
            ("mongodb+srv://u@cluster.example.org/?tls=true", "mongodb+srv://cluster.example.org/"),
            ("mongodb://u:p%40@[::1]:27017", "mongodb://[::1]:27017"),
            ("mongodb://%2Ftmp%2Fmongodb.sock", "mongodb://%2Ftmp%2Fmongodb.sock"),
        ] {
            assert_eq!(redacted(text).as_deref(), Some(left));
        }
    }

    #[test]
    fn what_may_be_a_password_is_not_left() {
        for text in [
            "mongodb://me:hunter2",
            "mongodb://me:hun/ter2@host",
            "mongodb://me:hun?ter2@host",
            "mongodb://me:12/ter2@host/db",
            "mongodb:me:hunter2@host",
            "mongodb://",
        ] {
            assert_eq!(redacted(text), None, "{text}");
        }
    }
}
