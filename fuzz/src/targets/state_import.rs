//! The state of an actor, as lines of JSON.

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::limits::Limits;
use airssys_wasm::system::data::actor_state::ActorState;
use airssys_wasm::system::data::invalid_state::InvalidState;
use airssys_wasm::system::data::state_reader::StateReader;

/// What is imported.
pub(crate) fn run(bytes: &[u8]) {
    let whole = read([bytes]);
    // However it comes, it is the same.
    let (front, back) = bytes.split_at(bytes.len() / 3);
    let pieces = read([front, back]);
    assert_eq!(format!("{whole:?}"), format!("{pieces:?}"));
    match whole {
        Ok(state) => {
            let lines: Vec<u8> = state.into_lines().flatten().collect();
            assert!(read([lines.as_slice()]).is_ok(), "it is read back");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn read<const N: usize>(pieces: [&[u8]; N]) -> Result<ActorState, InvalidState> {
    let limits = Limits {
        storage_keys: 100,
        storage_bytes: 16 << 10,
        value_bytes: 1 << 10,
        ..Limits::default()
    };
    let actor = ComponentId::new("demo", "counter", "a");
    let mut reader = StateReader::new(actor, limits);
    for piece in pieces {
        reader.push(piece)?;
    }
    reader.finish()
}
