//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "../../tcp-basic/tests/harness/every_tcp_step.rs"]
mod every_tcp_step;
#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;
mod storage;
#[path = "../src/store.rs"]
#[allow(dead_code)]
mod store;

use std::{fs, io::Read, path::Path, process, process::Command, time::Instant};

use storage::*;

// ---- Pure functions ----

#[test]
fn headers_are_checked() {
    let header = |bytes: &[u8]| match server::read_header(&mut &bytes[..]) {
        Ok((size, name)) => format!("{size} {name}"),
        Err(error) => error.to_string(),
    };
    assert_eq!([header(b"5 x\n"), header(b"05 x\r\n6 y\n")], ["5 x", "5 x"]);
    assert_eq!(header(b"1073741824  a b \n"), "1073741824  a b ");
    let sizes = " x|-1 x|+5 x|1.5 x|0x10 x|1e3 x|5x x|\t5 x|５ x|1073741825 x|\
        99999999999999999 x|18446744073709551616 x|GET / HTTP/1.1\r";
    for line in sizes.split('|') {
        let error = header(format!("{line}\n").as_bytes());
        assert_eq!(error, "SIZE must be digits only, at most 1073741824", "{line:?}");
    }
    for line in ["", "\n", "\r\n", "5\n", "photo.png\n", "5 x"] {
        let error = header(line.as_bytes());
        assert_eq!(error, "expected a line SIZE NAME of at most 512 bytes", "{line:?}");
    }
    assert!(header(b"5 \xff\xfe.png\n").contains("valid UTF-8"));
    let long = |length: usize| header(format!("{}5 x\n", "0".repeat(length - 4)).as_bytes());
    assert_eq!([&long(512), &long(513)[..8]], ["5 x", "expected"]);
}

