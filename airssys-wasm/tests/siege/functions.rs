//! The host's functions as the contract has them, to be called with any arguments.

// Layer 2: Third-party crate imports
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Function, Resolve, Type, TypeDefKind};

// Layer 3: Internal module imports
use crate::wat::{contract, handling};

/// The interfaces that a guest may import.
const INTERFACES: [&str; 4] = ["messaging", "rpc", "storage", "services"];

/// Where results go.
const RESULT: u32 = 3_072;

/// Where a reply lies that says that all is well: memory that nobody writes to.
const REPLY: u32 = 4_096;

/// A parameter, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameter {
    Text,
    Bytes,
    Texts,
    OptionalText,
    Number,
    Id,
    Level,
}

/// A function of the host.
#[derive(Debug)]
pub(crate) struct HostFunction {
    pub(crate) interface: &'static str,
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
    flat: Vec<WasmType>,
    result: Option<WasmType>,
    /// Whether the last parameter says where the result goes.
    has_result_pointer: bool,
}

/// All that a guest may import.
pub(crate) fn all() -> Vec<HostFunction> {
    let (resolve, package) = contract();
    let mut all = Vec::new();
    for interface in INTERFACES {
        let id = resolve.packages[package].interfaces[interface];
        for function in resolve.interfaces[id].functions.values() {
            all.push(read(&resolve, interface, function));
        }
    }
    all
}

fn read(resolve: &Resolve, interface: &'static str, function: &Function) -> HostFunction {
    let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
    assert!(!signature.indirect_params, "{}", function.name);
    let kinds = function.params.iter().map(|it| kind(resolve, &it.ty));
    HostFunction {
        interface,
        name: function.name.clone(),
        parameters: kinds.collect(),
        flat: signature.params,
        result: signature.results.first().copied(),
        has_result_pointer: signature.retptr,
    }
}

fn kind(resolve: &Resolve, of: &Type) -> Parameter {
    match of {
        Type::String => Parameter::Text,
        Type::U32 => Parameter::Number,
        Type::U64 => Parameter::Id,
        Type::Id(id) => match &resolve.types[*id].kind {
            TypeDefKind::List(Type::U8) => Parameter::Bytes,
            TypeDefKind::List(Type::String) => Parameter::Texts,
            TypeDefKind::Option(Type::String) => Parameter::OptionalText,
            TypeDefKind::Enum(_) => Parameter::Level,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn word(of: WasmType) -> &'static str {
    match of {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        other => panic!("{other:?}"),
    }
}

impl HostFunction {
    /// How it is imported, under the name `$f` and a number.
    fn import(&self, number: usize) -> String {
        let (interface, name) = (self.interface, &self.name);
        let parameters = self.flat.iter().map(|it| format!(" {}", word(*it)));
        let parameters: String = parameters.collect();
        let result = self.result.map(word);
        let result = result.map_or_else(String::new, |it| format!("(result {it})"));
        format!(
            "(import \"airssys:actor/{interface}@0.1.0\" \"{name}\"
               (func $f{number} (param{parameters}) {result}))\n"
        )
    }

    fn call(&self, number: usize, arguments: &str) -> String {
        let call = format!("(call $f{number} {arguments})\n");
        match self.result {
            Some(_) => format!("(drop {call})"),
            None => call,
        }
    }

    /// A call in which each machine word is the same number.
    fn call_with_words(&self, number: usize, filler: i32) -> String {
        let words = self.flat.iter();
        let words = words.map(|it| format!("({}.const {filler})", word(*it)));
        self.call(number, &words.collect::<String>())
    }

    /// A call with arguments of the right form.
    pub(crate) fn call_with(
        &self,
        number: usize,
        argument: impl Fn(Parameter) -> String,
    ) -> String {
        let mut arguments: String = self.parameters.iter().map(|it| argument(*it)).collect();
        if self.has_result_pointer {
            arguments += &format!("(i32.const {RESULT})");
        }
        self.call(number, &arguments)
    }
}

/// A text or a list at this place, and so long.
pub(crate) fn at(place: u32, length: u32) -> String {
    format!("(i32.const {place}) (i32.const {length})")
}

/// A component that calls the function whose number is the length of the payload, with each
/// machine word as one of these, which is chosen by the length of the kind.
pub(crate) fn calling_with_words(functions: &[HostFunction], fillers: &[i32]) -> Vec<u8> {
    let mut body = String::new();
    for (number, function) in functions.iter().enumerate() {
        for (choice, filler) in fillers.iter().enumerate() {
            body += &format!(
                "(if (i32.and (i32.eq (local.get $payload-bytes) (i32.const {number}))
                              (i32.eq (local.get $kind-bytes) (i32.const {choice})))
                  (then {}))\n",
                function.call_with_words(number, *filler)
            );
        }
    }
    component(functions, "(memory (export \"memory\") 2)", &body)
}

/// A component that calls the function whose number is the length of the payload, with
/// arguments of the right form.
pub(crate) fn calling_with(
    functions: &[HostFunction],
    memory: &str,
    argument: impl Fn(Parameter) -> String,
) -> Vec<u8> {
    let mut body = String::new();
    for (number, function) in functions.iter().enumerate() {
        body += &format!(
            "(if (i32.eq (local.get $payload-bytes) (i32.const {number})) (then {}))\n",
            function.call_with(number, &argument)
        );
    }
    component(functions, memory, &body)
}

fn component(functions: &[HostFunction], memory: &str, body: &str) -> Vec<u8> {
    let imports = functions.iter().enumerate();
    let imports: String = imports.map(|(number, it)| it.import(number)).collect();
    handling(
        &format!("{imports} {memory}"),
        &format!("{body} (i32.const {REPLY})"),
    )
}

/// A component that calls one function for ever, whatever comes of it.
pub(crate) fn storm(
    interface: &str,
    name: &str,
    memory: &str,
    argument: impl Fn(Parameter) -> String,
) -> Vec<u8> {
    let mut functions = all();
    functions.retain(|it| it.interface == interface && it.name == name);
    let body = functions[0].call_with(0, argument);
    component(
        &functions,
        memory,
        &format!("(loop $again {body} (br $again))"),
    )
}
