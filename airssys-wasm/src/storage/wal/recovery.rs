//! What a log is found to hold when it is opened.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::io;

// Layer 3: Internal module imports
use crate::storage::disk::disk::{Disk, DiskFile};
use crate::storage::wal::error::{Damage, WalError};
use crate::storage::wal::frame::HEAD_BYTES;
use crate::storage::wal::scan::{Frames, Tail};
use crate::storage::wal::segment::{
    HEADER_BYTES, Header, HeaderBytes, Segment, VERSION, first_of, name_of,
};
use crate::storage::wal::wal::Sealed;

/// How much of the last frame is written again at once.
const REWRITE_BYTES: usize = 1 << 20;

/// A log that can be appended to.
#[derive(Debug)]
pub(super) struct Recovered<F> {
    pub(super) sealed: VecDeque<Sealed>,
    pub(super) current: Option<Segment<F>>,
    /// The number of the last commit that is in the log or applied.
    pub(super) last: u64,
}

/// Reads the log, and makes it one that can be appended to.
///
/// Each segment says what the number of the last frame before it is. So frames that are
/// missing are noticed wherever they were, but at the very end; and a segment that was
/// released and that a crash brought back does no harm.
pub(super) fn recover<D: Disk>(
    disk: &D,
    after: u64,
    mut replay: impl FnMut(u64, &[u8]) -> Result<(), WalError>,
) -> Result<Recovered<D::File>, WalError> {
    let mut headers = headers(disk)?.into_iter().peekable();
    let mut sealed = VecDeque::new();
    let mut reached = Reached {
        seq: after,
        end: None,
    };
    while let Some(header) = headers.next() {
        let name = name_of(header.first);
        let next = headers.peek();
        if let Some(next) = next.filter(|next| next.before <= after) {
            // All of it is applied.
            sealed.push_back(seal(disk, name, next.before)?);
            continue;
        }
        reached.check(&header, after)?;
        let file = open(disk, &name)?;
        let found = read(&file, &header, after, &mut replay)?;
        match next {
            Some(_) => {
                sealed.push_back(seal(disk, name.clone(), found.seq)?);
                reached = Reached {
                    seq: found.seq,
                    end: Some((name, found.end, found.tail)),
                };
            }
            None => {
                let last = found.seq.max(after);
                let mut current = resume(disk, file, &header, &found)?;
                if let Some(current) = &mut current {
                    // Segments tell what is missing between them, and not within.
                    current.is_closed = found.seq < after;
                }
                return Ok(Recovered {
                    sealed,
                    current,
                    last,
                });
            }
        }
    }
    Ok(Recovered {
        sealed,
        current: None,
        last: after,
    })
}

/// How far the log was read.
#[derive(Debug)]
struct Reached {
    seq: u64,
    /// Where it ended, if it was read at all, and how.
    end: Option<(String, u64, Tail)>,
}

impl Reached {
    /// Checks that a segment goes on where the one before it ends, or before what is
    /// needed.
    fn check(&self, next: &Header, after: u64) -> Result<(), WalError> {
        match &self.end {
            _ if next.before == self.seq || next.before <= after => Ok(()),
            Some((name, end, tail)) if next.before > self.seq && *tail != Tail::Empty => {
                Err(WalError::damaged(name, *end, Damage::Frame))
            }
            _ if next.before > self.seq => Err(WalError::Missing {
                file: name_of(next.first),
                reached: self.seq,
                needed: next.before,
            }),
            _ => Err(WalError::damaged(&name_of(next.first), 0, Damage::Order)),
        }
    }
}

/// What there is in one segment.
#[derive(Debug)]
struct Found {
    /// The number of the last frame, or of the last before the segment.
    seq: u64,
    /// Where the last frame begins, if there is one.
    last_at: Option<u64>,
    /// Where it ends.
    end: u64,
    tail: Tail,
}

