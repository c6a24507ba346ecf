//! Pickles of PyTorch's state dicts, read without running anything. A pickle is a program for a stack machine, and its words for
//! "call this function" are what makes loading one dangerous. This machine knows the functions that rebuild a tensor from its
//! storage, as data; whatever else a pickle names ends the reading with an error that says what it was.
//!
//! Every value lies flat in one of a few tables and is referred to by its place there: a pickle that nests or contains itself
//! costs no recursion. Memory is bounded by [`STEPS`]: a step makes one value, which points into the pickle or, as a tensor, has no more
//! than [`AXES`] sizes; what is made once and named often is shared. [`LONGEST`] bounds what is done with a name.
//!
//! It must not know archives or files: where a storage's bytes are is `torch.rs`'s business.

use std::collections::BTreeMap;
use std::rc::Rc;

use safetensors::Dtype;

use super::REMEDY;
use crate::error::{Error, Result};

/// Steps that a pickle may take. A tensor takes about 40.
const STEPS: usize = 1 << 20;
/// Axes that a tensor may have, as in NumPy before its second version; T5's have two at most.
const AXES: usize = 32;
/// Bytes of a text. All that count are names, of parameters and of storages, and a name that is made once may be used in every step.
const LONGEST: usize = 1024;
/// Characters of a foreign name that an error shows.
const SHOWN: usize = 80;

/// A tensor as its pickle describes it: nothing of it is checked against the storage.
#[derive(Debug, PartialEq)]
pub(super) struct View<'a> {
    /// The storage's name in the archive, and how many elements of which type it has.
    pub storage: &'a str,
    pub dtype: Dtype,
    pub elements: usize,
    /// In elements, like the strides.
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// What may be called or referred to by name.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Global {
    OrderedDict,
    Tensor,
    Parameter,
    Storage(Dtype),
}

const GLOBALS: [(&str, &str, Global); 13] = [
    ("collections", "OrderedDict", Global::OrderedDict),
    ("torch._utils", "_rebuild_tensor_v2", Global::Tensor),
    ("torch._utils", "_rebuild_parameter", Global::Parameter),
    ("torch", "FloatStorage", Global::Storage(Dtype::F32)),
    ("torch", "HalfStorage", Global::Storage(Dtype::F16)),
    ("torch", "BFloat16Storage", Global::Storage(Dtype::BF16)),
    ("torch", "DoubleStorage", Global::Storage(Dtype::F64)),
    ("torch", "LongStorage", Global::Storage(Dtype::I64)),
    ("torch", "IntStorage", Global::Storage(Dtype::I32)),
    ("torch", "ShortStorage", Global::Storage(Dtype::I16)),
    ("torch", "CharStorage", Global::Storage(Dtype::I8)),
    ("torch", "ByteStorage", Global::Storage(Dtype::U8)),
    ("torch", "BoolStorage", Global::Storage(Dtype::BOOL)),
];

/// A value. The numbers are places in the machine's tables.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    None,
    Bool,
    Float,
    Int(i64),
    Text(&'a str),
    /// What is in it matters to no tensor.
    List,
    Tuple(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
}

impl Value<'_> {
    fn kind(self) -> &'static str {
        match self {
            Value::None => "None",
            Value::Bool => "a truth value",
            Value::Float | Value::Int(_) => "a number",
            Value::Text(_) => "a text",
            Value::List => "a list",
            Value::Tuple(_) => "a tuple",
            Value::Dict(_) => "a dict",
            Value::Global(_) => "a function or class",
            Value::Storage(_) => "a storage",
            Value::Tensor(_) => "a tensor",
        }
    }
}

#[derive(Default)]
struct Machine<'a> {
    rest: &'a [u8],
    stack: Vec<Value<'a>>,
    /// How high the stack was at each mark that is open.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Value<'a>>,
    tuples: Vec<Vec<Value<'a>>>,
    dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    storages: Vec<(&'a str, Dtype, usize)>,
    tensors: Vec<Rc<View<'a>>>,
}

/// The tensors of the state dict that `pickle` makes, by name, in its order.
///
/// # Errors
/// If it is damaged, or would do or hold anything else.
pub(super) fn state_dict<'a>(pickle: &'a [u8]) -> Result<Vec<(&'a str, Rc<View<'a>>)>> {
    let mut machine = Machine { rest: pickle, ..Machine::default() };
    let mut steps = 0;
    while machine.step()? {
        steps += 1;
        if steps > STEPS {
            return Err(foreign(format!("its pickle takes more than {STEPS} steps")));
        }
    }
    let Value::Dict(top) = machine.pop()? else {
        return Err(foreign("its pickle holds no state dict".into()));
    };
    let entry = |&(name, value): &(Value<'a>, Value<'a>)| match (name, value) {
        (Value::Text(name), Value::Tensor(place)) => Ok((name, Rc::clone(&machine.tensors[place]))),
        (Value::Text(name), other) => {
            let what = format!("its state dict has {} under this name, and no tensor", other.kind());
            Err(foreign(what).parameter(shown(name)))
        }
        (other, _) => Err(foreign(format!("its state dict has {} as a name", other.kind()))),
    };
    machine.dicts[top].iter().map(entry).collect()
}

