//! What this step still gets wrong. Each test passes as long as its flaw is there.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;
mod storage;

use storage::*;

#[test]
fn anyone_may_fill_the_disk() {
    let (directory, _server, address) = server_with_directory();
    for i in 0..11 {
        assert_eq!(upload(&address, &format!("{i}"), &[0; 1_000_000]), "ok");
    }
    assert_eq!(names(&directory).len(), 11);
}

#[test]
fn killed_server_leaves_temporary_files() {
    let (directory, server, address) = server_with_directory();
    let mut client = announced(&address, 5, "x");
    client.send("hel");
    server.kill();
    assert!(names(&directory).first().unwrap().starts_with(".x.127.0.0.1-"));
    // But the name is free.
    let args = ["server", "127.0.0.1:0", directory.to_str().unwrap()];
    let (_server, address) = launch_server(&mut command(&args));
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}
