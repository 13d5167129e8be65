//! Senders and servers that misbehave, and what UDP does not promise.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;

use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_udp-echo");

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn assert_serves(server: &mut Program, address: &str) {
    assert!(server.is_running());
    let socket = socket();
    // Among a flood this letter may be lost: then it is sent again.
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut buffer = [0; 100];
    loop {
        socket.send_to(b"still there?", address).unwrap();
        if let Ok(count) = socket.recv(&mut buffer) {
            assert_eq!(&buffer[..count], b"still there?");
            return;
        }
        assert!(Instant::now() < deadline, "no echo");
    }
}

#[test]
fn senders_who_vanish_before_the_echo_do_not_end_it() {
    let (mut server, address) = harness::server(EXE);
    for _ in 0..100 {
        socket().send_to(b"bye", &address).unwrap();
    }
    assert_serves(&mut server, &address);
}

/// The server falls behind and letters may be lost, but it lives, and its memory stays flat.
#[test]
fn a_flood_does_not_end_it_nor_fill_its_memory() {
    let (mut server, address) = server_without_output(EXE);
    let socket = socket();
    socket.connect(&address).unwrap();
    for _ in 0..200_000 {
        let _ = socket.send(&[b'a'; 100]);
    }
    #[cfg(target_os = "linux")]
    {
        let peak = server.status("VmHWM:");
        assert!(peak < 10_000, "{peak} kB");
    }
    assert_serves(&mut server, &address);
}

#[test]
fn a_server_whose_output_is_closed_serves_on() {
    let (mut server, address) = server_without_output(EXE);
    for _ in 0..3 {
        assert_serves(&mut server, &address);
    }
}

/// The server's own socket sends to itself, so the sender's address is its own.
#[test]
fn a_letter_that_bears_the_servers_own_address_is_not_answered() {
    let server_socket = socket();
    server_socket.set_read_timeout(Some(A_MOMENT)).unwrap();
    let address = server_socket.local_addr().unwrap();
    server_socket.send_to(b"and again", address).unwrap();
    let second = server_socket.try_clone().unwrap();
    thread::spawn(move || server::serve(&second));
    // Once this one is echoed, that one has been dealt with; nothing else may come.
    let socket = socket();
    socket.connect(address).unwrap();
    let mut buffer = [0; 100];
    for _ in 0..3 {
        socket.send(b"hello").unwrap();
        assert_eq!(socket.recv(&mut buffer).unwrap(), 5);
    }
    // An echo to itself would come to the server's socket again and again.
    let begin = Instant::now();
    while begin.elapsed() < A_MOMENT {
        let waiting = server_socket.peek_from(&mut buffer);
        assert!(waiting.is_err(), "it goes on for ever");
    }
}

/// Answers the letters of one client as `answer` says: it gets the number of the letter
/// (from 0), the letter, a stranger's socket, its own socket, and the client's address.
fn fake_server(answer: fn(usize, &[u8], &UdpSocket, &UdpSocket, std::net::SocketAddr)) -> String {
    let own = socket();
    let address = own.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let stranger = socket();
        let mut buffer = [0; 65536];
        for i in 0.. {
            let Ok((count, client)) = own.recv_from(&mut buffer) else {
                break;
            };
            answer(i, &buffer[..count], &stranger, &own, client);
        }
    });
    address
}

#[test]
fn an_echo_that_never_comes_is_called_lost_and_the_next_line_is_sent() {
    let address = fake_server(|i, letter, _, own, client| {
        if i > 0 {
            own.send_to(letter, client).unwrap();
        }
    });
    let begin = Instant::now();
    let client = run(EXE, &["client", &address], "one\ntwo\n");
    assert!(begin.elapsed() >= Duration::from_secs(1));
    let lost = format!("lost: no echo from {address} within 1s");
    assert_eq!(client.output, [lost, "server: \"two\"".into()]);
    assert_fails(&client, &["1 of 2 lost", &address]);
}

#[test]
fn a_late_echo_is_not_taken_for_the_next_one() {
    let address = fake_server(|i, letter, _, own, client| {
        if i > 0 {
            own.send_to(b"one", client).unwrap(); // a second late
            own.send_to(letter, client).unwrap();
        }
    });
    let client = run(EXE, &["client", &address], "one\ntwo\n");
    assert_eq!(client.output[1], "server: \"two\"");
    assert_fails(&client, &["1 of 2 lost"]);
}

