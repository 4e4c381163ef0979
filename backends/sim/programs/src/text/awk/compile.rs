//! From the tree to instructions: rules, functions and statements.

use std::collections::BTreeMap;

use super::ast::{Expr, Function as FunctionTree, Pattern, Redirect, Rule, Stmt, Tree};
use super::code::{Code, FunctionInfo, Op, Place, Variable, special};
use super::expression::undefined_function;
use super::lexer::SyntaxError;

/// The most instructions of a program: what source text of any sensible size comes to.
const MAX_OPS: usize = 1 << 20;

/// How a name is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Scalar,
    Array,
    /// Passed to a function, which decides.
    Either,
}

#[derive(Debug)]
struct Known {
    name: String,
    used: Use,
}

/// Jumps out of a loop that wait for its ends to be known.
#[derive(Default)]
struct Loop {
    breaks: Vec<usize>,
    continues: Vec<usize>,
}

pub(super) struct Compiler {
    pub(super) ops: Vec<Op>,
    functions: Vec<FunctionInfo>,
    by_name: BTreeMap<String, usize>,
    globals: Vec<Known>,
    locals: Vec<Known>,
    loops: Vec<Loop>,
    ranges: usize,
}

/// Compiles a program; errors name no line, as what is used how shows only in the whole.
pub(super) fn compile(tree: &Tree) -> Result<Code, SyntaxError> {
    let mut compiler = Compiler {
        ops: Vec::new(),
        functions: Vec::new(),
        by_name: BTreeMap::new(),
        globals: special::NAMES
            .iter()
            .enumerate()
            .map(|(number, name)| Known {
                name: (*name).to_owned(),
                used: if matches!(number, special::ARGV | special::ENVIRON) { Use::Array } else { Use::Scalar },
            })
            .collect(),
        locals: Vec::new(),
        loops: Vec::new(),
        ranges: 0,
    };
    for (number, function) in tree.functions.iter().enumerate() {
        compiler.by_name.insert(function.name.clone(), number);
        compiler.functions.push(FunctionInfo {
            name: function.name.clone(),
            parameters: function.parameters.len(),
            start: 0,
        });
    }
    for (name, line) in &tree.calls {
        if !compiler.by_name.contains_key(name) {
            return Err(SyntaxError { line: *line, message: undefined_function(name) });
        }
    }
    compiler.program(tree).map_err(|message| SyntaxError { line: 0, message })
}

impl Compiler {
    fn program(mut self, tree: &Tree) -> Result<Code, String> {
        for action in &tree.begin {
            self.block(action)?;
        }
        self.emit(Op::End)?;
        let main = if tree.rules.is_empty() { None } else { Some(self.here()) };
        for rule in &tree.rules {
            self.rule(rule)?;
        }
        self.emit(Op::End)?;
        let end = if tree.end.is_empty() { None } else { Some(self.here()) };
        for action in &tree.end {
            self.block(action)?;
        }
        self.emit(Op::End)?;
        for (number, function) in tree.functions.iter().enumerate() {
            self.function(number, function).map_err(|message| format!("{message} (function {})", function.name))?;
        }
        Ok(Code {
            ops: self.ops,
            functions: self.functions,
            globals: self.globals.into_iter().map(|known| (known.name, known.used == Use::Array)).collect(),
            begin: 0,
            main,
            end,
            ranges: self.ranges,
        })
    }

    pub(super) fn here(&self) -> usize {
        self.ops.len()
    }

    pub(super) fn emit(&mut self, op: Op) -> Result<usize, String> {
        if self.ops.len() >= MAX_OPS {
            return Err("the program is too long".to_owned());
        }
        self.ops.push(op);
        Ok(self.ops.len() - 1)
    }

    /// Makes a jump that was emitted without its aim go to `to`.
    pub(super) fn aim(&mut self, jump: usize, to: usize) {
        if let Some(
            Op::Jump(aim) | Op::JumpIfFalse(aim) | Op::JumpIfTrue(aim) | Op::JumpIfInRange(_, aim) | Op::NextKey(aim),
        ) = self.ops.get_mut(jump)
        {
            *aim = to;
        }
    }

