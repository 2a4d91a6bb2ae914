//! Which submission a layer counts as part of, for the order of work. What reads earlier layers goes on with their
//! graph: it takes their generation, the latest of them, and, being downstream, goes before what is left of them.
//! Else a map over a map over a load, each submitted on its own, would load all before it maps any.

use crate::engine::Engine;
use crate::event::{LayerKind, LayerSpec};
use crate::id::ClientId;

impl Engine {
    /// The generation of rows that come with a frame of generation `own`.
    pub(crate) fn inherited(&self, id: ClientId, spec: &LayerSpec<'_>, own: u32) -> u32 {
        let Some(client) = self.clients.get(&id) else {
            return own;
        };
        let generation = |number: u32| {
            let slot = client.layers.get(&number).filter(|_| number != spec.layer);
            slot.map(|&slot| self.layers[slot].generation)
        };
        if spec.kind != LayerKind::Explicit {
            let inputs = spec.inputs.iter();
            return inputs
                .filter_map(|input| generation(input.layer))
                .max()
                .unwrap_or(own);
        }
        let offsets = spec.dep_offsets;
        let mut pairs = offsets.iter().zip(offsets.iter().skip(1));
        // Rows that wait for nothing must not go before what was submitted earlier.
        if offsets.is_empty() || pairs.any(|(start, end)| start == end) {
            return own;
        }
        if spec.dep_layers.is_empty() {
            return generation(spec.dep_layer).unwrap_or(own);
        }
        let (mut last, mut latest) = (spec.layer, None);
        for number in spec.dep_layers.iter() {
            if number != last {
                last = number;
                latest = latest.max(generation(number));
            }
        }
        latest.unwrap_or(own)
    }
}
