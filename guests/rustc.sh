#!/bin/sh
# The compiler, as `cargo xtask guests` has cargo call it: `rustc.sh rustc arguments…`.
#
# Cargo derives the `metadata` of the SDK, and of every guest that depends on it, from
# where on the disk this repository lies. It ends up in the names of symbols, these
# decide the order of functions, and so the same sources would give other bytes in
# another folder. For these crates the package's name does as well.

if [ "$CARGO_PRIMARY_PACKAGE" ] || [ "$CARGO_PKG_NAME" = airssys-guest ]; then
    for argument do
        shift
        case $argument in
            metadata=*) argument="metadata=$CARGO_PKG_NAME" ;;
        esac
        set -- "$@" "$argument"
    done
fi
exec "$@"
