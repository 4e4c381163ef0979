//! From the tree to instructions: expressions.

use std::rc::Rc;

use super::ast::{Builtin, Expr, ExprKind, Source};
use super::code::{From, Function, Op, Place, Variable};
use super::compile::{Compiler, Use};
use super::regex;

impl Compiler {
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<(), String> {
        match &expr.kind {
            ExprKind::Number(value) => drop(self.emit(Op::Number(*value))?),
            ExprKind::Text(text) => drop(self.emit(Op::Text(Rc::clone(text)))?),
            ExprKind::Regex(_) => {
                self.emit(Op::Number(0.0))?;
                self.emit(Op::Load(Place::Field))?;
                self.pattern(expr)?;
                self.emit(Op::Match { negated: false })?;
            }
            ExprKind::Name(_) | ExprKind::Field(_) | ExprKind::Index(..) => {
                let place = self.place(expr)?;
                self.emit(Op::Load(place))?;
            }
            ExprKind::Assign(target, operator, value) => {
                let place = self.place(target)?;
                self.expr(value)?;
                self.emit(match operator {
                    None => Op::Store(place),
                    Some(operator) => Op::Update(place, *operator),
                })?;
            }
            ExprKind::Step { target, by, postfix } => {
                let place = self.place(target)?;
                self.emit(Op::Step { place, by: *by, postfix: *postfix })?;
            }
            ExprKind::Conditional(three) => {
                let [condition, then, otherwise] = three.as_ref();
                self.expr(condition)?;
                let to_else = self.emit(Op::JumpIfFalse(0))?;
                self.expr(then)?;
                let to_end = self.emit(Op::Jump(0))?;
                self.aim_here(to_else);
                self.expr(otherwise)?;
                self.aim_here(to_end);
            }
            ExprKind::Not(one) => self.unary(one, Op::Not)?,
            ExprKind::Minus(one) => self.unary(one, Op::Minus)?,
            ExprKind::Plus(one) => self.unary(one, Op::ToNumber)?,
            ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Binary(..) | ExprKind::Match(..) => self.chain(expr)?,
            ExprKind::In(index, array) => {
                self.key(index)?;
                let array = self.variable(array, Use::Array)?;
                self.emit(Op::In(array))?;
            }
            ExprKind::Call(name, args) => self.call(name, args)?,
            ExprKind::Builtin(builtin, args) => self.builtin(*builtin, args)?,
            ExprKind::Getline(source, into) => self.getline(source, into.as_deref())?,
            ExprKind::List(_) => return Err("syntax error: a list in parentheses stands where no list can".to_owned()),
        }
        Ok(())
    }

    fn unary(&mut self, operand: &Expr, op: Op) -> Result<(), String> {
        self.expr(operand)?;
        self.emit(op)?;
        Ok(())
    }

