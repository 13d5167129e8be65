//! Plays the transcripts of the pages with the real programs, and compares what these print
//! with what the pages show. You need not read this file to follow the course.
//!
//! A conversation begins with a server's command in a ```console block and lasts until the next
//! one. What stands after a "> " prompt is typed. A block without a command goes on with the
//! client that is still running.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use super::{Client, Program, Step, launch_server};

/// A command, in words (none: the block continues an earlier one), and the lines below it.
struct Command {
    words: Vec<String>,
    screen: Vec<String>,
}

/// A server, the lines of its log that are still to come, and a client that is still running.
struct Conversation {
    server: Program,
    address: String,
    log: VecDeque<String>,
    client: Option<Program>,
}

pub fn play(step: &Step) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for page in ["README.md", &format!("{}/README.md", step.name)] {
        let text = fs::read_to_string(folder.join(page)).unwrap();
        let played = play_page(step, &commands(&text));
        assert!(
            played > 0 || page == "README.md",
            "{page} has no transcript"
        );
    }
}

fn play_page(step: &Step, commands: &[Command]) -> usize {
    let mut played = 0;
    let mut conversation: Option<Conversation> = None;
    for (i, command) in commands.iter().enumerate() {
        // Whether a later block, before the next server's, goes on with this client.
        let is_server = |next: &&Command| next.words.len() == 4;
        let mut later = commands[i + 1..].iter().take_while(|next| !is_server(next));
        let goes_on = later.any(|next| next.words.is_empty());
        let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
        match (&words[..], &mut conversation) {
            (["cargo", "run", "-p", name, ..], _) if *name != step.name => {
                Conversation::end(conversation.take());
            }
            (["cargo", "run", "-p", _], _) => {
                Conversation::end(conversation.take());
                conversation = Some(Conversation::begin(step, &command.screen));
                played += 1;
            }
            (["cargo", "run", "-p", _, "--", "client", args @ ..], Some(conversation)) => {
                let message = args.get(1..).unwrap_or_default();
                let address = &[conversation.address.as_str()];
                let args = [&["client"], step.client_args, address, message].concat();
                let client = Program::start(step.exe, &args);
                conversation.play(client, &command.screen, goes_on);
            }
            ([], Some(conversation)) => {
                let client = conversation
                    .client
                    .take()
                    .expect("a client that is running");
                conversation.play(client, &command.screen, false);
            }
            (["printf", text, "|", "nc", ..], Some(conversation)) => {
                let text = text.replace(r"\r", "\r").replace(r"\n", "\n");
                let mut client = Client::connect(&conversation.address);
                client.send(text);
                let answers = client.rest();
                assert_eq!(answers.lines().collect::<Vec<_>>(), command.screen);
                drop(client);
                conversation.compare_log();
            }
            (_, None) => {} // of another step
            _ => panic!("a page shows a command that nobody plays: {words:?}"),
        }
    }
    Conversation::end(conversation);
    played
}

impl Conversation {
    fn begin(step: &Step, screen: &[String]) -> Conversation {
        let (server, address) = launch_server(&mut step.server("127.0.0.1:0"));
        let mut log = VecDeque::from(screen.to_vec());
        let first = log.pop_front().expect("a server prints its address");
        assert_eq!(first, format!("listening on {}", step.address));
        Conversation {
            server,
            address,
            log,
            client: None,
        }
    }

    /// Types what the screen shows after a prompt, and expects the rest from the client.
    fn play(&mut self, mut client: Program, screen: &[String], goes_on: bool) {
        let mut errors = Vec::new();
        for line in screen {
            if let Some(typed) = line.strip_prefix("> ") {
                client.type_line(typed);
            } else if line.starts_with("error: ") {
                errors.push(comparable(line));
            } else {
                assert_eq!(comparable(&client.line()), comparable(line));
            }
        }
        if goes_on && errors.is_empty() && self.client.is_none() {
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

    fn end(conversation: Option<Conversation>) {
        if let Some(mut conversation) = conversation {
            assert!(conversation.client.is_none(), "a client is still running");
            while !conversation.log.is_empty() {
                conversation.compare_log();
            }
            let more = conversation.server.kill();
            assert!(more.is_empty(), "lines that the page lacks: {more:?}");
        }
    }
}

fn commands(page: &str) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut in_console = false;
    let mut is_first = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_console = line == "```console";
            is_first = true;
        } else if in_console {
            let command = line.strip_prefix("$ ");
            if command.is_some() || is_first {
                commands.push(Command {
                    words: words(command.unwrap_or_default()),
                    screen: Vec::new(),
                });
            }
            if command.is_none() {
                commands.last_mut().unwrap().screen.push(line.to_string());
            }
            is_first = false;
        }
    }
    commands
}

/// Every other piece between quotation marks is one word, spaces and all.
fn words(command: &str) -> Vec<String> {
    let pieces = command.split(['\'', '"']).enumerate();
    let words = pieces.flat_map(|(i, piece)| match i % 2 {
        0 => piece.split_whitespace().map(String::from).collect(),
        _ => vec![piece.to_string()],
    });
    words.collect()
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
