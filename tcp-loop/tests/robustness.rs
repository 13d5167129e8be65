//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "../../tcp-basic/tests/harness/every_step.rs"]
mod every_step;
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
fn every_end_is_logged() {
    let (mut server, address) = harness::server();
    let mut client = Client::connect(&address);
    let peer = client.address();
    client.send("hello");
    client.reset("it answers");
    server.line_with(&format!("{peer} failed: "));
    for _ in 0..100 {
        drop(Client::connect(&address));
    }
    let client = Client::connect(&address);
    let peer = client.address();
    drop(client);
    server.line_with(&format!("{peer} disconnected"));
}

#[test]
fn silent_client_times_out() {
    let log = log_of_silence("silent_client_times_out", server::handle_client, 60, "hello");
    assert!(log.contains(" timed out after 60s\n"), "{log}");
    assert!(log.contains("received: \"HELLO\"\n"), "{log}");
}

#[test]
fn closed_log_does_not_end_it() {
    every_step::assert_closed_log_is_survived();
}

/// With descriptors 0 to 3 (standard streams, listener), no client can be accepted. Without the
/// pause of 10 ms, this would write hundreds of thousands of lines.
#[cfg(target_os = "linux")]
#[test]
fn failing_accept_does_not_spin() {
    let (mut server, address) = server_with_descriptors(4, &[]);
    let _client = Client::connect(&address);
    server.line_with("cannot accept: ");
    let lines = server.count_lines("cannot accept: ", 3 * MOMENT);
    assert!((1..100).contains(&lines), "{lines}");
    assert!(server.is_running());
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
    let client = run(&["client", &address], &"a".repeat(20_000_000));
    assert_eq!(client.code, Some(0), "{:?}", client.errors);
    let answer = client.output[0].strip_prefix("server: ").unwrap();
    assert_eq!(answer.len(), 20_000_000 + 2); // and two quotation marks
    assert!(answer.trim_matches('"').bytes().all(|byte| byte == b'A'));
}

#[test]
fn answer_in_pieces_is_put_together() {
    let server = fake_server(|mut server| {
        server.expect("hello");
        server.dribble("HELLO").rest();
    });
    let client = run(&["client", &server.address], "hello\n");
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
