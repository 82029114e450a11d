//! Finding the end of a log, to go on from there.

// Layer 1: Standard library imports
use std::fs::File;

// Layer 3: Internal module imports
use crate::security::audit::chain::Chain;
use crate::security::audit::error::{AuditError, Broken};
use crate::security::audit::folder::{Folder, HEAD, name_of};
use crate::security::audit::forwards::{Forwards, Piece};
use crate::security::audit::head::Head;

/// The file that is written to.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) first_seq: u64,
    pub(crate) file: File,
    /// How many bytes of it are whole lines.
    pub(crate) bytes: u64,
    /// Whether there may be more bytes behind them.
    pub(crate) is_torn: bool,
}

/// A log whose end was found.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) head: Head,
    /// The last file, if there is one.
    pub(crate) current: Option<Current>,
    /// How many bytes behind the last whole line were cut off.
    pub(crate) cut_bytes: u64,
}

/// Finds the end of a log, and begins one where there is none.
///
/// Whatever comes behind the last entry that the head knows may have been on its way to the
/// disk when the process or the machine failed: as far as it makes sense it is taken, and
/// the rest is cut off. All before that has to be there. It reads the last file.
///
/// # Errors
///
/// When the end was edited or cut, or the folder cannot be read or written.
pub(crate) fn open(folder: &Folder) -> Result<Opened, AuditError> {
    let failed = |source| AuditError::io(folder.path(), source);
    let files = folder.files().map_err(failed)?;
    let Some(head) = folder.head()? else {
        if !files.is_empty() {
            return Err(Broken::new(HEAD, 0, "it is missing, and there are entries").into());
        }
        folder
            .replace_head(&Head::NEW)
            .and_then(|()| folder.sync())
            .map_err(failed)?;
        return Ok(empty(Head::NEW));
    };
    // They were to go when the process was killed.
    let (left, files): (Vec<u64>, Vec<u64>) =
        files.into_iter().partition(|it| *it < head.first_seq());
    for first_seq in left {
        folder.remove(first_seq).map_err(failed)?;
    }
    match files.last() {
        Some(first_seq) => open_last(folder, head, *first_seq),
        None if head.behind == head.last => Ok(empty(head)),
        None => {
            let name = name_of(head.first_seq());
            Err(Broken::new(&name, 0, "it is missing").into())
        }
    }
}

fn empty(head: Head) -> Opened {
    Opened {
        head,
        current: None,
        cut_bytes: 0,
    }
}

fn open_last(folder: &Folder, head: Head, first_seq: u64) -> Result<Opened, AuditError> {
    let name = name_of(first_seq);
    let broken = |line, what: String| AuditError::from(Broken::new(&name, line, what));
    let failed = |source| AuditError::io(&folder.file(&name), source);
    let mut chain = match first_seq {
        first if first == head.first_seq() => Chain::behind(head.behind),
        first if first == head.last.seq.saturating_add(1) => Chain::behind(head.last),
        first if first <= head.last.seq => Chain::before(first),
        _ => {
            return Err(broken(
                0,
                format!(
                    "entry {} is missing before it",
                    head.last.seq.saturating_add(1)
                ),
            ));
        }
    };
    let file = folder.open_file(first_seq).map_err(failed)?;
    let mut lines = Forwards::new(file.try_clone().map_err(failed)?);
    let (mut bytes, mut line, mut seq) = (0, 0, first_seq - 1);
    loop {
        line += 1;
        let followed = match lines.next().map_err(failed)? {
            Piece::End => break,
            Piece::Line(text) => chain.follow(text).map(|mark| (mark, text.len() as u64 + 1)),
            Piece::Torn(_) => Err("its end is missing".to_owned()),
            Piece::TooLong => Err("it is longer than any entry".to_owned()),
        };
        match followed {
            Ok((mark, _)) if mark.seq == head.last.seq && mark != head.last => {
                return Err(broken(line, differs(mark.seq)));
            }
            Ok((mark, length)) => {
                bytes += length;
                seq = mark.seq;
            }
            Err(what) if seq < head.last.seq => return Err(broken(line, what)),
            Err(_) => break,
        }
    }
    if seq < head.last.seq {
        return Err(broken(line, cut_off(seq, head.last.seq)));
    }
    let found = file.metadata().map_err(failed)?.len();
    let cut_bytes = found.saturating_sub(bytes);
    if cut_bytes > 0 {
        file.set_len(bytes)
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
    }
    Ok(Opened {
        head: Head {
            behind: head.behind,
            last: chain.last().unwrap_or(head.last),
        },
        current: Some(Current {
            first_seq,
            file,
            bytes,
            is_torn: false,
        }),
        cut_bytes,
    })
}

/// Words for an entry that is not the one that the head knows.
pub(crate) fn differs(seq: u64) -> String {
    format!("entry {seq} is not the one that was last according to {HEAD}")
}

/// Words for an end that is not there.
pub(crate) fn cut_off(last: u64, expected: u64) -> String {
    format!("the end was cut off: the last entry is {last}, and there was {expected}")
}
