//! Whether somebody on a loopback port speaks a protocol: asked over a bare socket, so that no client need be installed.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// A server that is up answers at once, unless the machine is busy.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// `{hello: 1, $db: "admin"}` as an `OP_MSG` (MongoDB wire protocol): header, flags, a section of kind 0, the document.
const MONGODB_HELLO: &[u8] = b"\
    \x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\
    \0\0\0\0\0\
    \x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";

/// Whether a server of MySQL's protocol sends its first packet: three bytes of length, a sequence number, and the version of
/// the protocol, 10 since 1998 (an error has 255 there).
pub(super) fn mysql_greets(port: u16) -> bool {
    exchange(port, b"").is_some_and(|start| start[4] == 10)
}

/// Whether a server of MongoDB's protocol answers: a message's kind stands in the fourth number of its header.
pub(super) fn mongodb_answers(port: u16) -> bool {
    exchange(port, MONGODB_HELLO).is_some_and(|start| start[12..16] == MONGODB_HELLO[12..16])
}

/// Whether somebody listens at a URL's host and port. Where it names no port, that is believed.
pub(super) fn somebody_listens(url: &str) -> bool {
    let Some(address) = address(url).filter(|address| address.contains(':')) else { return true };
    let Ok(addresses) = address.to_socket_addrs() else { return false };
    let mut addresses = addresses.into_iter();
    addresses.any(|address| TcpStream::connect_timeout(&address, ANSWER_WITHIN).is_ok())
}

/// The first host and its port of a URL.
fn address(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let hosts = authority.rsplit('@').next()?;
    hosts.split(',').next()
}

/// Sends something and reads the first bytes of the answer.
fn exchange(port: u16, request: &[u8]) -> Option<[u8; 16]> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN).ok()?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
    stream.write_all(request).ok()?;
    let mut start = [0; 16];
    stream.read_exact(&mut start).ok()?;
    Some(start)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers one connection with some bytes, and says what a probe of the port makes of it.
    fn probed(answer: &'static [u8], probe: fn(u16) -> bool) -> bool {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(answer).unwrap();
            // The other side may have gone by now, in whichever way. Closing before that would be a reset.
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let found = probe(port);
        server.join().unwrap();
        found
    }

    #[test]
    fn a_greeting_is_told_from_an_error_and_from_silence() {
        assert!(probed(b"\x5b\0\0\0\x0a11.8.3-MariaDB\0", mysql_greets));
        assert!(!probed(b"\x5b\0\0\0\xff\x10\x04Too many conn", mysql_greets));
        assert!(!probed(b"", mysql_greets));
    }

    #[test]
    fn a_reply_of_mongodb_is_told_from_another_protocols() {
        assert!(probed(b"\x99\0\0\0\x02\0\0\0\x01\0\0\0\xdd\x07\0\0", mongodb_answers));
        assert!(!probed(b"HTTP/1.1 400 Bad Request", mongodb_answers));
    }

    #[test]
    fn the_address_of_a_url_is_its_first_host_and_port() {
        for (url, found) in [
            ("mysql://root:p@ss@127.0.0.1:3306/rowstorm", Some("127.0.0.1:3306")),
            ("crate://one:4200,two:4200", Some("one:4200")),
            ("mongodb://host/?directConnection=true", Some("host")),
            ("sqlite:x.db", None),
        ] {
            assert_eq!(address(url), found, "{url}");
        }
    }

    #[test]
    fn an_address_where_nobody_listens_is_found_out() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("mysql://root@{}/rowstorm", listener.local_addr().unwrap());
        assert!(somebody_listens(&url));
        drop(listener);
        assert!(!somebody_listens(&url));
        assert!(somebody_listens("postgres://db.example.org/app"));
    }

    #[test]
    fn the_hello_is_as_long_as_it_says() {
        let length = |bytes: &[u8]| usize::try_from(u32::from_le_bytes(bytes.try_into().unwrap()));
        assert_eq!(length(&MONGODB_HELLO[..4]).unwrap(), MONGODB_HELLO.len());
        assert_eq!(length(&MONGODB_HELLO[21..25]).unwrap(), MONGODB_HELLO.len() - 21);
    }
}
