//! The test for "Extend it". It fails until you have solved the exercise.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use std::time::Instant;

use harness::*;

/// Asks until only the asking client is counted: the thread of a client that has left may need a
/// moment to end.
fn assert_only(client: &mut Client, rule: &str) {
    let begin = Instant::now();
    while client.send("count\n").expects_line("", rule) != "1\n" {
        assert!(begin.elapsed() < TIMEOUT / 4, "the server still counts it: {rule}");
    }
}

#[test]
#[ignore = "exercise"]
fn count_tells_the_clients() {
    let (_server, address) = server();
    let mut first = Client::greeted(&address);
    first.send("count\n").expects("1\n", "count is answered with the number of clients");
    let mut second = Client::greeted(&address);
    second.send("count\nexit\n").expects("2\n", "every connected client counts");
    assert_only(&mut first, "a client that has left does not count");

    let mut third = Client::greeted(&address);
    third.send("Genji\n");
    third.reset("it answers");
    assert_only(&mut first, "a client that reset its connection does not count");
}
