//! The conversations as they should go, and the command line.

#[path = "../../tcp-basic/tests/harness/every_step.rs"]
mod every_step;
#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-threaded");
const STEP: Step =
    Step { name: "tcp-threaded", exe: EXE, address: "127.0.0.1:8080", client_args: &[] };

#[test]
fn exit_or_the_input_ends_it() {
    let (_server, address) = server(EXE);
    let answers = ["server: \"welcome\"", "server: \"Hello Genji\""];
    for input in ["Genji\nexit\nHanzo\n", "Genji\nexit \n", "Genji\r\n", "Genji"] {
        let client = run(EXE, &["client", &address], input);
        assert_succeeds(&client, &answers);
    }
}

#[test]
fn second_client_does_not_wait() {
    let (_server, address) = server(EXE);
    let mut first = Client::greeted(&address);
    let mut second = Client::greeted(&address);
    second.send("Hanzo\n");
    second.expect("Hello Hanzo\n");
    first.send("Genji\n");
    first.expect("Hello Genji\n");
}

#[test]
fn a_line_is_a_message_however_it_is_split() {
    let (_server, mut client) = server_and_client(EXE, "welcome\n");
    client.dribble("信息\n");
    client.expect("Hello 信息\n");
    client.send("one\ntwo\r\n\nthr");
    client.expect("Hello one\nHello two\nHello \n");
    client.send("ee\n");
    client.expect("Hello three\n");
}

#[test]
fn exit_closes_the_connection() {
    let (_server, address) = server(EXE);
    for pieces in [["exit\n", ""], ["ex", "it\n"], ["exit", "\r\n"], ["exit  \n", ""]] {
        let mut client = Client::greeted(&address);
        client.send(pieces[0]);
        client.send(pieces[1]);
        assert_eq!(client.rest(), "", "{pieces:?}");
    }
}

#[test]
fn only_exit_is_exit() {
    let (_server, mut client) = server_and_client(EXE, "welcome\n");
    for name in [" exit", "EXIT", "exit!", "exit\rexit"] {
        client.send(format!("{name}\n"));
        client.expect(format!("Hello {name}\n"));
    }
}

#[test]
fn last_line_needs_no_newline() {
    let (_server, mut client) = server_and_client(EXE, "welcome\n");
    client.send("Genji\nHanzo");
    client.finish();
    assert_eq!(client.rest(), "Hello Genji\nHello Hanzo\n");
}

#[test]
fn longest_line_is_answered() {
    let (_server, mut client) = server_and_client(EXE, "welcome\n");
    for (length, ending) in [(1023, "\n"), (1022, "\r\n")] {
        let name = "a".repeat(length);
        client.send(format!("{name}{ending}"));
        client.expect(format!("Hello {name}\n"));
    }
}

#[test]
#[ignore = "exercise"]
fn count_tells_the_clients() {
    let (mut server, address) = server(EXE);
    let mut first = Client::greeted(&address);
    first.send("count\n");
    first.expect("1\n");
    let mut second = Client::greeted(&address);
    second.send("count\nexit\n");
    assert_eq!(second.rest(), "2\n");
    server.line_with("disconnected"); // and a moment later, it is no longer counted
    assert!((0..1000).any(|_| {
        first.send("count\n");
        first.line() == "1\n"
    }));
}
