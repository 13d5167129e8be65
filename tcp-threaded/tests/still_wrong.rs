//! What this step still gets wrong. Each test passes as long as its flaw is there.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use harness::*;

#[cfg(target_os = "linux")]
#[test]
fn every_client_costs_a_thread() {
    let (server, address) = server();
    let before = server.status("Threads:");
    let _silent: Vec<Client> = (0..100).map(|_| Client::greeted(&address)).collect();
    assert_eq!(server.status("Threads:"), before + 100);
}

#[test]
fn a_message_cannot_contain_a_newline() {
    let (_server, mut client) = server_and_client("welcome\n");
    client.send("one name\nor two?\n").expect("Hello one name\nHello or two?\n");
}

/// More than the server takes in one read, so something is left unread. (Windows may take longer to
/// show the reset.)
#[cfg(unix)]
#[test]
fn closing_with_unread_bytes_resets() {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
    let (_server, mut client) = server_and_client("welcome\n");
    let sent = client.try_send([b"exit\n", &[b'a'; 100_000][..]].concat());
    let received = sent.and_then(|()| client.stream().peek(&mut [0])).map_err(|e| e.kind());
    assert!([ConnectionReset, BrokenPipe].map(Err).contains(&received), "{received:?}");
}