#[test]
fn wrong_and_foreign_answers_are_set_aside() {
    let address = fake_server(|_, letter, stranger, own, client| {
        stranger.send_to(letter, client).unwrap();
        own.send_to(b"ONE", client).unwrap();
        own.send_to(b"", client).unwrap();
        own.send_to(&[letter, b"!"].concat(), client).unwrap();
        own.send_to(&[0; LARGEST_DATAGRAM], client).unwrap();
        own.send_to(letter, client).unwrap();
    });
    let client = run(EXE, &["client", &address], "one\n");
    assert_eq!(
        (client.code, client.output),
        (Some(0), vec!["server: \"one\"".to_string()])
    );
}

/// An answer from another port is none, and wrong answers without end do not make the
/// client wait longer than its second.
#[test]
fn a_stranger_is_not_heard_and_a_babbling_server_does_not_hold_the_client() {
    let address = fake_server(|_, letter, stranger, own, client| {
        stranger.send_to(letter, client).unwrap();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(10) {
            let _ = own.send_to(b"blah", client);
            thread::sleep(Duration::from_millis(1));
        }
    });
    let begin = Instant::now();
    assert_fails(&run(EXE, &["client", &address], "one\n"), &["no echo"]);
    assert!(
        begin.elapsed() < Duration::from_secs(8),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn a_line_too_large_for_a_datagram_is_refused_and_the_next_one_sent() {
    let (_server, address) = harness::server(EXE);
    let input = format!(
        "{}\n{}\nok\n",
        "a".repeat(LARGEST_DATAGRAM),
        "a".repeat(65508)
    );
    let client = run(EXE, &["client", &address], &input);
    assert_eq!(client.output[0].len(), LARGEST_DATAGRAM + 10);
    let refused = "lost: a line of 65508 bytes: this client sends 65507 at most";
    assert_eq!(client.output[1..], [refused, "server: \"ok\""]);
    assert_fails(&client, &["1 of 3 lost"]);
}

/// The system tells a connected socket that its letter came back; not all systems do.
#[test]
fn nobody_listening_is_said_where_the_system_tells() {
    // Connected elsewhere: the port is taken, and what others send to it comes back.
    let nobody = socket();
    let elsewhere = socket();
    nobody.connect(elsewhere.local_addr().unwrap()).unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    let client = run(EXE, &["client", &address], "one\ntwo\n");
    assert_fails(&client, &["2 of 2 lost", &address]);
    if cfg!(target_os = "linux") {
        let line = format!(
            "lost: cannot reach {address}: Connection refused; \
             start the server first: cargo run -p udp-echo"
        );
        assert_eq!(client.output, [line.as_str(), &line]);
    }
}

/// Ctrl-Z and fg: on Linux they cut short a receive that has a time limit.
#[cfg(unix)]
#[test]
fn an_echo_survives_that_the_client_is_stopped_and_continued() {
    let server = socket();
    let address = server.local_addr().unwrap().to_string();
    let mut client = Program::start(EXE, &["client", &address]);
    client.type_line("hello");
    let mut buffer = [0; 100];
    let (count, peer) = server.recv_from(&mut buffer).unwrap();
    client.signal("STOP");
    client.signal("CONT");
    server.send_to(&buffer[..count], peer).unwrap();
    assert_eq!(client.line(), "server: \"hello\"");
    assert_eq!(client.end().code, Some(0));
}

#[test]
fn the_client_may_start_before_the_server_and_outlive_it() {
    let reserved = socket();
    let address = reserved.local_addr().unwrap().to_string();
    let mut client = Program::start(EXE, &["client", &address]);
    client.type_line("too early");
    assert!(client.line().starts_with("lost: "));
    drop(reserved);
    let (server, _) = launch_server(std::process::Command::new(EXE).args(["server", &address]));
    client.type_line("in time");
    assert_eq!(client.line(), "server: \"in time\"");
    server.kill();
    client.type_line("too late");
    assert!(client.line().starts_with("lost: "));
    assert_fails(&client.end(), &["2 of 3 lost"]);
}
