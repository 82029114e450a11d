//! `wasi:filesystem`.

use serde_json::Value;

use crate::bindings::wasi::filesystem::preopens::get_directories;
use crate::bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags, filesystem_error_code,
};
use crate::bindings::wasi::io::streams::StreamError;
use crate::kept::{FILES, File};
use crate::streams::{read_all, text, why, write_all};
use crate::{Outcome, name};

/// The folder that a path lies in, and the rest of the path.
fn find(path: &str) -> Result<(Descriptor, String), String> {
    for (folder, at) in get_directories() {
        if path == at {
            return Ok((folder, ".".to_owned()));
        }
        if let Some(rest) = path.strip_prefix(&at).and_then(|it| it.strip_prefix('/')) {
            return Ok((folder, rest.to_owned()));
        }
    }
    Err("not-there".to_owned())
}

fn open_as(path: &str, open: OpenFlags, flags: DescriptorFlags) -> Result<Descriptor, String> {
    let (folder, rest) = find(path)?;
    let opened = folder.open_at(PathFlags::SYMLINK_FOLLOW, &rest, open, flags);
    opened.map_err(name)
}

fn stream_error(error: StreamError) -> String {
    why(error, |error| filesystem_error_code(error).map(name))
}

pub(crate) fn folders() -> Value {
    let folders = get_directories().into_iter();
    folders.map(|(_, path)| path).collect()
}

pub(crate) fn read(path: &str) -> Outcome {
    let file = open_as(path, OpenFlags::empty(), DescriptorFlags::READ)?;
    let stream = file.read_via_stream(0).map_err(name)?;
    let bytes = read_all(&stream).map_err(stream_error)?;
    Ok(text(&bytes).into())
}

pub(crate) fn write(path: &str, content: &str) -> Outcome {
    let file = open_as(
        path,
        OpenFlags::CREATE | OpenFlags::TRUNCATE,
        DescriptorFlags::WRITE,
    )?;
    let stream = file.write_via_stream(0).map_err(name)?;
    write_all(&stream, content.as_bytes()).map_err(stream_error)?;
    Ok(Value::Null)
}

pub(crate) fn append(path: &str, content: &str) -> Outcome {
    let file = open_as(path, OpenFlags::CREATE, DescriptorFlags::WRITE)?;
    let stream = file.append_via_stream().map_err(name)?;
    write_all(&stream, content.as_bytes()).map_err(stream_error)?;
    Ok(Value::Null)
}

pub(crate) fn list(path: &str) -> Outcome {
    let folder = open_as(path, OpenFlags::DIRECTORY, DescriptorFlags::READ)?;
    let entries = folder.read_directory().map_err(name)?;
    let mut names = Vec::new();
    while let Some(entry) = entries.read_directory_entry().map_err(name)? {
        names.push(entry.name);
    }
    names.sort();
    Ok(names.into())
}

pub(crate) fn make_folder(path: &str) -> Outcome {
    let (folder, rest) = find(path)?;
    folder.create_directory_at(&rest).map_err(name)?;
    Ok(Value::Null)
}

pub(crate) fn remove(path: &str) -> Outcome {
    let (folder, rest) = find(path)?;
    folder.unlink_file_at(&rest).map_err(name)?;
    Ok(Value::Null)
}

pub(crate) fn stat(path: &str) -> Outcome {
    let (folder, rest) = find(path)?;
    let stat = folder.stat_at(PathFlags::empty(), &rest).map_err(name)?;
    Ok(name(stat.type_).into())
}

/// Calls something with two folders and what lies in them.
fn between(
    path: &str,
    to: &str,
    act: impl Fn(&Descriptor, &str, &Descriptor, &str) -> Result<(), ErrorCode>,
) -> Outcome {
    let (from, old) = find(path)?;
    let (into, new) = find(to)?;
    act(&from, &old, &into, &new).map_err(name)?;
    Ok(Value::Null)
}

pub(crate) fn link(path: &str, to: &str) -> Outcome {
    between(path, to, |from, old, into, new| {
        from.link_at(PathFlags::empty(), old, into, new)
    })
}

pub(crate) fn rename(path: &str, to: &str) -> Outcome {
    between(path, to, Descriptor::rename_at)
}

/// Makes a link at `path` that says `to`.
pub(crate) fn symlink(path: &str, to: &str) -> Outcome {
    let (folder, rest) = find(path)?;
    folder.symlink_at(to, &rest).map_err(name)?;
    Ok(Value::Null)
}

/// Opens a file to read and, if it may, to write, and keeps it with streams of it.
pub(crate) fn open(path: &str) -> Outcome {
    let both = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let descriptor = open_as(path, OpenFlags::empty(), both)
        .or_else(|_| open_as(path, OpenFlags::empty(), DescriptorFlags::READ))?;
    let file = File {
        input: descriptor.read_via_stream(0).ok(),
        output: descriptor.append_via_stream().ok(),
        descriptor,
    };
    FILES.with_borrow_mut(|files| files.push(file));
    Ok(Value::Null)
}

/// Opens a file so often, and keeps all of them.
pub(crate) fn open_many(path: &str, count: u64) -> Outcome {
    let mut opened = 0_u64;
    let mut end = Value::Null;
    for _ in 0..count {
        match open_as(path, OpenFlags::empty(), DescriptorFlags::READ) {
            Ok(descriptor) => {
                let file = File {
                    input: None,
                    output: None,
                    descriptor,
                };
                FILES.with_borrow_mut(|files| files.push(file));
                opened += 1;
            }
            Err(error) => {
                end = error.into();
                break;
            }
        }
    }
    Ok(Value::from(vec![opened.into(), end]))
}

/// Uses the file that it opened first in each way that there is, and tells what came of each.
pub(crate) fn again(content: &str) -> Outcome {
    FILES.with_borrow(|files| {
        let file = files.first().ok_or("nothing-open")?;
        let told = |result: Result<(), String>| result.err().map_or("ok".to_owned(), |it| it);
        let bytes = content.as_bytes();
        let mut outcomes = vec![
            told(file.descriptor.read(10, 0).map(drop).map_err(name)),
            told(file.descriptor.stat().map(drop).map_err(name)),
        ];
        if let Some(input) = &file.input {
            outcomes.push(told(input.read(1).map(drop).map_err(stream_error)));
        }
        if !content.is_empty() {
            outcomes.push(told(
                file.descriptor.write(bytes, 0).map(drop).map_err(name),
            ));
            if let Some(output) = &file.output {
                let wrote = output.blocking_write_and_flush(bytes);
                outcomes.push(told(wrote.map_err(stream_error)));
            }
        }
        Ok(outcomes.into())
    })
}
