//! You need not read this file to follow the course. It checks that what the pages point to is
//! there: files, headings, tests, and code.

mod harness;

use std::fs;
use std::path::{Path, PathBuf};

const STEPS: &str = "tcp-basic tcp-loop tcp-threaded udp-echo file-upload";
const SECTIONS: &str = "The idea, Predict, Run, Read the code, See it, Experiment, Break it, \
    Write it, Check yourself, Still wrong, Coming from Python";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// The page in each folder, and the overview.
fn pages() -> impl Iterator<Item = (&'static str, String)> {
    let folders = STEPS.split(' ').chain([""]);
    folders.map(|folder| (folder, read(Path::new(folder).join("README.md"))))
}

/// Each `[text](target)` of a page.
fn links(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.match_indices("](").map(move |(i, _)| {
        let (_, text) = page[..i].rsplit_once('[').unwrap();
        let (target, _) = page[i + 2..].split_once(')').unwrap();
        (text, target)
    })
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
    for (folder, page) in pages() {
        for (text, target) in links(&page).filter(|link| !link.1.starts_with("https:")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = Path::new(folder).join(if file.is_empty() { "README.md" } else { file });
            if file.ends_with(".png") {
                assert!(root().join(path).is_file(), "{folder}: {target}");
                continue;
            }
            let linked = read(path);
            assert!(anchor.is_empty() || has_anchor(&linked, anchor), "{folder}: {target}");
            // A test is cited by its name, in a link to its file.
            if let Some(test) = text.strip_prefix('`').filter(|_| file.starts_with("tests/")) {
                let function = format!("fn {}(", test.trim_end_matches('`'));
                assert!(linked.contains(&function), "{folder}: no {function} in {file}");
            }
        }
    }
}

#[test]
fn commands_name_steps_and_tests() {
    let files = ["protocol", "still_wrong", "exercise", "robustness"];
    for (folder, page) in pages() {
        for command in page.split("cargo run -p ").skip(1) {
            let step = command.split(['`', '\n', ' ', ')']).next().unwrap();
            assert!(step == "STEP" || STEPS.contains(step), "{folder}: {step}");
        }
        for command in page.split("cargo test -p ").skip(1) {
            let line = command.split(['`', '\n']).next().unwrap();
            let mut words = line.split(' ').filter(|word| !word.starts_with('-'));
            let step = words.next().unwrap();
            for name in words.filter(|name| step != "STEP" && !files.contains(name)) {
                let tests = files.map(|file| read(format!("{step}/tests/{file}.rs")));
                assert!(tests.concat().contains(&format!("fn {name}")), "{folder}: {step} {name}");
            }
        }
    }
}

#[test]
fn every_step_has_every_section() {
    for (folder, page) in pages().filter(|(folder, _)| !folder.is_empty()) {
        let mut headings = page.lines().filter_map(|line| line.strip_prefix("## "));
        for section in SECTIONS.split(", ") {
            assert!(headings.any(|heading| heading.starts_with(section)), "{folder}: {section}");
        }
        let (_, still_wrong) = page.split_once("## Still wrong\n").unwrap();
        assert!(still_wrong.split("\n## ").next().unwrap().contains("](tests/"), "{folder}");
        let checks = read(Path::new(folder).join("tests/protocol.rs"));
        for check in checks.split("\nfn ").skip(1).filter_map(|f| Some(f.split_once("() {")?.0)) {
            assert!(!check.contains("check") || page.contains(check), "{folder}: {check}");
        }
    }
}

#[test]
fn quoted_code_is_in_the_source() {
    for (folder, page) in pages().filter(|(folder, _)| !folder.is_empty()) {
        let source = ["server", "client"].map(|file| format!("{folder}/src/{file}.rs")).map(read);
        let store = fs::read_to_string(root().join(folder).join("src/store.rs"));
        let source = format!("\n{}{}", source.concat(), store.unwrap_or_default());
        for block in rust_blocks(&page) {
            assert!(source.contains(&format!("\n{block}")), "{folder} has no\n{block}");
        }
        assert!(rust_blocks(&page).count() > 0, "{folder}: the heart of the step is not quoted");
    }
}

/// The whole programs on the overview: a TCP server, a TCP client, and a UDP server. (Nothing in
/// them depends on the system, and where tests run in an emulator, there may be no compiler.)
#[cfg(unix)]
#[test]
fn cheat_sheet_runs() {
    use harness::{Client, Program, launch_server};
    use std::{net::UdpSocket, process::Command};
    let compile = |name: &str, code: &str| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let exe = path.with_extension(std::env::consts::EXE_EXTENSION);
        fs::write(path.with_extension("rs"), code).unwrap();
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
        rustc.args(["--edition", "2024", "-D", "warnings", "-o"]).arg(&exe);
        assert!(rustc.arg(path.with_extension("rs")).status().unwrap().success());
        exe
    };
    let overview = read("README.md");
    let [tcp_server, tcp_client, udp_server] = rust_blocks(&overview).collect::<Vec<_>>()[..]
    else {
        panic!("the cheat sheet has three programs");
    };
    let exe = compile("tcp-server", &tcp_server.replace("127.0.0.1:7890", "127.0.0.1:0"));
    let (_server, address) = launch_server(&mut Command::new(exe));
    let mut client = Client::connect(&address);
    client.send("bye");
    client.reset("it answers");
    let exe = compile("tcp-client", &tcp_client.replace("127.0.0.1:7890", &address));
    let client = Program::launch(&mut Command::new(exe)).end();
    assert!(client.code == Some(0) && client.output.concat().contains("HELLO"), "{client:?}");

    let exe = compile("udp-server", &udp_server.replace("127.0.0.1:8080", "127.0.0.1:0"));
    let (_server, address) = launch_server(&mut Command::new(exe));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(harness::TIMEOUT)).unwrap();
    socket.send_to(b"hello", address).unwrap();
    let mut buffer = [0; 100];
    let count = socket.recv(&mut buffer).unwrap();
    assert_eq!(buffer[..count], *b"hello");
}
