---@meta
-- Types of everything that a provium test can call, for editors with the Lua language server. The reference is lua.md.
-- A check of the project holds this file, that page and the bindings against each other.

---Seconds, or a string with a unit: `"500ms"`, `"1.5s"`, `"2m"`, `"1h"`.
---@alias Duration number|string
---Bytes, or a string with `K`, `M`, `G`, `T`.
---@alias Size integer|string
---A number, or a name in any case, with or without `SIG`.
---@alias Signal integer|string
---@alias EntryType "file"|"directory"|"symlink"|"fifo"|"socket"|"char_device"|"block_device"|"unknown"

---What a failed call raises.
---@class Error
---@field kind "os"|"agent"|"state"|"timeout"|"usage"|"unsupported"|"limit"|"divergence"|"lost"|"assertion"|"skip"
---@field message string
---@field op string?
---@field vm string?
---@field errno integer?
---@field errname string?
---@field file string?
---@field line integer?

---@class Meta
---@field tags? string|string[]
---@field skip? boolean|string
---@field slow? boolean
---@field timeout? Duration
---@field backend? string|string[]
---@field flaky? {reason: string?, issue: any, until: any}
---@field [string] any

---Registers a test.
---@param name string
---@param meta Meta
---@param fn fun(t: T)
---@overload fun(name: string, fn: fun(t: T))
function test(name, meta, fn) end

---Skips all tests of the file.
---@param reason? string
function todo(reason) end

---Calls `fn` until it returns something true, and returns that.
---@generic R
---@param fn fun(): R
---@param options? {timeout: Duration?, interval: Duration?, desc: string?}
---@return R
function wait_until(fn, options) end

---What a test's function is given.
---@class T
---@field name string
---@field meta table
local T = {}

---@generic V
---@param value V
---@param message? string
---@return V
function T:assert(value, message) end

---@param a any
---@param b any
---@param message? string
function T:assert_eq(a, b, message) end

---@param a any
---@param b any
---@param message? string
function T:assert_neq(a, b, message) end

---@param whole string|table
---@param part any
---@param message? string
function T:assert_contains(whole, part, message) end

---@param text string
---@param pattern string
---@param message? string
---@return string ...
function T:assert_match(text, pattern, message) end

---@param fn fun()
---@param message? string
---@return Error|any
function T:assert_raises(fn, message) end

---@param message? any
function T:fail(message) end

---@param reason string
function T:skip(reason) end

---@param value any
function T:log(value) end

---@param fn function
---@param ... any
---@return Task
function T:spawn(fn, ...) end

---@class Task
local Task = {}

---@param timeout? Duration
---@return any ...
function Task:join(timeout) end

---@return boolean
function Task:done() end

---@return boolean was_running
function Task:cancel() end

co = {}

---@param fn function
---@return fun(...): Task
function co.wrap(fn) end

---@param duration Duration
function co.sleep(duration) end

function co.yield() end

---@class Json
---@field null lightuserdata
json = {}

---@param value any
---@return string
function json.encode(value) end

---@param text string
---@return any
function json.decode(text) end

---@class Lab
---@field [string] VM|Lab|nil
local Lab = {}

---@param name string
---@param profile? string
---@param boot_options? BootOptions
---@return VM
function Lab:vm(name, profile, boot_options) end

---@param name? string
---@return Lab
function Lab:lab(name) end

---@return Lab
function Lab:boot() end

---@return Lab
function Lab:shutdown() end

---@return Lab
function Lab:pause() end

---@return Lab
function Lab:resume() end

---@return string[]
function Lab:vm_names() end

---@return string[]
function Lab:sub_lab_names() end

---@return (VM|Lab)[]
function Lab:members() end

---@param member VM|Lab
---@return Lab
function Lab:include(member) end

---@param member VM|Lab
function Lab:remove(member) end

---@param name string
---@param count integer
---@param timeout? Duration
---@return true
function Lab:barrier(name, count, timeout) end

---@param format string
---@param ... any
---@return string
function Lab:pack(format, ...) end

