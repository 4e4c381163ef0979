//! The machine that runs instructions. It does not wait for anything: what needs a system call it asks
//! of its caller, and goes on when it has the answer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::ast::{BinOp, Redirect};
use super::code::{Code, From, Op, Place, Variable, special};
use super::number;
use super::record::{MAX_STRING, Record, field_number};
use super::regex::{self, Fault, Fields, Patterns};
use super::value::{Array, ArrayRef, Compared, Text, Value};

/// Calls within calls: each takes some hundred bytes of the host's memory.
const MAX_CALLS: usize = 100_000;

/// Bytes in all arrays of a program: a guest's test data is far smaller.
const MAX_HELD: usize = 256 << 20;

/// Instructions before the machine lets others run, a system call or not.
const BURST: u64 = 2000;

/// Bytes that an instruction on text handles in the time of a plain instruction.
const BYTES_PER_STEP: usize = 64;

/// What the machine needs before it goes on.
#[derive(Debug)]
pub(super) enum Pause {
    /// Time passed: so many instructions' worth.
    Tired(u64),
    /// Write output; nothing to answer.
    Print {
        to: Option<(Redirect, Text)>,
        data: Vec<u8>,
    },
    /// Read a record, and call [`Machine::got_record`] or [`Machine::got_none`].
    Getline {
        from: From,
        name: Text,
        into: Option<Place>,
    },
    /// Push the result.
    Close(Text),
    System(Text),
    Flush(Option<Text>),
    /// Push the old seed.
    SeedByClock,
    Next,
    NextFile,
    Exit,
    End,
}

struct Frame {
    /// Where the caller goes on.
    back: usize,
    base: usize,
    loops: usize,
}

pub(super) struct Machine {
    pub(super) code: Rc<Code>,
    pub(super) globals: Vec<Value>,
    pub(super) stack: Vec<Value>,
    frames: Vec<Frame>,
    /// Indices that `for (k in a)` still has to visit, for each such loop.
    loops: Vec<std::vec::IntoIter<Text>>,
    at: usize,
    base: usize,
    pub(super) record: Record,
    in_range: Vec<bool>,
    pub(super) patterns: Patterns,
    /// The meaning of FS, as long as that does not change.
    separator: Option<Rc<Fields>>,
    /// Bytes in all arrays.
    held: Rc<Cell<usize>>,
    pub(super) random: super::builtins::Random,
    pub(super) exit_code: i32,
    spent: u64,
}

fn is_record(index: &Value) -> bool {
    matches!(index, Value::Number(number) if *number == 0.0)
}

impl Machine {
    pub(super) fn new(code: Code) -> Machine {
        let held = Rc::new(Cell::new(0));
        let mut globals: Vec<Value> = code
            .globals
            .iter()
            .map(
                |(_, is_array)| {
                    if *is_array { Value::Array(Rc::new(RefCell::new(Array::new(&held)))) } else { Value::Unset }
                },
            )
            .collect();
        let texts: [(usize, &[u8]); 7] = [
            (special::FS, b" "),
            (special::OFS, b" "),
            (special::RS, b"\n"),
            (special::ORS, b"\n"),
            (special::SUBSEP, b"\x1c"),
            (special::CONVFMT, b"%.6g"),
            (special::OFMT, b"%.6g"),
        ];
        for (number, text) in texts {
            globals[number] = Value::text(text);
        }
        for (number, value) in
            [(special::NR, 0.0), (special::FNR, 0.0), (special::RSTART, 0.0), (special::RLENGTH, -1.0)]
        {
            globals[number] = Value::Number(value);
        }
        let in_range = vec![false; code.ranges];
        Machine {
            code: Rc::new(code),
            globals,
            stack: Vec::new(),
            frames: Vec::new(),
            loops: Vec::new(),
            at: 0,
            base: 0,
            record: Record::new(),
            in_range,
            patterns: Patterns::default(),
            separator: None,
            held,
            random: super::builtins::Random::default(),
            exit_code: 0,
            spent: 0,
        }
    }

