//! The test for "Extend it". It fails until you have solved the exercise.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use std::{net::UdpSocket, thread};

use harness::*;

/// Two equal lines and one echo that comes too late: it must not pass for an echo of the second.
#[test]
#[ignore = "exercise"]
fn equal_lines_are_told_apart() {
    let (_server, address) = server();
    let client = run(&["client", &address], "same\nsame\n");
    assert_succeeds(&client, &["server: \"same\"", "server: \"same\""]);

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let late = thread::spawn(move || {
        let (first, _) = receive_from(&socket).unwrap();
        let (_, client) = receive_from(&socket).unwrap();
        socket.send_to(&first, client).unwrap();
        socket // stays open until the client has ended
    });
    let client = run(&["client", &address], "same\nsame\n");
    late.join().unwrap();
    assert_fails(&client, &["no echo from ", " for 2 of 2 lines"]);
}
