//! `airssys policy`: an operator's rules above grants.

// Layer 1: Standard library imports
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::security::policy::schema::schema_text;
use airssys_wasm::system::policing::PolicyReport;
use airssys_wasm::system::policy_file::read_policy;
use clap::{Args, Subcommand};
use serde::Serialize;

// Layer 3: Internal module imports
use crate::client::{Answer, Client, Target};
use crate::commands::policy_check::{CheckArgs, check};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Form, FormArgs};
use crate::policy_advice::no_policy;
use crate::quantity::many;
use crate::system_args::SystemArgs;

/// Where the policy of a running system is.
const PATH: &str = "/v1/policy";

const EXAMPLES: &str = "\
Examples:
  airssys policy check policy.cedar        is it one?
  airssys policy check --manifest . --component shop/cart --action send \\
    --resource shop/stock/main             may it, and which rule says so?
  airssys policy schema                    what rules can speak of
  airssys policy set policy.cedar          have a running system obey it";

/// Check the rules above grants, written in Cedar, or have a running system obey others
///
/// What no rule permits is denied, and what a rule forbids is denied whatever others permit.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Check a policy, or say what it decides and by which rule
    Check(Box<CheckArgs>),
    /// Print what a policy can speak of, as a Cedar schema
    Schema(FormArgs),
    /// Print the policy of a running system
    Show(FormArgs),
    /// Have a running system obey this policy, until it ends
    Set(SetArgs),
    /// Have a running system read its policy's file again
    Reload(FormArgs),
    /// Have a running system obey no policy: grants alone decide
    Remove(FormArgs),
}

/// With --json these print is_set, rules (how many) and text.
#[derive(Args)]
struct SetArgs {
    /// The policy, a Cedar file
    file: PathBuf,
    #[command(flatten)]
    form: FormArgs,
}

/// The schema as JSON.
#[derive(Debug, Serialize)]
struct Schema {
    schema: String,
}

/// Does something with a policy.
pub(crate) fn run(args: &PolicyArgs, system: &SystemArgs) -> Exit {
    match &args.what {
        What::Check(args) => check(args),
        What::Schema(args) => output::exit_of(args.form(), schema(args.form())),
        What::Show(args) => output::exit_of(args.form(), show(args.form(), system)),
        What::Set(args) => output::exit_of(args.form.form(), set(args, system)),
        What::Reload(args) => output::exit_of(args.form(), reload(args.form(), system)),
        What::Remove(args) => output::exit_of(args.form(), remove(args.form(), system)),
    }
}

fn schema(form: Form) -> Result<(), Failure> {
    let schema = schema_text();
    match form {
        Form::Json => output::write_json(&Schema { schema }),
        Form::Text => output::write(schema.as_bytes()),
    }
}

fn show(form: Form, system: &SystemArgs) -> Result<(), Failure> {
    let answer = Client::find(system)?.get(Target::new(PATH))?;
    answer.print(form, |policy: PolicyReport| match policy.is_set {
        true if policy.text.ends_with('\n') => policy.text,
        true => policy.text + "\n",
        false => "no policy: grants alone decide\n".to_owned(),
    })
}

fn set(args: &SetArgs, system: &SystemArgs) -> Result<(), Failure> {
    // Read here first: a mistake is shown with the name of the file.
    let policy = read_policy(&args.file).map_err(|e| no_policy(&e))?;
    let client = Client::find(system)?;
    let answer = client.post(Target::new(PATH), policy.text().as_bytes())?;
    tell(answer, args.form.form())
}

fn reload(form: Form, system: &SystemArgs) -> Result<(), Failure> {
    let target = Target::new(format!("{PATH}/reload"));
    tell(Client::find(system)?.post(target, &[])?, form)
}

fn remove(form: Form, system: &SystemArgs) -> Result<(), Failure> {
    tell(Client::find(system)?.delete(Target::new(PATH))?, form)
}

fn tell(answer: Answer, form: Form) -> Result<(), Failure> {
    answer.print(form, |policy: PolicyReport| match policy.is_set {
        true => format!("a policy of {} counts\n", many(policy.rules as u64, "rule")),
        false => "no policy counts: grants alone decide\n".to_owned(),
    })
}
