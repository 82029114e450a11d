//! Components that try to break each limit and to get around each capability, beside a
//! neighbour that is not to notice.

mod crowds;
mod functions;
mod hostcalls;
mod mailboxes;
mod memory;
mod names;
mod recursion;
mod residue;
mod results;
mod storage;
mod storms;
mod support;
mod time;
mod wat;
