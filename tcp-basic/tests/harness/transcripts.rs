//! You need not read this file to follow the course. It plays the transcripts of the pages with the
//! real programs, and compares what these print with what the pages show.
//!
//! A conversation begins with a server's command in a ```console block and lasts to the end of the
//! page. What stands after a "> " prompt is typed. A block without a command goes on with the
//! client that is still running.

use std::fs;

use crate::harness::{Client, Program, STEP, default_address, server};

/// A command (none: the block goes on with an earlier one), and the lines below it.
type Command<'a> = (&'a str, Vec<&'a str>);

#[test]
fn transcripts_are_true() {
    let own = format!("cargo run -p {STEP}");
    for page in ["README.md", &format!("{STEP}/README.md")] {
        let path = format!("{}/../{page}", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(path).unwrap();
        let mut commands = commands(&text).into_iter().skip_while(|(command, _)| *command != own);
        match commands.next() {
            Some((_, log)) => play_conversation(&log, commands),
            None => assert_eq!(page, "README.md", "it has no transcript"),
        }
    }
}

fn play_conversation<'a>(log: &[&str], commands: impl Iterator<Item = Command<'a>>) {
    assert_eq!(log[0], format!("listening on {}", default_address()));
    let (mut server, address) = server();
    let (mut log, mut running) = (log[1..].iter(), None);
    for (command, screen) in commands {
        if let Some((_, text)) = command.split_once("printf '") {
            let (text, _) = text.split_once("' | nc 127.0.0.1 ").expect("nc");
            let mut client = Client::connect(&address);
            client.send(text.replace(r"\r", "\r").replace(r"\n", "\n"));
            assert_eq!(client.rest().lines().collect::<Vec<_>>(), screen);
        } else {
            let is_client = *command == *format!("cargo run -p {STEP} -- client");
            assert!(is_client || command.is_empty(), "nobody plays {command}");
            let earlier = if command.is_empty() { running.take() } else { None };
            let client = earlier.unwrap_or_else(|| Program::start(&["client", &address]));
            let still = play_client(client, &screen);
            if still.is_some() {
                running = still;
                continue;
            }
        }
        // The server's lines up to this connection's end. Then the next client may come: its first
        // line cannot overtake this one's last.
        for line in log.by_ref() {
            assert_eq!(comparable(&server.line()), comparable(line));
            if line.ends_with(" disconnected") {
                break;
            }
        }
    }
    assert!(running.is_none() && log.next().is_none(), "a client or the log has not ended");
    assert_eq!(server.kill(), [""; 0], "lines that the page lacks");
}

/// Types what the screen shows after a prompt, and expects the rest from the client. If that comes
/// last, the client is at its prompt again. Then it is returned.
fn play_client(mut client: Program, screen: &[&str]) -> Option<Program> {
    for line in screen {
        if let Some(typed) = line.strip_prefix("> ") {
            client.type_in(format!("{typed}\n"));
        } else {
            let seen = comparable(&client.line());
            // Other systems have other words for an error.
            let is_other = line.contains("os error") && !cfg!(target_os = "linux");
            assert!(seen == comparable(line) || is_other, "{seen:?} is not {line:?}");
        }
    }
    if screen.concat().contains("> ") && !screen[screen.len() - 1].starts_with("> ") {
        return Some(client);
    }
    let ended = client.end();
    assert_eq!((ended.output.len(), ended.errors.len()), (0, 0), "{ended:?}");
    None
}

fn commands(page: &str) -> Vec<Command<'_>> {
    let blocks = page.split("\n```console").skip(1).filter_map(|text| text.split("\n```").next());
    let parts = blocks.flat_map(|block| block.split("\n$ ")).filter(|part| !part.is_empty());
    let lines = parts.map(str::lines); // the first is a command; without one, it is empty
    lines.map(|mut lines| (lines.next().unwrap(), lines.collect())).collect()
}

/// The line without what differs from run to run: a port becomes PORT.
fn comparable(line: &str) -> String {
    let pieces = line.split("127.0.0.1:").map(|piece| piece.trim_start_matches(char::is_numeric));
    pieces.collect::<Vec<_>>().join("127.0.0.1:PORT")
}
