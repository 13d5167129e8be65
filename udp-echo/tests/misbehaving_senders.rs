//! Senders and servers that misbehave, and what UDP does not promise.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_udp-echo");

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket
}

/// A datagram may get lost in a flood: then it is sent again.
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

/// A server that answers each datagram as `answer` says: it gets the datagram's number (from 0),
/// its bytes, the server's socket and the client's address.
fn fake_server(answer: fn(usize, &[u8], &UdpSocket, SocketAddr)) -> String {
    let socket = socket();
    let address = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        for i in 0.. {
            let Ok((count, client)) = socket.recv_from(&mut buffer) else {
                break;
            };
            answer(i, &buffer[..count], &socket, client);
        }
    });
    address
}

// ---- Still wrong: `ok` means that the fault is there ----

#[test]
fn missing_echo_is_reported_lost() {
    let address = fake_server(|i, message, socket, client| {
        if i > 0 {
            socket.send_to(message, client).unwrap();
        }
    });
    let begin = Instant::now();
    let client = run(EXE, &["client", &address], "one\ntwo\n");
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        client.output,
        ["lost: no echo within 1s", "server: \"two\""]
    );
    assert_fails(&client, &["1 without an echo", &address]);
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
fn flood_does_not_fill_memory() {
    let mut command = Command::new(EXE);
    #[allow(unused_variables)]
    let (server, address) = launch_server_without_output(command.args(["server", "127.0.0.1:0"]));
    let socket = socket();
    socket.connect(&address).unwrap();
    for _ in 0..100_000 {
        let _ = socket.send(&[b'a'; 100]);
    }
    assert_answers(&address);
    #[cfg(target_os = "linux")]
    assert!(server.status("VmHWM:") < 10_000, "kB");
}

#[test]
fn closed_log_does_not_end_it() {
    let mut command = Command::new(EXE);
    let (_server, address) = launch_server_without_output(command.args(["server", "127.0.0.1:0"]));
    for _ in 0..3 {
        assert_answers(&address);
    }
}

/// The sender has another address with the server's port number. (macOS has no 127.0.0.2.)
#[cfg(not(target_os = "macos"))]
#[test]
fn own_port_number_is_not_echoed() {
    let (mut server, address) = server(EXE);
    let same_port = address.replace("127.0.0.1:", "127.0.0.2:");
    let sender = UdpSocket::bind(&same_port).unwrap();
    sender.send_to(b"again and again", &address).unwrap();
    assert!(
        server
            .line()
            .starts_with(&format!("{same_port}: not echoed: "))
    );
    assert_answers(&address);
    sender.set_nonblocking(true).unwrap();
    assert!(is_timeout(&sender.recv(&mut [0; 100]).unwrap_err()));
}

// ---- Misbehaving servers ----

#[test]
fn late_echo_is_ignored() {
    let address = fake_server(|i, message, socket, client| {
        if i > 0 {
            socket.send_to(b"one", client).unwrap(); // a second late
            socket.send_to(message, client).unwrap();
        }
    });
    let client = run(EXE, &["client", &address], "one\ntwo\n");
    assert_eq!(
        client.output,
        ["lost: no echo within 1s", "server: \"two\""]
    );
}

#[test]
fn wrong_answers_are_ignored() {
    let address = fake_server(|i, message, socket, client| {
        socket.send_to(b"ONE", client).unwrap();
        socket.send_to(b"", client).unwrap();
        socket.send_to(&[message, b"!"].concat(), client).unwrap();
        socket.send_to(&[0; MAX_DATAGRAM], client).unwrap();
        if i == 0 {
            socket.send_to(message, client).unwrap();
        }
    });
    let client = run(EXE, &["client", &address], "one\ntwo\n");
    assert_eq!(
        client.output,
        ["server: \"one\"", "lost: no echo within 1s"]
    );
}

#[test]
fn another_address_is_ignored() {
    let address = fake_server(|_, message, _, client| {
        socket().send_to(message, client).unwrap();
    });
    let client = run(EXE, &["client", &address], "one\n");
    assert_eq!(client.output, ["lost: no echo within 1s"]);
}

#[test]
fn wrong_answers_do_not_prolong_the_wait() {
    let address = fake_server(|_, message, socket, client| {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(900) {
            let _ = socket.send_to(b"wrong", client);
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(400));
        let _ = socket.send_to(message, client); // too late
    });
    let client = run(EXE, &["client", &address], "one\n");
    assert_eq!(client.output, ["lost: no echo within 1s"]);
}

#[test]
fn too_long_line_is_reported_lost() {
    let (_server, address) = server(EXE);
    let longest = "a".repeat(MAX_DATAGRAM);
    let client = run(
        EXE,
        &["client", &address],
        &format!("{longest}\n{longest}a\nok\n"),
    );
    assert_eq!(client.output[0], format!("server: {longest:?}"));
    assert!(client.output[1].starts_with("lost: ") && client.output[1].contains("os error"));
    assert_eq!(client.output[2], "server: \"ok\"");
    assert_fails(&client, &["1 without an echo"]);
}

/// The port is taken, so that no one else gets it, but its socket is connected elsewhere.
#[test]
fn nobody_listening_is_reported() {
    let (nobody, elsewhere) = (socket(), socket());
    nobody.connect(elsewhere.local_addr().unwrap()).unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    let client = run(EXE, &["client", &address], "one\ntwo\n");
    assert_fails(&client, &["2 without an echo", &address]);
    if cfg!(target_os = "linux") {
        assert_eq!(
            client.output,
            ["lost: Connection refused (os error 111)"; 2]
        );
    }
}

#[test]
fn client_outlives_a_server_restart() {
    let reserved = socket();
    let address = reserved.local_addr().unwrap().to_string();
    let mut client = Program::start(EXE, &["client", &address]);
    client.type_line("too early");
    assert!(client.line().starts_with("lost: "));
    drop(reserved);
    let (server, _) = launch_server(Command::new(EXE).args(["server", &address]));
    client.type_line("in time");
    assert_eq!(client.line(), "server: \"in time\"");
    server.kill();
    client.type_line("too late");
    assert!(client.line().starts_with("lost: "));
    assert_fails(&client.end(), &["2 without an echo"]);
}
