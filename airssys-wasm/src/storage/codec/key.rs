//! The names of rows as bytes, in the order in which they are read.
//!
//! This is format version 1 on disk:
//!
//! | table | key |
//! |---|---|
//! | `records` | address, `00` |
//! | `states` | address, `00`, the key's text |
//! | `messages` | address, `00`, the commit's number, the place in it in 4 bytes |
//! | `timers` | address, `00`, the timer's id |
//! | `requests` | address, `00`, the request's correlation |
//! | `subscriptions` | address, `00`, the pattern's text |
//! | `dead-letters` | number, address |
//! | `answers` | period, address, `00`, the message's id |
//!
//! Numbers are unsigned, of 8 bytes unless said, and the highest byte comes first, so that the
//! order of bytes is the order of numbers. An address never has a zero byte.

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::row::{MessageNumber, RowKey};
use crate::storage::codec::error::CodecError;
use crate::storage::tables::table::Table;

/// Ends an address.
const END: u8 = 0;

/// The table of a row, and its key there.
pub(crate) fn encode_key(actor: &ComponentId, key: &RowKey) -> (Table, Vec<u8>) {
    let table = table_of(key);
    let key = match key {
        RowKey::Record => of_actor(actor, &[]),
        RowKey::State(text) | RowKey::Subscription(text) => of_actor(actor, text.as_bytes()),
        RowKey::Message(number) => of_actor(actor, &encode_number(*number)),
        RowKey::Timer(id) | RowKey::Request(id) => of_actor(actor, &id.to_be_bytes()),
        RowKey::DeadLetter(number) => [&number.to_be_bytes(), actor.as_str().as_bytes()].concat(),
        RowKey::Answer(period, id) => {
            let address = actor.as_str().as_bytes();
            [&period.to_be_bytes(), address, &[END], id.as_bytes()].concat()
        }
    };
    (table, key)
}

/// The table that rows of this name lie in.
pub(crate) fn table_of(key: &RowKey) -> Table {
    match key {
        RowKey::Record => Table::Records,
        RowKey::State(_) => Table::States,
        RowKey::Message(_) => Table::Messages,
        RowKey::Timer(_) => Table::Timers,
        RowKey::Request(_) => Table::Requests,
        RowKey::Subscription(_) => Table::Subscriptions,
        RowKey::DeadLetter(_) => Table::DeadLetters,
        RowKey::Answer(..) => Table::Answers,
    }
}

/// Whose row a key of a table is, and which.
///
/// # Errors
///
/// When no row has this key, or the table has no rows of actors.
pub(crate) fn decode_key(table: Table, key: &[u8]) -> Result<(ComponentId, RowKey), CodecError> {
    decode(table, key).map_err(|fault| match fault {
        Fault::NoRows => CodecError::NoRows(table),
        Fault::Said(reason) => CodecError::key(table, key, reason),
    })
}

/// What all keys of an actor in a table begin with, and no others.
///
/// Dead letters are in the order of their numbers and answers in that of their periods, so
/// that those of one actor do not lie together: no key of these tables begins with this.
pub(crate) fn prefix_of(actor: &ComponentId, _table: Table) -> Vec<u8> {
    of_actor(actor, &[])
}

fn of_actor(actor: &ComponentId, rest: &[u8]) -> Vec<u8> {
    [actor.as_str().as_bytes(), &[END], rest].concat()
}

fn encode_number(number: MessageNumber) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&number.seq.to_be_bytes());
    bytes[8..].copy_from_slice(&number.index.to_be_bytes());
    bytes
}

enum Fault {
    NoRows,
    Said(String),
}

fn decode(table: Table, key: &[u8]) -> Result<(ComponentId, RowKey), Fault> {
    match table {
        Table::Usage | Table::Meta => Err(Fault::NoRows),
        Table::DeadLetters => {
            let (number, actor) = split_number(key)?;
            Ok((address(actor)?, RowKey::DeadLetter(number)))
        }
        Table::Answers => {
            let (period, rest) = split_number(key)?;
            let (actor, id) = split_address(rest)?;
            Ok((actor, RowKey::Answer(period, text(id)?.into())))
        }
        _ => {
            let (actor, rest) = split_address(key)?;
            let key = match table {
                Table::Records if rest.is_empty() => RowKey::Record,
                Table::States => RowKey::State(text(rest)?.into()),
                Table::Messages => RowKey::Message(decode_number(rest)?),
                Table::Timers => RowKey::Timer(number(rest)?),
                Table::Requests => RowKey::Request(number(rest)?),
                Table::Subscriptions => RowKey::Subscription(text(rest)?.into()),
                _ => return Err(Fault::Said("something follows the address".into())),
            };
            Ok((actor, key))
        }
    }
}

fn split_address(key: &[u8]) -> Result<(ComponentId, &[u8]), Fault> {
    let end = key.iter().position(|byte| *byte == END);
    let end = end.ok_or_else(|| Fault::Said("the address does not end".into()))?;
    Ok((address(&key[..end])?, &key[end + 1..]))
}

fn split_number(key: &[u8]) -> Result<(u64, &[u8]), Fault> {
    let (first, rest) = key.split_first_chunk().ok_or_else(too_short)?;
    Ok((u64::from_be_bytes(*first), rest))
}

