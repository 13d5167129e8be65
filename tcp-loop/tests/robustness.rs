//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "../../tcp-basic/tests/harness/every_tcp_step.rs"]
mod every_tcp_step;
#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;

use harness::*;

// ---- The server ----

#[cfg(unix)] // Windows may show a reset as the end of the stream
#[test]
fn reset_is_logged() {
    let (mut server, mut client) = server_and_client("");
    client.send("hello");
    client.reset("it answers");
    server.line_with(" failed: ");
}

#[test]
fn silent_client_times_out() {
    let log = log_of_silence("silent_client_times_out", server::handle_client, 60, "hello");
    assert!(log.contains(r#"received: "HELLO""#), "{log}");
    assert!(log.contains(" timed out after 60s"), "{log}");
}

// ---- The client ----

#[test]
fn blank_lines_are_skipped_and_q_ends_it() {
    let (_server, address) = harness::server();
    let client = run(&["client", &address], "\n  \r\n\t\n a \r\n\n\x1b\nq\nc\n");
    assert_succeeds(&client, &["server: \"A\"", r#"server: "\u{1b}""#]);
    assert_succeeds(&run(&["client", &address], "q"), &[]);
}

#[test]
fn long_line_does_not_deadlock() {
    let (_server, address) = harness::server();
    let client = run(&["client", &address], &"a".repeat(12_000_000));
    assert_eq!(client.code, Some(0), "{:?}", client.errors);
    assert!(client.output[0] == format!("server: {:?}", "A".repeat(12_000_000)));
}

#[test]
fn answer_in_pieces_is_put_together() {
    let talk = |mut server: Client| {
        server.expect("hello");
        server.dribble("HELLO").rest();
    };
    let (client, _) = run_against(talk, &[]);
    assert_succeeds(&client, &["server: \"HELLO\""]);
}

#[test]
fn invalid_utf8_input_is_reported() {
    let (_server, address) = harness::server();
    let mut client = Program::start(&["client", &address]);
    client.type_in(b"ok\n\xff\n");
    assert_eq!(client.line(), "server: \"OK\"");
    assert_fails(&client.end(), &["cannot read the input"]);
}
