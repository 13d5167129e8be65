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

use std::fs;
use std::io::{Read, copy, sink};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use harness::*;
use storage::*;

// ---- Still wrong: `ok` means that the fault is there ----

#[test]
fn anyone_may_fill_the_disk() {
    let (directory, _server, address) = Directory::served("anyone");
    for i in 0..20 {
        assert_eq!(upload(&address, &format!("{i}"), &[0; 100_000]), "ok");
    }
    assert_eq!(directory.names().len(), 20);
}

#[test]
fn killed_server_leaves_temporary_files() {
    let (directory, server, address) = Directory::served("killed");
    let mut client = announced(&address, 5, "x");
    client.send("hel");
    server.kill();
    assert!(directory.names()[0].starts_with(".x.127.0.0.1-"));
    // But the name is free.
    let (_server, address) = launch_server(&mut step(&[directory.path()]).server("127.0.0.1:0"));
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}

// ---- Headers ----

/// Sends each header, with 5 bytes behind it. All must be refused, and nothing created.
fn assert_refused(test: &str, headers: &[&[u8]], reason: &str) {
    let (directory, _server, address) = Directory::served(test);
    for header in headers {
        let shown = String::from_utf8_lossy(header);
        let mut client = greeted(&address);
        client.send([header, &b"\nhello"[..]].concat());
        let line = client.line();
        assert!(line.starts_with("error: "), "{shown:?}: {line}");
        assert!(line.contains(reason), "{shown:?}: {line}");
        assert_eq!(client.rest(), "", "{shown:?}");
        assert!(directory.names().is_empty(), "{shown:?}");
    }
    assert_stores(&address, &directory);
}

#[test]
fn names_that_are_not_plain() {
    let too_long = format!("5 {}", "x".repeat(201));
    let headers: [&[u8]; 41] = [
        b"5 ../x",
        b"5 ..",
        b"5 .",
        b"5 /etc/x",
        b"5 a/b",
        b"5 a\\b",
        b"5 \\x",
        b"5 x.jpg/",
        b"5 ",
        b"5 .hidden",
        b"5 .x.0.part",
        b"5 x.",
        b"5 x ",
        b"5  x",
        b"5 -",
        b"5 -T",
        b"5 --help",
        b"5 a\0b",
        b"5 C:x",
        b"5 x.jpg:stream",
        b"5 a\x1b[2Jb",
        b"5 a\rb",
        b"5 x.png\r",
        b"5 a\tb",
        b"5 \xe2\x80\xaegnp.exe",
        b"5 a*b",
        b"5 a?b",
        b"5 a|b",
        b"5 a<b",
        b"5 a\"b",
        b"5 a~1",
        b"5 $(x)",
        b"5 CON",
        b"5 con",
        b"5 nul.jpg",
        b"5 Nul.tar.gz",
        b"5 aux .txt",
        b"5 COM1",
        b"5 lpt9.png",
        "5 com².txt".as_bytes(),
        too_long.as_bytes(),
    ];
    assert_refused("names-refused", &headers, "NAME may have ");
}

#[test]
fn sizes_that_are_no_numbers() {
    let headers: [&[u8]; 13] = [
        b" x",
        b"x 5",
        b"-1 x",
        b"+5 x",
        b"1.5 x",
        b"0x10 x",
        b"1e3 x",
        b"5x x",
        b"\t5 x",
        "５ x".as_bytes(),
        b"1073741825 x",
        b"18446744073709551616 x",
        b"GET / HTTP/1.1\r",
    ];
    assert_refused("sizes-refused", &headers, "SIZE must be digits only");
}

#[test]
fn headers_that_are_none() {
    let headers: [&[u8]; 3] = [b"", b"5", b"photo.png"];
    assert_refused("headers-refused", &headers, "expected a line SIZE NAME");
    assert_refused("headers-not-utf8", &[b"5 \xff\xfe.png"], "valid UTF-8");
}

#[test]
fn longest_header_is_512_bytes() {
    let (directory, _server, address) = Directory::served("long-header");
    let header = |length: usize| format!("{}5 x\n", "0".repeat(length - 4));
    let mut client = greeted(&address);
    client.send(header(512));
    client.expect("ok: send 5 bytes\n");
    for bytes in [header(513), "5".repeat(10_000_000)] {
        let mut client = greeted(&address);
        let _ = client.try_send(bytes); // it may be refused before all is sent
        assert!(
            client
                .line()
                .starts_with("error: expected a line SIZE NAME")
        );
    }
    drop(client);
    directory.assert_only(&[]);
}

