//! You need not read this file to follow the course. These are the tests that every TCP client has.

use crate::harness::*;

#[test]
fn reset_is_reported() {
    let greets = ["tcp-threaded", "file-upload"].contains(&STEP);
    let server = fake_server(move |mut server| {
        server.send(if greets { "welcome\n" } else { "" });
        server.reset("the client sends something");
    });
    let client = run(&["client", &server.address], "hello\n");
    let parts = if cfg!(windows) { ["", ""] } else { ["lost the connection to ", "reset"] };
    assert_fails(&client, &[&parts[..], &[&server.address]].concat());
}

#[test]
fn closed_connection_is_reported() {
    let server = fake_server(|client| client.recite(""));
    let client = run(&["client", &server.address], "hello\n");
    assert_fails(&client, &[&server.address, " closed the connection"]);
    assert!(client.output.is_empty());
}