#[test]
fn names_are_checked() {
    let longest = "图".repeat(66) + "xx"; // 200 bytes
    let names = "x|截图 1.png|Ünï-cödé_(2).tar.gz|Привет|a..b-|console.jpg|COM10|COM|_|(x)";
    for name in names.split('|').chain([&longest[..]]) {
        assert!(store::is_plain(name), "{name:?}");
    }
    let too_long = "x".repeat(201);
    let names = "\
        |../x|..|.|/etc/x|a/b|a\\b|\\x|x.jpg/|.hidden|.x.0.part|x.|x | x|-|-T|--help|a\0b|C:x|\
        x.jpg:stream|a\x1b[2Jb|a\rb|x.png\r|a\tb|\u{202e}gnp.exe|a*b|a?b|a<b|a\"b|a~1|$(x)|CON|con|\
        nul.jpg|Nul.tar.gz|aux .txt|COM1|lpt9.png|com².txt|截图\u{202f}1.png";
    for name in names.split('|').chain(["a|b", &too_long]) {
        assert!(!store::is_plain(name), "{name:?}");
    }
    let refused =
        |name: &str| store::Upload::create(Path::new("."), name, "peer").err().unwrap().to_string();
    assert!(refused("截\u{202f}1\r").starts_with(r#"bad NAME "截\u{202f}1\r": letters, "#));
    assert!(refused(&"/".repeat(200)).ends_with(", not CON"));
    assert!(refused(&too_long).ends_with(": at most 200 bytes"));
}

// ---- Clients ----

#[test]
fn files_of_every_size_arrive() {
    let (directory, _server, address) = server_with_directory();
    for size in [0, 1, 512, 262_143, 262_144, 262_145, 10_000_000] {
        let bytes: Vec<u8> = (0..size).map(|i| (i * 7 + i / 256) as u8).collect();
        let name = format!("{size} bytes");
        let client = run(&["client", &address, &file(&name, &bytes)], "");
        assert_succeeds(&client, &[&format!("server: \"ok: stored {name}\"")]);
        assert!(fs::read(directory.join(name)).unwrap() == bytes, "{size}");
    }
    #[cfg(target_os = "linux")]
    assert!(_server.status("VmHWM:") < 9_000, "it holds a file in memory");
}

#[test]
fn extra_bytes_are_not_stored() {
    let (directory, _server, address) = server_with_directory();
    let mut client = announced(&address, 5, "x");
    client.send(format!("hello{}", " and more".repeat(10_000))).expect("ok: stored x\n");
    assert_eq!(fs::read(directory.join("x")).unwrap(), b"hello");
}

#[test]
fn short_upload_leaves_nothing() {
    let (directory, mut server, address) = server_with_directory();
    for sent in ["", "hell"] {
        let mut client = announced(&address, 5, "x");
        client.send(sent).finish();
        client.expect(format!("error: only {} of 5 bytes arrived\n", sent.len()));
        server.line_with("disconnected");
    }
    for sent in ["", "5 x", "5 x\n", "5 x\nhell"] {
        let mut client = Client::connect(&address);
        client.send(sent);
        client.reset("it greets");
        server.line_with("disconnected");
    }
    assert_only(&directory, &[]);
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}

#[test]
fn silent_client_times_out() {
    let handle = |stream, peer| {
        server::handle_client(stream, peer, Path::new("."));
        println!("files: {}", fs::read_dir(".").unwrap().count());
    };
    let log = log_of_silence("silent_client_times_out", handle, 30, "5 x\nhell");
    assert!(log.contains(" error: timed out after 30s\n") && log.contains("\nfiles: 0"), "{log}");
    assert!(log.contains(r"ok: send 5 bytes\nerror: timed out after 30s\n"), "{log}");
}

/// Closing with unread bytes would reset the connection and might destroy the last answer. But the
/// server does not read forever.
#[test]
fn last_answer_is_not_destroyed() {
    let (mut server, address) = harness::server();
    let mut client = Client::greeted(&address);
    let begin = Instant::now();
    client.send(format!("? ?\n{}", "a".repeat(100_000))).expects_line("error: ", "");
    client.expects_end("");
    assert!(begin.elapsed() < MOMENT * 5, "the end of the stream does not come at once");
    client.finish();
    server.line_with("disconnected"); // it has closed, and a reset would show:
    assert!(client.stream().take_error().unwrap().is_none());

    let mut client = Client::greeted(&address);
    let begin = Instant::now();
    client.send("? ?\n");
    wait_until("it reads on and on", || client.try_send("and more").is_err());
    server.line_with("disconnected");
    assert!(begin.elapsed().as_millis() > 900, "it does not linger");
}

#[test]
fn threads_serve_64_clients_at_once() {
    let (_server, address) = harness::server();
    let mut clients: Vec<Client> = (0..64).map(|_| Client::greeted(&address)).collect();
    #[cfg(target_os = "linux")]
    assert_eq!(_server.status("Threads:"), 65);
    let mut next = Client::connect(&address); // connected, but only to the backlog
    assert!(next.is_silent());
    clients.pop();
    next.expects_line("welcome", "");
}

// ---- Files ----

#[test]
fn existing_file_is_never_replaced() {
    let (directory, _server, address) = server_with_directory();
    fs::write(directory.join("x"), "old").unwrap();
    let mut names = vec!["x"];
    #[cfg(unix)]
    for (name, target) in [("link", "x"), ("dangling", "nowhere")] {
        std::os::unix::fs::symlink(target, directory.join(name)).unwrap();
        names.insert(0, name);
    }
    for name in &names {
        assert_eq!(upload(&address, name, b"new"), TAKEN);
    }
    // Nor if it appears during the upload.
    let mut client = announced(&address, 3, "y");
    fs::write(directory.join("y"), "old").unwrap();
    client.send("new").expects(TAKEN, "a file that appeared during the upload is kept");
    names.push("y");
    assert_only(&directory, &names);
    assert_eq!(["x", "y"].map(|name| fs::read(directory.join(name)).unwrap()), [b"old", b"old"]);
}

/// What lies where a temporary file would go is neither emptied nor deleted.
#[test]
fn leftovers_are_kept() {
    let directory = directory();
    let names = [format!(".{}.part", process::id()), ".x.peer.part".to_string()];
    let leftovers = names.map(|name| directory.join(name));
    leftovers.iter().for_each(|path| fs::write(path, "old").unwrap());
    let error = store::prepare(&directory).unwrap_err().to_string();
    assert!(error.starts_with("remove ") && error.ends_with(".part\", a leftover"), "{error}");
    assert!(store::Upload::create(&directory, "x", "peer").is_err());
    leftovers.iter().for_each(|path| assert_eq!(fs::read(path).unwrap(), b"old"));
}

/// A limit on file size stands in for a full disk: writing fails in the middle.
#[cfg(unix)]
#[test]
fn full_disk_is_reported() {
    let directory = directory();
    // The unit is 512 bytes or 1 KiB. The signal that would kill the server is ignored.
    let script = "trap '' XFSZ && ulimit -f 100 && exec \"$0\" server 127.0.0.1:0 \"$1\"";
    let mut shell = Command::new("sh");
    let (_server, address) = launch_server(shell.args(["-c", script, EXE]).arg(&directory));
    let client = run(&["client", &address, &file("big", vec![b'a'; 20_000_000])], "");
    assert_fails(&client, &["the server answered \"error: ", "File too large"]);
    // This one fits into the server's buffer, and only writing that fails.
    assert!(upload(&address, "small", &[b'a'; 200_000]).contains("File too large"));
    assert_only(&directory, &[]);
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}

#[test]
fn server_that_cannot_work_fails_at_start() {
    let no_directory = file("file", "");
    let read_only = if cfg!(target_os = "linux") { "/proc" } else { "" };
    for path in [&no_directory, "", read_only] {
        let server = run(&["server", "127.0.0.1:0", path], "");
        assert_fails(&server, &[&format!("cannot use {path:?}")]);
    }
    // With a stack of 4 PiB, which no system has, every attempt to start a thread fails.
    let mut command = command(&["server", "127.0.0.1:0"]);
    let server = Program::launch(command.env("RUST_MIN_STACK", "4503599627370496"));
    assert_fails(&server.end(), &["no thread could be started"]);
}

// ---- The client ----

#[test]
fn client_names_an_unusable_file() {
    let directory = directory();
    let paths = ["missing.png", "pipe", "two\nlines", "..", "."].map(|name| directory.join(name));
    let unusable = paths.map(|path| path.to_str().unwrap().to_string());
    if cfg!(unix) {
        assert!(Command::new("mkfifo").arg(&unusable[1]).status().unwrap().success());
        fs::write(&unusable[2], "hello").unwrap();
    }
    for path in unusable.iter().map(String::as_str).chain([""]) {
        let ended = run(&["client", "127.0.0.1:1", path], "");
        assert_fails(&ended, &[&format!("cannot send {path:?}")]);
    }
}

/// Servers that send something, read as many bytes, and send something more.
#[test]
fn client_reports_what_the_server_did() {
    const ALL: usize = "32565 harbour.png\n".len() + 32565;
    for (first, count, last, error) in [
        ("welc", 0, "", "closed the connection"),
        ("welcome\nok: send\n", ALL, "ok: st", "closed the connection"),
        ("220 ftp\n", 0, "500 no\n", "the server answered \"220 ftp\""),
        ("\n", 0, "\n", "the server answered \"\""),
        ("welcome\nok\n", ALL, "error: disk full\n", "the server answered \"error: disk full\""),
        ("welcome\nok\n", ALL, "OK\n", "the server answered \"OK\""),
        ("welcome\nerror: \x1b[2J\n", 0, "", r#"the server answered "error: \u{1b}[2J""#),
    ] {
        let talk = move |mut server: Client| {
            server.send(first).stream().read_exact(&mut vec![0; count]).unwrap();
            server.send(last).finish().rest();
        };
        let (client, _) = run_against(talk, &[PICTURE]);
        assert_fails(&client, &[error]);
        assert!(client.output.is_empty());
    }
}

#[test]
fn endless_answer_is_refused() {
    let (client, address) = run_against(Client::flood, &[PICTURE]);
    assert_fails(&client, &[&address, " sent a line of more than 4096 bytes"]);
}

/// The server sends its last answer while the client is still sending, and reads no more. (On
/// Windows, the reset destroys the answer.)
#[cfg(unix)]
#[test]
fn answer_before_all_was_sent() {
    let path = file("big", vec![b'a'; 20_000_000]);
    for (answer, error) in [
        ("error: enough\n", "the server answered \"error: enough\""),
        ("ok: stored\n", "the server answered \"ok: stored\" before all was sent"),
    ] {
        let talk = move |mut server: Client| {
            server.send("welcome\nok\n").expect("20000000 big\naaa");
            std::thread::sleep(MOMENT); // until the client is blocked in a write
            server.send(answer);
        };
        assert_fails(&run_against(talk, &[&path]).0, &[error]);
    }
}

#[test]
fn file_that_shrinks_is_reported() {
    for answer in ["error: only 3 of 5 bytes arrived\n", "ok: stored x\n"] {
        let path = file("x", "hello");
        let same = path.clone();
        let talk = move |mut server: Client| {
            fs::write(same, "hel").unwrap();
            server.send("welcome\nok\n").expect("5 x\nhel");
            assert_eq!(server.rest(), ""); // the end of the stream, right away
            server.send(answer).finish().rest();
        };
        assert_fails(&run_against(talk, &[&path]).0, &["the server answered"]);
    }
}
