//! Which Rust compiler builds the wasm, decided within seconds and without ever hanging.
//!
//! rustup's toolchain with its wasm32 target where there is one; else Debian's compiler, which builds the standard
//! library from its source package. `KERNELSCOPE_WASM_TOOLCHAIN=rustup|debian` forces the choice.

use crate::provision;
use crate::shell;
use anyhow::{Result, bail};
use std::env;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The target every build is for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Forces a toolchain: `rustup` or `debian`.
pub const FORCE: &str = "KERNELSCOPE_WASM_TOOLCHAIN";

const REACH_LIMIT: Duration = Duration::from_secs(2);
const ADD_LIMIT: Duration = Duration::from_secs(6);
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/src/rust/library/Cargo.toml";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm"];
const MINIMUM: (u32, u32) = (1, 95);

/// A compiler that can build for wasm32.
pub enum Toolchain {
    /// The active `cargo` with an installed wasm32 target; `sysroot` is its compiler's.
    Target { sysroot: PathBuf },
    /// Debian's `cargo`, which builds `std` from `rust-web-src` with this linker.
    Debian { linker: PathBuf },
}

impl Toolchain {
    /// A `cargo build` for wasm32, without the package's own options; `flags` are rustc's.
    pub fn cargo_build(&self, flags: &[String]) -> Command {
        let mut command = match self {
            Toolchain::Target { .. } => {
                // rustup's variables stay: they lead to the toolchain this was decided for.
                let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
                command.env_remove("RUSTFLAGS").arg("build");
                command
            }
            Toolchain::Debian { linker } => {
                let mut command = shell::clean(Path::new(DEBIAN_CARGO));
                command
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .args(["build", "-Zbuild-std=std,panic_abort"]);
                command
            }
        };
        command
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
            .args(["--target", TARGET]);
        command
    }

    /// Where this compiler's standard library comes from: prefixes to leave out of panic messages.
    pub fn library_sources(&self) -> PathBuf {
        match self {
            Toolchain::Target { sysroot } => sysroot.join("lib/rustlib/src/rust"),
            Toolchain::Debian { .. } => PathBuf::from("/usr/lib/rustlib/src/rust"),
        }
    }
}

/// Decides, and says what was decided and why.
pub fn choose() -> Result<Toolchain> {
    match env::var(FORCE).as_deref() {
        Ok("rustup") => {
            let found = installed().or_else(|| add_with_rustup().ok().and_then(|()| installed()));
            return match found {
                Some(toolchain) => say(toolchain, "rustup's", &format!("{FORCE} asks for it")),
                None => bail!(
                    "{FORCE}=rustup, but the target is not installed and could not be added.\n\
                     Run: rustup target add {TARGET}"
                ),
            };
        }
        Ok("debian") => return debian(&format!("{FORCE} asks for it")),
        Ok("") | Err(_) => {}
        Ok(other) => bail!("{FORCE} must be rustup or debian; got \"{other}\""),
    }
    if let Some(toolchain) = installed() {
        return say(toolchain, "the active", "its wasm32 target is installed");
    }
    let why = match add_with_rustup() {
        Ok(()) => match installed() {
            Some(toolchain) => {
                return say(toolchain, "rustup's", "its wasm32 target was just added");
            }
            None => {
                "rustup added the target for a toolchain that is not the active one".to_string()
            }
        },
        Err(why) => why,
    };
    debian(&why)
}

fn say(toolchain: Toolchain, whose: &str, why: &str) -> Result<Toolchain> {
    println!("  toolchain for the wasm: {whose} ({why})");
    Ok(toolchain)
}

/// The active toolchain, if its wasm32 target is on disk. Asks nothing of the network.
fn installed() -> Option<Toolchain> {
    let sysroot = shell::output(Command::new("rustc").args(["--print", "sysroot"])).ok()?;
    let sysroot = PathBuf::from(sysroot.trim());
    let has = sysroot
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib")
        .is_dir();
    has.then_some(Toolchain::Target { sysroot })
}