#[test]
fn largest_file_is_one_gibibyte() {
    let (_directory, _server, address) = Directory::served("largest");
    announced(&address, 1 << 30, "x");
    let mut client = greeted(&address);
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
        assert_eq!(
            client.rest(),
            format!("error: only {count} of 5 bytes arrived\n")
        );
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
    let log = log_of("silent_client_times_out", || {
        let directory = Directory::new("silent");
        let path = Path::new(directory.path()).to_owned();
        let (mut client, accepted, peer) = Client::accepted();
        let same = accepted.try_clone().unwrap();
        let server = thread::spawn(move || server::handle_client(accepted, peer, &path));
        shorten_timeouts(&same, 30);
        client.send("5 x\nhell"); // ends the read under way, which began with the long timeout
        drop(same);
        let answers = "ok: send 5 bytes\nerror: timed out after 30s\n";
        assert!(client.rest().ends_with(answers));
        server.join().unwrap();
        directory.assert_only(&[]);
    });
    assert!(log.contains(" error: timed out after 30s\n"), "{log}");
}

#[test]
fn slow_clients_hold_nobody_up() {
    let (directory, _server, address) = Directory::served("slow");
    let _silent = greeted(&address);
    let mut slow = announced(&address, 5, "slow");
    slow.send("hel");
    assert_stores(&address, &directory);
    slow.send("lo");
    slow.expect("ok: stored slow\n");
}

/// A close with unread bytes would reset the connection, and might destroy the last answer.
#[test]
fn last_answer_is_not_destroyed() {
    let (_directory, mut server, address) = Directory::served("graceful");
    let mut client = greeted(&address);
    client.send(format!("? ?\n{}", "a".repeat(100_000)));
    thread::sleep(MOMENT); // time for a hasty server to close
    assert!(client.line().starts_with("error: "));
    assert_eq!(client.line(), ""); // the end of the stream, not an error
    client.finish();
    server.line_with("disconnected"); // it has closed, and a reset would show:
    assert!(client.stream().take_error().unwrap().is_none());
}

#[test]
fn endless_sender_is_cut_off() {
    let (directory, mut server, address) = Directory::served("endless");
    let mut client = greeted(&address);
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
    let (directory, server, address) = Directory::served("threads");
    let mut clients: Vec<Client> = (0..64).map(|_| greeted(&address)).collect();
    #[cfg(target_os = "linux")]
    assert_eq!(server.status("Threads:"), 65);
    let mut next = Client::connect(&address); // connected, but only to the backlog
    assert!(next.is_silent());
    clients.pop();
    next.expect("welcome: send SIZE NAME, then the file\n");
    drop((clients, next));
    assert_stores(&address, &directory);
    drop(server);
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
    let bytes = |i: u8| vec![b'0' + i; 300_000];
    let mut clients: Vec<Client> = (0..8).map(|_| announced(&address, 300_000, "x")).collect();
    assert_eq!(directory.names().len(), 8);
    let answers: Vec<String> = thread::scope(|scope| {
        let upload = |(i, client): (u8, &mut Client)| {
            client.send(bytes(i));
            client.line()
        };
        let threads = (0..)
            .zip(&mut clients)
            .map(|pair| scope.spawn(move || upload(pair)));
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let winner = answers
        .iter()
        .position(|answer| answer == "ok: stored x\n")
        .unwrap();
    assert_eq!(answers.iter().filter(|answer| *answer == TAKEN).count(), 7);
    assert!(directory.read("x") == bytes(winner as u8));
    directory.assert_only(&["x"]);
}

#[test]
fn foreign_temporary_file_is_kept() {
    let (directory, _server, address) = Directory::served("left-behind");
    let mut client = greeted(&address);
    let temporary = format!(".x.{}.part", client.address().replace(':', "-"));
    directory.write(&temporary, "old");
    client.send("5 x\n");
    assert!(client.line().starts_with("error: "));
    assert_eq!(directory.read(&temporary), b"old");
}

/// A limit on the size of files stands for a full disk: writing fails in the middle.
#[cfg(unix)]
#[test]
fn full_disk_is_reported() {
    let (directory, files) = (Directory::new("full"), Directory::new("full-sent"));
    // In blocks of 512 bytes or 1 KiB. The signal that would kill the server is ignored.
    let script = "trap '' XFSZ && ulimit -f 1000 && exec \"$0\" server 127.0.0.1:0 \"$1\"";
    let mut shell = Command::new("sh");
    let (_server, address) = launch_server(shell.args(["-c", script, EXE, directory.path()]));
    let file = files.write("big", vec![b'a'; 50_000_000]);
    let client = run(EXE, &["client", &file, &address], "");
    assert_fails(
        &client,
        &["the server answered \"error: ", "File too large"],
    );
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
        assert_fails(&ended, &["cannot use ", path]);
    }
}

// ---- The operating system refuses ----

/// A stack of 4 PiB, which no system has: every attempt to start a thread fails.
#[cfg(unix)]
#[test]
fn no_thread_at_all_is_an_error() {
    let directory = Directory::new("no-thread");
    let mut command = step(&[directory.path()]).server("127.0.0.1:0");
    let ended = Program::launch(command.env("RUST_MIN_STACK", "4503599627370496")).end();
    assert_fails(&ended, &["no thread could be started"]);
    assert_eq!(ended.output.len(), 1 + 64);
}

/// With descriptors 0 to 7 (standard streams, listener) four threads can wait in accept, which
/// reserves one on Linux. The others log that once a second.
#[cfg(target_os = "linux")]
#[test]
fn failing_accept_does_not_spin() {
    let directory = Directory::new("descriptors");
    let (mut server, address) = server_with_descriptors(8, EXE, &[directory.path()]);
    let mut client = greeted(&address);
    server.line_with("cannot accept: ");
    let lines = server.count_lines("cannot accept: ", 2 * MOMENT);
    assert!(lines < 64 * 3, "{lines}");
    client.send("5 x\n");
    assert!(client.line().contains("Too many open files"));
    directory.assert_only(&[]);
}

#[test]
fn closed_log_does_not_end_it() {
    let directory = Directory::new("closed-log");
    let mut command = step(&[directory.path()]).server("127.0.0.1:0");
    let (_server, address) = launch_server_without_output(&mut command);
    assert_stores(&address, &directory);
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}

// ---- The client ----

#[test]
fn client_names_an_unusable_file() {
    let files = Directory::new("cannot-send");
    let missing = format!("{}/missing.png", files.path());
    let mut unusable = vec![
        missing,
        files.path().to_string(),
        String::new(),
        "..".to_string(),
    ];
    if cfg!(unix) {
        let pipe = format!("{}/pipe", files.path());
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        unusable.extend([pipe, files.write("two\nlines", "hello")]);
    }
    for path in unusable {
        let ended = run(EXE, &["client", &path, "127.0.0.1:1"], "");
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.errors.concat().starts_with("error: cannot send "),
            "{ended:?}"
        );
    }
}

