//! The serializer that makes trees.

use std::fmt;

use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};
use serde::{Serialize, ser};

use super::Field;

/// Makes a tree of whatever is serialized into it.
pub(super) struct Builder;

/// The error that a serializer must have. Only a type that refuses to be serialized brings it about.
#[derive(Debug)]
pub(super) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value cannot be shown")
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Refused {
        Refused
    }
}

/// Several values in order, perhaps of a kind.
pub(super) struct List {
    kind: Option<&'static str>,
    list: Vec<Field>,
}

/// Several named values, perhaps of a kind.
pub(super) struct Named {
    kind: Option<&'static str>,
    fields: Vec<(String, Field)>,
    key: String,
}

fn kind(name: Option<&'static str>, held: Field) -> Field {
    match name {
        Some(name) => Field::Kind(name, Box::new(held)),
        None => held,
    }
}

impl List {
    /// A list grows as its elements come: a length that somebody states is not believed.
    fn new(kind: Option<&'static str>) -> List {
        List { kind, list: Vec::new() }
    }

    fn push(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Refused> {
        self.list.push(value.serialize(Builder)?);
        Ok(())
    }

    fn finish(self) -> Field {
        kind(self.kind, Field::List(self.list))
    }
}

impl Named {
    fn new(kind: Option<&'static str>) -> Named {
        Named { kind, fields: Vec::new(), key: String::new() }
    }

    fn push(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Refused> {
        self.fields.push((name.to_owned(), value.serialize(Builder)?));
        Ok(())
    }

    fn finish(self) -> Field {
        kind(self.kind, Field::Fields(self.fields))
    }
}

macro_rules! integers {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<Field, Refused> {
            Ok(Field::Int(value.into()))
        })*
    };
}

impl Serializer for Builder {
    type Ok = Field;
    type Error = Refused;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Named;
    type SerializeStruct = Named;
    type SerializeStructVariant = Named;

    integers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
    }

    fn serialize_u128(self, value: u128) -> Result<Field, Refused> {
        Ok(i128::try_from(value).map_or_else(|_| Field::Bytes(value.to_string().into_bytes()), Field::Int))
    }

    fn serialize_bool(self, value: bool) -> Result<Field, Refused> {
        Ok(Field::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Field, Refused> {
        Ok(Field::Float(value.into()))
    }

    fn serialize_f64(self, value: f64) -> Result<Field, Refused> {
        Ok(Field::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<Field, Refused> {
        Ok(Field::Bytes(value.to_string().into_bytes()))
    }

    fn serialize_str(self, value: &str) -> Result<Field, Refused> {
        Ok(Field::Bytes(value.as_bytes().to_vec()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Field, Refused> {
        Ok(Field::Bytes(value.to_vec()))
    }

    fn serialize_none(self) -> Result<Field, Refused> {
        Ok(Field::Nothing)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Field, Refused> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Field, Refused> {
        Ok(Field::Nothing)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Field, Refused> {
        Ok(Field::Nothing)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Field, Refused> {
        Ok(kind(Some(variant), Field::Nothing))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Field, Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Field, Refused> {
        Ok(kind(Some(variant), value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Refused> {
        Ok(List::new(None))
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Refused> {
        Ok(List::new(None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Refused> {
        Ok(List::new(None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List, Refused> {
        Ok(List::new(Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Named, Refused> {
        Ok(Named::new(None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Named, Refused> {
        Ok(Named::new(None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Named, Refused> {
        Ok(Named::new(Some(variant)))
    }
}

macro_rules! list {
    ($($trait:ident: $method:ident),* $(,)?) => {
        $(impl $trait for List {
            type Ok = Field;
            type Error = Refused;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
                self.push(value)
            }

            fn end(self) -> Result<Field, Refused> {
                Ok(self.finish())
            }
        })*
    };
}

list! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! named {
    ($($trait:ident),* $(,)?) => {
        $(impl $trait for Named {
            type Ok = Field;
            type Error = Refused;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Refused> {
                self.push(name, value)
            }

            fn end(self) -> Result<Field, Refused> {
                Ok(self.finish())
            }
        })*
    };
}

named! { SerializeStruct, SerializeStructVariant }

impl SerializeMap for Named {
    type Ok = Field;
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        self.key = match key.serialize(Builder)? {
            Field::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => other.to_json().to_string(),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        let key = std::mem::take(&mut self.key);
        self.push(&key, value)
    }

    fn end(self) -> Result<Field, Refused> {
        Ok(self.finish())
    }
}