fn number(bytes: &[u8]) -> Result<u64, Fault> {
    match split_number(bytes)? {
        (number, []) => Ok(number),
        _ => Err(Fault::Said("something follows the number".into())),
    }
}

fn decode_number(bytes: &[u8]) -> Result<MessageNumber, Fault> {
    let (seq, index) = split_number(bytes)?;
    let index: [u8; 4] = index.try_into().map_err(|_| too_short())?;
    Ok(MessageNumber {
        seq,
        index: u32::from_be_bytes(index),
    })
}

fn too_short() -> Fault {
    Fault::Said("a number is too short or too long".into())
}

fn address(bytes: &[u8]) -> Result<ComponentId, Fault> {
    text(bytes)?
        .parse()
        .map_err(|e| Fault::Said(format!("no address: {e}")))
}

fn text(bytes: &[u8]) -> Result<&str, Fault> {
    str::from_utf8(bytes).map_err(|e| Fault::Said(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::codec::fixtures::{address, row_key};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_come_back(actor in address(), key in row_key()) {
            let (table, bytes) = encode_key(&actor, &key);
            prop_assert_eq!(decode_key(table, &bytes), Ok((actor.clone(), key.clone())));
            let is_of_actor = !matches!(table, Table::DeadLetters | Table::Answers);
            if is_of_actor {
                prop_assert!(bytes.starts_with(&prefix_of(&actor, table)));
            }
            if let RowKey::Answer(period, _) = key {
                prop_assert!(bytes.starts_with(&period.to_be_bytes()));
            }
        }

        #[test]
        fn the_order_of_bytes_is_that_of_rows(
            a in (address(), row_key()),
            b in (address(), row_key()),
        ) {
            let (table, first) = encode_key(&a.0, &a.1);
            let (other, second) = encode_key(&b.0, &b.1);
            if table == other {
                let by_number = matches!(table, Table::DeadLetters | Table::Answers);
                let expected = if by_number {
                    number_of(&a.1).cmp(&number_of(&b.1)).then_with(|| a.cmp(&b))
                } else {
                    a.cmp(&b)
                };
                prop_assert_eq!(first.cmp(&second), expected);
            }
        }

        #[test]
        fn no_actor_has_rows_of_another(a in address(), b in address(), key in row_key()) {
            let (table, bytes) = encode_key(&b, &key);
            if a != b && !matches!(table, Table::DeadLetters | Table::Answers) {
                prop_assert!(!bytes.starts_with(&prefix_of(&a, table)));
            }
        }

        /// What is read is what would be written.
        #[test]
        fn any_bytes_are_a_key_or_an_error(
            table in prop::sample::select(&Table::ALL),
            key in prop::collection::vec(any::<u8>(), 0..40),
            actor in address(),
            is_of_actor in any::<bool>(),
        ) {
            let key = if is_of_actor { of_actor(&actor, &key) } else { key };
            if let Ok((actor, row)) = decode_key(table, &key) {
                prop_assert_eq!(encode_key(&actor, &row), (table, key));
            }
        }
    }

    fn number_of(key: &RowKey) -> u64 {
        match key {
            RowKey::DeadLetter(number) | RowKey::Answer(number, _) => *number,
            _ => 0,
        }
    }

    #[test]
    fn keys_look_like_this_on_disk() {
        let actor = ComponentId::new("shop", "cart", "eve");
        let key = |key| {
            let (table, bytes) = encode_key(&actor, &key);
            format!("{table} {}", bytes.escape_ascii())
        };
        let message = RowKey::Message(MessageNumber { seq: 258, index: 3 });
        assert_eq!(key(RowKey::Record), r"records shop/cart/eve\x00");
        assert_eq!(
            key(RowKey::State("total".into())),
            r"states shop/cart/eve\x00total"
        );
        assert_eq!(
            key(message),
            r"messages shop/cart/eve\x00\x00\x00\x00\x00\x00\x00\x01\x02\x00\x00\x00\x03"
        );
        assert_eq!(
            key(RowKey::Timer(1)),
            r"timers shop/cart/eve\x00\x00\x00\x00\x00\x00\x00\x00\x01"
        );
        assert_eq!(
            key(RowKey::Request(2)),
            r"requests shop/cart/eve\x00\x00\x00\x00\x00\x00\x00\x00\x02"
        );
        assert_eq!(
            key(RowKey::Subscription("orders.*".into())),
            r"subscriptions shop/cart/eve\x00orders.*"
        );
        assert_eq!(
            key(RowKey::DeadLetter(3)),
            r"dead-letters \x00\x00\x00\x00\x00\x00\x00\x03shop/cart/eve"
        );
        assert_eq!(
            key(RowKey::Answer(4, "id-1".into())),
            r"answers \x00\x00\x00\x00\x00\x00\x00\x04shop/cart/eve\x00id-1"
        );
    }

    #[test]
    fn errors_name_table_and_key() {
        let error = decode_key(Table::Timers, b"a/b/c\0short").unwrap_err();
        assert_eq!(
            error.to_string(),
            r"the key `a/b/c\x00short` of table `timers` cannot be read: a number is too short or too long; check the data folder with `airssys verify`, or restore a backup"
        );
        let error = decode_key(Table::Meta, b"format").unwrap_err();
        assert_eq!(error, CodecError::NoRows(Table::Meta));
    }
}
