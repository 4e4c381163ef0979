//! Blocks in a region: where a block lies follows from the requests before it and from nothing else.
//!
//! Small blocks come in classes of sizes, each with a list of those that were given back. They are cut from chunks; chunks
//! and large blocks are extents of whole pages, first fit, joined with their neighbours when they are given back.

use std::collections::BTreeMap;

use super::region::Region;

/// All blocks begin at a multiple of this, in bytes: what C promises for any type.
const GRAIN: usize = 16;

/// Up to here each multiple of [`GRAIN`] is a class, in bytes; most of what Lua asks for is smaller.
const FINE: usize = 512;

/// Classes for each doubling beyond [`FINE`]: at most a fifth of a block is lost.
const CLASSES_PER_DOUBLING: usize = 4;

/// The largest small block, in bytes (32 KiB).
const SMALL: usize = 32 << 10;

const FINE_CLASSES: usize = FINE / GRAIN;
const CLASSES: usize = FINE_CLASSES + (SMALL / FINE).ilog2() as usize * CLASSES_PER_DOUBLING;

/// Extents are whole pages, in bytes.
const PAGE: usize = 4_096;

/// What small blocks are cut from, in bytes (64 KiB).
const CHUNK: usize = 64 << 10;

/// The first class whose blocks hold so many bytes, of which there is at least one.
#[inline]
fn class_of(size: usize) -> usize {
    if size <= FINE { size.saturating_sub(1) / GRAIN } else { coarse_class_of(size) }
}

fn coarse_class_of(size: usize) -> usize {
    // `size - 1` lies in the doubling that begins at the power of two below it.
    let below = (size - 1).ilog2();
    let step = (1_usize << below) / CLASSES_PER_DOUBLING;
    let doubling = (below - FINE.ilog2()) as usize;
    FINE_CLASSES + doubling * CLASSES_PER_DOUBLING + (size - 1 - (1 << below)) / step
}

/// The bytes of a block of a class.
fn class_size(class: usize) -> usize {
    if class < FINE_CLASSES {
        return (class + 1) * GRAIN;
    }
    let (doubling, step) =
        ((class - FINE_CLASSES) / CLASSES_PER_DOUBLING, (class - FINE_CLASSES) % CLASSES_PER_DOUBLING);
    let base = FINE << doubling;
    base + base / CLASSES_PER_DOUBLING * (step + 1)
}

fn pages(size: usize) -> usize {
    size.next_multiple_of(PAGE)
}

/// The blocks of one region. Addresses are given and taken as numbers; 0 is none.
pub struct Arena {
    region: Region,
    /// Offset of the first byte that no extent has.
    top: usize,
    /// Extents below `top` that nobody has: offset and length, never two side by side.
    free: BTreeMap<usize, usize>,
    /// What is left of the chunk that is being cut: from, to.
    chunk: (usize, usize),
    /// The first block of each class that was given back, as an address; each holds the address of the next.
    lists: [usize; CLASSES],
}

impl Arena {
    /// An empty one.
    pub fn new(region: Region) -> Arena {
        Arena { region, top: 0, free: BTreeMap::new(), chunk: (0, 0), lists: [0; CLASSES] }
    }

    /// The region; all blocks are gone.
    pub fn into_region(self) -> Region {
        self.region
    }

    /// Whether a block of this address came from here.
    #[inline]
    pub fn holds(&self, address: usize) -> bool {
        address.wrapping_sub(self.region.base()) < self.top
    }

    /// A block of so many bytes, at least one, or 0 if there is no room.
    #[inline]
    pub fn allocate(&mut self, size: usize) -> usize {
        if size > SMALL {
            return self.extent(size).map_or(0, |offset| self.region.base() + offset);
        }
        let class = class_of(size);
        let first = self.lists[class];
        if first == 0 {
            return self.cut(class_size(class));
        }
        // SAFETY: a block in a list belongs to nobody and holds the address of the next one, written by `free`.
        self.lists[class] = unsafe { (first as *const usize).read() };
        first
    }

    /// Takes a block back that was asked for with this size, or made so long by `resize`.
    #[inline]
    pub fn free(&mut self, address: usize, size: usize) {
        if size > SMALL {
            return self.free_extent(address - self.region.base(), pages(size));
        }
        let class = class_of(size);
        // SAFETY: the block is one of ours, aligned and at least as long as a class is, and its owner gave it up.
        unsafe { (address as *mut usize).write(self.lists[class]) };
        self.lists[class] = address;
    }

