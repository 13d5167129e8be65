//! Clients and servers that misbehave, and what step 1 still gets wrong.

mod harness;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-basic");

// ---- Still wrong: `ok` means that the flaw is there ----

#[test]
fn second_client_is_refused() {
    let (mut server, address) = server(EXE);
    assert_eq!(run(EXE, &["client", &address], "").code, Some(0));
    server.line_with("disconnected");
    assert_eq!(server.end_within(TIMEOUT / 4).code, Some(0));
    let second = run(EXE, &["client", &address], "");
    assert_fails(&second, &["cannot reach", &address]);
}

#[test]
fn only_the_first_read_is_answered() {
    let (server, mut client) = server_and_client(EXE, "");
    client.send("hello");
    client.expect("HELLO");
    let _ = client.try_send("are you still there?"); // it may be closed already
    assert_eq!(client.rest(), "");
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn silent_client_blocks_the_server() {
    let (mut server, address) = server(EXE);
    let mut silent = Client::connect(&address);
    server.line_with("connected");
    let mut second = Client::connect(&address); // the operating system accepts it
    second.send("hello");
    assert!(second.is_silent() && silent.is_silent());
    assert!(server.is_running());
}

#[test]
fn long_message_is_truncated() {
    let (mut server, mut client) = server_and_client(EXE, "");
    client.send([b'a'; 1500]);
    server.line_with("connected");
    let log = server.line();
    assert!(log.ends_with(&format!(": \"{}\"", "a".repeat(1024))));
    // Closing with unread bytes is a reset, and on Windows that may destroy the answer.
    let answer = client.rest();
    assert!(answer == "A".repeat(1024) || cfg!(windows));
}

// ---- Misbehaving clients ----

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

#[test]
fn other_bytes_come_back_unchanged() {
    let (_server, mut client) = server_and_client(EXE, "");
    client.send(b"\xff\x00\xfea");
    client.expect(b"\xff\x00\xfeA");
}

// ---- Misbehaving servers ----

#[test]
fn closing_without_an_answer_is_reported() {
    let address = fake_server(|mut server| server.expect("hello"));
    let client = run(EXE, &["client", &address, "hello"], "");
    assert_fails(&client, &[&format!("{address} closed the connection without an answer")]);
}

#[test]
fn reset_is_reported() {
    let address = fake_server(Client::reset);
    let client = run(EXE, &["client", &address, "hello"], "");
    assert_fails(&client, &[if cfg!(windows) { "" } else { "Connection reset" }, &address]);
}
