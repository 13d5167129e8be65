//! What this step still gets wrong. Each test passes as long as its flaw is there.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;
mod storage;

use storage::*;

#[test]
fn anyone_may_fill_the_disk() {
    let (directory, _server, address) = Directory::served();
    for i in 0..11 {
        assert_eq!(upload(&address, &format!("{i}"), &[0; 1_000_000]), "ok");
    }
    assert_eq!(directory.names().len(), 11);
}

#[test]
fn killed_server_leaves_temporary_files() {
    let (directory, server, address) = Directory::served();
    let mut client = announced(&address, 5, "x");
    client.send("hel");
    server.kill();
    assert!(directory.names()[0].starts_with(".x.127.0.0.1-"));
    // But the name is free.
    let (_server, address) = directory.server();
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}
