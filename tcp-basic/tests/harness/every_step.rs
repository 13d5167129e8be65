//! You need not read this file to follow the course. These are the tests that every step has.

use std::net::{TcpListener, UdpSocket};

use crate::harness::*;

#[path = "transcripts.rs"]
mod transcripts;

/// Runs the client with one line of input.
fn client(address: &str) -> Ended {
    run(&["client", address], "hello\n")
}

#[test]
fn transcripts_are_true() {
    transcripts::play();
}

#[test]
fn usage_is_printed() {
    let help = run(&["--help"], "");
    let usage = help.output.join("\n");
    assert_eq!((help.code, help.errors.len()), (Some(0), 0));
    assert!(usage.starts_with(&format!("Usage: cargo run -p {STEP} ")), "{usage}");
    assert!(usage.contains(default_address()), "{usage}");
    let server = ["server", "127.0.0.1:0", "here", "too", "much"];
    let client = ["client", "127.0.0.1:1", "here", "too", "much"];
    for args in [&["sever"][..], &["--help", "server"], &server, &client] {
        let ended = run(args, "");
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
    assert_eq!(command(&["--help"]).stdout(writer).status().unwrap().code(), Some(0));
}

#[test]
fn wrong_addresses_are_named() {
    for nonsense in ["", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http"] {
        let hint = "; expected HOST:PORT";
        assert_fails(&run(&["server", nonsense], ""), &["cannot listen on ", nonsense, hint]);
        assert_fails(&client(nonsense), &["cannot reach ", nonsense, hint]);
    }
    let (_server, taken) = server();
    let second = run(&["server", &taken], "");
    assert_fails(&second, &["cannot listen on ", &taken]);
    assert!(second.errors[0].ends_with(')'), "it has a hint: {second:?}");
    #[cfg(unix)]
    {
        let not_utf8: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
        let ended = Program::launch(command(&["server"]).arg(not_utf8)).end();
        assert_fails(&ended, &["cannot listen on \u{fffd}: "]);
    }
}

/// A TCP client asks whether the server is running; a UDP client cannot know. Both ports are taken,
/// so that no one else gets them, and no server has them. (The TCP port is the accepted end's. For
/// the client's own, the operating system may pick the other end's: it would connect to itself.)
#[test]
fn nobody_listening_is_named() {
    let (_client, tcp, _) = Client::accepted();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.connect(udp.local_addr().unwrap()).unwrap(); // to itself: others are refused, on Linux
    let (address, parts) = match STEP {
        "udp-echo" => {
            (udp.local_addr().unwrap().to_string(), ["no echo from ", " for 1 of 1 lines"])
        }
        _ => (
            tcp.local_addr().unwrap().to_string(),
            ["cannot reach ", "); is the server running on that address?"],
        ),
    };
    assert_fails(&client(&address), &[&parts[..], &[&address]].concat());
}

/// A client reaches a server by name, and over IPv6 if this machine has it.
#[test]
fn names_and_ipv6_work() {
    for (own, host) in [("127.0.0.1:0", "localhost"), ("[::1]:0", "[::1]")] {
        if TcpListener::bind(own).is_ok() {
            let (_server, address) = launch_server(&mut command(&["server", own]));
            let (_, port) = address.rsplit_once(':').unwrap();
            let client = client(&format!("{host}:{port}"));
            assert_eq!(client.code, Some(0), "{host}: {client:?}");
        }
    }
}

/// Another server may be running there while the tests are: then the error names it.
#[test]
fn defaults_are_used() {
    let mut command = command(&[]);
    let mut server = Program::launch(&mut command);
    let line = server.first_line();
    assert!(line.contains(default_address()), "{line}");
    if line.starts_with("listening on ") {
        assert_eq!(run(&["client"], "hello\n").code, Some(0));
        let stored = command.get_current_dir().unwrap().join("uploads/harbour.png").exists();
        assert_eq!(stored, STEP == "file-upload");
    }
}

/// A closed log must not end a server. (Step 1's is not tested: it prints as simply as possible.)
#[allow(dead_code)]
pub fn assert_closed_log_is_survived() {
    let (mut server, address) = server();
    server.close_output();
    for file in ["main", "server", "client"] {
        let path = format!("{}/src/{file}.rs", env!("CARGO_MANIFEST_DIR"));
        let more: &[&str] = if STEP == "file-upload" { &[&path] } else { &[] };
        let client = run(&[&["client", &address], more].concat(), "hello\n");
        assert_eq!(client.code, Some(0), "{client:?}");
    }
}
