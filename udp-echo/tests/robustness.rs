//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "../../tcp-basic/tests/harness/every_step.rs"]
mod every_step;
#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use std::net::{SocketAddr, TcpListener, UdpSocket};

use harness::client::uninterrupted;
use harness::*;

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket
}

/// A client, and a socket that it takes for its server.
fn client_and_server() -> (Program, UdpSocket) {
    let server = socket();
    let address = server.local_addr().unwrap().to_string();
    (Program::start(&["client", &address]), server)
}

/// Receives `message` and returns its sender.
fn expect(server: &UdpSocket, message: &str) -> SocketAddr {
    let mut buffer = [0; 100];
    let (count, client) = uninterrupted(|| server.recv_from(&mut buffer)).unwrap();
    assert_eq!(&buffer[..count], message.as_bytes());
    client
}

// ---- The server ----

#[test]
fn a_udp_port_is_not_a_tcp_port() {
    // More than one try, because some other program may have the UDP port.
    assert!((0..10).any(|_| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut server = Program::start(&["server", &address]);
        server.first_line() == format!("listening on {address}")
    }));
}

#[test]
fn log_shows_the_first_bytes() {
    let (mut server, address) = server();
    let socket = socket();
    let peer = socket.local_addr().unwrap();
    let (long, shown) = ("a".repeat(65), "a".repeat(64));
    for (message, shown) in [("\x1b[2J\n", r"\u{1b}[2J\n"), ("", ""), (&long, &shown)] {
        socket.send_to(message.as_bytes(), &address).unwrap();
        assert_eq!(server.line(), format!("{peer}: {} bytes: \"{shown}\"", message.len()));
    }
}

#[test]
fn closed_log_does_not_end_it() {
    every_step::assert_closed_log_is_survived();
}

/// The sender has another address with the server's port number. (Not every system has 127.0.0.2.)
#[cfg(target_os = "linux")]
#[test]
fn own_port_number_is_not_echoed() {
    let (mut server, address) = server();
    let same_port = address.replace("127.0.0.1:", "127.0.0.2:");
    let sender = UdpSocket::bind(&same_port).unwrap();
    sender.send_to(b"again and again", &address).unwrap();
    assert!(server.line().starts_with(&format!("{same_port}: not echoed: ")));
    assert_eq!(run(&["client", &address], "hello\n").code, Some(0)); // it goes on
    sender.set_nonblocking(true).unwrap();
    assert!(is_timeout(&sender.recv(&mut [0; 100]).unwrap_err()));
}

// ---- The client ----

#[test]
fn every_line_is_a_datagram() {
    let (_server, address) = server();
    let client = run(&["client", &address], "信息\n\n  \r\nq\nnever\n");
    assert_succeeds(&client, &["server: \"信息\"", "server: \"\"", "server: \"  \""]);
}

/// What it is sent beside the echo, it shows.
#[test]
fn late_echo_is_ignored() {
    let (mut client, server) = client_and_server();
    client.type_in("one\ntwo\n");
    expect(&server, "one");
    let peer = expect(&server, "two"); // which the client sends a second later
    server.send_to(b"one", peer).unwrap();
    server.send_to(b"two", peer).unwrap();
    assert_eq!(client.line(), "lost: no echo within 1s");
    assert_eq!(client.line(), "ignored: \"one\"");
    assert_eq!(client.line(), "server: \"two\"");
}

#[test]
fn wrong_answers_are_ignored() {
    let (mut client, server) = client_and_server();
    client.type_in("one\ntwo\n");
    let long = [b'a'; 1000];
    for line in ["one", "two"] {
        let peer = expect(&server, line);
        for wrong in [b"ONE", &b""[..], b"one!\x1b", &long] {
            server.send_to(wrong, peer).unwrap();
        }
        if line == "one" {
            server.send_to(b"one", peer).unwrap();
        }
    }
    let shown = ["ONE", "", r"one!\u{1b}", &"a".repeat(64)].map(|s| format!("ignored: \"{s}\""));
    for last in ["server: \"one\"", "lost: no echo within 1s"] {
        shown.iter().for_each(|line| assert_eq!(client.line(), *line));
        assert_eq!(client.line(), last);
    }
}

#[test]
fn too_long_line_is_reported_lost() {
    let (_server, address) = server();
    let longest = "a".repeat(MAX_DATAGRAM);
    let client = run(&["client", &address], &format!("{longest}\n{longest}a\nok\n"));
    assert_eq!(client.output[0], format!("server: {longest:?}"));
    assert!(client.output[1].starts_with("lost: ") && client.output[1].contains("os error"));
    assert_eq!(client.output[2], "server: \"ok\"");
    assert_fails(&client, &["no echo from ", " for 1 of 3 lines"]);
}

#[test]
fn client_outlives_a_server_restart() {
    let reserved = socket();
    let address = reserved.local_addr().unwrap().to_string();
    if cfg!(target_os = "linux") {
        reserved.connect(&address).unwrap(); // to itself, so that others are refused at once
    }
    let mut client = Program::start(&["client", &address]);
    client.type_in("too early\n");
    assert!(client.line().starts_with("lost: "));
    drop(reserved);
    // A program that another test is starting may hold a copy of the port for a moment.
    let mut servers = (0..100).map(|_| Program::start(&["server", &address]));
    let is_up = |server: &mut Program| server.first_line().starts_with("listening on ");
    let server = servers.find_map(|mut server| is_up(&mut server).then_some(server)).unwrap();
    client.type_in("in time\n");
    assert_eq!(client.line(), "server: \"in time\"");
    server.kill();
    client.type_in("too late\n");
    let refused = if cfg!(target_os = "linux") { "Connection refused (os error 111)" } else { "" };
    assert!(client.line().starts_with(&format!("lost: {refused}")));
    assert_fails(&client.end(), &["no echo from ", " for 2 of 3 lines"]);
}
