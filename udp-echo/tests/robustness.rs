//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "../../tcp-basic/tests/harness/every_step.rs"]
mod every_step;
#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use std::net::UdpSocket;

use harness::*;

// ---- The server ----

#[test]
fn log_shows_the_first_bytes() {
    let (mut server, address) = server();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let peer = socket.local_addr().unwrap();
    let long = &"a".repeat(65)[..];
    for (message, shown) in [("\x1b[2J\n", r"\u{1b}[2J\n"), ("", ""), (long, &long[..64])] {
        socket.send_to(message.as_bytes(), &address).unwrap();
        assert_eq!(server.line(), format!("{peer}: {} bytes: \"{shown}\"", message.len()));
    }
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

/// What it is sent beside the echo, it shows.
#[test]
fn wrong_answers_are_ignored() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut client = Program::start(&["client", &server.local_addr().unwrap().to_string()]);
    client.type_in("one\ntwo\n");
    let (_, peer) = receive_from(&server).unwrap();
    for wrong in ["ONE", "", "one!\x1b", &"a".repeat(1000)] {
        server.send_to(wrong.as_bytes(), peer).unwrap();
    }
    for shown in ["ONE", "", r"one!\u{1b}", &"a".repeat(64)] {
        assert_eq!(client.line(), format!("ignored: \"{shown}\""));
    }
    assert_eq!(client.line(), "lost: no echo within 1s");
    assert_eq!(receive_from(&server).unwrap().0, b"two");
    for late in ["one", "two"] {
        server.send_to(late.as_bytes(), peer).unwrap();
    }
    assert_eq!([client.line(), client.line()], ["ignored: \"one\"", "server: \"two\""]);
}

#[test]
fn too_long_line_is_reported_lost() {
    let (_server, address) = server();
    let longest = "a".repeat(MAX_DATAGRAM);
    let client = run(&["client", &address], &format!("{longest}\n{longest}a\n  \r\nq\nok\n"));
    assert_eq!(client.output[0], format!("server: {longest:?}"));
    assert!(client.output[1].starts_with("lost: ") && client.output[1].contains("os error"));
    assert_eq!(client.output[2..], ["server: \"  \""]);
    assert_fails(&client, &["no echo from ", " for 1 of 3 lines"]);
}

#[test]
fn client_outlives_a_server_restart() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap(); // in the place of a server
    let address = silent.local_addr().unwrap().to_string();
    let mut client = Program::start(&["client", &address]);
    client.type_in("too early\n");
    assert_eq!(client.line(), "lost: no echo within 1s");
    drop(silent);
    // A program that another test is starting may hold a copy of the port for a moment.
    let mut servers = (0..100).map(|_| Program::start(&["server", &address]));
    let server = servers.find_map(|mut one| one.line().starts_with("listening").then_some(one));
    client.type_in("in time\n");
    assert_eq!(client.line(), "server: \"in time\"");
    server.unwrap().kill();
    client.type_in("too late\n");
    let refused = if cfg!(target_os = "linux") { "Connection refused (os error 111)" } else { "" };
    assert!(client.line().starts_with(&format!("lost: {refused}")));
    assert_fails(&client.end(), &["no echo from ", " for 2 of 3 lines"]);
}
