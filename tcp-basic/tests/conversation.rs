//! The conversation as it should go, and the command line.

mod harness;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-basic");
const STEP: Step = Step {
    name: "tcp-basic",
    exe: EXE,
    address: "127.0.0.1:6666",
    server_args: &[],
    client_args: &[],
};

#[test]
fn transcripts_are_true() {
    STEP.check_transcripts();
}

#[test]
fn command_line_is_as_documented() {
    STEP.check_command_line();
    STEP.check_nobody_listening();
}

#[test]
fn names_and_ipv6_work() {
    STEP.check_hosts();
}

#[test]
fn default_address_is_used() {
    STEP.check_default_address();
}

#[test]
fn both_sides_exit_after_one_message() {
    let (server, address) = server(EXE);
    let client = run(EXE, &["client", &address, "show 信息"], "");
    assert_succeeds(&client, &["server: \"SHOW 信息\""]);
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn only_ascii_becomes_uppercase() {
    let (_server, address) = server(EXE);
    let client = run(EXE, &["client", &address, "straße, é, ß, z"], "");
    assert_succeeds(&client, &["server: \"STRAßE, é, ß, Z\""]);
}

#[test]
fn message_has_a_default() {
    let (mut server, address) = server(EXE);
    assert_eq!(run(EXE, &["client", &address], "").code, Some(0));
    server.line_with("\"show 信息\"");
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
