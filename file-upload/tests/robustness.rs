//! What else this step's own programs have to withstand, and the tests that every step has.

#[path = "../../tcp-basic/tests/harness/every_step.rs"]
mod every_step;
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

use std::{fs, io::Read, path::Path, process::Command, thread, time::Instant};

use harness::*;
use storage::*;

// ---- Pure functions ----

#[test]
fn headers_are_checked() {
    let header = |bytes: &[u8]| match server::read_header(&mut &bytes[..]) {
        Ok((size, name)) => format!("{size} {name}"),
        Err(error) => error.to_string(),
    };
    let sound =
        [("5 x\n", "5 x"), ("05 x\r\n6 y\n", "5 x"), ("1073741824  a b \n", "1073741824  a b ")];
    for (line, expected) in sound {
        assert_eq!(header(line.as_bytes()), expected);
    }
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
}

// ---- Clients ----

#[test]
fn refused_name_is_shown_escaped() {
    let (directory, _server, address) = Directory::served();
    for (name, shown) in [("截图\u{202f}1.png", r"截图\u{202f}1.png"), ("a\rb", r"a\rb"), ("", "")]
    {
        let answer = upload(&address, name, b"hello");
        assert!(answer.starts_with(&format!("error: bad NAME \"{shown}\": ")), "{answer}");
    }
    assert!(upload(&address, "../x", b"hello").len() <= 101, "a line of 100 columns");
    directory.assert_only(&[]);
}

#[test]
fn files_of_every_size_arrive() {
    let files = Directory::new();
    let (directory, _server, address) = Directory::served();
    for size in [0, 1, 512, 262_143, 262_144, 262_145, 3_000_000] {
        let bytes: Vec<u8> = (0..size).map(|i| (i * 7 + i / 256) as u8).collect();
        let name = format!("{size} bytes");
        let file = files.write(&name, &bytes);
        let client = run(&["client", &address, &file], "");
        assert_succeeds(&client, &[&format!("server: \"ok: stored {name}\"")]);
        assert!(directory.read(&name) == bytes, "{size}");
    }
    assert_eq!(directory.names().len(), 7);
}

#[test]
fn extra_bytes_are_not_stored() {
    let (directory, _server, address) = Directory::served();
    let mut client = Client::greeted(&address);
    client.send(format!("5 x\nhello{}", " and more".repeat(10_000)));
    client.expect("ok: send 5 bytes\nok: stored x\n");
    assert_eq!(directory.read("x"), b"hello");
}

#[test]
fn short_upload_leaves_nothing() {
    let (directory, _server, address) = Directory::served();
    for sent in ["", "hell"] {
        let mut client = announced(&address, 5, "x");
        client.send(sent).finish();
        client.expect(format!("error: only {} of 5 bytes arrived\n", sent.len()));
    }
    directory.assert_only(&[]);
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}

#[test]
fn reset_leaves_nothing() {
    let (directory, mut server, address) = Directory::served();
    for bytes in ["", "5 x", "5 x\n", "5 x\nhell"] {
        let mut client = Client::connect(&address);
        client.send(bytes);
        client.reset("it greets");
        server.line_with("disconnected");
    }
    directory.assert_only(&[]);
    assert_stores(&address, &directory);
}

#[test]
fn silent_client_times_out() {
    let handle: Handler = |stream, peer| {
        server::handle_client(stream, peer, Path::new("."));
        println!("files: {}", fs::read_dir(".").unwrap().count());
    };
    let log = log_of_silence("silent_client_times_out", handle, 30, "5 x\nhell");
    assert!(log.contains(" error: timed out after 30s\n") && log.contains("files: 0\n"), "{log}");
    assert!(log.contains(r"ok: send 5 bytes\nerror: timed out after 30s\n"), "{log}");
}

