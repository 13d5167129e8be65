//! Clients and servers that misbehave, and what step 2 still gets wrong.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;

use std::thread;

use harness::*;

const EXE: &str = env!("CARGO_BIN_EXE_tcp-loop");

fn assert_answers(client: &mut Client) {
    client.send("still there?");
    client.expect("STILL THERE?");
}

// ---- Still wrong: `ok` means that the flaw is there ----

#[test]
fn second_client_waits_for_the_first() {
    let (_server, address) = harness::server(EXE);
    let mut first = Client::connect(&address);
    assert_answers(&mut first);
    let mut second = Client::connect(&address); // connected, but only to the backlog
    second.send("me too");
    assert!(second.is_silent());
    assert_answers(&mut first);
    drop(first);
    second.expect("ME TOO");
}

#[test]
fn two_sends_arrive_as_one_read() {
    let (mut server, address) = harness::server(EXE);
    let mut first = Client::connect(&address);
    assert_answers(&mut first);
    let mut second = Client::connect(&address);
    second.send("one");
    second.send("two");
    drop(first);
    let peer = second.address();
    server.line_with(&format!("{peer} connected"));
    assert_eq!(server.line(), format!("{peer}: \"onetwo\""));
    second.expect("ONETWO");
}

// ---- Misbehaving clients ----

#[test]
fn splits_do_not_matter() {
    let (_server, mut client) = server_and_client(EXE, "");
    client.dribble("hello 信息");
    client.expect("HELLO 信息");
}

#[test]
fn half_close_is_answered_first() {
    let (_server, mut client) = server_and_client(EXE, "");
    client.send("bye");
    client.finish();
    assert_eq!(client.rest(), "BYE");
}

#[test]
fn clients_that_close_at_once() {
    let (mut server, address) = harness::server(EXE);
    for _ in 0..100 {
        drop(Client::connect(&address));
    }
    let mut client = Client::connect(&address);
    assert_answers(&mut client);
    let peer = client.address();
    drop(client);
    server.line_with(&format!("{peer} disconnected"));
}

#[test]
fn reset_ends_that_connection_alone() {
    let (mut server, address) = harness::server(EXE);
    let mut client = Client::connect(&address);
    let peer = client.address();
    client.send("hello");
    client.reset(); // the answer is unread
    server.line_with(&format!("{peer} failed: "));
    assert_answers(&mut Client::connect(&address));
}

#[test]
fn silent_client_times_out() {
    let log = log_of_silence("silent_client_times_out", server::handle_client, 60, "hello");
    assert!(log.contains(" timed out after 60s\n"), "{log}");
    assert!(log.contains("received: \"HELLO\"\n"), "{log}");
}

#[test]
fn client_that_never_reads_times_out() {
    let log = log_of("client_that_never_reads_times_out", || {
        let (mut client, accepted, peer) = Client::accepted();
        let same = accepted.try_clone().unwrap();
        let server = thread::spawn(move || server::handle_client(accepted, peer));
        shorten_timeouts(same, 60);
        // Until the server gives up, because its answers and these bytes fill all buffers.
        while !server.is_finished() && client.try_send([b'a'; 1024]).is_ok() {}
        server.join().unwrap();
    });
    assert!(log.contains(" timed out after 60s\n"), "{}", log.len());
}

#[test]
fn control_characters_are_escaped() {
    let (mut server, address) = harness::server(EXE);
    let client = run(EXE, &["client", &address], "\x1b]0;title\x07\x1b[2J\n");
    assert_succeeds(&client, &[r#"server: "\u{1b}]0;TITLE\u{7}\u{1b}[2J""#]);
    server.line_with(r#": "\u{1b}]0;title\u{7}\u{1b}[2J""#);
}

#[test]
fn closed_log_does_not_end_it() {
    let (mut server, address) = harness::server(EXE);
    server.close_output();
    for _ in 0..3 {
        assert_answers(&mut Client::connect(&address));
    }
}

/// With descriptors 0 to 3 (standard streams, listener), no client can be accepted. Without the
/// pause of 10 ms, this would write hundreds of thousands of lines.
#[cfg(target_os = "linux")]
#[test]
fn failing_accept_does_not_spin() {
    let (mut server, address) = server_with_descriptors(4, EXE, &[]);
    let _client = Client::connect(&address);
    server.line_with("cannot accept: ");
    let lines = server.count_lines("cannot accept: ", 2 * MOMENT);
    assert!((1..100).contains(&lines), "{lines}");
    assert!(server.is_running());
}

// ---- Misbehaving servers ----

#[test]
fn closed_connection_is_reported() {
    let address = fake_server(|mut server| {
        server.expect("hello");
        server.recite("HEL");
    });
    let client = run(EXE, &["client", &address], "hello\n");
    assert_fails(&client, &[&format!("{address} closed the connection")]);
    assert!(client.output.is_empty());
}

#[test]
fn reset_is_reported() {
    let address = fake_server(Client::reset);
    let client = run(EXE, &["client", &address], "hello\n");
    assert_fails(&client, &[if cfg!(windows) { "" } else { "Connection reset" }, &address]);
}

#[test]
fn answer_in_pieces_is_put_together() {
    let address = fake_server(|mut server| {
        server.expect("hello");
        server.dribble("HELLO");
        server.rest();
    });
    let client = run(EXE, &["client", &address], "hello\n");
    assert_succeeds(&client, &["server: \"HELLO\""]);
}

#[test]
fn invalid_utf8_input_is_reported() {
    let (_server, address) = harness::server(EXE);
    let mut client = Program::start(EXE, &["client", &address]);
    client.type_in(b"ok\n\xff\n");
    assert_eq!(client.line(), "server: \"OK\"");
    assert_fails(&client.end(), &["cannot read the input"]);
}
