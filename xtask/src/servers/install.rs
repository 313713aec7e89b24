//! Installs a server where that is safe to do unasked, once for all checkouts of this user.
//!
//! A package of the system's own distribution goes into the system, as root only. All else goes into the user's cache
//! directory: programs of another suite of Debian, of PyPI, of crates. The mirror and the registries are those that apt,
//! pip and cargo of this machine are set up for; none is named here.

mod apt;
mod cache;
mod cargo;
mod package;
mod python;
mod root;

use super::{Native, Server};
pub(crate) use cache::finished;
pub(crate) use package::Package;
pub(crate) use root::Root;

/// Where a server comes from.
pub(crate) enum Source {
    /// A package of the distribution, installed in the system.
    Package(Package),
    /// Packages of another suite of Debian, unpacked into the cache directory.
    Root(Root),
    /// A package of PyPI with an exact version, in an environment of its own in the cache directory.
    Python(&'static str),
    /// A crate and its exact version, built into the cache directory. It is a program beside us and never linked.
    Crate(&'static str, &'static str),
}

/// Installs what is missing, or says what to install.
pub(crate) fn install(server: &dyn Server, native: &dyn Native) -> anyhow::Result<()> {
    let name = server.name();
    match native.source() {
        Source::Package(package) => package::install(server, native, &package),
        Source::Root(root) => cache::once(&root.key(), |dir| {
            eprintln!("unpacking {name} of Debian's suite {} into {}", root.suite, dir.display());
            root::unpack(dir, &root)
        }),
        Source::Python(requirement) => cache::once(&python_key(requirement), |dir| {
            eprintln!("installing {requirement} for {name} into {}", dir.display());
            python::install(dir, requirement)
        }),
        Source::Crate(package, version) => cache::once(&crate_key(package, version), |dir| {
            eprintln!("building {package} {version} for {name}: that takes some minutes");
            cargo::install(dir, package, version)
        }),
    }
}

/// The name in the cache of a package of PyPI.
pub(crate) fn python_key(requirement: &str) -> String {
    format!("pypi-{}", requirement.replace("==", "-"))
}

/// The name in the cache of a crate.
pub(crate) fn crate_key(package: &str, version: &str) -> String {
    format!("crate-{package}-{version}")
}
