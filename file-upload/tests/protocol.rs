//! What a server of this step has to do, in any language. By default, these tests start the step's
//! own server. To test yours, start it first, then run
//!
//!     MY_SERVER=127.0.0.1:9999 cargo test -p file-upload --test protocol
//!
//! They leave some small files, whose names begin with `check`, in your server's directory.

#[path = "../../tcp-basic/tests/harness/mod.rs"] // the plumbing, which all steps share
mod harness;

use std::{thread, time::SystemTime};

use harness::{Client, MOMENT, client::report, subject::Subject};

/// A name that no earlier run has used.
fn name(number: u32) -> String {
    let time = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("check{number}-{time}.txt")
}

/// A client that has been greeted and has sent its header.
#[track_caller]
fn client(server: &Subject, header: impl AsRef<[u8]>) -> Client {
    let rule = "it greets every client with a line, welcome";
    let mut client = server.connect(rule);
    client.expects_line("welcome", rule);
    client.send(header);
    client
}

/// Uploads `hello` under `name`, which must be possible because of a `rule`.
#[track_caller]
fn upload(server: &Subject, name: &str, rule: &str) {
    let mut client = client(server, format!("5 {name}\n"));
    client.expects_line("ok", rule);
    client.send("hello").expects_line("ok", rule);
    client.expects_end("after its last answer, it closes the connection");
}

/// The answer to a header and its file: `ok` if the file is stored, otherwise `error`.
#[track_caller]
fn last_answer(client: &mut Client) -> String {
    let first = client.expects_line("", "it answers the header");
    if first.starts_with("ok") { client.expects_line("", "it answers the file") } else { first }
}

#[test]
fn check1_stores_a_file() {
    let server = Subject::new();
    upload(&server, &name(1), "it answers ok when the file is stored");
    let mut slow = client(&server, "");
    let header = format!("5 {}\r\n", name(1));
    slow.dribble(header).expects_line("ok", "a header may come in pieces and end with \\r\\n");
    slow.dribble(b"\xff\n\0\r\n").expects_line("ok", "a file holds any bytes, in pieces, too");
    let mut glued = client(&server, format!("5 {}\nh\r\nlo", name(1)));
    glued.expects_line("ok", "a header may come in one piece with the file");
    glued.expects_line("ok", "bytes that came with the header belong to the file");
    let mut empty = client(&server, format!("0 {}{}\n", "x".repeat(100), name(1)));
    empty.expects_line("ok", "a name may be long");
    empty.expects_line("ok", "a file may be empty");
}

#[test]
fn check2_refuses_sizes_that_are_none() {
    let server = Subject::new();
    let sizes = "x|-1|+5||1.5|1_0|٣|99999999999999999|1073741825|18446744073709551616";
    for size in sizes.split('|') {
        let mut client = client(&server, format!("{size} {}\n", name(2)));
        client.expects_line("error", "a size has digits only and is at most 1 GiB (1073741824)");
    }
    client(&server, format!("1073741824 {}\n", name(2))).expects_line("ok", "1 GiB is allowed");
    upload(&server, &name(2), "a bad size ends one connection, not the server");
}

#[test]
fn check3_refuses_names_that_are_paths() {
    let (server, x) = (Subject::new(), name(3));
    let names = ["../", "/", "a/", "."].map(|prefix| format!("5 {prefix}{x}\n"));
    for header in names.iter().map(String::as_str).chain(["5 ..\n", "5 \n", "5\n"]) {
        let rule = "a name is not a path, not hidden, and not missing";
        client(&server, header).expects_line("error", rule);
    }
    let rule = "a header that is not text is an error, or ends the connection";
    client(&server, b"5 \xff\xfe\n").expects_line_or_end("error", rule);
    for name in ["a\0b", &"x".repeat(300)] {
        client(&server, format!("5 {name}\nhello")).expects_line_or_end("", "it answers");
    }
    upload(&server, &x, "a bad name ends one connection, not the server");
}

