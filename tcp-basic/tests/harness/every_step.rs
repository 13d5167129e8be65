//! You need not read this file to follow the course. These are the tests that every step has.

use std::net::{TcpListener, UdpSocket};

use crate::STEP;
use crate::harness::*;

#[path = "transcripts.rs"]
mod transcripts;

/// A step: its name, its program, and its default address.
pub struct Step<'a> {
    pub name: &'a str,
    pub exe: &'a str,
    pub address: &'a str,
}

impl Step<'_> {
    /// A server in a directory of its own.
    pub fn server(&self, address: &str) -> (Program, String) {
        launch_server(&mut command(self.exe, &["server", address]))
    }

    pub fn client(&self, address: &str) -> Ended {
        run(self.exe, &["client", address], "hello\n")
    }

    fn is_udp(&self) -> bool {
        self.name == "udp-echo"
    }
}

#[test]
fn transcripts_are_true() {
    transcripts::play(&STEP);
}

#[test]
fn usage_is_printed() {
    let help = run(STEP.exe, &["--help"], "");
    let usage = help.output.join("\n");
    assert_eq!((help.code, help.errors.len()), (Some(0), 0));
    assert!(usage.starts_with(&format!("Usage: cargo run -p {} ", STEP.name)), "{usage}");
    assert!(usage.contains(STEP.address), "{usage}");

    let server = ["server", "127.0.0.1:0", "here", "too", "much"];
    let client = ["client", "127.0.0.1:1", "here", "too", "much"];
    for args in [&["sever"][..], &["--help", "server"], &server, &client] {
        let ended = run(STEP.exe, args, "");
        assert_eq!((ended.code, ended.errors.join("\n")), (Some(2), usage.clone()), "{args:?}");
        assert!(ended.output.is_empty());
    }
}

/// Help may go to a reader that does not want all of it, such as `head -n 1`.
#[cfg(unix)]
#[test]
fn help_does_not_panic() {
    let (writer, _) = std::os::unix::net::UnixStream::pair().unwrap(); // the other end is closed
    let writer = std::os::fd::OwnedFd::from(writer);
    let status = command(STEP.exe, &["--help"]).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn wrong_addresses_are_named() {
    for nonsense in ["", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http"] {
        let hint = "; expected HOST:PORT";
        let server = Program::launch(&mut command(STEP.exe, &["server", nonsense])).end();
        assert_fails(&server, &["cannot listen on ", nonsense, hint]);
        assert_fails(&STEP.client(nonsense), &["cannot reach ", nonsense, hint]);
    }
    let (_server, taken) = STEP.server("127.0.0.1:0");
    let second = Program::launch(&mut command(STEP.exe, &["server", &taken])).end();
    assert_fails(&second, &["cannot listen on ", &taken]);
    assert!(!second.errors[0].contains("expected"), "{second:?}");
    #[cfg(unix)]
    {
        let not_utf8: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
        let ended = Program::launch(command(STEP.exe, &["server"]).arg(not_utf8)).end();
        assert_fails(&ended, &["cannot listen on \u{fffd}: "]);
    }
}

/// A TCP client asks whether the server is running; a UDP client cannot know. Both ports are taken,
/// so that no one else gets them, and no server has them.
#[test]
fn nobody_listening_is_named() {
    let (client, _accepted, _) = Client::accepted();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp = silent.local_addr().unwrap().to_string();
    let (address, parts) = match STEP.is_udp() {
        true => (udp, ["no echo from ", " for 1 of 1 lines"]),
        false => (client.address(), ["cannot reach ", "); is the server running on that address?"]),
    };
    assert_fails(&STEP.client(&address), &[&parts[..], &[&address]].concat());
}

/// A client reaches a server by name, and over IPv6 if this machine has it.
#[test]
fn names_and_ipv6_work() {
    for (own, host) in [("127.0.0.1:0", "localhost"), ("[::1]:0", "[::1]")] {
        if TcpListener::bind(own).is_ok() {
            let (_server, address) = STEP.server(own);
            let (_, port) = address.rsplit_once(':').unwrap();
            let client = STEP.client(&format!("{host}:{port}"));
            assert_eq!(client.code, Some(0), "{host}: {client:?}");
        }
    }
}

/// Another server may be running there while the tests are: then the error names it.
#[test]
fn defaults_are_used() {
    let mut command = command(STEP.exe, &[]);
    let mut server = Program::launch(&mut command);
    let line = server.first_line();
    assert!(line.contains(STEP.address), "{line}");
    if line.starts_with("listening on ") {
        assert_eq!(run(STEP.exe, &["client"], "hello\n").code, Some(0));
        let directory = command.get_current_dir().unwrap();
        let stored = directory.join("uploads/harbour.png").exists();
        assert_eq!(stored, STEP.name == "file-upload");
    }
}

/// A closed log must not end a server. (Step 1's is not tested: it prints as simply as possible.)
#[allow(dead_code)]
pub fn assert_closed_log_is_survived() {
    let (mut server, address) = STEP.server("127.0.0.1:0");
    server.close_output();
    for file in ["main", "server", "client"] {
        let path = format!("{}/src/{file}.rs", env!("CARGO_MANIFEST_DIR"));
        let more: &[&str] = if STEP.name == "file-upload" { &[&path] } else { &[] };
        let client = run(STEP.exe, &[&["client", &address], more].concat(), "hello\n");
        assert_eq!(client.code, Some(0), "{client:?}");
    }
}
