//! Callers, servers and disks that misbehave.

#[path = "../src/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "../../tcp-basic/tests/harness/mod.rs"]
mod harness;
#[path = "../src/server.rs"]
#[allow(dead_code)]
mod server;
mod storage;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use harness::*;
use storage::*;

fn assert_serves(server: &mut Program, address: &str, directory: &Directory) {
    assert!(server.is_running());
    assert_eq!(upload(address, "still there", b"yes"), "ok");
    assert_eq!(directory.read("still there"), b"yes");
}

/// Waits until nothing but `names` is in the directory: what failed is wiped away a moment
/// after the caller has heard of it, or gone.
fn assert_only(directory: &Directory, names: &[&str]) {
    let deadline = Instant::now() + PATIENCE;
    while directory.names() != names {
        assert!(Instant::now() < deadline, "{:?}", directory.names());
        thread::sleep(Duration::from_millis(1));
    }
}

/// Sends each header with a body of 5 bytes right behind it; all must be refused.
fn assert_refused(test: &str, headers: &[&[u8]], reason: &str) {
    let directory = Directory::new(test);
    let (mut server, address) = server_in(&directory);
    for header in headers {
        let shown = String::from_utf8_lossy(header);
        let mut caller = Caller::new(&address, &[header, &b"\nhello"[..]].concat());
        let line = caller.line();
        assert!(
            line.starts_with("error: ") && line.contains(reason),
            "{shown:?}: {line}"
        );
        assert_eq!(caller.line(), "", "{shown:?}");
        assert_eq!(directory.names(), Vec::<String>::new(), "{shown:?}");
    }
    assert_serves(&mut server, &address, &directory);
}

