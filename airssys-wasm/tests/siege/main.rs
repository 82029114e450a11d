//! Components that try to break each limit and to get around each capability, beside a
//! neighbour that is not to notice.
//!
//! A siege puts a hostile component into a system with a counter that is asked all the time,
//! and attacks. It checks that the attacker, or whoever asks it, is told which limit or
//! capability stands in its way; that 99 of 100 answers of the neighbour come as quickly as
//! before, but for a factor of three; and that nothing is left behind: actors, messages,
//! timers, requests, subscriptions, keys, threads, files and memory. See `support.rs`.
//!
//! The attacks on limits are named in `docs/LIMITS.md`. These are those on capabilities:
//!
//! | capability | attack |
//! |---|---|
//! | `send` | `capabilities::send` |
//! | `call` | `capabilities::call_others` |
//! | `timers` | `capabilities::timers` |
//! | `publish` | `capabilities::publish` |
//! | `subscribe` | `capabilities::subscribe` |
//! | `storage` | `capabilities::storage` |
//! | `spawn` | `capabilities::spawn` |
//! | `directory` | `capabilities::directory` |
//! | `config` | `capabilities::config` |
//! | `secrets` | `capabilities::secrets` |
//! | `clock` | `capabilities::clock` |
//! | `env` | `capabilities::env` |
//! | `read_files` | `capabilities::read_files` |
//! | `write_files` | `capabilities::write_files` |
//! | `network` | `capabilities::network` |
//!
//! And these are on what has no limit of its own:
//!
//! | attack | test |
//! |---|---|
//! | code that never ends, at every place where the host calls it | `time::a_start_that_never_ends_is_stopped_before_the_first_message`, `hooks::an_init_that_never_ends_or_fails`, `hooks::a_shutdown_that_never_ends_or_fails`, `hooks::a_callback_that_never_ends_or_fails`, `hooks::a_migration_that_never_ends_or_fails`, `hooks::what_a_guest_says_of_itself_never_ends_or_is_none` |
//! | instructions that do much at once | `time::instructions_that_do_much_at_once_end_at_the_deadline` |
//! | many memories, and large ones to begin with | `memory::many_memories_count_together`, `memory::a_memory_is_no_larger_to_begin_with` |
//! | frames as large as the stack, and calls in a circle | `recursion::frames_of_any_size_end_with_the_stack`, `recursion::calls_in_a_circle_are_told_at_once` |
//! | garbage for each function of the host | `hostcalls::pointers_lengths_and_discriminants_that_are_none`, `hostcalls::texts_that_are_no_utf8`, `hostcalls::lists_of_very_many_empty_texts` |
//! | garbage for results, and for memory | `results::results_that_are_none`, `results::a_realloc_that_lies`, `results::a_realloc_that_calls_the_host`, `results::an_error_of_megabytes` |
//! | each function of the host without end | `storms::each_host_function_without_end` |
//! | timers, requests and topics that make more of themselves | `storms::timers_that_are_always_due`, `storms::requests_that_nobody_answers_end_by_themselves`, `storms::a_publication_to_many_is_bounded_by_their_mailboxes` |
//! | actors without end | `crowds::nobody_brings_actors_into_being_without_a_grant`, `crowds::busy_actors_take_all_the_room_of_their_component_and_no_more` |
//! | components made of very many things | `cramming::very_many_of_each_thing_that_components_are_made_of`, `cramming::very_many_instances` |
//! | components that are cut off or changed | `mutants::components_that_are_cut_off`, `mutants::components_that_were_changed_at_random`, `mutants::needs_that_are_none`, `mutants::signatures_that_are_none` |
//! | forged names | `names::addresses_that_are_none_in_each_host_function`, `names::topics_and_patterns_that_are_none`, `names::keys_of_any_form_stay_the_actors_own`, `names::names_of_configuration_and_secrets_that_are_none`, `names::names_that_are_none_from_outside`, `names::traces_that_are_none` |
//! | greedier versions | `upgrades::a_version_that_needs_more_than_is_granted`, `upgrades::a_version_that_wants_more_than_its_limits` |
//! | denials without end | `denials::a_flood_of_denials`, `denials::denials_drive_nothing_out_of_the_log` |
//! | dead letters without end | `letters::letters_without_end_drive_out_those_of_nobody_else`, `letters::letters_without_end_drive_out_nothing_on_disk`, `letters::what_turns_were_denied_counts_in_their_letters` |
//! | files without end | `folders::files_of_any_size_and_number` |
//! | WASI without end | `wasi::a_flood_of_output`, `wasi::waiting_without_end`, `wasi::random_numbers_without_end`, `wasi::files_and_sockets_without_end`, `descriptors::sockets_of_very_many_actors`, `wasi::handles_that_are_none` |
//! | peers that were granted, and never answer, or without end, or what is no answer | `network::answers_that_are_none`, `network::peers_that_take_their_time`, `network::peers_that_send_without_end` |
//! | requests and connections without end | `network::requests_without_end`, `network::requests_that_are_given_up`, `network::answers_that_are_kept_for_their_trailers`, `network::connections_that_are_held`, `network::very_many_at_once` |

#![expect(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../common/asking.rs"]
mod asking;
mod capabilities;
mod compiling;
mod coverage;
mod cramming;
mod crowds;
mod denials;
mod descriptors;
mod folders;
mod functions;
mod hooks;
mod hostcalls;
mod letters;
mod logs;
mod mailboxes;
mod memory;
mod mutants;
mod names;
mod network;
mod peer;
mod recursion;
mod residue;
mod results;
mod storage;
mod storms;
mod support;
mod time;
mod upgrades;
mod wasi;
mod wat;