---@param format string
---@param bytes string
---@param position? integer
---@return any ...
function Lab:unpack(format, bytes, position) end

---Not there yet: raises `unsupported`.
---@param path? string
function Lab:snapshot(path) end

---Not there yet: raises `unsupported`.
---@param snapshot any
function Lab:restore(snapshot) end

---Not there yet: raises `unsupported`.
---@param ... any
function Lab:bridge(...) end

---The root lab.
---@class Provium: Lab
---@field timeout Duration?
---@field reset_between_tests boolean
---@field backend string
---@field seed integer?
---@field errno table<string, integer>
---@field signal table<string, integer>
---@field sim Sim
provium = {}

---@class BootOptions
---@field memory? Size
---@field cpus? integer
---@field kernel_cmdline? string
---@field kernel_cmdline_append? string
---@field rng_seed? integer
---@field initial_time? number
---@field files? {path: string, content: string, mode: integer?}[]
---@field boot_timeout? Duration
---@field cold? boolean

---@class RunOptions
---@field args? (string|integer)[]
---@field env? table<string, string|integer>
---@field env_clear? boolean
---@field cwd? string
---@field stdin? string
---@field timeout? Duration
---@field timeout_ms? integer
---@field max_output? Size

---@class SpawnOptions
---@field args? (string|integer)[]
---@field env? table<string, string|integer>
---@field env_clear? boolean
---@field cwd? string
---@field stdin? string
---@field stdin_open? boolean
---@field max_output? Size

---@class WriteOptions
---@field perm? integer
---@field append? boolean

---@class MkdirOptions
---@field parents? boolean
---@field perm? integer

---At least one of `read`, `write`, `append`.
---@class OpenOptions
---@field read? boolean
---@field write? boolean
---@field append? boolean
---@field create? boolean
---@field truncate? boolean
---@field exclusive? boolean
---@field perm? integer

---@class Stat
---@field size integer
---@field mtime integer
---@field mtime_ns integer
---@field perm integer
---@field entry_type EntryType
---@field uid integer
---@field gid integer
---@field nlink integer
---@field ino integer

---@class DirEntry
---@field name string
---@field entry_type EntryType

---@class SyscallArgs
---@field args? integer[]
---@field bufs? string[]
---@field ptrs? (integer|{buf: integer, offset: integer})[]

---@class SyscallResult
---@field ret integer
---@field result integer
---@field errno integer
---@field out_bufs string[]

---A machine.
---@class VM
local VM = {}

---@param options? BootOptions
---@return VM
function VM:boot(options) end

---@return VM
function VM:pause() end

---@return VM
function VM:resume() end

---@return VM
function VM:reset() end

---@return VM
function VM:power_button() end

---@return VM
function VM:shutdown() end

function VM:close() end

---@param command string
---@param options? RunOptions|(string|integer)[]
---@return RunResult
function VM:run(command, options) end

---@param command string
---@param options? SpawnOptions|(string|integer)[]
---@return Process
function VM:run_async(command, options) end

---@param path string
---@return string
function VM:read_file(path) end

---@param path string
---@param bytes string
---@param options? WriteOptions
---@return integer
function VM:write_file(path, bytes, options) end

---@param host_path string
---@param path string
---@param options? {perm: integer?}
---@return integer
function VM:push_file(host_path, path, options) end

---@param path string
---@return Stat
function VM:stat(path) end

---@param path string
---@return Stat
function VM:lstat(path) end

---@param path string
---@return DirEntry[]
function VM:listdir(path) end

---@param path string
---@param options? MkdirOptions
function VM:mkdir(path, options) end

---@param path string
function VM:unlink(path) end

---@param from string
---@param to string
function VM:rename(from, to) end

---@param target string
---@param path string
function VM:symlink(target, path) end

---@param path string
---@return string
function VM:readlink(path) end

---@param path string
---@param mode integer
function VM:chmod(path, mode) end

---@param path string
---@param options OpenOptions
---@return File
function VM:open_file(path, options) end

---@param nr integer|string
---@param ... integer|SyscallArgs
---@return SyscallResult
function VM:syscall(nr, ...) end