#[test]
fn names_that_are_not_plain_are_refused_and_nothing_is_created() {
    let too_long = format!("5 {}x", longest_name());
    let headers: [&[u8]; 38] = [
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
        b"5 a\0b",
        b"5 C:x",
        b"5 x.jpg:stream",
        b"5 a\x1b[2Jb",
        b"5 a\rb",
        b"5 x.png\r",
        b"5 a\tb",
        b"5 \xe2\x80\xaegnp.exe",
        b"5 \xff\xfe.png",
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
    assert_refused("names-refused", &headers, "NAME must be plain");
}

#[test]
fn sizes_that_are_no_plain_number_are_refused() {
    let headers: [&[u8]; 16] = [
        b"",
        b" x",
        b"x",
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
        b"99999999999999999999999999999999 x",
        b"GET / HTTP/1.1\r",
    ];
    assert_refused("sizes-refused", &headers, "SIZE must be plain digits");
}

#[test]
fn a_header_without_a_name_is_refused() {
    assert_refused("no-name", &[b"5", b"0"], "NAME must be plain");
}

#[test]
fn a_header_that_does_not_end_is_refused() {
    let directory = Directory::new("endless-header");
    let (mut server, address) = server_in(&directory);
    // At most 512 bytes; the second is how a TLS client begins.
    for header in [
        vec![b'5'; 513],
        vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
        vec![b'5'; 10_000_000],
    ] {
        let mut caller = Caller(std::io::BufReader::new(call(&address)));
        caller.line();
        let _ = caller.0.get_mut().write_all(&header);
        let _ = caller.0.get_mut().shutdown(Shutdown::Write);
        assert!(
            caller.line().starts_with("error: no line SIZE NAME"),
            "{}",
            header.len()
        );
    }
    assert_only(&directory, &[]);
    assert_serves(&mut server, &address, &directory);
}

#[test]
fn the_largest_size_is_taken_and_one_more_is_not() {
    let directory = Directory::new("largest");
    let (_server, address) = server_in(&directory);
    let mut caller = Caller::new(&address, b"1073741824 x\n");
    assert_eq!(caller.line(), "ok: send 1073741824 bytes\n");
    let mut caller = Caller::new(&address, b"1073741825 x\n");
    assert!(caller.line().starts_with("error: SIZE"));
}

#[test]
fn an_upload_cut_short_leaves_nothing_and_says_so() {
    let directory = Directory::new("short");
    let (mut server, address) = server_in(&directory);
    for sent in [&b""[..], b"hell"] {
        let mut caller = Caller::new(&address, b"5 x\n");
        assert_eq!(caller.line(), "ok: send 5 bytes\n");
        caller.send(sent);
        caller.0.get_mut().shutdown(Shutdown::Write).unwrap();
        assert_eq!(
            caller.line(),
            format!("error: only {} of 5 bytes came\n", sent.len())
        );
    }
    assert_only(&directory, &[]);
    assert_eq!(upload(&address, "x", b"hello"), "ok");
    assert_serves(&mut server, &address, &directory);
}

#[test]
fn a_reset_at_any_point_leaves_nothing() {
    let directory = Directory::new("reset");
    let (mut server, address) = server_in(&directory);
    for words in [&b""[..], b"5 x", b"5 x\n", b"5 x\nhell"] {
        let mut caller = call(&address);
        caller.write_all(words).unwrap();
        reset(caller); // the greeting is what lies unread
        server.line_with("disconnected");
    }
    assert_only(&directory, &[]);
    assert_serves(&mut server, &address, &directory);
}

#[test]
fn who_falls_silent_is_told_so_and_leaves_nothing() {
    let directory = Directory::new("silent");
    for words in [&b""[..], b"5 x", b"5 x\n", b"5 x\nhell"] {
        let (mut caller, accepted, peer) = connection();
        caller.write_all(words).unwrap();
        let same = accepted.try_clone().unwrap();
        let path = Path::new(directory.path()).to_owned();
        let idle = Duration::from_millis(50);
        let attending = thread::spawn(move || server::attend(accepted, peer, &path, idle));
        let heard = String::from_utf8(hear_all(&caller)).unwrap();
        assert!(
            heard.ends_with("error: no sign of life for 50ms\n"),
            "{heard}"
        );
        assert!(same.write_timeout().unwrap().is_some());
        drop(caller);
        attending.join().unwrap();
        assert_eq!(directory.names(), Vec::<String>::new());
    }
}

#[test]
fn slow_and_silent_senders_hold_nobody_up() {
    let directory = Directory::new("slow");
    let (mut server, address) = server_in(&directory);
    let silent = call(&address);
    let mut slow = Caller::new(&address, b"5 slow\n");
    assert_eq!(slow.line(), "ok: send 5 bytes\n");
    slow.send(b"hel");
    assert_serves(&mut server, &address, &directory);
    slow.send(b"lo");
    assert_eq!(slow.line(), "ok: stored slow, 5 bytes\n");
    drop(silent);
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let directory = Directory::new("existing");
    directory.write("x", b"old");
    let (_server, address) = server_in(&directory);
    let reason = "error: there is a file of that name already\n";
    assert_eq!(upload(&address, "x", b"new"), reason);
    // And not when it appears during the upload either.
    let mut caller = Caller::new(&address, b"3 y\n");
    assert_eq!(caller.line(), "ok: send 3 bytes\n");
    directory.write("y", b"old");
    caller.send(b"new");
    assert_eq!(caller.line(), reason);
    assert_only(&directory, &["x", "y"]);
    assert_eq!([directory.read("x"), directory.read("y")], [b"old", b"old"]);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let directory = Directory::new("links");
    let target = directory.write("target", b"old");
    std::os::unix::fs::symlink(&target, Path::new(directory.path()).join("link")).unwrap();
    let nowhere = format!("{}/nowhere", directory.path());
    std::os::unix::fs::symlink(nowhere, Path::new(directory.path()).join("dangling")).unwrap();
    let (_server, address) = server_in(&directory);
    for name in ["link", "dangling"] {
        let line = upload(&address, name, b"new");
        assert_eq!(line, "error: there is a file of that name already\n");
    }
    assert_eq!(directory.names(), ["dangling", "link", "target"]);
    assert_eq!(directory.read("target"), b"old");
}

#[test]
fn of_eight_at_once_under_one_name_one_wins_unmixed() {
    let directory = Directory::new("eight");
    let (_server, address) = server_in(&directory);
    let size = 300_000;
    let mut callers: Vec<Caller> = (0..8)
        .map(|_| Caller::new(&address, format!("{size} x\n").as_bytes()))
        .collect();
    for caller in &mut callers {
        assert_eq!(caller.line(), format!("ok: send {size} bytes\n"));
    }
    assert_eq!(directory.names().len(), 8, "{:?}", directory.names());
    let outcomes: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (b'0'..)
            .zip(&mut callers)
            .map(|(digit, caller)| {
                scope.spawn(move || {
                    caller.send(&vec![digit; size]);
                    caller.line()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let won: Vec<usize> = (0..8)
        .filter(|&i| outcomes[i].starts_with("ok: "))
        .collect();
    assert_eq!(won.len(), 1, "{outcomes:?}");
    let lost = |line: &&String| *line == "error: there is a file of that name already\n";
    assert_eq!(outcomes.iter().filter(lost).count(), 7, "{outcomes:?}");
    assert!(directory.read("x") == vec![b'0' + won[0] as u8; size]);
    assert_only(&directory, &["x"]);
}

#[test]
fn killed_midway_the_server_leaves_the_name_free() {
    let directory = Directory::new("killed");
    let (first, address) = server_in(&directory);
    let mut caller = Caller::new(&address, b"5 x\n");
    assert_eq!(caller.line(), "ok: send 5 bytes\n");
    caller.send(b"hel");
    first.kill();
    assert!(!directory.names().contains(&"x".to_string()));
    let (_second, address) = server_in(&directory);
    assert_eq!(upload(&address, "x", b"hello"), "ok");
    assert_eq!(directory.read("x"), b"hello");
}

#[test]
fn a_temporary_file_left_behind_is_not_taken_for_the_file() {
    let directory = Directory::new("left-behind");
    let (_server, address) = server_in(&directory);
    let mut caller = Caller::new(&address, b"");
    let peer = caller.address().replace(':', "-");
    directory.write(&format!(".x.{peer}.part"), b"hel");
    caller.send(b"5 x\n");
    let line = caller.line();
    assert!(line.starts_with("error: no temporary file: "), "{line}");
}

/// A limit on the size of files stands for a full disk: writing fails midway.
#[cfg(unix)]
#[test]
fn a_full_disk_is_told_to_the_sender_who_is_still_sending() {
    let directory = Directory::new("full");
    let files = Directory::new("full-sent");
    // In blocks of 512 bytes or 1 KiB; the signal that would kill the server is ignored.
    let script = "trap '' XFSZ && ulimit -f 1000 && exec \"$0\" server 127.0.0.1:0 \"$1\"";
    let mut shell = Command::new("sh");
    let (mut server, address) = launch_server(shell.args(["-c", script, EXE, directory.path()]));
    let file = files.write("big", &vec![b'a'; 50_000_000]);
    let client = run(EXE, &["client", &file, &address], "");
    assert_fails(&client, &[&address, "it says \"error: ", "File too large"]);
    assert_only(&directory, &[]);
    assert_serves(&mut server, &address, &directory);
}

#[test]
fn a_directory_that_has_vanished_costs_that_upload_alone() {
    let directory = Directory::new("vanished");
    let (mut server, address) = server_in(&directory);
    fs::remove_dir(directory.path()).unwrap();
    assert!(upload(&address, "x", b"hello").starts_with("error: "));
    fs::create_dir(directory.path()).unwrap();
    assert_serves(&mut server, &address, &directory);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = Directory::new("no-directory");
    let file = directory.write("file", b"");
    let ended = run(EXE, &["server", "127.0.0.1:0", &file], "");
    assert_fails(&ended, &["cannot make", &file]);
}

#[test]
fn one_caller_more_than_the_limit_hears_busy() {
    let directory = Directory::new("busy");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let path = Path::new(directory.path()).to_owned();
    thread::spawn(move || server::serve(&listener, &path, 1, PATIENCE));
    let _first = Caller::new(&address, b"5 x\n");
    assert_eq!(
        hear_all(&call(&address)),
        b"busy: too many callers, try again later\n"
    );
    assert_fails(
        &run(EXE, &["client", PICTURE, &address], ""),
        &[&address, "busy: "],
    );
}

/// With 8 descriptors (stdin, stdout, stderr, the listener, and one that a waiting accept
/// holds on Linux) there is room for one caller, their file and its directory.
#[cfg(target_os = "linux")]
#[test]
fn out_of_descriptors_it_lives_and_recovers() {
    let directory = Directory::new("descriptors");
    let script = "ulimit -n 8 && exec \"$0\" server 127.0.0.1:0 \"$1\"";
    let mut shell = Command::new("sh");
    let (mut server, address) = launch_server(shell.args(["-c", script, EXE, directory.path()]));
    let mut first = Caller::new(&address, b"5 x\n");
    assert_eq!(first.line(), "ok: send 5 bytes\n");
    let waiting = call(&address);
    server.line_with("cannot accept a caller: ");
    first.send(b"hello");
    assert_eq!(first.line(), "ok: stored x, 5 bytes\n");
    drop((first, waiting));
    // Free a moment later, when the threads end.
    server.line_with("disconnected");
    server.line_with("disconnected");
    assert_serves(&mut server, &address, &directory);
}

#[test]
fn a_server_whose_output_is_closed_serves_on() {
    let directory = Directory::new("output");
    let mut command = Command::new(EXE);
    command.args(["server", "127.0.0.1:0", directory.path()]);
    let (mut server, address) = launch_server_without_output(&mut command);
    assert_serves(&mut server, &address, &directory);
    assert_eq!(upload(&address, "x", b"hello"), "ok");
}

#[test]
fn the_client_names_a_file_that_it_cannot_send() {
    let files = Directory::new("cannot-send");
    let missing = format!("{}/missing.png", files.path());
    for path in [missing.as_str(), files.path(), "", ".."] {
        let ended = run(EXE, &["client", path, "127.0.0.1:1"], "");
        assert_fails(&ended, &["cannot send ", path]);
    }
    #[cfg(unix)]
    {
        let path = files.write("two\nlines", b"hello");
        let ended = run(EXE, &["client", &path, "127.0.0.1:1"], "");
        assert_eq!(ended.code, Some(1));
        assert!(ended.errors.concat().contains("two lines"), "{ended:?}");
    }
}

/// Says `words`, swallows what comes until `mark`, says `more`, and hangs up.
fn recite(mut stream: TcpStream, words: &[u8], mark: &[u8], more: &[u8]) {
    stream.write_all(words).unwrap();
    let mut heard = Vec::new();
    let mut byte = [0];
    while !heard.ends_with(mark) && stream.read(&mut byte).unwrap() == 1 {
        heard.push(byte[0]);
    }
    harness::recite(stream, more);
}

#[test]
fn the_client_names_a_server_that_hangs_up_at_any_point() {
    let talks: [fn(TcpStream); 6] = [
        |stream| recite(stream, b"", b"", b""),
        |stream| recite(stream, b"welc", b"", b""),
        |stream| recite(stream, b"welcome\n", b"\n", b""),
        |stream| recite(stream, b"welcome\n", b"\n", b"ok: se"),
        |stream| recite(stream, b"welcome\n", b"\n", b"ok: send\n"),
        |stream| recite(stream, b"welcome\nok: send\n", b"IEND\xaeB`\x82", b"ok: st"),
    ];
    for talk in talks {
        let client = run(EXE, &["client", PICTURE, &fake_server(talk)], "");
        assert_fails(&client, &["hung up"]);
        assert_eq!(client.output, Vec::<String>::new());
    }
}

#[test]
fn the_client_does_not_believe_an_ok_that_comes_too_early() {
    let files = Directory::new("early-ok");
    let file = files.write("big", &vec![b'a'; 20_000_000]);
    let address = fake_server(|stream| recite(stream, b"welcome\nok\nok: stored\n", b"\n", b""));
    let client = run(EXE, &["client", &file, &address], "");
    assert_fails(&client, &[&address, "ok before"]);
}

#[test]
fn the_client_takes_nothing_but_ok_for_success() {
    let talks: [fn(TcpStream); 4] = [
        |stream| recite(stream, b"220 ftp\n500 unknown\n", b"\n", b"500 no\n"),
        |stream| recite(stream, b"\n\n", b"\n", b"\n"),
        |stream| {
            recite(
                stream,
                b"welcome\nok\n",
                b"IEND\xaeB`\x82",
                b"error:disk full\n",
            )
        },
        |stream| recite(stream, b"welcome\nok\n", b"IEND\xaeB`\x82", b"Error: no\n"),
    ];
    for talk in talks {
        let client = run(EXE, &["client", PICTURE, &fake_server(talk)], "");
        assert_fails(&client, &["it says"]);
        assert_eq!(client.output, Vec::<String>::new());
    }
}

#[test]
fn the_client_shows_a_refusal_escaped_and_fails() {
    let talks: [fn(TcpStream); 3] = [
        |stream| recite(stream, b"busy: \x1b[2J\n", b"", b""),
        |stream| recite(stream, b"error: \x1b[2J\n", b"", b""),
        |stream| recite(stream, b"welcome\nerror: \x1b[2J\n", b"", b""),
    ];
    for talk in talks {
        let address = fake_server(talk);
        let client = run(EXE, &["client", PICTURE, &address], "");
        assert_fails(&client, &[&address, r": \u{1b}[2J"]);
    }
}

/// 200 MB in a file without content (sparse): the client reads and sends it in pieces.
#[cfg(target_os = "linux")]
#[test]
fn the_client_needs_no_more_memory_for_a_large_file() {
    let files = Directory::new("memory");
    let path = files.write("big", b"");
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(200_000_000).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let client = Program::start(EXE, &["client", &path, &address]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(b"welcome\nok: send\n").unwrap();
    let header = "200000000 big\n".len() as u64;
    let mut bytes = (&stream).take(200_000_000 + header);
    std::io::copy(&mut bytes, &mut std::io::sink()).unwrap();
    let peak = client.status("VmHWM:");
    assert!(peak < 10_000, "{peak} kB");
    stream.write_all(b"ok: stored\n").unwrap();
    assert_eq!(client.end().code, Some(0));
}

#[test]
fn the_client_has_time_limits() {
    check_time_limits(client::connect, 150);
}

/// The server hangs up on a client who is still sending: the last word is heard all the same.
/// (On Windows, the reset destroys it.)
#[cfg(unix)]
#[test]
fn the_client_hears_the_last_word_of_a_server_that_reads_no_more() {
    let files = Directory::new("last-word");
    let path = files.write("big", &vec![b'a'; 50_000_000]);
    let address = fake_server(|mut stream| {
        stream.write_all(b"welcome\nok: send\n").unwrap();
        hear(&stream, 1000);
        thread::sleep(A_MOMENT); // until the client is stuck in a write
        stream.write_all(b"error: enough\n").unwrap();
    });
    let client = run(EXE, &["client", &path, &address], "");
    assert_fails(&client, &[&address, "error: enough"]);
}
