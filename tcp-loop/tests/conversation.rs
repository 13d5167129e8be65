//! The conversations as they should go, and the command line.

#[path = "../../tcp-basic/tests/harness/every_step.rs"]
mod every_step;
#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;

use std::thread;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-loop");
const STEP: Step = Step { name: "tcp-loop", exe: EXE, address: "127.0.0.1:7890", client_args: &[] };

#[test]
fn clients_are_served_in_turn() {
    let (mut server, address) = server(EXE);
    for _ in 0..3 {
        let client = run(EXE, &["client", &address], "one\ntwo 信息\nq\n");
        assert_succeeds(&client, &["server: \"ONE\"", "server: \"TWO 信息\""]);
    }
    assert!(server.is_running());
}

#[test]
fn blank_lines_are_skipped() {
    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address], "\n  \r\n\t\n a \r\n\nb");
    assert_succeeds(&client, &["server: \"A\"", "server: \"B\""]);
}

#[test]
fn q_or_no_input_ends_it() {
    let (_server, address) = server(EXE);
    for input in ["", "q\nb\n", "q"] {
        assert_succeeds(&run(EXE, &["client", &address], input), &[]);
    }
}

#[test]
fn long_line_does_not_deadlock() {
    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address], &"a".repeat(20_000_000));
    assert_eq!(client.code, Some(0), "{:?}", client.errors);
    let answer = client.output[0].strip_prefix("server: ").unwrap();
    assert_eq!(answer.len(), 20_000_000 + 2); // and two quotation marks
    assert!(answer.trim_matches('"').bytes().all(|byte| byte == b'A'));
}

#[test]
fn millions_of_bytes_come_back() {
    // Any bytes will do, as long as all 256 values are among them, in no simple order.
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| (i.wrapping_mul(i) / 7 + i) as u8).collect();
    let (_server, mut client) = server_and_client(EXE, "");
    let mut sender = Client::new(client.stream().try_clone().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| sender.send(&bytes));
        client.expect(bytes.to_ascii_uppercase());
    });
}

/// `bye` is answered, then the server closes the connection, even when it arrives in two pieces.
#[test]
#[ignore = "exercise"]
fn bye_closes_the_connection() {
    let (_server, address) = server(EXE);
    for pieces in [["", "bye"], ["b", "ye"], ["hello, by", "e"]] {
        let mut client = Client::connect(&address);
        for piece in pieces {
            client.send(piece);
            client.expect(piece.to_uppercase());
        }
        assert!(client.is_closed(), "the connection stays open after {pieces:?}");
    }
    let mut client = Client::connect(&address);
    client.send("by the way, ye all");
    client.expect("BY THE WAY, YE ALL");
    assert!(client.is_silent());
}
