//! A data folder in which the files are anything.

// Layer 3: Internal module imports
use super::data_folder::{DataFolder, segment};

/// The first byte says what the rest is: a segment of the log as it is, frames for which the
/// sums are made, the file with the tables, or two segments.
pub(crate) fn run(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    let folder = match kind % 4 {
        0 => DataFolder::new([("log-0000000000000003", rest)]),
        1 => {
            let log = segment(1, 0, frames(rest));
            DataFolder::new([("log-0000000000000001", log.as_slice())])
        }
        2 => DataFolder::new([("tables.redb", rest)]),
        _ => {
            let (first, second) = rest.split_at(rest.len() / 2);
            let begin = u64::from(*kind) >> 2;
            let (first, second) = (
                segment(1, 0, frames(first)),
                segment(begin.max(1), begin.saturating_sub(1), frames(second)),
            );
            let name = format!("log-{:016x}", begin.max(1));
            DataFolder::new([
                ("log-0000000000000001", first.as_slice()),
                (name.as_str(), second.as_slice()),
            ])
        }
    };
    folder.recover();
}

/// Frames: one byte for how far the number is from the one before, two for the length of the
/// payload, and the payload.
fn frames(mut rest: &[u8]) -> Vec<(u64, &[u8])> {
    let (mut frames, mut seq) = (Vec::new(), 0_u64);
    while let Some(([step, low, high], behind)) = rest.split_first_chunk() {
        seq += u64::from(*step);
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let (payload, behind) = behind.split_at(length.min(behind.len()));
        frames.push((seq, payload));
        rest = behind;
    }
    frames
}
