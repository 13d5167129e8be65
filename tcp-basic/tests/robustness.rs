//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "harness/every_tcp_step.rs"]
mod every_tcp_step;
mod harness;

use harness::*;

#[test]
fn empty_message_is_refused() {
    assert_fails(&run(&["client", "127.0.0.1:1", ""], ""), &["empty message"]);
}

#[test]
fn control_characters_are_escaped() {
    let (mut server, address) = server();
    let client = run(&["client", &address, "\x1b[31mred\x07\r\n"], "");
    assert_succeeds(&client, &[r#"server: "\u{1b}[31MRED\u{7}\r\n""#]);
    server.line_with(r#": "\u{1b}[31mred\u{7}\r\n""#);
}