    /// Makes ready to run a part of the program from its start.
    pub(super) fn start(&mut self, at: usize) {
        self.at = at;
        self.base = 0;
        self.stack.clear();
        self.frames.clear();
        self.loops.clear();
    }

    /// Charges for work on so many bytes.
    pub(super) fn charge(&mut self, bytes: usize) {
        self.spent += u64::try_from(bytes / BYTES_PER_STEP).unwrap_or_default();
    }

    pub(super) fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    pub(super) fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or(Value::Unset)
    }

    /// The topmost values, the lowest first.
    fn pop_many(&mut self, count: usize) -> Vec<Value> {
        self.stack.split_off(self.stack.len().saturating_sub(count))
    }

    pub(super) fn pop_number(&mut self) -> f64 {
        self.pop().number()
    }

    pub(super) fn pop_text(&mut self) -> Text {
        let value = self.pop();
        self.text(&value)
    }

    /// The text of a value by CONVFMT.
    pub(super) fn text(&self, value: &Value) -> Text {
        match value {
            Value::Number(value) => match number::integer(*value) {
                Some(_) => number::text(*value, b""),
                None => number::text(*value, &self.special(special::CONVFMT)),
            },
            other => other.to_text(b""),
        }
    }

    /// The text of a special variable.
    pub(super) fn special(&self, number: usize) -> Text {
        self.globals.get(number).map_or_else(|| Rc::from(&b""[..]), |value| value.to_text(b"%.6g"))
    }

    fn slot(&mut self, variable: Variable) -> &mut Value {
        let (list, index) = match variable {
            Variable::Global(number) => (&mut self.globals, number),
            Variable::Local(number) => (&mut self.stack, self.base + number),
        };
        // The compiler hands out the numbers, so that there is one; growing is the harmless answer.
        if index >= list.len() {
            list.resize(index + 1, Value::Unset);
        }
        &mut list[index]
    }

    /// The array that a variable is from now on.
    pub(super) fn array(&mut self, variable: Variable) -> Result<ArrayRef, Fault> {
        let held = Rc::clone(&self.held);
        let slot = self.slot(variable);
        match slot {
            Value::Array(array) => Ok(Rc::clone(array)),
            Value::Maybe(array) => {
                let array = Rc::clone(array);
                *slot = Value::Array(Rc::clone(&array));
                Ok(array)
            }
            Value::Unset => {
                let array = Rc::new(RefCell::new(Array::new(&held)));
                *slot = Value::Array(Rc::clone(&array));
                Ok(array)
            }
            _ => Err("a scalar is used as an array".to_owned()),
        }
    }

    fn variable(&mut self, variable: Variable) -> Result<Value, Fault> {
        if variable == Variable::Global(special::NF) {
            return Ok(Value::Number(self.record.count()? as f64));
        }
        match self.slot(variable) {
            Value::Array(_) => Err("an array is used as a scalar".to_owned()),
            Value::Maybe(_) => Ok(Value::Unset),
            value => Ok(value.clone()),
        }
    }

    pub(super) fn set_variable(&mut self, variable: Variable, value: Value) -> Result<(), Fault> {
        if let Variable::Global(number @ (special::NF | special::FS | special::RS | special::OFS)) = variable {
            match number {
                special::NF => return self.record.set_count(value.number()),
                // What was changed already is joined by the old separator.
                special::OFS => self.join_record()?,
                _ => self.separator = None,
            }
        }
        let slot = self.slot(variable);
        if matches!(slot, Value::Array(_)) {
            return Err("an array is used as a scalar".to_owned());
        }
        *slot = value;
        Ok(())
    }

    pub(super) fn join_record(&mut self) -> Result<(), Fault> {
        if self.record.is_stale() {
            let (between, format) = (self.special(special::OFS), self.special(special::CONVFMT));
            self.record.join(&between, &format)?;
            let length = self.record.whole_text(b"").len();
            self.charge(length);
        }
        Ok(())
    }

    /// The whole record.
    pub(super) fn whole(&mut self) -> Result<Value, Fault> {
        self.join_record()?;
        Ok(self.record.whole())
    }

    /// The meaning of FS.
    pub(super) fn separator(&mut self) -> Result<Rc<Fields>, Fault> {
        if let Some(known) = &self.separator {
            return Ok(Rc::clone(known));
        }
        let paragraphs = self.special(special::RS).is_empty();
        let fields = Rc::new(Fields::new(&self.special(special::FS), paragraphs, &mut self.patterns)?);
        self.separator = Some(Rc::clone(&fields));
        Ok(fields)
    }

    pub(super) fn set_record(&mut self, text: Value) -> Result<(), Fault> {
        let separator = self.separator()?;
        self.record.set(text, separator);
        Ok(())
    }

    /// Takes the index of a place from the stack.
    fn index(&mut self, place: Place) -> Value {
        match place {
            Place::Field | Place::Element(_) | Place::Scratch => self.pop(),
            Place::Variable(_) => Value::Unset,
        }
    }

    pub(super) fn load(&mut self, place: Place, index: &Value) -> Result<Value, Fault> {
        match place {
            Place::Variable(variable) => self.variable(variable),
            Place::Field if is_record(index) => self.whole(),
            Place::Field => match field_number(index.number())? {
                0 => self.whole(),
                number => self.record.field(number),
            },
            Place::Element(array) => {
                let key = self.text(index);
                let value = self.array(array)?.borrow_mut().get(&key);
                self.check_held()?;
                Ok(value)
            }
            Place::Scratch => Ok(index.clone()),
        }
    }

    pub(super) fn store(&mut self, place: Place, index: &Value, value: Value) -> Result<(), Fault> {
        match place {
            Place::Variable(variable) => self.set_variable(variable, value),
            Place::Field => match field_number(index.number())? {
                0 => self.set_record(value),
                number => self.record.set_field(number, value),
            },
            Place::Element(array) => {
                let key = self.text(index);
                self.array(array)?.borrow_mut().set(&key, value);
                self.check_held()
            }
            Place::Scratch => Ok(()),
        }
    }

    pub(super) fn check_held(&self) -> Result<(), Fault> {
        if self.held.get() > MAX_HELD {
            return Err(format!("out of memory: arrays of more than {MAX_HELD} bytes"));
        }
        Ok(())
    }

    /// The pattern that a value is or means.
    pub(super) fn pattern(&mut self, value: &Value) -> Result<Rc<crate::shared::posix_regex::Regex>, Fault> {
        match value {
            Value::Regex(regex) => Ok(Rc::clone(regex)),
            other => {
                let text = self.text(other);
                self.patterns.get(&text)
            }
        }
    }

    /// getline read a record.
    pub(super) fn got_record(&mut self, text: Vec<u8>, into: Option<Place>) -> Result<(), Fault> {
        self.charge(text.len());
        let value = Value::Input(text.into());
        match into {
            None => self.set_record(value)?,
            Some(place) => {
                let index = self.index(place);
                self.store(place, &index, value)?;
            }
        }
        self.push(Value::Number(1.0));
        Ok(())
    }

    /// getline read nothing: 0 at the end of the input, -1 if that cannot be read.
    pub(super) fn got_none(&mut self, result: f64, into: Option<Place>) {
        if let Some(place) = into {
            self.index(place);
        }
        self.push(Value::Number(result));
    }

    /// Adds to a variable that counts records.
    pub(super) fn count(&mut self, number: usize) {
        if let Some(value) = self.globals.get_mut(number) {
            *value = Value::Number(value.number() + 1.0);
        }
    }

    /// Runs until something is needed.
    pub(super) fn run(&mut self) -> Result<Pause, Fault> {
        let code = Rc::clone(&self.code);
        loop {
            if self.spent >= BURST {
                return Ok(Pause::Tired(std::mem::take(&mut self.spent)));
            }
            self.spent += 1;
            let Some(op) = code.ops.get(self.at) else { return Ok(Pause::End) };
            self.at += 1;
            if let Some(pause) = self.step(op)? {
                return Ok(pause);
            }
        }
    }

    fn step(&mut self, op: &Op) -> Result<Option<Pause>, Fault> {
        match op {
            Op::Unset => self.push(Value::Unset),
            Op::Number(value) => self.push(Value::Number(*value)),
            Op::Text(text) => self.push(Value::Text(Rc::clone(text))),
            Op::Regex(regex) => self.push(Value::Regex(Rc::clone(regex))),
            Op::Load(place) => {
                let index = self.index(*place);
                let value = self.load(*place, &index)?;
                self.push(value);
            }
            Op::Store(place) => {
                let value = self.pop();
                let index = self.index(*place);
                self.store(*place, &index, value.clone())?;
                self.push(value);
            }
            Op::Update(place, operator) => {
                let right = self.pop();
                let index = self.index(*place);
                let left = self.load(*place, &index)?;
                let value = self.binary(*operator, &left, &right)?;
                self.store(*place, &index, value.clone())?;
                self.push(value);
            }
            Op::Step { place, by, postfix } => {
                let index = self.index(*place);
                let old = self.load(*place, &index)?.number();
                self.store(*place, &index, Value::Number(old + by))?;
                self.push(Value::Number(if *postfix { old } else { old + by }));
            }
            Op::Binary(operator) => {
                let (right, left) = (self.pop(), self.pop());
                let value = self.binary(*operator, &left, &right)?;
                self.push(value);
            }
            Op::Not => {
                let value = !self.pop().is_true();
                self.push(Value::truth(value));
            }
            Op::Minus => {
                let value = -self.pop_number();
                self.push(Value::Number(value));
            }
            Op::ToNumber => {
                let value = self.pop_number();
                self.push(Value::Number(value));
            }
            Op::ToTruth => {
                let value = self.pop().is_true();
                self.push(Value::truth(value));
            }
            Op::Match { negated } => {
                let (pattern, text) = (self.pop(), self.pop_text());
                self.charge(text.len());
                let matches = regex::is_match(&*self.pattern(&pattern)?, &text)?;
                self.push(Value::truth(matches != *negated));
            }
            Op::Key(count) => {
                let separator = self.special(special::SUBSEP);
                let parts: Vec<Text> = self.pop_many(*count).iter().map(|part| self.text(part)).collect();
                self.check_string(parts.iter().map(|part| part.len() + separator.len()).sum())?;
                self.push(Value::Text(parts.join(&separator[..]).into()));
            }
            Op::In(array) => {
                let key = self.pop_text();
                let there = self.array(*array)?.borrow().contains(&key);
                self.push(Value::truth(there));
            }
            Op::Pop => drop(self.pop()),
            Op::Jump(to) => self.at = *to,
            Op::JumpIfFalse(to) => {
                if !self.pop().is_true() {
                    self.at = *to;
                }
            }
            Op::JumpIfTrue(to) => {
                if self.pop().is_true() {
                    self.at = *to;
                }
            }
            Op::JumpIfInRange(range, to) => {
                if self.in_range.get(*range).copied().unwrap_or_default() {
                    self.at = *to;
                }
            }
            Op::SetRange(range, inside) => {
                if let Some(slot) = self.in_range.get_mut(*range) {
                    *slot = *inside;
                }
            }
            Op::DeleteElement(array) => {
                let key = self.pop_text();
                self.array(*array)?.borrow_mut().remove(&key);
            }
            Op::DeleteAll(array) => self.array(*array)?.borrow_mut().clear(),
            Op::Keys(array) => {
                let keys = self.array(*array)?.borrow().keys();
                self.spent += u64::try_from(keys.len()).unwrap_or_default();
                self.loops.push(keys.into_iter());
            }
            Op::NextKey(to) => match self.loops.last_mut().and_then(Iterator::next) {
                Some(key) => self.push(Value::Text(key)),
                None => self.at = *to,
            },
            Op::EndKeys => drop(self.loops.pop()),
            Op::Argument(variable) => self.argument(*variable)?,
            Op::Call { function, given } => self.call(*function, *given)?,
            Op::Return => {
                let value = self.pop();
                if let Some(frame) = self.frames.pop() {
                    self.stack.truncate(self.base);
                    self.loops.truncate(frame.loops);
                    self.at = frame.back;
                    self.base = frame.base;
                }
                self.push(match value {
                    Value::Array(_) => return Err("a function returns an array".to_owned()),
                    Value::Maybe(_) => Value::Unset,
                    value => value,
                });
            }
            Op::Function(function) => self.function(*function)?,
            Op::LengthOf(variable) => {
                let length = match self.slot(*variable) {
                    Value::Array(array) | Value::Maybe(array) => array.borrow().len(),
                    _ => {
                        let value = self.variable(*variable)?;
                        self.text(&value).len()
                    }
                };
                self.push(Value::Number(length as f64));
            }
            Op::Sprintf(count) => {
                let args = self.pop_many(*count);
                let text = self.sprintf(&args)?;
                self.push(Value::Text(text.into()));
            }
            Op::Split { array, with } => self.split(*array, *with)?,
            Op::Substitute { place, global } => self.substitute(*place, *global)?,
            Op::Print { format, args, to } => {
                let to = to.map(|kind| (kind, self.pop_text()));
                let args = self.pop_many(*args);
                let data = if *format { self.sprintf(&args)? } else { self.line(&args)? };
                self.charge(data.len());
                return Ok(Some(Pause::Print { to, data }));
            }
            Op::Getline { from, into } => {
                let name = if *from == From::Main { Rc::new([]) as Text } else { self.pop_text() };
                return Ok(Some(Pause::Getline { from: *from, name, into: *into }));
            }
            Op::Close => return Ok(Some(Pause::Close(self.pop_text()))),
            Op::System => return Ok(Some(Pause::System(self.pop_text()))),
            Op::FlushAll => return Ok(Some(Pause::Flush(None))),
            Op::Flush => return Ok(Some(Pause::Flush(Some(self.pop_text())))),
            Op::SeedByClock => return Ok(Some(Pause::SeedByClock)),
            Op::Next => return Ok(Some(Pause::Next)),
            Op::NextFile => return Ok(Some(Pause::NextFile)),
            Op::Exit { with } => {
                if *with {
                    #[expect(clippy::cast_possible_truncation, reason = "what does not fit becomes the nearest number")]
                    let code = self.pop_number() as i64;
                    self.exit_code = i32::try_from(code & 0xff).unwrap_or_default();
                }
                return Ok(Some(Pause::Exit));
            }
            Op::End => return Ok(Some(Pause::End)),
        }
        Ok(None)
    }

    fn check_string(&self, length: usize) -> Result<(), Fault> {
        if length > MAX_STRING {
            return Err(format!("out of memory: a string of more than {MAX_STRING} bytes"));
        }
        Ok(())
    }

    fn binary(&mut self, operator: BinOp, left: &Value, right: &Value) -> Result<Value, Fault> {
        Ok(match operator {
            BinOp::Concat => {
                let (left, right) = (self.text(left), self.text(right));
                let length = left.len() + right.len();
                self.check_string(length)?;
                self.charge(length);
                let mut both = Vec::with_capacity(length);
                both.extend_from_slice(&left);
                both.extend_from_slice(&right);
                Value::Text(both.into())
            }
            BinOp::Less => Value::truth(self.compare(left, right)?.is_lt()),
            BinOp::LessEqual => Value::truth(self.compare(left, right)?.is_le()),
            BinOp::Equal => Value::truth(self.compare(left, right)?.is_eq()),
            BinOp::NotEqual => Value::truth(self.compare(left, right)?.is_ne()),
            BinOp::Greater => Value::truth(self.compare(left, right)?.is_gt()),
            BinOp::GreaterEqual => Value::truth(self.compare(left, right)?.is_ge()),
            _ => {
                let (left, right) = (left.number(), right.number());
                Value::Number(match operator {
                    BinOp::Add => left + right,
                    BinOp::Subtract => left - right,
                    BinOp::Multiply => left * right,
                    BinOp::Divide => left / right,
                    BinOp::Modulo => libm::fmod(left, right),
                    _ => libm::pow(left, right),
                })
            }
        })
    }

    /// Numbers compare as numbers; with text on either side it is the bytes that compare. What is no
    /// number equals nothing but is not ordered either; it counts as less.
    fn compare(&mut self, left: &Value, right: &Value) -> Result<std::cmp::Ordering, Fault> {
        let number = |value: &Compared<'_>| match value {
            Compared::Number(value) => Some(*value),
            Compared::Unset => Some(0.0),
            Compared::Text(_) => None,
        };
        let (one, two) = (left.compared(), right.compared());
        if let (Some(one), Some(two)) = (number(&one), number(&two)) {
            return Ok(one.partial_cmp(&two).unwrap_or(std::cmp::Ordering::Less));
        }
        let (one, two) = (self.text(left), self.text(right));
        self.charge(one.len().min(two.len()));
        Ok(one.cmp(&two))
    }

    fn argument(&mut self, variable: Variable) -> Result<(), Fault> {
        if variable == Variable::Global(special::NF) {
            let value = self.variable(variable)?;
            self.push(value);
            return Ok(());
        }
        let held = Rc::clone(&self.held);
        let slot = self.slot(variable);
        if matches!(slot, Value::Unset) {
            *slot = Value::Maybe(Rc::new(RefCell::new(Array::new(&held))));
        }
        let value = slot.clone();
        self.push(value);
        Ok(())
    }

    fn call(&mut self, function: usize, given: usize) -> Result<(), Fault> {
        let code = Rc::clone(&self.code);
        let Some(info) = code.functions.get(function) else { return Ok(()) };
        if self.frames.len() >= MAX_CALLS {
            return Err(format!("function {} is called more than {MAX_CALLS} calls deep", info.name));
        }
        let base = self.stack.len().saturating_sub(given);
        self.stack.resize(base + info.parameters, Value::Unset);
        self.frames.push(Frame { back: self.at, base: self.base, loops: self.loops.len() });
        self.base = base;
        self.at = info.start;
        Ok(())
    }

    fn sprintf(&mut self, args: &[Value]) -> Result<Vec<u8>, Fault> {
        let Some((format, args)) = args.split_first() else { return Ok(Vec::new()) };
        let (format, convert) = (self.text(format), self.special(special::CONVFMT));
        let text = super::printf::format(&format, args, &convert)?;
        self.charge(text.len());
        Ok(text)
    }

    /// The line that print writes.
    fn line(&mut self, args: &[Value]) -> Result<Vec<u8>, Fault> {
        let mut line = Vec::new();
        if args.is_empty() {
            let whole = self.whole()?;
            line.extend_from_slice(&self.text(&whole));
        } else {
            let (format, between) = (self.special(special::OFMT), self.special(special::OFS));
            for (index, arg) in args.iter().enumerate() {
                if index > 0 {
                    line.extend_from_slice(&between);
                }
                line.extend_from_slice(&arg.to_text(&format));
            }
        }
        line.extend_from_slice(&self.special(special::ORS));
        Ok(line)
    }
}
