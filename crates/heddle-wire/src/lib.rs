//! The FlatBuffers edge: verify, decode and encode frames.
