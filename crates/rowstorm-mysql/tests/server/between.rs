//! A double of the network between a client and a server: it hands bytes on, and stops once in the middle of a long stream.
//!
//! It is no server: what it hands on is answered by the real one.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use crate::bed::Bed;

/// A client that has sent so much is in the middle of its stream.
const MIDDLE_BYTES: usize = 1 << 20;

/// What happens in the middle of the first long stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The server is cut off, and the client is told nothing: nobody reads what it sends any more.
    ForEver,
    /// Nobody reads until another client has come and gone.
    UntilAsked,
}

struct Between {
    stop: Stop,
    place: String,
    is_over: AtomicBool,
    gone: (Sender<()>, Mutex<Receiver<()>>),
    /// Never closed while the case runs.
    held: Mutex<Vec<TcpStream>>,
}

/// The same server behind a network that stops.
pub(crate) fn behind(bed: &Bed, stop: Stop) -> Bed {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (head, tail) = bed.url.rsplit_once('@').unwrap();
    let (place, database) = tail.split_once('/').unwrap();
    let url = format!("{head}@{}/{database}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    let between = Arc::new(Between {
        stop,
        place: place.to_owned(),
        is_over: AtomicBool::new(false),
        gone: (sender, Mutex::new(receiver)),
        held: Mutex::default(),
    });
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let between = Arc::clone(&between);
            std::thread::spawn(move || between.serve(client.unwrap()));
        }
    });
    Bed { url, is_mariadb: bed.is_mariadb }
}

impl Between {
    fn serve(&self, mut client: TcpStream) {
        let mut server = TcpStream::connect(&self.place).unwrap();
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let (mut sent, mut bytes) = (0, vec![0; 64 << 10]);
        while let Ok(count @ 1..) = client.read(&mut bytes) {
            if server.write_all(&bytes[..count]).is_err() {
                break;
            }
            sent += count;
            if sent > MIDDLE_BYTES && !self.is_over.swap(true, Ordering::SeqCst) {
                if self.stop == Stop::ForEver {
                    server.shutdown(Shutdown::Both).unwrap();
                    self.held.lock().unwrap().push(client);
                    return;
                }
                let gone = self.gone.1.lock().unwrap();
                while gone.try_recv().is_ok() {}
                gone.recv().unwrap();
            }
        }
        let _ = server.shutdown(Shutdown::Both);
        self.gone.0.send(()).unwrap();
    }
}
