//! flatc's output; private to this crate.

#![allow(missing_docs, unused_imports, dead_code, non_camel_case_types, non_snake_case)]
#![allow(clippy::all, clippy::undocumented_unsafe_blocks, clippy::unwrap_used)]

pub mod protocol;
