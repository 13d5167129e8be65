//! What a client and a server of this step have to do, in any language. By default, these tests
//! start the step's own. To test your client, run
//!
//!     MY_CLIENT=127.0.0.1:8080 cargo test -p udp-echo --test protocol -- --nocapture client
//!
//! and start your client when the test prints `waiting`. To test your server, start it, then run
//!
//!     MY_SERVER=127.0.0.1:8080 cargo test -p udp-echo --test protocol server

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use std::time::{Duration, Instant};
use std::{env, net::UdpSocket};

use harness::client::{is_timeout, nothing, receive_from, report, shown};
use harness::subject::{Subject, patience};
use harness::{MAX_DATAGRAM, Program};

// ---- The client ----

/// The test in the place of a server. It sees what the client sends, and when. (The page says the
/// same in a table, line by line.)
#[test]
fn client_goes_on_in_time_and_is_not_fooled() {
    let yours = env::var("MY_CLIENT");
    let server = UdpSocket::bind(yours.as_deref().unwrap_or("127.0.0.1:0"));
    let server = server.unwrap_or_else(|error| panic!("\n  {error} (stop the server there?)"));
    let address = server.local_addr().unwrap();
    let elsewhere = UdpSocket::bind((address.ip(), 0)).unwrap();
    println!("waiting at {address}: start your client now, which sends the lines 1 to 5");
    let mut own = yours.is_err().then(|| Program::start(&["client", &address.to_string()]));
    own.iter_mut().for_each(|client| client.type_in("1\n2\n3\n4\n5\n"));

    // Each turn: who sends what to the client, which line it must send then (None: no line), within
    // how many seconds after its last one, and why.
    type Turn<'a> = (&'a UdpSocket, &'a [&'a [u8]], Option<&'a str>, f32, &'a str);
    let wrong: &[&[u8]] = &[b"\xff\xfe", b"", b"3\n", b"3\0", b"3 and more"];
    let rule = "only exactly the bytes that it sent are the echo";
    let conversation: [Turn; 11] = [
        (&server, &[], Some("1"), 60.0, "each line is a datagram, without its newline"),
        (&server, &[b"1"], Some("2"), 0.7, "after the echo, it sends the next line"),
        // The echo of 2 is lost.
        (&server, &[], None, 0.7, "without an echo, it waits for a second"),
        (&server, &[], Some("3"), 1.7, "after a second without an echo, it goes on"),
        (&elsewhere, &[b"3"], None, 0.1, "an echo from another address does not count"),
        (&server, &[b"2"], None, 0.2, "a late echo of the last line is not the echo of this one"),
        (&server, wrong, None, 0.3, rule),
        (&server, &[b"3"], Some("4"), 0.9, "when the echo comes after all that, it goes on"),
        (&server, &[b"wrong"], None, 0.7, rule),
        (&server, &[b"wrong"], Some("5"), 1.5, "it waits one second in all, whatever arrives"),
        (&server, &[b"5"], None, 0.1, "it sends each line once"),
    ];
    let (mut since, mut client, mut sent) = (Instant::now(), None, String::new());
    for (from, answers, line, seconds, rule) in conversation {
        for answer in answers {
            from.send_to(answer, client.unwrap()).unwrap();
            sent += &format!("{} from port {} ", shown(answer), from.local_addr().unwrap().port());
        }
        let left = Duration::from_secs_f32(seconds).saturating_sub(since.elapsed());
        server.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
        let received = receive_from(&server).ok();
        let found = received.as_ref().map_or("nothing".to_string(), |(line, _)| shown(line));
        let line = line.map_or("nothing".to_string(), |line| format!("{line:?}"));
        let expected = format!("{line} from the client within {seconds} s");
        let after = since.elapsed();
        report(found == line, rule, &sent, &expected, &format!("{found} after {after:.1?}"));
        if let Some((_, peer)) = received {
            (since, client, sent) = (Instant::now(), Some(peer), String::new());
        }
    }
}

// ---- The server ----

/// A socket that sends to the server and receives from it.
#[track_caller]
fn client(server: &Subject) -> UdpSocket {
    let own = if server.address.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(own).unwrap();
    let result = socket.connect(&server.address).map_err(|error| error.to_string());
    assert!(result.is_ok(), "\n  MY_SERVER must be HOST:PORT: {:?}: {result:?}.", server.address);
    socket
}

/// Receives the echoes of what has been `sent`, in any order.
#[track_caller]
fn receive(socket: &UdpSocket, sent: &[&[u8]], rule: &str) {
    let mut missing = sent.to_vec();
    while !missing.is_empty() {
        socket.set_read_timeout(Some(patience())).unwrap();
        let (received, bytes) = match receive_from(socket) {
            Ok((bytes, _)) => (shown(&bytes), Some(bytes)),
            Err(error) if is_timeout(&error) => (nothing(), None),
            Err(error) => (format!("{error}: your server is not running, or called connect"), None),
        };
        let place = missing.iter().position(|message| bytes.as_deref() == Some(*message));
        let sent = missing.iter().map(|bytes| shown(bytes)).collect::<Vec<_>>().join(", ");
        report(place.is_some(), rule, &sent, "the same", &received);
        missing.remove(place.unwrap());
    }
}

/// Sends datagrams, which must come back.
#[track_caller]
fn expect_echoes(socket: &UdpSocket, messages: &[&[u8]], rule: &str) {
    messages.iter().for_each(|message| drop(socket.send(message))); // if it fails, nothing comes
    receive(socket, messages, rule);
}

#[test]
fn server_check1_echoes() {
    let server = Subject::new();
    for message in ["hello".as_bytes(), "straße 你好".as_bytes(), b"\xff\x00\xfe\n"] {
        let rule = "each datagram comes back, with exactly its bytes";
        expect_echoes(&client(&server), &[message], rule);
    }
}

#[test]
fn server_check2_keeps_boundaries() {
    let server = Subject::new();
    let rule = "each datagram is a message, even an empty one";
    expect_echoes(&client(&server), &[b"one", b"", b"one"], rule);
}

#[test]
fn server_check3_echoes_every_size() {
    let server = Subject::new();
    let client = client(&server);
    for size in [10, 1024, 1025, 1472, 9000, MAX_DATAGRAM] {
        let datagram: Vec<u8> = (0..size).map(|i| (i * 7 + i / 256) as u8).collect();
        expect_echoes(&client, &[&datagram], &format!("{size} bytes come back as one datagram"));
    }
}

#[test]
fn server_check4_answers_each_sender() {
    let server = Subject::new();
    let clients: Vec<UdpSocket> = (0..50).map(|_| client(&server)).collect();
    for (i, client) in (0..).zip(&clients) {
        drop(client.send(&[i]));
    }
    for (i, client) in (0..).zip(&clients) {
        receive(client, &[&[i]], "the echo goes to the address that the datagram came from");
    }
}

#[test]
fn server_check5_survives_a_sender_that_has_gone() {
    let server = Subject::new();
    let gone = client(&server);
    (0..100).for_each(|_| drop(gone.send(b"bye")));
    drop(gone);
    let rule = "an echo that cannot be delivered does not end the server";
    expect_echoes(&client(&server), &[b"still there?"], rule);
}