/// Sends `first`, reads what comes until `mark`, sends `last`, and closes gracefully.
fn recite(mut server: Client, first: &str, mark: &[u8], last: &str) {
    server.send(first);
    let mut received = Vec::new();
    let mut byte = [0];
    while !received.ends_with(mark) && server.stream().read(&mut byte).unwrap() == 1 {
        received.push(byte[0]);
    }
    server.send(last);
    server.finish();
    server.stream().read_to_end(&mut received).unwrap();
}

/// How a picture of this kind ends.
const END: &[u8] = b"IEND\xaeB`\x82";

#[test]
fn client_reports_a_closed_connection() {
    let servers: [fn(Client); 6] = [
        |server| recite(server, "", b"", ""),
        |server| recite(server, "welc", b"", ""),
        |server| recite(server, "welcome\n", b"\n", ""),
        |server| recite(server, "welcome\n", b"\n", "ok: se"),
        |server| recite(server, "welcome\n", b"\n", "ok: send\n"),
        |server| recite(server, "welcome\nok: send\n", END, "ok: st"),
    ];
    for talk in servers {
        let client = run(EXE, &["client", PICTURE, &fake_server(talk)], "");
        assert_fails(&client, &["closed the connection"]);
        assert!(client.output.is_empty());
    }
}

#[test]
fn client_takes_only_ok_for_success() {
    let servers: [fn(Client); 5] = [
        |server| recite(server, "220 ftp\n500 unknown\n", b"\n", "500 no\n"),
        |server| recite(server, "\n\n", b"\n", "\n"),
        |server| recite(server, "welcome\nok\n", END, "error: disk full\n"),
        |server| recite(server, "welcome\nok\n", END, "OK\n"),
        |server| recite(server, "welcome\nerror: \x1b[2J\n", b"", ""),
    ];
    for talk in servers {
        let client = run(EXE, &["client", PICTURE, &fake_server(talk)], "");
        assert_fails(&client, &["the server answered \""]);
        assert!(client.output.is_empty() && !client.errors[0].contains('\x1b'));
    }
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
    let path = files.write("x", "hello");
    let (directory, _server, address) = Directory::served("shrunk");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().to_string();
    let client = Program::start(EXE, &["client", &path, &proxy]);
    // The file is cut before the client may send it.
    let mut to_client = Client::new(listener.accept().unwrap().0);
    files.write("x", "hel");
    let mut to_server = greeted(&address);
    to_client.send("welcome\n");
    to_server.send(to_client.line());
    to_client.send(to_server.line());
    to_server.send(to_client.rest());
    to_server.finish();
    to_client.send(to_server.line());
    assert_fails(&client.end(), &["only 3 of 5 bytes arrived"]);
    directory.assert_only(&[]);
}

/// 200 MB in a file without content (sparse): the client reads and sends it in pieces.
#[cfg(target_os = "linux")]
#[test]
fn client_sends_in_constant_memory() {
    let files = Directory::new("memory");
    let path = files.write("big", "");
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(200_000_000).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let client = Program::start(EXE, &["client", &path, &address]);
    let mut server = Client::new(listener.accept().unwrap().0);
    server.send("welcome\nok: send\n");
    assert_eq!(server.line(), "200000000 big\n");
    let count = copy(&mut server.stream(), &mut sink()).unwrap();
    assert!(count > 190_000_000); // the rest was read with the line
    assert!(client.status("VmHWM:") < 10_000, "kB");
    server.send("ok: stored\n");
    assert_eq!(client.end().code, Some(0));
}
