//! Installing what a step needs and the machine does not have.

use crate::shell;
use crate::sources;
use crate::steps::{Stamp, skipped, step};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Node that the tools and the shipped ES module support.
const NODE: u32 = 20;

/// Installs Debian packages: as root, or through sudo when that asks for no password.
pub fn apt(packages: &[&str]) -> Result<()> {
    if shell::find("apt-get").is_none() {
        bail!("this machine has no apt-get");
    }
    let sudo = if is_root() {
        None
    } else if shell::output(Command::new("sudo").args(["-n", "true"])).is_ok() {
        Some("sudo")
    } else {
        bail!("apt-get needs root: run it yourself, or allow sudo without a password");
    };
    let apt_get = |arguments: &[&str]| {
        let mut command = match sudo {
            Some(sudo) => {
                let mut command = Command::new(sudo);
                command.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
                command
            }
            None => {
                let mut command = Command::new("apt-get");
                command.env("DEBIAN_FRONTEND", "noninteractive");
                command
            }
        };
        command.args(["-q", "-y"]).args(arguments);
        command
    };
    step(&format!("apt-get install {}", packages.join(" ")), || {
        shell::output(&mut apt_get(&["update"]))?;
        let mut install = apt_get(&["install", "--no-install-recommends"]);
        shell::output(install.args(packages))?;
        Ok(())
    })
}

fn is_root() -> bool {
    shell::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Makes sure that Node and npm are there; gives Node's path.
pub fn node() -> Result<PathBuf> {
    if shell::find("node").is_none() || shell::find("npm").is_none() {
        apt(&["nodejs", "npm"]).context("Node and npm are needed: install Node 20 or newer")?;
    }
    let node = shell::find("node").context("Node is still missing after its installation")?;
    let version = shell::output(Command::new(&node).arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next();
    match major.and_then(|number| number.parse::<u32>().ok()) {
        Some(number) if number >= NODE => Ok(node),
        _ => bail!(
            "Node {NODE} or newer is needed; {} is {}",
            node.display(),
            version.trim()
        ),
    }
}

/// Makes sure that `node_modules` holds what package-lock.json names.
pub fn npm_packages() -> Result<()> {
    npm_packages_of("npm packages", "npm", "")
}

/// The same for a folder below the root with a lock file of its own; `stamp` is the name under which it is remembered.
pub fn npm_packages_of(name: &str, stamp: &str, folder: &str) -> Result<()> {
    let path = crate::root().join(folder);
    // npm writes this file last, so it stands for the whole folder.
    let stamp = Stamp::new(stamp, &[path.join("node_modules/.package-lock.json")]);
    let lock = Path::new(folder).join("package-lock.json");
    let key = sources::hash_of(&[&lock.to_string_lossy()])?;
    if stamp.is_fresh(&key) {
        skipped(name, "installed");
        return Ok(());
    }
    step(name, || {
        let npm = shell::find("npm").context("npm is missing")?;
        let mut install = Command::new(npm);
        install
            .current_dir(&path)
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
        shell::output(&mut install)?;
        stamp.write(&key)
    })
}

/// Makes sure that Chromium, Firefox and their WebDriver servers are there; gives geckodriver's path.
pub fn browsers() -> Result<PathBuf> {
    debian(&[
        ("chromium", "chromium"),
        ("chromedriver", "chromium-driver"),
        ("firefox-esr", "firefox-esr"),
    ])?;
    geckodriver()
}

/// Makes sure that there is a Vulkan driver: Mesa's, which imitates a graphics card where there is none.
pub fn vulkan() -> Result<()> {
    let folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let drivers = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok());
    if drivers.flatten().next().is_some() {
        return Ok(());
    }
    apt(&["mesa-vulkan-drivers"])
        .context("this needs a Vulkan driver: apt-get install mesa-vulkan-drivers")
}

/// Makes sure that Chromium and its WebDriver server are there.
pub fn chromium() -> Result<()> {
    debian(&[
        ("chromium", "chromium"),
        ("chromedriver", "chromium-driver"),
    ])
}

/// Installs the Debian packages whose programs are missing.
fn debian(wanted: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(program, _)| shell::find(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    apt(&missing).with_context(|| format!("this needs: apt-get install {names}"))
}

/// The PyPI package that brings a pandoc, under which the Quarto extension is tested.
const PANDOC: &str = "pypandoc_binary==1.17";

/// Makes sure that a pandoc is there; gives its path.
pub fn pandoc() -> Result<PathBuf> {
    let packages = crate::root().join("target/python");
    let binary = packages.join("pypandoc/files/pandoc");
    let stamp = Stamp::new("pandoc", &[packages.join("pypandoc/__init__.py")]);
    if stamp.is_fresh(PANDOC) {
        skipped("pandoc", "installed");
        return Ok(binary);
    }
    if shell::find("python3").is_none() || !has_pip() {
        apt(&["python3", "python3-pip"])
            .context("pandoc comes with a Python package: install Python 3 and pip")?;
    }
    step("pandoc (pip, once)", || {
        let mut install = Command::new("python3");
        install
            .args(["-m", "pip", "install", "--quiet", "--upgrade", "--target"])
            .arg(&packages)
            .arg(PANDOC);
        shell::output(&mut install)?;
        stamp.write(PANDOC)
    })?;
    Ok(binary)
}

fn has_pip() -> bool {
    shell::output(Command::new("python3").args(["-m", "pip", "--version"])).is_ok()
}

/// Firefox's WebDriver server, which Debian does not package: built with `cargo install` once.
fn geckodriver() -> Result<PathBuf> {
    if let Some(found) = shell::find("geckodriver") {
        return Ok(found);
    }
    let tools = crate::root().join("target/tools");
    let built = tools.join("bin/geckodriver");
    if !built.is_file() {
        step("geckodriver (cargo install, once)", || {
            let mut install = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
            install
                .args(["install", "geckodriver", "--locked", "--quiet", "--root"])
                .arg(&tools)
                .env("CARGO_TARGET_DIR", crate::root().join("target/tools/build"));
            shell::run(&mut install)
        })?;
    }
    Ok(built)
}

/// A program from `node_modules`, to be run with Node.
pub fn module(path: &str) -> PathBuf {
    Path::new(&crate::root()).join("node_modules").join(path)
}
