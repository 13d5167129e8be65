//! What a server of this step has to do, in any language. By default, these tests start the step's
//! own server. To test yours, start it first, then run
//!
//!     MY_SERVER=127.0.0.1:7890 cargo test -p tcp-loop --test protocol

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use harness::{MOMENT, subject::Subject};

/// The next client must get an answer, for the reason that `rule` gives. (With track_caller, a
/// failure names the line of the check.)
#[track_caller]
fn assert_serves(server: &Subject, rule: &str) {
    server.connect(rule).send("still there?").expects("STILL THERE?", rule);
}

#[test]
fn check1_answers() {
    let server = Subject::new();
    let mut client = server.connect("it serves one client after another");
    client.send("Hello\n").expects("HELLO\n", "what it reads comes back, with a to z in uppercase");
    client.send("`{straße 你z").expects("`{STRAßE 你Z", "all other bytes come back unchanged");
    client.send("q").expects("Q", "a client may send what it likes, as often as it likes");
}

#[test]
fn check2_serves_the_next_client() {
    let server = Subject::new();
    for _ in 0..3 {
        assert_serves(&server, "when one client has gone, it serves the next");
    }
}

#[test]
fn check3_survives_a_client_that_closes_at_once() {
    let server = Subject::new();
    let rule = "a read of 0 bytes ends one connection, not the server";
    drop(server.connect(rule));
    assert_serves(&server, rule);
}

#[test]
fn check4_survives_a_reset() {
    let server = Subject::new();
    let rule = "an error, such as a reset, ends one connection, not the server";
    for _ in 0..3 {
        let mut client = server.connect(rule);
        client.send("bye");
        client.reset(rule);
    }
    // While this client does not read, a write of the server blocks. Then it fails.
    let mut client = server.connect(rule);
    client.stream().set_write_timeout(Some(MOMENT)).unwrap();
    client.send(vec![b'a'; 12_000_000]);
    client.reset(rule);
    assert_serves(&server, rule);
}

#[test]
fn check5_survives_bytes_that_are_no_text() {
    let server = Subject::new();
    let mut client = server.connect("it serves one client after another");
    client.send(b"\xff\x00\xfea").expects(b"\xff\x00\xfeA", "a socket carries bytes, not text");
    let half = &"信".as_bytes()[..2];
    client.send(half).expects(half, "a read may end in the middle of a character");
    drop(client);
    assert_serves(&server, "bytes that are not text do not end the server");
}

#[test]
fn check6_answers_what_came_before_the_end_of_stream() {
    let server = Subject::new();
    let mut client = server.connect("it serves one client after another");
    client.send([b'a'; 20_000]).finish();
    client.expects([b'A'; 20_000], "it reads until a read returns 0, and answers all of it");
    client.expects_end("after the end of the client's stream, it closes the connection");
}

#[test]
fn check7_long_messages_come_back_whole() {
    let server = Subject::new();
    let mut client = server.connect("it serves one client after another");
    let text: String = (0..400_000).map(|i| format!("a{i} ")).collect();
    let rule = "3 MB come back in as many reads as it takes, while the client is still sending";
    client.send_meanwhile(text.clone().into_bytes()).expects(text.to_uppercase(), rule);
}
