//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "harness/every_step.rs"]
mod every_step;
#[path = "harness/every_tcp_step.rs"]
mod every_tcp_step;
mod harness;

use every_step::Step;
use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-basic");
const STEP: Step = Step { name: "tcp-basic", exe: EXE, address: "127.0.0.1:6666" };

#[test]
fn empty_message_is_refused() {
    let client = run(EXE, &["client", "127.0.0.1:1", ""], "");
    assert_fails(&client, &["empty message"]);
}

#[test]
fn client_that_closes_at_once() {
    let (server, address) = server(EXE);
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
    let (mut server, address) = server(EXE);
    let client = run(EXE, &["client", &address, "\x1b[31mred\x07\r\n"], "");
    assert_succeeds(&client, &[r#"server: "\u{1b}[31MRED\u{7}\r\n""#]);
    server.line_with(r#": "\u{1b}[31mred\u{7}\r\n""#);
}
