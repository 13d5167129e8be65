//! Clients, servers and disks that misbehave.

#[path = "../../tcp-basic/tests/harness/mod.rs"]
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

// ---- Still wrong: `ok` means that the flaw is there ----

#[test]
fn anyone_may_fill_the_disk() {
    let (directory, _server, address) = Directory::served("anyone");
    for i in 0..11 {
        assert_eq!(upload(&address, &format!("{i}"), &[0; 1_000_000]), "ok");
    }
    assert_eq!(directory.names().len(), 11);
}

#[test]
fn killed_server_leaves_temporary_files() {
    let (directory, server, address) = Directory::served("killed");
    let mut client = announced(&address, 5, "x");
    client.send("hel");
    server.kill();
    assert!(directory.names()[0].starts_with(".x.127.0.0.1-"));
    // But the name is free.
    let (_server, address) = launch_server(&mut command_in(directory.path()));
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}

// ---- Headers ----

/// Sends each header, followed by 5 bytes. All must be refused, and nothing must be created.
fn assert_refused(test: &str, headers: &[&str], reason: &str) {
    let (directory, _server, address) = Directory::served(test);
    for header in headers {
        let mut client = Client::greeted(&address);
        client.send(format!("{header}\nhello"));
        let line = client.line();
        assert!(line.starts_with("error: ") && line.contains(reason), "{header:?}: {line}");
        assert_eq!(client.rest(), "", "{header:?}");
        assert!(directory.names().is_empty(), "{header:?}");
    }
    assert_stores(&address, &directory);
}

#[test]
fn names_that_are_not_plain() {
    let too_long = "x".repeat(201);
    let names = "\
        ../x|..|.|/etc/x|a/b|a\\b|\\x|x.jpg/||.hidden|.x.0.part|x.|x | x|-|-T|--help|a\0b|C:x|\
        x.jpg:stream|a\x1b[2Jb|a\rb|x.png\r|a\tb|\u{202e}gnp.exe|a*b|a?b|a<b|a\"b|a~1|$(x)|CON|con|\
        nul.jpg|Nul.tar.gz|aux .txt|COM1|lpt9.png|com².txt";
    let headers = names.split('|').chain(["a|b", &too_long]).map(|name| format!("5 {name}"));
    let headers: Vec<String> = headers.collect();
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    assert_refused("names-refused", &headers, "NAME may have ");
}

#[test]
fn sizes_that_are_no_numbers() {
    let headers = " x|x 5|-1 x|+5 x|1.5 x|0x10 x|1e3 x|5x x|\t5 x|５ x|1073741825 x|\
        18446744073709551616 x|GET / HTTP/1.1\r";
    let headers: Vec<&str> = headers.split('|').collect();
    assert_refused("sizes-refused", &headers, "SIZE must be digits only");
}

#[test]
fn headers_that_are_none() {
    assert_refused("headers-refused", &["", "5", "photo.png"], "expected a line SIZE NAME");
    let (_directory, _server, address) = Directory::served("headers-not-utf8");
    let mut client = Client::greeted(&address);
    client.send(b"5 \xff\xfe.png\n");
    assert!(client.line().contains("valid UTF-8"));
}

#[test]
fn longest_header_is_512_bytes() {
    let (directory, _server, address) = Directory::served("long-header");
    let header = |length: usize| format!("{}5 x\n", "0".repeat(length - 4));
    let mut client = Client::greeted(&address);
    client.send(header(512));
    client.expect("ok: send 5 bytes\n");
    for bytes in [header(513), "5".repeat(10_000_000)] {
        let mut client = Client::greeted(&address);
        let _ = client.try_send(bytes); // it may be refused before all is sent
        assert!(client.line().starts_with("error: expected a line SIZE NAME"));
    }
    drop(client);
    directory.assert_only(&[]);
}

#[test]
fn largest_file_is_one_gibibyte() {
    let (_directory, _server, address) = Directory::served("largest");
    announced(&address, 1 << 30, "x");
    let mut client = Client::greeted(&address);
    client.send("1073741825 y\n");
    assert!(client.line().starts_with("error: SIZE"));
}

// ---- Misbehaving clients ----

#[test]
fn short_upload_leaves_nothing() {
    let (directory, _server, address) = Directory::served("short");
    for sent in ["", "hell"] {
        let mut client = announced(&address, 5, "x");
        client.send(sent);
        client.finish();
        let count = sent.len();
        assert_eq!(client.rest(), format!("error: only {count} of 5 bytes arrived\n"));
    }
    directory.assert_only(&[]);
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}