    pub(super) fn aim_here(&mut self, jump: usize) {
        self.aim(jump, self.here());
    }

    /// The variable of that name, used that way from here on.
    pub(super) fn variable(&mut self, name: &str, used: Use) -> Result<Variable, String> {
        let (list, is_local) = match self.locals.iter().position(|known| known.name == name) {
            Some(_) => (&mut self.locals, true),
            None => (&mut self.globals, false),
        };
        let number = match list.iter().position(|known| known.name == name) {
            Some(number) => number,
            None => {
                if self.by_name.contains_key(name) {
                    return Err(format!("function {name} is used as a variable"));
                }
                list.push(Known { name: name.to_owned(), used });
                list.len() - 1
            }
        };
        if let Some(known) = list.get_mut(number) {
            match (known.used, used) {
                (Use::Either, used) => known.used = used,
                (Use::Array, Use::Scalar) => return Err(format!("illegal reference to array {name}")),
                (Use::Scalar, Use::Array) => return Err(format!("{name} is used as an array, but it is none")),
                _ => {}
            }
        }
        Ok(if is_local { Variable::Local(number) } else { Variable::Global(number) })
    }

    /// Where a function is, and how many parameters it has.
    pub(super) fn function_info(&self, name: &str) -> Option<(usize, usize)> {
        let number = *self.by_name.get(name)?;
        Some((number, self.functions.get(number)?.parameters))
    }

    fn function(&mut self, number: usize, function: &FunctionTree) -> Result<(), String> {
        for parameter in &function.parameters {
            if self.by_name.contains_key(parameter) {
                return Err(format!("function {parameter} is used as a parameter"));
            }
            if special::NAMES.contains(&parameter.as_str()) {
                return Err(format!("{parameter} means something to awk and cannot be a parameter"));
            }
        }
        self.locals = function.parameters.iter().map(|name| Known { name: name.clone(), used: Use::Either }).collect();
        let start = self.here();
        if let Some(info) = self.functions.get_mut(number) {
            info.start = start;
        }
        self.block(&function.body)?;
        self.emit(Op::Unset)?;
        self.emit(Op::Return)?;
        self.locals.clear();
        Ok(())
    }

    fn rule(&mut self, rule: &Rule) -> Result<(), String> {
        let skip = match &rule.pattern {
            Pattern::Always => None,
            Pattern::When(condition) => {
                self.expr(condition)?;
                Some(self.emit(Op::JumpIfFalse(0))?)
            }
            Pattern::Range(first, last) => {
                let range = self.ranges;
                self.ranges += 1;
                let inside = self.emit(Op::JumpIfInRange(range, 0))?;
                self.expr(first)?;
                let skip = self.emit(Op::JumpIfFalse(0))?;
                self.emit(Op::SetRange(range, true))?;
                self.aim_here(inside);
                self.expr(last)?;
                let goes_on = self.emit(Op::JumpIfFalse(0))?;
                self.emit(Op::SetRange(range, false))?;
                self.aim_here(goes_on);
                Some(skip)
            }
        };
        match &rule.action {
            Some(action) => self.block(action)?,
            None => {
                self.emit(Op::Print { format: false, args: 0, to: None })?;
            }
        }
        if let Some(skip) = skip {
            self.aim_here(skip);
        }
        Ok(())
    }