/// Closing with unread bytes would reset the connection and might destroy the last answer.
#[test]
fn last_answer_is_not_destroyed() {
    let (_directory, mut server, address) = Directory::served();
    let mut client = Client::greeted(&address);
    client.send(format!("? ?\n{}", "a".repeat(100_000)));
    thread::sleep(MOMENT); // time for a server to close too early
    let begin = Instant::now();
    client.expects_line("error: ", "");
    client.expects_end("");
    assert!(begin.elapsed() < MOMENT * 5, "the end of the stream does not come at once");
    client.finish();
    server.line_with("disconnected"); // it has closed, and a reset would show:
    assert!(client.stream().take_error().unwrap().is_none());
}

#[test]
fn endless_sender_is_cut_off() {
    let (directory, mut server, address) = Directory::served();
    let mut client = Client::greeted(&address);
    let begin = Instant::now();
    client.send("? ?\n");
    while client.try_send("and more").is_ok() {
        assert!(begin.elapsed().as_secs() < 10, "it reads on and on");
    }
    server.line_with("disconnected");
    assert!(begin.elapsed().as_millis() > 900, "it does not linger");
    assert_stores(&address, &directory);
}

#[test]
fn threads_serve_64_clients_at_once() {
    let (directory, _server, address) = Directory::served();
    let mut clients: Vec<Client> = (0..64).map(|_| Client::greeted(&address)).collect();
    #[cfg(target_os = "linux")]
    assert_eq!(_server.status("Threads:"), 65);
    let mut next = Client::connect(&address); // connected, but only to the backlog
    assert!(next.is_silent());
    clients.pop();
    next.expects_line("welcome", "");
    drop((clients, next));
    assert_stores(&address, &directory);
}

// ---- Files ----

#[test]
fn existing_file_is_never_replaced() {
    let (directory, _server, address) = Directory::served();
    directory.write("x", "old");
    let mut names = vec!["x"];
    #[cfg(unix)]
    for (name, target) in [("link", "x"), ("dangling", "nowhere")] {
        std::os::unix::fs::symlink(target, Path::new(directory.path()).join(name)).unwrap();
        names.insert(0, name);
    }
    for name in &names {
        assert_eq!(upload(&address, name, b"new"), TAKEN);
    }
    // Nor if it appears during the upload.
    let mut client = announced(&address, 3, "y");
    directory.write("y", "old");
    client.send("new").expects(TAKEN, "a file that appeared during the upload is kept");
    names.push("y");
    directory.assert_only(&names);
    assert_eq!([directory.read("x"), directory.read("y")], [b"old", b"old"]);
}

#[test]
fn foreign_temporary_file_is_kept() {
    let (directory, _server, address) = Directory::served();
    let mut client = Client::greeted(&address);
    let temporary = format!(".x.{}.part", client.address().replace(':', "-"));
    directory.write(&temporary, "old");
    client.send("5 x\n").expects_line("error: ", "a file that is there is not taken");
    assert_eq!(directory.read(&temporary), b"old");
}

#[test]
fn vanished_directory_costs_that_upload_alone() {
    let (directory, _server, address) = Directory::served();
    fs::remove_dir(directory.path()).unwrap();
    assert!(upload(&address, "x", b"hello").starts_with("error: "));
    fs::create_dir(directory.path()).unwrap();
    assert_stores(&address, &directory);
}

/// A limit on file size stands in for a full disk: writing fails in the middle.
#[cfg(unix)]
#[test]
fn full_disk_is_reported() {
    let (directory, files) = (Directory::new(), Directory::new());
    // The unit is 512 bytes or 1 KiB. The signal that would kill the server is ignored.
    let script = "trap '' XFSZ && ulimit -f 100 && exec \"$0\" server 127.0.0.1:0 \"$1\"";
    let mut shell = Command::new("sh");
    let (_server, address) =
        launch_server(shell.args(["-c", script]).arg(exe()).arg(directory.path()));
    let file = files.write("big", vec![b'a'; 50_000_000]);
    let client = run(&["client", &address, &file], "");
    assert_fails(&client, &["the server answered \"error: ", "File too large"]);
    // This one fits into the server's buffer, and only writing that fails.
    let answer = upload(&address, "small", &[b'a'; 200_000]);
    assert!(answer.contains("File too large"), "{answer}");
    directory.assert_only(&[]);
    assert_stores(&address, &directory);
}

