//! Lab: owns VMs and sub-labs. `provium` is the root lab: the running test's own, with a view of the file's.

mod fields;

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Lua, MetaMethod, MultiValue, Table, UserData, UserDataFields, UserDataMethods, Value};
use provium_protocol::Op;

use super::args::Named;
use super::barrier::{Rounds, barrier};
use super::call::{Answer, Call, Class, Returned, later, nothing, now, one};
use super::fault::Fault;
use super::host::Host;
use super::machine::{self, Vm, VmRef, VmState};
use super::vm::{boot_options, unsupported};
use crate::exec::wait::all;
use fields::{assign, index};

/// A lab.
pub struct Lab {
    name: Option<Rc<str>>,
    vms: RefCell<Vec<Rc<Vm>>>,
    labs: RefCell<Vec<Rc<Lab>>>,
    /// Members that belong to another lab.
    included: RefCell<Vec<Member>>,
    /// Barriers whose round has begun.
    pub rounds: Rounds,
}

#[derive(Clone)]
enum Member {
    Vm(Rc<Vm>),
    Lab(Rc<Lab>),
}

impl Member {
    fn is(&self, other: &Member) -> bool {
        match (self, other) {
            (Member::Vm(a), Member::Vm(b)) => Rc::ptr_eq(a, b),
            (Member::Lab(a), Member::Lab(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    fn to_lua(&self, lua: &Lua) -> mlua::Result<Value> {
        match self {
            Member::Vm(vm) => machine::to_lua(lua, vm),
            Member::Lab(lab) => to_lua(lua, lab),
        }
    }
}

impl Lab {
    /// An empty lab.
    pub fn new(name: Option<Rc<str>>) -> Rc<Lab> {
        Rc::new(Lab {
            name,
            vms: RefCell::default(),
            labs: RefCell::default(),
            included: RefCell::default(),
            rounds: RefCell::default(),
        })
    }

    /// The VM of this name.
    pub fn vm(&self, name: &str) -> Option<Rc<Vm>> {
        let own = self.vms.borrow().iter().find(|vm| *vm.name == *name).cloned();
        own.or_else(|| {
            self.included.borrow().iter().find_map(|member| match member {
                Member::Vm(vm) if *vm.name == *name => Some(Rc::clone(vm)),
                _ => None,
            })
        })
    }

    fn lab(&self, name: &str) -> Option<Rc<Lab>> {
        let named = |lab: &Rc<Lab>| lab.name.as_deref() == Some(name);
        let own = self.labs.borrow().iter().find(|lab| named(lab)).cloned();
        own.or_else(|| {
            self.included.borrow().iter().find_map(|member| match member {
                Member::Lab(lab) if named(lab) => Some(Rc::clone(lab)),
                _ => None,
            })
        })
    }

    /// The names under which its VMs and sub-labs are looked up.
    pub fn names(&self) -> Vec<String> {
        let vms = self.all_vms().into_iter().map(|vm| vm.name.to_string());
        vms.chain(self.labs.borrow().iter().filter_map(|lab| lab.name.as_deref().map(str::to_owned))).collect()
    }

    fn members(&self) -> Vec<Member> {
        let vms = self.vms.borrow();
        let labs = self.labs.borrow();
        let own = vms.iter().cloned().map(Member::Vm).chain(labs.iter().cloned().map(Member::Lab));
        own.chain(self.included.borrow().iter().cloned()).collect()
    }

    /// Own and included VMs.
    pub fn all_vms(&self) -> Vec<Rc<Vm>> {
        let vms = self.members().into_iter().filter_map(|member| match member {
            Member::Vm(vm) => Some(vm),
            Member::Lab(_) => None,
        });
        vms.collect()
    }

    /// All VMs of it and of its sub-labs.
    pub fn vms_below(&self, found: &mut Vec<Rc<Vm>>) {
        found.extend(self.vms.borrow().iter().cloned());
        for lab in &*self.labs.borrow() {
            lab.vms_below(found);
        }
    }
}

/// The userdata of a lab. The root one stands for whatever `provium` is at the time of the call.
#[derive(Clone)]
pub enum LabRef {
    /// `provium`.
    Root,
    /// A sub-lab.
    Sub(Rc<Lab>),
}

static CLASS: Class = Class {
    prefix: "lab:",
    entries: &[
        now("vm", 3, vm),
        now("lab", 1, sub_lab),
        later("boot", 0, boot),
        later("shutdown", 0, |call| {
            together(call, Op::Shutdown, &[VmState::Booted, VmState::Paused], VmState::Shutdown)
        }),
        later("pause", 0, |call| together(call, Op::Pause, &[VmState::Booted], VmState::Paused)),
        later("resume", 0, |call| together(call, Op::Resume, &[VmState::Paused], VmState::Booted)),
        now("vm_names", 0, vm_names),
        now("sub_lab_names", 0, sub_lab_names),
        now("members", 0, members),
        now("include", 1, include),
        now("remove", 1, remove),
        later("barrier", 3, barrier),
        now("pack", 1_000, |call| string_function(call, "pack")),
        now("unpack", 3, |call| string_function(call, "unpack")),
        now("snapshot", 1, |call| unsupported(call, "snapshots")),
        now("restore", 1, |call| unsupported(call, "restoring a snapshot")),
        now("bridge", 2, |call| unsupported(call, "bridges")),
    ],
};

impl UserData for LabRef {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "Lab");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| index(lua, this, &key));
        methods.add_meta_method(MetaMethod::NewIndex, |lua, this, (key, value): (Value, Value)| {
            assign(lua, this, &key, &value).map_err(|mut fault| {
                fault.at = super::place::caller(lua, &Host::of(lua));
                mlua::Error::from(fault)
            })
        });
        methods.add_meta_method(MetaMethod::Eq, |_, this, other: mlua::UserDataRef<LabRef>| {
            Ok(match (this, &*other) {
                (LabRef::Root, LabRef::Root) => true,
                (LabRef::Sub(one), LabRef::Sub(other)) => Rc::ptr_eq(one, other),
                _ => false,
            })
        });
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| {
            Ok(match this {
                LabRef::Root => "lab `provium`".to_owned(),
                LabRef::Sub(lab) => format!("lab `{}`", lab.name.as_deref().unwrap_or("without a name")),
            })
        });
    }
}