---@param fd integer
---@param request integer
---@param data? integer|string
---@param options? {size: integer?}
---@return SyscallResult
function VM:ioctl(fd, request, data, options) end

---@param fn fun(b: Batch)
---@return {ok: any, err: Error?}[]
function VM:batch(fn) end

---@param path string
---@param options? {start: "end"|"beginning"|integer?}
---@return Stream
function VM:tail_file(path, options) end

---@param file File
---@return Stream
function VM:fd_stream(file) end

---@param options? {name: string?}
---@return Worker
function VM:spawn_worker(options) end

---@param options {name: string?}
---@param fn fun(worker: Worker): ...
---@return any ...
---@overload fun(self: VM, fn: fun(worker: Worker): ...): ...
function VM:with_worker(options, fn) end

---@return string
function VM:name() end

---@return string
function VM:profile() end

---@return "created"|"booting"|"booted"|"paused"|"shutdown"|"dead"
function VM:state() end

---@return boolean
function VM:is_quiescent() end

---@return integer
function VM:open_file_count() end

---@return integer
function VM:open_stream_count() end

---@return Console
function VM:console() end

---Not there yet: raises `unsupported`.
function VM:clock() end

---Not there yet: raises `unsupported`.
---@param path? string
function VM:snapshot(path) end

---Not there yet: raises `unsupported`.
---@param snapshot any
function VM:restore(snapshot) end

---What `vm:batch` fills; its methods return nothing.
---@class Batch
local Batch = {}

---@param command string
---@param options? RunOptions|(string|integer)[]
function Batch:run(command, options) end

---@param command string
---@param options? SpawnOptions|(string|integer)[]
function Batch:run_async(command, options) end

---@param path string
function Batch:read_file(path) end

---@param path string
---@param bytes string
---@param options? WriteOptions
function Batch:write_file(path, bytes, options) end

---@param path string
function Batch:stat(path) end

---@param path string
function Batch:lstat(path) end

---@param path string
function Batch:listdir(path) end

---@param path string
---@param options? MkdirOptions
function Batch:mkdir(path, options) end

---@param path string
function Batch:unlink(path) end

---@param from string
---@param to string
function Batch:rename(from, to) end

---@param target string
---@param path string
function Batch:symlink(target, path) end

---@param path string
function Batch:readlink(path) end

---@param path string
---@param mode integer
function Batch:chmod(path, mode) end

---@param path string
---@param options OpenOptions
function Batch:open_file(path, options) end

---@param nr integer|string
---@param ... integer|SyscallArgs
function Batch:syscall(nr, ...) end

---A second line of work in the same machine.
---@class Worker
local Worker = {}

---@param command string
---@param options? RunOptions|(string|integer)[]
---@return RunResult
function Worker:run(command, options) end

---@param command string
---@param options? SpawnOptions|(string|integer)[]
---@return Process
function Worker:run_async(command, options) end

---@param path string
---@param options OpenOptions
---@return File
function Worker:open_file(path, options) end

---@param nr integer|string
---@param ... integer|SyscallArgs
---@return SyscallResult
function Worker:syscall(nr, ...) end

---@param signal? Signal
---@return integer
function Worker:kill(signal) end

---@class JoinedChild
---@field handle integer
---@field pid integer
---@field status "exited"|"signalled"|"timed_out"
---@field exit_code integer
---@field signal integer?

---@class JoinSummary
---@field count integer
---@field ok integer
---@field failed integer
---@field signalled integer
---@field worst integer
---@field children JoinedChild[]

---@param timeout? Duration
---@return JoinSummary
function Worker:join(timeout) end

function Worker:close() end

---@return integer
function Worker:handle() end

---@return string
function Worker:name() end

---@return "idle"|"running"|"blocked"|"closed"
function Worker:state() end

---@param timeout? Duration
function Worker:wait_blocked(timeout) end

---A command that was started with `run_async`.
---@class Process
local Process = {}