#[test]
fn reset_leaves_nothing() {
    let (directory, mut server, address) = Directory::served("reset");
    for bytes in ["", "5 x", "5 x\n", "5 x\nhell"] {
        let mut client = Client::connect(&address);
        client.send(bytes);
        client.reset(); // the greeting is unread
        server.line_with("disconnected");
    }
    directory.assert_only(&[]);
    assert_stores(&address, &directory);
}

#[test]
fn silent_client_times_out() {
    const PATH: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/silent");
    let directory = Directory::new("silent");
    let handle: Handler = |stream, peer| server::handle_client(stream, peer, Path::new(PATH));
    let log = log_of_silence("silent_client_times_out", handle, 30, "5 x\nhell");
    assert!(log.contains(" error: timed out after 30s\n"), "{log}");
    assert!(log.contains(r"ok: send 5 bytes\nerror: timed out after 30s\n"), "{log}");
    directory.assert_only(&[]);
}

#[test]
fn slow_clients_hold_nobody_up() {
    let (directory, _server, address) = Directory::served("slow");
    let _silent = Client::greeted(&address);
    let mut slow = announced(&address, 5, "slow");
    slow.send("hel");
    assert_stores(&address, &directory);
    slow.send("lo");
    slow.expect("ok: stored slow\n");
}

/// Closing with unread bytes would reset the connection and might destroy the last answer.
#[test]
fn last_answer_is_not_destroyed() {
    let (_directory, mut server, address) = Directory::served("graceful");
    let mut client = Client::greeted(&address);
    client.send(format!("? ?\n{}", "a".repeat(100_000)));
    thread::sleep(MOMENT); // time for a server to close too early
    assert!(client.line().starts_with("error: "));
    assert_eq!(client.line(), ""); // the end of the stream
    client.finish();
    server.line_with("disconnected"); // it has closed, and a reset would show:
    assert!(client.stream().take_error().unwrap().is_none());
}

#[test]
fn endless_sender_is_cut_off() {
    let (directory, mut server, address) = Directory::served("endless");
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
    let (directory, _server, address) = Directory::served("threads");
    let mut clients: Vec<Client> = (0..64).map(|_| Client::greeted(&address)).collect();
    #[cfg(target_os = "linux")]
    assert_eq!(_server.status("Threads:"), 65);
    let mut next = Client::connect(&address); // connected, but only to the backlog
    assert!(next.is_silent());
    clients.pop();
    next.expect("welcome: send SIZE NAME, then the file\n");
    drop((clients, next));
    assert_stores(&address, &directory);
}

// ---- Files ----

