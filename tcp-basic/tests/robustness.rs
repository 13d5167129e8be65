//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "harness/every_step.rs"]
mod every_step;
#[path = "harness/every_tcp_step.rs"]
mod every_tcp_step;
mod harness;

use harness::*;

#[test]
fn empty_message_is_refused() {
    let client = run(&["client", "127.0.0.1:1", ""], "");
    assert_fails(&client, &["empty message"]);
}

#[test]
fn client_that_closes_at_once() {
    let (server, address) = server();
    let client = Client::connect(&address);
    let peer = client.address();
    drop(client);
    let ended = server.end();
    let log =
        [format!("{peer} connected"), format!("{peer}: \"\""), format!("{peer} disconnected")];
    assert_eq!((ended.code, ended.output), (Some(0), log.to_vec()));
}

#[test]
fn control_characters_are_escaped() {
    let (mut server, address) = server();
    let client = run(&["client", &address, "\x1b[31mred\x07\r\n"], "");
    assert_succeeds(&client, &[r#"server: "\u{1b}[31MRED\u{7}\r\n""#]);
    server.line_with(r#": "\u{1b}[31mred\u{7}\r\n""#);
}
