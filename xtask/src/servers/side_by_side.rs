//! Several servers at once: each waits for its own.

use anyhow::anyhow;

use super::Server;

/// Does the same for each server in a thread of its own. All of them end; then, if any failed, all failures are the error.
pub(crate) fn side_by_side<T: Send>(
    servers: &[&'static dyn Server],
    act: impl Fn(&'static dyn Server) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let act = &act;
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            servers.iter().map(|&server| scope.spawn(move || act(server))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it returns its errors")).collect()
    });
    let mut done = Vec::new();
    let mut failures = Vec::new();
    for (server, result) in servers.iter().zip(results) {
        match result {
            Ok(value) => done.push(value),
            Err(error) => failures.push(format!("{}: {error:#}", server.name())),
        }
    }
    if failures.is_empty() { Ok(done) } else { Err(anyhow!(failures.join("\n"))) }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::super::SERVERS;
    use super::*;

    #[test]
    fn every_failure_is_told_and_what_worked_is_done() {
        let done = std::sync::Mutex::new(Vec::new());
        let result = side_by_side(&SERVERS[..3], |server| {
            if server.name() == "mariadb" {
                done.lock().unwrap().push(server.name());
                return Ok(());
            }
            bail!("no disk")
        });
        assert_eq!(result.unwrap_err().to_string(), "postgres: no disk\nmysql: no disk");
        assert_eq!(*done.lock().unwrap(), ["mariadb"]);
    }
}