#[test]
fn existing_file_is_never_replaced() {
    let (directory, _server, address) = Directory::served("existing");
    directory.write("x", "old");
    assert_eq!(upload(&address, "x", b"new"), TAKEN);
    // Nor if it appears during the upload.
    let mut client = announced(&address, 3, "y");
    directory.write("y", "old");
    client.send("new");
    assert_eq!(client.rest(), TAKEN);
    directory.assert_only(&["x", "y"]);
    assert_eq!([directory.read("x"), directory.read("y")], [b"old", b"old"]);
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_not_followed() {
    let (directory, _server, address) = Directory::served("links");
    let target = directory.write("target", "old");
    let nowhere = format!("{}/nowhere", directory.path());
    for (name, target) in [("link", target), ("dangling", nowhere)] {
        let link = Path::new(directory.path()).join(name);
        std::os::unix::fs::symlink(target, link).unwrap();
        assert_eq!(upload(&address, name, b"new"), TAKEN);
    }
    assert_eq!(directory.names(), ["dangling", "link", "target"]);
    assert_eq!(directory.read("target"), b"old");
}

#[test]
fn of_eight_uploads_one_wins() {
    let (directory, _server, address) = Directory::served("eight");
    let bytes = |i: usize| vec![b'0' + i as u8; 300_000];
    let mut clients: Vec<Client> = (0..8).map(|_| announced(&address, 300_000, "x")).collect();
    assert_eq!(directory.names().len(), 8);
    thread::scope(|scope| {
        for (i, client) in clients.iter_mut().enumerate() {
            scope.spawn(move || client.send(bytes(i)));
        }
    });
    let answers: Vec<String> = clients.iter_mut().map(Client::line).collect();
    let winner = answers.iter().position(|answer| answer == "ok: stored x\n").unwrap();
    assert_eq!(answers.iter().filter(|answer| *answer == TAKEN).count(), 7);
    assert!(directory.read("x") == bytes(winner));
    directory.assert_only(&["x"]);
}

#[test]
fn foreign_temporary_file_is_kept() {
    let (directory, _server, address) = Directory::served("left-behind");
    let mut client = Client::greeted(&address);
    let temporary = format!(".x.{}.part", client.address().replace(':', "-"));
    directory.write(&temporary, "old");
    client.send("5 x\n");
    assert!(client.line().starts_with("error: "));
    assert_eq!(directory.read(&temporary), b"old");
}

/// A limit on file size stands in for a full disk: writing fails in the middle.
#[cfg(unix)]
#[test]
fn full_disk_is_reported() {
    let (directory, files) = (Directory::new("full"), Directory::new("full-sent"));
    // The unit is 512 bytes or 1 KiB. The signal that would kill the server is ignored.
    let script = "trap '' XFSZ && ulimit -f 1000 && exec \"$0\" server 127.0.0.1:0 \"$1\"";
    let mut shell = Command::new("sh");
    let (_server, address) = launch_server(shell.args(["-c", script, EXE, directory.path()]));
    let file = files.write("big", vec![b'a'; 50_000_000]);
    let client = run(EXE, &["client", &file, &address], "");
    assert_fails(&client, &["the server answered \"error: ", "File too large"]);
    directory.assert_only(&[]);
    assert_stores(&address, &directory);
}

#[test]
fn vanished_directory_costs_that_upload_alone() {
    let (directory, _server, address) = Directory::served("vanished");
    fs::remove_dir(directory.path()).unwrap();
    assert!(upload(&address, "x", b"hello").starts_with("error: "));
    fs::create_dir(directory.path()).unwrap();
    assert_stores(&address, &directory);
}

#[test]
fn unusable_directory_fails_at_start() {
    let directory = Directory::new("unusable");
    let file = directory.write("file", "");
    let mut unusable = vec![file.as_str(), ""];
    if cfg!(target_os = "linux") {
        unusable.push("/proc"); // a directory that takes no files
    }
    for path in unusable {
        let ended = run(EXE, &["server", "127.0.0.1:0", path], "");
        assert_fails(&ended, &[&format!("cannot use {path:?}")]);
    }
}

// ---- The operating system refuses ----

/// A stack of 4 PiB, which no system has: every attempt to start a thread fails.
#[cfg(unix)]
#[test]
fn without_threads_it_fails() {
    let directory = Directory::new("no-thread");
    let mut command = command_in(directory.path());
    let ended = Program::launch(command.env("RUST_MIN_STACK", "4503599627370496")).end();
    assert_fails(&ended, &["no thread could be started"]);
    assert_eq!(ended.output.len(), 1 + 64);
}

/// With descriptors 0 to 7 (standard streams, listener), four threads can wait in accept, which
/// reserves one on Linux. The others log the failure once a second.
#[cfg(target_os = "linux")]
#[test]
fn failing_accept_does_not_spin() {
    let directory = Directory::new("descriptors");
    let (mut server, address) = server_with_descriptors(8, EXE, &[directory.path()]);
    let mut client = Client::greeted(&address);
    server.line_with("cannot accept: ");
    let lines = server.count_lines("cannot accept: ", 7 * MOMENT);
    assert!((65..192).contains(&lines), "{lines}");
    client.send("5 x\n");
    assert!(client.line().contains("Too many open files"));
    directory.assert_only(&[]);
}

#[test]
fn closed_log_does_not_end_it() {
    let directory = Directory::new("closed-log");
    let (mut server, address) = launch_server(&mut command_in(directory.path()));
    server.close_output();
    assert_stores(&address, &directory);
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}

// ---- The client ----

#[test]
fn client_names_an_unusable_file() {
    let files = Directory::new("cannot-send");
    let missing = format!("{}/missing.png", files.path());
    let mut unusable = vec![missing, files.path().to_string(), String::new(), "..".to_string()];
    if cfg!(unix) {
        let pipe = format!("{}/pipe", files.path());
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        unusable.extend([pipe, files.write("two\nlines", "hello")]);
    }
    for path in unusable {
        let ended = run(EXE, &["client", &path, "127.0.0.1:1"], "");
        assert_fails(&ended, &[&format!("cannot send {path:?}")]);
    }
    assert_fails(&run(EXE, &["client", "missing"], ""), &["cannot send \"missing\""]);
}

/// Sends `first`, reads as many bytes as `count` says, sends `last`, and closes gracefully.
fn recite(mut server: Client, first: &str, count: usize, last: &str) {
    server.send(first);
    server.stream().read_exact(&mut vec![0; count]).unwrap();
    server.recite(last);
}

/// The sizes of the client's header and of everything it sends.
const HEADER: usize = "32565 harbour.png\n".len();
const ALL: usize = HEADER + 32565;

#[test]
fn client_reports_a_closed_connection() {
    let servers = [
        ("", 0, ""),
        ("welc", 0, ""),
        ("welcome\n", HEADER, ""),
        ("welcome\n", HEADER, "ok: se"),
        ("welcome\n", HEADER, "ok: send\n"),
        ("welcome\nok: send\n", ALL, "ok: st"),
    ];
    for (first, count, last) in servers {
        let address = fake_server(move |server| recite(server, first, count, last));
        let client = run(EXE, &["client", PICTURE, &address], "");
        assert_fails(&client, &["closed the connection"]);
        assert!(client.output.is_empty());
    }
}

#[test]
fn client_takes_only_ok_for_success() {
    let servers = [
        ("220 ftp\n500 unknown\n", HEADER, "500 no\n"),
        ("\n\n", HEADER, "\n"),
        ("welcome\nok\n", ALL, "error: disk full\n"),
        ("welcome\nok\n", ALL, "OK\n"),
        ("welcome\nerror: \x1b[2J\n", 0, ""),
    ];
    for (first, count, last) in servers {
        let address = fake_server(move |server| recite(server, first, count, last));
        let client = run(EXE, &["client", PICTURE, &address], "");
        assert_fails(&client, &["the server answered \""]);
        assert!(client.output.is_empty() && !client.errors[0].contains('\x1b'));
    }
}

#[test]
fn endless_answer_is_refused() {
    let address = fake_server(|mut server| while server.try_send([b'a'; 65536]).is_ok() {});
    assert_fails(&run(EXE, &["client", PICTURE, &address], ""), &["sent a huge line"]);
}

#[test]
fn early_ok_is_not_believed() {
    let files = Directory::new("early-ok");
    let path = files.write("big", vec![b'a'; 20_000_000]);
    let address = fake_server(|mut server| {
        server.send("welcome\nok\nok: stored\n");
        server.expect("20000000 big\naaa");
    });
    let client = run(EXE, &["client", &path, &address], "");
    assert_fails(&client, &["before all was sent"]);
}

/// The server sends its last answer while the client is still sending, and reads no more. (On
/// Windows, the reset destroys the answer.)
#[cfg(unix)]
#[test]
fn client_hears_why_it_was_refused() {
    let files = Directory::new("refused");
    let path = files.write("big", vec![b'a'; 50_000_000]);
    let address = fake_server(|mut server| {
        server.send("welcome\nok: send\n");
        server.expect("50000000 big\naaa");
        thread::sleep(MOMENT); // until the client is blocked in a write
        server.send("error: enough\n");
    });
    let client = run(EXE, &["client", &path, &address], "");
    assert_fails(&client, &["the server answered \"error: enough\""]);
}

#[test]
fn file_that_shrinks_is_reported() {
    let files = Directory::new("shrinks");
    for answer in ["error: only 3 of 5 bytes arrived\n", "ok: stored x\n"] {
        let path = files.write("x", "hello");
        let same = path.clone();
        let address = fake_server(move |mut server| {
            fs::write(same, "hel").unwrap();
            server.send("welcome\nok\n");
            server.expect("5 x\nhel");
            assert_eq!(server.rest(), ""); // the end of the stream, right away
            server.recite(answer);
        });
        assert_fails(&run(EXE, &["client", &path, &address], ""), &["the server answered"]);
    }
}

/// A sparse file of 200 MB (without content): the client reads and sends it in pieces.
#[cfg(target_os = "linux")]
#[test]
fn client_sends_in_constant_memory() {
    let files = Directory::new("memory");
    let path = files.write("big", "");
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(200_000_000).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let client = Program::start(EXE, &["client", &path, &address]);
    let mut server = Client::new(listener.accept().unwrap().0);
    server.send("welcome\nok: send\n");
    assert_eq!(server.line(), "200000000 big\n");
    let count = std::io::copy(&mut server.stream(), &mut std::io::sink()).unwrap();
    assert!(count > 190_000_000); // the rest was read with the line
    assert!(client.status("VmHWM:") < 10_000, "kB");
    server.send("ok: stored\n");
    assert_eq!(client.end().code, Some(0));
}
