//! Senders and servers that misbehave, and what UDP does not promise.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_udp-echo");

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket
}

/// A datagram may get lost; if so, it is sent again.
fn assert_answers(address: &str) {
    let socket = socket();
    socket.set_read_timeout(Some(2 * MOMENT)).unwrap();
    let begin = Instant::now();
    let mut buffer = [0; 100];
    loop {
        socket.send_to(b"still there?", address).unwrap();
        if let Ok(count) = socket.recv(&mut buffer) {
            return assert_eq!(&buffer[..count], b"still there?");
        }
        assert!(begin.elapsed() < TIMEOUT, "no echo");
    }
}

/// A client, and a socket that it takes for its server.
fn client_and_server() -> (Program, UdpSocket) {
    let server = socket();
    let address = server.local_addr().unwrap().to_string();
    (Program::start(EXE, &["client", &address]), server)
}

/// Receives `message` and returns its sender.
fn expect(server: &UdpSocket, message: &str) -> SocketAddr {
    let mut buffer = [0; 100];
    let (count, client) = server.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], message.as_bytes());
    client
}

// ---- Still wrong: `ok` means that the flaw is there ----

#[test]
fn missing_echo_is_reported_lost() {
    let (mut client, server) = client_and_server();
    client.type_in("one\n");
    expect(&server, "one");
    let begin = Instant::now();
    assert_eq!(client.line(), "lost: no echo within 1s");
    assert!(begin.elapsed() > Duration::from_millis(700));
    client.type_in("two\n");
    server.send_to(b"two", expect(&server, "two")).unwrap();
    assert_eq!(client.line(), "server: \"two\"");
    assert_fails(&client.end(), &["lines without an echo", ": 1", "127.0.0.1:"]);
}

// ---- Misbehaving senders ----

#[test]
fn senders_that_vanish() {
    let (_server, address) = server(EXE);
    for _ in 0..100 {
        socket().send_to(b"bye", &address).unwrap();
    }
    assert_answers(&address);
}

#[test]
fn closed_log_does_not_end_it() {
    let (mut server, address) = server(EXE);
    server.close_output();
    for _ in 0..3 {
        assert_answers(&address);
    }
}

/// The sender has another address with the server's port number. (Not every system has 127.0.0.2.)
#[cfg(target_os = "linux")]
#[test]
fn own_port_number_is_not_echoed() {
    let (mut server, address) = server(EXE);
    let same_port = address.replace("127.0.0.1:", "127.0.0.2:");
    let sender = UdpSocket::bind(&same_port).unwrap();
    sender.send_to(b"again and again", &address).unwrap();
    assert!(server.line().starts_with(&format!("{same_port}: not echoed: ")));
    assert_answers(&address);
    sender.set_nonblocking(true).unwrap();
    assert!(is_timeout(&sender.recv(&mut [0; 100]).unwrap_err()));
}

// ---- Misbehaving servers ----

#[test]
fn late_echo_is_ignored() {
    let (mut client, server) = client_and_server();
    client.type_in("one\ntwo\n");
    expect(&server, "one");
    let peer = expect(&server, "two"); // which the client sends a second later
    server.send_to(b"one", peer).unwrap();
    server.send_to(b"two", peer).unwrap();
    assert_eq!(client.line(), "lost: no echo within 1s");
    assert_eq!(client.line(), "server: \"two\"");
}

#[test]
fn wrong_answers_are_ignored() {
    let (mut client, server) = client_and_server();
    for line in ["one", "two"] {
        client.type_in(format!("{line}\n"));
        let peer = expect(&server, line);
        for wrong in [b"ONE", &b""[..], b"one!", &[0; MAX_DATAGRAM]] {
            server.send_to(wrong, peer).unwrap();
        }
        if line == "one" {
            server.send_to(b"one", peer).unwrap();
        }
    }
    assert_eq!(client.line(), "server: \"one\"");
    assert_eq!(client.line(), "lost: no echo within 1s");
}

#[test]
fn another_address_is_ignored() {
    let (mut client, server) = client_and_server();
    client.type_in("one\n");
    socket().send_to(b"one", expect(&server, "one")).unwrap();
    assert_eq!(client.line(), "lost: no echo within 1s");
}

#[test]
fn wait_ends_despite_wrong_answers() {
    let (mut client, server) = client_and_server();
    client.type_in("one\n");
    let peer = expect(&server, "one");
    for _ in 0..6 {
        server.send_to(b"wrong", peer).unwrap();
        thread::sleep(MOMENT); // 1.2 seconds in all
    }
    server.send_to(b"one", peer).unwrap(); // too late
    assert_eq!(client.line(), "lost: no echo within 1s");
}

#[test]
fn too_long_line_is_reported_lost() {
    let (_server, address) = server(EXE);
    let longest = "a".repeat(MAX_DATAGRAM);
    let client = run(EXE, &["client", &address], &format!("{longest}\n{longest}a\nok\n"));
    assert_eq!(client.output[0], format!("server: {longest:?}"));
    assert!(client.output[1].starts_with("lost: ") && client.output[1].contains("os error"));
    assert_eq!(client.output[2], "server: \"ok\"");
    assert_fails(&client, &["lines without an echo", ": 1"]);
}

/// The port is taken so that no one else gets it, but its socket is connected elsewhere.
#[test]
fn nobody_listening_is_reported() {
    let nobody = socket();
    nobody.connect(socket().local_addr().unwrap()).unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    let client = run(EXE, &["client", &address], "one\ntwo\n");
    assert_fails(&client, &["lines without an echo", ": 2", &address]);
    if cfg!(target_os = "linux") {
        assert_eq!(client.output, ["lost: Connection refused (os error 111)"; 2]);
    }
}

#[test]
fn client_outlives_a_server_restart() {
    let reserved = socket();
    let address = reserved.local_addr().unwrap().to_string();
    let mut client = Program::start(EXE, &["client", &address]);
    client.type_in("too early\n");
    assert!(client.line().starts_with("lost: "));
    drop(reserved);
    // A program that another test is starting may hold a copy of the port for a moment.
    let mut servers = (0..100).map(|_| Program::start(EXE, &["server", &address]));
    let is_up = |server: &mut Program| server.first_line().starts_with("listening on ");
    let server = servers.find_map(|mut server| is_up(&mut server).then_some(server)).unwrap();
    client.type_in("in time\n");
    assert_eq!(client.line(), "server: \"in time\"");
    server.kill();
    client.type_in("too late\n");
    assert!(client.line().starts_with("lost: "));
    assert_fails(&client.end(), &["lines without an echo", ": 2"]);
}
