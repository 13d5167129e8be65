//! What a server of this step has to do, in any language. By default, these tests start the step's
//! own server. To test yours, start it first, then run
//!
//!     MY_SERVER=127.0.0.1:8080 cargo test -p tcp-threaded --test protocol

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use harness::{Client, subject::Subject};

const GREETS: &str = "it greets every client with a line, welcome";

/// A client that has been greeted, as it must be because of a `rule`.
#[track_caller]
fn greeted(server: &Subject, rule: &str) -> Client {
    let mut client = server.connect(rule);
    client.expects_line("welcome", rule);
    client
}

#[test]
fn check1_greets_and_answers() {
    let server = Subject::new();
    let mut client = greeted(&server, GREETS);
    client.send("Genji\n").expects("Hello Genji\n", "it answers the line NAME with Hello NAME");
    client.send("信息 2\n").expects("Hello 信息 2\n", "it answers as often as the client asks");
}

#[test]
fn check2_exit_closes_the_connection() {
    let server = Subject::new();
    let mut client = greeted(&server, GREETS);
    let rule = "only the whole line exit is special";
    client.send("exito\n").expects("Hello exito\n", rule);
    client.send("EXIT\n").expects("Hello EXIT\n", rule);
    client.send("exit\n").expects_end("the line exit closes the connection, without an answer");
    greeted(&server, "exit ends one connection, not the server");
}

#[test]
fn check3_serves_two_at_once() {
    let server = Subject::new();
    let mut silent = greeted(&server, GREETS);
    silent.send("Gen");
    let rule = "a client that has sent nothing more than half a line does not block others";
    greeted(&server, rule).send("Hanzo\n").expects("Hello Hanzo\n", rule);
    silent.send("ji\n").expects("Hello Genji\n", "the first client is still served");
}

#[test]
fn check4_finds_lines_however_they_are_split() {
    let server = Subject::new();
    let mut client = greeted(&server, GREETS);
    let rule = "a line may come in one piece with others: a read is not a message";
    client.send("one\ntwo\nthr").expects("Hello one\nHello two\n", rule);
    client.send("ee\n").expects("Hello three\n", "a line may come in two pieces");
    client.dribble("信息\n").expects("Hello 信息\n", "a line may come byte by byte");
    client.send("ex").dribble("it\n").expects_end("exit, too, may come in pieces");
}

#[test]
fn check5_accepts_telnet_lines() {
    let server = Subject::new();
    let mut client = greeted(&server, GREETS);
    client.send("Genji\r\n").expects("Hello Genji\n", "telnet ends its lines with \\r\\n");
    client.send("exit\r\n").expects_end("telnet ends its lines with \\r\\n");
}

#[test]
fn check6_answers_a_last_line_without_newline() {
    let server = Subject::new();
    let mut client = greeted(&server, GREETS);
    client.send("Genji\nHanzo").finish();
    client.expects("Hello Genji\nHello Hanzo\n", "the end of the stream also ends the last line");
    client.expects_end("after the end of the client's stream, it closes the connection");
}

#[test]
fn check7_refuses_a_long_line() {
    let server = Subject::new();
    let longest = "a".repeat(1023);
    let rule = "a line of 1024 bytes, with its newline, is still fine";
    let mut client = greeted(&server, GREETS);
    client.send(format!("{longest}\n")).expects(format!("Hello {longest}\n"), rule);
    for length in [2000, 1_000_000] {
        let mut client = greeted(&server, GREETS);
        let rule = "a line of more than 1024 bytes is an error, or ends the connection";
        client.send("a".repeat(length)).send("\n").expects_line_or_end("error", rule);
        client
            .send("you\n")
            .expects_line_or_end("Hello you\n", "no part of it is taken for a line");
    }
    greeted(&server, "it still serves others");
}

#[test]
fn check8_survives_bytes_that_are_no_text() {
    let server = Subject::new();
    let mut other = greeted(&server, GREETS);
    let rule = "bytes that are not text end at most their own connection";
    greeted(&server, GREETS).send(b"\xff\x00\xfe\nyou\n").expects_line_or_end("", rule);
    other.send("you\n").expects("Hello you\n", rule);
    greeted(&server, rule);
}

#[test]
fn check9_survives_resets_and_silence() {
    let server = Subject::new();
    let rule = "an error, such as a reset, ends one connection, not the server";
    for _ in 0..3 {
        let mut client = greeted(&server, rule);
        client.send("Genji\nhalf a li");
        client.reset(rule);
    }
    let rule = "a hundred silent clients do not block others";
    let _silent: Vec<Client> = (0..100).map(|_| greeted(&server, rule)).collect();
    greeted(&server, rule).send("you\n").expects("Hello you\n", rule);
}
