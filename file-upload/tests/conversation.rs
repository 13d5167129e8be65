//! Uploads as they should go, and the command line.

#[path = "../../tcp-basic/tests/harness/every_step.rs"]
mod every_step;
#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;
mod storage;

use std::fs;

use harness::*;
use storage::*;

const STEP: Step =
    Step { name: "file-upload", exe: EXE, address: "127.0.0.1:9999", client_args: &[PICTURE] };

#[test]
fn files_of_every_size_arrive() {
    let files = Directory::new("sizes-sent");
    let (directory, _server, address) = Directory::served("sizes");
    for size in [0, 1, 512, 262_143, 262_144, 262_145, 3_000_000] {
        let bytes: Vec<u8> = (0..size).map(|i| (i * 7 + i / 256) as u8).collect();
        let name = format!("{size} bytes");
        let file = files.write(&name, &bytes);
        let client = run(EXE, &["client", &file, &address], "");
        assert_succeeds(&client, &[&format!("server: \"ok: stored {name}\"")]);
        assert!(directory.read(&name) == bytes, "{size}");
    }
    assert_eq!(directory.names().len(), 7);
}

#[test]
fn names_of_any_script_are_kept() {
    let (directory, _server, address) = Directory::served("names");
    let longest = "图".repeat(66) + "xx"; // 200 bytes
    let names = "x|截图 1.png|Ünï-cödé_(2).tar.gz|Привет|a..b-|console.jpg|COM10|COM";
    for name in names.split('|').chain([&longest[..]]) {
        assert_eq!(upload(&address, name, name.as_bytes()), "ok", "{name}");
        assert_eq!(directory.read(name), name.as_bytes());
    }
}

#[test]
fn extra_bytes_are_not_stored() {
    let (directory, _server, address) = Directory::served("extra");
    let mut client = Client::greeted(&address);
    client.send(format!("5 x\nhello{}", " and more".repeat(10_000)));
    client.expect("ok: send 5 bytes\nok: stored x\n");
    assert_eq!(directory.read("x"), b"hello");
}

#[test]
fn splits_do_not_matter() {
    let (directory, _server, address) = Directory::served("dribble");
    let mut client = Client::greeted(&address);
    client.dribble("5 x\nhello");
    client.expect("ok: send 5 bytes\nok: stored x\n");
    assert_eq!(directory.read("x"), b"hello");
}

#[test]
fn missing_directory_is_created() {
    let directory = Directory::new("missing");
    let deep = format!("{}/a/b", directory.path());
    let (_server, address) = launch_server(&mut command_in(&deep));
    assert_eq!(upload(&address, "x", b"hello"), "ok");
    assert_eq!(directory.read("a/b/x"), b"hello");
    assert_eq!(fs::read_dir(deep).unwrap().count(), 1);
}

/// All files together may take 10 MiB. An upload beyond that is refused before its bytes are sent.
#[test]
#[ignore = "exercise"]
fn full_directory_refuses_files() {
    let (directory, _server, address) = Directory::served("exercise");
    let large = vec![b'a'; 4 << 20];
    assert_eq!(upload(&address, "first", &large), "ok");
    assert_eq!(upload(&address, "second", &large), "ok");
    assert!(upload(&address, "third", &large).starts_with("error: "));
    assert_eq!(upload(&address, "fits", &large[..2 << 20]), "ok");
    assert!(upload(&address, "more", b"x").starts_with("error: "));
    directory.assert_only(&["first", "fits", "second"]);
}
