//! You need not read this file to follow the course. It plays the transcripts of the pages with the
//! real programs, and compares what these print with what the pages show.
//!
//! A conversation begins with a server's command in a ```console block and lasts until the next
//! one. What stands after a "> " prompt is typed. A block without a command goes on with the
//! client that is still running.

use std::collections::VecDeque;
use std::{fs, path::Path};

use crate::harness::{Client, Program, STEP, default_address, server};

/// A command (none: the block goes on with an earlier one), and the lines below it.
type Command<'a> = (&'a str, Vec<&'a str>);

/// A server, the lines of its log that are still to come, and a client that is still running.
struct Conversation {
    server: Program,
    address: String,
    log: VecDeque<String>,
    client: Option<Program>,
}

pub fn play() {
    for page in ["README.md", &format!("{STEP}/README.md")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
        let played = play_page(&commands(&fs::read_to_string(path).unwrap()));
        assert!(played > 0 || page == "README.md", "{page} has no transcript");
    }
}

fn play_page(commands: &[Command]) -> usize {
    let own = format!("cargo run -p {STEP}");
    let client = format!("{own} -- client");
    let is_server = |command: &str| command.starts_with("cargo run ") && !command.contains(" -- ");
    let mut played = 0;
    let mut conversation: Option<Conversation> = None;
    for (command, screen) in commands {
        if is_server(command) {
            conversation.take().into_iter().for_each(Conversation::end);
            if *command == own {
                assert_eq!(screen[0], format!("listening on {}", default_address()));
                let (server, address) = server();
                let log = screen[1..].iter().map(|line| line.to_string()).collect();
                conversation = Some(Conversation { server, address, log, client: None });
                played += 1;
            }
        } else if let Some(conversation) = &mut conversation {
            if *command == client {
                let args = ["client", &conversation.address];
                conversation.play(Program::start(&args), screen);
            } else if command.is_empty() {
                let client = conversation.client.take().expect("a client that is running");
                conversation.play(client, screen);
            } else if let Some((_, text)) = command.split_once("printf '") {
                let (text, _) = text.split_once("' | nc 127.0.0.1").expect("nc");
                let mut client = Client::connect(&conversation.address);
                client.send(text.replace(r"\r", "\r").replace(r"\n", "\n"));
                assert_eq!(&client.rest().lines().collect::<Vec<_>>(), screen);
                drop(client);
                conversation.compare_log();
            } else {
                panic!("a page shows a command that nobody plays: {command}");
            }
        }
    }
    conversation.into_iter().for_each(Conversation::end);
    played
}

impl Conversation {
    /// Types what the screen shows after a prompt, and expects the rest from the client. If that
    /// comes last, the client is at its prompt again, and a later block goes on with it.
    fn play(&mut self, mut client: Program, screen: &[&str]) {
        let typed = screen.iter().rposition(|line| line.starts_with("> "));
        let mut errors = Vec::new();
        for line in screen {
            if let Some(typed) = line.strip_prefix("> ") {
                client.type_in(format!("{typed}\n"));
            } else if line.starts_with("error: ") {
                errors.push(comparable(line));
            } else {
                assert_eq!(comparable(&client.line()), comparable(line));
            }
        }
        if typed.is_some_and(|i| i + 1 < screen.len()) {
            self.client = Some(client);
            return;
        }
        let ended = client.end();
        let seen: Vec<String> = ended.errors.iter().map(|line| comparable(line)).collect();
        assert_eq!((ended.output, seen), (Vec::new(), errors));
        self.compare_log();
    }

    /// Compares the server's lines with the page's until the next connection's end, if there
    /// is one. (Then the next client may come: its first line cannot overtake this one's last.)
    fn compare_log(&mut self) {
        while let Some(line) = self.log.pop_front() {
            assert_eq!(comparable(&self.server.line()), comparable(&line));
            if line.ends_with(" disconnected") {
                break;
            }
        }
    }

    fn end(self) {
        assert!(self.client.is_none(), "a client is still running");
        assert!(self.log.is_empty(), "lines that do not come: {:?}", self.log);
        let more = self.server.kill();
        assert!(more.is_empty(), "lines that the page lacks: {more:?}");
    }
}

fn commands(page: &str) -> Vec<Command<'_>> {
    let mut commands: Vec<Command> = Vec::new();
    for block in page.split("\n```console\n").skip(1) {
        let (block, _) = block.split_once("\n```").unwrap();
        if !block.starts_with("$ ") {
            commands.push(("", Vec::new()));
        }
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => commands.push((command, Vec::new())),
                None => commands.last_mut().unwrap().1.push(line),
            }
        }
    }
    commands
}

/// The line without what differs from run to run, or from system to system: a port becomes PORT,
/// and the operating system's words for an error become OS.
fn comparable(line: &str) -> String {
    let mut pieces = line.split("127.0.0.1:");
    let mut result = pieces.next().unwrap().to_string();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        result += &format!("127.0.0.1:PORT{rest}");
    }
    if let Some((before, after)) = result.split_once(" (os error ") {
        let (context, _) = before.rsplit_once(": ").unwrap_or_default();
        let (_, rest) = after.split_once(')').unwrap_or_default();
        result = format!("{context}: OS{rest}");
    }
    result
}