/// The headers of all segments, in order. A last one that was not finished is removed.
fn headers<D: Disk>(disk: &D) -> Result<Vec<Header>, WalError> {
    let names = disk.names().map_err(WalError::disk("list", "the folder"))?;
    let mut names = names.into_iter().filter(|name| first_of(name).is_some());
    let mut headers: Vec<Header> = Vec::new();
    while let Some(name) = names.next() {
        let file = open(disk, &name)?;
        match header(&file, &name)? {
            HeaderBytes::Whole(header) => {
                // A header tells the truth about itself, and maybe in the wrong place.
                if name_of(header.first) != name {
                    return Err(WalError::damaged(&name, 0, Damage::Name));
                }
                let last = headers.last();
                if last.is_some_and(|last| header.before < last.first) {
                    return Err(WalError::damaged(&name, 0, Damage::Order));
                }
                headers.push(header);
            }
            HeaderBytes::Newer(version) => {
                return Err(WalError::NewerVersion {
                    file: name,
                    version,
                    known: VERSION,
                });
            }
            HeaderBytes::Foreign => return Err(WalError::damaged(&name, 0, Damage::NoSegment)),
            HeaderBytes::Torn => {
                // Frames follow a header only when it is on disk.
                let tail = Frames::new(&file, 0, HEADER_BYTES as u64).and_then(|mut f| f.tail());
                let tail = tail.map_err(WalError::disk("read", &name))?;
                if names.next().is_some() || tail != Tail::Empty {
                    return Err(WalError::damaged(&name, 0, Damage::Header));
                }
                remove(disk, &name)?;
            }
        }
    }
    Ok(headers)
}

fn header(file: &impl DiskFile, name: &str) -> Result<HeaderBytes, WalError> {
    let read = || {
        let count = file.len_bytes()?.min(HEADER_BYTES as u64) as usize;
        let mut bytes = [0; HEADER_BYTES];
        file.read_at(0, &mut bytes[..count])?;
        Ok(HeaderBytes::decode(&bytes))
    };
    read().map_err(WalError::disk("read", name))
}

/// Reads the frames of a segment, up to what is none.
fn read(
    file: &impl DiskFile,
    header: &Header,
    after: u64,
    replay: &mut impl FnMut(u64, &[u8]) -> Result<(), WalError>,
) -> Result<Found, WalError> {
    let name = name_of(header.first);
    let mut frames = Frames::new(file, header.salt, HEADER_BYTES as u64)
        .map_err(WalError::disk("read", &name))?;
    let mut found = Found {
        seq: header.before,
        last_at: None,
        end: frames.at(),
        tail: Tail::Empty,
    };
    while let Some((seq, payload)) = frames.next().map_err(WalError::disk("read", &name))? {
        let is_first = found.last_at.is_none();
        if seq <= found.seq || (is_first && seq != header.first) {
            return Err(WalError::damaged(&name, found.end, Damage::Order));
        }
        if seq > after {
            replay(seq, payload)?;
        }
        found.seq = seq;
        found.last_at = Some(found.end);
        found.end += (HEAD_BYTES + payload.len()) as u64;
    }
    found.tail = frames.tail().map_err(WalError::disk("read", &name))?;
    match found.tail {
        Tail::Damaged => Err(WalError::damaged(&name, found.end, Damage::Frame)),
        Tail::Empty | Tail::Torn => Ok(found),
    }
}

/// Makes the last segment one that can be appended to.
fn resume<D: Disk>(
    disk: &D,
    file: D::File,
    header: &Header,
    found: &Found,
) -> Result<Option<Segment<D::File>>, WalError> {
    let name = name_of(header.first);
    let Some(last_at) = found.last_at else {
        // Whether its name is on disk is not known, if it was made when the disk failed.
        remove(disk, &name)?;
        return Ok(None);
    };
    let settle = || {
        if found.tail != Tail::Empty {
            file.set_len(found.end)?;
        }
        // If the sync of the last frame failed, the machine may take it for written, which
        // it is not. It must be, before another frame is: that is what proves it was.
        rewrite(&file, last_at, found.end)?;
        file.sync()?;
        file.len_bytes()
    };
    let allocated = settle().map_err(WalError::disk("mend", &name))?;
    Ok(Some(Segment {
        file,
        name,
        salt: header.salt,
        end: found.end,
        allocated,
        is_closed: false,
    }))
}

/// Writes what is there once more.
fn rewrite(file: &impl DiskFile, from: u64, to: u64) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut at = from;
    while at < to {
        bytes.resize((to - at).min(REWRITE_BYTES as u64) as usize, 0);
        file.read_at(at, &mut bytes)?;
        file.write_at(at, &bytes)?;
        at += bytes.len() as u64;
    }
    Ok(())
}

fn seal<D: Disk>(disk: &D, name: String, last: u64) -> Result<Sealed, WalError> {
    let bytes = open(disk, &name)?
        .len_bytes()
        .map_err(WalError::disk("read", &name))?;
    Ok(Sealed { name, last, bytes })
}

fn open<D: Disk>(disk: &D, name: &str) -> Result<D::File, WalError> {
    disk.open(name).map_err(WalError::disk("open", name))
}

fn remove<D: Disk>(disk: &D, name: &str) -> Result<(), WalError> {
    disk.remove(name).map_err(WalError::disk("remove", name))?;
    disk.sync()
        .map_err(WalError::disk("sync the folder without", name))
}