    /// Operators in a row, from the left: without recursion, as a row may be long.
    fn chain(&mut self, expr: &Expr) -> Result<(), String> {
        let mut rest = Vec::new();
        let mut first = expr;
        while let ExprKind::And(two) | ExprKind::Or(two) | ExprKind::Binary(_, two) | ExprKind::Match(_, two) =
            &first.kind
        {
            rest.push((&first.kind, &two[1]));
            first = &two[0];
        }
        self.expr(first)?;
        for (kind, right) in rest.into_iter().rev() {
            match kind {
                ExprKind::And(_) => self.logic(right, true)?,
                ExprKind::Or(_) => self.logic(right, false)?,
                ExprKind::Binary(operator, _) => self.unary(right, Op::Binary(*operator))?,
                ExprKind::Match(negated, _) => {
                    self.pattern(right)?;
                    self.emit(Op::Match { negated: *negated })?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// `&&` or `||` with what is on the stack.
    fn logic(&mut self, right: &Expr, and: bool) -> Result<(), String> {
        let short = self.emit(if and { Op::JumpIfFalse(0) } else { Op::JumpIfTrue(0) })?;
        self.unary(right, Op::ToTruth)?;
        let end = self.emit(Op::Jump(0))?;
        self.aim_here(short);
        self.emit(Op::Number(if and { 0.0 } else { 1.0 }))?;
        self.aim_here(end);
        Ok(())
    }

    /// Emits what a place needs on the stack.
    fn place(&mut self, expr: &Expr) -> Result<Place, String> {
        Ok(match &expr.kind {
            ExprKind::Name(name) => Place::Variable(self.variable(name, Use::Scalar)?),
            ExprKind::Field(number) => {
                self.expr(number)?;
                Place::Field
            }
            ExprKind::Index(name, index) => {
                self.key(index)?;
                Place::Element(self.variable(name, Use::Array)?)
            }
            _ => {
                self.expr(expr)?;
                Place::Scratch
            }
        })
    }

    pub(super) fn key(&mut self, index: &[Expr]) -> Result<(), String> {
        for part in index {
            self.expr(part)?;
        }
        if index.len() > 1 {
            self.emit(Op::Key(index.len()))?;
        }
        Ok(())
    }

    /// An expression where a pattern is wanted.
    fn pattern(&mut self, expr: &Expr) -> Result<(), String> {
        let ExprKind::Regex(pattern) = &expr.kind else { return self.expr(expr) };
        let regex = regex::compile(pattern)?;
        self.emit(Op::Regex(Rc::new(regex)))?;
        Ok(())
    }

    fn call(&mut self, name: &str, args: &[Expr]) -> Result<(), String> {
        let Some((function, parameters)) = self.function_info(name) else {
            return Err(format!("function {name} never defined"));
        };
        if args.len() > parameters {
            return Err(format!("too many arguments in call to {name}"));
        }
        for arg in args {
            match &arg.kind {
                ExprKind::Name(variable) => {
                    let variable = self.variable(variable, Use::Either)?;
                    self.emit(Op::Argument(variable))?;
                }
                _ => self.expr(arg)?,
            }
        }
        self.emit(Op::Call { function, given: args.len() })?;
        Ok(())
    }

    fn array(&mut self, expr: &Expr, function: &str) -> Result<Variable, String> {
        match &expr.kind {
            ExprKind::Name(name) => self.variable(name, Use::Array),
            _ => Err(format!("{function} needs the name of an array")),
        }
    }

    fn builtin(&mut self, builtin: Builtin, args: &[Expr]) -> Result<(), String> {
        match (builtin, args) {
            (Builtin::Length, []) => {
                self.emit(Op::Number(0.0))?;
                self.emit(Op::Load(Place::Field))?;
                self.emit(Op::Function(Function::Length))?;
            }
            (Builtin::Length, [Expr { kind: ExprKind::Name(name), .. }]) => {
                let variable = self.variable(name, Use::Either)?;
                self.emit(Op::LengthOf(variable))?;
            }
            (Builtin::Split, [text, array, rest @ ..]) => {
                self.expr(text)?;
                for separator in rest {
                    self.pattern(separator)?;
                }
                let array = self.array(array, "split")?;
                self.emit(Op::Split { array, with: !rest.is_empty() })?;
            }
            (Builtin::Sub | Builtin::Gsub, [pattern, replacement, target @ ..]) => {
                let place = match target.first() {
                    Some(target) => self.place(target)?,
                    None => {
                        self.emit(Op::Number(0.0))?;
                        Place::Field
                    }
                };
                self.pattern(pattern)?;
                self.expr(replacement)?;
                self.emit(Op::Substitute { place, global: builtin == Builtin::Gsub })?;
            }
            (Builtin::Match, [text, pattern]) => {
                self.expr(text)?;
                self.pattern(pattern)?;
                self.emit(Op::Function(Function::Match))?;
            }
            _ => {
                for arg in args {
                    self.expr(arg)?;
                }
                self.emit(match (builtin, args.len()) {
                    (Builtin::Atan2, _) => Op::Function(Function::Atan2),
                    (Builtin::Cos, _) => Op::Function(Function::Cos),
                    (Builtin::Exp, _) => Op::Function(Function::Exp),
                    (Builtin::Index, _) => Op::Function(Function::Index),
                    (Builtin::Int, _) => Op::Function(Function::Int),
                    (Builtin::Log, _) => Op::Function(Function::Log),
                    (Builtin::Rand, _) => Op::Function(Function::Rand),
                    (Builtin::Sin, _) => Op::Function(Function::Sin),
                    (Builtin::Sqrt, _) => Op::Function(Function::Sqrt),
                    (Builtin::Substr, 2) => Op::Function(Function::SubstrFrom),
                    (Builtin::Substr, _) => Op::Function(Function::Substr),
                    (Builtin::Tolower, _) => Op::Function(Function::Tolower),
                    (Builtin::Toupper, _) => Op::Function(Function::Toupper),
                    (Builtin::Srand, 0) => Op::SeedByClock,
                    (Builtin::Srand, _) => Op::Function(Function::Srand),
                    (Builtin::Fflush, 0) => Op::FlushAll,
                    (Builtin::Fflush, _) => Op::Flush,
                    (Builtin::Close, _) => Op::Close,
                    (Builtin::System, _) => Op::System,
                    (Builtin::Sprintf, count) => Op::Sprintf(count),
                    (Builtin::Length | Builtin::Match, _) => Op::Function(Function::Length),
                    (Builtin::Split | Builtin::Sub | Builtin::Gsub, _) => {
                        return Err(format!("wrong number of arguments in call to {builtin:?}"));
                    }
                })?;
            }
        }
        Ok(())
    }

    fn getline(&mut self, source: &Source, into: Option<&Expr>) -> Result<(), String> {
        let into = match into {
            Some(target) => Some(self.place(target)?),
            None => None,
        };
        if into == Some(Place::Scratch) {
            return Err("syntax error: getline can only read into a variable".to_owned());
        }
        let from = match source {
            Source::Main => From::Main,
            Source::File(name) => {
                self.expr(name)?;
                From::File
            }
            Source::Command(command) => {
                self.expr(command)?;
                From::Command
            }
        };
        self.emit(Op::Getline { from, into })?;
        Ok(())
    }
}