/// A sub-lab for Lua.
fn to_lua(lua: &Lua, lab: &Rc<Lab>) -> mlua::Result<Value> {
    Ok(Value::UserData(lua.create_userdata(LabRef::Sub(Rc::clone(lab)))?))
}

/// The lab on which the method was called.
pub fn this(call: &Call) -> Result<Rc<Lab>, Fault> {
    Ok(resolve(&call.host, &call.this::<LabRef>()?))
}

fn resolve(host: &Host, lab: &LabRef) -> Rc<Lab> {
    match lab {
        LabRef::Root => host.root_lab(),
        LabRef::Sub(lab) => Rc::clone(lab),
    }
}

/// The file's lab, if the lab is a test's own.
fn fallback(call: &Call, lab: &Rc<Lab>) -> Option<Rc<Lab>> {
    let root = matches!(call.this::<LabRef>(), Ok(LabRef::Root));
    (root && !Rc::ptr_eq(lab, &call.host.top_lab)).then(|| Rc::clone(&call.host.top_lab))
}

fn vm(call: &Call) -> Returned {
    let lab = this(call)?;
    let name = call.read(1, "name", Named::text)?;
    let fallback = fallback(call, &lab);
    let known = lab.vm(&name);
    let of_file = fallback.as_ref().and_then(|file| file.vm(&name));
    if call.arg(2).is_nil() {
        if !call.arg(3).is_nil() {
            return Err(call.usage("boot options come after a profile: lab:vm(name, profile, options)"));
        }
        let Some(vm) = known.or(of_file) else {
            let mut names: Vec<String> = lab.all_vms().iter().map(|vm| format!("`{}`", vm.name)).collect();
            names.extend(fallback.iter().flat_map(|file| file.all_vms()).map(|vm| format!("`{}`", vm.name)));
            let known =
                if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
            return Err(Fault::usage(format!(
                "lab:vm: there is no vm `{name}` in this lab; {known}. To create one, name its profile: \
                 lab:vm({name:?}, \"linux\")"
            )));
        };
        return one(call.lua, machine::to_lua(call.lua, &vm)?);
    }
    call.read(1, "name", Named::name)?;
    let profile_name = call.read(2, "profile", Named::text)?;
    let options = boot_options(call.arg(3)).map_err(|fault| fault.prefixed("lab:vm"))?;
    if of_file.is_some() {
        return Err(Fault::usage(format!(
            "lab:vm: vm `{name}` is declared by the file already; look it up with provium:vm({name:?})"
        )));
    }
    if let Some(vm) = &known
        && !vm.was_closed()
    {
        let at = vm.declared_at.as_ref().map(|at| format!(" (at {at})")).unwrap_or_default();
        return Err(Fault::usage(format!("lab:vm: vm `{name}` is declared already{at}")));
    }
    let Some(profile) = call.host.setup.profiles.get(&profile_name) else {
        let valid: Vec<&str> = call.host.setup.profiles.keys().map(String::as_str).collect();
        let valid = if valid.is_empty() { "none".to_owned() } else { valid.join(", ") };
        return Err(Fault::usage(format!("lab:vm: unknown profile `{profile_name}`; profiles: {valid}")));
    };
    let vm = Vm::new(&call.host, name.into(), profile.clone(), options, call.place());
    lab.vms.borrow_mut().retain(|old| !old.was_closed() || *old.name != *vm.name);
    lab.vms.borrow_mut().push(Rc::clone(&vm));
    call.host.section().scope.register(Rc::clone(&vm) as _);
    one(call.lua, machine::to_lua(call.lua, &vm)?)
}

