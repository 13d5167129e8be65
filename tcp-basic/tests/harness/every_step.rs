//! The tests that every step has. You need not read this file to follow the course.

use crate::STEP;
use crate::harness::*;

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
    #[cfg(unix)]
    {
        let not_utf8: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
        let ended = Program::launch(STEP.command(&["server"]).arg(not_utf8)).end();
        assert_eq!((ended.code, ended.errors.join("\n")), (Some(2), usage));
    }
}

#[test]
fn wrong_addresses_are_named() {
    for nonsense in ["", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http"] {
        let server = Program::launch(&mut STEP.command(&["server", nonsense])).end();
        assert_fails(&server, &["cannot listen on ", nonsense]);
        assert_fails(&STEP.client(nonsense), &["cannot reach ", nonsense]);
    }
    let (_server, taken) = STEP.server("127.0.0.1:0");
    let second = Program::launch(&mut STEP.command(&["server", &taken])).end();
    assert_fails(&second, &["cannot listen on ", &taken]);
}

/// A TCP client says how to start the server; a UDP client cannot tell whether there is one. Both
/// ports are taken, so that no one else gets them, and no server has them.
#[test]
fn nobody_listening_is_named() {
    let (client, _accepted, _) = Client::accepted();
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp = silent.local_addr().unwrap().to_string();
    let hint = format!("is the server running? (cargo run -p {})", STEP.name);
    let (address, parts) = match STEP.name {
        "udp-echo" => (udp, ["lines without an echo", ": 1", ""]),
        _ => (client.address(), ["cannot reach ", " (os error ", &hint]),
    };
    assert_fails(&STEP.client(&address), &[&parts[..], &[&address]].concat());
}

/// A client reaches a server by name, and over IPv6 if this machine has it.
#[test]
fn names_and_ipv6_work() {
    for (own, host) in [("127.0.0.1:0", "localhost"), ("[::1]:0", "[::1]")] {
        if std::net::TcpListener::bind(own).is_ok() {
            let (_server, address) = STEP.server(own);
            let (_, port) = address.rsplit_once(':').unwrap();
            let client = STEP.client(&format!("{host}:{port}"));
            assert_eq!(client.code, Some(0), "{host}: {client:?}");
        }
    }
}

#[test]
fn defaults_are_used() {
    let mut command = STEP.command(&[]);
    let mut server = Program::launch(&mut command);
    // Another server may be running there while the tests are: then the error names it.
    let line = server.first_line();
    assert!(line.contains(STEP.address), "{line}");
    if line.starts_with("listening on ") {
        assert_eq!(run(STEP.exe, &["client"], "hello\n").code, Some(0));
        let directory = command.get_current_dir().unwrap();
        let stored = directory.join("uploads/harbour.png").exists();
        assert_eq!(stored, STEP.name == "file-upload");
    }
}
