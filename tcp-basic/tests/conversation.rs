//! The conversation as it should go, and the command line.

#[path = "harness/every_step.rs"]
mod every_step;
mod harness;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-basic");
const STEP: Step =
    Step { name: "tcp-basic", exe: EXE, address: "127.0.0.1:6666", client_args: &[] };

#[test]
fn only_ascii_becomes_uppercase() {
    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address, "straße, é, ß, z"], "");
    assert_succeeds(&client, &["server: \"STRAßE, é, ß, Z\""]);
}

#[test]
fn empty_message_is_refused() {
    let (mut server, address) = server(EXE);
    let client = run(EXE, &["client", &address, ""], "");
    assert_fails(&client, &["empty message"]);
    assert!(server.is_running(), "the client connected all the same");
}

/// A message that arrives in two pieces, and one that does not fit into a single read.
#[test]
#[ignore = "exercise"]
fn long_message_is_answered_whole() {
    let (_server, address) = server(EXE);
    let mut client = Client::connect(&address);
    client.send("hello, ");
    assert!(client.is_silent(), "the message has not ended yet");
    client.send("world");
    client.finish();
    assert_eq!(client.rest(), "HELLO, WORLD");

    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address, &"a".repeat(20_000)], "");
    assert_succeeds(&client, &[&format!("server: \"{}\"", "A".repeat(20_000))]);
}