    fn block(&mut self, statements: &[Stmt]) -> Result<(), String> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn optional(&mut self, statement: Option<&Stmt>) -> Result<(), String> {
        statement.map_or(Ok(()), |statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt) -> Result<(), String> {
        match statement {
            Stmt::Expr(expr) => {
                self.expr(expr)?;
                self.emit(Op::Pop)?;
            }
            Stmt::Print { format, args, to } => self.print(*format, args, to.as_ref())?,
            Stmt::Block(statements) => self.block(statements)?,
            Stmt::If(condition, then, otherwise) => {
                self.expr(condition)?;
                let to_else = self.emit(Op::JumpIfFalse(0))?;
                self.statement(then)?;
                if let Some(otherwise) = otherwise {
                    let to_end = self.emit(Op::Jump(0))?;
                    self.aim_here(to_else);
                    self.statement(otherwise)?;
                    self.aim_here(to_end);
                } else {
                    self.aim_here(to_else);
                }
            }
            Stmt::While(condition, body) => self.for_loop(None, Some(condition), None, body)?,
            Stmt::For { first, condition, step, body } => {
                self.for_loop(first.as_deref(), condition.as_ref(), step.as_deref(), body)?;
            }
            Stmt::DoWhile(body, condition) => {
                let top = self.here();
                self.loops.push(Loop::default());
                self.statement(body)?;
                let again = self.here();
                self.expr(condition)?;
                self.emit(Op::JumpIfTrue(top))?;
                self.end_loop(again);
            }
            Stmt::ForIn(variable, array, body) => {
                let array = self.variable(array, Use::Array)?;
                let variable = self.variable(variable, Use::Scalar)?;
                self.emit(Op::Keys(array))?;
                let top = self.emit(Op::NextKey(0))?;
                self.emit(Op::Store(Place::Variable(variable)))?;
                self.emit(Op::Pop)?;
                self.loops.push(Loop::default());
                self.statement(body)?;
                self.emit(Op::Jump(top))?;
                self.end_loop(top);
                self.aim_here(top);
                self.emit(Op::EndKeys)?;
            }
            Stmt::Break => {
                let jump = self.emit(Op::Jump(0))?;
                if let Some(inner) = self.loops.last_mut() {
                    inner.breaks.push(jump);
                }
            }
            Stmt::Continue => {
                let jump = self.emit(Op::Jump(0))?;
                if let Some(inner) = self.loops.last_mut() {
                    inner.continues.push(jump);
                }
            }
            Stmt::Next => drop(self.emit(Op::Next)?),
            Stmt::NextFile => drop(self.emit(Op::NextFile)?),
            Stmt::Exit(code) => {
                if let Some(code) = code {
                    self.expr(code)?;
                }
                self.emit(Op::Exit { with: code.is_some() })?;
            }
            Stmt::Return(value) => {
                match value {
                    Some(value) => self.expr(value)?,
                    None => drop(self.emit(Op::Unset)?),
                }
                self.emit(Op::Return)?;
            }
            Stmt::Delete(array, index) => {
                let array = self.variable(array, Use::Array)?;
                match index {
                    None => self.emit(Op::DeleteAll(array))?,
                    Some(index) => {
                        self.key(index)?;
                        self.emit(Op::DeleteElement(array))?
                    }
                };
            }
        }
        Ok(())
    }

    fn for_loop(
        &mut self,
        first: Option<&Stmt>,
        condition: Option<&Expr>,
        step: Option<&Stmt>,
        body: &Stmt,
    ) -> Result<(), String> {
        self.optional(first)?;
        let top = self.here();
        let out = match condition {
            None => None,
            Some(condition) => {
                self.expr(condition)?;
                Some(self.emit(Op::JumpIfFalse(0))?)
            }
        };
        self.loops.push(Loop::default());
        self.statement(body)?;
        let again = self.here();
        self.optional(step)?;
        self.emit(Op::Jump(top))?;
        self.end_loop(again);
        if let Some(out) = out {
            self.aim_here(out);
        }
        Ok(())
    }

    /// `break` goes here, `continue` to `again`.
    fn end_loop(&mut self, again: usize) {
        if let Some(ended) = self.loops.pop() {
            for jump in ended.breaks {
                self.aim_here(jump);
            }
            for jump in ended.continues {
                self.aim(jump, again);
            }
        }
    }

    fn print(&mut self, format: bool, args: &[Expr], to: Option<&(Redirect, Expr)>) -> Result<(), String> {
        for arg in args {
            self.expr(arg)?;
        }
        if let Some((_, target)) = to {
            self.expr(target)?;
        }
        self.emit(Op::Print { format, args: args.len(), to: to.map(|(kind, _)| *kind) })?;
        Ok(())
    }
}