fn damaged(what: impl Into<String>) -> Error {
    Error::input(format!("its pickle {}", what.into())).next(REMEDY)
}

fn foreign(what: String) -> Error {
    Error::input(what).next(
        "get the weights as model.safetensors, or save the state dict alone with `torch.save(model.state_dict(), \
         \"pytorch_model.bin\")`",
    )
}

/// A name from a file as an error shows it.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(SHOWN).flat_map(char::escape_debug).collect()
}

impl<'a> Machine<'a> {
    /// Does the next step; whether there is another one.
    fn step(&mut self) -> Result<bool> {
        let [code] = self.bytes()?;
        match code {
            b'.' => return Ok(false),
            // How the pickle is written, and in which portions.
            0x80 => self.bytes().map(|[_]| ())?,
            0x95 => self.bytes().map(|[_, _, _, _, _, _, _, _]| ())?,

            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool),
            b'G' => self.bytes().map(|[_, _, _, _, _, _, _, _]| self.push(Value::Float))?,
            b'K' => self.bytes().map(|[byte]| self.push(Value::Int(byte.into())))?,
            b'M' => self.bytes().map(|bytes| self.push(Value::Int(u16::from_le_bytes(bytes).into())))?,
            b'J' => self.bytes().map(|bytes| self.push(Value::Int(i32::from_le_bytes(bytes).into())))?,
            0x8a => self.long()?,
            0x8c => self.bytes().and_then(|[length]| self.text(length.into()))?,
            b'X' => self.bytes().and_then(|length| self.text(u32::from_le_bytes(length).into()))?,
            0x8d => self.bytes().and_then(|length| self.text(u64::from_le_bytes(length)))?,

            b'(' => self.marks.push(self.stack.len()),
            b')' => self.tuple(Vec::new()),
            0x85..=0x87 => self.popped(usize::from(code - 0x84)).map(|values| self.tuple(values))?,
            b't' => self.marked().map(|values| self.tuple(values))?,
            b']' => self.push(Value::List),
            b'a' => self.pop().and_then(|_| self.grow_list())?,
            b'e' => self.marked().and_then(|_| self.grow_list())?,
            b'}' => self.dict(),
            b's' => self.popped(2).and_then(|pair| self.grow_dict(&pair))?,
            b'u' => self.marked().and_then(|pairs| self.grow_dict(&pairs))?,

            b'q' => self.bytes().and_then(|[key]| self.put(key.into()))?,
            b'r' => self.bytes().and_then(|key| self.put(u32::from_le_bytes(key)))?,
            // The next key that is free, since these keys count up from 0.
            0x94 => self.put(self.memo.len() as u32)?,
            b'h' => self.bytes().and_then(|[key]| self.get(key.into()))?,
            b'j' => self.bytes().and_then(|key| self.get(u32::from_le_bytes(key)))?,

            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(module, name)?;
            }
            0x93 => match self.popped(2)?[..] {
                [Value::Text(module), Value::Text(name)] => self.global(module, name)?,
                _ => return Err(damaged("names something by what is no text")),
            },
            b'Q' => self.storage()?,
            b'R' => self.call()?,
            b'b' => self.state()?,
            // Words of the oldest pickles and the rarest, among them those that make objects of a class of their own.
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                return Err(refused(module, name));
            }
            other => return Err(foreign(format!("its pickle has the word 0x{other:02x}, which no state dict needs"))),
        }
        Ok(true)
    }

    fn push(&mut self, value: Value<'a>) {
        self.stack.push(value);
    }

    /// What is on top; what lies under a mark is out of reach.
    fn pop(&mut self) -> Result<Value<'a>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let value = if self.stack.len() > floor { self.stack.pop() } else { None };
        value.ok_or_else(|| damaged("takes a value that is not there"))
    }

    fn top(&self) -> Result<Value<'a>> {
        self.stack.last().copied().ok_or_else(|| damaged("refers to a value that is not there"))
    }

    /// The last `count` values.
    fn popped(&mut self, count: usize) -> Result<Vec<Value<'a>>> {
        let mut values = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        values.reverse();
        Ok(values)
    }

    /// The values since the last mark.
    fn marked(&mut self) -> Result<Vec<Value<'a>>> {
        // invariant: `pop` leaves what lies under a mark, so that the stack is no shorter than the mark is high
        self.marks.pop().map(|mark| self.stack.split_off(mark)).ok_or_else(|| damaged("lacks a mark"))
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| damaged("breaks off"))?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8]> {
        let cut = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let (bytes, rest) = cut.ok_or_else(|| damaged("breaks off"))?;
        self.rest = rest;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<&'a str> {
        let end = self.rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("breaks off"))?;
        let line = self.take(end as u64 + 1)?;
        std::str::from_utf8(&line[..end]).map_err(|error| damaged("has a name that is no text").caused_by(error))
    }

    fn text(&mut self, length: u64) -> Result<()> {
        let bytes = self.take(length)?;
        if bytes.len() > LONGEST {
            return Err(foreign(format!("its pickle has a text of {length} bytes, which is the name of no tensor")));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| damaged("has a text that is none").caused_by(error))?;
        self.push(Value::Text(text));
        Ok(())
    }

    /// An integer of up to eight bytes; a longer one is the size of nothing.
    fn long(&mut self) -> Result<()> {
        let [length] = self.bytes()?;
        let bytes = self.take(length.into())?;
        let negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        let low = wide.get_mut(..bytes.len()).ok_or_else(|| damaged("has a number that is too large"))?;
        low.copy_from_slice(bytes);
        self.push(Value::Int(i64::from_le_bytes(wide)));
        Ok(())
    }

    fn tuple(&mut self, values: Vec<Value<'a>>) {
        self.push(Value::Tuple(self.tuples.len()));
        self.tuples.push(values);
    }

    fn dict(&mut self) {
        self.push(Value::Dict(self.dicts.len()));
        self.dicts.push(Vec::new());
    }

    fn grow_list(&self) -> Result<()> {
        match self.top()? {
            Value::List => Ok(()),
            other => Err(damaged(format!("appends to {}", other.kind()))),
        }
    }

    fn grow_dict(&mut self, pairs: &[Value<'a>]) -> Result<()> {
        match (self.top()?, pairs.as_chunks()) {
            (Value::Dict(dict), (pairs, [])) => {
                self.dicts[dict].extend(pairs.iter().map(|&[name, value]| (name, value)))
            }
            (other, _) => return Err(damaged(format!("sets an item of {}", other.kind()))),
        }
        Ok(())
    }

    fn put(&mut self, key: u32) -> Result<()> {
        let value = self.top()?;
        self.memo.insert(key, value);
        Ok(())
    }

    fn get(&mut self, key: u32) -> Result<()> {
        let value = *self.memo.get(&key).ok_or_else(|| damaged("refers to a value that is not there"))?;
        self.push(value);
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<()> {
        let known = GLOBALS.iter().find(|(its_module, its_name, _)| (*its_module, *its_name) == (module, name));
        let (.., global) = known.ok_or_else(|| refused(module, name))?;
        self.push(Value::Global(*global));
        Ok(())
    }

    /// `("storage", type, name, device, elements)` becomes a storage.
    fn storage(&mut self) -> Result<()> {
        let Value::Tuple(tuple) = self.pop()? else { return Err(damaged("has a storage without a description")) };
        let (storage, elements) = match self.tuples[tuple][..] {
            [
                Value::Text("storage"),
                Value::Global(Global::Storage(dtype)),
                Value::Text(name),
                _,
                Value::Int(elements),
            ] => ((name, dtype), usize::try_from(elements)),
            _ => return Err(damaged("has a storage whose description is none")),
        };
        let elements = elements.map_err(|_| damaged("has a storage of fewer than no elements"))?;
        self.push(Value::Storage(self.storages.len()));
        self.storages.push((storage.0, storage.1, elements));
        Ok(())
    }

    fn call(&mut self) -> Result<()> {
        let [Value::Global(function), Value::Tuple(tuple)] = self.popped(2)?[..] else {
            return Err(damaged("calls what is no function"));
        };
        match (function, &self.tuples[tuple][..]) {
            (Global::OrderedDict, []) => self.dict(),
            (Global::Parameter, [tensor @ Value::Tensor(_), ..]) => self.push(*tensor),
            (
                Global::Tensor,
                &[Value::Storage(storage), Value::Int(offset), Value::Tuple(shape), Value::Tuple(strides), ..],
            ) => {
                let (Some(offset), Some(shape), Some(strides)) =
                    (usize::try_from(offset).ok(), sizes(&self.tuples[shape]), sizes(&self.tuples[strides]))
                else {
                    return Err(damaged("has a tensor of impossible shape"));
                };
                let (storage, dtype, elements) = self.storages[storage];
                self.push(Value::Tensor(self.tensors.len()));
                self.tensors.push(Rc::new(View { storage, dtype, elements, offset, shape, strides }));
            }
            _ => return Err(damaged("rebuilds a tensor of what is none")),
        }
        Ok(())
    }

    /// What a state dict has beside its tensors, such as the versions of its modules, has no meaning here.
    fn state(&mut self) -> Result<()> {
        self.pop()?;
        match self.top()? {
            Value::Dict(_) => Ok(()),
            other => Err(foreign(format!("its pickle sets the state of {}", other.kind()))),
        }
    }
}

fn sizes(tuple: &[Value<'_>]) -> Option<Vec<usize>> {
    let size = |value: &Value<'_>| if let Value::Int(size) = value { usize::try_from(*size).ok() } else { None };
    (tuple.len() <= AXES).then(|| tuple.iter().map(size).collect()).flatten()
}

fn refused(module: &str, name: &str) -> Error {
    foreign(format!(
        "its pickle asks for `{}.{}`, which is no part of a tensor and was not run",
        shown(module),
        shown(name)
    ))
}
