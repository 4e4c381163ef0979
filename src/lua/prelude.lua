-- What has to be Lua because it calls functions of the test, which may wait in the middle.
local native, WAITING, INTERRUPTED = ...
local error, pcall, xpcall, select, type, setmetatable = error, pcall, xpcall, select, type, setmetatable
local create, resume, yield, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status
local isyieldable, close = coroutine.isyieldable, coroutine.close
local raw_tostring, raw_format, sub, concat = tostring, string.format, string.sub, table.concat
local P = {}

local function finish(ok, ...)
  if ok then return ... end
  error((...), 0)
end

-- A call that waits: `start` reads the arguments and leaves the future with the host; the driver of the
-- task polls it and resumes with whether it succeeded, and its results or its error.
function P.later(start)
  return function(...)
    if not isyieldable() then
      error("a call that waits cannot be made inside a C function (table.sort, string.gsub) or a finaliser", 2)
    end
    return finish(yield(start(...)))
  end
end

-- A step of a simulated program: the handlers of signals that came meanwhile run before it returns.
local function after(p, ...)
  while true do
    local handler, signal = native.next_caught(p)
    if not handler then return finish(...) end
    handler(signal)
  end
end

function P.step(start)
  return function(p, ...)
    return after(p, yield(start(p, ...)))
  end
end

local handler = native.message_handler
function P.protected(fn, ...)
  return xpcall(fn, handler, ...)
end

-- Coroutines of the test: what waits inside one is passed up to the driver, and its answer down again.
local relay
function relay(co, ok, ...)
  if ok and status(co) == "suspended" then
    local first = ...
    if first == WAITING then
      return relay(co, resume(co, yield(WAITING)))
    elseif first == nil and select("#", ...) == 0 and native.interrupted() then
      yield(INTERRUPTED)
      return relay(co, resume(co))
    end
  end
  return ok, ...
end

function coroutine.resume(co, ...)
  if type(co) ~= "thread" then
    error("bad argument #1 to 'resume' (coroutine expected, got " .. type(co) .. ")", 2)
  end
  return relay(co, resume(co, ...))
end

local function unwrap(co, ok, ...)
  if ok then return ... end
  local e = ...
  if status(co) == "dead" then close(co) end
  if type(e) == "string" then error(e, 3) end
  error(e, 0)
end

function coroutine.wrap(fn)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'wrap' (function expected, got " .. type(fn) .. ")", 2)
  end
  local co = create(fn)
  return function(...)
    return unwrap(co, relay(co, resume(co, ...)))
  end
end

-- `tostring` without addresses: they differ from run to run. Numbers are given as values are first shown.
local plain = {string = true, number = true, boolean = true, ["nil"] = true}
local ids, counts = setmetatable({}, {__mode = "k"}), {}
local function stable(v)
  local text = raw_tostring(v)
  if plain[type(v)] then return text end
  local address = raw_format("%p", v)
  local cut = #text - #address
  if cut <= 0 or sub(text, cut + 1) ~= address then return text end
  local name = sub(text, 1, cut)
  local id = ids[v]
  if not id then
    id = (counts[name] or 0) + 1
    counts[name], ids[v] = id, id
  end
  return name .. id
end
tostring = stable
string.format = native.format(stable)

function print(...)
  local texts = {...}
  for i = 1, select("#", ...) do texts[i] = stable(texts[i]) end
  native.log(concat(texts, "\t"))
end

function warn(...)
  local texts = {...}
  if #texts == 1 and (texts[1] == "@on" or texts[1] == "@off") then return end
  for i = 1, select("#", ...) do
    local ty = type(texts[i])
    if ty ~= "string" and ty ~= "number" then
      error("bad argument #" .. i .. " to 'warn' (string expected, got " .. ty .. ")", 2)
    end
  end
  native.log("warning: " .. concat(texts))
end

-- How much memory is in use, and when what nobody holds is freed, follows from how provium itself is built.
local collect = collectgarbage
function collectgarbage(what)
  if what ~= nil and what ~= "collect" then
    error("collectgarbage: a test can only collect, without an argument; the rest of it differs from build to build", 2)
  end
  return collect("collect")
end

local raw_load = load
function load(chunk, name, mode, ...)
  if mode ~= nil and mode ~= "t" and mode ~= "bt" then
    error("load: only source text can be loaded, not bytecode", 2)
  end
  return raw_load(chunk, name == nil and "=(load)" or name, "t", ...)
end

local loaded, LOADING = {}, {}
local forget = {__close = function(guard, e) if e ~= nil then loaded[guard.file] = nil end end}
function require(name)
  local file, chunk = native.find_module(name, loaded)
  local module = loaded[file]
  if module == LOADING then native.require_loop(name) end
  if module ~= nil then return module end
  loaded[file] = LOADING
  local guard <close> = setmetatable({file = file}, forget)
  module = chunk(name, file)
  if module == nil then module = true end
  loaded[file] = module
  return module
end

function wait_until(fn, opts)
  local timeout, interval, desc = native.wait_options(fn, opts)
  local deadline = native.now() + timeout
  while true do
    local result = fn()
    if result then return result end
    local left = deadline - native.now()
    if left <= 0 then native.not_met(desc, timeout) end
    P.sleep_ns(left < interval and left or interval)
  end
end

function P.assert_raises(t, fn, msg)
  native.expect_error(t, fn, 1)
  local ok, e = pcall(fn)
  native.expect_error(t, fn, -1)
  if ok then native.nothing_raised(t, msg) end
  return e
end

local closer = {__close = function(guard) guard.worker:close() end}
function P.with_worker(vm, opts, fn)
  if fn == nil then opts, fn = nil, opts end
  native.check_function("vm:with_worker", fn)
  local worker = vm:spawn_worker(opts)
  local guard <close> = setmetatable({worker = worker}, closer)
  return fn(worker)
end

function P.batch(vm, fn)
  native.check_function("vm:batch", fn)
  local b = native.new_batch(vm)
  fn(b)
  return P.send_batch(b)
end

function P.co_wrap(fn)
  native.check_function("co.wrap", fn)
  return function(...) return native.spawn(fn, ...) end
end

return P
