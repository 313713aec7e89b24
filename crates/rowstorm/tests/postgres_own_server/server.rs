//! A PostgreSQL server of the test's own, which it may kill and configure.
#![expect(
    clippy::disallowed_methods,
    reason = "a server that does not start must not hang the test"
)]

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The user that runs the server when the test runs as root: PostgreSQL refuses root.
const NOBODY: u32 = 65_534;

/// How long the server may take to start or to be gone.
const READY_MAX: Duration = Duration::from_mins(1);

/// How often it is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A running server in a folder of its own.
pub(crate) struct Server {
    binaries: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    settings: Vec<&'static str>,
    child: Option<Child>,
}

impl Server {
    /// Whether a PostgreSQL is installed.
    pub(crate) fn can_start() -> bool {
        find_binaries().is_some()
    }

    /// Makes and starts one.
    ///
    /// # Panics
    /// Where no PostgreSQL is installed: a crash that was not staged must not look like one that was survived.
    pub(crate) fn start() -> Server {
        let mut server = Server::made();
        server.go();
        server
    }

    /// One that takes connections over TLS only. `certify` makes `server.crt` and `server.key` in a folder; what it answers
    /// comes back.
    pub(crate) fn start_with_tls<T>(certify: impl Fn(&Path) -> T) -> (Server, T) {
        let mut server = Server::made();
        let folder = server.folder.path().join("data");
        let made = certify(&folder);
        for name in ["server.crt", "server.key"] {
            let file = folder.join(name);
            give_away(&file);
            // PostgreSQL refuses a key that others can read.
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our own file");
        }
        let clients = "hostssl all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(folder.join("pg_hba.conf"), clients).expect("the server's folder");
        server.settings = vec!["-c", "ssl=on"];
        server.go();
        (server, made)
    }

    /// Its port on this machine.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn made() -> Server {
        let binaries = find_binaries()
            .expect("initdb and postgres are installed, or ROWSTORM_TEST_POSTGRES_BIN says where");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("a bound port").port();
        drop(free);
        let server = Server { binaries, folder, port, settings: Vec::new(), child: None };
        server.init();
        server
    }

    /// The URL with the password in it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres:secret@127.0.0.1:{}/postgres", self.port)
    }

    /// Sends a signal to all its processes.
    pub(crate) fn signal(&self, name: &str) {
        let ids = self.processes();
        assert!(!ids.is_empty(), "the server runs");
        let sent = Command::new("kill").arg(name).args(&ids).status().expect("kill is there");
        assert!(sent.success(), "{name} to {ids:?}");
    }

    /// Says something to it as its owner.
    pub(crate) fn say(&self, sql: &str) {
        let beside = self.binaries.join("psql");
        let psql = if beside.is_file() { beside } else { PathBuf::from("psql") };
        let done = Command::new(psql)
            .env("PGPASSWORD", "secret")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", "-c", sql])
            .output()
            .expect("psql is installed");
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Ends the server as a power cut would, and waits until all its processes are gone.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("the server runs");
        child.kill().expect("the server can be killed");
        child.wait().expect("the server is gone");
        let until = Instant::now() + READY_MAX;
        while self.has_children() {
            assert!(Instant::now() < until, "the server's processes outlive it");
            std::thread::sleep(POLL);
        }
    }

    /// Starts it again on the same data.
    pub(crate) fn go(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).expect("a log file");
        let child = self
            .as_nobody("postgres")
            .args(["-D", &self.data(), "-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "jit=off", "-c", "fsync=off"])
            .args(["-c", &format!("unix_socket_directories={}", self.folder.path().display())])
            .args(&self.settings)
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        self.child = Some(child);
        let until = Instant::now() + READY_MAX;
        while !self.is_ready() {
            assert!(Instant::now() < until, "the server is not ready: {}", self.log());
            std::thread::sleep(POLL);
        }
    }

    /// The log is begun anew with each start, so that this line speaks of the server that runs now.
    fn is_ready(&self) -> bool {
        self.log().contains("ready to accept connections")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn init(&self) {
        let password = self.folder.path().join("password");
        let mut file = fs::File::create(&password).expect("a password file");
        file.write_all(b"secret").expect("a password file");
        give_away(self.folder.path());
        give_away(&password);
        let made = self
            .as_nobody("initdb")
            .args(["-D", &self.data(), "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8"])
            .args(["--locale=C.UTF-8", "--no-sync", "--pwfile"])
            .arg(&password)
            .stdout(Stdio::null())
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn as_nobody(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.env("LC_ALL", "C.UTF-8").current_dir(self.folder.path());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Whether any process still works on this server's data.
    fn has_children(&self) -> bool {
        !self.processes().is_empty()
    }

    /// The numbers of all processes that work on this server's data.
    fn processes(&self) -> Vec<String> {
        let data = self.folder.path().join("data");
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter(|process| {
                fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == data)
            })
            .filter_map(|process| process.file_name().into_string().ok())
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// To the user that runs the server.
fn give_away(path: &Path) {
    if is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).expect("root gives away");
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

fn find_binaries() -> Option<PathBuf> {
    let given = std::env::var_os("ROWSTORM_TEST_POSTGRES_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    given
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain(installed.map(|version| version.path().join("bin")))
        .find(|folder| has_server(folder))
}

fn has_server(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}
