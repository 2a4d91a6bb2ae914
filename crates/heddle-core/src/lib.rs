//! The scheduling engine: a pure, deterministic state machine.