---@param timeout? Duration
---@return RunResult
---@overload fun(self: Process, options: {timeout: Duration?, kill: boolean?}): RunResult?
function Process:wait(timeout) end

---@param signal? Signal
---@param options? {group: boolean?}
---@return boolean
function Process:kill(signal, options) end

---@param signal Signal
---@param options? {group: boolean?}
---@return boolean
function Process:signal(signal, options) end

---@return integer
function Process:pid() end

---@return integer
function Process:handle() end

---@return "running"|"exited"|"signalled"
function Process:status() end

---@alias ProcessState "running"|"sleeping"|"stopped"|"zombie"|"gone"

---@return ProcessState
function Process:state() end

---@param state ProcessState
---@param timeout? Duration
---@return ProcessState
function Process:wait_state(state, timeout) end

---@param bytes string
---@return integer
function Process:stdin_write(bytes) end

function Process:close_stdin() end

---@return Stream
function Process:stdout_stream() end

---@return Stream
function Process:stderr_stream() end

function Process:close() end

---What a command came to.
---@class RunResult
---@field exit_code integer
---@field stdout string
---@field stderr string
---@field status "exited"|"signalled"|"timed_out"
---@field signal integer?
---@field signal_name string?
---@field timed_out boolean
---@field truncated boolean
---@field duration number
local RunResult = {}

---@return boolean
function RunResult:ok() end

---@param message? string
---@return RunResult
function RunResult:assert_ok(message) end

---An open file of a guest.
---@class File
local File = {}

---@param count integer
---@return string
function File:read(count) end

---@return string
function File:read_all() end

---@param bytes string
---@return integer
function File:write(bytes) end

---@param bytes string
---@return integer
function File:write_all(bytes) end

---@param offset integer
---@param whence? "set"|"cur"|"end"
---@return integer
function File:seek(offset, whence) end

---@return integer
function File:tell() end

function File:sync() end

---@param length integer
function File:truncate(length) end

---@param kind "shared"|"exclusive"
---@param options? {block: boolean?}
function File:lock(kind, options) end

function File:unlock() end

---@return integer
function File:fd() end

function File:close() end

---@return Stream
function File:tail_stream() end

---Bytes that a guest pushes.
---@class Stream
local Stream = {}

---@param timeout? Duration
---@return string?
function Stream:next(timeout) end

---@param text string
---@param timeout? Duration
---@return string
function Stream:read_until(text, timeout) end

---@param text string
---@param timeout? Duration
---@return string
function Stream:expect(text, timeout) end

---@param timeout? Duration
---@return string[]
function Stream:drain(timeout) end

---@return boolean
function Stream:eof() end

function Stream:close() end

---@return {file: string, line: integer}?
function Stream:creation_site() end

---@class Console
local Console = {}

---Waits until this was printed, from the first byte on, behind the last match; 30 seconds by default.
---@param text string
---@param timeout? number|string
---@return string up to and including the text
function Console:expect(text, timeout) end

---A new stream from the first byte.
---@return Stream
function Console:read() end

---All that was printed so far.
---@return string
function Console:read_log() end

---Types at the console.
---@param s string
---@return integer
function Console:write(s) end

---@class Sim
local Sim = {}

---A program of this name in every simulated guest.
---@param name string
---@param fn fun(p: Program): integer|boolean|nil
function Sim:program(name, fn) end

---A simulated program that runs.
---@class Program
---@field args table<integer, string>
---@field env table<string, string>
local Program = {}

---@param fd integer
---@param count integer
---@return string
function Program:read(fd, count) end

---@param fd integer
---@param bytes string
---@return integer
function Program:write(fd, bytes) end

---@param path string
---@param mode? "r"|"r+"|"w"|"a"|OpenOptions
---@return integer
function Program:open(path, mode) end

---@param fd integer
function Program:close(fd) end

---@param duration Duration
---@return boolean
function Program:sleep(duration) end

---@param signal Signal
---@param fn fun(name: string)
function Program:on(signal, fn) end

---@param program string
---@param args? (string|integer)[]
function Program:exec(program, args) end

---@return integer
function Program:pid() end