    /// Makes a block longer or shorter where it lies; whether that was possible. It always is for the same class.
    pub fn resize(&mut self, address: usize, from: usize, to: usize) -> bool {
        if from <= SMALL || to <= SMALL {
            return from <= SMALL && to <= SMALL && class_of(from) == class_of(to);
        }
        let (offset, from, to) = (address - self.region.base(), pages(from), pages(to));
        if to <= from {
            if to < from {
                self.free_extent(offset + to, from - to);
            }
            return true;
        }
        let (end, more) = (offset + from, to - from);
        if end == self.top {
            let possible = self.region.reach(end + more);
            if possible {
                self.top = end + more;
            }
            return possible;
        }
        match self.free.get(&end).copied() {
            Some(length) if length >= more => {
                self.free.remove(&end);
                if length > more {
                    self.free.insert(end + more, length - more);
                }
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn cut(&mut self, size: usize) -> usize {
        let (from, to) = self.chunk;
        if to - from < size && !self.next_chunk() {
            return 0;
        }
        let block = self.chunk.0;
        self.chunk.0 += size;
        self.region.base() + block
    }

    fn next_chunk(&mut self) -> bool {
        let (from, to) = self.chunk;
        let Some(offset) = self.extent(CHUNK) else { return false };
        // What is left of the old chunk goes on in the new one when they touch, and is lost when they do not.
        let begin = if offset == to { from } else { offset };
        self.chunk = (begin, offset + CHUNK);
        true
    }

    fn extent(&mut self, size: usize) -> Option<usize> {
        let length = pages(size);
        let fitting = self.free.iter().find(|(_, free)| **free >= length).map(|(offset, free)| (*offset, *free));
        if let Some((offset, free)) = fitting {
            self.free.remove(&offset);
            if free > length {
                self.free.insert(offset + length, free - length);
            }
            return Some(offset);
        }
        let offset = self.top;
        if !self.region.reach(offset.checked_add(length)?) {
            return None;
        }
        self.top = offset + length;
        Some(offset)
    }

    fn free_extent(&mut self, mut offset: usize, mut length: usize) {
        if let Some((before, free)) = self.free.range(..offset).next_back().map(|(before, free)| (*before, *free))
            && before + free == offset
        {
            self.free.remove(&before);
            (offset, length) = (before, free + length);
        }
        if let Some(free) = self.free.remove(&(offset + length)) {
            length += free;
        }
        if offset + length == self.top {
            self.top = offset;
        } else {
            self.free.insert(offset, length);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn classes_hold_what_they_are_for() {
        for size in 1..=SMALL {
            let class = class_of(size);
            assert!(class < CLASSES, "{size}");
            assert!(class_size(class) >= size, "{size}");
            assert!(class == 0 || class_size(class - 1) < size, "{size}");
            assert_eq!(class_size(class) % GRAIN, 0, "{size}");
        }
        assert_eq!(class_size(CLASSES - 1), SMALL);
    }

    /// A source of numbers that is the same in every run.
    fn next(state: &mut u64) -> usize {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as usize
    }

    /// Asks for, resizes and gives back blocks at random; checks that none overlap and that what was written stays.
    fn exercise(seed: u64) -> Vec<usize> {
        let mut arena = Arena::new(Region::take().expect("a region"));
        let base = arena.region.base();
        let mut blocks: BTreeMap<usize, (usize, u8)> = BTreeMap::new();
        let mut state = seed;
        let mut given = Vec::new();
        for round in 0..20_000 {
            let size = 1 + next(&mut state) % [64, 1_024, 40_000, 300_000][next(&mut state) % 4];
            let mark = round as u8;
            let fill = |address: usize, size: usize| {
                // SAFETY: the block is ours and so long.
                unsafe {
                    (address as *mut u8).write(mark);
                    ((address + size - 1) as *mut u8).write(mark);
                }
            };
            let nth = next(&mut state) % blocks.len().max(1);
            let victim = blocks.iter().nth(nth).map(|(address, block)| (*address, *block));
            match (next(&mut state) % 3, victim) {
                (0, Some((address, (old, was)))) if blocks.len() > 200 || round > 15_000 => {
                    // SAFETY: as above.
                    let ends = unsafe { ((address as *const u8).read(), ((address + old - 1) as *const u8).read()) };
                    assert_eq!(ends, (was, was), "round {round}");
                    arena.free(address, old);
                    blocks.remove(&address);
                }
                (1, Some((address, (old, _)))) => {
                    if arena.resize(address, old, size) {
                        fill(address, size);
                        blocks.insert(address, (size, mark));
                    }
                }
                _ => {
                    let address = arena.allocate(size);
                    assert_ne!(address, 0);
                    assert_eq!(address % GRAIN, 0);
                    let before = blocks.range(..=address).next_back();
                    assert!(before.is_none_or(|(before, (length, _))| before + length <= address), "round {round}");
                    let after = blocks.range(address..).next();
                    assert!(after.is_none_or(|(after, _)| address + size <= *after), "round {round}");
                    fill(address, size);
                    blocks.insert(address, (size, mark));
                    given.push(address - base);
                }
            }
        }
        for (address, (size, _)) in blocks {
            assert!(arena.holds(address));
            arena.free(address, size);
        }
        arena.into_region().give_back();
        given
    }

    #[test]
    fn the_same_requests_get_the_same_places() {
        for seed in 0..4 {
            let first = exercise(seed);
            let _elsewhere = Region::take();
            assert_eq!(first, exercise(seed));
        }
    }

    #[test]
    fn memory_ends_where_it_should() {
        let mut arena = Arena::new(Region::take().expect("a region"));
        assert_eq!(arena.allocate(super::super::region::MAX_LENGTH + 1), 0);
        assert_eq!(arena.allocate(usize::MAX - PAGE), 0);
        assert_ne!(arena.allocate(1), 0);
    }
}