/// Adds the target with rustup if that takes seconds; else says why not.
fn add_with_rustup() -> Result<(), String> {
    let Some(rustup) = shell::find("rustup") else {
        return Err("the wasm32 target is not installed and there is no rustup to add it".into());
    };
    let server =
        env::var("RUSTUP_DIST_SERVER").unwrap_or_else(|_| "https://static.rust-lang.org".into());
    if !reachable(&server) {
        return Err(
            "the wasm32 target is not installed and rustup's server is out of reach".into(),
        );
    }
    println!("  adding {TARGET} with rustup");
    let mut add = Command::new(rustup);
    add.args(["target", "add", TARGET]);
    match shell::run_at_most(&mut add, ADD_LIMIT) {
        Ok(Some(status)) if status.success() => Ok(()),
        Ok(Some(_)) => Err("rustup could not add the wasm32 target".into()),
        Ok(None) => Err(format!(
            "rustup did not add the wasm32 target within {} s",
            ADD_LIMIT.as_secs()
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether a connection to an http(s) server opens within [`REACH_LIMIT`]; looking up its name counts.
fn reachable(server: &str) -> bool {
    let default_port = if server.starts_with("http:") { 80 } else { 443 };
    let host = server.split("://").last().unwrap_or(server);
    let host = host.split('/').next().unwrap_or(host).to_string();
    let address = if host.contains(':') {
        host
    } else {
        format!("{host}:{default_port}")
    };
    let (answer, wait) = mpsc::channel();
    // Looking a name up has no time limit of its own, so it runs on a thread that is left behind when it is late.
    thread::spawn(move || {
        let open = address
            .to_socket_addrs()
            .into_iter()
            .flatten()
            .any(|address| TcpStream::connect_timeout(&address, REACH_LIMIT).is_ok());
        answer.send(open).ok();
    });
    wait.recv_timeout(REACH_LIMIT).unwrap_or(false)
}

fn debian(why: &str) -> Result<Toolchain> {
    if let Some(found) = debian_installed() {
        return say(found, "Debian's", why);
    }
    provision::apt(&DEBIAN_PACKAGES).map_err(|error| {
        anyhow::anyhow!(
            "no Rust compiler for {TARGET}: {why}, and Debian's is not there ({error}).\n\
             Install one of the two:\n  rustup target add {TARGET}\n  apt-get install {}",
            DEBIAN_PACKAGES.join(" ")
        )
    })?;
    match debian_installed() {
        Some(found) => say(found, "Debian's", why),
        None => bail!(
            "no Rust compiler for {TARGET}: {why}, and Debian's is older than {}.{}.\n\
             Run: rustup target add {TARGET}",
            MINIMUM.0,
            MINIMUM.1
        ),
    }
}

fn debian_installed() -> Option<Toolchain> {
    if ![DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LIBRARY]
        .iter()
        .all(|file| Path::new(file).is_file())
    {
        return None;
    }
    let version = shell::output(shell::clean(Path::new(DEBIAN_RUSTC)).arg("--version")).ok()?;
    if release(&version)? < MINIMUM {
        return None;
    }
    Some(Toolchain::Debian { linker: linker()? })
}

/// "rustc 1.96.0 (…)" → (1, 96).
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// A linker for wasm: the one beside Debian's compiler, else any in `PATH`, else the one inside rustup's toolchain.
fn linker() -> Option<PathBuf> {
    ["rust-lld", "wasm-ld", "wasm-ld-22", "wasm-ld-19"]
        .iter()
        .find_map(|name| shell::find(name))
        .or_else(|| {
            let sysroot = shell::output(Command::new("rustc").args(["--print", "sysroot"])).ok()?;
            let host = format!("lib/rustlib/{}-unknown-linux-gnu", env::consts::ARCH);
            let inside = Path::new(sysroot.trim()).join(host).join("bin/rust-lld");
            inside.is_file().then_some(inside)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_compilers_release() {
        assert_eq!(release("rustc 1.96.0 (abc 2026-08-01)"), Some((1, 96)));
        assert_eq!(release("nonsense"), None);
    }

    #[test]
    fn a_closed_port_is_out_of_reach() {
        assert!(!reachable("http://127.0.0.1:9"));
    }
}
