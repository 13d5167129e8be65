//! You need not read this file to follow the course. It checks that what the pages point to is
//! there: files, headings, tests, and code.

mod harness;

use std::{fs, path::Path};

const STEPS: [&str; 5] = ["tcp-basic", "tcp-loop", "tcp-threaded", "udp-echo", "file-upload"];

/// A file of the project.
fn read(path: &str) -> String {
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path));
    let bytes = bytes.unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned() // a picture is a file, too
}

/// The code blocks of a page that are in Rust.
fn rust_blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("\n```rust\n").skip(1).map(|block| block.split_once("```").unwrap().0)
}

/// Whether a page has a heading with this anchor, as GitHub makes it.
fn has_anchor(page: &str, anchor: &str) -> bool {
    page.lines().filter(|line| line.starts_with('#')).any(|heading| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
        text.chars().filter(kept).collect::<String>().replace(' ', "-") == anchor
    })
}

#[test]
fn links_lead_somewhere() {
    for folder in STEPS.iter().chain(&["."]) {
        let page = read(&format!("{folder}/README.md"));
        for (i, _) in page.match_indices("](") {
            let (_, text) = page[..i].rsplit_once('[').unwrap();
            let (target, _) = page[i + 2..].split_once(')').unwrap();
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            if target.starts_with("https:") {
                continue;
            }
            let path = if file.is_empty() { "README.md" } else { file };
            let linked = read(&format!("{folder}/{path}"));
            assert!(anchor.is_empty() || has_anchor(&linked, anchor), "{folder}: {target}");
            // A test is cited by its name, in a link to its file.
            if file.starts_with("tests/") && text.starts_with('`') {
                let function = format!("fn {}(", text.trim_matches('`'));
                assert!(linked.contains(&function), "{folder}: no {function} in {file}");
            }
        }
    }
}

#[test]
fn quoted_code_and_checks_are_there() {
    for step in STEPS {
        let page = read(&format!("{step}/README.md"));
        let files = if step == "file-upload" { "server client store" } else { "server client" };
        let source = files.split(' ').map(|file| read(&format!("{step}/src/{file}.rs")));
        let source = format!("\n{}", source.collect::<String>());
        for block in rust_blocks(&page) {
            assert!(source.contains(&format!("\n{block}")), "{step} has no\n{block}");
        }
        assert!(rust_blocks(&page).count() > 0, "{step}: the heart of the step is not quoted");
        let checks = read(&format!("{step}/tests/protocol.rs"));
        for check in checks.split("\nfn ").filter_map(|code| Some(code.split_once("() {")?.0)) {
            assert!(!check.contains("check") || page.contains(check), "{step}: {check}");
        }
    }
}

/// The whole programs on the overview: a TCP server, a TCP client, and a UDP server. (Nothing in
/// them depends on the system, and where tests run in an emulator, there may be no compiler.)
#[cfg(unix)]
#[test]
fn cheat_sheet_runs() {
    use harness::*;
    use std::{net::UdpSocket, process::Command};
    let overview = read("README.md");
    let mut programs = rust_blocks(&overview).enumerate();
    let mut program = |old: &str, new: &str| {
        let (i, code) = programs.next().unwrap();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cheat-sheet-{i}.rs"));
        fs::write(&path, code.replace(old, new)).unwrap();
        let exe = path.with_extension("exe");
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
        rustc.args(["--edition", "2024", "-D", "warnings", "-o"]).args([&exe, &path]);
        assert!(rustc.status().unwrap().success());
        Command::new(exe)
    };
    let (_server, address) = launch_server(&mut program("127.0.0.1:7890", "127.0.0.1:0"));
    let mut client = Client::connect(&address);
    client.send("bye");
    client.reset("it answers");
    let client = Program::launch(&mut program("127.0.0.1:7890", &address)).end();
    assert!(client.code == Some(0) && client.output.concat().contains("HELLO"), "{client:?}");

    let (_server, address) = launch_server(&mut program("127.0.0.1:8080", "127.0.0.1:0"));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket.send_to(b"hello", address).unwrap();
    assert_eq!(receive_from(&socket).unwrap().0, b"hello");
}