#[test]
fn unusable_directory_fails_at_start() {
    let directory = Directory::new();
    let file = directory.write("file", "");
    let mut unusable = vec![file.as_str(), ""];
    if cfg!(target_os = "linux") {
        unusable.push("/proc"); // a directory that takes no files
    }
    for path in unusable {
        let ended = run(&["server", "127.0.0.1:0", path], "");
        assert_fails(&ended, &[&format!("cannot use {path:?}")]);
    }
}

/// What lies where the server tries whether it can create a file is neither emptied nor deleted.
#[cfg(unix)]
#[test]
fn leftover_at_start_is_kept() {
    let directory = Directory::new();
    directory.write("target", "old");
    for make in ["ln -s target", "mkfifo", "cp target"] {
        let script = format!("cd \"$1\" && {make} .$$.part && exec \"$0\" server 127.0.0.1:0 .");
        let mut shell = Command::new("sh");
        let ended =
            Program::launch(shell.args(["-c", &script]).arg(exe()).arg(directory.path())).end();
        assert_fails(&ended, &["cannot use \".\": remove \"./.", ".part\""]);
    }
    assert_eq!((directory.names().len(), directory.read("target")), (4, b"old".to_vec()));
}

// ---- The operating system refuses ----

/// A stack of 4 PiB, which no system has: every attempt to start a thread fails.
#[cfg(unix)]
#[test]
fn without_threads_it_fails() {
    let directory = Directory::new();
    let mut command = command(&["server", "127.0.0.1:0", directory.path()]);
    let ended = Program::launch(command.env("RUST_MIN_STACK", "4503599627370496")).end();
    assert_fails(&ended, &["no thread could be started"]);
    assert_eq!(ended.output.len(), 1 + 64);
}

/// With descriptors 0 to 7 (standard streams, listener), four threads can wait in accept, which
/// reserves one on Linux. The others log the failure once a second.
#[cfg(target_os = "linux")]
#[test]
fn failing_accept_does_not_spin() {
    let directory = Directory::new();
    let (mut server, address) = server_with_descriptors(8, &[directory.path()]);
    let mut client = Client::greeted(&address);
    server.line_with("cannot accept: ");
    let lines = server.count_lines("cannot accept: ", 12 * MOMENT);
    assert!((65..192).contains(&lines), "{lines}");
    client.send("5 x\n");
    assert!(client.expects_line("error: ", "").contains("Too many open files"));
    directory.assert_only(&[]);
}

#[test]
fn closed_log_does_not_end_it() {
    every_step::assert_closed_log_is_survived();
}

// ---- The client ----

#[test]
fn client_names_an_unusable_file() {
    let files = Directory::new();
    let missing = format!("{}/missing.png", files.path());
    let mut unusable = vec![missing, files.path().to_string(), String::new(), "..".to_string()];
    if cfg!(unix) {
        let pipe = format!("{}/pipe", files.path());
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        unusable.extend([pipe, files.write("two\nlines", "hello")]);
    }
    for path in unusable {
        let ended = run(&["client", "127.0.0.1:1", &path], "");
        assert_fails(&ended, &[&format!("cannot send {path:?}")]);
    }
}

/// The sizes of the client's header and of everything it sends.
const HEADER: usize = "32565 harbour.png\n".len();
const ALL: usize = HEADER + 32565;

