//! No password is printed, whatever is wrong.

use crate::common::{Ran, ran, rowstorm};

/// A text that is nowhere else, and a number, which some readers of variables take for one and print.
const SECRETS: [&str; 2] = ["hunter2-Zq", "8675309421"];

fn check_silent(done: &Ran, secret: &str) {
    assert!(!done.stdout.contains(secret), "{}", done.stdout);
    assert!(!done.stderr.contains(secret), "{}", done.stderr);
}

#[test]
fn passwords_of_urls_good_and_bad_are_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    for secret in SECRETS {
        for url in [
            format!("postgres://u:{secret}@127.0.0.1:1/db"),
            format!("postgres://u:{secret}@127.0.0.1:port/db"),
            format!("postgres://u:{secret}@[bad/db"),
            format!("postgres://u:a b{secret}@127.0.0.1:1/db"),
            format!("postgres://u:{secret}/x@127.0.0.1:1/db"),
            format!("postgres://127.0.0.1:1/db?password={secret}&user=u"),
            format!("postgres://127.0.0.1:1/db?sslmode={secret}"),
            format!("mysql://u:{secret}@h/db"),
            format!("pg://u:{secret}@h/db"),
        ] {
            for command in ["run", "explain", "check"] {
                let arguments = [command, "cpu", "--to", &url];
                let done = ran(&mut rowstorm(folder.path(), &arguments));
                check_silent(&done, secret);
            }
            let done = ran(&mut rowstorm(folder.path(), &["run", "cpu", &url]));
            assert_eq!(done.code, Some(2));
            check_silent(&done, secret);
        }
    }
}

#[test]
fn passwords_of_the_environment_are_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    for secret in SECRETS {
        let file = folder.path().join("secret");
        std::fs::write(&file, format!("{secret}\n")).unwrap();
        let to = ["--to", "postgres://127.0.0.1:1/db"];
        for arguments in [
            &["run", "cpu", to[0], to[1], "-v"][..],
            &["explain", "cpu", to[0], to[1]],
            &["config", "show", "--origin", "cpu"],
            &["run", "cpu", "--to", "null:", "--rows", "10", "--json"],
        ] {
            let mut command = rowstorm(folder.path(), arguments);
            let command = command.env("ROWSTORM_USERNAME", secret);
            check_silent(&ran(command.env("ROWSTORM_PASSWORD", secret)), secret);
            let command = command.env_remove("ROWSTORM_PASSWORD");
            check_silent(&ran(command.env("ROWSTORM_PASSWORD_FILE", &file)), secret);
        }
        let mut both = rowstorm(folder.path(), &["run", "cpu", to[0], to[1]]);
        let done = ran(both.env("ROWSTORM_PASSWORD", secret).env("ROWSTORM_PASSWORD_FILE", &file));
        assert_eq!(done.code, Some(2));
        check_silent(&done, secret);
    }
}

#[test]
fn a_numeric_password_is_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["run", "cpu", "--to", "null:", "--rows", "10"];
    let done = ran(rowstorm(folder.path(), &arguments).env("ROWSTORM_PASSWORD", "12345"));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
}
