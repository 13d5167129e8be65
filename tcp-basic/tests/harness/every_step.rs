//! You need not read this file to follow the course. These are the tests that every step has.

use std::{net::TcpListener, sync::mpsc::channel};

use crate::harness::*;

#[path = "transcripts.rs"]
mod transcripts;

#[test]
fn usage_is_printed() {
    let help = run(&["--help"], "");
    let usage = help.output.join("\n");
    assert_eq!((help.code, help.errors.len()), (Some(0), 0));
    assert!(usage.starts_with(&format!("Usage: cargo run -p {STEP} ")), "{usage}");
    let server = ["server", "127.0.0.1:0", "here", "too", "much"];
    let client = ["client", "127.0.0.1:1", "here", "too", "much"];
    for args in [&["sever"][..], &["--help", "server"], &server, &client] {
        let ended = run(args, "");
        let seen = (ended.code, ended.output.len(), ended.errors.join("\n"));
        assert_eq!(seen, (Some(2), 0, usage.clone()), "{args:?}");
    }
    #[cfg(unix)]
    {
        use std::os::{fd::OwnedFd, unix::ffi::OsStrExt, unix::net::UnixStream};
        // The reader of the help may not want all of it, such as `head -n 1`.
        let (writer, _) = UnixStream::pair().unwrap(); // the other end is closed
        let help = command(&["--help"]).stdout(OwnedFd::from(writer)).status();
        assert_eq!(help.unwrap().code(), Some(0));
        let not_utf8 = std::ffi::OsStr::from_bytes(b"\xff");
        let server = Program::launch(command(&["server"]).arg(not_utf8));
        assert_fails(&server.end(), &["cannot listen on \u{fffd}: "]);
    }
}

#[test]
fn wrong_addresses_are_named() {
    for nonsense in ["", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http"] {
        let hint = "; expected HOST:PORT";
        assert_fails(&run(&["server", nonsense], ""), &["cannot listen on ", nonsense, hint]);
        let client = run(&["client", nonsense], "hello\n");
        assert_fails(&client, &["cannot reach ", nonsense, hint]);
    }
    let (_server, taken) = server();
    let second = run(&["server", &taken], "");
    assert_fails(&second, &["cannot listen on ", &taken]);
    assert!(second.errors[0].ends_with(')'), "it has a hint: {second:?}");
}

/// A TCP client asks whether the server is running. A UDP client cannot know.
#[test]
fn nobody_listening_is_named() {
    // Port 1 is reserved for a service that nobody runs (tcpmux).
    let tcp = ["cannot reach 127.0.0.1:1: ", "; is the server running on that address?"];
    let udp = ["no echo from 127.0.0.1:1", " for 1 of 1 lines"];
    let client = run(&["client", "127.0.0.1:1"], "hello\n");
    assert_fails(&client, if STEP == "udp-echo" { &udp } else { &tcp });
}

/// A client reaches a server by name and, if this machine has it, over IPv6. Further clients do,
/// too, though nobody reads the server's log anymore: the next line closes that pipe, and those
/// after it fail. (Step 1 serves one client, and prints as simply as possible.)
#[test]
fn names_ipv6_and_a_closed_log_work() {
    let hosts = [("127.0.0.1:0", "localhost"), ("[::1]:0", "[::1]")];
    for (own, host) in hosts.into_iter().filter(|(own, _)| TcpListener::bind(own).is_ok()) {
        let (mut server, address) = launch_server(&mut command(&["server", own]));
        let address = format!("{host}:{}", address.rsplit_once(':').unwrap().1);
        let clients = if STEP == "tcp-basic" { 1 } else { 4 };
        for file in &["src/main.rs", "src/server.rs", "src/client.rs", "Cargo.toml"][..clients] {
            let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
            let more: &[&str] = if STEP == "file-upload" { &[&path] } else { &[] };
            let client = run(&[&["client", &address], more].concat(), "hello\n");
            assert_eq!(client.code, Some(0), "{host}: {client:?}");
            server.output = channel().1;
        }
    }
}

/// Another server may be running there while the tests are: then the error names it.
#[test]
fn defaults_are_used() {
    let mut command = command(&[]);
    let mut server = Program::launch(&mut command);
    let line = server.line();
    assert!(line.contains(&default_address()), "{line}");
    if line.starts_with("listening on ") {
        assert_eq!(run(&["client"], "hello\n").code, Some(0));
        let stored = command.get_current_dir().unwrap().join("uploads/harbour.png").exists();
        assert_eq!(stored, STEP == "file-upload");
    }
}
