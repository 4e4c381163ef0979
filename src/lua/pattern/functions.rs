//! The functions as Lua calls them. They are C functions: an error leaves them by a jump, and so does yielding, so that no
//! value of Rust that would have to be dropped may live across a call into Lua.

use std::ffi::{CStr, c_char, c_int};
use std::mem::MaybeUninit;

use mlua::ffi;

use super::LOOK_EVERY;
use super::matcher::{Captured, Matcher, Meter, Miss, is_plain};

/// The own values of `find`, `match` and `gsub`: what is called for a look at the clock, and the steps left until then.
const LOOK: c_int = 1;
const STEPS: c_int = 2;

/// The own values of an iterator of `gmatch`: the same, then the subject, the pattern, and how far it is.
const SUBJECT: c_int = 3;
const PATTERN: c_int = 4;
const PROGRESS: c_int = 5;

/// Bytes that a plain search passes in the time of one step.
const BYTES_PER_STEP: usize = 64;

static FUNCTIONS: [(&CStr, ffi::lua_CFunction); 4] =
    [(c"find", find), (c"match", r#match), (c"gmatch", gmatch), (c"gsub", gsub)];

/// Puts the functions into the library of strings; the function on top of the stack is called for looks.
pub unsafe fn install(state: *mut ffi::lua_State) {
    // SAFETY: the caller has pushed a function; room is made for what is pushed here, and popped again.
    unsafe {
        ffi::luaL_checkstack(state, 6, std::ptr::null());
        let look = ffi::lua_gettop(state);
        // Shared by all, so that many short matches are charged as one long one.
        ffi::lua_newuserdatauv(state, size_of::<u32>(), 0).cast::<u32>().write(LOOK_EVERY);
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_GLOBALS);
        ffi::lua_getfield(state, -1, c"string".as_ptr());
        for (name, function) in FUNCTIONS {
            ffi::lua_pushvalue(state, look);
            ffi::lua_pushvalue(state, look + 1);
            ffi::lua_pushcclosure(state, function, 2);
            ffi::lua_setfield(state, -2, name.as_ptr());
        }
        ffi::lua_settop(state, look - 1);
    }
}

/// The meter of the function that runs.
struct Clock {
    state: *mut ffi::lua_State,
    left: *mut u32,
}

impl Clock {
    unsafe fn of(state: *mut ffi::lua_State) -> Clock {
        // SAFETY: all functions here have the userdata of `install` among their own values, which keep it.
        Clock { state, left: unsafe { ffi::lua_touserdata(state, ffi::lua_upvalueindex(STEPS)).cast() } }
    }

    /// Charges for what is already taken, and looks at the clock.
    #[cold]
    fn look(&mut self, mut steps: u32) {
        // SAFETY: this runs inside a C function of Lua with room for 20 values, of which no more than three are in use.
        // Whoever matches has nothing that must be dropped, so that the function's error or yielding may jump over it.
        unsafe {
            while steps >= *self.left {
                steps -= *self.left;
                *self.left = LOOK_EVERY;
                let can_yield = ffi::lua_isyieldable(self.state);
                ffi::lua_pushvalue(self.state, ffi::lua_upvalueindex(LOOK));
                ffi::lua_pushboolean(self.state, can_yield);
                ffi::lua_call(self.state, 1, 1);
                let must_yield = ffi::lua_toboolean(self.state, -1) != 0;
                ffi::lua_pop(self.state, 1);
                if must_yield && can_yield != 0 {
                    // Nobody resumes it: the task is over.
                    ffi::lua_yield(self.state, 0);
                }
            }
            *self.left -= steps;
        }
    }
}

impl Meter for Clock {
    #[inline(always)]
    fn spend(&mut self, steps: u32) {
        // SAFETY: the userdata lives as long as the function that runs.
        let left = unsafe { &mut *self.left };
        if steps < *left { *left -= steps } else { self.look(steps) }
    }
}

/// The string argument at an index, or the error that it is none.
unsafe fn string_argument<'a>(state: *mut ffi::lua_State, index: c_int) -> &'a [u8] {
    let mut length = 0;
    // SAFETY: the bytes live as long as the string, which stays at its index while the function runs.
    unsafe { std::slice::from_raw_parts(ffi::luaL_checklstring(state, index, &raw mut length).cast(), length) }
}

/// Where matching begins: the third argument, which counts from 1, or from the end if it is negative.
unsafe fn start_argument(state: *mut ffi::lua_State, length: usize) -> usize {
    // SAFETY: an argument that is no number is an error.
    let given = unsafe { ffi::luaL_optinteger(state, 3, 1) };
    match usize::try_from(given) {
        Ok(given) => given.max(1) - 1,
        Err(_) => length.saturating_sub(usize::try_from(given.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}

/// A pattern without its anchor, and whether it had one.
fn anchored(pattern: &[u8]) -> (&[u8], bool) {
    match pattern {
        [b'^', rest @ ..] => (rest, true),
        _ => (pattern, false),
    }
}

/// Raises what is wrong with a pattern.
unsafe fn raise(state: *mut ffi::lua_State, miss: Miss, index: c_int) -> c_int {
    let message = match miss {
        Miss::Differs => return 0,
        Miss::TooComplex => c"pattern too complex",
        Miss::EndsWithPercent => c"malformed pattern (ends with '%%')",
        Miss::NoBracket => c"malformed pattern (missing ']')",
        Miss::NoBalance => c"malformed pattern (missing arguments to '%%b')",
        Miss::NoSet => c"missing '[' after '%%f' in pattern",
        Miss::NoOpening => c"invalid pattern capture",
        Miss::Unfinished => c"unfinished capture",
        Miss::TooManyCaptures => c"too many captures",
        Miss::BadIndex => c"invalid capture index %%%d",
    };
    // SAFETY: the message takes an integer or nothing.
    unsafe { ffi::luaL_error(state, message.as_ptr(), index) }
}

unsafe fn push_bytes(state: *mut ffi::lua_State, bytes: &[u8]) {
    // SAFETY: Lua copies them; the caller has made room for one value.
    unsafe {
        ffi::lua_pushlstring(state, bytes.as_ptr().cast(), bytes.len());
    }
}

fn integer(number: usize) -> ffi::lua_Integer {
    ffi::lua_Integer::try_from(number).unwrap_or(ffi::lua_Integer::MAX)
}

/// Pushes one capture.
unsafe fn push_capture(
    state: *mut ffi::lua_State,
    matcher: &mut Matcher<'_, Clock>,
    index: usize,
    whole: (usize, usize),
) {
    // SAFETY: the caller has made room for one value.
    unsafe {
        match matcher.capture(index, whole) {
            Ok(Captured::Bytes(bytes)) => push_bytes(state, bytes),
            Ok(Captured::Position(position)) => ffi::lua_pushinteger(state, integer(position)),
            Err(miss) => {
                raise(state, miss, matcher.bad_index());
            }
        }
    }
}

/// Pushes so many captures.
unsafe fn push_captures(
    state: *mut ffi::lua_State,
    matcher: &mut Matcher<'_, Clock>,
    count: usize,
    whole: (usize, usize),
) -> c_int {
    let pushed = c_int::try_from(count).unwrap_or(c_int::MAX);
    // SAFETY: room is made for them.
    unsafe {
        ffi::luaL_checkstack(state, pushed, c"too many captures".as_ptr());
        for index in 0..count {
            push_capture(state, matcher, index, whole);
        }
    }
    pushed
}

unsafe extern "C-unwind" fn find(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: called by Lua as a C function with the own values of `install`.
    unsafe { find_or_match(state, true) }
}

unsafe extern "C-unwind" fn r#match(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: as above.
    unsafe { find_or_match(state, false) }
}

unsafe fn find_or_match(state: *mut ffi::lua_State, find: bool) -> c_int {
    // SAFETY: the caller is a C function with the own values of `install`; few values are pushed, and room is made for
    // captures.
    unsafe {
        let (subject, pattern) = (string_argument(state, 1), string_argument(state, 2));
        let start = start_argument(state, subject.len());
        let mut clock = Clock::of(state);
        if start > subject.len() {
            ffi::lua_pushnil(state);
            return 1;
        }
        if find && (ffi::lua_toboolean(state, 4) != 0 || is_plain(pattern)) {
            let found = memchr::memmem::find(&subject[start..], pattern).map(|distance| start + distance);
            let passed = found.unwrap_or(subject.len()) - start;
            clock.spend(u32::try_from(passed / BYTES_PER_STEP).unwrap_or(u32::MAX));
            let Some(found) = found else {
                ffi::lua_pushnil(state);
                return 1;
            };
            ffi::lua_pushinteger(state, integer(found + 1));
            ffi::lua_pushinteger(state, integer(found + pattern.len()));
            return 2;
        }
        let (pattern, is_anchored) = anchored(pattern);
        let mut matcher = Matcher::new(subject, pattern, clock);
        match matcher.search(start, is_anchored) {
            Ok(Some(whole)) => {
                let captures = matcher.captures();
                if !find {
                    return push_captures(state, &mut matcher, captures.max(1), whole);
                }
                ffi::lua_pushinteger(state, integer(whole.0 + 1));
                ffi::lua_pushinteger(state, integer(whole.1));
                2 + push_captures(state, &mut matcher, captures, whole)
            }
            Ok(None) => {
                ffi::lua_pushnil(state);
                1
            }
            Err(miss) => raise(state, miss, matcher.bad_index()),
        }
    }
}

/// How far an iterator of `gmatch` is.
struct Progress {
    /// Where the next match may begin; behind the end of the subject when there is none.
    next: usize,
    /// Where the last match ended.
    last_end: Option<usize>,
}

unsafe extern "C-unwind" fn gmatch(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: called by Lua as a C function with the own values of `install`; five values are pushed. A userdata of Lua's
    // is aligned for any type.
    unsafe {
        let subject = string_argument(state, 1);
        string_argument(state, 2);
        let next = start_argument(state, subject.len()).min(subject.len() + 1);
        ffi::lua_settop(state, 2);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(LOOK));
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(STEPS));
        ffi::lua_rotate(state, 1, 2);
        let progress = ffi::lua_newuserdatauv(state, size_of::<Progress>(), 0).cast::<Progress>();
        progress.write(Progress { next, last_end: None });
        ffi::lua_pushcclosure(state, gmatch_next, 5);
        1
    }
}

/// A string among the own values of the function that runs.
unsafe fn own_string<'a>(state: *mut ffi::lua_State, index: c_int) -> &'a [u8] {
    let mut length = 0;
    // SAFETY: the caller knows that a string is there; it lives as long as the function.
    unsafe {
        let bytes = ffi::lua_tolstring(state, ffi::lua_upvalueindex(index), &raw mut length);
        std::slice::from_raw_parts(bytes.cast(), length)
    }
}

unsafe extern "C-unwind" fn gmatch_next(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: called by Lua as a C function with the own values that `gmatch` gave it. A match that never comes to its
    // end leaves the progress as it was.
    unsafe {
        let (subject, pattern) = (own_string(state, SUBJECT), own_string(state, PATTERN));
        let progress = &mut *ffi::lua_touserdata(state, ffi::lua_upvalueindex(PROGRESS)).cast::<Progress>();
        let mut matcher = Matcher::new(subject, pattern, Clock::of(state));
        let mut from = progress.next;
        while from <= subject.len() {
            let Some(start) = matcher.next_start(from) else { break };
            match matcher.match_at(start) {
                Ok(end) if Some(end) != progress.last_end => {
                    *progress = Progress { next: end, last_end: Some(end) };
                    let captures = matcher.captures().max(1);
                    return push_captures(state, &mut matcher, captures, (start, end));
                }
                Ok(_) | Err(Miss::Differs) => from = start + 1,
                Err(miss) => return raise(state, miss, matcher.bad_index()),
            }
        }
        0
    }
}

/// What `gsub` puts in place of matches.
#[derive(Clone, Copy)]
enum Replacement {
    Text,
    Table,
    Function,
}

unsafe fn replacement_argument(state: *mut ffi::lua_State) -> Replacement {
    // SAFETY: at most two values are pushed before the error that takes them.
    unsafe {
        match ffi::lua_type(state, 3) {
            ffi::LUA_TNUMBER | ffi::LUA_TSTRING => Replacement::Text,
            ffi::LUA_TTABLE => Replacement::Table,
            ffi::LUA_TFUNCTION => Replacement::Function,
            other => {
                let named = ffi::luaL_getmetafield(state, 3, c"__name".as_ptr()) == ffi::LUA_TSTRING;
                let name = match other {
                    _ if named => ffi::lua_tostring(state, -1),
                    ffi::LUA_TLIGHTUSERDATA => c"light userdata".as_ptr(),
                    other => ffi::lua_typename(state, other),
                };
                let message = ffi::lua_pushfstring(state, c"string/function/table expected, got %s".as_ptr(), name);
                ffi::luaL_argerror(state, 3, message);
                Replacement::Text
            }
        }
    }
}

unsafe fn add(buffer: *mut ffi::luaL_Buffer, bytes: &[u8]) {
    // SAFETY: the buffer is in use, and what it holds on the stack is on top.
    unsafe { ffi::luaL_addlstring(buffer, bytes.as_ptr().cast::<c_char>(), bytes.len()) }
}

/// Adds the text that replaces a match: `%0` to `%9` in it are captures.
unsafe fn add_text(
    state: *mut ffi::lua_State,
    buffer: *mut ffi::luaL_Buffer,
    matcher: &mut Matcher<'_, Clock>,
    subject: &[u8],
    whole: (usize, usize),
) {
    // SAFETY: the third argument is a string or a number, which becomes one in its place, and stays there. A position is
    // pushed for the buffer, which takes it.
    unsafe {
        let mut length = 0;
        let text = ffi::lua_tolstring(state, 3, &raw mut length);
        let mut text: &[u8] = std::slice::from_raw_parts(text.cast(), length);
        while let Some(at) = memchr::memchr(b'%', text) {
            add(buffer, &text[..at]);
            match text.get(at + 1).copied() {
                Some(b'%') => add(buffer, b"%"),
                Some(b'0') => add(buffer, &subject[whole.0..whole.1]),
                Some(digit @ b'1'..=b'9') => match matcher.capture(usize::from(digit - b'1'), whole) {
                    Ok(Captured::Bytes(bytes)) => add(buffer, bytes),
                    Ok(Captured::Position(position)) => {
                        ffi::lua_pushinteger(state, integer(position));
                        ffi::luaL_addvalue(buffer);
                    }
                    Err(miss) => {
                        raise(state, miss, matcher.bad_index());
                    }
                },
                _ => {
                    ffi::luaL_error(state, c"invalid use of '%c' in replacement string".as_ptr(), c_int::from(b'%'));
                }
            }
            text = &text[at + 2..];
        }
        add(buffer, text);
    }
}

/// Adds what replaces a match; whether that is anything but the match itself.
unsafe fn add_replacement(
    state: *mut ffi::lua_State,
    buffer: *mut ffi::luaL_Buffer,
    matcher: &mut Matcher<'_, Clock>,
    subject: &[u8],
    (replacement, whole): (Replacement, (usize, usize)),
) -> bool {
    // SAFETY: the third argument is what `replacement` says; what is pushed is taken by the call or by the buffer.
    unsafe {
        match replacement {
            Replacement::Text => {
                add_text(state, buffer, matcher, subject, whole);
                return true;
            }
            Replacement::Table => {
                push_capture(state, matcher, 0, whole);
                ffi::lua_gettable(state, 3);
            }
            Replacement::Function => {
                ffi::lua_pushvalue(state, 3);
                let captures = matcher.captures().max(1);
                let count = push_captures(state, matcher, captures, whole);
                ffi::lua_call(state, count, 1);
            }
        }
        if ffi::lua_toboolean(state, -1) == 0 {
            ffi::lua_pop(state, 1);
            add(buffer, &subject[whole.0..whole.1]);
            return false;
        }
        if ffi::lua_isstring(state, -1) == 0 {
            let name = ffi::luaL_typename(state, -1);
            ffi::luaL_error(state, c"invalid replacement value (a %s)".as_ptr(), name);
        }
        ffi::luaL_addvalue(buffer);
        true
    }
}

unsafe extern "C-unwind" fn gsub(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: called by Lua as a C function with the own values of `install`. The buffer stays in its place, and all that
    // is pushed while it is in use is popped again or added to it.
    unsafe {
        let (subject, pattern) = (string_argument(state, 1), string_argument(state, 2));
        let most = ffi::luaL_optinteger(state, 4, integer(subject.len() + 1));
        let replacement = replacement_argument(state);
        let (pattern, is_anchored) = anchored(pattern);
        let mut matcher = Matcher::new(subject, pattern, Clock::of(state));
        let mut buffer = MaybeUninit::<ffi::luaL_Buffer>::uninit();
        let buffer = buffer.as_mut_ptr();
        ffi::luaL_buffinit(state, buffer);
        let (mut at, mut last_end, mut count, mut changed) = (0, None, 0, false);
        while count < most {
            if !is_anchored {
                // What cannot begin a match stays as it is.
                let next = matcher.next_start(at).unwrap_or(subject.len());
                add(buffer, &subject[at..next]);
                at = next;
            }
            match matcher.match_at(at) {
                Ok(end) if Some(end) != last_end => {
                    count += 1;
                    changed |= add_replacement(state, buffer, &mut matcher, subject, (replacement, (at, end)));
                    (at, last_end) = (end, Some(end));
                }
                Ok(_) | Err(Miss::Differs) if at < subject.len() => {
                    add(buffer, &subject[at..=at]);
                    at += 1;
                }
                Ok(_) | Err(Miss::Differs) => break,
                Err(miss) => return raise(state, miss, matcher.bad_index()),
            }
            if is_anchored {
                break;
            }
        }
        if changed {
            add(buffer, &subject[at..]);
            ffi::luaL_pushresult(buffer);
        } else {
            ffi::lua_pushvalue(state, 1);
        }
        ffi::lua_pushinteger(state, count);
        2
    }
}