#[test]
fn check4_short_upload_leaves_the_name_free() {
    let (server, name) = (Subject::new(), name(4));
    let mut short = client(&server, format!("5 {name}\n"));
    short.expects_line("ok", "it answers ok to a header that it accepts");
    short.send("hi\n").finish().expects_line("error", "3 of 5 bytes are an error");
    upload(&server, &name, "after a short upload, the name is still free");

    let reset = format!("5 x{name}\nhel");
    client(&server, reset).reset("it answers ok to a header that it accepts");
    thread::sleep(MOMENT); // until the server has noticed
    upload(&server, &format!("x{name}"), "after a reset, the name is still free");
}

#[test]
fn check5_never_replaces_a_file() {
    let (server, name) = (Subject::new(), name(5));
    upload(&server, &format!("{name}\r"), "the name is free");
    let mut second = client(&server, format!("5 {name}\nhello"));
    let answer = last_answer(&mut second);
    let rule = "a name that is taken is refused, with \\r or without";
    let sent = r#""5 NAME\nhello" again"#;
    report(answer.starts_with("error"), rule, sent, "a line \"error\"…\\n", answer.trim_end());
    second.expects_end("after its last answer, it closes the connection");

    // Two clients upload under one name, the second during the first. The first sends only its
    // header. The second may be answered early, or have to wait until the first has arrived.
    let mut slow = client(&server, format!("5 x{name}\n"));
    slow.expects_line("ok", "the name is free");
    let mut fast = client(&server, format!("5 x{name}\nhello"));
    let early = (!fast.is_silent()).then(|| last_answer(&mut fast));
    let slow = slow.send("hello").expects_line("", "it answers the file");
    let fast = early.unwrap_or_else(|| last_answer(&mut fast));
    let rule = "of two uploads under one name at the same time, one is stored";
    let is_one = slow.starts_with("ok") != fast.starts_with("ok");
    report(is_one, rule, sent, "one ok", &format!("{slow:?}, {fast:?}"));

    let mut first = client(&server, format!("5 y{name}\n"));
    first.expects_line("ok", "the name is free");
    drop(client(&server, format!("5 y{name}\nhi")));
    thread::sleep(MOMENT); // until the server has noticed
    first.send("hello").expects_line("ok", "an upload that fails does not harm another one");
}

#[test]
fn check6_ignores_bytes_past_the_size() {
    let server = Subject::new();
    let mut client = client(&server, format!("5 {}\nhello and more", name(6)));
    client.expects_line("ok", "it answers ok to a header that it accepts");
    client.expects_line("ok", "the file ends after SIZE bytes, whatever comes then");
    client.expects_end("it closes the connection so that its answers arrive");
}

#[test]
fn check7_refuses_a_header_without_end() {
    let server = Subject::new();
    let rule = "a header of more than 512 bytes is an error, or ends the connection";
    for header in [format!("{}5 {}\n", "0".repeat(600), name(7)), "0".repeat(1_000_000)] {
        client(&server, header).expects_line_or_end("error", rule);
    }
    upload(&server, &name(7), "it still serves others");
}

#[test]
fn check8_silent_client_holds_nobody_up() {
    let server = Subject::new();
    let _silent = client(&server, "");
    let mut slow = client(&server, format!("5 {}\nhel", name(8)));
    slow.expects_line("ok", "it answers ok to a header that it accepts");
    for _ in 0..3 {
        let rule = "an error, such as a reset, ends one connection, not the server";
        let mut client = server.connect(rule);
        client.send("5 half");
        client.reset(rule);
    }
    upload(&server, &name(8), "silent, slow, or reset clients do not block others");
    slow.send("lo").expects_line("ok", "the slow client is still served");
}

#[test]
fn check9_reason_arrives_while_the_client_sends() {
    let server = Subject::new();
    for _ in 0..5 {
        let mut client = client(&server, format!("x x\n{}", "a".repeat(300_000)));
        let rule = "it reads on for a moment, because closing with unread bytes is a reset";
        client.expects_line("error", rule);
        client.expects_end(rule);
    }
}
