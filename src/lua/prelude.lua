-- What has to be Lua because it calls functions of the test, which may wait in the middle.
local native, WAITING, INTERRUPTED = ...
local error, pcall, xpcall, select, type, setmetatable = error, pcall, xpcall, select, type, setmetatable
local create, resume, yield, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status
local isyieldable, close = coroutine.isyieldable, coroutine.close
local raw_tostring, raw_format, match, concat = tostring, string.format, string.match, table.concat
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
  local co = create(fn)
  return function(...)
    return unwrap(co, relay(co, resume(co, ...)))
  end
end

-- `tostring` without addresses: they differ from run to run.
local ids, counts = setmetatable({}, {__mode = "k"}), {}
local function stable(v)
  local text = raw_tostring(v)
  local ty = type(v)
  if ty == "string" or ty == "number" or ty == "boolean" or ty == "nil" then return text end
  local name = match(text, "^(.*): 0x%x+$") or match(text, "^(file) %(0x%x+%)$")
  if not name then return text end
  local id = ids[v]
  if not id then
    id = (counts[name] or 0) + 1
    counts[name], ids[v] = id, id
  end
  return name .. ": " .. id
end
tostring = stable

local plain = {string = true, number = true, boolean = true, ["nil"] = true}
local find = string.find
function string.format(format, ...)
  if type(format) == "string" and find(format, "p", 1, true) and find(format, "%%[-]?%d*p") then
    error("string.format: %p shows an address, and addresses differ from run to run", 2)
  end
  for i = 1, select("#", ...) do
    if not plain[type((select(i, ...)))] then
      local args = {...}
      for j = 1, select("#", ...) do
        if not plain[type(args[j])] then args[j] = stable(args[j]) end
      end
      return raw_format(format, table.unpack(args, 1, select("#", ...)))
    end
  end
  return raw_format(format, ...)
end

function print(...)
  local texts = {...}
  for i = 1, select("#", ...) do texts[i] = stable(texts[i]) end
  native.log(concat(texts, "\t"))
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
