//! What workers know of layers and functions follows what is alive: told once, forgotten once.

mod common;

use common::{CLIENT, World};
use heddle_core::event::{Event, FunctionDefined, LayerKind, LayerSpec, Submit};
use heddle_core::id::{ClientId, Millis};

#[test]
fn a_forgotten_layer_is_forgotten_by_the_workers_that_know_it() {
    let mut w = World::new();
    let (one, two) = (w.worker(1), w.worker(1));
    w.items(1, 8, true);
    w.items(2, 1, true);
    let serial = w.serials[&2];
    let holder = w.records.iter().find(|r| r.serial == serial).unwrap().proc;
    assert_eq!(w.layers_known.len(), 3, "{:?}", w.layers_known);
    w.finish_all();
    w.heard();
    assert_eq!(w.forgotten, 0);
    w.release(1, 0, 8);
    assert_eq!(w.forgotten, 2);
    assert_eq!(
        w.layers_known.iter().copied().collect::<Vec<_>>(),
        [(holder, serial)]
    );
    w.release(2, 0, 1);
    assert_eq!(w.forgotten, 3);
    assert!(w.layers_known.is_empty());
    // The function outlives its layers and is not told again.
    let known = w.functions_known.clone();
    assert_eq!(known.len(), 2);
    w.items(3, 8, true);
    assert_eq!(w.functions_known, known);
    assert_eq!(w.layers_known.len(), 2);
    w.kill(one);
    w.kill(two);
    w.release(3, 0, 8);
    assert_eq!(w.forgotten, 3, "nobody is left to be told");
}

#[test]
fn many_small_layers_one_after_the_other_leave_nothing_with_workers() {
    let mut w = World::with_check(heddle_core::CheckLevel::Light);
    w.worker(2);
    for layer in 1..=5000 {
        w.items(layer, 3, true);
        w.finish_all();
        w.heard();
        w.release(layer, 0, 3);
        assert!(w.layers_known.is_empty());
    }
    assert_eq!(w.forgotten, 5000);
    assert_eq!(w.functions_known.len(), 1);
    assert_eq!((w.engine.stats().layers, w.engine.stats().pages), (0, 0));
    w.expect_silence();
}

#[test]
fn a_function_is_forgotten_with_its_last_client_and_told_again_under_another_number() {
    let mut w = World::new();
    w.worker(1);
    w.items(1, 2, true);
    w.finish_all();
    // Another client defines the same function, and leaves: it stays.
    let other = ClientId(2);
    let function = |client| {
        Event::FunctionDefined(FunctionDefined {
            client,
            function: 1,
            hash: [1; 32],
            name: "f",
            body: b"f",
        })
    };
    w.apply(Event::ClientJoined {
        client: other,
        update_credit: 4,
    });
    w.apply(function(other));
    w.apply(Event::ClientLeft { client: other });
    assert_eq!((w.forgotten, w.functions_known.len()), (0, 1));
    let old = w.functions_known.clone();
    w.apply(Event::ClientLeft { client: CLIENT });
    assert_eq!(w.forgotten, 2, "the layer and the function");
    assert!(w.layers_known.is_empty() && w.functions_known.is_empty());
    w.apply(Event::ClientJoined {
        client: CLIENT,
        update_credit: 4,
    });
    w.define(1);
    w.items(1, 2, true);
    assert_eq!(w.functions_known.len(), 1);
    assert_ne!(w.functions_known, old);
}

#[test]
fn what_was_defined_and_forgotten_in_one_turn_is_never_told() {
    let mut w = World::new();
    let proc = w.worker(1);
    let now = Millis(0);
    let mut out = std::mem::take(&mut w.out);
    // Both submitted in one turn; one client leaves within it.
    let other = ClientId(2);
    for event in [
        Event::ClientJoined {
            client: other,
            update_credit: 4,
        },
        Event::FunctionDefined(FunctionDefined {
            client: other,
            function: 1,
            hash: [9; 32],
            name: "g",
            body: b"g",
        }),
    ] {
        w.engine.apply(now, event, &mut out).unwrap();
    }
    for client in [other, CLIENT] {
        let layers = [LayerSpec {
            layer: 1,
            kind: LayerKind::Map,
            tasks: 2,
            function: 1,
            flags: 1,
            ..LayerSpec::default()
        }];
        let submit = Submit {
            client,
            graph: 1,
            layers: &layers,
        };
        w.engine
            .apply(now, Event::GraphSubmitted(submit), &mut out)
            .unwrap();
    }
    w.engine
        .apply(now, Event::ClientLeft { client: other }, &mut out)
        .unwrap();
    let told = &out.procs()[0];
    assert_eq!(told.proc.0, proc);
    assert_eq!(told.layers.len(), 1);
    assert!(told.forget_layers.is_empty() && told.forget_functions.is_empty());
    assert!(told.retract.is_empty());
    let records: Vec<(u32, u32)> = told
        .assign()
        .iter()
        .map(|section| (section.serial, section.count))
        .collect();
    assert_eq!(records, [(1, 0), (2, 2)]);
    assert_eq!(told.layers[0].0, 2);
    w.engine.check();
}
