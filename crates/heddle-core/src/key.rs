//! Explicit keys: within a client one key means one definition. Rows of equal key and definition are both kept and
//! both run; sharing one result is not done here.
//!
//! Nor is it done between clients. A row of one client that takes the value of another's is no local change:
//! - `client_left` buries all rows of a client, because nobody else can name them. A shared row would have to outlive
//!   its client, with its inputs, its layer and its function, for it may have to run again when its value is lost;
//! - a cancelled row takes its dependents with it, but a client must not cancel another's work;
//! - a value in a proc's store is named by layer, row and attempt. A second row of the same value would need each
//!   input, update, free and loss to resolve that name, on the way every record takes;
//! - a definition names inputs by the client's own layer numbers, which say nothing to another client: equality
//!   across clients needs the identity of all inputs in turn.
//!
//! What would be sound: the shared row belongs to a client the engine invents, edges to its followers are redirected
//! when they are taken in, and who follows a row is kept beside the hot rows as other rare things are (`oddities`).

use crate::engine::Engine;
use crate::event::{LayerSpec, Submit};
use crate::fault::{self, Fault};
use crate::id::TaskRef;
use crate::ingest::refuse;
use crate::limits::KEY_BYTES_MAX;

/// FNV-1a over 128 bits: only has to tell definitions apart.
struct Hash(u128);

impl Hash {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes.iter().chain(&(bytes.len() as u64).to_le_bytes()) {
            self.0 =
                (self.0 ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013B);
        }
    }
}

impl Engine {
    /// No key of the frame is taken by another definition, in the frame or before it.
    pub(crate) fn validate_keys(&self, submit: &Submit<'_>) -> Result<(), Fault> {
        let mut seen = std::collections::BTreeMap::new();
        let Some(client) = self.clients.get(&submit.client) else {
            return Ok(());
        };
        for spec in submit.layers {
            for (&key, row) in spec.keys.iter().zip(spec.key_rows.iter()) {
                let index = spec.first.saturating_add(row);
                if row >= spec.tasks || key.len() > KEY_BYTES_MAX {
                    let message =
                        format!("a key has at most {KEY_BYTES_MAX} bytes and a row of this layer");
                    return Err(refuse(fault::GRAPH_INVALID, spec.layer, index, message));
                }
                let own = self.definition(submit, spec, row as usize);
                let other = client.keys.get(key).map(|&(known, _)| known);
                let other = other.or(seen.get(key).copied());
                if other.is_some_and(|other| other != own) {
                    let message =
                        format!("the key '{key}' already names a task with another definition");
                    return Err(refuse(fault::KEY_CONFLICT, spec.layer, index, message));
                }
                seen.insert(key, own);
            }
        }
        Ok(())
    }

    /// Enters the keys of a layer that was taken in.
    pub(crate) fn commit_keys(&mut self, submit: &Submit<'_>, spec: &LayerSpec<'_>, slot: u32) {
        for (&key, row) in spec.keys.iter().zip(spec.key_rows.iter()) {
            let definition = self.definition(submit, spec, row as usize);
            let index = spec.first + row;
            let name = TaskRef {
                serial: self.layers[slot].serial,
                index,
            };
            let Some(client) = self.clients.get_mut(&submit.client) else {
                return;
            };
            if !client.keys.contains_key(key) {
                client.keys.insert(key.into(), (definition, name));
                self.layers[slot].keys.insert(index, key.into());
                self.totals.oddities += 1;
            }
        }
    }

    /// What a row computes: function, arguments, inputs.
    fn definition(&self, submit: &Submit<'_>, spec: &LayerSpec<'_>, row: usize) -> u128 {
        let mut hash = Hash(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        let number = spec.functions.get_or(row, spec.function);
        let client = self.clients.get(&submit.client);
        let function = client.and_then(|client| client.functions.get(&number));
        if let Some(function) = function.and_then(|&serial| self.functions.get(serial)) {
            hash.add(&function.hash);
        }
        hash.add(spec.template.unwrap_or_default());
        hash.add(&[spec.data_codec, spec.kind as u8]);
        let start: usize = if spec.data_stride > 0 {
            row * spec.data_stride as usize
        } else {
            spec.data_sizes
                .iter()
                .take(row)
                .map(|size| size as usize)
                .sum()
        };
        let size = spec.data_sizes.get_or(row, spec.data_stride) as usize;
        hash.add(
            spec.data
                .and_then(|data| data.get(start..start + size))
                .unwrap_or_default(),
        );
        for edge in spec.dep_offsets.get(row)..spec.dep_offsets.get(row + 1) {
            hash.add(
                &spec
                    .dep_layers
                    .get_or(edge as usize, spec.dep_layer)
                    .to_le_bytes(),
            );
            hash.add(&spec.dep_indices.get(edge as usize).to_le_bytes());
            hash.add(&spec.dep_parts.get(edge as usize).to_le_bytes());
        }
        hash.add(&spec.radius.to_le_bytes());
        hash.add(&[u8::from(spec.periodic)]);
        for input in spec.inputs {
            hash.add(&input.layer.to_le_bytes());
            hash.add(&input.first.wrapping_add(row as u32).to_le_bytes());
            hash.add(&[u8::from(input.broadcast)]);
            hash.add(&input.count.to_le_bytes());
        }
        hash.0
    }
}
