//! `cargo xtask serve`: build, serve on this machine, open a browser, build again when a file changes.

use crate::build;
use crate::provision;
use crate::shell;
use crate::sources;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

const USUAL_PORT: u16 = 8321;
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Serves until it is interrupted. Without a port, the usual one or, where that is taken, any free one.
pub fn serve(port: Option<u16>, open: bool) -> Result<()> {
    build::shipped()?;
    let port = port.unwrap_or_else(usual_or_free);
    let mut server = Command::new(provision::node()?)
        .current_dir(crate::root())
        .arg("xtask/serve/server.mjs")
        .args(["--root", ".", "--port", &port.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start the server")?;
    let mut address = String::new();
    let said = server.stdout.take().context("the server says nothing")?;
    BufReader::new(said).read_line(&mut address)?;
    let address = address.trim();
    if address.is_empty() {
        server.wait()?;
        anyhow::bail!("the server could not listen on port {port}");
    }
    println!("\nserving {address}  (end with Ctrl-C)");
    if open {
        open_browser(address);
    }
    watch(&mut || server.try_wait().map(|ended| ended.is_none()))
}

/// Builds again whenever a source changed, until the server is gone.
fn watch(alive: &mut dyn FnMut() -> std::io::Result<bool>) -> Result<()> {
    let mut before = seen()?;
    while alive()? {
        thread::sleep(LOOK_EVERY);
        let now = seen()?;
        if now == before {
            continue;
        }
        for name in changed(&before, &now) {
            println!("\nchanged: {name}");
        }
        before = now;
        match build::shipped() {
            Ok(()) => println!("reload the page to see it"),
            Err(error) => eprintln!("error: {error:#}"),
        }
    }
    Ok(())
}

type Seen = BTreeMap<PathBuf, Option<SystemTime>>;

/// When each source was last written.
fn seen() -> Result<Seen> {
    let root = crate::root();
    let mut files = Vec::new();
    for input in sources::INPUTS.iter().chain(&["index.html"]) {
        // A file may be away for a moment while an editor replaces it.
        sources::list(&root.join(input), &mut files).ok();
    }
    let written = |file: &PathBuf| file.metadata().and_then(|meta| meta.modified()).ok();
    Ok(files
        .into_iter()
        .map(|file| {
            let time = written(&file);
            (file, time)
        })
        .collect())
}

fn changed(before: &Seen, now: &Seen) -> Vec<String> {
    let root = crate::root();
    let touched = now
        .iter()
        .filter(|(file, time)| before.get(*file) != Some(*time))
        .map(|(file, _)| file);
    let removed = before.keys().filter(|file| !now.contains_key(*file));
    touched
        .chain(removed)
        .map(|file| {
            let name = file.strip_prefix(&root).unwrap_or(file);
            name.display().to_string()
        })
        .collect()
}

fn usual_or_free() -> u16 {
    match TcpListener::bind(("127.0.0.1", USUAL_PORT)) {
        Ok(_) => USUAL_PORT,
        Err(_) => 0,
    }
}

/// Opens the reader's browser where there is a display; says nothing where there is none.
fn open_browser(address: &str) {
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("cmd");
        command.args(["/c", "start", ""]);
        command
    } else if env::var_os("DISPLAY")
        .or(env::var_os("WAYLAND_DISPLAY"))
        .is_some()
        && shell::find("xdg-open").is_some()
    {
        Command::new("xdg-open")
    } else {
        return;
    };
    command
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok();
}
