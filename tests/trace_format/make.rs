//! Makes values of any type that serde can deserialize, from a source of decisions: so that what is added to the records
//! is tested without being named here.

use serde::de::value::Error;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// Decides what a value is made of.
pub trait Source {
    /// A number, of which the low bits are taken.
    fn number(&mut self) -> u64;
    /// Yes or no.
    fn flag(&mut self) -> bool;
    /// Bytes.
    fn bytes(&mut self) -> Vec<u8>;
    /// Text.
    fn text(&mut self) -> String;
    /// How many elements a list has.
    fn length(&mut self) -> usize;
    /// Which variant of an enumeration.
    fn variant(&mut self, name: &'static str, variants: &'static [&'static str]) -> u32;
}

/// Makes a value; `None` if the decisions lead to none.
pub fn make<'de, T: serde::Deserialize<'de>>(source: &mut dyn Source) -> Option<T> {
    T::deserialize(Maker { source, in_batch: false }).ok()
}

struct Maker<'s> {
    source: &'s mut dyn Source,
    in_batch: bool,
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.source.number() as $type)
        })*
    };
}

impl<'de> Deserializer<'de> for Maker<'_> {
    type Error = Error;

    numbers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_i128 visit_i128 i128, deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        panic!("records do not describe themselves")
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.source.flag())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.source.text())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_byte_buf(self.source.bytes())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.source.flag() { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = self.source.length();
        visitor.visit_seq(Parts { maker: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Parts { maker: self, left })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = self.source.length();
        visitor.visit_map(Parts { maker: self, left })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut picked = self.source.variant(name, variants);
        let mut is_batch = variants[picked as usize] == "Batch";
        if is_batch && self.in_batch {
            // Batches do not nest.
            (picked, is_batch) = (0, false);
        }
        let in_batch = self.in_batch || is_batch;
        visitor.visit_enum(Variant { maker: Maker { source: self.source, in_batch }, picked })
    }

    serde::forward_to_deserialize_any! { f32 f64 char str bytes u128 unit_struct tuple_struct identifier ignored_any }
}

/// The parts of a value, one after another.
struct Parts<'s> {
    maker: Maker<'s>,
    left: usize,
}

impl Parts<'_> {
    fn part(&mut self) -> Maker<'_> {
        Maker { source: self.maker.source, in_batch: self.maker.in_batch }
    }
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.part()).map(Some)
    }
}

impl<'de> MapAccess<'de> for Parts<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.part())
    }
}

struct Variant<'s> {
    maker: Maker<'s>,
    picked: u32,
}

impl<'de, 's> EnumAccess<'de> for Variant<'s> {
    type Error = Error;
    type Variant = Maker<'s>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Maker<'s>), Error> {
        Ok((seed.deserialize(self.picked.into_deserializer())?, self.maker))
    }
}

impl<'de> VariantAccess<'de> for Maker<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_tuple(fields.len(), visitor)
    }
}

/// Decisions from bytes that somebody else draws; when they are used up, the simplest ones.
pub struct Entropy {
    bytes: Vec<u8>,
    at: usize,
}

impl Entropy {
    /// Decisions from these bytes.
    pub fn new(bytes: Vec<u8>) -> Entropy {
        Entropy { bytes, at: 0 }
    }

    /// Whether any are left.
    pub fn is_used_up(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }
}

impl Source for Entropy {
    fn number(&mut self) -> u64 {
        // Small, around each width of the encoding, and anything.
        let (width, low) = (self.byte(), u64::from(self.byte()));
        match width % 8 {
            0..4 => low,
            4 => 250 + low % 4,
            5 => (1 << 16) - 2 + low % 4,
            6 => (1_u64 << 32).wrapping_sub(2).wrapping_add(low % 4),
            _ => (0..8).fold(0, |number, _| (number << 8) | u64::from(self.byte())),
        }
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = match self.byte() {
            255 => 70_000,
            length => usize::from(length % 24),
        };
        (0..length).map(|_| self.byte()).collect()
    }

    fn text(&mut self) -> String {
        let length = self.byte() % 12;
        (0..length).map(|_| char::from_u32(u32::from(self.byte()) * 37).unwrap_or('x')).collect()
    }

    fn length(&mut self) -> usize {
        usize::from(self.byte() % 4)
    }

    fn variant(&mut self, _: &'static str, variants: &'static [&'static str]) -> u32 {
        u32::from(self.byte()) % variants.len() as u32
    }
}
