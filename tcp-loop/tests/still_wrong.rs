//! What this step still gets wrong. Each test passes as long as its flaw is there.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use harness::*;

#[test]
fn second_client_waits_for_the_first() {
    let (_server, mut first) = server_and_client("");
    first.send("hello").expect("HELLO");
    let address = first.stream().peer_addr().unwrap().to_string();
    let mut second = Client::connect(&address); // connected, but only to the backlog
    second.send("me too");
    assert!(second.is_silent());
    first.send("still there?").expect("STILL THERE?");
    drop(first);
    second.expect("ME TOO");
}

#[test]
fn two_sends_arrive_as_one_read() {
    let (mut server, address) = server();
    let mut first = Client::connect(&address);
    first.send("hello").expect("HELLO");
    let mut second = Client::connect(&address);
    second.send("one").send("two");
    drop(first);
    let peer = second.stream().local_addr().unwrap();
    server.line_with(&format!("{peer} connected"));
    assert_eq!(server.line(), format!("{peer}: \"onetwo\""));
    second.expect("ONETWO");
}
