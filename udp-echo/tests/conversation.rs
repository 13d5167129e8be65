//! Letters and their echoes, as they should go.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;

use std::net::UdpSocket;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_udp-echo");

/// A sender of our own, connected to the server.
fn sender(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn echo(socket: &UdpSocket, datagram: &[u8]) -> Vec<u8> {
    socket.send(datagram).unwrap();
    let mut buffer = vec![0; 65536];
    let count = socket.recv(&mut buffer).unwrap();
    buffer.truncate(count);
    buffer
}

#[test]
fn the_readme_tells_what_the_terminals_show() {
    play_readme(EXE, "udp-echo", &[], &[]);
}

#[test]
fn the_command_line_is_the_same_as_everywhere() {
    check_command_line(EXE, "udp-echo", "127.0.0.1:8080");
    check_wrong_addresses(EXE, &[], &[]);
}

#[test]
fn without_arguments_it_serves_its_own_address() {
    let mut server = Program::start(EXE, &[]);
    // Another server may be running there while the tests are: then the error says so.
    assert!(server.first_line().contains("127.0.0.1:8080"));
}

#[test]
fn a_udp_port_is_not_a_tcp_port() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (_server, same) = launch_server(std::process::Command::new(EXE).args(["server", &address]));
    assert_eq!(same, address);
}

#[test]
fn every_size_comes_back_byte_for_byte() {
    let (_server, address) = server(EXE);
    let socket = sender(&address);
    for size in [0, 1, 1024, 1025, 1472, 9000, LARGEST_DATAGRAM] {
        let datagram: Vec<u8> = (0..size).map(|i| (i * 7 + i / 256) as u8).collect();
        assert!(echo(&socket, &datagram) == datagram, "{size} bytes");
    }
}

#[test]
fn datagrams_are_not_glued() {
    let (_server, address) = server(EXE);
    let socket = sender(&address);
    for word in ["one", "", "two"] {
        socket.send(word.as_bytes()).unwrap();
    }
    let mut buffer = [0; 100];
    for word in ["one", "", "two"] {
        let count = socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], word.as_bytes());
    }
}

#[test]
fn many_senders_each_get_their_own_echo() {
    let (_server, address) = server(EXE);
    let sockets: Vec<_> = (0..50).map(|_| sender(&address)).collect();
    for (i, socket) in sockets.iter().enumerate() {
        assert_eq!(echo(socket, &[i as u8]), [i as u8]);
    }
}

#[test]
fn the_log_shows_who_and_how_much_escaped_and_cut() {
    let (mut server, address) = server(EXE);
    let socket = sender(&address);
    let own = socket.local_addr().unwrap();
    echo(&socket, b"\x1b[2J\n\xff");
    assert_eq!(
        server.line(),
        format!("{own}: 6 bytes: \"\\u{{1b}}[2J\\n\u{fffd}\"")
    );
    echo(&socket, b"");
    assert_eq!(server.line(), format!("{own}: 0 bytes: \"\""));
    echo(&socket, &[b'a'; LARGEST_DATAGRAM]);
    assert_eq!(
        server.line(),
        format!("{own}: {LARGEST_DATAGRAM} bytes: \"{}\"...", "a".repeat(64))
    );
}

#[test]
fn the_client_sends_every_line_as_a_letter_of_its_own() {
    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address], "hello 信息\n\n  \r\nq\nnever\n");
    assert_eq!((client.code, client.errors), (Some(0), vec![]));
    assert_eq!(
        client.output,
        ["server: \"hello 信息\"", "server: \"\"", "server: \"  \""]
    );
}

#[test]
fn ipv6_and_names_work_as_well() {
    for host in HOSTS {
        if let Some(client) = client_of(EXE, host, &[], &[]) {
            assert_eq!(
                (client.code, client.output),
                (Some(0), vec!["server: \"hello\"".into()])
            );
        }
    }
}