/// Servers that send something, read as many bytes, and send something more.
#[test]
fn client_reports_what_the_server_did() {
    let servers = [
        ("welc", 0, "", "closed the connection"),
        ("welcome\n", HEADER, "", "closed the connection"),
        ("welcome\n", HEADER, "ok: se", "closed the connection"),
        ("welcome\nok: send\n", ALL, "ok: st", "closed the connection"),
        ("220 ftp\n", 0, "500 no\n", "the server answered \"220 ftp\""),
        ("\n", 0, "\n", "the server answered \"\""),
        ("welcome\nok\n", ALL, "error: disk full\n", "the server answered \"error: disk full\""),
        ("welcome\nok\n", ALL, "OK\n", "the server answered \"OK\""),
        ("welcome\nerror: \x1b[2J\n", 0, "", r#"the server answered "error: \u{1b}[2J""#),
    ];
    for (first, count, last, error) in servers {
        let server = fake_server(move |mut server| {
            server.send(first).stream().read_exact(&mut vec![0; count]).unwrap();
            server.recite(last);
        });
        let client = run(&["client", &server.address, PICTURE], "");
        assert_fails(&client, &[error]);
        assert!(client.output.is_empty());
    }
}

#[test]
fn endless_answer_is_refused() {
    let server = fake_server(|mut server| while server.try_send([b'a'; 65536]).is_ok() {});
    let client = run(&["client", &server.address, PICTURE], "");
    assert_fails(&client, &[&server.address, " sent a line of more than 4096 bytes"]);
}

#[test]
fn early_ok_is_not_believed() {
    let files = Directory::new();
    let path = files.write("big", vec![b'a'; 20_000_000]);
    let server = fake_server(|mut server| {
        server.send("welcome\nok\nok: stored\n");
        server.expect("20000000 big\naaa");
    });
    let client = run(&["client", &server.address, &path], "");
    assert_fails(&client, &["before all was sent"]);
}

/// The server sends its last answer while the client is still sending, and reads no more. (On
/// Windows, the reset destroys the answer.)
#[cfg(unix)]
#[test]
fn client_receives_the_reason() {
    let files = Directory::new();
    let path = files.write("big", vec![b'a'; 50_000_000]);
    let server = fake_server(|mut server| {
        server.send("welcome\nok: send\n");
        server.expect("50000000 big\naaa");
        thread::sleep(MOMENT); // until the client is blocked in a write
        server.send("error: enough\n");
    });
    let client = run(&["client", &server.address, &path], "");
    assert_fails(&client, &["the server answered \"error: enough\""]);
}

#[test]
fn file_that_shrinks_is_reported() {
    let files = Directory::new();
    for answer in ["error: only 3 of 5 bytes arrived\n", "ok: stored x\n"] {
        let path = files.write("x", "hello");
        let same = path.clone();
        let server = fake_server(move |mut server| {
            fs::write(same, "hel").unwrap();
            server.send("welcome\nok\n");
            server.expect("5 x\nhel");
            assert_eq!(server.rest(), ""); // the end of the stream, right away
            server.recite(answer);
        });
        assert_fails(&run(&["client", &server.address, &path], ""), &["the server answered"]);
    }
}

/// A sparse file of 200 MB (without content): the client reads and sends it in pieces.
#[cfg(target_os = "linux")]
#[test]
fn client_sends_in_constant_memory() {
    let files = Directory::new();
    let path = files.write("big", "");
    fs::File::options().write(true).open(&path).unwrap().set_len(200_000_000).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let client = Program::start(&["client", &address, &path]);
    let mut server = Client::new(listener.accept().unwrap().0);
    server.send("welcome\nok: send\n").expects_line("200000000 big\n", "");
    let count = std::io::copy(&mut server.stream(), &mut std::io::sink()).unwrap();
    assert!(count > 190_000_000); // the rest was read with the line
    assert!(client.status("VmHWM:") < 10_000, "kB");
    server.send("ok: stored\n");
    assert_eq!(client.end().code, Some(0));
}
