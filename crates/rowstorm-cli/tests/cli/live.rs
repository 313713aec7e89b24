//! Runs that are watched and stopped while they run.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::common::rowstorm;

/// A paced run without an end, its standard error, and the lines of it up to the first progress.
struct Paced {
    child: Child,
    stderr: BufReader<ChildStderr>,
    metrics: String,
}

impl Paced {
    #[expect(
        clippy::zombie_processes,
        reason = "`signal` waits; a test that fails before it is over"
    )]
    fn start(folder: &std::path::Path) -> Paced {
        let arguments = [
            "run",
            "cpu",
            "--to",
            "memory:",
            "--rate",
            "1000/s",
            "--batch",
            "50",
            "--duration",
            "10m",
            "--progress",
            "100ms",
            "--metrics",
            "127.0.0.1:0",
            "-o",
            "live.json",
        ];
        let mut child = rowstorm(folder, &arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut metrics = String::new();
        let mut seen = 0;
        loop {
            let mut line = String::new();
            assert!(
                stderr.read_line(&mut line).expect("text") > 0,
                "it ended before its first progress"
            );
            if let Some(url) = line.trim().strip_prefix("metrics  http://") {
                url.trim_end_matches("/metrics").clone_into(&mut metrics);
            }
            // A median is there after the first whole second, as the counters of the metrics are.
            seen += usize::from(line.contains("p50 "));
            if seen == 3 {
                return Paced { child, stderr, metrics };
            }
        }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.metrics).expect("the endpoint listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(mut self, name: &str) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

#[test]
fn a_signal_drains_the_run_and_the_record_is_written() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempfile::tempdir().unwrap();
        let (exit, said) = Paced::start(folder.path()).signal(name);
        assert_eq!(exit, Some(code), "{said}");
        let record = std::fs::read_to_string(folder.path().join("live.json")).expect("a record");
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        assert_eq!(record["ended"], "stopped");
        let rows = |key: &str| record["rows"][key].as_u64().unwrap();
        assert!(rows("accepted") > 0);
        assert_eq!(rows("accepted"), rows("planned"));
        assert_eq!(rows("accepted"), rows("audited"));
    }
}

#[test]
fn metrics_health_and_readiness_are_served_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let run = Paced::start(folder.path());
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert!(run.get(path).starts_with("HTTP/1.1 200"), "{path}");
    }
    assert!(run.get("/nope").starts_with("HTTP/1.1 404"));
    let metrics = run.get("/metrics");
    for name in [
        "rowstorm_rows_total{table=\"cpu\",op=\"insert\",outcome=\"accepted\"}",
        "rowstorm_batch_duration_seconds_bucket{le=\"0.001\"}",
        "rowstorm_target_rows_per_second 1000",
        "rowstorm_build_info{version=",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    assert_eq!(run.signal("-INT").0, Some(130));
}