fn sub_lab(call: &Call) -> Returned {
    let lab = this(call)?;
    let name = call.read_optional(1, "name", Named::name)?;
    if let Some(name) = &name
        && let Some(known) = lab.lab(name).or_else(|| fallback(call, &lab).and_then(|file| file.lab(name)))
    {
        return one(call.lua, to_lua(call.lua, &known)?);
    }
    let sub = Lab::new(name.map(Into::into));
    lab.labs.borrow_mut().push(Rc::clone(&sub));
    one(call.lua, to_lua(call.lua, &sub)?)
}

fn first_error(results: Vec<Result<(), Fault>>) -> Result<(), Fault> {
    let mut errors: Vec<Fault> = results.into_iter().filter_map(Result::err).collect();
    if errors.is_empty() {
        return Ok(());
    }
    let mut first = errors.remove(0);
    for other in &errors {
        first.message.push_str("; ");
        first.message.push_str(&other.message);
    }
    Err(first)
}

fn boot(call: &Call) -> Result<Answer, Fault> {
    let lab = this(call)?;
    let vms = lab.all_vms();
    let off = vms.iter().filter(|vm| matches!(vm.state(), VmState::Created | VmState::Shutdown) && !vm.was_closed());
    let boots = off.map(|vm| vm.boot(&call.host, Default::default(), call.place())).collect();
    let (lua, itself) = (call.lua.clone(), call.this_value()?);
    Ok(Box::pin(async move {
        first_error(all(boots).await)?;
        one(&lua, itself)
    }))
}

fn together(call: &Call, op: Op, from: &[VmState], to: VmState) -> Result<Answer, Fault> {
    let lab = this(call)?;
    let vms: Vec<Rc<Vm>> = lab.all_vms().into_iter().filter(|vm| from.contains(&vm.state())).collect();
    let name = call.name();
    let said = vms
        .iter()
        .map(|vm| {
            let said = vm.machine_op(&call.host, op.clone(), to, call.place());
            let (name, vm) = (name.clone(), Rc::clone(vm));
            let said: provium_protocol::LocalFuture<Result<(), Fault>> =
                Box::pin(async move { said.await.map_err(|error| Fault::from_op(error, &name, &vm.name)) });
            said
        })
        .collect();
    let (lua, itself) = (call.lua.clone(), call.this_value()?);
    Ok(Box::pin(async move {
        first_error(all(said).await)?;
        one(&lua, itself)
    }))
}

fn vm_names(call: &Call) -> Returned {
    let lab = this(call)?;
    let names = call.lua.create_sequence_from(lab.all_vms().iter().map(|vm| vm.name.to_string()))?;
    one(call.lua, names)
}

fn sub_lab_names(call: &Call) -> Returned {
    let lab = this(call)?;
    let names = lab.members().into_iter().filter_map(|member| match member {
        Member::Lab(lab) => lab.name.as_deref().map(str::to_owned),
        Member::Vm(_) => None,
    });
    one(call.lua, call.lua.create_sequence_from(names)?)
}

fn members(call: &Call) -> Returned {
    let list = call.lua.create_table()?;
    for member in this(call)?.members() {
        list.raw_push(member.to_lua(call.lua)?)?;
    }
    one(call.lua, list)
}

fn member(call: &Call) -> Result<Member, Fault> {
    let wrong = || call.named(1, "member").expected("a VM or a sub-lab").prefixed(&call.name());
    let Value::UserData(data) = call.arg(1) else { return Err(wrong()) };
    if let Ok(vm) = data.borrow::<VmRef>() {
        return Ok(Member::Vm(Rc::clone(&vm.0)));
    }
    match data.borrow::<LabRef>() {
        Ok(lab) => match &*lab {
            LabRef::Sub(lab) => Ok(Member::Lab(Rc::clone(lab))),
            LabRef::Root => Err(call.usage("the root lab cannot be a member of another")),
        },
        Err(_) => Err(wrong()),
    }
}

fn include(call: &Call) -> Returned {
    let (lab, member) = (this(call)?, member(call)?);
    if let Member::Lab(other) = &member
        && Rc::ptr_eq(other, &lab)
    {
        return Err(call.usage("a lab cannot include itself"));
    }
    if lab.members().iter().any(|known| known.is(&member)) {
        return Err(call.usage("it is a member of this lab already"));
    }
    lab.included.borrow_mut().push(member);
    one(call.lua, call.this_value()?)
}

fn remove(call: &Call) -> Returned {
    let (lab, member) = (this(call)?, member(call)?);
    if !lab.members().iter().any(|known| known.is(&member)) {
        return Err(call.usage("it is no member of this lab"));
    }
    lab.vms.borrow_mut().retain(|vm| !Member::Vm(Rc::clone(vm)).is(&member));
    lab.labs.borrow_mut().retain(|sub| !Member::Lab(Rc::clone(sub)).is(&member));
    lab.included.borrow_mut().retain(|included| !included.is(&member));
    nothing()
}

fn string_function(call: &Call, name: &str) -> Returned {
    let string: Table = call.lua.globals().raw_get("string")?;
    let function: mlua::Function = string.raw_get(name)?;
    function.call::<MultiValue>(call.rest(1)).map_err(|error| {
        let message = super::fault::plain_message(&error);
        call.usage(message)
    })
}
