//! The examples do what they say.

#[path = "../examples/chat.rs"]
mod chat;
#[path = "../examples/first.rs"]
mod first;

#[test]
fn chat_runs_to_its_end() {
    chat::main().unwrap();
}

#[test]
fn a_first_program_is_short_and_runs() {
    first::main().unwrap();
    let program = include_str!("../examples/first.rs");
    let counts = |line: &&str| !line.is_empty() && !line.starts_with("//");
    assert!(program.lines().filter(counts).count() <= 20);
}
