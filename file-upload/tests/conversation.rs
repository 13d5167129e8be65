//! Uploads as they should go.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;
mod storage;

use std::fs;
use std::io::{Read, Write};
use std::process::Command;
use std::thread;

use harness::*;
use storage::*;

#[test]
fn the_readme_tells_what_the_terminals_show() {
    let directory = Directory::new("readme");
    play_readme(EXE, "file-upload", &[directory.path()], &[PICTURE]);
    assert!(directory.read("harbour.png") == fs::read(PICTURE).unwrap());
}

#[test]
fn the_command_line_is_the_same_as_everywhere() {
    check_command_line(EXE, "file-upload", "127.0.0.1:9999");
    let directory = Directory::new("command-line");
    check_tcp_addresses(EXE, "file-upload", &[directory.path()], &[PICTURE]);
}

#[test]
fn without_arguments_it_serves_its_own_address() {
    let directory = Directory::new("no-arguments");
    let mut server = Program::launch(Command::new(EXE).current_dir(directory.path()));
    // Another server may be running there while the tests are: then the error says so.
    let line = server.first_line();
    assert!(line.contains("127.0.0.1:9999"));
    assert_eq!(directory.names(), ["uploads"]);
    if line.starts_with("listening") {
        // A client without arguments sends the picture that comes along.
        assert_eq!(run(EXE, &["client"], "").code, Some(0));
        assert!(directory.read("uploads/harbour.png") == fs::read(PICTURE).unwrap());
    }
}

#[test]
fn ipv6_and_names_work_as_well() {
    for host in HOSTS {
        let directory = Directory::new("ipv6");
        let client = client_of(EXE, host, &[directory.path()], &[PICTURE]);
        assert!(client.is_none_or(|client| client.code == Some(0)), "{host}");
    }
}

#[test]
fn files_of_every_size_arrive_unharmed() {
    let files = Directory::new("sizes-sent");
    let directory = Directory::new("sizes");
    let (_server, address) = server_in(&directory);
    for size in [0, 1, 512, 262_143, 262_144, 262_145, 3_000_000] {
        let bytes: Vec<u8> = (0..size).map(|i| (i * 7 + i / 256) as u8).collect();
        let name = format!("{size} bytes");
        let file = files.write(&name, &bytes);
        let client = run(EXE, &["client", &file, &address], "");
        assert_eq!(
            (client.code, &client.errors[..]),
            (Some(0), &[][..]),
            "{size}"
        );
        assert_eq!(
            client.output[0],
            format!("server: \"ok: stored {name}, {size} bytes\"")
        );
        assert!(client.output[1].starts_with(&format!("sent {size} bytes in ")));
        assert!(client.output[1].ends_with(" MB/s"));
        assert!(directory.read(&name) == bytes, "{size}");
    }
    assert_eq!(directory.names().len(), 7);
}

#[test]
fn names_of_any_script_are_kept() {
    let directory = Directory::new("names");
    let (_server, address) = server_in(&directory);
    let names = [
        "截图 1.png",
        "Ünï-cödé_(2).tar.gz",
        "Привет",
        "x",
        "a..b",
        "console.jpg",
        "COM10",
    ];
    for name in names.into_iter().chain([longest_name().as_str()]) {
        assert_eq!(upload(&address, name, name.as_bytes()), "ok", "{name}");
        assert_eq!(directory.read(name), name.as_bytes());
    }
}

#[test]
fn header_and_bytes_may_come_in_one_piece_and_more_is_not_stored() {
    let directory = Directory::new("one-piece");
    let (mut server, address) = server_in(&directory);
    let mut caller = call(&address);
    let words = format!("5 yan.jpg\nhello{}", " and more".repeat(10_000));
    caller.write_all(words.as_bytes()).unwrap();
    let mut heard = String::new();
    caller.read_to_string(&mut heard).unwrap(); // a reset would be an error
    let lines: Vec<&str> = heard.lines().collect();
    let ok = ["ok: send 5 bytes", "ok: stored yan.jpg, 5 bytes"];
    assert_eq!(
        lines,
        ["welcome: send SIZE NAME, then the file", ok[0], ok[1]]
    );
    assert_eq!(directory.read("yan.jpg"), b"hello");
    assert_no_reset(&mut server, &caller);
}

#[test]
fn one_byte_at_a_time_is_as_good() {
    let directory = Directory::new("dribble");
    let (_server, address) = server_in(&directory);
    let mut caller = call(&address);
    for byte in b"5 yan.jpg\nhello" {
        caller.write_all(&[*byte]).unwrap();
        thread::yield_now();
    }
    assert!(hear_all(&caller).ends_with(b"ok: stored yan.jpg, 5 bytes\n"));
    assert_eq!(directory.read("yan.jpg"), b"hello");
}

#[test]
fn a_directory_is_made_when_missing() {
    let directory = Directory::new("missing");
    let deep = format!("{}/a/b", directory.path());
    let (_server, address) =
        launch_server(Command::new(EXE).args(["server", "127.0.0.1:0", &deep]));
    assert_eq!(upload(&address, "x", b"hello"), "ok");
    assert_eq!(fs::read(format!("{deep}/x")).unwrap(), b"hello");
}
