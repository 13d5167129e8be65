//! The test for "Extend it". It fails until you have solved the exercise.

mod harness;

use harness::*;

/// A message that arrives in two pieces, and one that does not fit into a single read.
#[test]
#[ignore = "exercise"]
fn long_message_is_answered_whole() {
    let (_server, address) = server();
    let mut client = Client::connect(&address);
    client.send("hello, ");
    assert!(client.is_silent(), "the server answered, though the client has not half-closed yet");
    client.send("world").finish();
    client.expects("HELLO, WORLD", "the message ends where the client half-closes");

    let (_server, address) = server();
    let client = run(&["client", &address, &"a".repeat(20_000)], "");
    assert_succeeds(&client, &[&format!("server: \"{}\"", "A".repeat(20_000))]);
}
