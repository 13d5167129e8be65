//! The test for "Extend it". It fails until you have solved the exercise.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use harness::*;

#[test]
#[ignore = "exercise"]
fn count_tells_the_clients() {
    let (_server, address) = server();
    let mut first = Client::greeted(&address);
    first.send("count\n").expects("1\n", "count is answered with the number of clients");
    let mut second = Client::greeted(&address);
    second.send("count\nexit\n").expects("2\n", "every connected client counts");
    let mut is_only = || first.send("count\n").expects_line("", "count is answered") == "1\n";
    // The thread of a client that has left may need a moment to end.
    wait_until("a client that has left still counts", &mut is_only);

    let mut third = Client::greeted(&address);
    third.send("Genji\n");
    third.reset("it answers");
    wait_until("a client that reset its connection still counts", is_only);
}
