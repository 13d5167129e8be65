//! Callers and servers that misbehave, and what step 1 still gets wrong.

#[path = "../src/client.rs"]
#[allow(dead_code)]
mod client;
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;

use std::io::{ErrorKind, Write};

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-basic");

#[test]
fn it_hears_only_the_first_read() {
    let (server, address) = harness::server(EXE);
    let mut caller = call(&address);
    caller.write_all(b"hello").unwrap();
    assert_eq!(hear(&caller, 5), "HELLO");
    let _ = caller.write_all(b"are you still there?");
    assert_eq!(hear_all(&caller), b"");
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn a_message_longer_than_one_read_is_cut() {
    let (mut server, address) = harness::server(EXE);
    let mut caller = call(&address);
    caller.write_all(&[b'a'; 1500]).unwrap();
    server.line_with("connected");
    let heard = server.line();
    assert!(
        heard.ends_with(&format!(": \"{}\"", "a".repeat(1024))),
        "{heard}"
    );
    // Closing with bytes unread is a reset, and on Windows that may destroy the answer.
    let answer = hear_all(&caller);
    assert!([b'A'; 1024].starts_with(&answer));
    assert!(cfg!(windows) || answer.len() == 1024);
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn a_second_caller_finds_nobody() {
    let (server, address) = harness::server(EXE);
    assert_eq!(run(EXE, &["client", &address], "").code, Some(0));
    assert_eq!(server.end().code, Some(0));
    assert_fails(
        &run(EXE, &["client", &address], ""),
        &["Connection refused"],
    );
}

#[test]
fn a_caller_who_says_nothing_keeps_it_waiting() {
    let (mut server, address) = harness::server(EXE);
    let caller = call(&address);
    server.line_with("connected");
    assert!(is_silent(&caller));
    assert!(server.is_running());

    // For ever: it sets no time limit.
    let (mut caller, accepted, peer) = connection();
    let same = accepted.try_clone().unwrap();
    caller.write_all(b"at last").unwrap();
    server::talk(accepted, peer).unwrap();
    assert_eq!(same.read_timeout().unwrap(), None);
}

#[test]
fn a_caller_who_hangs_up_without_a_word_ends_it_cleanly() {
    let (server, address) = harness::server(EXE);
    let caller = call(&address);
    let peer = caller.local_addr().unwrap();
    drop(caller);
    let ended = server.end();
    assert_eq!((ended.code, ended.errors), (Some(0), vec![]));
    let log = [format!("{peer} connected"), format!("{peer} disconnected")];
    assert_eq!(ended.output, log);
}

#[test]
fn a_reset_before_a_word_is_an_error_and_no_panic() {
    let (caller, accepted, peer) = connection();
    (&accepted).write_all(b"x").unwrap(); // so that something lies unread
    reset(caller);
    let error = server::talk(accepted, peer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn control_characters_are_shown_escaped_on_both_sides() {
    let (mut server, address) = harness::server(EXE);
    let client = run(EXE, &["client", &address, "\x1b[31mred\x07\r\n"], "");
    let shown = r#""\u{1b}[31MRED\u{7}\r\n""#;
    assert_eq!(client.output, [format!("server: {shown}")]);
    server.line_with("connected");
    assert!(server.line().ends_with(r#": "\u{1b}[31mred\u{7}\r\n""#));
}

#[test]
fn bytes_that_are_no_utf8_come_back_as_they_were() {
    let (server, address) = harness::server(EXE);
    let mut caller = call(&address);
    caller.write_all(b"\xff\x00\xfea").unwrap();
    assert_eq!(hear_all(&caller), b"\xff\x00\xfeA");
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn a_server_that_hangs_up_without_an_answer_is_named() {
    let address = fake_server(|stream| assert_eq!(hear(&stream, 5), "hello"));
    let client = run(EXE, &["client", &address, "hello"], "");
    assert_fails(&client, &[&address, "hung up"]);
}

#[test]
fn a_server_that_resets_the_call_is_named() {
    let address = fake_server(reset);
    let client = run(EXE, &["client", &address, "hello"], "");
    let reset = if cfg!(windows) { "10054" } else { "reset" };
    assert_fails(&client, &[&address, reset]);
}

#[test]
fn the_client_has_time_limits() {
    check_time_limits(client::connect, 10);
}
